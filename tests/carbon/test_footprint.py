"""A leg's footprint, its interval, and the sums of many."""

import dataclasses
import math
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon.errors import DateOutsideSet, InvalidActivity
from carbon.factors import FactorUnit, load_factor_set
from carbon.footprint import (
    LegActivity,
    footprint_by_mode,
    leg_footprint,
    total_footprint,
)
from carbon.modes import TransportMode

DAY = date(2026, 11, 2)
SET = load_factor_set()
CAR, BUS, BIKE, TER = (
    TransportMode.CAR_PETROL,
    TransportMode.BUS,
    TransportMode.BIKE,
    TransportMode.TRAIN_TER,
)
VEHICLE_MODES = sorted({f.mode for f in SET.factors if f.unit is FactorUnit.VKM})
PASSENGER_MODES = sorted({f.mode for f in SET.factors if f.unit is FactorUnit.PKM})


def leg(modes, distance_km=10.0, **options):
    if isinstance(modes, TransportMode):
        modes = {modes: 1.0}
    return LegActivity(modes=modes, distance_m=distance_km * 1000, on=DAY, **options)


@pytest.mark.parametrize("mode", VEHICLE_MODES)
@given(occupants=st.floats(1, 9), distance_km=st.floats(0.01, 2_000))
@settings(max_examples=25, deadline=None)
def test_occupants_share_a_vehicle_exactly_once(mode, occupants, distance_km):
    """Dividing twice, by the same number or by a built-in average, would fail here."""
    (factor,) = SET.for_leg(mode, distance_km * 1000, DAY)
    each = leg_footprint(leg(mode, distance_km, occupants=occupants), SET)
    whole = factor.life_cycle_kg_co2e_per_km * distance_km
    assert each.life_cycle.value * occupants == pytest.approx(whole)


@pytest.mark.parametrize("mode", PASSENGER_MODES)
@given(occupants=st.floats(1, 9))
@settings(max_examples=10, deadline=None)
def test_occupants_do_not_divide_a_passengers_share(mode, occupants):
    assert leg_footprint(leg(mode, occupants=occupants), SET) == leg_footprint(leg(mode), SET)


def test_usage_shares_a_vehicle_as_the_life_cycle_does():
    alone, shared = (leg_footprint(leg(CAR, occupants=n), SET).usage for n in (1, 4))
    assert alone.value == pytest.approx(4 * shared.value)


def test_a_leg_has_both_figures_and_their_factor():
    footprint = leg_footprint(leg(CAR, 100), SET)
    figures = (footprint.usage.value, footprint.life_cycle.value, footprint.factor_ids)
    assert figures == (pytest.approx(19.78), pytest.approx(22.3), ("car_petrol.bc22.27965",))


def test_a_footprint_names_the_bytes_of_its_factor_set():
    assert leg_footprint(leg(BUS), SET).factor_set_sha256 == SET.sha256


@pytest.mark.parametrize("mode", TransportMode)
def test_usage_is_never_more_than_the_life_cycle(mode):
    footprint = leg_footprint(leg(mode, 1_500), SET)
    assert footprint.usage.value <= footprint.life_cycle.value


def test_factor_and_distance_errors_combine_in_quadrature():
    footprint = leg_footprint(leg(CAR, 100, distance_u95_percent=15), SET).life_cycle
    assert (footprint.high / footprint.value - 1) * 100 == pytest.approx(61.85, abs=0.01)


def test_the_value_of_a_doubtful_leg_is_the_weighted_mean():
    footprint = leg_footprint(leg({CAR: 0.7, BUS: 0.3}, 100), SET).life_cycle
    assert footprint.value == pytest.approx(0.7 * 22.3 + 0.3 * 14.7)


def test_the_interval_of_a_doubtful_leg_holds_both_values():
    footprint = leg_footprint(leg({CAR: 0.5, BIKE: 0.5}, 100), SET).life_cycle
    assert footprint.low <= 0.56
    assert footprint.high >= 22.3


