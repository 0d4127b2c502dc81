"""Which of many doubtful legs widens the interval of their sum, found without asking each.

The exact quantile of a mixture costs a bisection; only the leg that widens most matters
(`carbon.uncertainty`, the allowance). Here whole columns are screened with an approximation of the
normal distribution, and the exact bisection is left to the few legs that remain. It is the numpy
half of `Side.add`, and no more; numpy is handed in by `carbon.columns`.

>>> import numpy as np
>>> flight = np.array([[0.95], [0.05]]), np.array([[1.0], [100.0]])
>>> none = np.zeros((2, 1))
>>> mixtures = Mixtures(*flight, low2=none, high2=none, variance=np.array([1_800.0]))
>>> side = Side(sign=1)
>>> raise_allowance(np, side, mixtures)
>>> round(side.allowance)
7045
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carbon.uncertainty import Z95, Part, Side, quantile

if TYPE_CHECKING:
    from numpy import float64, int64
    from numpy.typing import NDArray

    Floats = NDArray[float64]
    Ints = NDArray[int64]

# Abramowitz and Stegun 26.2.17, for the upper tail of the standard normal: |error| < 7.5e-8.
TAIL = (0.319381530, -0.356563782, 1.781477937, -1.821255978, 1.330274429)
TAIL_SLOPE = 0.2316419
# What the approximation may miss, doubled: nearer to the level than this counts as on the level.
MARGIN = 1.5e-7
# Halvings of the approximate bisection: 2^-30 of the bracket, below the margin.
HALVINGS = 30
# Legs of one chunk that are asked exactly.
FINALISTS = 8


@dataclass(frozen=True, slots=True)
class Mixtures:
    """Legs as mixtures: one row per mode, one column per leg; `variance` has one number per leg.

    `low2` and `high2` are squared half-widths, distance error included.

    >>> import numpy as np
    >>> one = np.ones((1, 2))
    >>> Mixtures(one, one, one, one, np.ones(2)).take(np.array([1])).variance
    array([1.])
    """

    probability: "Floats"
    mass: "Floats"
    low2: "Floats"
    high2: "Floats"
    variance: "Floats"

    def take(self, legs: "Ints") -> "Mixtures":
        """Return some of the legs.

        >>> import numpy as np
        >>> one = np.ones((1, 2))
        >>> Mixtures(one, one, one, one, np.ones(2)).take(np.array([0])).mass
        array([[1.]])
        """
        return Mixtures(
            self.probability[:, legs],
            self.mass[:, legs],
            self.low2[:, legs],
            self.high2[:, legs],
            self.variance[legs],
        )


def raise_allowance(np: Any, side: Side, legs: Mixtures) -> None:
    """Raise the side's allowance to what the most demanding of the legs needs.

    >>> import numpy as np
    >>> half, mass = np.full((2, 1), 0.5), np.array([[0.0], [10.0]])
    >>> side = Side(sign=-1)
    >>> raise_allowance(np, side, Mixtures(half, mass, mass, mass, np.array([1.0])))
    >>> round(side.allowance)
    24
    """
    away = _farthest(np, side, legs)
    demand = np.where(away > 0, away**2 - legs.variance, -1.0)
    left = np.flatnonzero(demand > side.allowance)
    if len(left) == 0:
        return
    legs = legs.take(left)
    expected = (legs.probability * legs.mass).sum(axis=0)
    allowed = expected + side.sign * np.sqrt(legs.variance + side.allowance)
    beyond = np.flatnonzero(_outside(np, legs, allowed, side.sign) > 0.025 + MARGIN)
    if len(beyond) > FINALISTS:
        demand = (_quantiles(np, legs.take(beyond), side.sign) - expected[beyond]) ** 2
        demand -= legs.variance[beyond]
        beyond = beyond[np.argpartition(demand, -FINALISTS)[-FINALISTS:]]
    _ask(side, legs.take(beyond))


def _farthest(np: Any, side: Side, legs: Mixtures) -> Any:
    """Return how far from its expected value each leg's farthest bound lies."""
    expected = (legs.probability * legs.mass).sum(axis=0)
    half = np.sqrt(legs.low2 if side.sign < 0 else legs.high2)
    bounds = side.sign * (legs.mass - expected) + half
    return np.where(legs.probability > 0, bounds, -math.inf).max(axis=0)


def _ask(side: Side, legs: Mixtures) -> None:
    """Raise the allowance by the exact quantiles of these legs."""
    for leg in range(len(legs.variance)):
        columns = (legs.probability, legs.mass, legs.low2, legs.high2)
        rows = zip(*(column[:, leg].tolist() for column in columns), strict=True)
        parts = [part for part in map(Part._make, rows) if part.probability > 0]
        expected = sum(part.probability * part.mass for part in parts)
        away = max(0.0, side.sign * (quantile(parts, side.sign) - expected))
        side.allowance = max(side.allowance, away**2 - float(legs.variance[leg]))


def _outside(np: Any, legs: Mixtures, bound: "Floats", sign: int) -> Any:
    """Return each leg's probability of more (sign +1), or of no more (sign -1), than its bound."""
    away = bound - legs.mass
    with np.errstate(divide="ignore", invalid="ignore"):
        standard = Z95 * away / np.sqrt(np.where(away >= 0, legs.high2, legs.low2))
    # An outcome without error that lies on the bound does not exceed it.
    standard = np.where(np.isnan(standard), math.inf, standard) * sign
    size = np.abs(standard)
    step = 1 / (1 + TAIL_SLOPE * size)
    series = np.zeros_like(step)
    for coefficient in reversed(TAIL):
        series = (series + coefficient) * step
    tail = np.exp(-(np.minimum(size, 40.0) ** 2) / 2) / math.sqrt(2 * math.pi) * series
    return (legs.probability * np.where(standard >= 0, tail, 1 - tail)).sum(axis=0)


def _quantiles(np: Any, legs: Mixtures, sign: int) -> Any:
    low = (legs.mass - np.sqrt(legs.low2)).min(axis=0)
    high = (legs.mass + np.sqrt(legs.high2)).max(axis=0)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        above = (_outside(np, legs, middle, sign) > 0.025) == (sign > 0)
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return (low + high) / 2
