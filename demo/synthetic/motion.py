"""How a body or a vehicle moves along a route: one moment per second, without any noise.

Routes are invented polylines, in broad strokes, between publicly known places around
La Rochelle (`routes.csv`); they follow no published network. Speeds and accelerations are
orders of magnitude of everyday travel, ours, not measurements.
"""

import csv
import math
import random
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

from carbon.modes import TransportMode

TABLE = Path(__file__).with_name("routes.csv")
EARTH_RADIUS_M = 6_371_008.8
"""IUGG mean Earth radius, in metres."""


class Feature(StrEnum):
    """What a waypoint is besides a bend; a queue fills the way to the next waypoint."""

    LIGHT = "light"
    STATION = "station"
    QUEUE = "queue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waypoint:
    """A vertex of a route; `free_mps` is the usual speed on the way to the next one, if stated."""

    lon: float
    lat: float
    free_mps: float | None = None
    feature: Feature | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Where one is and how fast, at one second (WGS 84 degrees, metres per second)."""

    lon: float
    lat: float
    speed_mps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a mode moves: speeds in m/s, accelerations in m/s².

    `variation` is the relative standard deviation of the speed on a free way; `corner_mps` the
    speed in a right-angled bend.
    """

    cruise_mps: float
    top_mps: float
    acceleration_mps2: float
    braking_mps2: float
    variation: float
    corner_mps: float = math.inf


STYLES: Mapping[TransportMode, Style] = {
    TransportMode.WALK: Style(
        cruise_mps=1.35, top_mps=2.2, acceleration_mps2=0.8, braking_mps2=0.8, variation=0.07
    ),
    TransportMode.BIKE: Style(
        cruise_mps=4.7,
        top_mps=8.5,
        acceleration_mps2=0.7,
        braking_mps2=1.2,
        variation=0.10,
        corner_mps=3.0,
    ),
    TransportMode.BUS: Style(
        cruise_mps=11.5,
        top_mps=13.9,
        acceleration_mps2=1.0,
        braking_mps2=1.1,
        variation=0.06,
        corner_mps=5.0,
    ),
    TransportMode.CAR: Style(
        cruise_mps=12.5,
        top_mps=30.5,
        acceleration_mps2=1.8,
        braking_mps2=2.2,
        variation=0.05,
        corner_mps=5.0,
    ),
    TransportMode.TRAIN_TER: Style(
        cruise_mps=36.0, top_mps=44.4, acceleration_mps2=0.5, braking_mps2=0.6, variation=0.02
    ),
}


class Route:
    """A polyline with the distance of each waypoint from its start, in metres."""

    def __init__(self, waypoints: Sequence[Waypoint]) -> None:
        """Measure the polyline. Raises ValueError for fewer than two waypoints."""
        if len(waypoints) < 2:
            raise ValueError(f"expected at least two waypoints, seen {len(waypoints)}")
        self.waypoints = tuple(waypoints)
        marks = [0.0]
        for a, b in pairwise(waypoints):
            marks.append(marks[-1] + distance_m(a, b))
        self.marks_m = tuple(marks)

    @property
    def length_m(self) -> float:
        """Return the length of the polyline in metres."""
        return self.marks_m[-1]

    def segment(self, along_m: float) -> int:
        """Return the index of the segment at a distance from the start."""
        return min(max(bisect_right(self.marks_m, along_m) - 1, 0), len(self.waypoints) - 2)

    def moment(self, along_m: float, speed_mps: float) -> Moment:
        """Return the place at a distance from the start, with the given speed."""
        index = self.segment(along_m)
        a, b = self.waypoints[index], self.waypoints[index + 1]
        share = (along_m - self.marks_m[index]) / (self.marks_m[index + 1] - self.marks_m[index])
        share = min(max(share, 0.0), 1.0)
        return Moment(
            lon=a.lon + share * (b.lon - a.lon),
            lat=a.lat + share * (b.lat - a.lat),
            speed_mps=speed_mps,
        )

    def back(self) -> "Route":
        """Return the way back: the same usual speeds, and no queue in that direction."""
        speeds = [waypoint.free_mps for waypoint in self.waypoints]
        return Route(
            [
                Waypoint(
                    lon=waypoint.lon,
                    lat=waypoint.lat,
                    free_mps=speeds[max(index - 1, 0)],
                    feature=None if waypoint.feature is Feature.QUEUE else waypoint.feature,
                )
                for index, waypoint in reversed(list(enumerate(self.waypoints)))
            ]
        )


def read_routes(table: Path = TABLE) -> dict[str, Route]:
    """Read the invented routes by name."""
    waypoints: dict[str, list[Waypoint]] = {}
    with table.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            waypoints.setdefault(row["route"], []).append(
                Waypoint(
                    lon=float(row["lon"]),
                    lat=float(row["lat"]),
                    free_mps=float(row["free_kmh"]) / 3.6 if row["free_kmh"] else None,
                    feature=Feature(row["feature"]) if row["feature"] else None,
                )
            )
    return {name: Route(points) for name, points in waypoints.items()}


