"""Purposes and tasks: what is asked and why, kept as the bytes that were published."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select

from consents.canonical import utc_text, utc_time
from coop_aggregator.db.tables import notices, purposes, tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTask:
    """A task as kept: its bytes, and its signed form once it is signed.

    Of two keepers: `own_jws` is our own signature, `jws` both, and `verify_key` the secret that
    the keepers share. `purpose` is, at the helper, the text that came with the proposal.
    """

    digest: str
    week: str
    body: bytes
    jws: str | None
    report_deadline: datetime
    own_jws: str | None = None
    verify_key: bytes | None = None
    purpose: bytes | None = None

    def __repr__(self) -> str:
        """Hide the key."""
        return f"StoredTask(week={self.week!r}, digest={self.digest!r})"


def add_purpose(connection: Connection, *, digest: str, body: bytes, leaf_index: int) -> None:
    """Keep a published purpose."""
    connection.execute(insert(purposes).values(digest=digest, body=body, leaf_index=leaf_index))


def purpose_body(connection: Connection, digest: str) -> bytes | None:
    """Return the bytes of a published purpose, or None."""
    return connection.scalar(select(purposes.c.body).where(purposes.c.digest == digest))


def add_notice(connection: Connection, *, purpose_digest: str, body: bytes) -> None:
    """Keep the notice that goes with a published purpose."""
    connection.execute(insert(notices).values(purpose_digest=purpose_digest, body=body))


def notice_body(connection: Connection, purpose_digest: str) -> bytes | None:
    """Return the bytes of the notice of a purpose, or None."""
    query = select(notices.c.body).where(notices.c.purpose_digest == purpose_digest)
    return connection.scalar(query)


def purpose_digests(connection: Connection) -> tuple[str, ...]:
    """Return the digests of all purposes, the oldest first."""
    return tuple(connection.scalars(select(purposes.c.digest).order_by(purposes.c.leaf_index)))


def add_task(
    connection: Connection,
    *,
    digest: str,
    week: str,
    body: bytes,
    report_deadline: datetime,
    verify_key: bytes | None = None,
    purpose: bytes | None = None,
) -> None:
    """Keep a draft; a helper keeps its `purpose` too. The week must be free."""
    connection.execute(
        insert(tasks).values(
            digest=digest,
            week=week,
            body=body,
            jws=None,
            report_deadline=utc_text(report_deadline),
            own_jws=None,
            verify_key=verify_key,
            purpose=purpose,
        )
    )


def set_purpose(connection: Connection, digest: str, purpose: bytes) -> None:
    """Keep the text of a proposal's purpose, where an older version kept none."""
    connection.execute(tasks.update().where(tasks.c.digest == digest).values(purpose=purpose))


def set_own_signature(connection: Connection, digest: str, jws: str) -> None:
    """Keep our signature of a task of two keepers, which is not served before both signed."""
    connection.execute(tasks.update().where(tasks.c.digest == digest).values(own_jws=jws))


def set_task_signature(connection: Connection, digest: str, jws: str) -> None:
    """Turn a draft into a signed task."""
    connection.execute(tasks.update().where(tasks.c.digest == digest).values(jws=jws))


def task_by_digest(connection: Connection, digest: str) -> StoredTask | None:
    """Return the task of this digest, or None."""
    row = connection.execute(select(tasks).where(tasks.c.digest == digest)).one_or_none()
    return None if row is None else _task(row)


def task_by_week(connection: Connection, week: str) -> StoredTask | None:
    """Return the task of this ISO week, or None."""
    row = connection.execute(select(tasks).where(tasks.c.week == week)).one_or_none()
    return None if row is None else _task(row)


def all_tasks(connection: Connection) -> tuple[StoredTask, ...]:
    """Return every task in order of week."""
    return tuple(_task(row) for row in connection.execute(select(tasks).order_by(tasks.c.week)))


def _task(row: Row[tuple[object, ...]]) -> StoredTask:
    return StoredTask(
        digest=row.digest,
        week=row.week,
        body=bytes(row.body),
        jws=row.jws,
        report_deadline=utc_time(row.report_deadline),
        own_jws=row.own_jws,
        verify_key=None if row.verify_key is None else bytes(row.verify_key),
        purpose=None if row.purpose is None else bytes(row.purpose),
    )
