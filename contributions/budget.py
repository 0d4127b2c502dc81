"""The arithmetic of the privacy ledger: what a resident spent, and whether more may be spent.

Privacy unit: one resident-week, all tasks together. ε adds up (pure composition, δ = 0) over every
window of 52 consecutive ISO weeks; amounts are integers, in millionths. Weeks are counted by
ordinal, so that years of 53 weeks need no special case.

A decision is made once a task: reserved or refused, both for good. What is reserved is spent,
since bytes may have left before a crash; nothing is ever refunded. A tighter figure (PLD) may be
shown beside this one, and never replaces it here.
It is not storage: the store keeps the entries and calls this in the transaction that adds one.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from contributions.errors import AlreadyDecided, BudgetExceeded, LedgerViolation
from contributions.weeks import week_monday, week_ordinal
from contributions.wire import HEX_32_BYTES, INTEGER_LIMIT, expect_integer, expect_match

WINDOW_WEEKS = 52
"""Length of the window that the cap bounds, in ISO weeks; the design's year."""


class EntryState(StrEnum):
    """How far a decision has come: reserved then sent, or refused. Both ends are final."""

    RESERVED = "reserved"
    SENT = "sent"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One decision about one task: its week, ε in millionths, and how far it has come."""

    week: str
    task_digest: str
    epsilon_micro: int
    state: EntryState

    def __post_init__(self) -> None:
        """Raise `Malformed` outside the bounds."""
        week_monday(self.week)
        expect_match(self.task_digest, "task_digest", HEX_32_BYTES)
        expect_integer(self.epsilon_micro, "epsilon_micro", low=1, high=INTEGER_LIMIT - 1)

    @property
    def spent_micro(self) -> int:
        """ε that counts against the cap: all of it, unless the task was refused."""
        return 0 if self.state is EntryState.REFUSED else self.epsilon_micro


def fullest_window(entries: Iterable[LedgerEntry]) -> tuple[int, ...]:
    """Return what was spent in the 52 weeks that cost most, one amount a contribution, sorted."""
    spent = [entry for entry in entries if entry.spent_micro]
    windows = [
        [
            entry.spent_micro
            for entry in spent
            if last - WINDOW_WEEKS < week_ordinal(entry.week) <= last
        ]
        for last in {week_ordinal(entry.week) for entry in spent}
    ]
    return tuple(sorted(max(windows, key=sum, default=[])))


def yearly_micro(epsilon_week_micro: int) -> int:
    """Return ε of 52 weeks at this weekly ε, in millionths: pure composition adds it up."""
    return WINDOW_WEEKS * epsilon_week_micro


def check_budget(
    entries: Iterable[LedgerEntry], *, week: str, epsilon_micro: int, cap_micro: int
) -> None:
    """Check that spending `epsilon_micro` in `week` keeps every 52-week window within the cap.

    Windows that end after `week` count too: a late task for an old week must not overspend
    beside newer ones. Raises `BudgetExceeded`, or `Malformed` for a senseless amount.
    """
    expect_integer(epsilon_micro, "epsilon_micro", low=1, high=INTEGER_LIMIT - 1)
    expect_integer(cap_micro, "cap_micro", low=0, high=INTEGER_LIMIT - 1)
    first = week_ordinal(week)
    spent: Counter[int] = Counter()
    for entry in entries:
        spent[week_ordinal(entry.week)] += entry.spent_micro
    fullest = max(
        sum(spent[ordinal] for ordinal in range(last - WINDOW_WEEKS + 1, last + 1))
        for last in range(first, first + WINDOW_WEEKS)
    )
    if fullest + epsilon_micro > cap_micro:
        raise BudgetExceeded(
            f"expected at most {cap_micro} millionths of epsilon over 52 weeks, saw {fullest} "
            f"spent and {epsilon_micro} asked; this task is refused"
        )


def decide(
    entries: Sequence[LedgerEntry],
    *,
    week: str,
    task_digest: str,
    epsilon_micro: int,
    cap_micro: int,
) -> LedgerEntry:
    """Decide about a task once: the entry to keep is `RESERVED`, or `REFUSED` over the cap.

    The caller stores the entry either way, in the same transaction that read `entries`.
    Raises `AlreadyDecided` when the ledger holds this task: a refusal stays one after the
    window has moved on, and what was reserved is resent, not reserved again.
    """
    if any(entry.task_digest == task_digest for entry in entries):
        raise AlreadyDecided("expected a task that is new to the ledger; its decision is final")
    try:
        check_budget(entries, week=week, epsilon_micro=epsilon_micro, cap_micro=cap_micro)
        state = EntryState.RESERVED
    except BudgetExceeded:
        state = EntryState.REFUSED
    return LedgerEntry(week=week, task_digest=task_digest, epsilon_micro=epsilon_micro, state=state)


def mark_sent(entry: LedgerEntry) -> LedgerEntry:
    """Return the entry as sent; sending the same bytes again changes nothing.

    Raises `LedgerViolation` for a refused entry.
    """
    if entry.state is EntryState.REFUSED:
        raise LedgerViolation("expected a reserved entry, saw a refused one; nothing may leave")
    return replace(entry, state=EntryState.SENT)
