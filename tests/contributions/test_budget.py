from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contributions.budget import (
    EntryState,
    LedgerEntry,
    check_budget,
    decide,
    fullest_window,
    mark_sent,
    yearly_micro,
)
from contributions.errors import AlreadyDecided, BudgetExceeded, LedgerViolation, Malformed

FIRST_MONDAY = date(2019, 12, 30)


def _week(index: int) -> str:
    year, number, _day = (FIRST_MONDAY + timedelta(weeks=index)).isocalendar()
    return f"{year}-W{number:02d}"


def _entry(index: int, *, epsilon_micro: int = 1, digest: int = 0, state: str = "sent"):
    return LedgerEntry(
        week=_week(index),
        task_digest=f"{digest:064x}",
        epsilon_micro=epsilon_micro,
        state=EntryState(state),
    )


# Two years of 52 weeks and two of 53 (2020 and 2026) lie in these 400 weeks.
schedules = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 5)), min_size=1, max_size=60)


def _fullest_year(spent: list[tuple[int, int]]) -> int:
    """Sum every stretch of 364 days, one Monday at a time, on plain dates."""
    days = [(FIRST_MONDAY + timedelta(weeks=index), amount) for index, amount in spent]
    starts = [FIRST_MONDAY + timedelta(weeks=index) for index in range(-52, 401)]
    return max(
        sum(amount for day, amount in days if start <= day < start + timedelta(days=364))
        for start in starts
    )


@settings(max_examples=60, deadline=None)
@given(schedule=schedules, cap_micro=st.integers(0, 30))
def test_a_task_is_reserved_exactly_when_no_window_of_52_weeks_overflows(schedule, cap_micro):
    ledger: list[LedgerEntry] = []
    spent: list[tuple[int, int]] = []
    for number, (index, amount) in enumerate(schedule):
        decision = decide(
            ledger,
            week=_week(index),
            task_digest=f"{number:064x}",
            epsilon_micro=amount,
            cap_micro=cap_micro,
        )
        fits = _fullest_year([*spent, (index, amount)]) <= cap_micro
        assert decision.state is (EntryState.RESERVED if fits else EntryState.REFUSED)
        ledger.append(decision)
        if fits:
            spent.append((index, amount))
    assert _fullest_year([*spent, (0, 0)]) <= cap_micro


def test_a_year_of_53_weeks_does_not_stretch_the_window():
    # 2026 has 53 weeks: 2026-W01 leaves the window of 2026-W53 and not that of 2026-W52.
    first = LedgerEntry(
        week="2026-W01", task_digest="0" * 64, epsilon_micro=10, state=EntryState.SENT
    )
    check_budget([first], week="2026-W53", epsilon_micro=10, cap_micro=10)
    with pytest.raises(BudgetExceeded):
        check_budget([first], week="2026-W52", epsilon_micro=1, cap_micro=10)


def test_a_late_task_for_an_old_week_counts_beside_newer_weeks():
    newer = [_entry(100, epsilon_micro=10)]
    with pytest.raises(BudgetExceeded):
        check_budget(newer, week=_week(60), epsilon_micro=1, cap_micro=10)
    check_budget(newer, week=_week(48), epsilon_micro=1, cap_micro=10)


def test_the_cap_itself_may_be_spent():
    check_budget([], week=_week(0), epsilon_micro=10, cap_micro=10)


@pytest.mark.parametrize("state", ["reserved", "sent"])
def test_what_was_reserved_or_sent_is_never_refunded(state):
    spent = [_entry(0, epsilon_micro=10, state=state)]
    with pytest.raises(BudgetExceeded):
        check_budget(spent, week=_week(51), epsilon_micro=1, cap_micro=10)
    assert fullest_window(spent) == (10,)


def test_a_refused_task_spends_nothing():
    refused = [_entry(0, epsilon_micro=10, state="refused")]
    assert fullest_window(refused) == ()
    check_budget(refused, week=_week(0), epsilon_micro=10, cap_micro=10)


@pytest.mark.parametrize("state", list(EntryState))
def test_a_task_is_decided_once_whatever_became_of_it(state):
    ledger = [_entry(0, digest=7, state=state)]
    with pytest.raises(AlreadyDecided):
        decide(ledger, week=_week(300), task_digest=f"{7:064x}", epsilon_micro=1, cap_micro=10**9)


def test_a_refused_task_cannot_be_sent():
    with pytest.raises(LedgerViolation):
        mark_sent(_entry(0, state="refused"))


@pytest.mark.parametrize("state", ["reserved", "sent"])
def test_sending_twice_is_sending_once(state):
    assert mark_sent(_entry(0, state=state)) == _entry(0, state="sent")


def test_the_fullest_window_is_that_of_the_costliest_52_weeks():
    ledger = [
        _entry(0, epsilon_micro=50),
        _entry(51, epsilon_micro=7),
        _entry(52, epsilon_micro=60),
    ]
    assert fullest_window(ledger) == (7, 60)
    assert fullest_window(ledger[:2]) == (7, 50)


@settings(max_examples=40, deadline=None)
@given(schedule=schedules)
def test_the_fullest_window_costs_what_the_worst_year_on_plain_dates_does(schedule):
    ledger = [_entry(index, epsilon_micro=amount) for index, amount in schedule]
    assert sum(fullest_window(ledger)) == _fullest_year(schedule)


def test_one_a_week_is_fifty_two_a_year():
    weekly = [_entry(index, epsilon_micro=1_000_000) for index in range(120)]
    assert yearly_micro(1_000_000) == sum(fullest_window(weekly)) == 52_000_000


@pytest.mark.parametrize(("epsilon_micro", "cap_micro"), [(0, 10), (-1, 10), (1, -1), (True, 10)])
def test_a_senseless_amount_is_refused(epsilon_micro, cap_micro):
    with pytest.raises(Malformed):
        check_budget([], week=_week(0), epsilon_micro=epsilon_micro, cap_micro=cap_micro)


@pytest.mark.parametrize(
    "changes",
    [{"week": "2026-W99"}, {"task_digest": "ab"}, {"epsilon_micro": 0}, {"epsilon_micro": 1.5}],
)
def test_an_entry_out_of_bounds_is_refused(changes):
    fields = {
        "week": "2026-W46",
        "task_digest": "0" * 64,
        "epsilon_micro": 1,
        "state": EntryState.SENT,
    }
    with pytest.raises(Malformed):
        LedgerEntry(**(fields | changes))
