"""The yearly figures against OpenDP's privacy filter and dp-accounting's own published numbers."""

import math
import random

import opendp.prelude as dp
import pytest

from contributions.budget import EntryState, decide
from contributions.errors import Malformed
from contributions.loss import DELTA, pld_epsilon


@pytest.mark.parametrize(
    ("weekly_micro", "yearly"),
    [(1_000_000, 42.9), (500_000, 19.3), (250_000, 8.8), (100_000, 3.2)],
)
def test_a_year_of_weekly_contributions_comes_to_the_figures_of_the_design(weekly_micro, yearly):
    assert pld_epsilon((weekly_micro,) * 52) == pytest.approx(yearly, abs=0.06)


def test_the_finer_figure_is_never_above_the_sum_nor_below_one_contribution():
    rng = random.Random(4)
    for size in (1, 2, 7, 52):
        amounts = tuple(sorted(rng.randrange(10_000, 4_000_000) for _ in range(size)))
        assert (amounts[-1] - 10_000) / 1e6 <= pld_epsilon(amounts) <= sum(amounts) / 1e6


def test_one_contribution_has_the_closed_form_of_a_laplace_pair():
    # δ(ε') of Laplace at ε: 1 - e^((ε' - ε)/2), solved at δ = 10⁻⁶.
    assert pld_epsilon((1_000_000,)) == pytest.approx(1 + 2 * math.log(1 - DELTA), abs=2e-3)


def test_splitting_epsilon_or_counting_it_whole_both_stay_below_the_shown_figure():
    whole, split = pld_epsilon((1_000_000,) * 52), pld_epsilon((500_000,) * 104)
    assert split < whole


def test_nothing_spent_is_nothing_lost():
    assert pld_epsilon(()) == 0


@pytest.mark.parametrize("amounts", [(0,), (-1,), (1.5,), (10**9, 10**9)])
def test_senseless_amounts_are_refused(amounts):
    with pytest.raises(Malformed):
        pld_epsilon(amounts)


@pytest.mark.parametrize("seed", range(8))
def test_the_ledger_refuses_exactly_where_the_filter_of_opendp_does(seed):
    """Amounts are multiples of 1/8, which floats hold exactly; all in one window of 52 weeks."""
    rng = random.Random(seed)
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    odometer = dp.c.make_fully_adaptive_composition(*space, output_measure=dp.max_divergence())
    cap_eighths = rng.randrange(8, 60)
    queryable = dp.c.make_privacy_filter(odometer, d_in=1, d_out=cap_eighths / 8)([0])
    ledger = []
    for number in range(60):
        eighths = rng.choice((1, 2, 4, 8, 16))
        decision = decide(
            ledger,
            week=f"2026-W{1 + number % 52:02d}",
            task_digest=f"{number:064x}",
            epsilon_micro=125_000 * eighths,
            cap_micro=125_000 * cap_eighths,
        )
        ledger.append(decision)
        try:
            queryable(dp.m.make_laplace(*space, scale=8 / eighths))
            allowed = True
        except dp.OpenDPException:
            allowed = False
        assert allowed == (decision.state is EntryState.RESERVED)
        if not allowed:
            return
    pytest.fail("a schedule that never reaches the cap tests nothing")
