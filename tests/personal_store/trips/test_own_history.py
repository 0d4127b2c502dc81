"""What the resident confirmed teaches about other rides, and no more than that."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.modes import TransportMode
from personal_store.trips.own_history import (
    FAMILY,
    LEAST_RIDES,
    SURVEY,
    learn,
    learned_odds,
    shared_out,
)
from personal_store.trips.timeline import ModeProbability, ModeSource, Trip, Tripleg

M = TransportMode
AT = datetime(2026, 11, 9, 8, tzinfo=UTC)


def mixture(shares: dict[TransportMode, float]) -> tuple[ModeProbability, ...]:
    return tuple(ModeProbability(mode=mode, probability=share) for mode, share in shares.items())


MIXED = mixture({M.CAR: 0.5, M.TRAIN: 0.3, M.WALK: 0.15, M.UNKNOWN: 0.05})


def trip(source: ModeSource) -> Trip:
    leg = Tripleg(
        start=AT,
        end=AT + timedelta(minutes=20),
        distance_m=9000.0,
        gap_m=0.0,
        modes=MIXED,
        mode_source=source,
        track=((0.0, 0.0), (0.1, 0.0)),
    )
    return Trip(device="d", start=leg.start, end=leg.end, triplegs=(leg,))


def test_before_anything_is_confirmed_a_car_is_likeliest_and_shares_are_whole():
    assert sum(SURVEY.values()) == pytest.approx(1.0)
    assert max(SURVEY, key=lambda mode: SURVEY[mode]) is M.CAR


def test_too_few_confirmed_rides_teach_nothing():
    assert learned_odds({M.TRAIN: LEAST_RIDES - 1, M.WALK: 100}) == {}


def test_confirmed_trains_make_trains_likelier_and_walks_as_likely():
    odds = learned_odds({M.TRAIN_TER: 30})
    found = {each.mode: each.probability for each in shared_out(MIXED, odds)}
    assert found[M.TRAIN] > found[M.CAR]
    assert found[M.WALK] == pytest.approx(0.15)
    assert sum(found.values()) == pytest.approx(1.0)


def test_rides_confirmed_as_the_survey_has_them_change_nothing():
    odds = learned_odds({mode: round(10_000 * share) for mode, share in SURVEY.items()})
    assert list(odds.values()) == pytest.approx([1.0] * len(SURVEY), rel=0.01)


def test_who_corrects_only_what_is_wrong_is_not_taken_for_a_driver():
    rides = [mixture({M.TRAIN: 0.8, M.CAR: 0.2})] * 90
    odds = learned_odds({M.CAR: 10}, rides)
    assert odds[M.TRAIN] > 1.0 > odds[M.CAR]


def test_rides_that_nobody_confirmed_teach_nothing_alone():
    rides = [mixture({M.TRAIN: 0.8, M.CAR: 0.2})] * 90
    assert learned_odds({M.CAR: LEAST_RIDES - 1}, rides) == {}


@given(
    st.dictionaries(st.sampled_from(list(FAMILY)), st.integers(0, 60), min_size=1),
    st.lists(st.floats(0.01, 0.99), max_size=20),
)
def test_what_was_learned_is_a_prior_for_each_vehicle(confirmed, cars):
    odds = learned_odds(confirmed, [mixture({M.CAR: car, M.BUS: 1 - car}) for car in cars])
    assert all(factor > 0 for factor in odds.values())
    assert not odds or sum(odds[mode] * SURVEY[mode] for mode in odds) == pytest.approx(1.0)


@pytest.mark.parametrize("source", [each for each in ModeSource if each is not ModeSource.MOTION])
def test_a_leg_with_stronger_evidence_is_left_alone(source):
    assert learn([trip(source)], learned_odds({M.TRAIN: 30})) == [trip(source)]


def test_a_leg_that_motion_judged_is_shared_out_anew():
    (taught,) = learn([trip(ModeSource.MOTION)], learned_odds({M.TRAIN: 30}))
    assert taught.triplegs[0].mode.mode is M.TRAIN
