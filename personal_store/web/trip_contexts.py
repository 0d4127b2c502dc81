"""What the pages about days, trips, corrections and places are given: frozen and computed here."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from math import cos, radians

from carbon.modes import TransportMode
from personal_store.db import (
    communes,
    corrections,
    devices,
    memberships,
    places,
    timelines,
    trips,
)
from personal_store.db.connection import reading
from personal_store.db.trips import StoredTrip
from personal_store.local_time import day_after, day_start, is_lived_in, local_date, local_time
from personal_store.store import Store
from personal_store.trips.corrections import Correction, Habit
from personal_store.trips.cutting import Point
from personal_store.trips.locations import (
    Place,
    PlaceKind,
    PrivacyZone,
    Proposal,
    find_locations,
    place_at,
    propose,
    visible,
)
from personal_store.trips.timeline import Gap, GapKind, Trip
from personal_store.vocabulary import CORRECTION_NAMES, MODE_NAMES, PLACE_NAMES, SOURCE_NAMES
from personal_store.zones import Zone

GAP_FROM = timedelta(minutes=10)
"""A shorter time between two moments is not worth a line."""

STILL_FROM = timedelta(hours=1)
"""A shorter silence in one place is how phones save their battery, and not worth a word."""

JOINED_WITHIN = timedelta(days=1)
"""A trip that starts later is not offered as the second half of one."""

MOMENTS_SHOWN = 40
LEGS_SHOWN = 12
SAID_SHOWN = 30
SKETCH_WIDE, SKETCH_HIGH = 320, 160
SKETCH_POINTS = 120
# What a resident chooses from; classes of cars and trains come first named, then the rest.
CHOICES = tuple(mode for mode in TransportMode if mode is not TransportMode.UNKNOWN)


class MomentKind(StrEnum):
    """What a part of a day was."""

    STAY = "stay"
    TRIP = "trip"
    GAP = "gap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A time without a position: what it most likely was, and how far apart its two ends are."""

    kind: GapKind
    start: datetime
    end: datetime
    apart_km: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRow:
    """One leg: its mode or what it may be, how sure, what says so, who was in the vehicle."""

    number: int
    start: datetime
    end: datetime
    name: str
    names: Sequence[str]
    probability: float
    sure: bool
    source: str
    distance_km: float
    gap_km: float
    occupants: float | None
    line: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A part of a day: a stay (perhaps at a named place), a trip, or nothing recorded.

    `silences` are the times in it without a position, so that nobody takes a guess for a record.
    """

    kind: MomentKind
    start: datetime
    end: datetime
    place: str | None = None
    trip: StoredTrip | None = None
    legs: Sequence[LegRow] = ()
    silences: Sequence[Silence] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPage:
    """The page of a day: its moments in order, and the days around it."""

    day: date
    week: str
    earlier: date
    later: date
    moments: Sequence[Moment]
    moments_hidden: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TripPage:
    """The page of a trip: its sketch, its legs, and what can be said of it.

    `sketch` are SVG paths; it is empty where nothing may be drawn. `next_id` names the trip that
    it could be joined to. `device_name` is what its device is shown under.
    """

    trip_id: str
    device_name: str
    day: date
    trip: Trip
    legs: Sequence[LegRow]
    legs_hidden: int
    sketch: Sequence[str]
    hidden_by_zone: bool
    next_id: str | None
    choices: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidRow:
    """One correction in words."""

    number: int
    name: str
    start: datetime
    value: str
    is_mode: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidPage:
    """The page of corrections and habits, newest first, each with its way back."""

    said: Sequence[SaidRow]
    said_hidden: int
    habits: Sequence[tuple[Habit, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesPage:
    """The page of places: those named, and those proposed that no named one covers.

    `commune` is the one confirmed for sharing, and `shared_from` the code that is shared from since
    the store joined a cooperative; None before.
    """

    named: Sequence[tuple[Place, str]]
    proposed: Sequence[tuple[Proposal, str]]
    commune: Zone | None
    shared_from: str | None


def day_page(store: Store, day: date) -> DayPage:
    """Return the page of a local day."""
    start, end = day_start(day), day_start(day_after(day))
    with reading(store.engine) as connection:
        stored = trips.lived_between(connection, start=start - timedelta(days=1), end=end)
        stays = timelines.stays_touching(connection, start=start, end=end)
        gaps = timelines.gaps_touching(connection, start=start, end=end)
        named = [each for each in places.every(connection) if not each.hidden]
    found = [
        Moment(
            kind=MomentKind.TRIP,
            start=each.trip.start,
            end=each.trip.end,
            trip=each,
            legs=[_leg_row(each.trip, number) for number in range(len(each.trip.triplegs))],
        )
        for each in stored
        if not is_lived_in(
            each.trip.end,
            each.trip.utc_offset_min,
            start=start - timedelta(days=3),
            end=start + timedelta(microseconds=1),
        )
    ]
    for stay in stays:
        at = place_at((stay.lon, stay.lat), named)
        first, last = max(stay.start, start), min(stay.end, end)
        name = at.name if at else None
        found.append(Moment(kind=MomentKind.STAY, start=first, end=last, place=name))
    found.sort(key=lambda each: (each.start, each.end))
    moments = [_with_silences(each, gaps) for each in _with_gaps(found)]
    return DayPage(
        day=day,
        week=f"{day.isocalendar().year:04d}-W{day.isocalendar().week:02d}",
        earlier=day - timedelta(days=1),
        later=day_after(day),
        moments=moments[:MOMENTS_SHOWN],
        moments_hidden=len(moments[MOMENTS_SHOWN:]),
    )


def trip_page(store: Store, trip_id: str) -> TripPage | None:
    """Return the page of a trip, None when there is none of that name."""
    with reading(store.engine) as connection:
        stored = trips.find(connection, trip_id)
        if stored is None:
            return None
        after = trips.between(
            connection, start=stored.trip.end, end=stored.trip.end + JOINED_WITHIN
        )
        zones = [each.zone for each in places.every(connection) if each.zone]
        names = devices.names(connection)
    trip = stored.trip
    rows = [_leg_row(trip, number) for number in range(len(trip.triplegs))]
    following = [each for each in after if each.trip.device == trip.device]
    sketch = _sketch(trip, zones)
    return TripPage(
        trip_id=stored.trip_id,
        device_name=names.get(trip.device, trip.device),
        day=local_date(trip.start, trip.utc_offset_min),
        trip=trip,
        legs=rows[:LEGS_SHOWN],
        legs_hidden=len(rows[LEGS_SHOWN:]),
        sketch=sketch,
        hidden_by_zone=bool(zones) and not sketch,
        next_id=following[0].trip_id if following else None,
        choices=[(mode.value, MODE_NAMES[mode]) for mode in CHOICES],
    )


def said_page(store: Store) -> SaidPage:
    """Return the page of everything that the resident said."""
    with reading(store.engine) as connection:
        said = corrections.every(connection)[::-1]
        habits = corrections.habits(connection)
    return SaidPage(
        said=[_said_row(each) for each in said[:SAID_SHOWN]],
        said_hidden=len(said[SAID_SHOWN:]),
        habits=[(each, MODE_NAMES[each.mode]) for each in habits],
    )


def places_page(store: Store) -> PlacesPage:
    """Return the page of places."""
    with reading(store.engine) as connection:
        named = places.every(connection)
        stays = timelines.stays_touching(connection)
        commune = communes.confirmed(connection)
        joined = memberships.every(connection)
    proposed = propose(find_locations(stays, local=local_time))
    return PlacesPage(
        named=[(each, PLACE_NAMES[each.kind]) for each in named],
        proposed=[
            (each, PLACE_NAMES[each.kind])
            for each in proposed
            if place_at(each.location.centre, named) is None
        ],
        commune=commune,
        shared_from=joined[-1].zone if joined else None,
    )


def proposal_of(store: Store, kind: PlaceKind) -> Proposal | None:
    """Return the standing proposal of a home or a work, None without one."""
    return next((each for each, _ in places_page(store).proposed if each.kind is kind), None)


def _with_gaps(moments: Sequence[Moment]) -> list[Moment]:
    told: list[Moment] = list(moments[:1])
    for before, after in pairwise(moments):
        reached = max(each.end for each in told)
        if after.start - max(reached, before.end) >= GAP_FROM:
            told.append(Moment(kind=MomentKind.GAP, start=reached, end=after.start))
        told.append(after)
    return told


def _with_silences(moment: Moment, gaps: Sequence[Gap]) -> Moment:
    """Return the moment with the silences that its kind allows and that touch it."""
    kinds = {
        MomentKind.STAY: GapKind.STAY,
        MomentKind.TRIP: GapKind.MOVEMENT,
        MomentKind.GAP: GapKind.ABSENCE,
    }
    silences = [
        Silence(
            kind=gap.kind,
            start=max(gap.start, moment.start),
            end=min(gap.end, moment.end),
            apart_km=gap.displacement_m / 1000,
        )
        for gap in gaps
        if gap.kind is kinds[moment.kind]
        and min(gap.end, moment.end) - max(gap.start, moment.start)
        >= (STILL_FROM if gap.kind is GapKind.STAY else GAP_FROM)
    ]
    return replace(moment, silences=silences)


def _leg_row(trip: Trip, number: int) -> LegRow:
    leg = trip.triplegs[number]
    return LegRow(
        number=number,
        start=leg.start,
        end=leg.end,
        name=MODE_NAMES[leg.mode.mode],
        names=[MODE_NAMES[mode] for mode in leg.candidates],
        probability=leg.certainty,
        sure=leg.is_sure,
        source=SOURCE_NAMES[leg.mode_source],
        distance_km=leg.distance_m / 1000,
        gap_km=leg.gap_m / 1000,
        occupants=leg.occupants,
        line=leg.line,
    )


def _said_row(said: Correction) -> SaidRow:
    is_mode = said.kind.value == "mode"
    return SaidRow(
        number=said.number,
        name=CORRECTION_NAMES[said.kind],
        start=said.start,
        value=MODE_NAMES[TransportMode(said.value)] if is_mode else said.value,
        is_mode=is_mode,
    )


def _sketch(trip: Trip, zones: Sequence[PrivacyZone]) -> list[str]:
    """Return one SVG path for each visible piece of each leg, in one frame, north up."""
    pieces = [piece for leg in trip.triplegs for piece in visible(leg.track, zones)]
    points = [point for piece in pieces for point in piece]
    if not points:
        return []
    narrow = cos(radians(points[0][1]))
    west, south = min(lon for lon, _ in points), min(lat for _, lat in points)
    wide = (max(lon for lon, _ in points) - west) * narrow
    high = max(lat for _, lat in points) - south
    scale = min((SKETCH_WIDE - 20) / max(wide, 1e-9), (SKETCH_HIGH - 20) / max(high, 1e-9))
    left, top = (SKETCH_WIDE - wide * scale) / 2, (SKETCH_HIGH - high * scale) / 2
    step = max(1, len(points) // SKETCH_POINTS)

    def draw(piece: Sequence[Point]) -> str:
        kept = [*piece[:-1:step], piece[-1]]
        moves = (
            f"{left + (lon - west) * narrow * scale:.0f} {top + (south + high - lat) * scale:.0f}"
            for lon, lat in kept
        )
        return "M" + "L".join(moves)

    return [draw(piece) for piece in pieces]


def minute_on_day(at: datetime, clock: str, utc_offset_min: int | None) -> datetime | None:
    """Return the local HH:MM nearest to `at`'s day, None when it is no time."""
    try:
        hour, minute = clock.split(":")[:2]
        local = local_time(at, utc_offset_min).replace(
            hour=int(hour), minute=int(minute), second=0, microsecond=0
        )
    except ValueError:
        return None
    # In the night of the change an hour comes twice; the second is the first one's `fold`.
    days = (local, local.replace(fold=1), local + timedelta(days=1))
    return next((each for each in days if each.astimezone(UTC) >= at), None)
