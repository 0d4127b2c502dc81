"""Stops and lines: known truth on generated towns, and the published files of a real one."""

import json
import zipfile

import numpy as np
import pytest
from generated_town import LAT, LON, Town

from carbon.modes import TransportMode
from personal_store.errors import HostileFile, UnreadableFile, WrongFile
from personal_store.trips import line_files, lines
from personal_store.trips.line_files import merged, read_lines
from personal_store.trips.lines import INCOMPLETE, ROUTE, TRACK, LineIndex, Lines

M = TransportMode
ASKED = (M.CAR, M.BUS, M.TRAM, M.TRAIN, M.TRAIN_TGV, M.FERRY)
SEEDS = range(12)


def odds(index, leg):
    return dict(zip(ASKED, index.log_odds(ASKED, *leg).tolist(), strict=True))


@pytest.fixture
def town(tmp_path):
    made = Town(7)
    return made, read_lines(made.gtfs(tmp_path / "feed.zip"))


def test_a_feed_gives_every_stop_and_route_once(town):
    made, lines = town
    assert len(lines.stop_mode) == sum(len(route) for route in made.routes)
    assert len(lines.routes[M.BUS]) == len({tuple(route) for route in made.routes})


def test_routes_keep_the_order_of_their_stops_whatever_the_order_of_rows(town):
    made, lines = town
    lengths = {len(route) for route in lines.routes[M.BUS]}
    assert lengths == {len(route) for route in made.routes}
    route = lines.routes[M.BUS][0]
    xs = lines.stop_lon[list(route)], lines.stop_lat[list(route)]
    steps = np.hypot(np.diff(xs[0]) * np.cos(np.radians(LAT)), np.diff(xs[1])) * 111_195
    assert steps.max() < 450


def test_shapes_become_tracks(tmp_path):
    made = Town(3)
    lines = read_lines(made.gtfs(tmp_path / "feed.zip", shapes=True))
    assert len(lines.tracks[M.BUS]) == len(made.routes)


@pytest.mark.parametrize(
    ("route_type", "mode"),
    [(0, M.TRAM), (1, M.METRO), (2, M.TRAIN), (3, M.BUS), (4, M.FERRY), (109, M.TRAIN),
     (401, M.METRO), (704, M.BUS), (900, M.TRAM), (1000, M.FERRY)],
)  # fmt: skip
def test_route_types_name_the_mode(tmp_path, route_type, mode):
    lines = read_lines(Town(1).gtfs(tmp_path / "feed.zip", route_type=route_type))
    assert set(lines.stop_mode) == {mode}


def test_most_buses_and_few_cars_match_a_route_on_towns_never_seen(tmp_path):
    """The two shares behind `ROUTE`, with room for chance: 12 towns, 40 legs of each kind."""
    bus, car = [], []
    for seed in SEEDS:
        made = Town(1000 + seed)
        index = LineIndex(read_lines(made.gtfs(tmp_path / f"{seed}.zip")))
        bus += [odds(index, made.bus_leg())[M.BUS] == ROUTE[0] for _ in range(40)]
        car += [odds(index, made.car_leg())[M.BUS] == ROUTE[0] for _ in range(40)]
    assert np.mean(bus) > 0.85
    assert np.mean(car) < 0.10


def test_a_bus_against_its_route_is_no_match(town):
    made, lines = town
    index = LineIndex(lines)
    lon, lat = made.bus_leg()
    assert odds(index, (lon, lat))[M.BUS] == ROUTE[0]
    assert odds(index, (lon[::-1], lat[::-1]))[M.BUS] < 0


def test_far_from_every_stop_the_files_say_nothing(town):
    index = LineIndex(town[1])
    away = odds(index, (np.linspace(5.0, 5.1, 20), np.full(20, 45.0)))
    assert away[M.BUS] == away[M.CAR] == 0.0


def test_modes_that_no_file_speaks_of_are_left_alone(town):
    made, lines = town
    said = odds(LineIndex(lines), made.car_leg())
    assert said[M.TRAM] == said[M.TRAIN] == 0.0


def test_a_ferry_where_no_ferry_is_known_is_unlikely(town):
    made, lines = town
    assert odds(LineIndex(lines), made.car_leg())[M.FERRY] < -2


