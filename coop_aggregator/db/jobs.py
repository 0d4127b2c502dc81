"""Aggregation jobs: reports that both keepers check together, and our share of their sum."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, delete, insert, select, update

from coop_aggregator.db.tables import aggregation_jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job. `share` (encoded elements) is ours alone, None before it is done and once erased.

    At the helper `request_sha256` and `answer` say what was asked and answered, for ever.
    """

    job_id: str
    task_digest: str
    zone: str
    done: bool = False
    share: bytes | None = None
    request_sha256: str | None = None
    answer: bytes | None = None

    def __repr__(self) -> str:
        """Hide the share."""
        return f"Job(job_id={self.job_id!r}, done={self.done})"


def add_jobs(connection: Connection, jobs: Sequence[Job]) -> None:
    """Keep new jobs."""
    for job in jobs:
        connection.execute(
            insert(aggregation_jobs).values(
                job_id=job.job_id,
                task_digest=job.task_digest,
                zone=job.zone,
                request_sha256=job.request_sha256,
                answer=job.answer,
                done=job.done,
                share=job.share,
            )
        )


def finish_job(connection: Connection, job_id: str, *, share: bytes) -> None:
    """Keep our share of a job's sum."""
    connection.execute(
        update(aggregation_jobs)
        .where(aggregation_jobs.c.job_id == job_id)
        .values(done=True, share=share)
    )


def job_by_id(connection: Connection, job_id: str) -> Job | None:
    """Return a job, or None."""
    row = connection.execute(
        select(aggregation_jobs).where(aggregation_jobs.c.job_id == job_id)
    ).one_or_none()
    return None if row is None else _job(row)


def jobs_of(connection: Connection, task_digest: str) -> tuple[Job, ...]:
    """Return every job of a task, in order of zone and id."""
    rows = connection.execute(
        select(aggregation_jobs)
        .where(aggregation_jobs.c.task_digest == task_digest)
        .order_by(aggregation_jobs.c.zone, aggregation_jobs.c.job_id)
    )
    return tuple(_job(row) for row in rows)


def erase_sums(connection: Connection, task_digest: str) -> None:
    """Erase our exact shares of every sum, and the answers that could be combined with others'."""
    connection.execute(
        update(aggregation_jobs)
        .where(aggregation_jobs.c.task_digest == task_digest)
        .values(share=None, answer=None)
    )


def erase_jobs(connection: Connection, task_digest: str) -> None:
    """Erase every job of a task."""
    connection.execute(
        delete(aggregation_jobs).where(aggregation_jobs.c.task_digest == task_digest)
    )


def _job(row: Row[tuple[object, ...]]) -> Job:
    return Job(
        job_id=row.job_id,
        task_digest=row.task_digest,
        zone=row.zone,
        done=row.done,
        share=None if row.share is None else bytes(row.share),
        request_sha256=row.request_sha256,
        answer=None if row.answer is None else bytes(row.answer),
    )
