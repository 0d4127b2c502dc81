import json
import subprocess
import sys
from datetime import UTC, date, datetime
from itertools import pairwise

import gpxpy
import pytest
from week import parse_week, week_files

MONDAY_UTC = datetime(2026, 11, 8, 23, tzinfo=UTC)
NEXT_MONDAY_UTC = datetime(2026, 11, 15, 23, tzinfo=UTC)


@pytest.fixture(scope="module")
def files():
    return week_files("2026-W46", 7)


@pytest.fixture(scope="module")
def truth(files):
    return json.loads(files["truth.json"])


def _gpx_points(files):
    """Return the points of each GPX file, read by a parser that is not ours."""
    return {
        name: [
            point
            for track in gpxpy.parse(content.decode()).tracks
            for segment in track.segments
            for point in segment.points
        ]
        for name, content in files.items()
        if name.endswith(".gpx")
    }


def _signals(files):
    return json.loads(files["Timeline.json"])["rawSignals"]


def _timeline_times(files):
    document = json.loads(files["Timeline.json"])
    for signal in document["rawSignals"]:
        record = signal.get("position") or signal["activityRecord"]
        yield datetime.fromisoformat(record["timestamp"])
    for segment in document["semanticSegments"]:
        yield datetime.fromisoformat(segment["startTime"])
        yield datetime.fromisoformat(segment["endTime"])
        yield from (datetime.fromisoformat(p["time"]) for p in segment.get("timelinePath", ()))


def _owntracks(files):
    lines = files["owntracks-phone-b.rec"].decode().splitlines()
    return [json.loads(line.split("\t")[2]) for line in lines]


def _all_times(files):
    yield from (point.time for points in _gpx_points(files).values() for point in points)
    yield from _timeline_times(files)
    yield from (datetime.fromtimestamp(message["tst"], UTC) for message in _owntracks(files))


def _at(text):
    return datetime.fromisoformat(text)


def _legs(truth, recorder):
    return [leg for trip in truth["trips"] if trip["recorder"] == recorder for leg in trip["legs"]]


def test_the_week_is_three_kinds_of_export_and_its_truth(files):
    assert sorted(files) == [
        "Timeline.json",
        "owntracks-phone-b.rec",
        "phone-a-2026-11-09.gpx",
        "phone-a-2026-11-12.gpx",
        "phone-a-2026-11-13.gpx",
        "phone-a-2026-11-15.gpx",
        "truth.json",
    ]


def test_every_day_is_told_by_one_export_only(truth):
    assert [day["date"] for day in truth["days"]] == [f"2026-11-{day:02}" for day in range(9, 16)]
    assert len({day["file"] for day in truth["days"]}) == 6


def test_the_whole_week_weighs_less_than_three_megabytes(files):
    assert sum(map(len, files.values())) < 3_000_000


@pytest.mark.parametrize(
    ("week", "seed", "start", "end"),
    [
        ("2026-W46", 7, MONDAY_UTC, NEXT_MONDAY_UTC),
        ("2026-W46", 1, MONDAY_UTC, NEXT_MONDAY_UTC),
        # summer time ends on the Sunday of W43 and begins on that of W13
        (
            "2026-W43",
            2,
            datetime(2026, 10, 18, 22, tzinfo=UTC),
            datetime(2026, 10, 25, 23, tzinfo=UTC),
        ),
        (
            "2026-W13",
            3,
            datetime(2026, 3, 22, 23, tzinfo=UTC),
            datetime(2026, 3, 29, 22, tzinfo=UTC),
        ),
    ],
)
def test_every_recorded_position_falls_inside_the_week(week, seed, start, end):
    assert all(start <= at < end for at in _all_times(week_files(week, seed)))


def test_every_recorded_position_lies_around_la_rochelle(files):
    places = [(p.longitude, p.latitude) for ps in _gpx_points(files).values() for p in ps]
    places += [(message["lon"], message["lat"]) for message in _owntracks(files)]
    for signal in _signals(files):
        if "position" in signal:
            lat, lon = signal["position"]["LatLng"].replace("°", "").split(", ")
            places.append((float(lon), float(lat)))
    assert all(-1.30 < lon < -0.94 and 45.92 < lat < 46.21 for lon, lat in places)


def test_times_increase_within_each_gpx_file(files):
    for points in _gpx_points(files).values():
        assert all(a.time < b.time for a, b in pairwise(points))


@pytest.mark.parametrize("mode", ["walk", "bike", "bus", "car", "train_ter"])
def test_the_logger_records_every_1_to_5_seconds_on_the_way(files, truth, mode):
    times = sorted(point.time for points in _gpx_points(files).values() for point in points)
    steps = [
        (b - a).total_seconds()
        for leg in _legs(truth, "gpx")
        if leg["mode"] == mode
        for a, b in pairwise([at for at in times if _at(leg["start"]) < at <= _at(leg["end"])])
    ]
    regular = sum(1 <= step <= 5 for step in steps) / len(steps)
    assert regular > 0.94
    assert any(step > 5 for step in steps)


def test_the_logger_is_sparse_at_rest(files, truth):
    monday = _gpx_points(files)["phone-a-2026-11-09.gpx"]
    morning = _at(truth["trips"][0]["start"])
    night = [point.time for point in monday if point.time < morning]
    steps = [(b - a).total_seconds() for a, b in pairwise(night)]
    assert min(steps) >= 300
    assert max(steps) <= 7_200


def test_the_logger_sleeps_for_an_hour_or_more_now_and_then(files):
    steps = [
        (b.time - a.time).total_seconds()
        for points in _gpx_points(files).values()
        for a, b in pairwise(points)
    ]
    assert any(3_600 <= step <= 7_200 for step in steps)


