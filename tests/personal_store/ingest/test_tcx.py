"""TCX: activities, with `xml.etree` as the independent reader."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from personal_store.errors import UnreadableFile, WrongFile
from personal_store.ingest.positionfix import (
    Evidence,
    EvidenceKind,
    Positionfix,
    Rejected,
    RejectReason,
    SourceFormat,
)

NAMESPACE = "http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2"
AT = datetime(2024, 4, 21, 9, 7, 31, tzinfo=UTC)
POINT = (
    "<Trackpoint><Time>2024-04-21T09:07:31Z</Time><Position>"
    "<LatitudeDegrees>46.16</LatitudeDegrees><LongitudeDegrees>-1.15</LongitudeDegrees></Position>"
    "<AltitudeMeters>7.5</AltitudeMeters><DistanceMeters>0</DistanceMeters>"
    '<Extensions><x:TPX xmlns:x="u"><x:Speed>2.8</x:Speed></x:TPX></Extensions></Trackpoint>'
)
LATER = POINT.replace("09:07:31", "09:17:31").replace("46.16", "46.17")


def lap(points: str, distance_m: int = 1500) -> str:
    return (
        f'<Lap StartTime="2024-04-21T09:07:31Z"><DistanceMeters>{distance_m}</DistanceMeters>'
        f"<Track>{points}</Track></Lap>"
    )


def document(*laps: str, sport: str = "Biking") -> bytes:
    activity = f'<Activity Sport="{sport}"><Id>x</Id>{"".join(laps)}</Activity>'
    return (
        f'<TrainingCenterDatabase xmlns="{NAMESPACE}"><Activities>{activity}</Activities>'
        "</TrainingCenterDatabase>"
    ).encode()


def test_a_track_point_becomes_a_positionfix(read_bytes):
    assert next(read_bytes(document(lap(POINT))).entries) == Positionfix(
        at=AT,
        lat=46.16,
        lon=-1.15,
        source=SourceFormat.TCX,
        device="tcx",
        speed_mps=2.8,
        altitude_m=7.5,
    )


def test_an_activity_is_one_leg_whose_laps_add_up(read_bytes):
    *_, leg = read_bytes(document(lap(POINT), lap(LATER, 500))).entries
    assert isinstance(leg, Evidence)
    assert (leg.kind, leg.mode, leg.distance_m) == (EvidenceKind.LEG, "Biking", 2000)
    assert (leg.start, leg.end) == (AT, AT + timedelta(minutes=10))


def test_etree_finds_the_same_points(read_bytes):
    content = document(lap(POINT + LATER), lap(LATER.replace("09:17", "09:27")))
    theirs = [
        (
            datetime.fromisoformat(point.findtext(f"{{{NAMESPACE}}}Time")),
            float(point.findtext(f".//{{{NAMESPACE}}}LatitudeDegrees")),
        )
        for point in ET.fromstring(content).iter(f"{{{NAMESPACE}}}Trackpoint")
    ]
    fixes = [entry for entry in read_bytes(content).entries if isinstance(entry, Positionfix)]
    assert [(fix.at, fix.lat) for fix in fixes] == theirs


REJECTED = {
    "no time": (POINT.replace("<Time>2024-04-21T09:07:31Z</Time>", ""), RejectReason.NO_TIME),
    "half a position": (
        POINT.replace("<LongitudeDegrees>-1.15</LongitudeDegrees>", ""),
        RejectReason.NO_POSITION,
    ),
    "a latitude of words": (POINT.replace("46.16", "north"), RejectReason.UNREADABLE_ENTRY),
    "past the pole": (POINT.replace("46.16", "96.16"), RejectReason.IMPOSSIBLE_COORDINATES),
}


@pytest.mark.parametrize(("point", "reason"), REJECTED.values(), ids=REJECTED)
def test_a_bad_point_is_rejected_and_the_rest_goes_in(read_bytes, point, reason):
    entries = list(read_bytes(document(lap(POINT + point + LATER))).entries)
    assert entries[1] == Rejected(reason=reason)
    assert isinstance(entries[2], Positionfix)


def test_a_course_is_a_plan(read_bytes):
    course = document(lap(POINT)).replace(b"Activit", b"Cours").replace(b"Coursies", b"Courses")
    course = course.replace(b'<Coursy Sport="Biking">', b"<Course>").replace(b"Coursy", b"Course")
    with pytest.raises(WrongFile):
        list(read_bytes(course).entries)


def test_a_cut_file_is_unreadable(read_bytes):
    with pytest.raises(UnreadableFile):
        list(read_bytes(document(lap(POINT))[:-20]).entries)
