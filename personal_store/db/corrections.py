"""The resident's word on their trips, kept apart from what is computed, so that it outlives it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from carbon.modes import TransportMode
from personal_store.db.tables import correction, habit
from personal_store.db.units import from_ms, to_ms
from personal_store.trips.corrections import Correction, CorrectionKind, Habit


def add(connection: Connection, said: Correction, *, at: datetime) -> int:
    """Keep a correction; return the number under which it can be taken back.

    The number that `said` carries is not kept: numbers tell the order in which words were said.
    """
    row = {
        "kind": said.kind.value,
        "device": said.device,
        "start_ms": to_ms(said.start),
        "end_ms": to_ms(said.end),
        "value": said.value,
        "made_at_ms": to_ms(at),
    }
    inserted = connection.execute(insert(correction).values(row)).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def take_back(connection: Connection, number: int) -> bool:
    """Forget a correction; tell whether there was one."""
    return bool(connection.execute(delete(correction).where(correction.c.id == number)).rowcount)


def every(
    connection: Connection, *, start: datetime | None = None, end: datetime | None = None
) -> list[Correction]:
    """Return the corrections that touch [start, end], first said first; None leaves a side open."""
    wanted: list[ColumnElement[bool]] = []
    if start is not None:
        wanted.append(correction.c.end_ms >= to_ms(start))
    if end is not None:
        wanted.append(correction.c.start_ms <= to_ms(end))
    query = select(correction).where(*wanted).order_by(correction.c.id)
    return [
        Correction(
            number=row.id,
            kind=CorrectionKind(row.kind),
            device=row.device,
            start=from_ms(row.start_ms),
            end=from_ms(row.end_ms),
            value=row.value,
        )
        for row in connection.execute(query)
    ]


def modes_said(connection: Connection) -> Mapping[TransportMode, int]:
    """Return how many legs the resident gave each mode; of words about one time the last counts."""
    query = (
        select(correction.c.device, correction.c.start_ms, correction.c.value)
        .where(correction.c.kind == CorrectionKind.MODE.value)
        .order_by(correction.c.id)
    )
    said = {(row.device, row.start_ms): row.value for row in connection.execute(query)}
    return Counter(TransportMode(value) for value in said.values())


def add_habit(connection: Connection, of: Habit, *, at: datetime) -> int:
    """Keep a habit; return the number under which it can be taken back."""
    row = {
        "mode": of.mode.value,
        "rides": of.rides,
        "minute_of_day": of.minute_of_day,
        "origin_lon": of.origin[0],
        "origin_lat": of.origin[1],
        "destination_lon": of.destination[0],
        "destination_lat": of.destination[1],
        "made_at_ms": to_ms(at),
    }
    inserted = connection.execute(insert(habit).values(row)).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def take_back_habit(connection: Connection, number: int) -> bool:
    """Forget a habit; tell whether there was one."""
    return bool(connection.execute(delete(habit).where(habit.c.id == number)).rowcount)


def habits(connection: Connection) -> Sequence[Habit]:
    """Return the habits, first said first."""
    return [
        Habit(
            number=row.id,
            mode=TransportMode(row.mode),
            rides=row.rides,
            minute_of_day=row.minute_of_day,
            origin=(row.origin_lon, row.origin_lat),
            destination=(row.destination_lon, row.destination_lat),
        )
        for row in connection.execute(select(habit).order_by(habit.c.id))
    ]