def test_a_mode_of_probability_zero_changes_nothing():
    assert leg_footprint(leg({CAR: 1.0, BUS: 0.0}), SET) == leg_footprint(leg(CAR), SET)


def test_an_unspecific_train_ranges_over_the_kinds_of_train():
    footprint = leg_footprint(leg(TransportMode.TRAIN, 100), SET).life_cycle
    assert (footprint.low, footprint.high) == (
        pytest.approx(0.293 * 0.8),
        pytest.approx(2.77 * 1.6),
    )


def test_an_unknown_leg_ranges_from_nothing_to_the_worst_it_may_be():
    footprint = leg_footprint(leg(TransportMode.UNKNOWN, 10), SET).life_cycle
    assert (footprint.low, footprint.high) == (0, pytest.approx(2.23 * 1.6))


def test_an_unknown_leg_is_never_zero():
    assert leg_footprint(leg(TransportMode.UNKNOWN, 10), SET).usage.value > 0


def test_doubt_about_unknown_legs_does_not_cancel_out():
    one = leg_footprint(leg(TransportMode.UNKNOWN), SET).usage
    many = total_footprint([leg(TransportMode.UNKNOWN)] * 100, SET).usage
    assert many.high == pytest.approx(100 * one.high)


def test_an_unpublished_split_gives_usage_as_a_range():
    footprint = leg_footprint(leg(TransportMode.MOPED, 100), SET)
    assert (footprint.usage.low, footprint.usage.high) == (0, footprint.life_cycle.high)


def test_a_year_of_trips_by_one_car_keeps_the_cars_whole_error():
    year = total_footprint([leg(CAR)] * 365, SET).life_cycle
    assert year.high / year.value == pytest.approx(1.6)


def test_distance_errors_of_a_year_average_out():
    year = total_footprint([leg(CAR, distance_u95_percent=20)] * 400, SET).life_cycle
    assert year.high / year.value == pytest.approx(1 + math.hypot(0.6, 0.2 / 20))


def test_nothing_travelled_emits_nothing():
    total = total_footprint([], SET)
    assert (total.usage.high, total.life_cycle.high, total.factor_ids) == (0, 0, ())


def test_a_leg_of_no_length_emits_nothing():
    assert leg_footprint(leg(CAR, 0), SET).life_cycle.high == 0


def test_legs_may_come_one_at_a_time():
    legs = [leg(CAR), leg(BUS)]
    assert total_footprint(iter(legs), SET) == total_footprint(legs, SET)


def test_the_shares_of_the_modes_add_up_to_the_total():
    legs = [leg({CAR: 0.6, BUS: 0.4}), leg(BIKE), leg({CAR: 0.1, TransportMode.UNKNOWN: 0.9})]
    shares = footprint_by_mode(legs, SET).values()
    total = total_footprint(legs, SET).life_cycle.value
    assert sum(share.life_cycle.value for share in shares) == pytest.approx(total)


def test_the_share_of_a_certain_mode_is_its_own_footprint():
    legs = [leg(CAR, 3), leg(BUS, 4)]
    assert footprint_by_mode(legs, SET)[BUS] == leg_footprint(legs[1], SET)


def test_the_share_of_a_doubtful_mode_may_be_none():
    share = footprint_by_mode([leg({CAR: 0.9, BUS: 0.1})], SET)[CAR].life_cycle
    assert share.low == pytest.approx(0, abs=1e-9)


def test_shares_come_in_the_order_of_the_enumeration():
    shares = footprint_by_mode([leg(BUS), leg(BIKE)], SET)
    assert list(shares) == [BIKE, BUS]


# Life-cycle value and U95 in percent, from the publishers: the sampler does not read our files.
PUBLISHED = {
    CAR: (0.223, 60),
    BUS: (0.147, 60),
    TER: (0.0277, 60),
    TransportMode.PLANE: (0.224572, 70),
}


