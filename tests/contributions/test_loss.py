"""The yearly figures against OpenDP's filter, dp-accounting and a composition written down here."""

import math
import random
from collections import Counter
from datetime import date, timedelta

import dp_accounting
import numpy as np
import opendp.prelude as dp
import pytest
from dp_accounting.pld import PLDAccountant

from contributions.budget import EntryState, decide
from contributions.errors import Malformed
from contributions.loss import DELTA, pld_epsilon, yearly_pld_micro


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


@pytest.mark.parametrize("weekly_micro", [1_000_000, 123_457, 10_000])
def test_a_year_is_stated_rounded_up_to_a_millionth(weekly_micro):
    stated, exact = yearly_pld_micro(weekly_micro), 10**6 * pld_epsilon((weekly_micro,) * 52)
    assert exact <= stated < exact + 1


def test_nothing_spent_is_nothing_lost():
    assert pld_epsilon(()) == 0


@pytest.mark.parametrize("amounts", [(0,), (-1,), (1.5,), (10**9, 10**9)])
def test_senseless_amounts_are_refused(amounts):
    with pytest.raises(Malformed):
        pld_epsilon(amounts)


FIRST_MONDAY = date(2025, 12, 29)
SCHEDULES = [
    (1_000_000,) * 52,
    (500_000,) * 13 + (1_000_000,) * 9,
    (123_457, 250_000, 999_999, 2_000_001, 4_000_000),
    tuple(range(10_000, 530_000, 10_000)),
]


@pytest.mark.parametrize("amounts", SCHEDULES)
def test_the_finer_figure_is_the_one_of_dp_accounting_s_own_accountant(amounts):
    accountant = PLDAccountant(value_discretization_interval=1e-3)
    for amount, count in Counter(amounts).items():
        accountant.compose(dp_accounting.LaplaceDpEvent(10**6 / amount), count)
    assert pld_epsilon(amounts) == pytest.approx(accountant.get_epsilon(DELTA), abs=2e-3)


def _composed_epsilon(amounts_micro, *, step, up):
    """Return ε at `DELTA` of composed Laplace mechanisms, each loss rounded up or down to a step.

    One mechanism of ε at distance 1 loses at most y with probability e^-((ε - y)/2)/2, -ε ≤ y < ε,
    and never more than ε. That law is composed by plain convolution, and read off as
    δ(ε') = E[(1 - e^(ε' - loss))+].
    """
    law, lowest = np.ones(1), 0
    for amount in amounts_micro:
        epsilon = amount / 10**6
        steps = math.ceil(epsilon / step) + 1
        edges = np.arange(-steps - 1, steps + 2) * step
        within = np.exp(-(epsilon - edges) / 2) / 2
        if up:
            # P(loss ≤ y): what lies above an edge goes up to the next one.
            at_most = np.where(edges < -epsilon, 0.0, np.where(edges < epsilon, within, 1.0))
            masses = np.diff(at_most)[:-1]
        else:
            # P(loss < y): what lies below an edge goes down to the one before.
            below = np.where(edges <= -epsilon, 0.0, np.where(edges <= epsilon, within, 1.0))
            masses = np.diff(below)[1:]
        law, lowest = np.convolve(law, masses), lowest - steps
    assert law.sum() == pytest.approx(1)
    losses = (lowest + np.arange(law.size)) * step

    def delta(epsilon):
        kept = losses > epsilon
        return float(law[kept] @ -np.expm1(epsilon - losses[kept]))

    low, high = 0.0, float(losses[-1])
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if delta(middle) > DELTA else (low, middle)
    return high


@pytest.mark.parametrize("amounts", SCHEDULES)
def test_the_finer_figure_lies_between_two_compositions_of_the_exact_law(amounts):
    """A lower and an upper bound that owe nothing to the library, and are close to each other."""
    step = 2e-3
    below = _composed_epsilon(amounts, step=step, up=False)
    above = _composed_epsilon(amounts, step=step, up=True)
    assert above - below <= 2 * len(amounts) * step
    assert below <= pld_epsilon(amounts) <= above + 1e-3 * len(amounts)


def _filter(cap_eighths):
    """Return OpenDP's privacy filter, as a function that tells whether it allows an amount."""
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64")
    odometer = dp.c.make_fully_adaptive_composition(*space, output_measure=dp.max_divergence())
    queryable = dp.c.make_privacy_filter(odometer, d_in=1, d_out=cap_eighths / 8)([0])

    def allows(eighths):
        try:
            queryable(dp.m.make_laplace(*space, scale=8 / eighths))
        except dp.OpenDPException:
            return False
        return True

    return allows


@pytest.mark.parametrize("seed", range(2))
def test_the_ledger_refuses_exactly_where_the_filter_of_opendp_does(seed):
    """Amounts are multiples of 1/8, which floats hold exactly; all in one window of 52 weeks.

    A refusal ends nothing for the ledger: what is small enough for the rest of the cap is allowed
    after it. OpenDP's filter allows nothing after one: another one that spent the same takes over.
    """
    rng = random.Random(seed)
    cap_eighths = rng.randrange(12, 24)
    allows, ledger, spent, outcomes = _filter(cap_eighths), [], [], []
    for number in range(20):
        eighths = rng.choice((1, 2, 4, 8, 16))
        decision = decide(
            ledger,
            week=f"2026-W{1 + number % 52:02d}",
            task_digest=f"{number:064x}",
            epsilon_micro=125_000 * eighths,
            cap_micro=125_000 * cap_eighths,
        )
        ledger.append(decision)
        outcomes.append(decision.state is EntryState.RESERVED)
        assert allows(eighths) == outcomes[-1]
        if outcomes[-1]:
            spent.append(eighths)
        else:
            allows = _filter(cap_eighths)
            assert all(map(allows, spent))
    assert outcomes.index(False) < max(i for i, allowed in enumerate(outcomes) if allowed)


@pytest.mark.parametrize("seed", range(2))
def test_over_years_each_window_of_52_weeks_has_a_filter_that_agrees(seed):
    """Weeks of three years in any order; a filter of OpenDP is filled anew for every window."""
    rng = random.Random(seed)
    cap_eighths, ledger, spent, refused = 16, [], [], 0
    for number in range(18):
        place, eighths = rng.randrange(156), rng.choice((2, 4, 8, 16))
        monday = FIRST_MONDAY + timedelta(weeks=place)
        year, week, _day = monday.isocalendar()
        decision = decide(
            ledger,
            week=f"{year}-W{week:02d}",
            task_digest=f"{number:064x}",
            epsilon_micro=125_000 * eighths,
            cap_micro=125_000 * cap_eighths,
        )
        ledger.append(decision)
        fits = True
        for start in {day for day, _amount in [*spent, (monday, eighths)]}:
            if start <= monday < start + timedelta(days=364):
                allows = _filter(cap_eighths)
                within = [a for day, a in spent if start <= day < start + timedelta(days=364)]
                assert all(map(allows, within))
                fits = fits and allows(eighths)
        assert fits == (decision.state is EntryState.RESERVED)
        if fits:
            spent.append((monday, eighths))
        refused += not fits
    assert 3 <= refused <= 15
