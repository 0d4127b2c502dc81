"""Files that nobody here wrote: expected values of their authors, and counts of our own.

The expected values of conformance_cases.json are what another program imports. Where they
count a place without a time as a point, ours is a positionfix less and a rejection more: the
sum is theirs.
"""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import gpxpy
import pytest

from personal_store.errors import WrongFile
from personal_store.ingest.positionfix import Positionfix, Rejected, RejectReason, SourceFormat
from personal_store.ingest.read import read_file


@pytest.fixture(scope="session")
def fixtures(reference: Path) -> Path:
    return reference / "fixtures"


@pytest.fixture(scope="session")
def expected(fixtures: Path) -> dict[str, dict[str, object]]:
    return json.loads((fixtures / "conformance_cases.json").read_text())["dawarich_expected"]


@pytest.fixture
def entries(fixtures: Path, now: datetime):
    def read(name: str) -> list[Positionfix | Rejected]:
        return list(read_file(fixtures / name, now=now).entries)

    return read


@pytest.fixture
def unique(entries):
    """Return a function that gives the distinct positions of a file, in time order."""

    def read(name: str) -> list[tuple[datetime, float, float]]:
        fixes = [entry for entry in entries(name) if isinstance(entry, Positionfix)]
        return sorted({(fix.at, fix.lat, fix.lon) for fix in fixes})

    return read


@pytest.fixture
def rejected(entries):
    def count(name: str) -> Counter[RejectReason]:
        return Counter(each.reason for each in entries(name) if isinstance(each, Rejected))

    return count


FORMATS = {
    "dawarich/gpx/arc_example.gpx": SourceFormat.GPX,
    "dawarich/gpx/garmin_example.gpx": SourceFormat.GPX,
    "dawarich/gpx/gpx_track_multiple_segments.gpx": SourceFormat.GPX,
    "dawarich/gpx/gpx_track_multiple_tracks.gpx": SourceFormat.GPX,
    "dawarich/gpx/gpx_track_single_segment.gpx": SourceFormat.GPX,
    "dawarich/owntracks/2023-02_old.rec": SourceFormat.OWNTRACKS_REC,
    "dawarich/owntracks/2024-03.rec": SourceFormat.OWNTRACKS_REC,
    "owntracks/demo-iphone.rec": SourceFormat.OWNTRACKS_REC,
    "dawarich/google/records.json": SourceFormat.GOOGLE_RECORDS,
    "dawarich/google/phone-takeout_w_3_duplicates.json": SourceFormat.GOOGLE_TIMELINE_ANDROID,
    "dawarich/google/timeline_new_format.json": SourceFormat.GOOGLE_TIMELINE_ANDROID,
    "dawarich/google/location-history.json": SourceFormat.GOOGLE_TIMELINE_IOS,
    "dawarich/google/edge_cases/phone_takeout_array_timeline_path.json": (
        SourceFormat.GOOGLE_TIMELINE_IOS
    ),
}
GPX_FILES = [name for name, source in FORMATS.items() if source is SourceFormat.GPX]
LOGS = [name for name, source in FORMATS.items() if source is SourceFormat.OWNTRACKS_REC]


@pytest.mark.parametrize(("name", "source"), FORMATS.items(), ids=FORMATS)
def test_each_history_is_known_for_what_it_is(fixtures, now, name, source):
    assert read_file(fixtures / name, now=now).format is source


def test_every_other_file_is_refused_with_a_reason(fixtures, now):
    # Files of formats that are read one day move from here to the table above.
    others = {
        str(path.relative_to(fixtures))
        for path in fixtures.rglob("*")
        if path.is_file() and str(path.relative_to(fixtures)) not in FORMATS
    }
    refused = set()
    for name in others:
        with pytest.raises(WrongFile):
            read_file(fixtures / name, now=now)
        refused.add(name)
    assert refused == others


@pytest.mark.parametrize("name", GPX_FILES)
def test_gpxpy_finds_the_same_points_in_a_gpx_file(fixtures, unique, name):
    tracks = gpxpy.parse((fixtures / name).read_text().lstrip()).tracks
    theirs = {
        (point.time.astimezone(UTC), point.latitude, point.longitude)
        for track in tracks
        for segment in track.segments
        for point in segment.points
    }
    assert unique(name) == sorted(theirs)


@pytest.mark.parametrize("name", LOGS)
def test_a_plain_reading_finds_the_same_positions_in_a_log(fixtures, unique, name):
    theirs = set()
    for line in (fixtures / name).read_text().splitlines():
        _, kind, body = line.split(maxsplit=2)
        message = json.loads(body)
        if kind == "*" and message["_type"] in {"location", "transition"}:
            at = datetime.fromtimestamp(message["tst"], UTC)
            theirs.add((at, message["lat"], message["lon"]))
    assert unique(name) == sorted(theirs)


@pytest.mark.parametrize("name", ["owntracks/2024-03.rec", "owntracks/2023-02_old.rec"])
def test_a_log_has_as_many_positions_as_its_users_expect(unique, expected, name):
    assert len(unique(f"dawarich/{name}")) == expected[name]["points"]


def test_the_first_speed_of_a_log_is_the_expected_one(entries, expected):
    first = entries("dawarich/owntracks/2024-03.rec")[0]
    # Theirs is rounded to one decimal.
    assert round(first.speed_mps, 1) == expected["owntracks/2024-03.rec"]["first_speed_mps"]


def test_a_plain_reading_finds_the_same_records(fixtures, unique):
    name = "dawarich/google/records.json"
    theirs = [
        (
            datetime.fromisoformat(record["timestamp"]),
            record["latitudeE7"] / 1e7,
            record["longitudeE7"] / 1e7,
        )
        for record in json.loads((fixtures / name).read_text())["locations"]
    ]
    assert unique(name) == sorted(theirs)


def test_an_ios_timeline_has_as_many_positions_as_its_users_expect(unique, expected):
    theirs = expected["google/location-history.json"]["unique_points"]
    assert len(unique("dawarich/google/location-history.json")) == theirs


@pytest.mark.parametrize(("place", "key"), [(6, "point7"), (7, "point8")])
def test_the_last_points_of_an_ios_timeline_are_the_expected_ones(unique, expected, place, key):
    at, lat, lon = unique("dawarich/google/location-history.json")[place]
    assert [lat, lon, at.timestamp()] == expected["google/location-history.json"][key]


def test_an_android_timeline_has_the_expected_points_less_the_places_without_time(
    unique, rejected, expected
):
    name = "google/phone-takeout_w_3_duplicates.json"
    refused = rejected(f"dawarich/{name}")
    assert set(refused) == {RejectReason.NO_TIME}
    assert len(unique(f"dawarich/{name}")) + refused.total() == expected[name]["unique_points"]


def test_places_without_time_are_the_only_rejections_of_a_new_timeline(fixtures, rejected):
    name = "dawarich/google/timeline_new_format.json"
    document = json.loads((fixtures / name).read_text())
    places = len(document["userLocationProfile"]["frequentPlaces"])
    assert rejected(name) == {RejectReason.NO_TIME: places}


def test_every_coordinate_of_a_new_timeline_that_has_a_time_is_read(unique):
    # By eye: one visit, two ends of an activity, two points of a path, one raw position.
    assert len(unique("dawarich/google/timeline_new_format.json")) == 6


def test_the_windows_of_an_ios_path_follow_their_own_starts(unique):
    times = [at for at, _, _ in unique(list(FORMATS)[-1])]
    assert [(at.hour, at.minute) for at in times] == [(13, 1), (13, 5), (16, 10)]
