"""Google's Timeline.json, from Android and from iOS."""

import json
from datetime import UTC, datetime

import pytest

from personal_store.errors import UnreadableFile
from personal_store.ingest.positionfix import (
    Evidence,
    EvidenceKind,
    Positionfix,
    Rejected,
    RejectReason,
    SourceFormat,
    SourceMode,
)

START, END = "2024-06-15T09:00:00.000+02:00", "2024-06-15T10:00:00.000+02:00"
START_UTC = datetime(2024, 6, 15, 7, tzinfo=UTC)
END_UTC = datetime(2024, 6, 15, 8, tzinfo=UTC)


def segment(**content: object) -> dict[str, object]:
    return {"startTime": START, "endTime": END, **content}


def android(*segments: object, **sections: object) -> bytes:
    return json.dumps({"semanticSegments": segments, **sections}, ensure_ascii=False).encode()


def ios(*segments: object) -> bytes:
    return json.dumps(segments).encode()


def path_point(point: object, offset: object) -> dict[str, object]:
    return {"point": point, "durationMinutesOffsetFromStartTime": offset}


def where_and_when(entries) -> list[tuple[datetime, float, float]]:
    return [(fix.at, fix.lat, fix.lon) for fix in entries if isinstance(fix, Positionfix)]


def test_a_point_of_an_android_path_has_its_own_time(read_bytes):
    path = [{"point": "46.16°, -1.15°", "time": "2024-06-15T09:35:00.000+02:00"}]
    assert where_and_when(read_bytes(android(segment(timelinePath=path))).entries) == [
        (datetime(2024, 6, 15, 7, 35, tzinfo=UTC), 46.16, -1.15)
    ]


def test_a_point_of_an_ios_path_is_minutes_after_the_start(read_bytes):
    path = [path_point("geo:46.16,-1.15", "49")]
    assert where_and_when(read_bytes(ios(segment(timelinePath=path))).entries) == [
        (datetime(2024, 6, 15, 7, 49, tzinfo=UTC), 46.16, -1.15)
    ]


def test_points_of_the_same_minute_stay_two_in_file_order(read_bytes):
    path = [path_point("geo:46.2,-1.1", "4"), path_point("geo:46.1,-1.2", "4")]
    fixes = list(read_bytes(ios(segment(timelinePath=path))).entries)
    assert [fix.lat for fix in fixes] == [46.2, 46.1]
    assert fixes[0].at == fixes[1].at


def test_a_raw_position_keeps_its_accuracy_altitude_and_speed(read_bytes):
    position = {
        "LatLng": "46.16°, -1.15°",
        "accuracyMeters": 13,
        "altitudeMeters": 90.5,
        "speedMetersPerSecond": 0.25,
        "source": "WIFI",
        "timestamp": START,
    }
    assert list(read_bytes(android(rawSignals=[{"position": position}])).entries) == [
        Positionfix(
            at=START_UTC,
            lat=46.16,
            lon=-1.15,
            source=SourceFormat.GOOGLE_TIMELINE_ANDROID,
            device="google-timeline",
            accuracy_m=13.0,
            altitude_m=90.5,
            speed_mps=0.25,
            utc_offset_min=120,
        )
    ]


VISITS = {
    "Android": android(
        segment(visit={"topCandidate": {"placeLocation": {"latLng": "46.16°, -1.15°"}}})
    ),
    "iOS": ios(segment(visit={"topCandidate": {"placeLocation": "geo:46.16,-1.15"}})),
}


@pytest.mark.parametrize("content", VISITS.values(), ids=VISITS)
def test_a_visit_is_its_place_at_its_start(read_bytes, content):
    assert where_and_when(read_bytes(content).entries) == [(START_UTC, 46.16, -1.15)]


ACTIVITIES = {
    "Android": android(
        segment(
            activity={
                "start": {"latLng": "46.16°, -1.15°"},
                "end": {"latLng": "46.2°, -1.2°"},
                "topCandidate": {"type": "CYCLING", "probability": 0.0},
            }
        )
    ),
    "iOS": ios(
        segment(
            activity={
                "start": "geo:46.16,-1.15",
                "end": "geo:46.2,-1.2",
                "topCandidate": {"type": "CYCLING", "probability": "0.000000"},
            }
        )
    ),
}


