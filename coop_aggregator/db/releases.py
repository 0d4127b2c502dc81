"""What was published, byte for byte; a release is written once and never changed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select

from consents.canonical import utc_text, utc_time
from coop_aggregator.db.tables import releases


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRelease:
    """A release as published."""

    task_digest: str
    week: str
    body: bytes
    leaf_index: int
    published_at: datetime


def add_release(connection: Connection, release: StoredRelease) -> None:
    """Keep a release. Its task and its week must be new (unique constraints)."""
    connection.execute(
        insert(releases).values(
            task_digest=release.task_digest,
            week=release.week,
            body=release.body,
            leaf_index=release.leaf_index,
            published_at=utc_text(release.published_at),
        )
    )


def release_by_week(connection: Connection, week: str) -> StoredRelease | None:
    """Return the release of an ISO week, or None."""
    row = connection.execute(select(releases).where(releases.c.week == week)).one_or_none()
    return None if row is None else _release(row)


def latest_release(connection: Connection) -> StoredRelease | None:
    """Return the release of the latest week, or None before the first."""
    row = connection.execute(select(releases).order_by(releases.c.week.desc()).limit(1)).first()
    return None if row is None else _release(row)


def release_weeks(connection: Connection) -> tuple[str, ...]:
    """Return the published weeks, the latest first."""
    return tuple(connection.scalars(select(releases.c.week).order_by(releases.c.week.desc())))


def _release(row: Row[tuple[object, ...]]) -> StoredRelease:
    return StoredRelease(
        task_digest=row.task_digest,
        week=row.week,
        body=bytes(row.body),
        leaf_index=row.leaf_index,
        published_at=utc_time(row.published_at),
    )
