"""Sources that are already cut into stays and legs: evidence, and no position made up."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from personal_store.errors import WrongFile
from personal_store.ingest.positionfix import (
    Evidence,
    EvidenceKind,
    EvidencePlace,
    Positionfix,
    Rejected,
    RejectReason,
    SourceMode,
)

START, END = "2024-04-21T09:00:00Z", "2024-04-21T09:30:00Z"
START_UTC = datetime(2024, 4, 21, 9, tzinfo=UTC)
END_UTC = START_UTC + timedelta(minutes=30)
START_S, END_S = START_UTC.timestamp(), END_UTC.timestamp()
HERE, THERE = {"latitudeE7": 461600000, "longitudeE7": -11500000}, {"latitudeE7": 462000000}


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


def evidence_of(parsed) -> list[Evidence]:
    return [entry for entry in parsed.entries if isinstance(entry, Evidence)]


def table(*rows: dict[str, object], separator: str = ",") -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0], delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def semantic(**activity: object) -> bytes:
    duration = {"startTimestamp": START, "endTimestamp": END}
    return as_json({"timelineObjects": [{"activitySegment": {"duration": duration, **activity}}]})


WEIGHED = [
    {"activityType": "WALKING", "probability": 12.5},
    {"activityType": "IN_TRAM", "probability": 80.0},
]
MODES = {
    "the label that was chosen": (
        {"activityType": "IN_BUS", "activities": WEIGHED, "waypointPath": {"travelMode": "WALK"}},
        ["IN_BUS", "IN_TRAM", "WALKING"],
    ),
    "the likeliest of those weighed": ({"activities": WEIGHED}, ["IN_TRAM", "WALKING"]),
    "the roads where nothing was weighed": (
        {
            "activities": [{"activityType": "WALKING", "probability": 0.0}],
            "waypointPath": {"travelMode": "DRIVE"},
        },
        ["DRIVE", "WALKING"],
    ),
    "nothing": ({}, []),
}


@pytest.mark.parametrize(("activity", "labels"), MODES.values(), ids=MODES)
def test_a_semantic_activity_is_labelled_from_the_surest_word_on(read_bytes, activity, labels):
    (leg,) = evidence_of(read_bytes(semantic(**activity)))
    assert [mode.label for mode in leg.modes] == labels


def test_a_probability_of_google_is_a_percentage(read_bytes):
    (leg,) = evidence_of(read_bytes(semantic(activities=WEIGHED)))
    assert leg.modes[0] == SourceMode(label="IN_TRAM", confidence=0.8)


def test_only_points_with_a_time_become_positions(read_bytes):
    content = semantic(
        startLocation=HERE,
        waypointPath={"waypoints": [{"latE7": 1, "lngE7": 1}] * 9},
        simplifiedRawPath={
            "points": [
                {"latE7": 461700000, "lngE7": -11600000, "timestamp": START, "accuracyMeters": 9}
            ]
        },
    )
    fixes = [entry for entry in read_bytes(content).entries if isinstance(entry, Positionfix)]
    assert [(fix.lat, fix.accuracy_m) for fix in fixes] == [(46.16, None), (46.17, 9)]


def test_half_a_place_is_rejected(read_bytes):
    entries = list(read_bytes(semantic(startLocation=THERE)).entries)
    assert entries[0] == Rejected(reason=RejectReason.NO_POSITION)


def test_an_activity_that_ends_before_it_begins_is_rejected(read_bytes):
    content = semantic().replace(END.encode(), b"2024-04-20T09:00:00Z")
    assert list(read_bytes(content).entries) == [Rejected(reason=RejectReason.UNREADABLE_ENTRY)]


def test_a_semantic_visit_is_its_place_and_a_stay(read_bytes):
    duration = {"startTimestampMs": "1713690000000", "endTimestampMs": "1713691800000"}
    location = {**HERE, "name": "Marché", "placeId": "ChIJ"}
    visit = {"placeVisit": {"location": location, "duration": duration, "visitConfidence": 90}}
    fix, stay = read_bytes(as_json({"timelineObjects": [visit]})).entries
    assert (fix.at, stay.start, stay.end) == (START_UTC, START_UTC, END_UTC)
    assert (stay.origin.name, stay.confidence, stay.reference) == ("Marché", 0.9, "ChIJ")


@pytest.fixture(scope="session")
def cozy_document(reference: Path) -> dict[str, object]:
    """Return the sample of the reference data; its JavaScript is also a YAML flow mapping."""
    source = (reference / "fixtures/cozy/geojson-01.js").read_text()
    start = source.index("return {") + len("return ")
    literal = source[start : source.index("module.exports")].rstrip().removesuffix("}")
    for name, value in {
        "startDate": "2021-06-30T14:18:52.778000+02:00",
        "endDate": "2021-06-30T16:40:05.086000+02:00",
        "time1": "2021-06-30T14:47:51.081201+02:00",
        "time2": "2021-06-30T16:37:05.086000+02:00",
    }.items():
        literal = literal.replace(f"dates.{name}", f"'{value}'")
    return yaml.safe_load(literal)


def sections(document) -> list[dict[str, object]]:
    return [
        section
        for trip in document["series"]
        for feature in trip["features"]
        for section in feature.get("features", [])
    ]


def test_every_cozy_section_is_a_leg_as_a_plain_reading_finds_it(read_bytes, cozy_document):
    legs = [e for e in evidence_of(read_bytes(as_json(cozy_document))) if e.kind == "leg"]
    theirs = [
        (
            section["properties"]["sensed_mode"],
            section["properties"]["distance"],
            datetime.fromtimestamp(section["properties"]["start_ts"], UTC),
        )
        for section in sections(cozy_document)
    ]
    assert [(leg.mode, leg.distance_m, leg.start) for leg in legs] == theirs
    assert len(theirs) > 0


def test_every_cozy_vertex_is_a_position_at_its_own_time(read_bytes, cozy_document):
    entries = read_bytes(as_json([cozy_document])).entries
    fixes = [entry for entry in entries if isinstance(entry, Positionfix)]
    theirs = [
        (time_ms, lon, lat)
        for section in sections(cozy_document)
        for time_ms, (lon, lat) in zip(
            section["properties"]["timestamps"], section["geometry"]["coordinates"], strict=True
        )
    ]
    assert [(round(fix.at.timestamp() * 1000), fix.lon, fix.lat) for fix in fixes] == theirs


def test_the_places_of_a_cozy_trip_are_visits(read_bytes, cozy_document):
    stays = [e for e in evidence_of(read_bytes(as_json(cozy_document))) if e.kind == "visit"]
    durations_s = [(stay.end - stay.start).total_seconds() for stay in stays]
    # The durations that the file itself states for its two places.
    assert durations_s == pytest.approx([1738.3032, 180], abs=1e-3)


def test_a_manual_mode_of_cozy_comes_before_the_sensed_one(read_bytes, cozy_document):
    changed = json.loads(json.dumps(cozy_document))
    changed["series"][0]["properties"]["manual_mode"] = "BUS_ELECTRIC"
    legs = [e for e in evidence_of(read_bytes(as_json(changed))) if e.kind == "leg"]
    assert {leg.mode for leg in legs} == {"BUS_ELECTRIC"}


def e_mission(key: str, **data: object) -> bytes:
    return as_json([{"metadata": {"key": key, "platform": "ios"}, "data": data}])


def test_a_location_of_e_mission_is_a_position(read_bytes):
    content = e_mission(
        "background/location", ts=START_S, latitude=46.16, longitude=-1.15, accuracy=5
    )
    (fix,) = read_bytes(content).entries
    assert (fix.at, fix.lat, fix.device) == (START_UTC, 46.16, "e-mission ios")


SECTION = {"start_ts": START_S, "end_ts": END_S, "distance": 377.4, "sensed_mode": 5}


@pytest.mark.parametrize(
    ("key", "mode"),
    [("analysis/cleaned_section", "TILTING"), ("analysis/inferred_section", "CAR")],
)
def test_a_number_of_e_mission_means_what_its_section_says(read_bytes, key, mode):
    (leg,) = read_bytes(e_mission(key, **SECTION)).entries
    assert (leg.kind, leg.mode, leg.distance_m) == (EvidenceKind.LEG, mode, 377.4)


def test_the_word_of_a_resident_labels_a_confirmed_trip(read_bytes):
    user_input = {"mode_confirm": "shared_ride"}
    content = e_mission("analysis/confirmed_trip", **SECTION, user_input=user_input)
    (journey,) = read_bytes(content).entries
    assert (journey.kind, journey.mode) == (EvidenceKind.JOURNEY, "shared_ride")


@pytest.mark.parametrize("key", ["segmentation/raw_section", "analysis/recreated_location"])
def test_what_e_mission_repeats_or_interpolates_gives_nothing(read_bytes, key):
    assert list(read_bytes(e_mission(key, **SECTION)).entries) == []


REGISTER = {
    "journey_id": "17",
    "trip_id": "a",
    "journey_start_datetime": "2024-04-21T11:00:00+02:00",
    "journey_end_datetime": "2024-04-21T11:30:00+02:00",
    "journey_start_lon": "-1.15",
    "journey_start_lat": "46.16",
    "journey_start_town": "La Rochelle",
    "journey_end_lon": "-0.96",
    "journey_end_lat": "45.94",
    "passenger_seats": "2",
    "journey_distance": "32000",
}
JOURNEY = {
    "operator_journey_id": "17",
    "start": {"datetime": "2024-04-21T11:00:00+02:00", "lat": 46.16, "lon": -1.15},
    "end": {"datetime": "2024-04-21T11:30:00+02:00", "lat": 45.94, "lon": -0.96},
    "distance": 32000,
    "passenger": {"seats": 2},
}
CARPOOLS = {
    "the register's table": table(REGISTER, separator=";"),
    "one journey as sent": as_json(JOURNEY),
    "a list of journeys": as_json([JOURNEY]),
    "journeys under their name": as_json({"journeys": [JOURNEY]}),
}


@pytest.mark.parametrize("content", CARPOOLS.values(), ids=CARPOOLS)
def test_a_carpool_proof_is_a_journey_with_everybody_in_the_car(read_bytes, content):
    (journey,) = read_bytes(content).entries
    assert journey.kind is EvidenceKind.JOURNEY
    assert (journey.start, journey.end, journey.distance_m) == (START_UTC, END_UTC, 32000)
    assert (journey.mode, journey.occupants, journey.reference) == ("carpool", 3, "17")
    assert (journey.origin.lat, journey.destination.lon) == (46.16, -0.96)


def test_a_carpool_with_no_seat_stated_carries_two_people(read_bytes):
    (journey,) = read_bytes(table({**REGISTER, "passenger_seats": ""}, separator=";")).entries
    assert journey.occupants == 2


def ride(number: int, start_min: int, *, last_min: int = 30, trip: str = "") -> dict[str, object]:
    start = START_UTC + timedelta(minutes=start_min)
    return REGISTER | {
        "journey_id": str(number),
        "trip_id": trip or f"trip {number}",
        "journey_start_datetime": start.isoformat(),
        "journey_end_datetime": (start + timedelta(minutes=last_min)).isoformat(),
    }


def test_journeys_in_two_cars_at_once_are_counted_and_none_becomes_evidence(read_bytes):
    rows = [ride(n, 60 * n) for n in range(5)] + [ride(9, 75)]
    read = list(read_bytes(table(*rows, separator=";")).entries)
    not_one = Rejected(reason=RejectReason.NOT_ONE_PERSON)
    assert [each == not_one for each in read] == [False, True, False, False, False, True]


def test_two_passengers_of_one_ride_are_one_driver_s(read_bytes):
    rows = [ride(1, 0, trip="a"), ride(2, 5, trip="a")]
    assert len(evidence_of(read_bytes(table(*rows, separator=";")))) == 2


def test_rides_that_meet_by_rounding_are_one_person_s(read_bytes):
    rows = [ride(1, 0), ride(2, 20)]
    assert len(evidence_of(read_bytes(table(*rows, separator=";")))) == 2


@pytest.mark.parametrize("rows", [[ride(n, 2 * n) for n in range(9)], [ride(1, 0)] * 20_001])
def test_the_register_of_everybody_is_refused_with_nothing_read(read_bytes, rows):
    with pytest.raises(WrongFile, match="registre public"):
        next(read_bytes(table(*rows, separator=";")).entries)


def test_a_carpool_without_its_end_is_rejected(read_bytes):
    content = table({**REGISTER, "journey_end_datetime": ""}, separator=";")
    assert list(read_bytes(content).entries) == [Rejected(reason=RejectReason.NO_TIME)]


TAP = {
    "tap_at": "2024-04-21T11:00:00+02:00",
    "event": "board",
    "mode": "bus",
    "line": "Illico 1",
    "stop_name": "Place de Verdun",
    "stop_lat": "46.1603",
    "stop_lon": "-1.1511",
    "card": "carte de mai",
}


def test_a_tap_is_an_instant_on_a_line(read_bytes):
    (tap,) = read_bytes(table(TAP)).entries
    assert (tap.kind, tap.start, tap.end) == (EvidenceKind.TAP, START_UTC, START_UTC)
    assert (tap.mode, tap.line, tap.device) == ("bus", "Illico 1", "carte de mai")
    assert tap.origin == EvidencePlace(lat=46.1603, lon=-1.1511, name="Place de Verdun")


@pytest.mark.parametrize("event", ["cancelled", " Refused"])
def test_a_tap_that_was_refused_is_no_journey(read_bytes, event):
    assert list(read_bytes(table({**TAP, "event": event})).entries) == []


@pytest.mark.parametrize("event", ["alight", " Exit"])
def test_a_tap_on_the_way_out_is_kept_as_one(read_bytes, event):
    (tap,) = read_bytes(table({**TAP, "event": event})).entries
    assert tap.kind is EvidenceKind.TAP_OUT


# 21 April 2024 is 9972 days after 1 January 1997; 11:00 is minute 660 of a French day.
EVENT = {"EventDateStamp": 9972, "EventTimeStamp": 660, "EventCode": 0x11, "EventRouteNumber": 1}


def test_a_card_event_is_a_tap_in_french_time(read_bytes):
    (tap,) = read_bytes(as_json({"card": "a", "events": [EVENT]})).entries
    assert (tap.start, tap.mode, tap.line, tap.device) == (START_UTC, "bus", "1", "a")


@pytest.mark.parametrize(
    ("low", "is_out"), [(1, False), (2, True), (3, False), (6, False), (7, True)]
)
def test_a_card_tells_the_way_in_from_the_way_out(read_bytes, low, is_out):
    (tap,) = read_bytes(as_json([{**EVENT, "EventCode": 0x30 + low}])).entries
    assert tap.kind is (EvidenceKind.TAP_OUT if is_out else EvidenceKind.TAP)


def test_a_winter_day_of_a_card_is_one_hour_from_utc(read_bytes):
    (tap,) = read_bytes(as_json([{**EVENT, "EventDateStamp": 9972 - 91}])).entries
    assert tap.start == datetime(2024, 1, 21, 10, tzinfo=UTC)


CODES = {
    0x11: "bus",
    0x31: "metro",
    0x46: "tram",
    0x52: "train",
    0x14: None,
    0x19: None,
    0x81: None,
}


@pytest.mark.parametrize(("code", "mode"), CODES.items(), ids=map(hex, CODES))
def test_the_code_of_an_event_says_the_mode_and_whether_one_travelled(read_bytes, code, mode):
    taps = list(read_bytes(as_json([{**EVENT, "EventCode": code}])).entries)
    assert [tap.mode for tap in taps] == ([mode] if mode else [])


BAD_EVENTS = {
    "a day past any card": ({"EventDateStamp": 10**9}, RejectReason.UNREADABLE_ENTRY),
    "a minute past the day": ({"EventTimeStamp": 1440}, RejectReason.UNREADABLE_ENTRY),
    "no minute": ({"EventTimeStamp": None}, RejectReason.NO_TIME),
    "a code of words": ({"EventCode": "bus"}, RejectReason.UNREADABLE_ENTRY),
    "a code that is no number": ({"EventCode": float("nan")}, RejectReason.UNREADABLE_ENTRY),
}


@pytest.mark.parametrize(("change", "reason"), BAD_EVENTS.values(), ids=BAD_EVENTS)
def test_a_bad_card_event_is_rejected(read_bytes, change, reason):
    assert list(read_bytes(as_json([{**EVENT, **change}])).entries) == [Rejected(reason=reason)]


def test_an_overland_trip_is_a_leg_in_its_owners_words(read_bytes):
    here = {"type": "Feature", "properties": {"timestamp": END, "device_id": "phone"}}
    trip = {"mode": "tram", "distance": 4200, "start": START, "current_location": here}
    (leg,) = evidence_of(read_bytes(as_json({"locations": [here], "trip": trip})))
    assert (leg.mode, leg.distance_m, leg.device) == ("tram", 4200, "phone")
    assert (leg.start, leg.end) == (START_UTC, END_UTC)


def test_a_stay_of_polarsteps_is_also_a_visit(read_bytes):
    stay = {"lat": 46.16, "lon": -1.15, "time": START, "arrived": START, "departed": END}
    fix, visit = read_bytes(as_json([{**stay, "type": "place_visit"}])).entries
    assert (fix.at, visit.start, visit.end) == (START_UTC, START_UTC, END_UTC)


def test_a_line_of_geojson_takes_the_time_of_each_vertex(read_bytes):
    line = {"type": "LineString", "coordinates": [[-1.15, 46.16], [-1.2, 46.2, 7]]}
    feature = {"type": "Feature", "geometry": line, "properties": {"coordTimes": [START, END]}}
    fixes = list(read_bytes(as_json(feature)).entries)
    assert [(fix.at, fix.lat, fix.altitude_m) for fix in fixes] == [
        (START_UTC, 46.16, None),
        (END_UTC, 46.2, 7),
    ]


def test_a_line_of_geojson_with_too_few_times_has_none(read_bytes):
    line = {"type": "LineString", "coordinates": [[-1.15, 46.16], [-1.2, 46.2]]}
    feature = {"type": "Feature", "geometry": line, "properties": {"coordTimes": [START]}}
    no_time = Rejected(reason=RejectReason.NO_TIME)
    assert list(read_bytes(as_json({"features": [feature]})).entries) == [no_time, no_time]


def test_a_velocity_beside_an_owntracks_time_is_in_km_per_hour(read_bytes):
    point = {"type": "Point", "coordinates": [-1.15, 46.16]}
    properties = {"tst": START_S, "vel": 36}
    feature = {"type": "Feature", "geometry": point, "properties": properties}
    (fix,) = read_bytes(as_json({"features": [feature]})).entries
    assert fix.speed_mps == 10


UNPLACED = {
    "a visit of an unknown place": ({"placeVisit": {"duration": {}}}, RejectReason.NO_POSITION),
    "a visit without coordinates": (
        {"placeVisit": {"location": {"placeId": "x"}, "duration": {}}},
        RejectReason.NO_POSITION,
    ),
    "a segment without end or place": (
        {"activitySegment": {"distance": 5, "duration": {}}},
        RejectReason.NO_TIME,
    ),
    "neither": ({"somethingElse": {}}, RejectReason.UNREADABLE_ENTRY),
}


@pytest.mark.parametrize(("item", "reason"), UNPLACED.values(), ids=UNPLACED)
def test_an_entry_of_a_semantic_history_that_gives_nothing_is_counted(read_bytes, item, reason):
    content = json.dumps({"timelineObjects": [item]}).encode()
    assert list(read_bytes(content).entries) == [Rejected(reason=reason)]
