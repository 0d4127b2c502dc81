"""Intervals, and how the errors of many legs add up to one.

Every interval is a 95 % interval, as Bilan Carbone publishes them (U95). Three kinds of error, per
side (low and high are kept apart, so a range that is not symmetric stays so):

- the errors of emission factors, of measured consumptions, and the doubt between the candidates of
  an unspecific mode, are shared by every leg that uses them: **linear** within one source,
  root-sum-square across sources;
- distance error: independent from leg to leg;
- mode error: independent from leg to leg.

One leg, mode k with probability p, mass v, half-width h_s of source s, distance error U:
H² = Σh_s² + (Uv)². In 95 % units squared its mixture, of mean m = Σpv, has
W = z²Σp(v - m)² + ΣpH², of which (Σph_s)² per source is shared and the remainder R is the leg's
own. The total's half-width is

    √( Σ over sources (Σ over legs Σph_s)²  +  Σ over legs R  +  max over legs (q² - W)⁺ )

where q is the distance from the expected value to the 2.5 % or 97.5 % quantile of that leg's exact
mixture. The last term keeps a single doubtful leg honest (5 % chance of a long flight): its
interval is never narrower than its mixture's quantiles; in a sum of many legs it vanishes.

Differences use the same formula on signed rates: what both scenarios share cancels before anything
is squared, as it would if a sampler drew each shared error once (`carbon.differences`).

First order: products of two errors are left out, as Bilan Carbone does (60 % and 15 % give
61.85 %). It is not a sampler: the tests compare it with one.

>>> Interval(value=2.0, low=1.0, high=4.0).high
4.0
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

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
class SignedInterval:
    """A difference and its 95 % interval: like `Interval`, but it may be below zero.

    Raises:
        CarbonError: the three numbers are not finite or not in order.

    >>> SignedInterval(value=-1.0, low=-2.0, high=0.5).high
    0.5

    """

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse what is not an interval."""
        if not (-math.inf < self.low <= self.value <= self.high < math.inf):
            raise CarbonError(
                "interval",
                f"expected low <= value <= high, seen {self.low}, {self.value}, {self.high}",
            )


class SharedError(NamedTuple):
    """Half-widths of one shared error, per km, towards low and towards high.

    Both are below zero where the error acts backwards, as what a scenario saves does.

    >>> SharedError(source="bus", low=0.1, high=0.2).high
    0.2
    """

    source: str
    low: float
    high: float


class Rate(NamedTuple):
    """What one kilometre emits, in kgCO2e per person, and the shared errors of that figure.

    >>> Rate(value=0.2, errors=(SharedError("car", 0.12, 0.12),)).value
    0.2
    """

    value: float
    errors: tuple[SharedError, ...]

    def minus(self, other: "Rate") -> "Rate":
        """Return what this emits more than the other: errors of one source cancel.

        >>> car = Rate(2.0, (SharedError("car", 1.0, 1.0),))
        >>> car.minus(car).errors
        (SharedError(source='car', low=0.0, high=0.0),)
        """
        widths = {source: (low, high) for source, low, high in self.errors}
        for source, low, high in other.errors:
            mine = widths.get(source, (0.0, 0.0))
            widths[source] = (mine[0] - low, mine[1] - high)
        return Rate(
            value=self.value - other.value,
            errors=tuple(SharedError(source, *pair) for source, pair in widths.items()),
        )


def rate_of(interval: Interval, source: str) -> Rate:
    """Return the rate that has this interval because of one shared error.

    >>> rate_of(Interval(value=2.0, low=1.0, high=4.0), "car").errors
    (SharedError(source='car', low=1.0, high=2.0),)
    """
    low, high = interval.value - interval.low, interval.high - interval.value
    return Rate(interval.value, (SharedError(source, low, high),))


class Outcome(NamedTuple):
    """What a leg emits per km if it was travelled by one mode; probability is in [0, 1].

    >>> Outcome(1.0, Rate(0.2, ())).probability
    1.0
    """

    probability: float
    rate: Rate


