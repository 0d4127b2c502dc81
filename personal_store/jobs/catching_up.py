"""Answer every question that is due, quiet weeks included, and finish what a keeper missed.

Somebody who answers only when they moved would tell when they were away. A resident who wants to
answer every week has this run, by hand or by a timer of their own: each question whose week is over
and whose deadline is not, under a consent in force, is drawn and sent, oldest first; a contribution
that was reserved and never completed is sent again, with the same bytes. Nothing is sent without a
consent, and one failure stops no other week.
"""

from dataclasses import dataclass

from contributions.task import Task
from personal_store.db import contributions, memberships
from personal_store.db.connection import reading
from personal_store.db.contributions import ContributionState, KeptContribution
from personal_store.errors import StoreError
from personal_store.jobs import sharing
from personal_store.membership import Membership
from personal_store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One due week: what was sent, or why nothing was; exactly one of both is there."""

    week: str
    sent: KeptContribution | None
    refusal: StoreError | None


def run_once(store: Store, member: Membership) -> list[Attempt]:
    """Try every due question, oldest week first; return what became of each."""
    return [_attempt(store, member, task) for task in due(store, member)]


def due(store: Store, member: Membership) -> list[Task]:
    """Return the kept questions that can be answered now and were not, oldest week first."""
    now = store.clock.now()
    with reading(store.engine) as connection:
        asked = [each.task for each in memberships.tasks(connection, member)]
        decided = {each.task_digest: each.state for each in contributions.every(connection)}
    final = (ContributionState.SENT, ContributionState.REFUSED)
    return [
        task
        for task in reversed(asked)
        if task.period.end <= now < task.report_deadline and decided.get(task.digest) not in final
    ]


def _attempt(store: Store, member: Membership, task: Task) -> Attempt:
    try:
        sharing.preview(store, member, task)
        sent = sharing.run_once(store, member, task)
    except StoreError as refusal:
        return Attempt(week=task.week, sent=None, refusal=refusal)
    return Attempt(week=task.week, sent=sent, refusal=None)
