"""The published cases of other programs, each through the door that its own client uses."""

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from carbon.factors import load_factor_set
from carbon.footprint import LegActivity, total_footprint
from carbon.modes import TransportMode
from personal_store.db import positionfixes
from personal_store.db.connection import reading
from personal_store.doors import devices
from personal_store.ingest.live import owntracks

HERE = Path(__file__).parent
FILES = "../ingest/test_reference_fixtures.py"

CASES = {
    "owntracks_encrypted": {
        "test_conformance_cases.py": (
            "test_the_secret_box_of_another_program_opens_to_its_plaintext",
        ),
        "../ingest/test_letters.py": ("test_the_reference_secret_box_opens",),
    },
    "owntracks_http": {
        "test_conformance_cases.py": (
            "test_an_owntracks_request_is_answered_as_its_client_expects",
            "test_an_owntracks_message_without_a_body_is_ignored",
            "test_an_owntracks_message_without_a_place_is_acknowledged",
        )
    },
    "overland_ok_body": {
        "test_conformance_cases.py": ("test_an_overland_batch_is_answered_with_the_expected_body",)
    },
    "traccar_osmand_queries": {
        "test_conformance_cases.py": (
            "test_each_traccar_request_gives_the_position_that_it_states",
        )
    },
    "traccar_osmand_reject": {
        "test_conformance_cases.py": ("test_a_traccar_request_without_identifier_is_refused",)
    },
    "dawarich_expected/google/location-history.json": {
        FILES: (
            "test_an_ios_timeline_has_as_many_positions_as_its_users_expect",
            "test_the_last_points_of_an_ios_timeline_are_the_expected_ones",
        )
    },
    "dawarich_expected/google/phone-takeout_w_3_duplicates.json": {
        FILES: ("test_an_android_timeline_has_the_expected_points_less_the_places_without_time",)
    },
    "dawarich_expected/owntracks/2024-03.rec": {
        FILES: (
            "test_a_log_has_as_many_positions_as_its_users_expect",
            "test_the_first_speed_of_a_log_is_the_expected_one",
        )
    },
    "dawarich_expected/owntracks/2023-02_old.rec": {
        FILES: ("test_a_log_has_as_many_positions_as_its_users_expect",)
    },
    **{
        f"dawarich_expected/google/location-history/{name}.json": {
            FILES: ("test_a_month_without_positions_has_the_expected_none",)
        }
        for name in (
            "with_activitySegment_without_startLocation_without_waypointPath",
            "with_placeVisit_without_location_with_coordinates",
        )
    },
    "coachco2_calories": {
        "test_conformance_cases.py": ("test_the_walk_of_another_program_weighs_what_it_says",)
    },
}
"""Each case of conformance_cases.json, and the tests that would fail if it broke."""


@pytest.fixture(scope="module")
def cases(reference):
    return json.loads((reference / "fixtures" / "conformance_cases.json").read_text())


@pytest.fixture
def made(joined):
    return devices.add(joined, "telephone")


@pytest.fixture
def as_owntracks(cases, made):
    credentials = base64.b64encode(f"jjolie:{made.token}".encode()).decode()
    return cases["owntracks_http"]["headers"] | {"Authorization": f"Basic {credentials}"}


def kept(store):
    with reading(store.engine) as connection:
        return positionfixes.of_device(connection, "telephone")


def test_every_published_case_has_its_tests(cases):
    published = set(cases) - {"note", "dawarich_expected"}
    published |= {f"dawarich_expected/{name}" for name in cases["dawarich_expected"]}
    assert set(CASES) == published
    for tests in CASES.values():
        for file, names in tests.items():
            there = set(re.findall(r"^def (test_\w+)", (HERE / file).read_text(), re.MULTILINE))
            assert set(names) <= there


def test_the_secret_box_of_another_program_opens_to_its_plaintext(cases):
    case = cases["owntracks_encrypted"]
    opened = owntracks._opened(case["payload"]["data"], case["secret"])
    assert json.loads(opened) == case["plaintext"]


def test_an_owntracks_request_is_answered_as_its_client_expects(
    cases, stranger, joined, as_owntracks
):
    case = cases["owntracks_http"]
    message = {"_type": "location", "lat": 46.16, "lon": -1.15, "tst": 1_762_671_600}
    answer = stranger.request(case["method"], "/pub", json=message, headers=as_owntracks)
    assert (answer.status_code, answer.json()) == (case["ok_status"], case["ok_body"])
    assert len(kept(joined)) == 1


