import pytest

from carbon.modes import TransportMode
from personal_store.trips.activities import modes_of_label
from personal_store.trips.modes import HABITS, Motion, weigh
from personal_store.trips.segment import segment
from personal_store.trips.timeline import ModeSource


def motion(cruise_mps, *, steadiness=0.65, noise_mps=0.1):
    return Motion(
        cruise_mps=cruise_mps,
        usual_mps=steadiness * cruise_mps,
        noise_mps=noise_mps,
        unseen_share=0.0,
        steps=60,
    )


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


def test_the_shares_of_all_modes_sum_to_one():
    assert sum(habit.share for habit in HABITS.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("cruise_mps", "steadiness", "mode"),
    [
        (1.4, 0.85, TransportMode.WALK),
        (5.5, 0.7, TransportMode.BIKE),
        (25.0, 0.65, TransportMode.CAR),
        (80.0, 0.85, TransportMode.TRAIN_TGV),
        (240.0, 0.9, TransportMode.PLANE),
    ],
)
def test_each_pace_has_its_most_likely_mode(cruise_mps, steadiness, mode):
    assert weigh(motion(cruise_mps, steadiness=steadiness)).modes[0].mode is mode


def test_motion_alone_leaves_bus_tram_and_car_all_possible():
    chance = chances(weigh(motion(11.0)))
    assert min(chance[mode] for mode in (TransportMode.CAR, TransportMode.BUS)) > 0.1
    assert chance[TransportMode.TRAM] > 0.05


def test_a_speed_that_no_vehicle_reaches_is_unknown():
    assert chances(weigh(motion(2000.0))) == {TransportMode.UNKNOWN: 1.0}


def test_probabilities_sum_to_one_and_are_sorted():
    shares = [entry.probability for entry in weigh(motion(7.0)).modes]
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)


def test_a_specific_label_decides_what_motion_cannot(journey):
    leg = ride(journey, label="IN_BUS", confidence=0.9)
    assert leg.mode.mode is TransportMode.BUS
    assert leg.mode_source is ModeSource.SENSOR


def test_an_unspecific_label_excludes_but_does_not_choose(journey):
    plain, labelled = ride(journey), ride(journey, label="IN_VEHICLE", confidence=0.9)
    ratio = [
        chances(leg)[TransportMode.CAR] / chances(leg)[TransportMode.BUS]
        for leg in (plain, labelled)
    ]
    assert ratio[0] == pytest.approx(ratio[1])


def test_a_label_that_says_nothing_leaves_the_mode_to_motion(journey):
    still = ride(journey, label="STILL", confidence=1.0)
    assert still.modes == ride(journey).modes
    assert still.mode_source is ModeSource.MOTION


def test_a_label_that_its_source_doubts_changes_nothing(journey):
    doubted = ride(journey, label="WALKING", confidence=0.2)
    plain = ride(journey)
    assert doubted.mode.mode is plain.mode.mode
    assert doubted.mode.probability == pytest.approx(plain.mode.probability)


def test_a_leg_below_the_threshold_is_not_sure(journey):
    walk = journey().stay(minutes=40).go(speed_mps=1.4, minutes=20).stay(minutes=40)
    assert segment(walk.fixes).trips[0].triplegs[0].is_sure
    slow_ride = journey().stay(minutes=40).go(speed_mps=6.0, minutes=20).stay(minutes=40)
    assert not segment(slow_ride.fixes).trips[0].triplegs[0].is_sure


@pytest.mark.parametrize("label", ["IN_RAIL_VEHICLE", "in rail vehicle", " In-Rail-Vehicle "])
def test_labels_are_read_whatever_their_spelling(label):
    allowed = modes_of_label(label)
    assert {TransportMode.TRAM, TransportMode.METRO, TransportMode.TRAIN} <= allowed
    assert TransportMode.CAR not in allowed


def test_several_labels_allow_what_each_allows():
    assert modes_of_label("walking,cycling") == modes_of_label("WALKING") | modes_of_label(
        "CYCLING"
    )


@pytest.mark.parametrize("label", ["STILL", "TILTING", "UNKNOWN", "stationary", ""])
def test_labels_without_a_mode_allow_none(label):
    assert modes_of_label(label) == frozenset()
