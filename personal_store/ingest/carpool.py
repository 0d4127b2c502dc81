"""Carpool journeys of the French register of proofs: its open-data table and its API's shape.

Each row or object is evidence of one journey by car with others: when, how far, how many people.
Both carry only the two ends, and the open table rounds them on purpose (times up to ten minutes,
places to two or three decimals), so neither is a position. A resident imports their own
journeys: the public table of everybody's is no history of anybody.

The table names nobody, so it is read whole before anything counts: journeys in two cars at once are
not one person's. Those are rejected, all of them, since nobody can say which one is the resident's;
and where they are most of the table, or it is longer than a life of carpools, it is refused.

Occupants are the driver and the seats that were booked (one where not stated).

Schema: betagouv/preuve-covoiturage, `POST /v3/journeys` and the published table (2024).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO, Final

from personal_store.ingest import refusals
from personal_store.ingest.head import Head
from personal_store.ingest.json_text import walk_json
from personal_store.ingest.judge import Judge, evidence_place
from personal_store.ingest.limits import MOST_CARPOOLS
from personal_store.ingest.positionfix import (
    Entry,
    Evidence,
    EvidenceKind,
    EvidencePlace,
    Rejected,
    RejectReason,
)
from personal_store.ingest.table import header, read_rows, whole
from personal_store.ingest.values import Refused, first_of, instant, label, measure, part

_DEVICE: Final = "carpool"
_MODE: Final = "carpool"
_DRIVER: Final = 1
_ROUNDING: Final = timedelta(minutes=10)
_MOST_OF: Final = 0.5
_COLUMNS: Final = frozenset({"journey_id", "journey_start_datetime", "journey_end_datetime"})
_LISTS: Final = frozenset({"", "journeys", "data"})
_MARKS: Final = frozenset({"operator_journey_id", "start", "end"})


def recognises_register(head: Head) -> bool:
    """Tell whether the table has the register's columns."""
    return set(header(head)) >= _COLUMNS


def recognises_journeys(head: Head) -> bool:
    """Tell whether the document is, or begins with, a journey as operators send it."""
    if head.json is None:
        return False
    first = head.json.first
    in_list = isinstance(first, dict) and first.keys() >= _MARKS
    return in_list or set(head.json.keys) >= _MARKS


def parse_register(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield the journeys of the table in file order.

    Raises as `read_rows` does, and `WrongFile` for the register of everybody.
    """
    read = list(_read_register(stream, judge))
    others = _not_one_person(read)
    if len(others) > len(read) * _MOST_OF:
        raise refusals.register_of_everybody()
    not_ones_own = Rejected(reason=RejectReason.NOT_ONE_PERSON)
    yield from (not_ones_own if n in others else each.entry for n, each in enumerate(read))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What a row says, and the ride that it belongs to: each passenger of one has a row."""

    entry: Entry
    ride: str


def _not_one_person(rows: Sequence[_Row]) -> set[int]:
    """Return the places of the journeys that share more time than rounding with another ride."""
    found: set[int] = set()
    last: tuple[int, str, datetime] | None = None
    told = [
        (each.entry.start, n, each.entry.end, each.ride)
        for n, each in enumerate(rows)
        if isinstance(each.entry, Evidence)
    ]
    for start, n, end, ride in sorted(told):
        if last and last[1] != ride and min(last[2], end) - start > _ROUNDING:
            found |= {last[0], n}
        if last is None or end > last[2]:
            last = (n, ride, end)
    return found


def _read_register(stream: BinaryIO, judge: Judge) -> Iterator[_Row]:
    for count, fields in enumerate(read_rows(stream)):
        if count == MOST_CARPOOLS:
            raise refusals.register_of_everybody()
        row: dict[str, str] = {}
        try:
            row = whole(fields)
            entry: Entry = judge.evidence(
                kind=EvidenceKind.JOURNEY,
                start=instant(row.get("journey_start_datetime")),
                end=instant(row.get("journey_end_datetime")),
                device=_DEVICE,
                modes=((_MODE, None),),
                distance_m=row.get("journey_distance"),
                occupants=_occupants(row.get("passenger_seats")),
                origin=_register_place(row, "start"),
                destination=_register_place(row, "end"),
                reference=row.get("journey_id"),
            )
        except Refused as refused:
            entry = refused.rejected
        ride = label(row.get("trip_id")) or label(row.get("journey_id")) or str(count)
        yield _Row(entry=entry, ride=ride)


def parse_journeys(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield the journeys of the document in file order. Raises as `walk_json` does."""
    lone: dict[str, object] = {}
    for key, value in walk_json(stream):
        if key in _LISTS:
            yield _journey(value, judge)
        elif key in _LONE_KEYS:
            lone[key] = value
    if lone:
        yield _journey(lone, judge)


_LONE_KEYS: Final = _MARKS | {"distance", "passenger"}


def _journey(journey: object, judge: Judge) -> Entry:
    if not isinstance(journey, dict):
        return Rejected(reason=RejectReason.UNREADABLE_ENTRY)
    start, end = part(journey, "start"), part(journey, "end")
    try:
        return judge.evidence(
            kind=EvidenceKind.JOURNEY,
            start=instant(start.get("datetime")),
            end=instant(end.get("datetime")),
            device=_DEVICE,
            modes=((_MODE, None),),
            distance_m=journey.get("distance"),
            occupants=_occupants(part(journey, "passenger").get("seats")),
            origin=evidence_place(lat=start.get("lat"), lon=start.get("lon")),
            destination=evidence_place(lat=end.get("lat"), lon=end.get("lon")),
            reference=journey.get("operator_journey_id"),
        )
    except Refused as refused:
        return refused.rejected


def _occupants(seats: object) -> float:
    return _DRIVER + (measure(seats, at_least=1) or 1)


def _register_place(row: dict[str, str], which: str) -> EvidencePlace | None:
    return evidence_place(
        lat=row.get(f"journey_{which}_lat"),
        lon=row.get(f"journey_{which}_lon"),
        name=first_of(row, (f"journey_{which}_town", f"journey_{which}_towngroup")),
    )
