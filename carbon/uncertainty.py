"""Intervals, and how the errors of many legs add up to one.

Every interval is a 95 % interval, as Bilan Carbone publishes them (U95). Three kinds of error, per
side (low and high are kept apart, so a range that is not symmetric stays so):

- an emission factor's own error, and the doubt between the candidates of an unspecific mode, are
  shared by every leg that uses them: **linear** within one source, root-sum-square across sources;
- distance error: independent from leg to leg;
- mode error: independent from leg to leg.

One leg, mode k with probability p, mass v, half-width h, distance error U: H² = h² + (Uv)². In
95 % units squared its mixture, of mean m = Σpv, has W = z²Σp(v - m)² + ΣpH², of which (Σph)² per
source is shared and the remainder R is the leg's own. The total's half-width is

    √( Σ over sources (Σ over legs Σph)²  +  Σ over legs R  +  max over legs (q² - W)⁺ )

where q is the distance from the expected value to the 2.5 % or 97.5 % quantile of that leg's exact
mixture. The last term keeps a single doubtful leg honest (5 % chance of a long flight): its
interval is never narrower than its mixture's quantiles; in a sum of many legs it vanishes.

First order: products of two errors are left out, as Bilan Carbone does (60 % and 15 % give
61.85 %). It is not a sampler: the tests compare it with one.

>>> Interval(value=2.0, low=1.0, high=4.0).high
4.0
"""

import math
from collections import defaultdict
from dataclasses import dataclass
from statistics import NormalDist

from carbon.errors import CarbonError