def railway(tmp_path, mode="train", stops=()):
    line = {"type": "LineString", "coordinates": [[LON + k / 50, LAT] for k in range(20)]}
    features = [
        {"type": "Feature", "geometry": geometry, "properties": {"mode": mode}}
        for geometry in (line, *stops)
    ]
    path = tmp_path / "rail.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_a_leg_along_the_rails_is_rather_a_train(tmp_path):
    index = LineIndex(read_lines(railway(tmp_path)))
    on, off = np.linspace(LON, LON + 0.3, 60), np.full(60, LAT)
    beside = odds(index, (on, off + 0.02))
    along = odds(index, (on, off))
    assert along[M.TRAIN] == along[M.TRAIN_TGV] > 1.5
    assert beside[M.TRAIN] < -1.5


def test_a_late_last_fix_does_not_speak_against_a_ride_along_the_rails(tmp_path):
    stops = [{"type": "Point", "coordinates": [LON + k / 10, LAT]} for k in range(4)]
    path = railway(tmp_path, stops=stops)
    index = LineIndex(read_lines(path))
    whole = np.linspace(LON, LON + 0.3, 60), np.full(60, LAT)
    late = np.linspace(LON + 0.02, LON + 0.28, 60), np.full(60, LAT)
    assert odds(index, whole)[M.TRAIN] > odds(index, late)[M.TRAIN] > 3


def test_the_longer_a_leg_follows_the_rails_the_less_it_is_by_chance(tmp_path):
    index = LineIndex(read_lines(railway(tmp_path)))
    told = [
        odds(index, (np.linspace(LON, LON + width, 60), np.full(60, LAT)))[M.TRAIN]
        for width in (0.01, 0.05, 0.1, 0.3)
    ]
    assert told == sorted(told)
    assert told[0] == TRACK[0] < told[1]


def test_metres_along_the_rails_count_and_not_fixes(tmp_path):
    index = LineIndex(read_lines(railway(tmp_path)))
    under_way = np.linspace(LON, LON + 0.3, 60), np.full(60, LAT)
    at_rest = np.full(500, LON - 0.005), np.full(500, LAT)
    leg = tuple(np.concatenate(pair) for pair in zip(at_rest, under_way, strict=True))
    assert odds(index, leg)[M.TRAIN] > 3


def test_two_bus_stops_are_not_taken_for_the_buses_of_a_town(tmp_path):
    stops = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [LON + k / 100, LAT]}}
        for k in range(2)
    ]
    path = tmp_path / "shuttle.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": stops}))
    index = LineIndex(read_lines(path, mode=M.BUS))
    assert odds(index, (np.linspace(LON, LON + 0.03, 20), np.full(20, LAT + 0.01)))[M.BUS] == 0.0


def test_files_speak_against_no_mode_more_than_they_may_lack_its_line(tmp_path):
    stops = [{"type": "Point", "coordinates": [LON + k / 10, LAT]} for k in range(4)]
    index = LineIndex(read_lines(railway(tmp_path, stops=stops)))
    away = np.linspace(LON, LON + 0.3, 60), np.full(60, LAT + 0.02)
    assert np.log(INCOMPLETE) < odds(index, away)[M.TRAIN] < -1.5


def winding(rng, steps=400):
    """Return a track that turns at every step of about 200 m."""
    heading = np.cumsum(rng.normal(0, 0.4, steps))
    east, north = 0.0026 * np.cos(heading), 0.0018 * np.sin(heading)
    return np.stack((LON + np.cumsum(east), LAT + np.cumsum(north)), axis=1)


def lines_of(tracks, mode):
    nowhere = np.empty(0)
    return Lines(stop_lon=nowhere, stop_lat=nowhere, stop_mode=(), routes={}, tracks={mode: tracks})


@pytest.mark.parametrize("steps", [1, 2, 7, 32, 399])
def test_a_track_says_the_same_in_pieces_and_whole(monkeypatch, steps):
    rng = np.random.default_rng(20261122)
    tracks = [winding(rng) for _ in range(4)]
    found = []
    for pieces_of in (100_000, steps):
        monkeypatch.setattr(lines, "PIECE_STEPS", pieces_of)
        index = LineIndex(lines_of(tracks, M.TRAIN))
        walk = np.random.default_rng(7)
        told = []
        for _ in range(40):
            track = tracks[walk.integers(len(tracks))]
            begin = walk.integers(0, 300)
            part = track[begin : begin + 90] + walk.normal(0, 0.0015, (90, 2))
            told.append(odds(index, (part[:, 0], part[:, 1]))[M.TRAIN])
        found.append(told)
    assert found[0] == found[1]
    assert len(set(found[0])) > 5


