"""Consent events on their way into the log: what waits to be merged, and what was promised."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from consents.canonical import utc_text, utc_time
from coop_aggregator.db.tables import pending_events, promises


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingEvent:
    """A checked event that the log does not hold yet; `sequence` is its order of receipt."""

    sequence: int
    leaf: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPromise:
    """The signed promise given for an event, and when it falls due."""

    token: bytes
    merge_by: datetime


def add_pending(
    connection: Connection, *, leaf: bytes, leaf_sha256: str, cid: str, received_at: datetime
) -> None:
    """Keep a checked event until it is merged. Its digest must be new (unique constraint)."""
    connection.execute(
        insert(pending_events).values(
            leaf=leaf.decode("ascii"),
            leaf_sha256=leaf_sha256,
            cid=cid,
            received_at=utc_text(received_at),
        )
    )


def oldest_pending(connection: Connection, *, limit: int) -> tuple[WaitingEvent, ...]:
    """Return the events that have waited longest, in order of receipt."""
    query = select(pending_events.c.sequence, pending_events.c.leaf)
    rows = connection.execute(query.order_by(pending_events.c.sequence).limit(limit))
    return tuple(WaitingEvent(sequence=row.sequence, leaf=row.leaf.encode("ascii")) for row in rows)


def drop_pending(connection: Connection, events: Sequence[WaitingEvent]) -> None:
    """Forget the events that the log holds now: a run from `oldest_pending`."""
    if events:
        connection.execute(
            delete(pending_events).where(pending_events.c.sequence <= events[-1].sequence)
        )


def is_pending(connection: Connection, leaf_sha256: str) -> bool:
    """Tell whether the event with this digest waits to be merged."""
    found = select(pending_events.c.sequence).where(pending_events.c.leaf_sha256 == leaf_sha256)
    return connection.scalar(found) is not None


def pending_of(connection: Connection, cid: str) -> tuple[bytes, ...]:
    """Return the waiting events of one chain, in order."""
    texts = connection.scalars(
        select(pending_events.c.leaf)
        .where(pending_events.c.cid == cid)
        .order_by(pending_events.c.sequence)
    )
    return tuple(text.encode("ascii") for text in texts)


def add_promise(connection: Connection, *, leaf_sha256: str, promise: KeptPromise) -> None:
    """Keep the promise given for an event."""
    connection.execute(
        insert(promises).values(
            leaf_sha256=leaf_sha256,
            token=promise.token.decode("ascii"),
            merge_by=utc_text(promise.merge_by),
        )
    )


def promise_for(connection: Connection, leaf_sha256: str) -> KeptPromise | None:
    """Return the promise given for the event with this digest, or None."""
    row = connection.execute(
        select(promises).where(promises.c.leaf_sha256 == leaf_sha256)
    ).one_or_none()
    if row is None:
        return None
    return KeptPromise(token=row.token.encode("ascii"), merge_by=utc_time(row.merge_by))


def broken_promises(connection: Connection, *, now: datetime) -> int:
    """Return how many promised events still wait although their time is past."""
    overdue = (
        select(promises.c.leaf_sha256)
        .join(pending_events, pending_events.c.leaf_sha256 == promises.c.leaf_sha256)
        .where(promises.c.merge_by < utc_text(now))
    )
    return len(connection.execute(overdue).all())
