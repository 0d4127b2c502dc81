"""Locations: the places where a resident's stays come together, and which of them may be home.

Computed on the resident's machine from their own stays and shown to nobody else. "Home" and
"work" are proposals with their reason in hours; what the resident names, confirms or hides is
kept elsewhere and laid over them. A privacy zone removes positions from what is shown or written
out, never from what is computed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from math import cos, floor, pi, radians, sin, sqrt
from typing import Final

from personal_store.trips.cutting import METRES_PER_DEGREE, Point, between_m
from personal_store.trips.timeline import Staypoint

SAME_PLACE_M: Final = 120.0
"""Metres between the centres of stays at one place: phones indoors err by some tens of metres."""

NIGHT: Final = (22, 6)
OFFICE: Final = (9, 17)
"""Hours of the local day that count for home and, Monday to Friday, for work."""

HOME_MIN_HOURS: Final = 10.0
WORK_MIN_HOURS: Final = 8.0
"""Hours below which nothing is proposed: about two nights, and about two half days."""

_STEP: Final = timedelta(minutes=30)
_LONGEST: Final = timedelta(days=14)
"""A stay is counted no further: a phone left in a drawer does not make a home."""


class PlaceKind(StrEnum):
    """What a place is to the resident."""

    HOME = "home"
    WORK = "work"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place of stays: its centre, how often and how long, and when in the day."""

    lon: float = field(repr=False)
    lat: float = field(repr=False)
    stays: int
    hours: float
    night_hours: float
    office_hours: float

    @property
    def centre(self) -> Point:
        """Return (lon, lat)."""
        return self.lon, self.lat


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyZone:
    """A disc whose positions are never shown: its centre lies beside the place it hides."""

    lon: float = field(repr=False)
    lat: float = field(repr=False)
    radius_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place as the resident named it; `hidden` ones are not named anywhere."""

    number: int
    kind: PlaceKind
    name: str = field(repr=False)
    lon: float = field(repr=False)
    lat: float = field(repr=False)
    hidden: bool = False
    zone: PrivacyZone | None = None

    @property
    def centre(self) -> Point:
        """Return (lon, lat)."""
        return self.lon, self.lat


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A location that may be home or work, and the hours that say so."""

    kind: PlaceKind
    location: Location
    hours: float


def find_locations(
    stays: Iterable[Staypoint], *, local: Callable[[datetime], datetime]
) -> list[Location]:
    """Return the places of the stays, the one of most hours first.

    The longest stays found a place; the others join the first one within `SAME_PLACE_M`. The
    order in which `stays` come does not matter. `local` gives the clock on the resident's wall.
    """
    ordered = sorted(stays, key=lambda each: (each.start - each.end, each.start, each.lon))
    cells: dict[tuple[int, int], list[int]] = defaultdict(list)
    members: list[list[Staypoint]] = []
    for stay in ordered:
        index = _near(stay, cells, members)
        if index is None:
            cells[_cell(stay)].append(len(members))
            members.append([stay])
        else:
            members[index].append(stay)
    found = [_location(group, local) for group in members]
    return sorted(found, key=lambda each: (-each.hours, each.lon, each.lat))


def propose(locations: Sequence[Location]) -> list[Proposal]:
    """Return the location of most nights as home, and of most other office hours as work."""
    proposals = []
    home = max(locations, key=lambda each: each.night_hours, default=None)
    if home is None or home.night_hours < HOME_MIN_HOURS:
        home = None
    else:
        proposals.append(Proposal(kind=PlaceKind.HOME, location=home, hours=home.night_hours))
    rest = [each for each in locations if each is not home]
    work = max(rest, key=lambda each: each.office_hours, default=None)
    if work is not None and work.office_hours >= WORK_MIN_HOURS:
        proposals.append(Proposal(kind=PlaceKind.WORK, location=work, hours=work.office_hours))
    return proposals


def place_at(point: Point, places: Sequence[Place]) -> Place | None:
    """Return the nearest named place around a point, None further than `SAME_PLACE_M`."""
    near = [each for each in places if between_m(point, each.centre) <= SAME_PLACE_M]
    return min(near, key=lambda each: between_m(point, each.centre), default=None)


def draw_zone(centre: Point, *, radius_m: float, angle: float, share: float) -> PrivacyZone:
    """Return a zone that covers a place without being centred on it.

    A disc around home would tell where home is to whoever sees where tracks end. `angle` and
    `share`, in [0, 1), are drawn at random once; the place stays within half the radius.
    """
    away_m = radius_m / 2 * sqrt(share)
    lat = centre[1] + away_m * sin(2 * pi * angle) / METRES_PER_DEGREE
    east_deg = away_m * cos(2 * pi * angle) / METRES_PER_DEGREE / max(cos(radians(lat)), 1e-6)
    return PrivacyZone(lon=centre[0] + east_deg, lat=lat, radius_m=radius_m)


def visible(track: Sequence[Point], zones: Sequence[PrivacyZone]) -> list[tuple[Point, ...]]:
    """Return the pieces of a track outside every zone, each of two points or more."""
    pieces: list[list[Point]] = [[]]
    for point in track:
        if any(between_m(point, (zone.lon, zone.lat)) <= zone.radius_m for zone in zones):
            pieces.append([])
        else:
            pieces[-1].append(point)
    return [tuple(piece) for piece in pieces if len(piece) >= 2]


def _near(
    stay: Staypoint, cells: dict[tuple[int, int], list[int]], members: list[list[Staypoint]]
) -> int | None:
    x, y = _cell(stay)
    around = [i for dx in (-1, 0, 1) for dy in (-1, 0, 1) for i in cells.get((x + dx, y + dy), ())]
    point = (stay.lon, stay.lat)
    distances = [(between_m(point, (members[i][0].lon, members[i][0].lat)), i) for i in around]
    near = [each for each in distances if each[0] <= SAME_PLACE_M]
    return min(near)[1] if near else None


def _cell(stay: Staypoint) -> tuple[int, int]:
    """Return a cell at least `SAME_PLACE_M` wide and high, so that neighbours suffice."""
    size_deg = SAME_PLACE_M / METRES_PER_DEGREE
    row = floor(stay.lat / size_deg)
    narrow = max(cos(radians((abs(row) + 2) * size_deg)), 0.01)
    return floor(stay.lon * narrow / size_deg), row


def _location(group: Sequence[Staypoint], local: Callable[[datetime], datetime]) -> Location:
    weights = [max((each.end - each.start).total_seconds(), 1.0) for each in group]
    whole = sum(weights)
    night = office = 0.0
    for each in group:
        nights, offices = _clock_hours(each, local)
        night, office = night + nights, office + offices
    return Location(
        lon=sum(w * each.lon for w, each in zip(weights, group, strict=True)) / whole,
        lat=sum(w * each.lat for w, each in zip(weights, group, strict=True)) / whole,
        stays=len(group),
        hours=whole / 3600,
        night_hours=night,
        office_hours=office,
    )


def _clock_hours(stay: Staypoint, local: Callable[[datetime], datetime]) -> tuple[float, float]:
    """Return the hours of a stay that fall into nights, and into weekday office hours."""
    night = office = 0
    at, end = stay.start, min(stay.end, stay.start + _LONGEST)
    while at < end:
        clock = local(at)
        night += clock.hour >= NIGHT[0] or clock.hour < NIGHT[1]
        office += clock.weekday() < 5 and OFFICE[0] <= clock.hour < OFFICE[1]
        at += _STEP
    step_h = _STEP.total_seconds() / 3600
    return night * step_h, office * step_h
