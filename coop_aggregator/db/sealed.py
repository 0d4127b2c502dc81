"""Sealed reports as this keeper received them, and what became of each.

A row outlives its share: the share is erased at collection, the row when the task expires, long
after its deadline, since when nothing new is taken in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, delete, func, insert, select, update

from coop_aggregator.db.tables import sealed_reports

_AT_ONCE = 500
"""Ids in one statement; SQLite takes 999 parameters in its older builds."""


class State(StrEnum):
    """What became of a report. A report that stays `RECEIVED` never counts."""

    RECEIVED = "received"
    EXCLUDED = "excluded"
    QUEUED = "queued"
    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredShare:
    """One report at one keeper. `sealed` is None once it was erased."""

    report_id: str
    task_digest: str
    zone: str
    cid: str
    upload_sha256: str
    public_share: bytes
    sealed: bytes | None
    state: State = State.RECEIVED
    job_id: str | None = None


def add_share(connection: Connection, share: StoredShare) -> None:
    """Keep a report. Its id, and its (task, consent), must be new (unique constraints)."""
    connection.execute(
        insert(sealed_reports).values(
            report_id=share.report_id,
            task_digest=share.task_digest,
            zone=share.zone,
            cid=share.cid,
            upload_sha256=share.upload_sha256,
            public_share=share.public_share,
            sealed=share.sealed,
            state=share.state.value,
            job_id=share.job_id,
        )
    )


def known_uploads(
    connection: Connection, *, report_id: str, task_digest: str, cid: str
) -> tuple[str, ...]:
    """Return the digests of uploads with this id, or of this consent for this task."""
    same = (sealed_reports.c.report_id == report_id) | (
        (sealed_reports.c.task_digest == task_digest) & (sealed_reports.c.cid == cid)
    )
    return tuple(connection.scalars(select(sealed_reports.c.upload_sha256).where(same)))


def shares_by_id(connection: Connection, report_ids: Sequence[str]) -> dict[str, StoredShare]:
    """Return the reports that are here, by id."""
    found: dict[str, StoredShare] = {}
    for start in range(0, len(report_ids), _AT_ONCE):
        ids = report_ids[start : start + _AT_ONCE]
        rows = connection.execute(select(sealed_reports).where(sealed_reports.c.report_id.in_(ids)))
        found |= {row.report_id: _share(row) for row in rows}
    return found


def shares_of_job(connection: Connection, job_id: str) -> tuple[StoredShare, ...]:
    """Return the reports of an aggregation job, in order of id."""
    rows = connection.execute(
        select(sealed_reports)
        .where(sealed_reports.c.job_id == job_id)
        .order_by(sealed_reports.c.report_id)
    )
    return tuple(_share(row) for row in rows)


def ids_by_zone(connection: Connection, task_digest: str, state: State) -> dict[str, list[str]]:
    """Return the ids of a task's reports in one state, by zone, each list in order."""
    rows = connection.execute(
        select(sealed_reports.c.zone, sealed_reports.c.report_id)
        .where(sealed_reports.c.task_digest == task_digest, sealed_reports.c.state == state.value)
        .order_by(sealed_reports.c.zone, sealed_reports.c.report_id)
    )
    found: dict[str, list[str]] = {}
    for zone, report_id in rows:
        found.setdefault(zone, []).append(report_id)
    return found


def counts(connection: Connection, task_digest: str) -> dict[State, int]:
    """Return how many reports of a task are in each state."""
    rows = connection.execute(
        select(sealed_reports.c.state, func.count())
        .where(sealed_reports.c.task_digest == task_digest)
        .group_by(sealed_reports.c.state)
    )
    found = {State(state): int(count) for state, count in rows}
    return {state: found.get(state, 0) for state in State}


def mark(
    connection: Connection, report_ids: Iterable[str], state: State, *, job_id: str | None
) -> None:
    """Move reports to a state, and to the job that decides about them."""
    ids = list(report_ids)
    for start in range(0, len(ids), _AT_ONCE):
        connection.execute(
            update(sealed_reports)
            .where(sealed_reports.c.report_id.in_(ids[start : start + _AT_ONCE]))
            .values(state=state.value, job_id=job_id)
        )


def erase_shares(connection: Connection, task_digest: str) -> None:
    """Erase every sealed share of a task; ids and states stay."""
    connection.execute(
        update(sealed_reports)
        .where(sealed_reports.c.task_digest == task_digest)
        .values(sealed=None)
    )


def erase_reports(connection: Connection, task_digest: str) -> int:
    """Erase every row of a task, ids included; return how many there were."""
    gone = connection.execute(
        delete(sealed_reports).where(sealed_reports.c.task_digest == task_digest)
    )
    return gone.rowcount


def _share(row: object) -> StoredShare:
    values = row._mapping  # type: ignore[attr-defined]  # noqa: SLF001 - SQLAlchemy's own name
    return StoredShare(
        report_id=values["report_id"],
        task_digest=values["task_digest"],
        zone=values["zone"],
        cid=values["cid"],
        upload_sha256=values["upload_sha256"],
        public_share=bytes(values["public_share"]),
        sealed=None if values["sealed"] is None else bytes(values["sealed"]),
        state=State(values["state"]),
        job_id=values["job_id"],
    )
