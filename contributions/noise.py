"""Noise for trust mode `local`: how much, from where, and how wide the result is.

Mechanism: discrete Laplace, drawn by OpenDP from its own cryptographic generator, on each
coordinate of the vector before it leaves the store. With q = e^(-1/b), P(k) ∝ q^|k|.

- Privacy unit: one resident-week, one task.
- Neighbouring relation: any two weeks of the same resident (replacement), since whoever reads a
  report must not tell one possible week from another.
- Sensitivity: vectors are non-negative with Σz ≤ Q, so that for any two of them
  |z - z'|₁ ≤ |z|₁ + |z'|₁ ≤ 2Q, reached by Q units of one mode against Q of another.
- Loss: (2Q/b, 0); b = 2Q/ε gives pure ε. A sum of n reports is post-processing: no further loss.
- Variance of a coordinate of the sum: n · 2q/(1-q)², about n · 2b².

It decides nothing about budgets, and is no source of randomness itself: tests pass their own.
Two keepers' scale is in `two_keepers`: here their tasks are refused with `TrustModeNotServed`.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Protocol

from contributions.errors import NoiseRefused, TrustModeNotServed
from contributions.task import Task, TrustMode

COVERAGE = 0.95
"""Probability that the published interval covers the noiseless sum."""

_CUT = 1e-12
"""Bound on each of the two errors of `half_width_95`, in probability."""
_I64_ROOM = 2**62


class NoiseSource(Protocol):
    """Where noise comes from: OpenDP in a store, a known generator in a test."""

    def laplace(self, values: Sequence[int], scale: Fraction) -> tuple[int, ...]:
        """Return each value plus an independent discrete Laplace draw of this scale b."""


class OpenDPLaplace:
    """Discrete Laplace noise by OpenDP, whose generator is the operating system's.

    Sharp edges that this class keeps covered (opendp 0.16): `scale=0.` is accepted and adds no
    noise, its map being infinite; scales are floats, and one rounded down would exceed ε by a
    hair; 32-bit integers are the default, 64-bit ones saturate instead of overflowing; nothing
    runs before `enable_features("contrib")`. The library weighs 265 MB: it is loaded at the
    first draw, not with this module.
    """

    def laplace(self, values: Sequence[int], scale: Fraction) -> tuple[int, ...]:
        """Return the values plus independent noise of scale `scale` or a few ulps more.

        The loss of discrete Laplace is linear in the L1 distance d: checking that OpenDP's map
        gives at most 1/b at d = 1 gives at most 2Q/b = ε at d = 2Q. Raises `NoiseRefused` when
        the scale is no Fraction from 1/100 to 10**15, when OpenDP does not certify it, or when a
        value is so large that 64 bits could saturate.
        """
        if not isinstance(scale, Fraction):
            raise NoiseRefused("expected an exact Fraction as scale")
        _check(scale, 1)
        if any(abs(value) >= _I64_ROOM for value in values):
            raise NoiseRefused("expected values below 2**62; larger ones saturate with noise")
        import opendp.prelude as dp  # noqa: PLC0415 (265 MB, for the jobs that draw)

        dp.enable_features("contrib")
        space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
        rounded = _at_least(scale)
        # OpenDP rounds its map upwards too: a few steps up make the certificate exact.
        for _step in range(4):
            mechanism: Any = dp.m.make_laplace(*space, scale=rounded)
            if Fraction(mechanism.map(1)) <= 1 / scale:
                return tuple(mechanism(list(values)))
            rounded = math.nextafter(rounded, math.inf)
        raise NoiseRefused("expected OpenDP to certify a loss of 1/scale; report this version")


def noise_scale(task: Task) -> Fraction:
    """Return b = 2Q/ε, the scale of the noise of a `local` report, in units.

    Raises `TrustModeNotServed` for any other trust mode.
    """
    if task.trust_mode is not TrustMode.LOCAL:
        raise TrustModeNotServed(
            f"expected trust mode local, saw {task.trust_mode}: this version draws no keeper's "
            "noise; ask the cooperative for a local task"
        )
    return Fraction(2 * task.cap_units * 10**6, task.epsilon_micro)


def laplace_variance(scale: Fraction) -> float:
    """Return the variance 2q/(1-q)² of one discrete Laplace draw, q = e^(-1/b), in units²."""
    _check(scale, 1)
    # 2q/(1-q)² = 1/(2 sinh²(1/2b)), which keeps its digits for a large b.
    return 0.5 / math.sinh(float(1 / scale) / 2) ** 2


def noise_vs_two_keepers(n: int) -> float:
    """Return how many times wider the local noise is than two keepers' at the same ε.

    Both under replacement, both with b = 2Q/ε: n draws against two, hence √(n/2).
    """
    _check(Fraction(1), n)
    return math.sqrt(n / 2)


def half_width_95(scale: Fraction, n: int) -> int:
    """Return the smallest h such that the sum of `n` discrete Laplace draws is in ±h at 95 %.

    n = 1 has a closed form. Otherwise the distribution is inverted from its characteristic
    function φ(t)ⁿ, φ(t) = 1/(1 + sin²(t/2)/sinh²(1/2b)), by the discrete Fourier sum on N
    points: P(|S| ≤ h) = 1/N Σ_j φ(t_j)ⁿ sin((2h+1) t_j/2)/sin(t_j/2), t_j = 2πj/N.
    Two errors, both bounded: wrapping around N adds at most P(|S| > N/2), and the points left
    out carry at most 2/N Σ φⁿ/sin(t/2). Each is below 1e-12 in probability (float rounding
    stays below 1e-9), so that h is exact unless two neighbours tie to nine digits, and then
    it is one unit off at most. Raises `NoiseRefused` unless 1/100 ≤ scale ≤ 10¹⁵
    and n ≥ 1.
    """
    _check(scale, n)
    inverse = float(1 / scale)
    if n == 1:
        # P(|Y| > h) = 2 q^(h+1)/(1+q)
        tail = (1 - COVERAGE) * (1 + math.exp(-inverse)) / 2
        return max(0, math.ceil(-math.log(tail) / inverse) - 1)
    import numpy as np  # noqa: PLC0415 (a store never needs it; a release does)

    spread = math.sinh(inverse / 2) ** -2
    size = 2 * _tail_bound(inverse, n) + 1
    half_angles = np.pi * np.arange(1, _points(spread, n, size) + 1) / size
    sines = np.sin(half_angles)
    weights = np.exp(-n * np.log1p(spread * sines**2)) / sines
    low, high = 0, size // 2
    while low < high:
        middle = (low + high) // 2
        width = 2 * middle + 1
        within = (width + 2 * float(weights @ np.sin(width * half_angles))) / size
        if within >= COVERAGE:
            high = middle
        else:
            low = middle + 1
    return low


def _tail_bound(inverse: float, n: int) -> int:
    """Return x with P(|S| > x) ≤ 1e-12, by Chernoff: 2 E[e^(sY)]ⁿ e^(-sx), any 0 < s < 1/b."""

    def bound(fraction: float) -> float:
        s = fraction * inverse
        ratio = math.sinh(s / 2) / math.sinh(inverse / 2)
        return (math.log(2 / _CUT) - n * math.log1p(-(ratio**2))) / s

    return math.ceil(min(bound(step / 100) for step in range(1, 100)))


def _points(spread: float, n: int, size: int) -> int:
    """Return how many of the Fourier points to keep, n ≥ 2.

    With sin x ≥ 2x/π, the points after J carry at most the integral beyond J of
    (1 + c x²)^-n dx/x ≤ (1 + c J²)^(1-n) / (2c (n-1) J²), c = 4·spread/N².
    """
    c = 4 * spread / size**2
    kept = 32
    while kept < size // 2:
        beyond = math.exp((1 - n) * math.log1p(c * kept**2)) / (2 * c * (n - 1) * kept**2)
        if beyond <= _CUT:
            return kept
        kept *= 2
    return size // 2


def _check(scale: Fraction, n: int) -> None:
    if not Fraction(1, 100) <= scale <= 10**15 or n < 1:
        raise NoiseRefused("expected a scale from 1/100 to 10**15 units and at least one report")


def _at_least(scale: Fraction) -> float:
    """Return the smallest float that is not below an exact scale."""
    nearest = float(scale)
    return nearest if Fraction(nearest) >= scale else math.nextafter(nearest, math.inf)
