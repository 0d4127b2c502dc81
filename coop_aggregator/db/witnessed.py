"""What the stewards cosigned, size by size; a log's largest size is the witness's state of it.

In the table, sizes count on from one year's log to the next (`db.shards`): no two logs share one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select

from consents.canonical import utc_text, utc_time
from coop_aggregator.db.shards import Shard, load_shards
from coop_aggregator.db.tables import witnessed


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """One cosigned checkpoint: the log's note with our cosignature below, `size` of its log."""

    size: int
    root: bytes
    note: str
    cosigned_at: datetime


def latest_witnessed(connection: Connection, shard: Shard) -> Witnessed | None:
    """Return the largest cosigned checkpoint of a log, or None before the first."""
    query = select(witnessed).where(witnessed.c.size > shard.first)
    if shard.end is not None:
        query = query.where(witnessed.c.size <= shard.end)
    row = connection.execute(query.order_by(witnessed.c.size.desc()).limit(1)).first()
    return None if row is None else _witnessed(row, shard)


def recent_witnessed(connection: Connection, *, count: int) -> Sequence[Witnessed]:
    """Return the `count` latest cosigned checkpoints, of whichever logs, the latest first."""
    shards = load_shards(connection)
    query = select(witnessed).order_by(witnessed.c.size.desc()).limit(count)
    return tuple(_witnessed(row, shards.at(row.size - 1)) for row in connection.execute(query))


def save_witnessed(connection: Connection, entry: Witnessed, shard: Shard) -> None:
    """Keep a cosigned checkpoint; the same size again replaces the older cosignature."""
    counted = shard.first + entry.size
    connection.execute(delete(witnessed).where(witnessed.c.size == counted))
    connection.execute(
        insert(witnessed).values(
            size=counted,
            root=entry.root.hex(),
            note=entry.note,
            cosigned_at=utc_text(entry.cosigned_at),
        )
    )


def _witnessed(row: Row[Any], shard: Shard) -> Witnessed:
    return Witnessed(
        size=row.size - shard.first,
        root=bytes.fromhex(row.root),
        note=row.note,
        cosigned_at=utc_time(row.cosigned_at),
    )
