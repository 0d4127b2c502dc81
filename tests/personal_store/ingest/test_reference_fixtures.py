"""Files that nobody here wrote: expected values of their authors, and counts of our own.

The expected values of conformance_cases.json are what another program imports. Where they
count a place without a time as a point, ours is a positionfix less and a rejection more: the
sum is theirs.
"""

import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import gpxpy
import pytest

from personal_store.errors import WrongFile
from personal_store.ingest.positionfix import (
    Evidence,
    EvidenceKind,
    Positionfix,
    Rejected,
    RejectReason,
    SourceFormat,
)
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
    "dawarich/google/semantic_history.json": SourceFormat.GOOGLE_SEMANTIC,
    "dawarich/google/edge_cases/semantic_history_with_bom.json": SourceFormat.GOOGLE_SEMANTIC,
    "dawarich/csv/e7_integers.csv": SourceFormat.CSV,
    "dawarich/csv/gpslogger.csv": SourceFormat.CSV,
    "dawarich/csv/nsew_suffixes.csv": SourceFormat.CSV,
    "dawarich/csv/quoted_headers.csv": SourceFormat.CSV,
    "dawarich/csv/semicolon_eu.csv": SourceFormat.CSV,
    "dawarich/csv/unix_timestamps.csv": SourceFormat.CSV,
    "dawarich/geojson/export.json": SourceFormat.GEOJSON,
    "dawarich/geojson/export_same_points.json": SourceFormat.GEOJSON,
    "dawarich/geojson/google_takeout_example.json": SourceFormat.GEOJSON,
    "dawarich/geojson/gpslogger_example.json": SourceFormat.GEOJSON,
    "dawarich/geojson/various_fields.geojson": SourceFormat.GEOJSON,
    "dawarich/kml/extended_data.kml": SourceFormat.KML,
    "dawarich/kml/gx_track.kml": SourceFormat.KML,
    "dawarich/kml/invalid_coordinates.kml": SourceFormat.KML,
    "dawarich/kml/large_track.kml": SourceFormat.KML,
    "dawarich/kml/linestring_track.kml": SourceFormat.KML,
    "dawarich/kml/multigeometry.kml": SourceFormat.KML,
    "dawarich/kml/nested_folders.kml": SourceFormat.KML,
    "dawarich/kml/points_with_timestamps.kml": SourceFormat.KML,
    "dawarich/kml/points_with_timestamps.kmz": SourceFormat.ZIP,
    "dawarich/kml/timespan.kml": SourceFormat.KML,
    "dawarich/overland/geodata.json": SourceFormat.OVERLAND,
    "dawarich/points/geojson_example.json": SourceFormat.OVERLAND,
    "dawarich/polarsteps/locations.json": SourceFormat.POLARSTEPS,
    "dawarich/polarsteps/segments.json": SourceFormat.POLARSTEPS,
    "dawarich/tcx/no_gps.tcx": SourceFormat.TCX,
    "dawarich/tcx/running.tcx": SourceFormat.TCX,
}
MONTHS = "dawarich/google/location-history/"
GPX_FILES = [name for name, source in FORMATS.items() if source is SourceFormat.GPX]
LOGS = [name for name, source in FORMATS.items() if source is SourceFormat.OWNTRACKS_REC]


@pytest.mark.parametrize(("name", "source"), FORMATS.items(), ids=FORMATS)
def test_each_history_is_known_for_what_it_is(fixtures, now, name, source):
    assert read_file(fixtures / name, now=now).format is source


OTHERS = {
    "conformance_cases.json": "fichier JSON d’une autre sorte",
    "cozy/geojson-01.js": "texte d’une autre sorte",
    "dawarich/google/edge_cases/device_settings.json": "fichier des réglages (Settings.json)",
    "dawarich/google/edge_cases/timeline_edits.json": "liste des corrections (Timeline Edits.json)",
    "dawarich/unknown/archive_contents.html": "page web",
    "dawarich/unknown/encrypted_timeline_placeholder.txt": "historique Google chiffré",
}


@pytest.mark.parametrize(("name", "reason"), OTHERS.items(), ids=OTHERS)
def test_each_file_that_is_no_history_is_refused_for_what_it_is(fixtures, now, name, reason):
    with pytest.raises(WrongFile) as refused:
        read_file(fixtures / name, now=now)
    assert reason in refused.value.fr


def test_every_file_of_the_folders_is_read_or_refused_above(fixtures):
    found = {str(path.relative_to(fixtures)) for path in fixtures.rglob("*") if path.is_file()}
    months = {name for name in found if name.startswith(MONTHS)}
    assert len(months) == 14
    assert found - months == FORMATS.keys() | OTHERS.keys()


@pytest.fixture
def cozy_day(fixtures, now, tmp_path):
    """Return the entries of Cozy's sample, which is a script: its object written as JSON."""
    script = (fixtures / "cozy/geojson-01.js").read_text()
    times = dict(re.findall(r"const (\w+) = '([^']+)'", script))
    body = script[script.index("return {") + len("return ") :]
    body = body[: body.rindex("}", 0, body.index("\n}\n")) + 1]
    body = re.sub(r"dates\.(\w+)", lambda found: f"'{times[found[1]]}'", body)
    body = re.sub(r"^(\s*)([$\w]+):", r'\1"\2":', body, flags=re.MULTILINE)
    file = tmp_path / "cozy.json"
    file.write_text(re.sub(r"'([^'\n]*)'", lambda found: json.dumps(found[1]), body))
    parsed = read_file(file, now=now)
    assert parsed.format is SourceFormat.COZY
    return json.loads(file.read_text()), list(parsed.entries)