class Propagation:
    """Adds legs one by one and gives the interval of their sum.

    >>> propagation = Propagation()
    >>> car = rate_of(Interval(value=1.0, low=0.4, high=1.6), "car")
    >>> for _ in range(2):
    ...     propagation.add([Outcome(1.0, car)], distance_km=10.0)
    >>> propagation.interval()
    Interval(value=20.0, low=8.0, high=32.0)
    """

    def __init__(self) -> None:
        """Begin with nothing: zero, exactly."""
        self.value = 0.0
        self.low = Side(sign=-1)
        self.high = Side(sign=1)
        self.shared: dict[str, list[float]] = {}

    def add(
        self, outcomes: Sequence[Outcome], *, distance_km: float = 1.0, distance_u95: float = 0.0
    ) -> None:
        """Add one leg: its outcomes, its kilometres, its distance error as a fraction.

        Probability that the outcomes leave over is that of emitting nothing.

        >>> propagation = Propagation()
        >>> car = rate_of(Interval(value=1.0, low=0.4, high=1.6), "car")
        >>> propagation.add([Outcome(1.0, car)], distance_u95=0.15)
        >>> round(propagation.interval().high, 4)
        1.6185
        """
        own: dict[str, list[float]] = {}
        parts: list[Part] = []
        left = 1.0
        for probability, rate in outcomes:
            mass = rate.value * distance_km
            low2 = high2 = (mass * distance_u95) ** 2
            left -= probability
            for source, low, high in rate.errors:
                low_m, high_m = low * distance_km, high * distance_km
                low2 += (low_m if low >= 0 else high_m) ** 2
                high2 += (high_m if low >= 0 else low_m) ** 2
                widths = own.setdefault(source, [0.0, 0.0])
                widths[0] += probability * low_m
                widths[1] += probability * high_m
            parts.append(Part(probability, mass, low2, high2))
        if left > PROBABILITY_TOLERANCE:
            parts.append(Part(left, 0.0, 0.0, 0.0))
        self._keep(parts, own)

    def interval(self) -> Interval:
        """Return the sum of the legs so far; an emission is never below zero.

        >>> Propagation().interval()
        Interval(value=0.0, low=0.0, high=0.0)
        """
        signed = self.signed_interval()
        return Interval(value=signed.value, low=max(0.0, signed.low), high=signed.high)

    def signed_interval(self) -> SignedInterval:
        """Return the sum of the legs so far, which may be a difference below zero.

        >>> Propagation().signed_interval().value
        0.0
        """
        low2 = high2 = 0.0
        for low, high in self.shared.values():
            low2 += (low if low >= 0 else high) ** 2
            high2 += (high if low >= 0 else low) ** 2
        return SignedInterval(
            value=self.value,
            low=self.value - self.low.half_width(low2),
            high=self.value + self.high.half_width(high2),
        )

    def _keep(self, parts: "list[Part]", own: dict[str, list[float]]) -> None:
        expected = sum(part.probability * part.mass for part in parts)
        self.value += expected
        low2 = high2 = 0.0
        for source, (low, high) in own.items():
            low2 += (low if low >= 0 else high) ** 2
            high2 += (high if low >= 0 else low) ** 2
            widths = self.shared.setdefault(source, [0.0, 0.0])
            widths[0] += low
            widths[1] += high
        self.low.add(parts, expected, low2)
        self.high.add(parts, expected, high2)


class Part(NamedTuple):
    """One outcome of a leg: its mass, and its squared half-widths, distance error included.

    >>> Part(probability=1.0, mass=2.0, low2=1.0, high2=4.0).mass
    2.0
    """

    probability: float
    mass: float
    low2: float
    high2: float


class Side:
    """The running sums of one side: low (sign -1) or high (sign +1).

    >>> Side(sign=1).half_width(9.0)
    3.0
    """

    def __init__(self, *, sign: int) -> None:
        """Begin with no leg."""
        self.sign = sign
        self.own = 0.0
        self.allowance = 0.0

    def add(self, parts: Sequence[Part], expected: float, shared2: float) -> None:
        """Add one leg, of which `shared2` (squared) is shared with other legs.

        >>> side = Side(sign=1)
        >>> side.add([Part(1.0, 2.0, 1.0, 1.0)], 2.0, 0.0)
        >>> side.half_width(0.0)
        1.0
        """
        variance = 0.0
        for probability, mass, low2, high2 in parts:
            variance += probability * (
                (Z95 * (mass - expected)) ** 2 + (low2 if self.sign < 0 else high2)
            )
        self.own += max(0.0, variance - shared2)
        # One outcome is its own quantile. Of several, only a leg whose quantile lies beyond what
        # is already allowed for can raise the allowance, and only that leg pays the bisection.
        if len(parts) > 1 and self._reaches_beyond(parts, expected, variance):
            away = max(0.0, self.sign * (quantile(parts, self.sign) - expected))
            self.allowance = max(self.allowance, away**2 - variance)

    def half_width(self, shared2: float) -> float:
        """Return the half-width of the sum, given the squared half-width of what is shared.

        >>> Side(sign=-1).half_width(4.0)
        2.0
        """
        return math.sqrt(shared2 + self.own + self.allowance)

    def _reaches_beyond(self, parts: Sequence[Part], expected: float, variance: float) -> bool:
        allowed = math.sqrt(variance + self.allowance)
        farthest = max(
            self.sign * (part.mass - expected)
            + math.sqrt(part.low2 if self.sign < 0 else part.high2)
            for part in parts
        )
        if farthest <= allowed:
            return False
        inside = cumulated(parts, expected + self.sign * allowed)
        return inside < 0.975 if self.sign > 0 else inside > 0.025


def quantile(parts: Sequence[Part], sign: int) -> float:
    """Return the mass below which 2.5 % (sign -1) or 97.5 % (sign +1) of the outcomes lie.

    >>> round(quantile([Part(1.0, 10.0, 1.0, 4.0)], 1), 6)
    12.0
    """
    level = 0.025 if sign < 0 else 0.975
    low = min(part.mass - math.sqrt(part.low2) for part in parts)
    high = max(part.mass + math.sqrt(part.high2) for part in parts)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if cumulated(parts, middle) < level:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def cumulated(parts: Sequence[Part], mass: float) -> float:
    """Return the probability of at most that mass.

    Each outcome is a normal distribution with its own half-width on either side of its value, so
    that its own 95 % interval is the one published.

    >>> cumulated([Part(1.0, 10.0, 1.0, 4.0)], 10.0)
    0.5
    """
    total = 0.0
    for probability, value, low2, high2 in parts:
        away = mass - value
        width2 = high2 if away >= 0 else low2
        if width2 > 0:
            total += probability * STANDARD_NORMAL.cdf(Z95 * away / math.sqrt(width2))
        elif away >= 0:
            total += probability
    return total
