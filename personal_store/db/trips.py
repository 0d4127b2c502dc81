"""The tables of stays, trips and triplegs: derived, so replaced whole when they are recomputed."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from carbon.modes import TransportMode
from personal_store.db.tables import processed, staypoint, trip, tripleg
from personal_store.db.units import from_ms, to_ms
from personal_store.trips.timeline import (
    ModeProbability,
    ModeSource,
    Staypoint,
    Timeline,
    Trip,
    Tripleg,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrip:
    """A trip with the identifier under which pages and scripts know it."""

    trip_id: str
    trip: Trip


def trip_id(of: Trip) -> str:
    """Return an identifier that stays the same when the trip is computed again.

    It is made of device and start, so it says nothing about where.
    """
    return sha256(f"{of.device}\n{to_ms(of.start)}".encode()).hexdigest()[:16]


def replace(connection: Connection, timeline: Timeline, *, newest_fix_id: int) -> None:
    """Replace what is stored of a device by its recomputed timeline."""
    device = timeline.device
    connection.execute(delete(staypoint).where(staypoint.c.device == device))
    connection.execute(delete(trip).where(trip.c.device == device))
    if timeline.staypoints:
        connection.execute(
            insert(staypoint), [_staypoint_row(device, stay) for stay in timeline.staypoints]
        )
    if timeline.trips:
        connection.execute(insert(trip), [_trip_row(each) for each in timeline.trips])
        connection.execute(
            insert(tripleg), [row for each in timeline.trips for row in _tripleg_rows(each)]
        )
    values = {"newest_fix_id": newest_fix_id, "fixes_set_aside": timeline.fixes_set_aside}
    connection.execute(
        upsert(processed)
        .values(device=device, **values)
        .on_conflict_do_update(index_elements=["device"], set_=values)
    )


def processed_up_to(connection: Connection, device: str) -> int:
    """Return the newest positionfix id that the stored timeline of a device covers."""
    query = select(processed.c.newest_fix_id).where(processed.c.device == device)
    return int(connection.scalar(query) or 0)


def between(
    connection: Connection, *, start: datetime | None = None, end: datetime | None = None
) -> list[StoredTrip]:
    """Return the trips that start in [start, end), in time order; None leaves a side open."""
    wanted: list[ColumnElement[bool]] = []
    if start is not None:
        wanted.append(trip.c.start_ms >= to_ms(start))
    if end is not None:
        wanted.append(trip.c.start_ms < to_ms(end))
    query = select(trip).where(*wanted).order_by(trip.c.start_ms, trip.c.trip_id)
    rows = connection.execute(query).all()
    legs = _legs_of(connection, wanted)
    return [
        StoredTrip(
            trip_id=row.trip_id,
            trip=Trip(
                device=row.device,
                start=from_ms(row.start_ms),
                end=from_ms(row.end_ms),
                triplegs=tuple(legs[row.trip_id]),
            ),
        )
        for row in rows
    ]


def count(connection: Connection) -> int:
    """Return how many trips the store holds."""
    return int(connection.scalar(select(func.count()).select_from(trip)) or 0)


def newest_start(connection: Connection) -> datetime | None:
    """Return when the newest trip started, None when there is no trip."""
    newest = connection.scalar(select(func.max(trip.c.start_ms)))
    return None if newest is None else from_ms(newest)


def staypoints(connection: Connection, device: str) -> list[Staypoint]:
    """Return the stays of a device, in time order."""
    query = select(staypoint).where(staypoint.c.device == device).order_by(staypoint.c.start_ms)
    return [
        Staypoint(
            start=from_ms(row.start_ms),
            end=from_ms(row.end_ms),
            lon=row.lon,
            lat=row.lat,
            radius_m=row.radius_m,
        )
        for row in connection.execute(query)
    ]


def _legs_of(
    connection: Connection, wanted: Sequence[ColumnElement[bool]]
) -> Mapping[str, list[Tripleg]]:
    query = select(tripleg).join(trip).where(*wanted).order_by(tripleg.c.position)
    legs: dict[str, list[Tripleg]] = defaultdict(list)
    for row in connection.execute(query):
        legs[row.trip_id].append(
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


def _staypoint_row(device: str, stay: Staypoint) -> dict[str, object]:
    return {
        "device": device,
        "start_ms": to_ms(stay.start),
        "end_ms": to_ms(stay.end),
        "lon": stay.lon,
        "lat": stay.lat,
        "radius_m": stay.radius_m,
    }


def _trip_row(of: Trip) -> dict[str, object]:
    return {
        "trip_id": trip_id(of),
        "device": of.device,
        "start_ms": to_ms(of.start),
        "end_ms": to_ms(of.end),
    }


def _tripleg_rows(of: Trip) -> list[dict[str, object]]:
    return [
        {
            "trip_id": trip_id(of),
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
