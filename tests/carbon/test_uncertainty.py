"""How errors add up, against sums made by hand and against sampled mixtures."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon.errors import CarbonError
from carbon.uncertainty import Interval, Outcome, Propagation, rate_of

DRAWS = 200_000


def kg(value, u95_percent=0.0):
    width = value * u95_percent / 100
    return Interval(value=value, low=max(0.0, value - width), high=value + width)


def certain(value, u95_percent, source):
    return [Outcome(1.0, rate_of(kg(value, u95_percent), source))]


def added(*legs):
    propagation = Propagation()
    for outcomes, distance_u95 in legs:
        propagation.add(outcomes, distance_u95=distance_u95)
    return propagation.interval()


def test_errors_of_one_source_add_linearly():
    total = added((certain(10, 60, "car"), 0), (certain(30, 60, "car"), 0))
    assert total.high == pytest.approx(40 * 1.6)


def test_errors_of_two_sources_add_in_quadrature():
    total = added((certain(10, 60, "car"), 0), (certain(30, 20, "train"), 0))
    assert total.high == pytest.approx(40 + math.hypot(6, 6))


def test_distance_errors_of_two_legs_add_in_quadrature():
    total = added((certain(10, 0, "car"), 0.3), (certain(10, 0, "car"), 0.4))
    assert total.low == pytest.approx(20 - math.hypot(3, 4))


def test_a_wide_interval_stops_at_zero():
    assert added((certain(10, 90, "bike"), 0.9)).low == 0


def test_a_skewed_range_keeps_its_two_sides():
    unknown = Interval(value=5.0, low=0.0, high=16.0)
    total = added(([Outcome(1.0, rate_of(unknown, "unknown"))], 0))
    assert (total.low, total.high) == (0.0, 16.0)


def test_probability_left_over_is_that_of_nothing():
    half = [Outcome(0.97, rate_of(kg(10, 0), "car"))]
    total = added((half, 0))
    assert (total.value, total.low) == (pytest.approx(9.7), pytest.approx(0, abs=1e-9))


@pytest.mark.parametrize("probability", [0.03, 0.05, 0.3, 0.5, 0.9, 0.97])
def test_the_interval_of_one_doubtful_leg_covers_its_mixture(probability):
    """The oracle is a sampler: car with this probability, else walking."""
    car, walk = kg(10, 60), kg(0)
    outcomes = [
        Outcome(probability, rate_of(car, "car")),
        Outcome(1 - probability, rate_of(walk, "walk")),
    ]
    total = added((outcomes, 0))
    rng = np.random.default_rng(1)
    drawn = np.where(rng.random(DRAWS) < probability, rng.normal(10, 6 / 1.96, DRAWS), 0.0)
    drawn = np.maximum(drawn, 0)
    assert np.mean((drawn >= total.low) & (drawn <= total.high)) >= 0.949


@pytest.mark.parametrize("count", [2, 5, 20])
def test_the_interval_of_a_few_doubtful_legs_covers_their_sum(count):
    """Independent 5 % chances of a flight: the skewed case, where a normal sum would fail."""
    outcomes = [
        Outcome(0.05, rate_of(kg(100, 20), "plane")),
        Outcome(0.95, rate_of(kg(1, 20), "train")),
    ]
    total = added(*[(outcomes, 0)] * count)
    rng = np.random.default_rng(2)
    flights = rng.binomial(count, 0.05, DRAWS)
    plane = rng.normal(100, 20 / 1.96, DRAWS)
    train = rng.normal(1, 0.2 / 1.96, DRAWS)
    drawn = flights * plane + (count - flights) * train
    assert np.mean((drawn >= total.low) & (drawn <= total.high)) >= 0.94


@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.floats(0, 200), st.floats(0, 100), st.sampled_from("abc")),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=100, deadline=None)
def test_an_interval_always_holds_its_value(legs):
    total = added(
        *[(certain(value, u95, source), error / 100) for value, u95, error, source in legs]
    )
    assert 0 <= total.low <= total.value <= total.high


@given(st.floats(0.01, 0.99), st.floats(0.1, 100), st.floats(0.1, 100), st.floats(0, 90))
@settings(max_examples=100, deadline=None)
def test_a_mixture_reaches_no_farther_than_its_formula(probability, one, other, u95):
    """No wider than the widest of: the exact quantile, and the mixture's standard deviation."""
    outcomes = [
        Outcome(probability, rate_of(kg(one, u95), "one")),
        Outcome(1 - probability, rate_of(kg(other, u95), "other")),
    ]
    total = added((outcomes, 0))
    mean = probability * one + (1 - probability) * other
    spread = probability * (1 - probability) * (one - other) ** 2
    within = (u95 / 100 / 1.959963984540054) ** 2 * (
        probability * one**2 + (1 - probability) * other**2
    )
    normal = mean + 1.959963984540054 * math.sqrt(spread + within)
    farthest = max(one, other) * (1 + u95 / 100)
    assert normal * (1 - 1e-9) <= total.high <= max(normal, farthest) * (1 + 1e-9)


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [(1, 2, 3), (3, 1, 2), (1, -1, 2), (math.nan, 0, 1), (1, 0, math.inf)],
)
def test_three_numbers_out_of_order_are_no_interval(value, low, high):
    with pytest.raises(CarbonError) as caught:
        Interval(value=value, low=low, high=high)
    assert caught.value.field == "interval"
