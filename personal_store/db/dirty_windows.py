"""What is left to compute: windows of a device's time in which something new came in.

A row is new while its id is above the one that `queued` remembers, so whoever inserts a row has
nothing else to record: insertion and dirtiness are the same commit. `enqueue` turns new rows into
windows, in one transaction with that mark; a window goes only in the transaction that stores
what was computed from it. A crash anywhere leaves every window that is not done.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from personal_store.db.tables import dirty_window, evidence, positionfix, queued
from personal_store.db.units import from_ms, to_ms
from personal_store.ingest.positionfix import EvidenceKind

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DirtyWindow:
    """The time of a device's new rows: from the first to the last, both included."""

    device: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _NewRows:
    """A table to watch: the columns that say when, and which of its rows count."""

    table: Table
    start_ms: Column[int]
    end_ms: Column[int]
    wanted: tuple[ColumnElement[bool], ...] = ()


def enqueue(connection: Connection) -> None:
    """Turn the rows that came in since the last time into dirty windows."""
    _enqueue(
        connection,
        _NewRows(table=positionfix, start_ms=positionfix.c.at_ms, end_ms=positionfix.c.at_ms),
    )
    _enqueue(
        connection,
        _NewRows(
            table=evidence,
            start_ms=evidence.c.start_ms,
            end_ms=evidence.c.end_ms,
            # Taps and carpool proofs are weighed when trips are read, and shape nothing computed.
            wanted=(evidence.c.kind.in_([EvidenceKind.LEG.value, EvidenceKind.VISIT.value]),),
        ),
    )


def has_news(connection: Connection) -> bool:
    """Tell whether a window is dirty, or a row came in that has none yet."""
    if connection.scalar(select(dirty_window.c.id).limit(1)) is not None:
        return True
    return any(
        int(connection.scalar(select(func.max(table.c.id))) or 0) > _newest(connection, table)
        for table in (positionfix, evidence)
    )


def mark(connection: Connection, *, device: str, start: datetime, end: datetime) -> None:
    """Have [start, end] of a device computed again, whatever the reason."""
    row = {"device": device, "start_ms": to_ms(start), "end_ms": to_ms(end)}
    connection.execute(insert(dirty_window), row)


def mark_everything(connection: Connection) -> None:
    """Have the whole history computed again: the trip engine reads it differently."""
    connection.execute(delete(dirty_window))
    connection.execute(delete(queued).where(queued.c.kind.in_([positionfix.name, evidence.name])))


def first(connection: Connection) -> DirtyWindow | None:
    """Return the earliest dirty window of the first device that has one, None when all is done."""
    query = select(dirty_window).order_by(dirty_window.c.device, dirty_window.c.start_ms).limit(1)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return DirtyWindow(device=row.device, start=from_ms(row.start_ms), end=from_ms(row.end_ms))


def done(connection: Connection, *, device: str, end: datetime) -> None:
    """Take away what is dirty of a device up to `end`, included."""
    of_device = dirty_window.c.device == device
    until_ms = to_ms(end) + 1
    connection.execute(delete(dirty_window).where(of_device, dirty_window.c.end_ms < until_ms))
    begun = of_device & (dirty_window.c.start_ms < until_ms)
    connection.execute(update(dirty_window).where(begun).values(start_ms=until_ms))


def _enqueue(connection: Connection, rows: _NewRows) -> None:
    newest = int(connection.scalar(select(func.max(rows.table.c.id))) or 0)
    above = _newest(connection, rows.table)
    if newest <= above:
        return
    windows = _windows(connection, rows, above=above)
    if windows:
        connection.execute(insert(dirty_window), windows)
    values = {"newest_id": newest}
    connection.execute(
        upsert(queued)
        .values(kind=rows.table.name, **values)
        .on_conflict_do_update(index_elements=["kind"], set_=values)
    )


def _windows(connection: Connection, rows: _NewRows, *, above: int) -> list[dict[str, object]]:
    """Return a window for each run of consecutive days in which a device has new rows."""
    day = (rows.start_ms // DAY_MS).label("day")
    query = (
        select(
            rows.table.c.device,
            day,
            func.min(rows.start_ms).label("first"),
            func.max(rows.end_ms).label("last"),
        )
        .where(rows.table.c.id > above, *rows.wanted)
        .group_by(rows.table.c.device, day)
        .order_by(rows.table.c.device, day)
    )
    windows: list[dict[str, object]] = []
    previous: tuple[str, int] | None = None
    for row in connection.execute(query):
        if previous == (row.device, row.day - 1):
            windows[-1]["end_ms"] = row.last
        else:
            windows.append({"device": row.device, "start_ms": row.first, "end_ms": row.last})
        previous = (row.device, row.day)
    return windows


def _newest(connection: Connection, table: Table) -> int:
    query = select(queued.c.newest_id).where(queued.c.kind == table.name)
    return int(connection.scalar(query) or 0)