def test_an_owntracks_message_without_a_body_is_ignored(cases, stranger, joined, as_owntracks):
    answer = stranger.post("/pub", content=b"", headers=as_owntracks)
    said = f"ignore, {answer.status_code} {json.dumps(answer.json())}"
    assert said == cases["owntracks_http"]["zero_length_body"]
    assert kept(joined) == []


@pytest.mark.parametrize("kind", ["lwt", "waypoints", "card", "cmd", "steps", "of-tomorrow"])
def test_an_owntracks_message_without_a_place_is_acknowledged(
    cases, stranger, joined, as_owntracks, kind
):
    message = {"_type": kind, "tst": 1_762_671_600, "lat": 46.16, "lon": -1.15}
    answer = stranger.post("/pub", json=message, headers=as_owntracks)
    said = f"{answer.status_code} {json.dumps(answer.json())}"
    assert said == cases["owntracks_http"]["non_location_types"]
    assert kept(joined) == []


def test_an_overland_batch_is_answered_with_the_expected_body(
    cases, reference, stranger, joined, made
):
    batch = (reference / "fixtures/dawarich/overland/geodata.json").read_bytes()
    headers = {"Authorization": f"Bearer {made.token}"}
    answer = stranger.post("/overland", content=batch, headers=headers)
    assert (answer.status_code, answer.json()) == (200, cases["overland_ok_body"])
    theirs = json.loads(batch)["locations"]
    assert len(kept(joined)) == len([each for each in theirs if "geometry" in each])


KNOTS_MPS = 1852 / 3600
STATED = [  # by eye: time, lat, lon, metres a second
    ("2016-01-27T18:55:47+00:00", 42.06288, -88.23412, 0),
    ("2015-09-12T14:38:06.579000+00:00", 42.06288, -88.23412, 0),
    ("2014-06-04T09:10:11+00:00", 49.60688, 6.15788, 0),
    ("2013-08-22T13:14:27+00:00", 60, 30, None),
    (None, 60, 30, 0),  # without a time: when it came
    ("2013-08-22T13:14:27+00:00", 60, 30, None),
    ("2017-09-07T05:56:50+00:00", 40.7232948571, -74.0061408571, 40 * KNOTS_MPS),
]


@pytest.mark.parametrize("index", range(len(STATED)))
def test_each_traccar_request_gives_the_position_that_it_states(
    cases, stranger, joined, made, index
):
    assert len(cases["traccar_osmand_queries"]) == len(STATED)
    query = parse_qs(urlsplit(cases["traccar_osmand_queries"][index]).query)
    query["deviceid" if "deviceid" in query else "id"] = [made.token]
    answer = stranger.get(f"/traccar?{urlencode(query, doseq=True)}")
    assert (answer.status_code, answer.content) == (200, b"")
    at, lat, lon, speed_mps = STATED[index]
    expected_at = joined.clock.now() if at is None else datetime.fromisoformat(at).astimezone(UTC)
    (fix,) = kept(joined)
    assert fix.at == expected_at
    assert (fix.lat, fix.lon) == (pytest.approx(lat, abs=1e-7), pytest.approx(lon, abs=1e-7))
    assert fix.speed_mps == (None if speed_mps is None else pytest.approx(speed_mps))


def test_a_traccar_request_without_identifier_is_refused(cases, stranger, joined, made):
    assert made.device == "telephone"
    for address in cases["traccar_osmand_reject"]:
        assert stranger.get(f"/traccar?{urlsplit(address).query}").status_code == 401
    assert kept(joined) == []


def test_the_walk_of_another_program_weighs_what_it_says(cases):
    # Calories are nothing that this project counts.
    case = cases["coachco2_calories"]
    distance_m = case["avg_speed_kmh"] / 3.6 * case["duration_s"]
    walk = LegActivity(
        modes={TransportMode(case["mode"].removesuffix("ING").lower()): 1.0},
        distance_m=distance_m,
        on=datetime(2026, 11, 9, tzinfo=UTC).date(),
    )
    assert total_footprint([walk], load_factor_set()).life_cycle.value == case["kg_co2"]