@pytest.mark.parametrize("content", ACTIVITIES.values(), ids=ACTIVITIES)
def test_an_activity_is_its_two_ends(read_bytes, content):
    assert where_and_when(read_bytes(content).entries) == [
        (START_UTC, 46.16, -1.15),
        (END_UTC, 46.2, -1.2),
    ]


@pytest.mark.parametrize("content", ACTIVITIES.values(), ids=ACTIVITIES)
def test_a_probability_of_zero_is_kept_with_its_label(read_bytes, content):
    fixes = [entry for entry in read_bytes(content).entries if isinstance(entry, Positionfix)]
    labels = {(fix.activity, fix.activity_confidence) for fix in fixes}
    assert labels == {("CYCLING", 0.0)}


@pytest.mark.parametrize("content", VISITS.values(), ids=VISITS)
def test_a_visit_is_also_evidence_of_a_stay(read_bytes, content):
    (visit,) = [entry for entry in read_bytes(content).entries if isinstance(entry, Evidence)]
    assert (visit.kind, visit.start, visit.end) == (EvidenceKind.VISIT, START_UTC, END_UTC)
    assert (visit.origin.lat, visit.origin.lon) == (46.16, -1.15)


@pytest.mark.parametrize("content", ACTIVITIES.values(), ids=ACTIVITIES)
def test_an_activity_is_also_evidence_of_a_leg_with_its_label(read_bytes, content):
    (leg,) = [entry for entry in read_bytes(content).entries if isinstance(entry, Evidence)]
    assert leg.kind is EvidenceKind.LEG
    assert leg.modes == (SourceMode(label="CYCLING", confidence=0.0),)
    assert (leg.origin.lat, leg.destination.lat) == (46.16, 46.2)


def test_a_distance_without_ends_is_evidence_and_no_position(read_bytes):
    (leg,) = read_bytes(ios(segment(activity={"distanceMeters": "12.5"}))).entries
    assert (leg.kind, leg.distance_m, leg.mode) == (EvidenceKind.LEG, 12.5, None)


def test_an_activity_with_one_end_gives_that_end(read_bytes):
    content = ios(segment(activity={"end": "geo:46.2,-1.2"}))
    assert where_and_when(read_bytes(content).entries) == [(END_UTC, 46.2, -1.2)]


NOTATIONS = {
    "degree signs": "46.16°, -1.15°",
    "plain numbers": "46.16, -1.15",
    "no space": "46.16,-1.15",
    "a geo address": "geo:46.16,-1.15",
    "a geo address in capitals": "GEO:46.16,-1.15",
    "an exponent": "4.616e1,-1.15",
    "an object": {"latLng": "46.16°, -1.15°"},
}


@pytest.mark.parametrize("place", NOTATIONS.values(), ids=NOTATIONS)
def test_a_place_is_read_in_every_notation(read_bytes, place):
    content = ios(segment(timelinePath=[path_point(place, "0")]))
    assert where_and_when(read_bytes(content).entries) == [(START_UTC, 46.16, -1.15)]


def test_the_altitude_of_a_geo_address_is_kept(read_bytes):
    content = ios(segment(timelinePath=[path_point("geo:46.16,-1.15,35.0", "0")]))
    assert [fix.altitude_m for fix in read_bytes(content).entries] == [35.0]


SILENT = {
    "a memory": segment(timelineMemory={"distanceFromOriginKms": "1594"}),
    "a visit without a place": segment(visit={"topCandidate": {"placeID": "x"}}),
    "a visit of null": segment(visit=None),
    "an activity without ends, label or distance": segment(activity={"parking": {}}),
    "an activity of text": segment(activity="walking"),
    "an empty path": segment(timelinePath=[]),
    "a path of text": segment(timelinePath="geo:1,1"),
    "nothing": segment(),
}


@pytest.mark.parametrize("content", SILENT.values(), ids=SILENT)
def test_a_segment_that_claims_no_position_gives_nothing(read_bytes, content):
    assert list(read_bytes(ios(content)).entries) == []


SILENT_SIGNALS = {
    "a Wi-Fi scan": {"wifiScan": {"deliveryTime": START}},
    "an activity record": {"activityRecord": {"timestamp": START}},
    "an empty signal": {},
}


