"""The interval of a change shares its draws; another factor set shows what it moves."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon.differences import Change, footprint_difference, period_difference, recompute
from carbon.energies import Consumption, Energy
from carbon.errors import CarbonError, InvalidActivity
from carbon.factors import load_factor_set
from carbon.footprint import LegActivity, total_footprint
from carbon.modes import TransportMode
from carbon.uncertainty import SignedInterval

DAY = date(2026, 11, 2)
OLD, SET = load_factor_set("factors-2026-11"), load_factor_set()
CAR, BUS, BIKE, TER = (
    TransportMode.CAR_PETROL,
    TransportMode.BUS,
    TransportMode.BIKE,
    TransportMode.TRAIN_TER,
)


def leg(modes, distance_km=10.0, on=DAY, **options):
    if isinstance(modes, TransportMode):
        modes = {modes: 1.0}
    return LegActivity(modes=modes, distance_m=distance_km * 1000, on=on, **options)


def width(interval):
    return interval.high - interval.low


# Life-cycle value and U95 in percent, from the publishers: the sampler does not read our files.
PUBLISHED = {CAR: (0.223, 60), BUS: (0.147, 60), TER: (0.0277, 60), BIKE: (0.0056, 100)}


def sampled_change(changes, draws=60_000):
    """Draw both scenarios with the same factors, distances and modes; return after less before."""
    rng = np.random.default_rng(20261122)
    factors = {m: rng.normal(v, v * u / 100 / 1.96, draws) for m, (v, u) in PUBLISHED.items()}
    total = np.zeros(draws)
    for change in changes:
        before = change.before
        km = before.distance_m / 1000
        travelled = rng.normal(km, km * before.distance_u95_percent / 100 / 1.96, draws)
        choice = rng.random(draws)
        begin = 0.0
        for mode, probability in before.modes.items():
            chosen = (choice >= begin) & (choice < begin + probability)
            after = change.replace.get(mode, mode)
            share_before = before.occupants if mode is CAR else 1
            share_after = (change.occupants or before.occupants) if after is CAR else 1
            if mode not in change.replace:
                share_after = share_before
            per_km = factors[after] / share_after - factors[mode] / share_before
            total += np.where(chosen, travelled * per_km, 0.0)
            begin += probability
    return total


SCENARIOS = {
    "one car trip by bike": [
        Change(before=leg(CAR, 4, distance_u95_percent=15), replace={CAR: BIKE})
    ],
    "a commute shared by two": [
        Change(before=leg(CAR, 14.2, distance_u95_percent=20), replace={CAR: CAR}, occupants=2)
    ]
    * 60,
    "car or bus, the car by train": [
        Change(before=leg({CAR: 0.8, BUS: 0.2}, 30, distance_u95_percent=15), replace={CAR: TER})
    ]
    * 60,
    "some by bike, the bus by car": [
        Change(before=leg(CAR, 4, distance_u95_percent=15), replace={CAR: BIKE})
    ]
    * 30
    + [Change(before=leg(BUS, 8, distance_u95_percent=10), replace={BUS: CAR})] * 10
    + [Change(before=leg(CAR, 40, distance_u95_percent=10), replace={})] * 40,
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_change_agrees_with_a_sampler_that_shares_its_draws(name):
    analytic = footprint_difference(SCENARIOS[name], SET).life_cycle
    drawn = sampled_change(SCENARIOS[name])
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert analytic.value == pytest.approx(drawn.mean(), rel=0.02)
    assert width(analytic) == pytest.approx(high - low, rel=0.02)


def test_a_change_is_far_tighter_than_two_independent_totals():
    car = leg(CAR, 100)
    shared = footprint_difference([Change(before=car, replace={CAR: CAR}, occupants=1.1)], SET)
    independent = width(shared.before.life_cycle) ** 2 + width(shared.after.life_cycle) ** 2
    assert width(shared.life_cycle) < 0.1 * independent**0.5


def test_the_change_is_after_less_before():
    difference = footprint_difference([Change(before=leg(CAR, 100), replace={CAR: BUS})], SET)
    expected = difference.after.life_cycle.value - difference.before.life_cycle.value
    assert difference.life_cycle.value == pytest.approx(expected)


def test_before_is_the_footprint_of_the_legs_themselves():
    legs = [leg({CAR: 0.6, BUS: 0.4}), leg(TER, 90)]
    changes = [Change(before=each, replace={CAR: BIKE}) for each in legs]
    assert footprint_difference(changes, SET).before == total_footprint(legs, SET)


def test_a_mode_that_is_not_replaced_stays():
    doubtful = leg({CAR: 0.7, BUS: 0.3}, 100)
    after = footprint_difference([Change(before=doubtful, replace={CAR: BIKE})], SET).after
    assert after.life_cycle.value == pytest.approx(0.7 * 0.56 + 0.3 * 14.7)


def test_a_change_of_mode_drops_the_old_vehicles_consumption():
    petrol = leg(CAR, 100, consumption=Consumption(energy=Energy.PETROL, per_100_km=7.0))
    electric = TransportMode.CAR_ELECTRIC
    measured = Consumption(energy=Energy.ELECTRICITY, per_100_km=18.0)
    change = Change(before=petrol, replace={CAR: electric}, consumption=measured)
    usage = footprint_difference([change], SET).usage
    assert usage.value == pytest.approx(18 * 0.0519 - 7 * 2.70)


def test_a_vehicle_that_stays_keeps_its_measured_consumption():
    petrol = leg(CAR, 100, consumption=Consumption(energy=Energy.PETROL, per_100_km=7.0))
    change = Change(before=petrol, replace={CAR: CAR}, occupants=2)
    assert footprint_difference([change], SET).usage.value == pytest.approx(-7 * 2.70 / 2)


def test_occupants_divide_a_changed_leg_exactly_once():
    change = Change(before=leg(CAR, 100, occupants=2), replace={CAR: CAR}, occupants=4)
    assert footprint_difference([change], SET).life_cycle.value == pytest.approx(
        22.3 / 4 - 22.3 / 2
    )


@given(st.floats(1, 9), st.floats(1, 9), st.floats(0.1, 500))
@settings(max_examples=50, deadline=None)
def test_there_and_back_changes_nothing(one, other, distance_km):
    there = Change(before=leg(CAR, distance_km, occupants=one), replace={CAR: CAR}, occupants=other)
    back = Change(before=leg(CAR, distance_km, occupants=other), replace={CAR: CAR}, occupants=one)
    change = footprint_difference([there, back], SET).life_cycle
    assert (change.value, change.low, change.high) == pytest.approx((0, 0, 0), abs=1e-9)


def test_impossible_occupants_of_a_change_are_refused_by_field():
    with pytest.raises(InvalidActivity) as caught:
        Change(before=leg(CAR), replace={CAR: CAR}, occupants=0)
    assert caught.value.field == "occupants"


def test_a_replacing_mode_that_is_none_is_refused_by_field():
    with pytest.raises(InvalidActivity) as caught:
        Change(before=leg(CAR), replace={CAR: "bike"})
    assert caught.value.field == "replace"


def test_a_set_compared_with_itself_moves_nothing():
    report = recompute([leg(CAR), leg(TER, 90)], SET, SET)
    assert (report.moves, width(report.difference.life_cycle)) == ((), 0)


def test_recomputing_names_the_factors_that_moved_largest_first():
    old_days = {"on": date(2018, 5, 1)}
    legs = [
        leg(TER, 90, **old_days),
        leg(TransportMode.PLANE, 800, **old_days),
        leg(BUS, **old_days),
    ]
    moves = recompute(legs, OLD, SET).moves
    assert [(move.mode, move.before, move.after) for move in moves] == [
        (TransportMode.PLANE, ("plane.bc23.43743",), ("plane.bc22.28118",)),
        (TER, ("train_ter.bc23.43255",), ("train_ter.bc22.28146",)),
    ]


def test_the_moves_add_up_to_the_change():
    legs = [leg(TER, 90, on=date(2018, 5, 1)), leg({CAR: 0.5, TransportMode.PLANE: 0.5}, 300)]
    report = recompute(legs, OLD, SET)
    assert sum(move.life_cycle_kg for move in report.moves) == pytest.approx(
        report.difference.life_cycle.value
    )


def test_a_recomputation_keeps_both_hashes():
    difference = recompute([leg(BUS)], OLD, SET).difference
    hashes = (difference.before.factor_set_sha256, difference.after.factor_set_sha256)
    assert hashes == (OLD.sha256, SET.sha256)


@pytest.mark.parametrize(("value", "low", "high"), [(1, 2, 3), (0, -1, float("inf"))])
def test_three_numbers_out_of_order_are_no_signed_interval(value, low, high):
    with pytest.raises(CarbonError):
        SignedInterval(value=value, low=low, high=high)


def test_two_periods_share_the_errors_of_their_factors():
    less = period_difference([leg(CAR, 100)] * 10, [leg(CAR, 100)] * 9, SET).life_cycle
    assert (less.value, less.low) == (pytest.approx(-22.3), pytest.approx(-22.3 * 1.6))


def test_two_periods_do_not_share_their_distances():
    legs = [leg(CAR, 100, distance_u95_percent=20)]
    same = period_difference(legs, legs, SET).life_cycle
    assert same.high == pytest.approx(22.3 * 0.2 * 2**0.5)


def test_the_change_between_periods_is_that_of_their_totals():
    before, after = [leg(CAR, 100), leg(TER, 90)], [leg({CAR: 0.5, BUS: 0.5}, 30)]
    expected = total_footprint(after, SET).usage.value - total_footprint(before, SET).usage.value
    difference = period_difference(before, after, SET)
    assert difference.usage.value == pytest.approx(expected)
    assert difference.before == total_footprint(before, SET)


def test_what_is_no_longer_travelled_turns_its_interval_round():
    """A range that is not symmetric: what may have been much may be much less."""
    unknown = leg(TransportMode.UNKNOWN)
    usage = total_footprint([unknown], SET).usage
    gone = period_difference([unknown], [], SET).usage
    assert (gone.low, gone.value, gone.high) == pytest.approx(
        (-usage.high, -usage.value, -usage.low)
    )
