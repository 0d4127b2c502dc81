"""Reports as received, and the batches that were frozen from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from consents.canonical import utc_text, utc_time
from coop_aggregator.db.tables import batches, reports


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReport:
    """A report as received, and the member it counts for: None once that link was erased."""

    report_id: str
    task_digest: str
    member_id: str | None
    cid: str
    jws: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A frozen batch: what the cooperative committed to before it knew the sums.

    `erased_leaf` is the log's entry about its erasure, None while its reports are kept.
    """

    task_digest: str
    root: str
    report_count: int
    excluded_count: int
    epsilon_sum_micro: int
    leaf_index: int
    frozen_at: datetime
    erased_leaf: int | None = None


def add_report(connection: Connection, report: StoredReport) -> None:
    """Keep a report. Its id, and its (task, member), must be new (unique constraints)."""
    connection.execute(
        insert(reports).values(
            report_id=report.report_id,
            task_digest=report.task_digest,
            member_id=report.member_id,
            cid=report.cid,
            jws=report.jws,
        )
    )


def report_exists(
    connection: Connection, *, report_id: str, task_digest: str, member_id: str
) -> bool:
    """Tell whether this report, or another one of this member for this task, is kept."""
    same = (reports.c.report_id == report_id) | (
        (reports.c.task_digest == task_digest) & (reports.c.member_id == member_id)
    )
    return connection.execute(select(reports.c.report_id).where(same)).first() is not None


def reports_of(connection: Connection, task_digest: str) -> tuple[StoredReport, ...]:
    """Return every report received for a task, in order of report id."""
    rows = connection.execute(
        select(reports).where(reports.c.task_digest == task_digest).order_by(reports.c.report_id)
    )
    return tuple(
        StoredReport(
            report_id=row.report_id,
            task_digest=row.task_digest,
            member_id=row.member_id,
            cid=row.cid,
            jws=row.jws,
        )
        for row in rows
    )


def forget_sender(connection: Connection, cid: str) -> int:
    """Erase the reports of a consent that no batch holds, and who sent the others; count these."""
    waiting = select(batches.c.task_digest)
    connection.execute(
        delete(reports).where(reports.c.cid == cid, reports.c.task_digest.not_in(waiting))
    )
    kept = connection.execute(update(reports).where(reports.c.cid == cid).values(member_id=None))
    return kept.rowcount


def erase_reports(connection: Connection, task_digest: str) -> int:
    """Erase every report to a task, counted or not; return how many there were."""
    return connection.execute(delete(reports).where(reports.c.task_digest == task_digest)).rowcount


def mark_erased(connection: Connection, task_digest: str, *, leaf: int) -> None:
    """Keep which entry of the log says that a batch was erased."""
    connection.execute(
        update(batches).where(batches.c.task_digest == task_digest).values(erased_leaf=leaf)
    )


def report_count(connection: Connection, task_digest: str) -> int:
    """Return how many reports were received for a task."""
    counted = select(func.count()).where(reports.c.task_digest == task_digest)
    return connection.scalar(counted) or 0


def add_batch(connection: Connection, batch: Batch, report_ids: Sequence[str]) -> None:
    """Keep a frozen batch and the rank of each of its reports."""
    connection.execute(
        insert(batches).values(
            task_digest=batch.task_digest,
            root=batch.root,
            report_count=batch.report_count,
            excluded_count=batch.excluded_count,
            epsilon_sum_micro=batch.epsilon_sum_micro,
            leaf_index=batch.leaf_index,
            frozen_at=utc_text(batch.frozen_at),
        )
    )
    for position, report_id in enumerate(report_ids):
        connection.execute(
            update(reports).where(reports.c.report_id == report_id).values(batch_position=position)
        )


def batch_of(connection: Connection, task_digest: str) -> Batch | None:
    """Return the frozen batch of a task, or None while it is open."""
    row = connection.execute(
        select(batches).where(batches.c.task_digest == task_digest)
    ).one_or_none()
    if row is None:
        return None
    return Batch(
        task_digest=row.task_digest,
        root=row.root,
        report_count=row.report_count,
        excluded_count=row.excluded_count,
        epsilon_sum_micro=row.epsilon_sum_micro,
        leaf_index=row.leaf_index,
        frozen_at=utc_time(row.frozen_at),
        erased_leaf=row.erased_leaf,
    )


def batch_items(connection: Connection, task_digest: str) -> tuple[str, ...]:
    """Return the reports of a frozen batch as received, in rank order."""
    return tuple(
        connection.scalars(
            select(reports.c.jws)
            .where(reports.c.task_digest == task_digest, reports.c.batch_position.is_not(None))
            .order_by(reports.c.batch_position)
        )
    )
