"""The tables of the log as it was shown: checkpoints seen, and what proves that it was forked."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from personal_store.db.tables import checkpoint_seen, fork
from personal_store.db.units import to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A checkpoint of a cooperative's log: its size, its root and the signed note, verbatim."""

    size: int
    root: bytes
    note: str


def keep(connection: Connection, url: str, seen: Seen) -> None:
    """Keep a checkpoint, to be linked to a later one; one that is known changes nothing."""
    connection.execute(
        upsert(checkpoint_seen)
        .values(url=url, size=seen.size, root=seen.root, note=seen.note, linked=False)
        .on_conflict_do_nothing()
    )


def unlinked(connection: Connection, url: str) -> list[Seen]:
    """Return the checkpoints that no later one was shown to continue, the smallest first."""
    query = (
        select(checkpoint_seen)
        .where(checkpoint_seen.c.url == url, checkpoint_seen.c.linked.is_(False))
        .order_by(checkpoint_seen.c.size)
    )
    rows = connection.execute(query)
    return [Seen(size=row.size, root=bytes(row.root), note=row.note) for row in rows]


def of_size(connection: Connection, url: str, size: int) -> list[Seen]:
    """Return the checkpoints seen of this size: more than one is a fork."""
    query = (
        select(checkpoint_seen)
        .where(checkpoint_seen.c.url == url, checkpoint_seen.c.size == size)
        .order_by(checkpoint_seen.c.root)
    )
    rows = connection.execute(query)
    return [Seen(size=row.size, root=bytes(row.root), note=row.note) for row in rows]


def link(connection: Connection, url: str, seen: Seen) -> None:
    """Note that a later checkpoint, which is kept too, continues this one."""
    same = (
        checkpoint_seen.c.url == url,
        checkpoint_seen.c.size == seen.size,
        checkpoint_seen.c.root == seen.root,
    )
    connection.execute(update(checkpoint_seen).where(*same).values(linked=True))


def keep_fork(connection: Connection, url: str, *, evidence: str, at: datetime) -> None:
    """Keep what proves that a log was forked; the first evidence stays."""
    connection.execute(
        upsert(fork)
        .values(url=url, found_at_ms=to_ms(at), evidence=evidence)
        .on_conflict_do_nothing()
    )


def fork_of(connection: Connection, url: str) -> str | None:
    """Return the evidence that a cooperative's log was forked, None where there is none."""
    return connection.scalar(select(fork.c.evidence).where(fork.c.url == url))