# 97.5 % quantile of the standard normal distribution: half-widths of U95 over it are one sigma.
Z95 = 1.959963984540054
STANDARD_NORMAL = NormalDist()
# Halvings of an interval: 2^-60 of its width, below what a double distinguishes.
BISECTIONS = 60
# What a sum of probabilities may miss of 1 before the rest counts as emitting nothing.
PROBABILITY_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value and its 95 % interval, in the unit of its owner; 0 <= low <= value <= high.

    Raises:
        CarbonError: the three numbers are not finite or not in order.

    >>> Interval(value=1.0, low=1.2, high=2.0)
    Traceback (most recent call last):
    carbon.errors.CarbonError: interval: expected 0 <= low <= value <= high, seen 1.2, 1.0, 2.0

    """

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse what is not an interval."""
        if not (0 <= self.low <= self.value <= self.high < math.inf):
            raise CarbonError(
                "interval",
                f"expected 0 <= low <= value <= high, seen {self.low}, {self.value}, {self.high}",
            )

    def scaled(self, by: float) -> "Interval":
        """Return the interval multiplied by a number >= 0 that has no error of its own.

        >>> Interval(value=2.0, low=1.0, high=4.0).scaled(10.0)
        Interval(value=20.0, low=10.0, high=40.0)
        """
        return Interval(value=self.value * by, low=self.low * by, high=self.high * by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a leg emits if it was travelled by one mode.

    `emission` carries the factor's error alone, without that of the distance; outcomes with the
    same `source` share that error. `probability` is in [0, 1].

    >>> kg = Interval(value=2.0, low=1.0, high=3.0)
    >>> Outcome(probability=1.0, emission=kg, source="bus").source
    'bus'
    """

    probability: float
    emission: Interval
    source: str


class Propagation:
    """Adds legs one by one and gives the interval of their sum.

    >>> propagation = Propagation()
    >>> for _ in range(2):
    ...     kg = Interval(value=10.0, low=4.0, high=16.0)
    ...     propagation.add([Outcome(probability=1.0, emission=kg, source="car")])
    >>> propagation.interval()
    Interval(value=20.0, low=8.0, high=32.0)
    """

    def __init__(self) -> None:
        """Begin with nothing: zero, exactly."""
        self._value = 0.0
        self._low = _Side(sign=-1)
        self._high = _Side(sign=1)

    def add(self, outcomes: list[Outcome], *, distance_u95: float = 0.0) -> None:
        """Add one leg: its outcomes, and its distance error as a fraction (0.1 for 10 %).

        Probability that the outcomes leave over is that of emitting nothing.

        >>> propagation = Propagation()
        >>> kg = Interval(value=1.0, low=0.4, high=1.6)
        >>> outcome = Outcome(probability=1.0, emission=kg, source="car")
        >>> propagation.add([outcome], distance_u95=0.15)
        >>> round(propagation.interval().high, 4)
        1.6185
        """
        rest = 1.0 - sum(each.probability for each in outcomes)
        if rest > PROBABILITY_TOLERANCE:
            outcomes = [*outcomes, Outcome(probability=rest, emission=NOTHING, source="nothing")]
        self._value += sum(each.probability * each.emission.value for each in outcomes)
        self._low.add(outcomes, distance_u95)
        self._high.add(outcomes, distance_u95)

    def interval(self) -> Interval:
        """Return the sum of the legs so far; an emission is never below zero.

        >>> Propagation().interval()
        Interval(value=0.0, low=0.0, high=0.0)
        """
        return Interval(
            value=self._value,
            low=max(0.0, self._value - self._low.half_width()),
            high=self._value + self._high.half_width(),
        )


class _Side:
    """The running sums of one side: low (sign -1) or high (sign +1)."""

    def __init__(self, *, sign: int) -> None:
        self._sign = sign
        self._shared: dict[str, float] = defaultdict(float)
        self._own = 0.0
        self._allowance = 0.0

    def add(self, outcomes: list[Outcome], distance_u95: float) -> None:
        legs_shared: dict[str, float] = defaultdict(float)
        for each in outcomes:
            legs_shared[each.source] += each.probability * _factor_width(each, self._sign)
        for source, width in legs_shared.items():
            self._shared[source] += width
        mixture = _Mixture(outcomes, distance_u95)
        variance = mixture.variance(self._sign)
        self._own += max(0.0, variance - sum(width**2 for width in legs_shared.values()))
        # The quantile costs a bisection: only a leg that could raise the allowance pays it.
        if mixture.reach(self._sign) ** 2 - variance > self._allowance:
            away = max(0.0, self._sign * (mixture.quantile(self._sign) - mixture.expected))
            self._allowance = max(self._allowance, away**2 - variance)

    def half_width(self) -> float:
        shared = sum(width**2 for width in self._shared.values())
        return math.sqrt(shared + self._own + self._allowance)


class _Mixture:
    """One leg's outcomes as a probability distribution, distance error included.

    Each outcome is a normal distribution with its own half-width on either side of its value, so
    that its own 95 % interval is the one published.
    """

    def __init__(self, outcomes: list[Outcome], distance_u95: float) -> None:
        self.expected = sum(each.probability * each.emission.value for each in outcomes)
        self._parts = [
            (
                each.probability,
                each.emission.value,
                math.hypot(_factor_width(each, -1), each.emission.value * distance_u95),
                math.hypot(_factor_width(each, 1), each.emission.value * distance_u95),
            )
            for each in outcomes
        ]

    def variance(self, sign: int) -> float:
        """Return the mixture's variance in 95 % units squared, with the widths of one side."""
        between = sum(p * (value - self.expected) ** 2 for p, value, _, _ in self._parts)
        within = sum(p * (low if sign < 0 else high) ** 2 for p, _, low, high in self._parts)
        return Z95**2 * between + within

    def reach(self, sign: int) -> float:
        """Return how far from the expected value the farthest bound of an outcome lies."""
        if sign < 0:
            return max(self.expected - (value - low) for _, value, low, _ in self._parts)
        return max(value + high - self.expected for _, value, _, high in self._parts)

    def quantile(self, sign: int) -> float:
        """Return the mass below which 2.5 % (sign -1) or 97.5 % (sign +1) lie, by bisection."""
        level = 0.025 if sign < 0 else 0.975
        low, high = self.expected - self.reach(-1), self.expected + self.reach(1)
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            if self._cumulated(middle) < level:
                low = middle
            else:
                high = middle
        return (low + high) / 2

    def _cumulated(self, mass: float) -> float:
        total = 0.0
        for probability, value, low, high in self._parts:
            away = mass - value
            width = high if away >= 0 else low
            if width > 0:
                total += probability * STANDARD_NORMAL.cdf(Z95 * away / width)
            elif away >= 0:
                total += probability
        return total


def _factor_width(outcome: Outcome, sign: int) -> float:
    emission = outcome.emission
    return emission.value - emission.low if sign < 0 else emission.high - emission.value


NOTHING = Interval(value=0.0, low=0.0, high=0.0)
