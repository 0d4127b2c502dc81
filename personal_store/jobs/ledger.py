"""Read the resident's ledger as the protocol's entries, and what a year of it comes to."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from contributions.budget import EntryState, LedgerEntry, fullest_window
from contributions.loss import pld_epsilon
from personal_store.db.contributions import ContributionState, KeptContribution
from personal_store.db.presumptions import PresumedWeek

MICRO = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class YearlyLoss:
    """ε of the 52 weeks that cost most: added up (δ = 0), and composed by PLD (δ = 10⁻⁶)."""

    pure: float
    pld: float


def entry_of(kept: KeptContribution) -> LedgerEntry:
    """Return the ledger's entry of a contribution that is reserved, sent or refused."""
    return LedgerEntry(
        week=kept.week,
        task_digest=kept.task_digest,
        epsilon_micro=kept.epsilon_micro,
        state=EntryState(kept.state.value),
    )


def entries(
    rows: Sequence[KeptContribution], presumed: Sequence[PresumedWeek] = ()
) -> list[LedgerEntry]:
    """Return the decisions among the rows, and the weeks presumed spent; a draft is none."""
    decided = [entry_of(row) for row in rows if row.state is not ContributionState.PREPARED]
    return decided + [_presumption(each) for each in presumed if each.epsilon_micro]


def yearly_loss(
    rows: Sequence[KeptContribution], presumed: Sequence[PresumedWeek] = ()
) -> YearlyLoss:
    """Return both figures; loads the accounting library when something was spent."""
    amounts = fullest_window(entries(rows, presumed))
    return YearlyLoss(pure=sum(amounts) / MICRO, pld=pld_epsilon(amounts))


def _presumption(presumed: PresumedWeek) -> LedgerEntry:
    return LedgerEntry(
        week=presumed.week,
        # No task has this digest: what the week answered, if anything, is not known.
        task_digest=sha256(f"presumed {presumed.week}".encode()).hexdigest(),
        epsilon_micro=presumed.epsilon_micro,
        state=EntryState.SENT,
    )
