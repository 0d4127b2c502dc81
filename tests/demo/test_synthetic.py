"""The motion, the diary and the receiver behind the synthetic week."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import cos, radians
from statistics import fmean, pstdev

import pytest
from synthetic.diary import WEEK, Ride, Stay, live_week
from synthetic.motion import Moment, Route, Waypoint, holds_on, read_routes, travel
from synthetic.receiver import INDOORS, OPEN, TOWN, Instant, dense, listen, sky_at
from week import record_week

from carbon.modes import TransportMode

ROUTES = read_routes()
TOP_KMH = {"walk": 9, "bike": 32, "bus": 52, "car": 112, "train_ter": 162}
MEAN_KMH = {
    "walk": (4, 6),
    "bike": (11, 19),
    "bus": (11, 26),
    "car": (20, 80),
    "train_ter": (60, 110),
}
STRONGEST_MPS2 = {"walk": 1.5, "bike": 2.2, "bus": 2.2, "car": 3.5, "train_ter": 1.5}


def _metres(a, b):
    """Flat-earth distance, good to a thousandth here: not the haversine of the code."""
    east = (b.lon - a.lon) * 111_195 * cos(radians((a.lat + b.lat) / 2))
    return (east**2 + ((b.lat - a.lat) * 111_195) ** 2) ** 0.5


@pytest.fixture(scope="module", params=[7, 8, 9])
def week(request):
    return live_week(date(2026, 11, 9), ROUTES, random.Random(request.param))


@pytest.fixture(scope="module")
def rides(week):
    return [ride for day in week for ride in day.episodes if isinstance(ride, Ride)]


def test_no_mode_is_faster_than_it_can_be(rides):
    for ride in rides:
        assert max(moment.speed_mps for moment in ride.moments) * 3.6 <= TOP_KMH[ride.mode]


def test_each_mode_has_a_plausible_mean_speed(rides):
    by_mode = defaultdict(list)
    for ride in rides:
        by_mode[ride.mode].append(ride)
    for mode, of_mode in by_mode.items():
        low, high = MEAN_KMH[mode]
        metres, seconds = sum(r.distance_m for r in of_mode), sum(len(r.moments) for r in of_mode)
        assert low < metres / seconds * 3.6 < high


def test_no_acceleration_throws_anybody_over(rides):
    for ride in rides:
        steps = [b.speed_mps - a.speed_mps for a, b in pairwise(ride.moments)]
        assert max(map(abs, steps)) <= STRONGEST_MPS2[ride.mode]


def test_positions_advance_as_the_speed_says(rides):
    for ride in rides:
        for a, b in pairwise(ride.moments):
            assert _metres(a, b) <= max(a.speed_mps, b.speed_mps) + 1.2


def test_every_ride_starts_and_ends_at_rest_and_covers_its_way(rides):
    for ride in rides:
        assert ride.moments[0].speed_mps == ride.moments[-1].speed_mps == 0.0
        lengths = [route.length_m for route in ROUTES.values()]
        assert any(abs(ride.distance_m / length - 1) < 0.01 for length in lengths)


def test_episodes_follow_each_other_in_time_and_place(week):
    episodes = [episode for day in week for episode in day.episodes]
    for a, b in pairwise(episodes):
        assert a.end == b.start
        left = a.place if isinstance(a, Stay) else a.moments[-1]
        entered = b.place if isinstance(b, Stay) else b.moments[0]
        assert _metres(left, entered) < 1.0


def test_the_bus_halts_about_every_400_metres():
    route = ROUTES["bus_station"]
    gaps = []
    for seed in range(20):
        halts = [
            h.at_m for h in holds_on(route, TransportMode.BUS, random.Random(seed)) if h.dwell_s
        ]
        gaps += [b - a for a, b in pairwise(halts)]
    assert 250 < fmean(gaps) < 450


def test_a_red_light_halts_the_bike():
    lit = [
        max(
            h.dwell_s for h in holds_on(ROUTES["bike_campus"], TransportMode.BIKE, random.Random(s))
        )
        for s in range(10)
    ]
    assert max(lit) >= 8


def test_the_queue_makes_the_same_road_slower():
    there = travel(ROUTES["car_chatelaillon"], TransportMode.CAR, random.Random(1))
    back = travel(ROUTES["car_chatelaillon"].back(), TransportMode.CAR, random.Random(1))
    assert len(there) > 1.1 * len(back)


def test_the_way_back_has_the_same_length():
    assert all(abs(r.back().length_m - r.length_m) < 1e-6 for r in ROUTES.values())


def test_a_route_of_one_point_is_refused():
    with pytest.raises(ValueError, match="two waypoints"):
        Route([Waypoint(lon=-1.15, lat=46.16)])


def test_a_plan_without_time_to_arrive_is_refused():
    now = datetime(2026, 11, 9, tzinfo=UTC)
    with pytest.raises(ValueError, match="leave later"):
        Stay(start=now, end=now, place=Moment(lon=-1.15, lat=46.16, speed_mps=0), indoors=True)


def test_every_planned_route_exists():
    planned = {leg.route for day in WEEK for outing in day.outings for leg in outing.legs}
    assert planned <= set(ROUTES)


@pytest.fixture(scope="module")
def errors():
    """Pairs of (instant's sky, errors east and north in metres, time) of every dense fix."""
    heard = []
    for seed in range(4):
        for day in live_week(date(2026, 11, 9), ROUTES, random.Random(seed)):
            rng = random.Random(seed)
            instants = list(dense(day.episodes, rng))
            truth = {instant.at: instant for instant in instants}
            for fix in listen(instants, rng):
                here = truth[fix.at]
                north = (fix.lat - here.truth.lat) * 111_195
                east = (fix.lon - here.truth.lon) * 111_195 * cos(radians(here.truth.lat))
                heard.append((sky_at(here), east, north, fix))
    return heard


@pytest.mark.parametrize(
    ("sky", "low_m", "high_m"), [(OPEN, 3, 4.2), (TOWN, 5.5, 8), (INDOORS, 9, 15)]
)
def test_errors_are_as_large_as_the_surroundings_make_them(errors, sky, low_m, high_m):
    east = [e for where, e, n, _ in errors if where is sky and abs(e) < 50 and abs(n) < 50]
    assert low_m < pstdev(east) < high_m


def test_errors_last_from_one_second_to_the_next(errors):
    pairs = [
        (a[1], b[1])
        for a, b in pairwise(errors)
        if timedelta(0) < b[3].at - a[3].at <= timedelta(seconds=2) and abs(a[1]) + abs(b[1]) < 60
    ]
    mean = fmean(a for a, _ in pairs)
    covariance = fmean((a - mean) * (b - mean) for a, b in pairs)
    assert covariance / pstdev([a for a, _ in pairs]) ** 2 > 0.8


def test_a_few_fixes_are_plainly_wrong(errors):
    far = [fix for _, east, north, fix in errors if (east**2 + north**2) ** 0.5 > 55]
    share = len(far) / len(errors)
    assert 0.0008 < share < 0.004
    assert any(fix.accuracy_m < 25 for fix in far)


def test_the_stated_accuracy_holds_for_about_two_thirds_of_the_fixes(errors):
    held = fmean((e**2 + n**2) ** 0.5 <= fix.accuracy_m for _, e, n, fix in errors)
    assert 0.58 < held < 0.78


def test_a_telephone_at_rest_drifts_but_does_not_leave(errors):
    still = [(e, n) for where, e, n, _ in errors if where is INDOORS]
    assert len({(round(e, 1), round(n, 1)) for e, n in still}) > 0.9 * len(still)
    assert fmean((e**2 + n**2) ** 0.5 < 60 for e, n in still) > 0.99


def test_two_fixes_of_one_second_are_heard_once():
    here = Moment(lon=-1.15, lat=46.16, speed_mps=0)
    now = datetime(2026, 11, 9, 8, tzinfo=UTC)
    twice = [Instant(at=now, truth=here, mode=None, indoors=True)] * 2
    assert len(listen(twice, random.Random(1))) == 1


def test_a_position_found_indoors_has_no_speed():
    days = record_week(date(2026, 11, 9), random.Random(7))
    assert all(fix.speed_mps is not None or fix.mode is None for day in days for fix in day.fixes)
    assert any(fix.speed_mps is None for day in days for fix in day.fixes)


def test_a_fix_on_the_way_is_near_where_the_resident_was_at_that_second():
    for day in record_week(date(2026, 11, 9), random.Random(7)):
        true = {
            ride.start + timedelta(seconds=second): moment
            for ride in day.true.episodes
            if isinstance(ride, Ride)
            for second, moment in enumerate(ride.moments)
        }
        off = [_metres(fix, true[fix.at]) for fix in day.fixes if fix.mode is not None]
        assert fmean(distance < 30 for distance in off) > 0.98
