"""The positionfix table: what was measured, once.

Rows are only added. A position seen again (same device, time, place and source) is a duplicate
and adds nothing, whatever file it comes from and however many imports run at the same time.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.sqlite import insert

from personal_store.db.tables import positionfix
from personal_store.db.units import E7, from_ms, to_e7, to_ms
from personal_store.ingest.positionfix import Positionfix, SourceFormat


def add(connection: Connection, fixes: Sequence[Positionfix], *, received_at: datetime) -> int:
    """Add the positionfixes that are not there yet; return how many were new."""
    if not fixes:
        return 0
    received_at_ms = to_ms(received_at)
    rows = [_row(fix, received_at_ms) for fix in fixes]
    before = newest_id(connection)
    statement = insert(positionfix).on_conflict_do_nothing()
    connection.execute(statement, rows)
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


def newest_at(connection: Connection, device: str) -> datetime | None:
    """Return the time of the latest positionfix of a device, None when it has none."""
    query = select(func.max(positionfix.c.at_ms)).where(positionfix.c.device == device)
    newest = connection.scalar(query)
    return None if newest is None else from_ms(newest)


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
) -> list[Positionfix]:
    """Return the positionfixes of a device in [start, end), in time order.

    None leaves a side open.
    """
    wanted = [positionfix.c.device == device]
    if start is not None:
        wanted.append(positionfix.c.at_ms >= to_ms(start))
    if end is not None:
        wanted.append(positionfix.c.at_ms < to_ms(end))
    query = select(positionfix).where(*wanted).order_by(positionfix.c.at_ms, positionfix.c.id)
    return [
        Positionfix(
            at=from_ms(row.at_ms),
            lon=row.lon_e7 / E7,
            lat=row.lat_e7 / E7,
            source=SourceFormat(row.source),
            device=row.device,
            accuracy_m=row.accuracy_m,
            speed_mps=row.speed_mps,
            altitude_m=row.altitude_m,
            activity=row.activity,
            activity_confidence=row.activity_confidence,
        )
        for row in connection.execute(query)
    ]


def _row(fix: Positionfix, received_at_ms: int) -> dict[str, object]:
    return {
        "source": fix.source.value,
        "device": fix.device,
        "at_ms": to_ms(fix.at),
        "lon_e7": to_e7(fix.lon),
        "lat_e7": to_e7(fix.lat),
        "accuracy_m": fix.accuracy_m,
        "speed_mps": fix.speed_mps,
        "altitude_m": fix.altitude_m,
        "activity": fix.activity,
        "activity_confidence": fix.activity_confidence,
        "received_at_ms": received_at_ms,
    }