@pytest.mark.parametrize("signal", SILENT_SIGNALS.values(), ids=SILENT_SIGNALS)
def test_a_signal_that_claims_no_position_gives_nothing(read_bytes, signal):
    assert list(read_bytes(android(rawSignals=[signal])).entries) == []


def test_a_frequent_place_has_no_time_and_none_is_made_up(read_bytes):
    profile = {"frequentPlaces": [{"placeLocation": "46.16°, -1.15°", "label": "HOME"}]}
    assert list(read_bytes(android(userLocationProfile=profile)).entries) == [
        Rejected(reason=RejectReason.NO_TIME)
    ]


GOOD = path_point("geo:46.16,-1.15", "1")
REJECTED = {
    "no point": ({"durationMinutesOffsetFromStartTime": "1"}, RejectReason.NO_POSITION),
    "an empty point": (path_point("", "1"), RejectReason.NO_POSITION),
    "a point of words": (path_point("at home", "1"), RejectReason.UNREADABLE_ENTRY),
    "one coordinate": (path_point("geo:46.16", "1"), RejectReason.UNREADABLE_ENTRY),
    "four coordinates": (path_point("1,2,3,4", "1"), RejectReason.UNREADABLE_ENTRY),
    "signs alone": (path_point("--,++", "1"), RejectReason.UNREADABLE_ENTRY),
    "a latitude past the pole": (
        path_point("geo:96.16,-1.15", "1"),
        RejectReason.IMPOSSIBLE_COORDINATES,
    ),
    "neither time nor offset": ({"point": "geo:46.16,-1.15"}, RejectReason.NO_TIME),
    "an offset of words": (path_point("geo:46.16,-1.15", "soon"), RejectReason.UNREADABLE_ENTRY),
    "an offset that is true": (
        path_point("geo:46.16,-1.15", offset=True),
        RejectReason.UNREADABLE_ENTRY,
    ),
    "a negative offset": (path_point("geo:46.16,-1.15", "-5"), RejectReason.UNREADABLE_ENTRY),
    "an offset that is not a number": (
        path_point("geo:46.16,-1.15", "nan"),
        RejectReason.UNREADABLE_ENTRY,
    ),
    "an offset past the calendar": (
        path_point("geo:46.16,-1.15", "1e300"),
        RejectReason.IN_THE_FUTURE,
    ),
    "an infinite offset": (path_point("geo:46.16,-1.15", "inf"), RejectReason.IN_THE_FUTURE),
    "text for a point": ("geo:46.16,-1.15", RejectReason.UNREADABLE_ENTRY),
    "a number for a point": (7, RejectReason.UNREADABLE_ENTRY),
    "a text of ten thousand characters": (
        path_point("1" * 10_000, "1"),
        RejectReason.UNREADABLE_ENTRY,
    ),
}


@pytest.mark.parametrize(("point", "reason"), REJECTED.values(), ids=REJECTED)
def test_a_bad_point_is_rejected_and_the_rest_goes_in(read_bytes, point, reason):
    entries = list(read_bytes(ios(segment(timelinePath=[GOOD, point, GOOD]))).entries)
    assert [type(entry) for entry in entries] == [Positionfix, Rejected, Positionfix]
    assert entries[1].reason is reason


@pytest.mark.parametrize("item", [7, None, "text", []], ids=repr)
def test_a_segment_that_is_no_object_is_rejected(read_bytes, item):
    assert list(read_bytes(ios(segment(), item)).entries) == [
        Rejected(reason=RejectReason.UNREADABLE_ENTRY)
    ]


def test_a_path_without_a_start_has_no_time(read_bytes):
    content = ios({"startTime": None, "endTime": END, "timelinePath": [GOOD]})
    assert list(read_bytes(content).entries) == [Rejected(reason=RejectReason.NO_TIME)]


def test_sections_of_tomorrow_are_left_alone(read_bytes):
    content = android(segment(), newSignals=[{"position": {"LatLng": "1,1"}}])
    assert list(read_bytes(content).entries) == []


@pytest.mark.parametrize("content", [*VISITS.values(), *ACTIVITIES.values()])
def test_a_truncated_timeline_is_unreadable(read_bytes, content):
    with pytest.raises(UnreadableFile):
        list(read_bytes(content[:-3]).entries)
