"""A million legs at once give the same figures as one leg at a time."""

import dataclasses
import sys
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon.columns import CHUNK, LegColumns, columns_footprint
from carbon.errors import CarbonError, DateOutsideSet, InvalidActivity, NoFactor
from carbon.factors import FactorSet, load_factor_set
from carbon.footprint import LegActivity, total_footprint
from carbon.modes import TransportMode

SET = load_factor_set()
CAR, BUS, BIKE = TransportMode.CAR, TransportMode.BUS, TransportMode.BIKE
DAY = date(2026, 11, 2)


def as_columns(legs):
    modes = {mode: None for leg in legs for mode in leg.modes}
    return LegColumns(
        modes={mode: [leg.modes.get(mode, 0.0) for leg in legs] for mode in modes},
        distance_m=[leg.distance_m for leg in legs],
        days=[leg.on.toordinal() for leg in legs],
        occupants=[leg.occupants for leg in legs],
        distance_u95_percent=[leg.distance_u95_percent for leg in legs],
    )


def figures(footprint):
    return [
        getattr(interval, end)
        for interval in (footprint.usage, footprint.life_cycle)
        for end in ("value", "low", "high")
    ]


def shares(weights):
    total = sum(weights.values())
    return {mode: weight / total for mode, weight in weights.items()}


LEGS = st.builds(
    LegActivity,
    modes=st.dictionaries(
        st.sampled_from(TransportMode), st.floats(0.01, 1), min_size=1, max_size=6
    ).map(shares),
    distance_m=st.one_of(st.floats(0, 50_000), st.floats(90_000, 9_000_000)),
    on=st.dates(date(2010, 1, 1), date(2027, 12, 31)),
    occupants=st.floats(1, 9),
    distance_u95_percent=st.floats(0, 60),
)


@given(legs=st.lists(LEGS, min_size=1, max_size=12), contrails=st.booleans())
@settings(max_examples=150, deadline=None)
def test_columns_give_the_figures_of_one_leg_at_a_time(legs, contrails):
    one_by_one = total_footprint(legs, SET, contrails=contrails)
    at_once = columns_footprint(as_columns(legs), SET, contrails=contrails)
    assert figures(at_once) == pytest.approx(figures(one_by_one), rel=1e-6, abs=1e-9)
    assert at_once.factor_ids == one_by_one.factor_ids


def test_many_chunks_give_the_figures_of_one_leg_at_a_time():
    rng = np.random.default_rng(20261122)
    count = 3 * CHUNK + 17
    weights = rng.dirichlet([0.3, 0.3, 0.3], count).T
    columns = LegColumns(
        modes=dict(zip((CAR, BUS, TransportMode.UNKNOWN), weights, strict=True)),
        distance_m=rng.lognormal(8.5, 1.5, count),
        days=DAY.toordinal() - rng.integers(0, 4_000, count),
        occupants=rng.choice([1.0, 1.4, 3.0], count),
        distance_u95_percent=10.0,
    )
    legs = [
        LegActivity(
            modes={mode: float(column[i]) for mode, column in columns.modes.items()},
            distance_m=float(columns.distance_m[i]),
            on=date.fromordinal(int(columns.days[i])),
            occupants=float(columns.occupants[i]),
            distance_u95_percent=10.0,
        )
        for i in range(count)
    ]
    expected = figures(total_footprint(legs, SET))
    assert figures(columns_footprint(columns, SET)) == pytest.approx(expected, rel=1e-9)


def test_legs_that_are_all_alike_are_no_slower():
    """Each would be the most demanding: screening must not ask every one of them exactly."""
    count = 50_000
    columns = LegColumns(
        modes={CAR: np.full(count, 0.5), BIKE: np.full(count, 0.5)},
        distance_m=np.full(count, 5_000.0),
        days=np.full(count, DAY.toordinal()),
    )
    leg = LegActivity(modes={CAR: 0.5, BIKE: 0.5}, distance_m=5_000.0, on=DAY)
    expected = figures(total_footprint([leg] * count, SET))
    assert figures(columns_footprint(columns, SET)) == pytest.approx(expected, rel=1e-6)


def test_no_leg_emits_nothing():
    nothing = columns_footprint(LegColumns(modes={}, distance_m=[], days=[]), SET)
    assert (figures(nothing), nothing.factor_ids) == ([0] * 6, ())


GOOD = LegColumns(modes={CAR: [1.0, 1.0]}, distance_m=[1.0, 2.0], days=[DAY.toordinal()] * 2)


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("distance_m", {"distance_m": [1.0, -2.0]}),
        ("distance_m", {"distance_m": [1.0, float("nan")]}),
        ("occupants", {"occupants": [1.0, 0.5]}),
        ("occupants", {"occupants": [1.0, float("inf")]}),
        ("distance_u95_percent", {"distance_u95_percent": -1.0}),
        ("days", {"days": [DAY.toordinal()]}),
        ("days", {"days": [DAY.toordinal(), 0]}),
        ("days", {"days": [DAY.toordinal(), float("nan")]}),
        ("days", {"days": [DAY.toordinal(), float("inf")]}),
        ("days", {"days": [DAY.toordinal(), DAY.toordinal() + 0.5]}),
        ("distance_m", {"distance_m": [1.0, "loin"]}),
        ("modes", {"modes": {CAR: [1.0, 0.5]}}),
        ("modes", {"modes": {CAR: [1.0, 1.5], BUS: [0.0, -0.5]}}),
        ("modes", {"modes": {"car": [1.0, 1.0]}}),
    ],
)
def test_an_impossible_column_is_refused_by_field(field, change):
    with pytest.raises(InvalidActivity) as caught:
        columns_footprint(dataclasses.replace(GOOD, **change), SET)
    assert caught.value.field == field


def test_an_impossible_row_is_named():
    with pytest.raises(InvalidActivity, match="row 1"):
        columns_footprint(dataclasses.replace(GOOD, occupants=[1.0, 0.0]), SET)


def test_a_day_that_no_factor_covers_is_refused():
    old = dataclasses.replace(GOOD, days=[DAY.toordinal(), date(1999, 1, 1).toordinal()])
    with pytest.raises(DateOutsideSet):
        columns_footprint(old, SET)


def test_a_mode_without_factor_is_refused():
    only_bus = FactorSet(name="bus", factors=(SET.factor("bus.bc22.27999"),), sha256="")
    with pytest.raises(NoFactor):
        columns_footprint(GOOD, only_bus)


def test_without_numpy_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(CarbonError, match="use total_footprint"):
        columns_footprint(GOOD, SET)
