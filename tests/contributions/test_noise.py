"""Noise against exact probabilities. Error rate: a correct sampler fails one of the goodness-of-fit
tests below with probability at most 1e-6 a run (p > 1e-6 is asked)."""

import ast
import math
import subprocess
import sys
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from statistics import NormalDist

import numpy as np
import opendp.prelude as dp
import pytest

import contributions
from contributions.errors import NoiseRefused, TrustModeNotServed
from contributions.noise import (
    OpenDPLaplace,
    half_width_95,
    laplace_variance,
    noise_scale,
    noise_vs_two_keepers,
)
from contributions.task import TrustMode


def _pmf(scale: float, reach: int) -> np.ndarray:
    """Return P(k) for -reach ≤ k ≤ reach from the definition (1-q)/(1+q)·q^|k|."""
    q = math.exp(-1 / scale)
    return (1 - q) / (1 + q) * q ** np.abs(np.arange(-reach, reach + 1))


def _sum_pmf(scale: float, n: int, reach: int) -> np.ndarray:
    """Convolve the pmf n - 1 times with itself: slow, exact, independent of any transform."""
    single = _pmf(scale, reach)
    total = single
    for _ in range(n - 1):
        total = np.convolve(total, single)
    return total


def _half_width_by_convolution(scale: float, n: int) -> int:
    pmf = _sum_pmf(scale, n, reach=math.ceil(40 * scale) + 5)
    centre = len(pmf) // 2
    within = pmf[centre] + np.concatenate(
        ([0.0], np.cumsum(pmf[centre + 1 :] + pmf[:centre][::-1]))
    )
    return int(np.searchsorted(within, 0.95))


def _chi_square_p(observed: np.ndarray, expected: np.ndarray) -> float:
    """Return the p-value by the Wilson-Hilferty normal approximation of χ²."""
    statistic = float(((observed - expected) ** 2 / expected).sum())
    freedom = len(observed) - 1
    cube = (statistic / freedom) ** (1 / 3)
    z = (cube - 1 + 2 / (9 * freedom)) / math.sqrt(2 / (9 * freedom))
    return 1 - NormalDist().cdf(z)


