"""Try to show that a mechanism loses more than it says: a lower bound on ε, certified from draws.

Draws of the released vector under two neighbouring inputs are split in two. The first half picks
one statistic of the whole vector and one threshold that tell the inputs apart best; the second half
bounds both probabilities of that event by Clopper and Pearson. Then, with the stated confidence,
ε ≥ ln(lower bound of one / upper bound of the other).

It proves violations and never privacy: a bound below ε is what an honest mechanism gives, and what
a dishonest one gives to an audit that asks the wrong question. That is why statistics see the whole
vector, differences between coordinates, remainders and low bits: a missing joint cap or a noise
used twice is invisible in each coordinate alone, noise of even numbers only in how large it is,
and float noise in rounded figures.
Source: Clopper and Pearson, Biometrika 26 (1934); design page on privacy, section 5.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, log

import numpy as np
from numpy.typing import NDArray

from contributions.errors import Malformed

Draws = NDArray[np.float64]
"""Shape (draws, coordinates): one released vector a row, in units of the cap."""

DIVISORS = (2, 3, 5, 7)
"""Noise that keeps to the multiples of one of these, or of a product of them, is told by it."""
_DOUBT = 6.0
"""Standard deviations that an event must be worth on the first half: about 4 for the interval, 2
for having been chosen. Measured: less picks events too rare to certify anything, one time in five.
"""
THRESHOLDS = 200
"""Quantiles tried as thresholds on the first half; more only overfit it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the audit certifies: ε is at least `epsilon`, shown by this statistic."""

    epsilon: float
    statistic: str


def certify(
    first: Draws,
    second: Draws,
    *,
    inputs: tuple[NDArray[np.int64], NDArray[np.int64]],
    confidence: float = 0.9999,
) -> Finding:
    """Return a lower bound on ε, wrong with probability 1 - `confidence` at most.

    `first` and `second` hold one released vector a row, drawn under the two `inputs`; the rows are
    independent and both arrays have the same shape. Raises `Malformed` otherwise.
    """
    if first.shape != second.shape or first.ndim != 2 or len(first) < 1_000:
        raise Malformed("expected at least 1 000 draws of one length for each input")
    half = len(first) // 2
    best = Finding(epsilon=0.0, statistic="none")
    chosen: tuple[float, NDArray[np.float64], NDArray[np.float64], float, bool] | None = None
    for name, a, b in _statistics(first, second, inputs):
        score, threshold, above = _best_event(a[:half], b[:half])
        if chosen is None or score > chosen[0]:
            chosen = score, a[half:], b[half:], threshold, above
            best = Finding(epsilon=0.0, statistic=name)
    assert chosen is not None, "there is always a statistic"
    _score, a, b, threshold, above = chosen
    hits = [int(np.count_nonzero((x > threshold) if above else (x <= threshold))) for x in (a, b)]
    alpha = 1 - confidence
    bound = max(
        _log_ratio(hits[0], hits[1], len(a), alpha), _log_ratio(hits[1], hits[0], len(a), alpha)
    )
    return Finding(epsilon=max(0.0, bound), statistic=best.statistic)


def clopper_pearson(successes: int, trials: int, alpha: float) -> tuple[float, float]:
    """Return the two-sided interval of a proportion, outside with probability `alpha` at most."""
    from scipy.special import betaincinv  # noqa: PLC0415 (for audits only)

    low = 0.0 if successes == 0 else betaincinv(successes, trials - successes + 1, alpha / 2)
    high = (
        1.0 if successes == trials else betaincinv(successes + 1, trials - successes, 1 - alpha / 2)
    )
    return float(low), float(high)


def _statistics(
    first: Draws, second: Draws, inputs: tuple[NDArray[np.int64], NDArray[np.int64]]
) -> Iterator[tuple[str, NDArray[np.float64], NDArray[np.float64]]]:
    z, other = inputs
    direction = (other - z).astype(float)

    def likelihood(y: Draws) -> NDArray[np.float64]:
        return np.asarray(np.abs(y - z).sum(axis=1) - np.abs(y - other).sum(axis=1))

    yield "likelihood", likelihood(first), likelihood(second)
    yield "projection", first @ direction, second @ direction
    if first.shape[1] > 1:
        for at in range(first.shape[1] - 1):
            yield "difference", first[:, at] - first[:, at + 1], second[:, at] - second[:, at + 1]
    moved = np.flatnonzero(direction)
    for divisor in DIVISORS:
        a, b = (_multiples(y, z, moved, divisor) for y in (first, second))
        yield f"remainder by {divisor}", a, b
    yield "low bits", _low_bits(first[:, moved]), _low_bits(second[:, moved])


def _multiples(
    y: Draws, z: NDArray[np.int64], moved: NDArray[np.intp], divisor: int
) -> NDArray[np.float64]:
    """Count the coordinates that differ from the first input by a multiple of the divisor."""
    return np.asarray((np.mod(y[:, moved] - z[moved], divisor) == 0).sum(axis=1), dtype=float)


def _low_bits(y: Draws) -> NDArray[np.float64]:
    """Count coordinates with bits below 2⁻⁵³, which adding 1 to a float erases."""
    scaled = np.ldexp(y, 53)
    return np.asarray((scaled != np.rint(scaled)).sum(axis=1), dtype=float)


def _best_event(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, float, bool]:
    """Return (score, threshold, whether the event is above it) that tells a from b best."""
    thresholds = np.unique(np.quantile(np.concatenate([a, b]), np.linspace(0, 1, THRESHOLDS)))
    a_below = np.searchsorted(np.sort(a), thresholds, side="right")
    b_below = np.searchsorted(np.sort(b), thresholds, side="right")
    best = (-inf, float(thresholds[0]), True)
    size = len(a)
    for threshold, x, y in zip(
        thresholds.tolist(), a_below.tolist(), b_below.tolist(), strict=True
    ):
        for above, p, q in ((False, x, y), (True, size - x, size - y)):
            # A rough lower bound: rare events look extreme by chance and certify nothing.
            doubt = _DOUBT * ((p + 1) ** -0.5 + (q + 1) ** -0.5)
            score = abs(log((p + 1) / (q + 1))) - doubt
            if max(p, q) > 50 and score > best[0]:
                best = (score, threshold, above)
    return best


def _log_ratio(more: int, fewer: int, trials: int, alpha: float) -> float:
    low, _ = clopper_pearson(more, trials, alpha / 2)
    _, high = clopper_pearson(fewer, trials, alpha / 2)
    return log(low / high) if low > 0 else float("-inf")
