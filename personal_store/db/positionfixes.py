"""The positionfix table: what was measured, once.

Rows are only added. A position seen again (same device, time, place and source) is a duplicate
and adds nothing, whatever file it comes from and however many imports run at the same time.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, select

from personal_store.db.fix_rows import COLUMNS, FixRow, fix_of
from personal_store.db.tables import position_mark, positionfix
from personal_store.db.units import from_ms, to_ms
from personal_store.ingest.positionfix import Positionfix


def add_rows(connection: Connection, rows: Sequence[FixRow]) -> int:
    """Add the rows that are not there yet; return how many were new.

    Given to the driver as they are: SQLAlchemy's own way takes three times as long a row.
    """
    if not rows:
        return 0
    before = newest_id(connection)
    connection.exec_driver_sql(_INSERT, list(rows))
    # The writer holds the lock, so ids above `before` are ours and nobody else's.
    added = connection.scalar(
        select(func.count()).select_from(positionfix).where(positionfix.c.id > before)
    )
    return int(added or 0)


def count(connection: Connection) -> int:
    """Return how many positionfixes the store holds."""
    return int(connection.scalar(select(func.count()).select_from(positionfix)) or 0)


def newest_id(connection: Connection) -> int:
    """Return the id of the newest row, 0 when there is none."""
    return int(connection.scalar(select(func.max(positionfix.c.id))) or 0)


def bounds(connection: Connection, device: str) -> tuple[datetime, datetime] | None:
    """Return the times of the first and the last positionfix of a device, marked ones included.

    None when there is none, neither its own nor another's that is read as its own.
    """
    at = positionfix.c.at_ms
    guests = select(at).join(position_mark).where(position_mark.c.read_as == device).subquery()
    # One query for each edge: SQLite finds it in an index, both together by reading everything.
    edges = [
        connection.scalar(query)
        for query in (
            select(func.min(at)).where(positionfix.c.device == device),
            select(func.max(at)).where(positionfix.c.device == device),
            select(func.min(guests.c.at_ms)),
            select(func.max(guests.c.at_ms)),
        )
    ]
    known = [edge for edge in edges if edge is not None]
    return (from_ms(min(known)), from_ms(max(known))) if known else None


def nth_from(
    connection: Connection, device: str, number: int, *, start: datetime
) -> datetime | None:
    """Return the time of the positionfix that is `number` after the first from `start` on."""
    query = (
        select(positionfix.c.at_ms)
        .where(positionfix.c.device == device, positionfix.c.at_ms >= to_ms(start))
        .order_by(positionfix.c.at_ms)
        .offset(number)
        .limit(1)
    )
    found = connection.scalar(query)
    return None if found is None else from_ms(found)


def devices(connection: Connection) -> tuple[str, ...]:
    """Return the devices that have positionfixes, in alphabetical order."""
    query = select(positionfix.c.device).distinct().order_by(positionfix.c.device)
    return tuple(connection.scalars(query))


def of_device(
    connection: Connection,
    device: str,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    stating_offset: bool = False,
) -> list[Positionfix]:
    """Return the positionfixes that are read as a device's in [start, end), in time order.

    None leaves a side open. What another source tells better is left out, and what it tells of the
    same carrier is in, under this device's name (`position_marks`). `stating_offset` leaves out
    those that state no offset from UTC.
    """
    wanted: list[ColumnElement[bool]] = []
    if start is not None:
        wanted.append(positionfix.c.at_ms >= to_ms(start))
    if end is not None:
        wanted.append(positionfix.c.at_ms < to_ms(end))
    if stating_offset:
        wanted.append(positionfix.c.utc_offset_min.is_not(None))
    marked = select(position_mark.c.fix_id).where(position_mark.c.fix_id == positionfix.c.id)
    own = select(positionfix).where(positionfix.c.device == device, *wanted, ~marked.exists())
    guests = select(positionfix).join(position_mark).where(position_mark.c.read_as == device)
    rows = [*connection.execute(own), *connection.execute(guests.where(*wanted))]
    rows.sort(key=lambda row: (row.at_ms, row.id))
    return [fix_of(row, device=device) for row in rows]


_INSERT: Final = (
    f"INSERT INTO positionfix ({', '.join(COLUMNS)}) "  # noqa: S608 -- our own column names
    f"VALUES ({', '.join('?' * len(COLUMNS))}) ON CONFLICT DO NOTHING"
)
