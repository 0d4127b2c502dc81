"""Ways along rails, held against networkless oracles: sums of pieces, and every pair of a grid."""

import itertools
import json
import random
import re
from math import cos, hypot, radians

import numpy as np
import pytest

from carbon.modes import TransportMode
from personal_store.trips.cutting import between_m
from personal_store.trips.line_files import read_lines
from personal_store.trips.rail import CHORD_DETOUR, MOST_DETOUR, Rails
from personal_store.trips.unseen_ways import RAIL_DETOUR

M = TransportMode
LON, LAT = -1.15, 46.16
REACH_M = 250.0


def at(east_m: float, north_m: float) -> tuple[float, float]:
    return LON + east_m / (111_195 * cos(radians(LAT))), LAT + north_m / 111_195


def track(*places: tuple[float, float]) -> np.ndarray:
    """Return a polyline with a vertex every 500 m, as a track has; longer pieces are chords."""
    laid = [places[0]]
    for (x0, y0), (x1, y1) in itertools.pairwise(places):
        count = max(1, round(hypot(x1 - x0, y1 - y0) / 500))
        laid += [
            (x0 + k * (x1 - x0) / count, y0 + k * (y1 - y0) / count) for k in range(1, count + 1)
        ]
    return np.array([at(*place) for place in laid])


@pytest.fixture
def bend() -> Rails:
    """Return one line: 6 km east, then 4 km north."""
    return Rails([track((0, 0), (6000, 0), (6000, 4000))], reach_m=REACH_M)


def test_a_way_follows_the_bend_of_a_line(bend) -> None:
    way = bend.way(at(1000, 40), at(6030, 3000))
    assert way.length_m == pytest.approx(5000 + 3000, rel=0.002)
    assert way.points[0] == pytest.approx(at(1000, 0))
    corner = at(6000, 0)
    assert min(between_m(corner, point) for point in way.points) < 1
    assert way.points[-1] == pytest.approx(at(6000, 3000))


def test_a_way_is_as_long_back_as_there(bend) -> None:
    there, back = bend.way(at(1000, 40), at(6030, 3000)), bend.way(at(6030, 3000), at(1000, 40))
    assert back.length_m == pytest.approx(there.length_m)
    assert back.points == tuple(reversed(there.points))


def test_two_places_on_one_piece_need_no_vertex(bend) -> None:
    way = bend.way(at(1100, 0), at(1400, 0))
    assert way.length_m == pytest.approx(300, rel=0.002)
    assert len(way.points) == 2


def test_a_chord_between_stations_is_shorter_than_its_line() -> None:
    chord = Rails([np.array([at(0, 0), at(9000, 0)])], reach_m=REACH_M)
    assert chord.way(at(2000, 0), at(7000, 0)).length_m == pytest.approx(5000 * CHORD_DETOUR)


def test_a_place_beyond_reach_has_no_way(bend) -> None:
    assert bend.way(at(1000, 40), at(3000, REACH_M + 20)) is None


def test_rails_that_do_not_meet_lead_nowhere() -> None:
    rails = Rails([track((0, 0), (3000, 0)), track((3200, 0), (9000, 0))], reach_m=50.0)
    assert rails.way(at(100, 0), at(8000, 0)) is None


def test_lines_that_meet_at_a_station_told_twice_are_one_network() -> None:
    rails = Rails([track((0, 0), (3000, 0)), track((3020, 30), (9000, 0))], reach_m=50.0)
    assert rails.way(at(100, 0), at(8000, 0)).length_m == pytest.approx(7900, rel=0.01)


def test_a_detour_that_no_train_takes_is_no_way() -> None:
    rails = Rails([track((0, 0), (0, 9000), (2000, 9000), (2000, 0))], reach_m=50.0)
    assert rails.way(at(0, 0), at(2000, 0)) is None


def test_no_track_gives_no_way() -> None:
    assert Rails([], reach_m=REACH_M).way(at(0, 0), at(1000, 0)) is None


def test_on_a_grid_the_way_is_the_sum_of_both_sides() -> None:
    """On streets of 1 km the shortest way is the taxicab's, whichever corners it turns at."""
    lines = [track(*((1000 * k, 1000 * row) for k in range(7))) for row in range(7)]
    lines += [track(*((1000 * row, 1000 * k) for k in range(7))) for row in range(7)]
    rails = Rails(lines, reach_m=50.0)
    rng = random.Random(5)
    crossings = list(itertools.product(range(7), range(7)))
    for (x0, y0), (x1, y1) in (rng.sample(crossings, 2) for _ in range(60)):
        way = rails.way(at(1000 * x0, 1000 * y0), at(1000 * x1, 1000 * y1))
        assert way.length_m == pytest.approx(1000 * (abs(x1 - x0) + abs(y1 - y0)), rel=0.005)
        steps = itertools.pairwise(way.points)
        assert sum(between_m(*step) for step in steps) == pytest.approx(way.length_m, abs=1e-6)
        assert way.length_m <= MOST_DETOUR * between_m(way.points[0], way.points[-1]) + 1000


def test_ways_along_the_sncf_err_less_than_a_usual_detour(reference) -> None:
    """Kilometre posts are the oracle: no way is made of them."""
    source = reference / "trips" / "transit" / "sncf_liste_des_gares.geojson"
    lines: dict[str, list[tuple[float, tuple[float, float]]]] = {}
    for feature in json.loads(source.read_text("utf-8-sig"))["features"]:
        about = feature["properties"]
        post = re.fullmatch(r"(\d+)[+-](\d+)", str(about.get("pk") or ""))
        if post and about.get("code_ligne") and feature["geometry"]:
            place = tuple(feature["geometry"]["coordinates"][:2])
            lines.setdefault(about["code_ligne"], []).append(
                (1000 * float(f"{post[1]}.{post[2]}"), place)
            )
    rng = random.Random(1)
    rails = Rails(read_lines(source, mode=M.TRAIN).tracks[M.TRAIN], reach_m=REACH_M)
    ways, usual = [], []
    for stations in lines.values():
        (post, place), (other_post, other) = rng.choice(stations), rng.choice(stations)
        straight_m, line_m = between_m(place, other), abs(post - other_post)
        # Posts of a line that was joined from two begin anew; such a pair says nothing.
        if not 5000 <= straight_m <= 100_000 or not straight_m < line_m < 2.5 * straight_m:
            continue
        way = rails.way(place, other)
        if way is not None:
            ways.append(abs(way.length_m / line_m - 1))
            usual.append(abs(RAIL_DETOUR * straight_m / line_m - 1))
    assert len(ways) > 100
    assert np.median(ways) < 0.06 < np.median(usual)
