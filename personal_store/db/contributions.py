"""The contribution table: the privacy ledger, and the very bytes that left.

A contribution is prepared (drawn, nothing spent), then reserved (spent, about to leave) and sent,
or refused by the ledger. No row goes back: what is reserved is considered spent even if the answer
was lost, and a refusal stays one when the window of 52 weeks has moved on.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, delete, insert, select, update

from personal_store.db.tables import contribution
from personal_store.db.units import from_ms, to_ms


class ContributionState(StrEnum):
    """How far a contribution has come."""

    PREPARED = "prepared"
    RESERVED = "reserved"
    SENT = "sent"
    REFUSED = "refused"

    @property
    def spends(self) -> bool:
        """Whether privacy was spent on it."""
        return self in (ContributionState.RESERVED, ContributionState.SENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptContribution:
    """One row of the ledger; `exact` never leaves, `report` is what leaves, byte for byte.

    In trust mode `two-keepers` the report states the digests of `sealed_leader` and
    `sealed_helper`, which leave with it, each to its keeper; both are None otherwise.
    """

    task_digest: str
    week: str
    cid: str
    head: str
    epsilon_micro: int
    state: ContributionState
    exact: tuple[int, ...] = field(repr=False)
    report: bytes
    changed_at: datetime
    sealed_leader: bytes | None = field(default=None, repr=False)
    sealed_helper: bytes | None = field(default=None, repr=False)


def add(connection: Connection, new: KeptContribution) -> None:
    """Keep a prepared contribution."""
    connection.execute(
        insert(contribution).values(
            task_digest=new.task_digest,
            week=new.week,
            cid=new.cid,
            head=new.head,
            epsilon_micro=new.epsilon_micro,
            state=new.state.value,
            exact=json.dumps(list(new.exact)),
            report=new.report,
            changed_at_ms=to_ms(new.changed_at),
            sealed_leader=new.sealed_leader,
            sealed_helper=new.sealed_helper,
        )
    )


def drop_prepared(connection: Connection, task_digest: str) -> None:
    """Forget a contribution that was prepared and never reserved."""
    connection.execute(
        delete(contribution).where(
            contribution.c.task_digest == task_digest,
            contribution.c.state == ContributionState.PREPARED.value,
        )
    )


def advance(
    connection: Connection, task_digest: str, *, to: ContributionState, at: datetime
) -> None:
    """Move a contribution forward."""
    connection.execute(
        update(contribution)
        .where(contribution.c.task_digest == task_digest)
        .values(state=to.value, changed_at_ms=to_ms(at))
    )


def find(connection: Connection, task_digest: str) -> KeptContribution | None:
    """Return the contribution to a task, None when there is none."""
    return next(
        (each for each in every(connection) if each.task_digest == task_digest),
        None,
    )


def every(connection: Connection) -> list[KeptContribution]:
    """Return the contributions, oldest week first."""
    query = select(contribution).order_by(contribution.c.week, contribution.c.task_digest)
    return [
        KeptContribution(
            task_digest=row.task_digest,
            week=row.week,
            cid=row.cid,
            head=row.head,
            epsilon_micro=row.epsilon_micro,
            state=ContributionState(row.state),
            exact=tuple(json.loads(row.exact)),
            report=bytes(row.report),
            changed_at=from_ms(row.changed_at_ms),
            sealed_leader=row.sealed_leader,
            sealed_helper=row.sealed_helper,
        )
        for row in connection.execute(query)
    ]
