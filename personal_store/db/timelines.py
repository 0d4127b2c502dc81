"""The tables of stays, trips, legs and gaps: derived, so replaced when recomputed.

Two layers, each a function of its own rows: what the engine computed from positions, and what
segmented histories told (`told`). They are laid over each other when they are read, whole here;
what corrects them is kept elsewhere (`db/trips.py`).
"""

import dataclasses
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, func, insert, select, update

from carbon.modes import TransportMode
from personal_store.db.tables import gap, staypoint, trip, tripleg
from personal_store.db.units import from_ms, to_ms
from personal_store.trips.segments import lay_over
from personal_store.trips.timeline import (
    Gap,
    GapKind,
    ModeProbability,
    ModeSource,
    Staypoint,
    Timeline,
    Trip,
    Tripleg,
)


def replace(
    connection: Connection,
    timeline: Timeline,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> None:
    """Replace what was computed of a device: stays and trips that start in [start, end), gaps that
    start in [since, until).

    None leaves a side open. What starts outside is left alone, and so is what was told.
    """
    device = timeline.device
    for table in (staypoint, trip):
        _clear(connection, table, device, ~table.c.told, *_starting(table, start=start, end=end))
    _clear(connection, gap, device, *_starting(gap, start=since, end=until))
    _insert_stays(connection, device, timeline.staypoints, told=False)
    _insert_trips(connection, timeline.trips, told=False)
    if timeline.gaps:
        connection.execute(insert(gap), [_gap_row(device, each) for each in timeline.gaps])


def replace_told_trips(
    connection: Connection, device: str, told: Sequence[Trip], *, start: datetime, end: datetime
) -> None:
    """Replace the told trips of a device that start in [start, end)."""
    _clear(connection, trip, device, trip.c.told, *_starting(trip, start=start, end=end))
    _insert_trips(connection, told, told=True)


def replace_told_stays(
    connection: Connection,
    device: str,
    told: Sequence[Staypoint],
    *,
    start: datetime,
    end: datetime,
) -> None:
    """Replace the told stays of a device that start in [start, end)."""
    wanted = _starting(staypoint, start=start, end=end)
    _clear(connection, staypoint, device, staypoint.c.told, *wanted)
    _insert_stays(connection, device, told, told=True)


def replace_offsets(
    connection: Connection,
    device: str,
    stated: Callable[[Timeline], Timeline],
    *,
    start: datetime,
    end: datetime,
) -> None:
    """Have every trip of a device that overlaps [start, end) keep the offset that is stated for it.

    `stated` is given those trips without their legs, and returns them with their offsets.
    """
    query = select(trip).where(*_touching(trip, device, start=start, end=end))
    rows = connection.execute(query.order_by(trip.c.start_ms, trip.c.id)).all()
    known = Timeline(device=device, staypoints=(), trips=tuple(_trip(row) for row in rows))
    for row, each in zip(rows, stated(known).trips, strict=True):
        if row.utc_offset_min != each.utc_offset_min:
            change = update(trip).where(trip.c.id == row.id)
            connection.execute(change.values(utc_offset_min=each.utc_offset_min))


def computed_stay_at(connection: Connection, device: str, at: datetime) -> Staypoint | None:
    """Return the stay that was computed of a device around a moment, None where there is none."""
    query = (
        select(staypoint)
        .where(staypoint.c.device == device, ~staypoint.c.told, staypoint.c.start_ms <= to_ms(at))
        .order_by(staypoint.c.start_ms.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None or row.end_ms <= to_ms(at) else _stay(row)


def trips_starting(
    connection: Connection, *, start: datetime | None, end: datetime | None
) -> list[Trip]:
    """Return the trips of every device that start in [start, end), told ones over computed ones."""
    wanted = _starting(trip, start=start, end=end)
    query = select(trip).where(*wanted).order_by(trip.c.start_ms, trip.c.device)
    legs = _legs_of(connection, wanted)
    found: list[Trip] = []
    for device, rows in _by_device(connection.execute(query).all()).items():
        told = _told(connection, device, start=start, end=end)
        read = [
            Trip(
                device=device,
                start=from_ms(row.start_ms),
                end=from_ms(row.end_ms),
                triplegs=tuple(legs[row.id]),
                utc_offset_min=row.utc_offset_min,
            )
            for row in rows
            if not row.told
        ]
        over = lay_over(Timeline(device=device, staypoints=(), trips=tuple(read)), told)
        told_legs = {from_ms(row.start_ms): tuple(legs[row.id]) for row in rows if row.told}
        # A told trip that only reaches into the span covers what was computed there, no more.
        found += [
            _whole(each, told_legs)
            for each in over.trips
            if each.triplegs or each.start in told_legs
        ]
    return sorted(found, key=lambda each: (each.start, each.device))


def stays_touching(
    connection: Connection,
    *,
    device: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[Staypoint]:
    """Return the stays that overlap [start, end), told ones over computed ones, in time order.

    None leaves a side, or the device, open.
    """
    wanted = [*_touching(staypoint, device, start=start, end=end), ~staypoint.c.told]
    read = _by_device(connection.execute(select(staypoint).where(*wanted)).all())
    found: list[Staypoint] = []
    for each in {*read, *_told_devices(connection, device)}:
        told = _told(connection, each, start=start, end=end)
        stays = tuple(_stay(row) for row in read.get(each, ()))
        found += lay_over(Timeline(device=each, staypoints=stays, trips=()), told).staypoints
    return sorted(found, key=lambda stay: stay.start)


def gaps_touching(
    connection: Connection,
    *,
    device: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[Gap]:
    """Return the gaps that overlap [start, end) where nothing was told instead, in time order.

    None leaves a side, or the device, open.
    """
    query = select(gap).where(*_touching(gap, device, start=start, end=end))
    found: list[Gap] = []
    for each, rows in _by_device(connection.execute(query).all()).items():
        told = _told(connection, each, start=start, end=end)
        gaps = tuple(
            Gap(
                kind=GapKind(row.kind),
                start=from_ms(row.start_ms),
                end=from_ms(row.end_ms),
                displacement_m=row.displacement_m,
            )
            for row in rows
        )
        found += lay_over(Timeline(device=each, staypoints=(), trips=(), gaps=gaps), told).gaps
    return sorted(found, key=lambda silence: (silence.start, silence.end))


def count_trips(connection: Connection) -> int:
    """Return how many trips there are."""
    if _told_devices(connection, None):
        return len(trips_starting(connection, start=None, end=None))
    return int(connection.scalar(select(func.count()).select_from(trip)) or 0)


def oldest_start(connection: Connection) -> datetime | None:
    """Return when the oldest trip started, None when there is no trip."""
    oldest = connection.scalar(select(func.min(trip.c.start_ms)))
    return None if oldest is None else from_ms(oldest)


def newest_start(connection: Connection) -> datetime | None:
    """Return when the newest trip started, None when there is no trip."""
    newest = connection.scalar(select(func.max(trip.c.start_ms)))
    return None if newest is None else from_ms(newest)


def _told(
    connection: Connection, device: str, *, start: datetime | None, end: datetime | None
) -> Timeline:
    """Return what was told of a device around [start, end); its trips have no legs here."""

    def rows(table: Table) -> Sequence[Row[Any]]:
        wanted = [*_touching(table, device, start=start, end=end), table.c.told]
        query = select(table).where(*wanted).order_by(table.c.start_ms)
        return connection.execute(query).all()

    return Timeline(
        device=device,
        staypoints=tuple(_stay(row) for row in rows(staypoint)),
        trips=tuple(_trip(row) for row in rows(trip)),
    )


def _whole(of: Trip, told_legs: Mapping[datetime, tuple[Tripleg, ...]]) -> Trip:
    """Return a trip with its legs, where it is a told one."""
    if of.triplegs:
        return of
    return dataclasses.replace(of, triplegs=told_legs[of.start])


def _told_devices(connection: Connection, device: str | None) -> set[str]:
    """Return the devices of which something was told; only `device` if it is named."""
    found: set[str] = set()
    for table in (staypoint, trip):
        found.update(connection.scalars(select(table.c.device).where(table.c.told).distinct()))
    return found if device is None else found & {device}


def _by_device(rows: Sequence[Row[Any]]) -> Mapping[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[row.device].append(row)
    return found


def _clear(connection: Connection, table: Table, device: str, *wanted: ColumnElement[bool]) -> None:
    connection.execute(delete(table).where(table.c.device == device, *wanted))


def _starting(
    table: Table, *, start: datetime | None, end: datetime | None
) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if start is not None:
        wanted.append(table.c.start_ms >= to_ms(start))
    if end is not None:
        wanted.append(table.c.start_ms < to_ms(end))
    return wanted


def _touching(
    table: Table, device: str | None, *, start: datetime | None, end: datetime | None
) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if device is not None:
        wanted.append(table.c.device == device)
    if start is not None:
        wanted.append(table.c.end_ms > to_ms(start))
    if end is not None:
        wanted.append(table.c.start_ms < to_ms(end))
    return wanted


def _legs_of(
    connection: Connection, wanted: Sequence[ColumnElement[bool]]
) -> Mapping[int, list[Tripleg]]:
    query = select(tripleg).join(trip).where(*wanted).order_by(tripleg.c.position)
    legs: dict[int, list[Tripleg]] = defaultdict(list)
    for row in connection.execute(query):
        legs[row.trip].append(
            Tripleg(
                start=from_ms(row.start_ms),
                end=from_ms(row.end_ms),
                distance_m=row.distance_m,
                gap_m=row.gap_m,
                modes=tuple(
                    ModeProbability(mode=TransportMode(mode), probability=probability)
                    for mode, probability in json.loads(row.modes)
                ),
                mode_source=ModeSource(row.mode_source),
                track=tuple((lon, lat) for lon, lat in json.loads(row.track)),
            )
        )
    return legs


def _trip(row: Row[Any]) -> Trip:
    """Return a trip without its legs."""
    return Trip(
        device=row.device,
        start=from_ms(row.start_ms),
        end=from_ms(row.end_ms),
        triplegs=(),
        utc_offset_min=row.utc_offset_min,
    )


def _stay(row: Row[Any]) -> Staypoint:
    return Staypoint(
        start=from_ms(row.start_ms),
        end=from_ms(row.end_ms),
        lon=row.lon,
        lat=row.lat,
        radius_m=row.radius_m,
    )


def _insert_stays(
    connection: Connection, device: str, stays: Sequence[Staypoint], *, told: bool
) -> None:
    rows = [
        {
            "device": device,
            "start_ms": to_ms(stay.start),
            "end_ms": to_ms(stay.end),
            "lon": stay.lon,
            "lat": stay.lat,
            "radius_m": stay.radius_m,
            "told": told,
        }
        for stay in stays
    ]
    if rows:
        connection.execute(insert(staypoint), rows)


def _insert_trips(connection: Connection, some: Sequence[Trip], *, told: bool) -> None:
    if not some:
        return
    first = int(connection.scalar(select(func.max(trip.c.id))) or 0) + 1
    numbered = list(enumerate(some, start=first))
    connection.execute(
        insert(trip),
        [
            {
                "id": number,
                "device": each.device,
                "start_ms": to_ms(each.start),
                "end_ms": to_ms(each.end),
                "told": told,
                "utc_offset_min": each.utc_offset_min,
            }
            for number, each in numbered
        ],
    )
    legs = [row for number, each in numbered for row in _tripleg_rows(number, each)]
    if legs:
        connection.execute(insert(tripleg), legs)


def _gap_row(device: str, each: Gap) -> dict[str, object]:
    return {
        "device": device,
        "kind": each.kind.value,
        "start_ms": to_ms(each.start),
        "end_ms": to_ms(each.end),
        "displacement_m": each.displacement_m,
    }


def _tripleg_rows(number: int, of: Trip) -> list[dict[str, object]]:
    return [
        {
            "trip": number,
            "position": position,
            "start_ms": to_ms(leg.start),
            "end_ms": to_ms(leg.end),
            "distance_m": leg.distance_m,
            "gap_m": leg.gap_m,
            "modes": json.dumps([[each.mode.value, each.probability] for each in leg.modes]),
            "mode_source": leg.mode_source.value,
            "track": json.dumps(leg.track),
        }
        for position, leg in enumerate(of.triplegs)
    ]
