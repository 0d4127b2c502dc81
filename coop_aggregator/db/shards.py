"""The yearly logs that this installation keeps or follows, oldest first; the last one is open.

Leaves, sizes and operator's bodies are numbered on from one log to the next: a log holds the
positions from its own first up to the next log's. Sizes work likewise: those of a log lie above its
first position. Not how one log hands over to the next (`consents.tlog.shards`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from consents.canonical import utc_text, utc_time
from consents.jws import thumbprint_of_raw
from consents.tlog.checkpoint import NoteKey
from consents.tlog.nodes import node_count
from coop_aggregator.db.tables import shards


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """
    One year's log: its name and key, and its place among all leaves.

    `end` is the position after its last leaf once it is closed, None while it is open;
    `first_node` the position of its first tree node.
    """

    number: int
    origin: str
    vkey: str
    opened_at: datetime
    first: int = 0
    first_node: int = 0
    end: int | None = None

    @property
    def kid(self) -> str:
        """Thumbprint of the key that signs it."""
        return thumbprint_of_raw(NoteKey.parse(self.vkey).public_key)

    def holds(self, size: int) -> bool:
        """Tell whether a size counted over all logs is one of this log, the empty one excluded."""
        return self.first < size and (self.end is None or size <= self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shards:
    """All logs of the sequence, oldest first."""

    every: tuple[Shard, ...]

    @property
    def current(self) -> Shard:
        """The open log."""
        return self.every[-1]

    @property
    def origins(self) -> tuple[str, ...]:
        """Their names, oldest first."""
        return tuple(each.origin for each in self.every)

    @property
    def vkeys(self) -> tuple[str, ...]:
        """Their verifier keys, oldest first."""
        return tuple(each.vkey for each in self.every)

    @property
    def kids(self) -> tuple[str, ...]:
        """Thumbprints of their keys, oldest first."""
        return tuple(each.kid for each in self.every)

    def earlier(self, shard: Shard) -> tuple[str, ...]:
        """Return the names of the logs before one of them: its leaves may have been signed for."""
        return self.origins[: shard.number]

    def at(self, position: int) -> Shard:
        """Return the log that holds the leaf at `position`."""
        return next(each for each in reversed(self.every) if each.first <= position)

    def named(self, origin: str) -> Shard | None:
        """Return the log of this name, or None."""
        return next((each for each in self.every if each.origin == origin), None)


def add_shard(
    connection: Connection, *, number: int, origin: str, vkey: str, first: int, now: datetime
) -> None:
    """Keep the next log; from now on the one before it is closed."""
    connection.execute(
        insert(shards).values(
            number=number, origin=origin, vkey=vkey, first_position=first, opened_at=utc_text(now)
        )
    )


def load_shards(connection: Connection) -> Shards:
    """Return the logs of this installation."""
    rows = connection.execute(select(shards).order_by(shards.c.number)).all()
    firsts = [row.first_position for row in rows]
    ends: Sequence[int | None] = [*firsts[1:], None]
    found: list[Shard] = []
    first_node = 0
    for row, end in zip(rows, ends, strict=True):
        found.append(
            Shard(
                number=row.number,
                origin=row.origin,
                vkey=row.vkey,
                opened_at=utc_time(row.opened_at),
                first=row.first_position,
                first_node=first_node,
                end=end,
            )
        )
        first_node += 0 if end is None else node_count(end - row.first_position)
    return Shards(every=tuple(found))
