"""Trips as they are known now: what was computed and told, then proofs, habits and corrections.

Nothing here is stored; the layers are (`db/timelines.py`, `db/evidence.py`, `db/corrections.py`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from personal_store.db import corrections, evidence, own_rides, timelines
from personal_store.ingest.positionfix import EvidenceKind
from personal_store.local_time import (
    FARTHEST,
    FIRST_DAY,
    LAST_DAY,
    day_after,
    day_start,
    is_lived_in,
    local_minute,
)
from personal_store.trips.corrections import apply_habits, correct
from personal_store.trips.identifiers import (
    FOUND_WITHIN,
    SLOT,
    device_digest,
    names,
    read_name,
)
from personal_store.trips.own_history import learn
from personal_store.trips.precedence import weigh
from personal_store.trips.timeline import Trip

MARGIN = timedelta(days=2)
"""Read around a period, so that what was joined or cut across its edges is whole."""

WEIGHED = (EvidenceKind.TAP, EvidenceKind.TAP_OUT, EvidenceKind.JOURNEY, EvidenceKind.LEG)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrip:
    """A trip with the identifier under which pages and scripts know it."""

    trip_id: str
    trip: Trip


def between(
    connection: Connection, *, start: datetime | None = None, end: datetime | None = None
) -> list[StoredTrip]:
    """Return the trips that start in [start, end) as they are known now, in time order.

    What the resident's own rides teach, proofs, habits and corrections are laid over what was
    computed, in the order of their strength.
    None leaves a side open.
    """
    first = None if start is None else start - MARGIN
    last = None if end is None else end + MARGIN
    read = learn(
        timelines.trips_starting(connection, start=first, end=last),
        own_rides.odds(connection),
    )
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
    What lies outside the days that have a page is left out.
    """
    start, end = max(start, day_start(FIRST_DAY)), min(end, day_start(day_after(LAST_DAY)))
    around = between(connection, start=start - FARTHEST, end=end + FARTHEST)
    return [
        each
        for each in around
        if is_lived_in(each.trip.start, each.trip.utc_offset_min, start=start, end=end)
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
