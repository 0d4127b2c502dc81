"""Collected buckets: sums with our noise, drawn once, and nothing else of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from consents.canonical import utc_text, utc_time
from contributions.collection import ReportSet
from contributions.prio3.field import FIELD128
from coop_aggregator.db.tables import collections

_TERRITORY = ""
"""How the whole territory is written in the column of zones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """One bucket: its set of reports, our noised share, and at the leader the helper's.

    `zone` is None for the whole territory. `commitment` is, at the helper, what the leader's first
    question said of its own noised shares.
    """

    task_digest: str
    zone: str | None
    reports: ReportSet
    noised_share: tuple[int, ...]
    other_share: tuple[int, ...] | None
    collected_at: datetime
    commitment: str | None = None


def add_collected(connection: Connection, buckets: Sequence[Collected]) -> None:
    """Keep collected buckets. Each must be new (primary key)."""
    for bucket in buckets:
        connection.execute(
            insert(collections).values(
                task_digest=bucket.task_digest,
                zone=bucket.zone or _TERRITORY,
                report_count=bucket.reports.count,
                checksum=bucket.reports.checksum,
                noised_share=FIELD128.encode(bucket.noised_share),
                other_share=None,
                collected_at=utc_text(bucket.collected_at),
                commitment=bucket.commitment,
            )
        )


def collected_of(connection: Connection, task_digest: str) -> tuple[Collected, ...]:
    """Return the collected buckets of a task, the territory first."""
    rows = connection.execute(
        select(collections)
        .where(collections.c.task_digest == task_digest)
        .order_by(collections.c.zone)
    )
    return tuple(
        Collected(
            task_digest=row.task_digest,
            zone=row.zone or None,
            reports=ReportSet(count=row.report_count, checksum=row.checksum),
            noised_share=_elements(row.noised_share),
            other_share=None if row.other_share is None else _elements(row.other_share),
            collected_at=utc_time(row.collected_at),
            commitment=row.commitment,
        )
        for row in rows
    )


def keep_other_share(
    connection: Connection, task_digest: str, zone: str | None, share: Sequence[int]
) -> None:
    """Keep the helper's noised share of a bucket; the first one stays."""
    connection.execute(
        update(collections)
        .where(
            collections.c.task_digest == task_digest,
            collections.c.zone == (zone or _TERRITORY),
            collections.c.other_share.is_(None),
        )
        .values(other_share=FIELD128.encode(share))
    )


def _elements(data: bytes) -> tuple[int, ...]:
    return tuple(FIELD128.integers(bytes(data)))