def sampled(legs, draws=60_000):
    """Draw the legs' total: shared factors, one distance and one mode per leg."""
    rng = np.random.default_rng(20261102)
    factors = {m: rng.normal(v, v * u / 100 / 1.96, draws) for m, (v, u) in PUBLISHED.items()}
    total = np.zeros(draws)
    for each in legs:
        km = each.distance_m / 1000
        travelled = rng.normal(km, km * each.distance_u95_percent / 100 / 1.96, draws)
        choice = rng.random(draws)
        begin = 0.0
        for mode, probability in each.modes.items():
            chosen = (choice >= begin) & (choice < begin + probability)
            total += np.where(chosen, travelled * factors[mode], 0.0)
            begin += probability
    return total


SCENARIOS = {
    "one car trip": [leg(CAR, 100, distance_u95_percent=15)],
    "car commutes": [leg(CAR, 14.2, distance_u95_percent=20)] * 60,
    "mixed year": [leg(CAR, 14, distance_u95_percent=10)] * 40
    + [leg(BUS, 6, distance_u95_percent=10)] * 40
    + [leg(TER, 90, distance_u95_percent=5)] * 10
    + [leg(TransportMode.PLANE, 800, distance_u95_percent=5)],
    "doubtful modes": [leg({CAR: 0.8, BUS: 0.2}, 12, distance_u95_percent=15)] * 60
    + [leg({BUS: 0.5, TER: 0.5}, 30, distance_u95_percent=15)] * 60,
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_formula_agrees_with_a_sampler_within_two_percent(name):
    analytic = total_footprint(SCENARIOS[name], SET).life_cycle
    total = sampled(SCENARIOS[name])
    expected = [total.mean(), *np.quantile(total, [0.025, 0.975])]
    half_width = (expected[2] - expected[1]) / 2
    ours = (analytic.high - analytic.low) / 2
    assert (analytic.value, analytic.high, ours) == (
        pytest.approx(expected[0], rel=0.02),
        pytest.approx(expected[2], rel=0.02),
        pytest.approx(half_width, rel=0.02),
    )


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("distance_m", {"distance_m": -1.0}),
        ("distance_m", {"distance_m": math.nan}),
        ("distance_m", {"distance_m": math.inf}),
        ("distance_m", {"distance_m": 1e300}),
        ("distance_m", {"distance_m": "12"}),
        ("occupants", {"occupants": 0}),
        ("occupants", {"occupants": 0.5}),
        ("occupants", {"occupants": math.nan}),
        ("occupants", {"occupants": math.inf}),
        ("distance_u95_percent", {"distance_u95_percent": -1.0}),
        ("distance_u95_percent", {"distance_u95_percent": math.nan}),
        ("distance_u95_percent", {"distance_u95_percent": 1e6}),
        ("modes", {"modes": {}}),
        ("modes", {"modes": {CAR: 0.5, BUS: 0.4}}),
        ("modes", {"modes": {CAR: 1.5, BUS: -0.5}}),
        ("modes", {"modes": {CAR: math.nan}}),
        ("modes", {"modes": {"car_petrol": 1.0}}),
        ("on", {"on": datetime(2026, 11, 2, tzinfo=UTC)}),
        ("on", {"on": "2026-11-02"}),
    ],
)
def test_an_impossible_leg_is_refused_by_field(field, change):
    with pytest.raises(InvalidActivity) as caught:
        dataclasses.replace(leg(CAR), **change)
    assert caught.value.field == field


def test_a_leg_on_a_day_that_no_factor_covers_is_refused():
    old = dataclasses.replace(leg(CAR), on=date(1999, 12, 31))
    with pytest.raises(DateOutsideSet, match="1999") as caught:
        total_footprint([old], SET)
    assert caught.value.field == "on"


def test_a_leg_keeps_its_own_copy_of_the_modes():
    modes = {CAR: 1.0}
    kept = leg(modes)
    modes[CAR] = 0.0
    assert kept.modes == {CAR: 1.0}
