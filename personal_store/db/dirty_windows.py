"""What is left to compute: windows of a device's time in which something new came in.

A row is new while its id is above the one that `queued` remembers, so whoever inserts a row has
nothing else to record: insertion and dirtiness are the same commit. `enqueue` turns new rows into
windows, in one transaction with that mark; a window goes only in the transaction that stores
what was computed from it. A crash anywhere leaves every window that is not done.

When the program's engine is another one than read the history, all of it is dirty `again`: in
windows apart, so that pages take in what is new at once and leave the rest to a longer job.
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

from personal_store.db.tables import dirty_window, engine_mark, evidence, positionfix, queued
from personal_store.db.units import from_ms, to_ms
from personal_store.ingest.positionfix import EvidenceKind

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DirtyWindow:
    """The time of a device's rows, from the first to the last, both included.

    They are new, or another engine read them (`again`).
    """

    device: str
    start: datetime
    end: datetime
    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _NewRows:
    """A table to watch: the columns that say when, and which of its rows count."""

    table: Table
    start_ms: Column[int]
    end_ms: Column[int]
    wanted: tuple[ColumnElement[bool], ...] = ()


def enqueue(connection: Connection) -> None:
    """Turn the rows that came in since the last time into dirty windows."""
    for rows in _WATCHED:
        _enqueue(connection, rows)


def has_news(connection: Connection) -> bool:
    """Tell whether a window is dirty with news, or a row came in that has none yet."""
    if _any(connection, again=False):
        return True
    return any(
        int(connection.scalar(select(func.max(table.c.id))) or 0) > _newest(connection, table)
        for table in (positionfix, evidence)
    )


def is_read_by(connection: Connection, mark: str) -> bool:
    """Tell whether the history was read by the engine of that mark, to its end."""
    kept = connection.scalar(select(engine_mark.c.mark))
    return kept == mark and not _any(connection, again=True)


def read_again(connection: Connection, mark: str) -> None:
    """Have what another engine than that of `mark` read computed again, once; else do nothing."""
    if connection.scalar(select(engine_mark.c.mark)) == mark:
        return
    connection.execute(delete(dirty_window).where(dirty_window.c.again))
    windows = [row for rows in _WATCHED for row in _read_spans(connection, rows)]
    if windows:
        connection.execute(insert(dirty_window), windows)
    connection.execute(delete(engine_mark))
    connection.execute(insert(engine_mark).values(mark=mark))


def mark(connection: Connection, *, device: str, start: datetime, end: datetime) -> None:
    """Have [start, end] of a device computed again, whatever the reason."""
    row = {"device": device, "start_ms": to_ms(start), "end_ms": to_ms(end), "again": False}
    connection.execute(insert(dirty_window), row)


def mark_everything(connection: Connection, mark: str) -> None:
    """Have the whole history computed again as if it were new, by the engine of that mark."""
    connection.execute(delete(dirty_window))
    connection.execute(delete(queued).where(queued.c.kind.in_([positionfix.name, evidence.name])))
    read_again(connection, mark)


def first(connection: Connection, *, again: bool) -> DirtyWindow | None:
    """Return the earliest window with news of the first device that has one, None without any.

    Where there is none, and `again` asks, what another engine read comes next.
    """
    wanted = () if again else (~dirty_window.c.again,)
    ordered = (dirty_window.c.again, dirty_window.c.device, dirty_window.c.start_ms)
    query = select(dirty_window).where(*wanted).order_by(*ordered).limit(1)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return DirtyWindow(
        device=row.device, start=from_ms(row.start_ms), end=from_ms(row.end_ms), again=row.again
    )


def done(connection: Connection, of: DirtyWindow, *, end: datetime) -> None:
    """Take away what is dirty of that device, in the same way, up to `end`, included."""
    alike = (dirty_window.c.device == of.device) & (dirty_window.c.again == of.again)
    until_ms = to_ms(end) + 1
    connection.execute(delete(dirty_window).where(alike, dirty_window.c.end_ms < until_ms))
    begun = alike & (dirty_window.c.start_ms < until_ms)
    connection.execute(update(dirty_window).where(begun).values(start_ms=until_ms))


def _any(connection: Connection, *, again: bool) -> bool:
    query = select(dirty_window.c.id).where(dirty_window.c.again == again).limit(1)
    return connection.scalar(query) is not None


def _read_spans(connection: Connection, rows: _NewRows) -> list[dict[str, object]]:
    """Return a window for each device over all its rows that were queued before."""
    query = (
        select(
            rows.table.c.device,
            func.min(rows.start_ms).label("start_ms"),
            func.max(rows.end_ms).label("end_ms"),
        )
        .where(rows.table.c.id <= _newest(connection, rows.table), *rows.wanted)
        .group_by(rows.table.c.device)
        .order_by(rows.table.c.device)
    )
    return [{**row, "again": True} for row in connection.execute(query).mappings()]


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
            span = {"start_ms": row.first, "end_ms": row.last, "again": False}
            windows.append({"device": row.device, **span})
        previous = (row.device, row.day)
    return windows


def _newest(connection: Connection, table: Table) -> int:
    query = select(queued.c.newest_id).where(queued.c.kind == table.name)
    return int(connection.scalar(query) or 0)


_WATCHED = (
    _NewRows(table=positionfix, start_ms=positionfix.c.at_ms, end_ms=positionfix.c.at_ms),
    _NewRows(
        table=evidence,
        start_ms=evidence.c.start_ms,
        end_ms=evidence.c.end_ms,
        # Taps and carpool proofs are weighed when trips are read, and shape nothing computed.
        wanted=(evidence.c.kind.in_([EvidenceKind.LEG.value, EvidenceKind.VISIT.value]),),
    ),
)
