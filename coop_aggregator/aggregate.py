"""Step 7 of 9 — aggregate. In: kept reports. Out: a frozen, committed batch and its sums.
Next: release.

Freezing decides, once, which reports count: coverage is checked again on the log of that instant,
so that a withdrawal received before the freeze is honoured; the list is then committed to the log
before anybody has added it up. Summing is a map over chunks on an executor (processes, or a
cluster's), exact in integers, hence the same whatever the chunks.
Not the estimate: figures and intervals are the release's.
"""

from collections.abc import Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Any

from sqlalchemy import Connection

from consents import merkle
from consents.record import EventType
from contributions.messages import read_report
from contributions.task import Task
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


class InlineExecutor(Executor):
    """An executor that works in the calling thread: small batches need no processes."""

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run now and return the finished future."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - a future carries whatever went wrong
            future.set_exception(error)
        return future


def executor_for(workers: int) -> AbstractContextManager[Executor]:
    """Return the executor of a machine: `workers` processes, or none for 0."""
    if not workers:
        return InlineExecutor()
    # A server has threads, and forking a process with threads can deadlock.
    return ProcessPoolExecutor(max_workers=workers, mp_context=get_context("spawn"))


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
        covered = _covered(leader, connection, task, received)
        return _commit(leader, connection, task, received=received, covered=covered)


def due_task(leader: Leader, connection: Connection, week: str) -> questions_db.StoredTask:
    """Return the signed task of `week` once its deadline is past. Raises ReleaseRefused."""
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
    return stored


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


def _covered(
    leader: Leader, connection: Connection, task: Task, received: Sequence[db.StoredReport]
) -> tuple[db.StoredReport, ...]:
    coverage = coverage_for(leader, connection, task.purpose_digest)
    if coverage is None:
        return ()
    now = leader.clock.now()
    return tuple(
        item
        for item in received
        if coverage.covers(
            read_report(item.jws.encode("ascii")).report,
            leaves_db.leaves_of(connection, item.cid),
            now=now,
        )
    )


def _commit(
    leader: Leader,
    connection: Connection,
    task: Task,
    *,
    received: Sequence[db.StoredReport],
    covered: Sequence[db.StoredReport],
) -> db.Batch:
    root = merkle.root(merkle.leaf_hash(item.jws.encode("ascii")) for item in covered).hex()
    # Intake kept only reports whose ε is the task's.
    epsilon_sum_micro = len(covered) * task.epsilon_micro
    leaf_index = leader.log(connection).record(
        EventType.BATCH_COMMITTED,
        purpose_digest=task.purpose_digest,
        body={
            "task_digest": task.digest,
            "root": root,
            "report_count": len(covered),
            "epsilon_sum_micro": epsilon_sum_micro,
        },
    )
    batch = db.Batch(
        task_digest=task.digest,
        root=root,
        report_count=len(covered),
        excluded_count=len(received) - len(covered),
        epsilon_sum_micro=epsilon_sum_micro,
        leaf_index=leaf_index,
        frozen_at=leader.clock.now(),
    )
    db.add_batch(connection, batch, [item.report_id for item in covered])
    return batch
