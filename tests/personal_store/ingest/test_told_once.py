"""What an already segmented source says of a way stays what it said; none of it becomes points.

One row for each source: a way of half an hour that states all that its format can state, and no
position of its own.
"""

import csv
import io
import json

import pytest

from personal_store.ingest.positionfix import Evidence, EvidenceKind, SourceFormat

START, END = "2024-04-21T09:00:00+00:00", "2024-04-21T09:30:00+00:00"
START_S, END_S = 1713690000, 1713691800


def as_json(document: object) -> bytes:
    return json.dumps(document).encode()


def table(**row: object) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, row, delimiter=";", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerow(row)
    return text.getvalue().encode()


SEMANTIC = {
    "timelineObjects": [
        {
            "activitySegment": {
                "duration": {"startTimestamp": START, "endTimestamp": END},
                "distance": 4200,
                "activityType": "IN_TRAM",
                "waypointPath": {"waypoints": [{"latE7": 461600000, "lngE7": -11500000}] * 5},
            }
        }
    ]
}
ANDROID = {
    "semanticSegments": [
        {
            "startTime": START,
            "endTime": END,
            "activity": {
                "distanceMeters": 4200.0,
                "topCandidate": {"type": "IN_TRAM", "probability": 0.8},
            },
        }
    ]
}
IOS = [
    {
        "startTime": START,
        "endTime": END,
        "activity": {
            "distanceMeters": "4200.0",
            "topCandidate": {"type": "in tram", "probability": "0.8"},
        },
    }
]
SECTION = {"start_ts": START_S, "end_ts": END_S, "distance": 4200}
COZY_SECTION = {
    "properties": SECTION | {"sensed_mode": "TRAM"},
    "geometry": {"type": "LineString", "coordinates": []},
}
COZY = {
    "captureDevice": "phone",
    "series": [{"features": [{"features": [COZY_SECTION]}]}],
}
E_MISSION = [
    {
        "metadata": {"key": "analysis/inferred_section", "platform": "ios"},
        "data": SECTION | {"sensed_mode": 5},
    }
]
JOURNEY = {
    "operator_journey_id": "17",
    "start": {"datetime": START, "lat": 46.16, "lon": -1.15},
    "end": {"datetime": END, "lat": 45.94, "lon": -0.96},
    "distance": 4200,
    "passenger": {"seats": 2},
}
REGISTER = table(
    journey_id="17",
    trip_id="a",
    journey_start_datetime=START,
    journey_end_datetime=END,
    journey_start_lon="-1.15",
    journey_start_lat="46.16",
    journey_end_lon="-0.96",
    journey_end_lat="45.94",
    journey_distance="4200",
    passenger_seats="2",
)
TAP = table(tap_at=START, event="board", mode="tram", stop_lat="46.16", stop_lon="-1.15", card="c")
EVENTS = {"card": "c", "events": [{"EventDateStamp": 9972, "EventTimeStamp": 660, "EventCode": 65}]}

LEG, JOURNEYS, TAPS = EvidenceKind.LEG, EvidenceKind.JOURNEY, EvidenceKind.TAP
SOURCES = {
    # content, kind, device, mode, distance in metres, occupants
    SourceFormat.GOOGLE_SEMANTIC: (
        as_json(SEMANTIC),
        LEG,
        "google-semantic",
        "IN_TRAM",
        4200,
        None,
    ),
    SourceFormat.GOOGLE_TIMELINE_ANDROID: (
        as_json(ANDROID),
        LEG,
        "google-timeline",
        "IN_TRAM",
        4200,
        None,
    ),
    SourceFormat.GOOGLE_TIMELINE_IOS: (as_json(IOS), LEG, "google-timeline", "in tram", 4200, None),
    SourceFormat.COZY: (as_json(COZY), LEG, "phone", "TRAM", 4200, None),
    SourceFormat.E_MISSION: (as_json(E_MISSION), LEG, "e-mission ios", "CAR", 4200, None),
    SourceFormat.CARPOOL_REGISTER: (REGISTER, JOURNEYS, "carpool", "carpool", 4200, 3),
    SourceFormat.CARPOOL_JOURNEYS: (as_json(JOURNEY), JOURNEYS, "carpool", "carpool", 4200, 3),
    SourceFormat.TRANSIT_TAPS: (TAP, TAPS, "c", "tram", None, None),
    SourceFormat.INTERCODE_EVENTS: (as_json(EVENTS), TAPS, "c", "tram", None, None),
}


@pytest.mark.parametrize(("source", "told"), SOURCES.items(), ids=SOURCES)
def test_what_a_segmented_source_told_is_kept_and_is_no_position(read_bytes, source, told):
    content, kind, device, mode, distance_m, occupants = told
    (said,) = read_bytes(content).entries
    assert isinstance(said, Evidence)
    assert (said.source, said.kind, said.device) == (source, kind, device)
    assert (said.mode, said.distance_m, said.occupants) == (mode, distance_m, occupants)
    assert said.start.timestamp() == START_S
    assert said.end.timestamp() == (START_S if kind is TAPS else END_S)
