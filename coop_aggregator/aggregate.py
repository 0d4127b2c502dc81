"""Step 7 of 9 — aggregate. In: kept reports. Out: a frozen, committed batch and its sums.
Next: release.

Freezing decides, once, which reports count: coverage is checked again on the log of that instant,
so that a withdrawal received before the freeze is honoured; the list is then committed to the log
before anybody has added it up. Summing is a map over chunks on an executor (processes, or a
cluster's), exact in integers, hence the same whatever the chunks.
Not the estimate: figures and intervals are the release's.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from consents.records.record import EventType, Purpose
from consents.records.retention import erased_from
from consents.tlog import merkle
from contributions.messages import Report, read_report
from contributions.sealed_report import SealedReport
from contributions.task import Task, TrustMode
from coop_aggregator.db import log as leaves_db
from coop_aggregator.db import questions as questions_db
from coop_aggregator.db import reports as db
from coop_aggregator.db.identity import lock
from coop_aggregator.errors import ReleaseRefused
from coop_aggregator.installation import Leader
from coop_aggregator.intake import coverage_for

CHUNK_SIZE = 500
"""Reports a chunk: a fraction of a second of signature checks, far above the cost of a process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneSum:
    """The exact sum of the noised vectors of one zone, and how many there were."""

    zone: str
    count: int
    vector: tuple[int, ...]


def freeze(leader: Leader, week: str) -> db.Batch:
    """Close the batch of `week` and commit to it; a closed batch stays as it is.

    Raises ReleaseRefused while reports may still come in.
    """
    with leader.database.write() as connection:
        lock(connection)
        stored = due_task(leader, connection, week)
        known = db.batch_of(connection, stored.digest)
        if known is not None:
            return known
        received = db.reports_of(connection, stored.digest)
        task = Task.parse(stored.body)
        expect_mode(task, TrustMode.LOCAL)
        covered = covered_reports(
            leader, connection, task, received, read=lambda jws: read_report(jws).report
        )
        return commit_batch(leader, connection, task, received=received, counted=covered)


def due_task(leader: Leader, connection: Connection, week: str) -> questions_db.StoredTask:
    """Return the signed task of `week`, from its deadline until its answers must be erased.

    Raises ReleaseRefused.
    """
    stored = questions_db.task_by_week(connection, week)
    if stored is None or stored.jws is None:
        raise ReleaseRefused(
            fr=f"Aucune question signée pour {week}. Voyez « coop-aggregator task list ».",
            en=f"No signed question for {week}. See 'coop-aggregator task list'.",
        )
    if leader.clock.now() < stored.report_deadline:
        until = f"{stored.report_deadline:%Y-%m-%d %H:%M} UTC"
        raise ReleaseRefused(
            fr=f"Les réponses pour {week} sont attendues jusqu'au {until}. Revenez ensuite.",
            en=f"Answers for {week} are expected until {until}. Come back then.",
        )
    if leader.clock.now() >= answers_end(connection, Task.parse(stored.body)):
        raise ReleaseRefused(
            fr=f"Les réponses pour {week} ne peuvent plus être gardées ni lues : leur conservation "
            "est finie.",
            en=f"The answers for {week} may no more be kept or read: their retention is over.",
        )
    return stored


def answers_end(connection: Connection, task: Task) -> datetime:
    """Return from when the answers to a task must be gone, by the days that its purpose states."""
    text = questions_db.purpose_body(connection, task.purpose_digest)
    assert text is not None, "a task is drafted under a published purpose, which is never deleted"
    return erased_from(Purpose.parse(text), closed_at=task.report_deadline)


def expect_mode(task: Task, mode: TrustMode) -> None:
    """Raise ReleaseRefused unless the task has this trust mode."""
    if task.trust_mode is not mode:
        raise ReleaseRefused(
            fr=f"Cette question est du mode « {task.trust_mode} », pas « {mode} ».",
            en=f"This question is of the mode '{task.trust_mode}', not '{mode}'.",
        )


def covered_reports(
    leader: Leader,
    connection: Connection,
    task: Task,
    received: Sequence[db.StoredReport],
    *,
    read: Callable[[bytes], Report | SealedReport],
) -> tuple[db.StoredReport, ...]:
    """Return those of `received` whose consent covers them now; `read` reads one as received."""
    coverage = coverage_for(leader, connection, task.purpose_digest)
    if coverage is None:
        return ()
    now = leader.clock.now()
    return tuple(
        item
        for item in received
        if coverage.covers(
            read(item.jws.encode("ascii")), leaves_db.leaves_of(connection, item.cid), now=now
        )
    )


def commit_batch(
    leader: Leader,
    connection: Connection,
    task: Task,
    *,
    received: Sequence[db.StoredReport],
    counted: Sequence[db.StoredReport],
) -> db.Batch:
    """Commit to the reports that count, in the log, before anybody has seen their sum."""
    root = merkle.root(merkle.leaf_hash(item.jws.encode("ascii")) for item in counted).hex()
    # Intake kept only reports whose ε is the task's.
    epsilon_sum_micro = len(counted) * task.epsilon_micro
    leaf_index = leader.log(connection).record(
        EventType.BATCH_COMMITTED,
        purpose_digest=task.purpose_digest,
        body={
            "task_digest": task.digest,
            "root": root,
            "report_count": len(counted),
            "epsilon_sum_micro": epsilon_sum_micro,
        },
    )
    batch = db.Batch(
        task_digest=task.digest,
        root=root,
        report_count=len(counted),
        excluded_count=len(received) - len(counted),
        epsilon_sum_micro=epsilon_sum_micro,
        leaf_index=leaf_index,
        frozen_at=leader.clock.now(),
    )
    db.add_batch(connection, batch, [item.report_id for item in counted])
    return batch


def sum_batch(
    items: Sequence[str],
    task: Task,
    *,
    executor: Executor,
    chunk_size: int = CHUNK_SIZE,
) -> tuple[ZoneSum, ...]:
    """Verify every report of a frozen batch anew and add up the vectors by zone.

    `items` are reports as received. Integers have no rounding and no overflow here, so that the
    sums do not depend on `chunk_size` or on the executor. Zones without a report count 0.
    """
    chunks = [items[start : start + chunk_size] for start in range(0, len(items), chunk_size)]
    width = len(task.coordinates)
    nothing = (0,) * width
    totals = {zone.code: ZoneSum(zone=zone.code, count=0, vector=nothing) for zone in task.zones}
    for sums in executor.map(partial(_sum_chunk, width=width), chunks):
        for part in sums:
            totals[part.zone] = _plus(totals[part.zone], part)
    return tuple(totals.values())


def _sum_chunk(items: Sequence[str], *, width: int) -> tuple[ZoneSum, ...]:
    totals: dict[str, ZoneSum] = {}
    for item in items:
        report = read_report(item.encode("ascii")).report
        part = ZoneSum(zone=report.zone, count=1, vector=report.vector)
        empty = ZoneSum(zone=report.zone, count=0, vector=(0,) * width)
        totals[report.zone] = _plus(totals.get(report.zone, empty), part)
    return tuple(totals.values())


def _plus(one: ZoneSum, other: ZoneSum) -> ZoneSum:
    return ZoneSum(
        zone=one.zone,
        count=one.count + other.count,
        vector=tuple(a + b for a, b in zip(one.vector, other.vector, strict=True)),
    )