def test_a_plain_reading_finds_the_same_vertices_in_the_sample_of_cozy(cozy_day):
    document, read = cozy_day
    theirs = [
        (datetime.fromtimestamp(at_ms / 1000, UTC), *vertex)
        for trip in document["series"]
        for feature in trip["features"]
        for section in feature.get("features", [])
        for at_ms, vertex in zip(
            section["properties"]["timestamps"], section["geometry"]["coordinates"], strict=False
        )
    ]
    fixes = [each for each in read if isinstance(each, Positionfix)]
    assert len(theirs) > 20
    assert [(fix.at, fix.lon, fix.lat) for fix in fixes] == theirs
    assert {fix.device for fix in fixes} == {"test"}


def test_each_section_of_the_sample_of_cozy_is_a_leg_with_its_mode_and_distance(cozy_day):
    document, read = cozy_day
    sections = [
        section["properties"]
        for trip in document["series"]
        for feature in trip["features"]
        for section in feature.get("features", [])
    ]
    legs = [each for each in read if isinstance(each, Evidence) and each.kind is EvidenceKind.LEG]
    assert [(leg.mode, leg.distance_m) for leg in legs] == [
        (section.get("manual_mode") or section["sensed_mode"], section["distance"])
        for section in sections
    ]


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
    times = [
        at
        for at, _, _ in unique("dawarich/google/edge_cases/phone_takeout_array_timeline_path.json")
    ]
    assert [(at.hour, at.minute) for at in times] == [(13, 1), (13, 5), (16, 10)]


def test_every_month_of_one_segment_is_a_semantic_history(fixtures, now):
    names = sorted((fixtures / MONTHS).iterdir())
    assert {read_file(name, now=now).format for name in names} == {SourceFormat.GOOGLE_SEMANTIC}


NO_POINTS = [
    "google/location-history/with_activitySegment_without_startLocation_without_waypointPath.json",
    "google/location-history/with_placeVisit_without_location_with_coordinates.json",
]


@pytest.mark.parametrize("name", NO_POINTS)
def test_a_month_without_positions_has_the_expected_none(unique, expected, name):
    assert len(unique(f"dawarich/{name}")) == expected[name]["points"]


def test_each_start_of_a_month_is_at_its_time_however_it_is_written(fixtures, unique):
    for path in sorted((fixtures / MONTHS).iterdir()):
        (item,) = json.loads(path.read_text())["timelineObjects"]
        segment = item.get("activitySegment") or item.get("placeVisit")
        place = segment.get("startLocation") or segment.get("location") or {}
        seen = unique(f"{MONTHS}{path.name}")
        assert [lat for _, lat, _ in seen] == [
            place["latitudeE7"] / 1e7 for _ in [0] if "latitudeE7" in place
        ]
        # By eye: all were made on the evening of 24 March 2025.
        assert {at.date().isoformat() for at, _, _ in seen} <= {"2025-03-24"}


def test_an_old_month_says_how_each_leg_was_travelled(entries):
    legs = entries("dawarich/google/semantic_history.json")
    assert [leg.mode for leg in legs] == ["WALK", "DRIVE", "WALK"]
    assert [leg.distance_m for leg in legs] == [209.65263509609417, 3853, 413]


def test_three_csv_rows_say_the_same_in_five_spellings(entries):
    spellings = ["e7_integers", "gpslogger", "nsew_suffixes", "semicolon_eu"]
    seen = {
        tuple((fix.at, fix.lat, fix.lon, fix.speed_mps) for fix in entries(f"dawarich/csv/{n}.csv"))
        for n in spellings
    }
    (rows,) = seen
    assert [(lat, lon, speed) for _, lat, lon, speed in rows] == [
        (52.52, 13.405, 1.5),
        (52.521, 13.406, 1.6),
        (52.522, 13.407, 1.4),
    ]
    assert [at.isoformat()[11:19] for at, *_ in rows] == ["10:30:00", "10:31:00", "10:32:00"]


def test_three_geojson_spellings_give_speed_and_accuracy(entries):
    fixes = entries("dawarich/geojson/various_fields.geojson")
    assert [round(fix.speed_mps, 6) for fix in fixes] == [1.5, 1.5, 1.8]
    assert [fix.accuracy_m for fix in fixes] == [8, None, 5]
    assert [fix.device for fix in fixes] == ["T1", "phone1", "phone1"]


@pytest.mark.parametrize("name", ["export.json", "export_same_points.json"])
def test_a_plain_reading_finds_the_same_exported_points(fixtures, unique, name):
    features = json.loads((fixtures / "dawarich/geojson" / name).read_text())["features"]
    theirs = {
        (
            datetime.fromtimestamp(feature["properties"]["timestamp"], UTC),
            float(feature["geometry"]["coordinates"][1]),
            float(feature["geometry"]["coordinates"][0]),
        )
        for feature in features
    }
    assert unique(f"dawarich/geojson/{name}") == sorted(theirs)


def test_an_archive_of_kml_gives_what_the_kml_gives(unique):
    folder = "dawarich/kml/points_with_timestamps"
    assert unique(f"{folder}.kmz") == unique(f"{folder}.kml")


def test_a_line_under_one_time_has_no_time_for_its_vertices(rejected):
    assert rejected("dawarich/kml/large_track.kml") == {RejectReason.NO_TIME: 20}


def test_an_indoor_run_has_a_leg_and_no_position(entries):
    (leg,) = entries("dawarich/tcx/no_gps.tcx")
    assert (leg.mode, (leg.end - leg.start).total_seconds()) == ("Running", 5)
