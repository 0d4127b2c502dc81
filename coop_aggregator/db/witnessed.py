"""What the stewards cosigned, size by size; the largest size is the witness's state."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, delete, insert, select

from consents.canonical import utc_text, utc_time
from coop_aggregator.db.tables import witnessed


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """One cosigned checkpoint: the log's note with our cosignature below."""

    size: int
    root: bytes
    note: str
    cosigned_at: datetime


def latest_witnessed(connection: Connection) -> Witnessed | None:
    """Return the largest cosigned checkpoint, or None before the first."""
    query = select(witnessed).order_by(witnessed.c.size.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else _witnessed(row)


def recent_witnessed(connection: Connection, *, count: int) -> Sequence[Witnessed]:
    """Return the `count` latest cosigned checkpoints, the latest first."""
    query = select(witnessed).order_by(witnessed.c.size.desc()).limit(count)
    return tuple(_witnessed(row) for row in connection.execute(query))


def save_witnessed(connection: Connection, entry: Witnessed) -> None:
    """Keep a cosigned checkpoint; the same size again replaces the older cosignature."""
    connection.execute(delete(witnessed).where(witnessed.c.size == entry.size))
    connection.execute(
        insert(witnessed).values(
            size=entry.size,
            root=entry.root.hex(),
            note=entry.note,
            cosigned_at=utc_text(entry.cosigned_at),
        )
    )


def _witnessed(row: Row[tuple[object, ...]]) -> Witnessed:
    return Witnessed(
        size=row.size,
        root=bytes.fromhex(row.root),
        note=row.note,
        cosigned_at=utc_time(row.cosigned_at),
    )