def _binned(draws: np.ndarray, scale: float, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Count draws by value, both tails beyond `reach` in a bin each, beside what is expected."""
    inside = _pmf(scale, reach)
    tail = (1 - inside.sum()) / 2
    expected = np.concatenate(([tail], inside, [tail])) * len(draws)
    observed = np.bincount(np.clip(draws, -reach - 1, reach + 1) + reach + 1)
    return observed, expected


@pytest.mark.parametrize(("scale", "reach"), [(Fraction(3, 2), 6), (Fraction(20), 60)])
def test_the_noise_of_opendp_fits_the_exact_distribution(scale, reach):
    draws = np.array(OpenDPLaplace().laplace([0] * 40_000, scale))
    observed, expected = _binned(draws, float(scale), reach)
    assert expected.min() > 5
    assert _chi_square_p(observed, expected) > 1e-6


def test_the_goodness_of_fit_test_catches_noise_of_the_wrong_scale():
    draws = np.array(OpenDPLaplace().laplace([0] * 40_000, Fraction(18)))
    observed, expected = _binned(draws, 20.0, 60)
    assert _chi_square_p(observed, expected) < 1e-6


def test_coordinates_are_noised_independently():
    pairs = np.array(OpenDPLaplace().laplace([0] * 40_000, Fraction(20))).reshape(-1, 2)
    correlation = float(np.corrcoef(pairs[:, 0], pairs[:, 1])[0, 1])
    # Independent pairs leave ±5/√20000 once in 1.7 million runs.
    assert abs(correlation) < 5 / math.sqrt(20_000)


def test_noise_is_added_to_each_value_in_its_place():
    values = [0, 10**9, -(10**9), 2**61]
    noised = OpenDPLaplace().laplace(values, Fraction(5))
    assert len(noised) == 4
    # A draw beyond 40 b has probability e^-40.
    assert all(abs(new - old) < 200 for new, old in zip(noised, values, strict=True))


def test_two_calls_never_draw_alike():
    zeros = [0] * 8
    assert OpenDPLaplace().laplace(zeros, Fraction(10**6)) != OpenDPLaplace().laplace(
        zeros, Fraction(10**6)
    )


@pytest.mark.parametrize("scale", [Fraction(0), Fraction(-1), 2.0, 0, Fraction(1, 10**400)])
def test_a_scale_that_gives_no_privacy_is_refused(scale):
    with pytest.raises(NoiseRefused):
        OpenDPLaplace().laplace([1, 2], scale)


def test_a_value_that_64_bits_could_saturate_is_refused():
    with pytest.raises(NoiseRefused):
        OpenDPLaplace().laplace([2**62], Fraction(5))


@pytest.mark.parametrize("epsilon_micro", [1, 3, 100_000, 333_333, 700_000, 1_000_000, 9_999_999])
def test_the_loss_certified_by_opendp_is_at_most_epsilon(make_task, epsilon_micro, monkeypatch):
    task = make_task(epsilon_micro=epsilon_micro)
    made = []
    genuine = dp.m.make_laplace

    def recording(*args, **options):
        made.append(genuine(*args, **options))
        return made[-1]

    monkeypatch.setattr(dp.m, "make_laplace", recording)
    OpenDPLaplace().laplace([0] * 8, noise_scale(task))
    epsilon = Fraction(epsilon_micro, 10**6)
    # OpenDP rounds its map upwards, by one part in 2**52 at most.
    assert Fraction(made[-1].map(2 * task.cap_units)) <= epsilon * (1 + Fraction(1, 2**52))
    assert Fraction(made[-1].map(1)) * 2 * task.cap_units <= epsilon


def test_the_scale_is_twice_the_cap_over_epsilon(make_task):
    """P2: The noise MUST have the scale 2Q/ε."""
    assert noise_scale(make_task(cap_units=1000, epsilon_micro=500_000)) == 4000


def test_the_scale_makes_any_two_weeks_at_most_e_to_the_epsilon_apart(make_task):
    # All Q units on one mode against all on another, at the outputs that tell them apart best.
    task = make_task(cap_units=3, epsilon_micro=1_000_000)
    pmf = _pmf(float(noise_scale(task)), reach=40)
    ratio = np.log(pmf[3:] / pmf[:-3]).max() + np.log(pmf[:-3] / pmf[3:]).max()
    assert ratio == pytest.approx(1.0)


def test_no_noise_is_computed_for_two_keepers(make_task):
    with pytest.raises(TrustModeNotServed):
        noise_scale(make_task(trust_mode=TrustMode.TWO_KEEPERS))


@pytest.mark.parametrize("scale", [Fraction(1, 5), Fraction(1), Fraction(7, 2), Fraction(50)])
def test_the_variance_is_the_second_moment_of_the_exact_distribution(scale):
    reach = math.ceil(60 * scale) + 5
    moment = (_pmf(float(scale), reach) * np.arange(-reach, reach + 1) ** 2).sum()
    assert laplace_variance(scale) == pytest.approx(moment, rel=1e-9)


def test_the_variance_of_a_wide_noise_is_two_b_squared():
    assert laplace_variance(Fraction(10**12)) == pytest.approx(2e24, rel=1e-12)


def test_the_missing_partner_costs_the_square_root_of_half_the_count():
    assert noise_vs_two_keepers(2) == 1
    assert noise_vs_two_keepers(200) == 10


@pytest.mark.parametrize(
    "scale", [Fraction(1, 5), Fraction(1), Fraction(3, 2), Fraction(7), Fraction(20)]
)
@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_the_half_width_is_the_quantile_of_the_convolved_distribution(scale, n):
    assert half_width_95(scale, n) == _half_width_by_convolution(float(scale), n)


@pytest.mark.parametrize("scale", [Fraction(2000), Fraction(10**9)])
def test_the_half_width_of_one_draw_is_its_closed_form(scale):
    h = half_width_95(scale, 1)
    with localcontext() as context:
        context.prec = 50
        q = (-Decimal(scale.denominator) / scale.numerator).exp()
        assert 2 * q ** (h + 1) / (1 + q) <= Decimal("0.05") < 2 * q**h / (1 + q)


def test_the_half_width_of_two_draws_is_the_one_of_two_keepers():
    # P(|Y1+Y2| > x) = (1 + x/2b) e^(-x/b) for the continuous law: 4.113 b at 95 %.
    x = half_width_95(Fraction(10**9), 2) / 1e9
    assert (1 + x / 2) * math.exp(-x) == pytest.approx(0.05, abs=1e-8)


@pytest.mark.parametrize("n", [10**4, 10**6])
def test_the_half_width_of_many_draws_is_the_normal_one(n):
    scale = Fraction(2000)
    normal = NormalDist().inv_cdf(0.975) * math.sqrt(n * laplace_variance(scale))
    # The excess kurtosis 3/n moves the quantile by a relative 0.1/n at most.
    assert half_width_95(scale, n) == pytest.approx(normal, rel=1 / n + 1e-5)


def test_the_half_width_grows_with_the_count():
    widths = [half_width_95(Fraction(2000), n) for n in range(1, 40)]
    assert widths == sorted(set(widths))


def test_sums_of_opendp_noise_stay_within_the_half_width_at_95_percent():
    n, sums = 20, 3_000
    draws = np.array(OpenDPLaplace().laplace([0] * (n * sums), Fraction(50))).reshape(sums, n)
    share = float((np.abs(draws.sum(axis=1)) <= half_width_95(Fraction(50), n)).mean())
    # 3 000 trials have sd 0.4 points: a correct width leaves 93-97 % once in 2 million runs.
    assert 0.93 <= share <= 0.97


@pytest.mark.parametrize(
    ("scale", "n"), [(Fraction(0), 1), (Fraction(1), 0), (Fraction(10**16), 1), (Fraction(-1), 1)]
)
def test_a_width_that_has_no_meaning_is_refused(scale, n):
    with pytest.raises(NoiseRefused):
        half_width_95(scale, n)


def test_the_heavy_libraries_are_loaded_by_the_first_draw_only():
    script = (
        "import sys, contributions.estimate, contributions.messages;"
        "sys.exit(bool({'opendp', 'numpy'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_no_module_of_the_package_reaches_for_a_random_number_generator():
    sources = sorted(Path(contributions.__file__).parent.glob("*.py"))
    assert len(sources) > 8
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            names = {
                *([alias.name for alias in node.names] if isinstance(node, ast.Import) else []),
                *([node.module] if isinstance(node, ast.ImportFrom) else []),
                *([node.attr] if isinstance(node, ast.Attribute) else []),
            }
            assert not names & {"random", "secrets", "default_rng", "RandomState", "urandom"}


def test_a_mechanism_that_opendp_does_not_certify_draws_nothing(monkeypatch):
    genuine = dp.m.make_laplace
    monkeypatch.setattr(
        dp.m, "make_laplace", lambda *space, scale: genuine(*space, scale=scale / 2)
    )
    with pytest.raises(NoiseRefused):
        OpenDPLaplace().laplace([0], Fraction(2000))