def distance_m(a: Waypoint | Moment, b: Waypoint | Moment) -> float:
    """Return the great-circle distance in metres (haversine)."""
    rise = math.sin(math.radians(b.lat - a.lat) / 2) ** 2
    turn = math.sin(math.radians(b.lon - a.lon) / 2) ** 2
    chord = rise + math.cos(math.radians(a.lat)) * math.cos(math.radians(b.lat)) * turn
    return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(chord))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A place to pass no faster than `speed_mps`; at zero speed, a halt of `dwell_s` seconds."""

    at_m: float
    speed_mps: float = 0.0
    dwell_s: int = 0


def travel(route: Route, mode: TransportMode, rng: random.Random) -> tuple[Moment, ...]:
    """Move along a route from rest to rest: one moment per second, the first at its start.

    Between seconds the speed changes by no more than the mode's acceleration and braking, save
    for the last metre before a halt.
    """
    style = STYLES[mode]
    holds = [*holds_on(route, mode, rng), Hold(at_m=route.length_m)]
    along = speed = sway = 0.0
    moments = [route.moment(0.0, 0.0)]
    while holds:
        sway = 0.95 * sway + math.sqrt(1 - 0.95**2) * rng.gauss(0.0, style.variation)
        free = route.waypoints[route.segment(along)].free_mps or style.cruise_mps
        wanted = min(free * (1 + sway), style.top_mps, *(_approach(h, along, style) for h in holds))
        speed = min(max(wanted, speed - style.braking_mps2, 0.1), speed + style.acceleration_mps2)
        along = min(along + speed, route.length_m)
        while holds and holds[0].at_m - along < 0.5:
            hold = holds.pop(0)
            if hold.speed_mps == 0.0:
                speed = 0.0
                moments.extend([route.moment(along, 0.0)] * hold.dwell_s)
        moments.append(route.moment(along, speed))
    return tuple(moments)


def holds_on(route: Route, mode: TransportMode, rng: random.Random) -> list[Hold]:
    """Draw where a mode slows down or halts on a route, in order of distance."""
    holds = [*_bends(route, STYLES[mode]), *_features(route, mode, rng)]
    if mode is TransportMode.BUS:
        holds.extend(_bus_stops(route.length_m, rng))
    return sorted(holds, key=lambda hold: hold.at_m)


def _approach(hold: Hold, along_m: float, style: Style) -> float:
    """Return the speed of the next second from which a hold can still be respected.

    One second at v, then braking at b: v + (v² - u²)/2b = d, solved for v.
    """
    room = max(hold.at_m - along_m, 0.0)
    b = style.braking_mps2
    reachable = math.sqrt(b * b + 2 * b * room + hold.speed_mps**2) - b
    return max(reachable, hold.speed_mps)


def _bends(route: Route, style: Style) -> Iterable[Hold]:
    """Slow down in bends of more than 25 degrees, down to the corner speed at a right angle."""
    if math.isinf(style.corner_mps):
        return
    points = route.waypoints
    for index in range(1, len(points) - 1):
        before = _bearing(points[index - 1], points[index])
        turn = abs((_bearing(points[index], points[index + 1]) - before + 180) % 360 - 180)
        if turn > 25:
            speed = style.corner_mps * max(1.0, 90 / turn)
            yield Hold(at_m=route.marks_m[index], speed_mps=speed)


def _features(route: Route, mode: TransportMode, rng: random.Random) -> Iterable[Hold]:
    """Halt at half of the lights and at every station; creep through queues."""
    for index, waypoint in enumerate(route.waypoints[:-1]):
        at_m = route.marks_m[index]
        if waypoint.feature is Feature.LIGHT and mode is not TransportMode.WALK:
            if rng.random() < 0.5:
                yield Hold(at_m=at_m, dwell_s=rng.randint(8, 45))
        elif waypoint.feature is Feature.STATION:
            yield Hold(at_m=at_m, dwell_s=rng.randint(50, 80))
        elif waypoint.feature is Feature.QUEUE:
            yield from _queue(at_m, route.marks_m[index + 1], rng)


def _queue(start_m: float, end_m: float, rng: random.Random) -> Iterable[Hold]:
    """Stop and go between two distances: halts and creeping every 15 to 60 metres."""
    at_m = start_m
    while at_m < end_m:
        if rng.random() < 0.35:
            yield Hold(at_m=at_m, dwell_s=rng.randint(2, 15))
        else:
            yield Hold(at_m=at_m, speed_mps=rng.uniform(1.5, 5.0))
        at_m += rng.uniform(15, 60)


def _bus_stops(length_m: float, rng: random.Random) -> Iterable[Hold]:
    """Halt about every 400 metres; one stop in eight has nobody waiting."""
    at_m = rng.uniform(330, 470)
    while at_m < length_m - 200:
        if rng.random() < 7 / 8:
            yield Hold(at_m=at_m, dwell_s=rng.randint(10, 28))
        at_m += rng.uniform(340, 460)


def _bearing(a: Waypoint, b: Waypoint) -> float:
    """Return the direction from one waypoint to the next, degrees clockwise from north."""
    east = (b.lon - a.lon) * math.cos(math.radians(a.lat))
    return math.degrees(math.atan2(east, b.lat - a.lat))
