"""The tables of stays, trips and triplegs as computed: derived, so replaced when recomputed.

They hold what the engine and segmented histories say. Taps, proofs, habits and corrections are
kept elsewhere and laid over them whenever trips are read.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Table, delete, func, insert, select

from carbon.modes import TransportMode
from personal_store.db import corrections, evidence
from personal_store.db.tables import staypoint, trip, tripleg
from personal_store.db.units import from_ms, to_ms
from personal_store.ingest.positionfix import EvidenceKind
from personal_store.local_time import FARTHEST, is_lived_in, local_minute
from personal_store.trips.corrections import apply_habits, correct
from personal_store.trips.identifiers import (
    FOUND_WITHIN,
    SLOT,
    device_digest,
    names,
    read_name,
)
from personal_store.trips.precedence import weigh
from personal_store.trips.timeline import (
    ModeProbability,
    ModeSource,
    Staypoint,
    Timeline,
    Trip,
    Tripleg,
)

MARGIN = timedelta(days=2)
"""Read around a period, so that what was joined or cut across its edges is whole."""

WEIGHED = (EvidenceKind.TAP, EvidenceKind.JOURNEY, EvidenceKind.LEG)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrip:
    """A trip with the identifier under which pages and scripts know it."""

    trip_id: str
    trip: Trip


def replace(
    connection: Connection,
    timeline: Timeline,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
) -> None:
    """Replace what is stored of a device, starting in [start, end), by what was computed.

    None leaves a side open. Stays and trips that were stored and start outside are left alone.
    """
    device = timeline.device
    for table in (staypoint, trip):
        stale = [table.c.device == device, *_starting(table, start=start, end=end)]
        connection.execute(delete(table).where(*stale))
    if timeline.staypoints:
        connection.execute(
            insert(staypoint), [_staypoint_row(device, stay) for stay in timeline.staypoints]
        )
    if timeline.trips:
        first = int(connection.scalar(select(func.max(trip.c.id))) or 0) + 1
        numbered = list(enumerate(timeline.trips, start=first))
        connection.execute(insert(trip), [_trip_row(number, each) for number, each in numbered])
        legs = [row for number, each in numbered for row in _tripleg_rows(number, each)]
        if legs:
            connection.execute(insert(tripleg), legs)


def between(
    connection: Connection, *, start: datetime | None = None, end: datetime | None = None
) -> list[StoredTrip]:
    """Return the trips that start in [start, end) as they are known now, in time order.

    Proofs, habits and corrections are laid over what was computed, in the order of their strength.
    None leaves a side open.
    """
    first = None if start is None else start - MARGIN
    last = None if end is None else end + MARGIN
    read = _computed(connection, start=first, end=last)
    weighed = weigh(read, evidence.every(connection, kinds=WEIGHED, start=first, end=last))
    by_habit = apply_habits(weighed, corrections.habits(connection), minute_of_day=local_minute)
    everything = correct(by_habit, corrections.every(connection, start=first, end=last))
    return [
        StoredTrip(trip_id=name, trip=each)
        for name, each in zip(names(everything), everything, strict=True)
        if (start is None or each.start >= start) and (end is None or each.start < end)
    ]


def lived_between(connection: Connection, *, start: datetime, end: datetime) -> list[StoredTrip]:
    """Return the trips that began while the clock of their place was in [start, end) of home's.

    So that days, from midnight to midnight, are those of the place; otherwise as `between`.
    """
    around = between(connection, start=start - FARTHEST, end=end + FARTHEST)
    return [
        each
        for each in around
        if is_lived_in(each.trip.start, each.trip.utc_offset_min, start=start, end=end)
    ]


def _computed(
    connection: Connection, *, start: datetime | None, end: datetime | None
) -> list[Trip]:
    """Return the trips as computed: without proofs, habits or corrections."""
    wanted = _starting(trip, start=start, end=end)
    query = select(trip).where(*wanted).order_by(trip.c.start_ms, trip.c.device)
    rows = connection.execute(query).all()
    legs = _legs_of(connection, wanted)
    return [
        Trip(
            device=row.device,
            start=from_ms(row.start_ms),
            end=from_ms(row.end_ms),
            triplegs=tuple(legs[row.id]),
            utc_offset_min=row.utc_offset_min,
        )
        for row in rows
    ]


def find(connection: Connection, trip_id: str) -> StoredTrip | None:
    """Return the trip of that name, or the nearest of its device that the name can have meant.

    A trip that moved by less than half an hour since the name was given is still found; None when
    there is none, or it is hidden.
    """
    slot = read_name(trip_id)
    if slot is None:
        return None
    around = between(
        connection, start=slot.start - FOUND_WITHIN, end=slot.start + SLOT + FOUND_WITHIN
    )
    same_device = [each for each in around if device_digest(each.trip.device) == slot.device_digest]
    exact = [each for each in same_device if each.trip_id == trip_id]
    return min(
        exact or same_device, key=lambda each: abs(each.trip.start - slot.start), default=None
    )


def count(connection: Connection) -> int:
    """Return how many trips the store holds."""
    return int(connection.scalar(select(func.count()).select_from(trip)) or 0)


def newest_start(connection: Connection) -> datetime | None:
    """Return when the newest trip started, None when there is no trip."""
    newest = connection.scalar(select(func.max(trip.c.start_ms)))
    return None if newest is None else from_ms(newest)


def staypoints(
    connection: Connection,
    device: str | None = None,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[Staypoint]:
    """Return the stays of a device, or of all, that overlap [start, end), in time order."""
    wanted: list[ColumnElement[bool]] = []
    if device is not None:
        wanted.append(staypoint.c.device == device)
    if start is not None:
        wanted.append(staypoint.c.end_ms > to_ms(start))
    if end is not None:
        wanted.append(staypoint.c.start_ms < to_ms(end))
    query = select(staypoint).where(*wanted).order_by(staypoint.c.start_ms, staypoint.c.id)
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


def _starting(
    table: Table, *, start: datetime | None, end: datetime | None
) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if start is not None:
        wanted.append(table.c.start_ms >= to_ms(start))
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


def _staypoint_row(device: str, stay: Staypoint) -> dict[str, object]:
    return {
        "device": device,
        "start_ms": to_ms(stay.start),
        "end_ms": to_ms(stay.end),
        "lon": stay.lon,
        "lat": stay.lat,
        "radius_m": stay.radius_m,
    }


def _trip_row(number: int, of: Trip) -> dict[str, object]:
    return {
        "id": number,
        "device": of.device,
        "start_ms": to_ms(of.start),
        "end_ms": to_ms(of.end),
        "utc_offset_min": of.utc_offset_min,
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
