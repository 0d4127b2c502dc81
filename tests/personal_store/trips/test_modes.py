import pytest

from carbon.modes import ModeGroup, TransportMode
from personal_store.trips.cleaning import clean
from personal_store.trips.modes import UNKNOWN_SHARE, UNPROVEN_FERRY_MOST, infer_modes
from personal_store.trips.segment import segment
from personal_store.trips.timeline import ModeSource
from personal_store.trips.track import positions_of
from personal_store.trips.triplegs import Leg


def inferred(fixes):
    """The modes of one leg over all the fixes."""
    track = clean(positions_of(fixes)).track
    leg = Leg(
        start_s=float(track.time_s[0]),
        end_s=float(track.time_s[-1]),
        first=0,
        last=len(track) - 1,
    )
    (inference,) = infer_modes(track, [leg])
    return inference


def chances(inference):
    return {entry.mode: entry.probability for entry in inference.modes}


def ride(journey, **logged):
    """A half-hour at 50 km/h between two stays, the ride's fixes labelled by the phone."""
    trace = journey().stay(minutes=40)
    trace.label, trace.confidence = logged.get("label"), logged.get("confidence")
    trace.go(speed_mps=14, minutes=30)
    trace.label = trace.confidence = None
    (trip,) = segment(trace.stay(minutes=40).fixes).trips
    (leg,) = trip.triplegs
    return leg


def test_no_legs_have_no_modes(journey):
    assert (
        infer_modes(clean(positions_of(journey().go(speed_mps=3, minutes=1).fixes)).track, []) == []
    )


@pytest.mark.parametrize(
    ("speed_mps", "minutes", "every_s", "groups"),
    [
        (1.4, 15, 10.0, {ModeGroup.WALK}),
        (1.4, 15, 60.0, {ModeGroup.WALK}),
        (31.0, 40, 10.0, {ModeGroup.CAR, ModeGroup.TRAIN}),
        (82.0, 60, 60.0, {ModeGroup.TRAIN}),
        (230.0, 90, 60.0, {ModeGroup.PLANE}),
    ],
)
def test_each_pace_has_its_most_likely_group(journey, speed_mps, minutes, every_s, groups):
    trace = journey(every_s=every_s, lon=2.0, lat=45.0)
    inference = inferred(trace.go(speed_mps=speed_mps, minutes=minutes, bearing_deg=0).fixes)
    assert inference.modes[0].mode.group in groups


def test_a_winding_ride_at_a_cyclists_pace_is_a_bike_ride(journey):
    trace = journey()
    for turn in range(20):
        trace.go(speed_mps=(4.5, 3.6, 5.4, 4.0)[turn % 4], minutes=1, bearing_deg=30.0 * (turn % 3))
    assert inferred(trace.fixes).modes[0].mode.group is ModeGroup.BIKE


def test_motion_alone_leaves_car_bus_and_rail_all_possible(journey):
    trace = journey()
    for _ in range(12):
        trace.go(speed_mps=10, minutes=1).go(speed_mps=0, minutes=0.5)
    chance = chances(inferred(trace.fixes))
    rail = sum(chance.get(mode, 0.0) for mode in (TransportMode.TRAM, TransportMode.METRO))
    assert min(chance[TransportMode.CAR], chance[TransportMode.BUS], rail) > 0.03


def test_a_speed_that_no_vehicle_reaches_is_unknown(journey):
    fixes = journey(every_s=60.0).go(speed_mps=2000.0, minutes=5).fixes
    assert chances(inferred(fixes)) == {TransportMode.UNKNOWN: 1.0}


@pytest.mark.parametrize("speed_mps", [0.5, 3.0, 7.0, 20.0, 120.0])
def test_probabilities_sum_to_one_and_are_sorted(journey, speed_mps):
    inference = inferred(journey().go(speed_mps=speed_mps, minutes=10).fixes)
    shares = [entry.probability for entry in inference.modes]
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)


def test_something_else_always_stays_possible(journey):
    chance = chances(inferred(journey().go(speed_mps=1.4, minutes=30).fixes))
    assert chance[TransportMode.UNKNOWN] >= UNKNOWN_SHARE * 0.999


