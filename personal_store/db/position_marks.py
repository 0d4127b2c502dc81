"""Marks on positions that another source tells too. The positions themselves never change.

A marked fix is read as another device's, or left out at reading (`read_as` NULL). Marks are
computed anew whenever a day gets news.
"""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, text
from sqlalchemy.dialects.sqlite import insert as upsert

from personal_store.db.tables import position_mark, positionfix, queued
from personal_store.db.units import E7
from personal_store.ingest.overlap import Mark, Seen, Series
from personal_store.ingest.positionfix import SourceFormat

DAY_MS = 86_400_000
_WATCHED = "position_mark"
_MS = 1000


def days_with_news(connection: Connection) -> list[int]:
    """Return the UTC days (counted from 1970) in which fixes came in since `seen_up_to`."""
    day = positionfix.c.at_ms // DAY_MS
    query = select(day).where(positionfix.c.id > _seen(connection)).distinct()
    return sorted(connection.scalars(query))


def has_news(connection: Connection) -> bool:
    """Tell whether fixes came in since `seen_up_to`."""
    newest = connection.scalar(select(func.max(positionfix.c.id)))
    return int(newest or 0) > _seen(connection)


def has_several_sources(connection: Connection, day: int) -> bool:
    """Tell whether more than one source tells of a day; answered by an index alone."""
    query = select(func.count(positionfix.c.source.distinct())).where(*_of_day(connection, day))
    return int(connection.scalar(query) or 0) > 1


def seen_up_to(connection: Connection, newest_id: int) -> None:
    """Remember that the days of every fix up to `newest_id` are marked."""
    values = {"newest_id": newest_id}
    connection.execute(
        upsert(queued)
        .values(kind=_WATCHED, **values)
        .on_conflict_do_update(index_elements=["kind"], set_=values)
    )


def series_of(connection: Connection, day: int) -> list[Series]:
    """Return the series of one UTC day."""
    query = (
        select(positionfix)
        .where(*_of_day(connection, day))
        .order_by(positionfix.c.at_ms, positionfix.c.id)
    )
    found: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.source, row.device].append(
            Seen(
                fix_id=row.id,
                at_s=row.at_ms / _MS,
                lon=row.lon_e7 / E7,
                lat=row.lat_e7 / E7,
                accuracy_m=row.accuracy_m,
            )
        )
    return [
        Series(source=SourceFormat(source), device=device, fixes=fixes)
        for (source, device), fixes in found.items()
    ]


def replace_day(connection: Connection, series: Sequence[Series], marks: Sequence[Mark]) -> bool:
    """Make these the only marks of a day's fixes; tell whether anything changed."""
    ids = [fix.fix_id for each in series for fix in each.fixes]
    old: set[tuple[int, str | None]] = set()
    for start in range(0, len(ids), 500):
        some = position_mark.c.fix_id.in_(ids[start : start + 500])
        old |= {
            (row.fix_id, row.read_as)
            for row in connection.execute(select(position_mark).where(some))
        }
    new = {(mark.fix_id, mark.read_as) for mark in marks}
    if new == old:
        return False
    for fix_id, _ in old - new:
        connection.execute(delete(position_mark).where(position_mark.c.fix_id == fix_id))
    rows = [
        {"fix_id": fix_id, "read_as": read_as}
        for fix_id, read_as in sorted(new - old, key=lambda each: each[0])
    ]
    if rows:
        connection.execute(insert(position_mark), rows)
    return True


def count(connection: Connection) -> int:
    """Return how many fixes are marked."""
    return int(connection.scalar(select(func.count()).select_from(position_mark)) or 0)


def _seen(connection: Connection) -> int:
    query = select(queued.c.newest_id).where(queued.c.kind == _WATCHED)
    return int(connection.scalar(query) or 0)


def _of_day(connection: Connection, day: int) -> tuple[ColumnElement[bool], ...]:
    # The devices are named so that the index, which begins with them, is used.
    return (
        positionfix.c.device.in_(connection.scalars(_DEVICES).all()),
        positionfix.c.at_ms >= day * DAY_MS,
        positionfix.c.at_ms < (day + 1) * DAY_MS,
    )


_DEVICES = text(
    # From one device to the next in the index: a plain DISTINCT reads every position.
    "WITH RECURSIVE d(x) AS (SELECT min(device) FROM positionfix UNION ALL "
    "SELECT (SELECT min(device) FROM positionfix WHERE device > x) FROM d WHERE x IS NOT NULL) "
    "SELECT x FROM d WHERE x IS NOT NULL"
)