def test_one_long_bus_track_is_not_taken_for_the_buses_of_a_town():
    track = winding(np.random.default_rng(3), steps=2000)
    leg = track[500:560, 0], track[500:560, 1]
    assert odds(LineIndex(lines_of([track], M.BUS)), leg)[M.BUS] == 0.0
    assert odds(LineIndex(lines_of([track] * 10, M.BUS)), leg)[M.BUS] > 1.5


def test_files_are_merged_without_mixing_their_stops(tmp_path):
    one, two = Town(21), Town(22)
    files = [read_lines(town.gtfs(tmp_path / f"{k}.zip")) for k, town in enumerate((one, two))]
    both = LineIndex(merged(files))
    for town, alone in zip((one, two), files, strict=True):
        for leg in (town.bus_leg() for _ in range(10)):
            if odds(LineIndex(alone), leg)[M.BUS] == ROUTE[0]:
                assert odds(both, leg)[M.BUS] == ROUTE[0]


def test_a_geojson_without_a_mode_is_refused(tmp_path):
    point = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [LON, LAT]}}
    path = tmp_path / "stops.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [point]}))
    with pytest.raises(WrongFile, match="--mode"):
        read_lines(path)
    assert read_lines(path, mode=M.TRAM).stop_mode == (M.TRAM,)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[1]", b'{"features": [1]}', b"PK\x03\x04broken", b"\xff\xfe\x00",
     b'[{"Longitude": 999, "Latitude": 1}]', b'{"features": [{"properties": {"mode": "ufo"}}]}'],
)  # fmt: skip
def test_damaged_files_are_refused_in_words(tmp_path, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises((UnreadableFile, WrongFile)):
        read_lines(path, mode=M.BUS if content.startswith(b"[") else None)


def test_a_feed_without_its_tables_is_refused(tmp_path):
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(UnreadableFile):
        read_lines(path)


def test_a_table_larger_than_any_feed_is_refused(tmp_path, monkeypatch):
    path = Town(5).gtfs(tmp_path / "feed.zip")
    monkeypatch.setattr(line_files, "MEMBER_BYTES", 100)
    with pytest.raises(HostileFile):
        read_lines(path)


def test_the_feed_of_perigueux_knows_its_own_buses(reference):
    lines = read_lines(reference / "trips" / "transit" / "peribus_gtfs.zip")
    index = LineIndex(lines)
    told = []
    for route in lines.routes[M.BUS][::10]:
        stops = list(route)
        if len(stops) > 6:
            told.append(odds(index, (lines.stop_lon[stops], lines.stop_lat[stops]))[M.BUS])
    assert len(told) > 10
    assert np.mean(np.array(told) == ROUTE[0]) > 0.95


def test_stations_on_lines_give_rails_to_the_trains_that_call_there(reference):
    path = reference / "trips" / "transit" / "sncf_liste_des_gares.geojson"
    index = LineIndex(read_lines(path, mode=M.TRAIN))
    chains = {}
    for feature in json.loads(path.read_text("utf-8"))["features"]:
        about = feature["properties"]
        if about["voyageurs"] == "O" and (about["pk"] or "").replace("+", "").isdigit():
            kilometre = float(about["pk"].replace("+", "."))
            chains.setdefault(about["code_ligne"], []).append(
                (kilometre, *feature["geometry"]["coordinates"])
            )
    along, beside = [], []
    for chain in [sorted(chain) for chain in chains.values() if len(chain) > 9][:60]:
        _, lon, lat = np.array(chain[:6]).T
        way = np.linspace(0, 5, 60)
        leg = np.interp(way, range(6), lon), np.interp(way, range(6), lat)
        along.append(odds(index, leg)[M.TRAIN] > 0)
        beside.append(odds(index, (leg[0] + 0.03, leg[1] + 0.03))[M.TRAIN] > 0)
    assert np.mean(along) > 0.9
    assert np.mean(beside) < 0.1


def test_the_stops_of_la_rochelle_are_a_plain_list(reference):
    lines = read_lines(reference / "trips" / "transit" / "yelo_bus_stops.json", mode=M.BUS)
    assert len(lines.stop_mode) == 1012