def test_a_leg_of_two_fixes_is_judged_and_left_open(journey):
    fixes = journey().silent(minutes=20, distance_m=15_000).fix().fixes
    inference = inferred(fixes)
    assert inference.modes[0].probability < 0.9


def test_a_late_departure_is_not_read_as_slow_travel(journey):
    """The phone slept for an hour where it was, then rode 12 km in the last 15 minutes."""
    track = clean(positions_of(journey().silent(minutes=75, distance_m=12_000).fix().fixes)).track
    late = Leg(start_s=float(track.time_s[1]) - 900, end_s=float(track.time_s[1]), first=0, last=1)
    (inference,) = infer_modes(track, [late])
    assert chances(inference).get(TransportMode.WALK, 0.0) < 0.05


def test_a_specific_label_decides_what_motion_cannot(journey):
    leg = ride(journey, label="IN_BUS", confidence=0.95)
    plain = ride(journey)
    bus = TransportMode.BUS
    assert chances(leg)[bus] > 2 * chances(plain)[bus]
    assert leg.mode.mode.group is ModeGroup.TRANSIT
    assert leg.mode_source is ModeSource.SENSOR


def test_an_unspecific_label_excludes_but_does_not_choose(journey):
    plain, labelled = ride(journey), ride(journey, label="IN_VEHICLE", confidence=0.9)
    ratio = [
        chances(leg)[TransportMode.CAR] / chances(leg)[TransportMode.BUS]
        for leg in (plain, labelled)
    ]
    assert ratio[0] == pytest.approx(ratio[1], rel=1e-3)  # probabilities keep six decimals


def test_a_label_that_says_nothing_leaves_the_mode_to_motion(journey):
    still = ride(journey, label="STILL", confidence=1.0)
    assert still.modes == ride(journey).modes
    assert still.mode_source is ModeSource.MOTION


def test_a_label_that_its_source_doubts_changes_nothing(journey):
    doubted = ride(journey, label="WALKING", confidence=0.2)
    plain = ride(journey)
    assert doubted.mode.mode is plain.mode.mode
    assert doubted.mode.probability == pytest.approx(plain.mode.probability)


def test_legs_judged_together_are_judged_as_alone(journey):
    trace = journey().go(speed_mps=1.4, minutes=10)
    middle = len(trace.fixes)
    track = clean(positions_of(trace.go(speed_mps=14, minutes=20).fixes)).track
    spans = [(0, middle), (middle, len(track) - 1)]
    legs = [
        Leg(
            start_s=float(track.time_s[first]),
            end_s=float(track.time_s[last]),
            first=first,
            last=last,
        )
        for first, last in spans
    ]
    together = infer_modes(track, legs)
    assert together == [infer_modes(track, [leg])[0] for leg in legs]


def test_a_late_departure_does_not_slow_the_leg_that_ended_there(journey):
    trace = journey().go(speed_mps=14, minutes=20)
    middle = len(trace.fixes)
    track = clean(positions_of(trace.silent(minutes=75, distance_m=9_000).fix().fixes)).track
    ride = Leg(
        start_s=float(track.time_s[0]), end_s=float(track.time_s[middle]), first=0, last=middle
    )
    late_s = float(track.time_s[-1]) - 900
    late = Leg(start_s=late_s, end_s=float(track.time_s[-1]), first=middle, last=len(track) - 1)
    assert infer_modes(track, [ride, late])[0] == infer_modes(track, [ride])[0]


@pytest.mark.parametrize("speed_mps", [3.0, 4.5, 6.0, 9.0])
def test_without_a_ferry_line_nothing_is_surely_a_ferry(journey, speed_mps):
    """A long straight steady ride moves like a boat."""
    chance = chances(inferred(journey().go(speed_mps=speed_mps, minutes=50).fixes))
    assert chance.get(TransportMode.FERRY, 0.0) <= UNPROVEN_FERRY_MOST
    assert sum(chance.values()) == pytest.approx(1)