def test_the_logger_loses_reception_for_a_while_now_and_then(files, truth):
    times = sorted(point.time for points in _gpx_points(files).values() for point in points)
    unheard = {spell["mode"] for spell in truth["unheard"]}
    lost = [
        (b - a).total_seconds()
        for leg in _legs(truth, "gpx")
        if leg["mode"] not in unheard
        for a, b in pairwise([at for at in times if _at(leg["start"]) < at <= _at(leg["end"])])
        if (b - a).total_seconds() > 14
    ]
    assert 2 <= len(lost) <= 40
    assert max(lost) < 120


def test_nothing_is_heard_where_reception_fails(files, truth):
    times = [point.time for points in _gpx_points(files).values() for point in points]
    assert {spell["mode"] for spell in truth["unheard"]} == {"train_ter", "car"}
    for spell in truth["unheard"]:
        start, end = _at(spell["start"]), _at(spell["end"])
        assert (end - start).total_seconds() > 100
        assert not any(start <= at < end for at in times)


def test_the_timeline_is_sparse(files):
    times = [_at(s["position"]["timestamp"]) for s in _signals(files) if "position" in s]
    assert len({at.date() for at in times}) == 2
    assert min((b - a).total_seconds() for a, b in pairwise(times)) > 1
    assert 60 < len(times) < 400


def test_the_timeline_knows_its_visits_activities_and_paths(files):
    segments = json.loads(files["Timeline.json"])["semanticSegments"]
    kinds = [next(k for k in ("visit", "activity", "timelinePath") if k in s) for s in segments]
    assert kinds.count("visit") >= 8
    assert kinds.count("activity") == kinds.count("timelinePath") >= 7
    assert {s["activity"]["topCandidate"]["type"] for s in segments if "activity" in s} == {
        "WALKING",
        "CYCLING",
        "IN_PASSENGER_VEHICLE",
    }


def test_timeline_segments_do_not_run_backwards(files):
    for segment in json.loads(files["Timeline.json"])["semanticSegments"]:
        assert _at(segment["startTime"]) <= _at(segment["endTime"])


def test_owntracks_positions_on_the_way_are_five_minutes_apart_or_at_home(files, truth):
    legs = _legs(truth, "owntracks-rec")
    locations = [m["tst"] for m in _owntracks(files) if m["_type"] == "location"]
    for leg in legs:
        inside = [
            t for t in locations if _at(leg["start"]).timestamp() < t < _at(leg["end"]).timestamp()
        ]
        assert len(inside) <= 2 + (_at(leg["end"]) - _at(leg["start"])).total_seconds() / 300


def test_owntracks_tells_when_home_is_left_and_entered(files):
    events = [m["event"] for m in _owntracks(files) if m["_type"] == "transition"]
    assert events == ["leave", "enter", "leave", "enter"]


def test_every_position_states_its_accuracy(files):
    points = [p for points in _gpx_points(files).values() for p in points]
    assert all(0.5 < point.horizontal_dilution < 60 for point in points)
    assert all(3 <= message["acc"] <= 300 for message in _owntracks(files))


def test_the_week_travels_by_five_modes_in_plausible_amounts(truth):
    km = truth["kilometres"]
    assert set(km) == {"walk", "bike", "bus", "car", "train_ter"}
    assert 10 < km["walk"] < 25
    assert 15 < km["bike"] < 40
    assert 8 < km["bus"] < 20
    assert 40 < km["car"] < 80
    assert 50 < km["train_ter"] < 60


def test_trips_and_legs_are_in_order_and_add_up(truth):
    for trip in truth["trips"]:
        assert trip["start"] == trip["legs"][0]["start"]
        assert trip["end"] == trip["legs"][-1]["end"]
        assert all(a["end"] <= b["start"] for a, b in pairwise(trip["legs"]))
        assert abs(trip["distance_m"] - sum(leg["distance_m"] for leg in trip["legs"])) < 1
    assert all(a["end"] < b["start"] for a, b in pairwise(truth["trips"]))


def test_the_same_arguments_give_the_same_bytes(files):
    assert week_files("2026-W46", 7) == files


def test_another_seed_gives_another_week(files):
    assert week_files("2026-W46", 8)["phone-a-2026-11-09.gpx"] != files["phone-a-2026-11-09.gpx"]


def test_an_iso_week_begins_on_its_monday():
    assert parse_week("2026-W46") == date(2026, 11, 9)


@pytest.mark.parametrize("text", ["2026-46", "2026-W54", "2026-W46 ", "W46", "２０２６-W46", ""])
def test_what_is_no_iso_week_is_refused(text):
    with pytest.raises(ValueError, match=r"expected an ISO week|week"):
        parse_week(text)


def test_the_script_writes_the_files(files, tmp_path, repository):
    script = [sys.executable, str(repository / "demo" / "week.py")]
    options = ["--week", "2026-W46", "--seed", "7", str(tmp_path / "new")]
    subprocess.run([*script, *options], check=True, capture_output=True)
    assert {p.name: p.read_bytes() for p in (tmp_path / "new").iterdir()} == files


def test_the_script_says_what_a_week_looks_like(tmp_path, repository):
    script = [sys.executable, str(repository / "demo" / "week.py"), "--week", "soon", str(tmp_path)]
    run = subprocess.run(script, check=False, capture_output=True, text=True)
    assert run.returncode == 2
    assert "expected an ISO week like 2026-W46" in run.stderr
    assert not list(tmp_path.iterdir())
