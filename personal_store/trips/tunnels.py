"""What a train did in a tunnel: a gap follows the rails, and a slow one cuts no ride in two.

Needs the lines that the resident imported; without them a gap stays the straight line, or the usual
detour, that `unseen_ways` gives. A road tunnel has no rails: the leg around it crosses it straight.
Whatever is drawn here is an estimate, counted in `Tripleg.gap_m`. It moves no edge of a trip.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from personal_store.trips.cutting import Point
from personal_store.trips.lines import RAILED, LineIndex
from personal_store.trips.modes import infer_mode
from personal_store.trips.rail import Way
from personal_store.trips.timeline import ModeProbability
from personal_store.trips.track import Track, distances_m
from personal_store.trips.triplegs import RIDE_ABOVE_MPS, UNSEEN_MIN_S, Leg, Legs
from personal_store.trips.unseen_ways import rail_mode

LEAST_STEP_M: Final = 500.0
"""Metres; over a shorter step the rails are no longer than a straight line, within a fix's error
and the reach of a track."""

MOSTLY_GAP: Final = 0.8
"""Share of a leg's distance from which it is nothing but a gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A gap of a leg that follows rails: from fix `step` of the track to the next, and how."""

    step: int
    straight_m: float
    way: Way


def crossings(
    track: Track, leg: Leg, modes: Sequence[ModeProbability], lines: LineIndex | None
) -> list[Crossing]:
    """Return the gaps of a leg across which rails lead, none where its mode is not surely rail."""
    mode = rail_mode(modes)
    if lines is None or mode is None:
        return []
    found = []
    for step in range(leg.first, leg.last):
        if track.time_s[step + 1] - track.time_s[step] <= UNSEEN_MIN_S:
            continue
        start, end = _point(track, step), _point(track, step + 1)
        straight_m = float(distances_m(track.xyz_m[[step + 1]], track.xyz_m[[step]])[0])
        way = lines.way(mode, start, end) if straight_m >= LEAST_STEP_M else None
        if way is not None:
            found.append(Crossing(step=step, straight_m=straight_m, way=way))
    return found


def drawn(track: Track, leg: Leg, crossed: Sequence[Crossing]) -> tuple[Point, ...]:
    """Return the points of a leg, with those of the rails where it crosses gaps."""
    points: list[Point] = []
    ways = {each.step: each.way for each in crossed}
    for step in range(leg.first, leg.last + 1):
        points.append(_point(track, step))
        points += ways[step].points if step in ways else ()
    return tuple(points)


def rejoined(track: Track, legs: Legs, lines: LineIndex | None) -> Legs:
    """Return the legs with rides joined that only a slow gap along rails parts.

    A train that stands in a tunnel crosses it at a walk's pace: without this the ride would be two,
    with a walk between them, and neither would end at a station.
    """
    if lines is None:
        return legs
    begins: list[int] = []
    ends: list[int] = []
    index = 0
    while index < len(legs):
        last = index
        while _is_one_ride(track, legs, index, last + 2, lines):
            last += 2
        begins.append(index)
        ends.append(last)
        index = last + 1
    return legs.joined(begins, ends)


def _is_one_ride(track: Track, legs: Legs, begin: int, last: int, lines: LineIndex) -> bool:
    """Tell whether the legs from `begin` to `last` are one: the one before `last` being a gap."""
    if last >= len(legs) or legs.movement[last] != legs.movement[begin]:
        return False
    before, gap = last - 2, last - 1
    pace_mps = legs.distance_m[before : last + 1] / (legs.end_s - legs.start_s)[before : last + 1]
    slow = pace_mps[1] < RIDE_ABOVE_MPS < min(pace_mps[0], pace_mps[2])
    mostly = legs.gap_m[gap] >= MOSTLY_GAP * legs.distance_m[gap] > 0.0
    whole = legs.last[before] == legs.first[gap] and legs.last[gap] == legs.first[last]
    if not (slow and mostly and whole):
        return False
    start, end = _point(track, int(legs.first[gap])), _point(track, int(legs.last[gap]))
    if all(lines.way(mode, start, end) is None for mode in RAILED):
        return False
    return rail_mode(infer_mode(track, legs.whole(begin, last), lines).modes) is not None


def _point(track: Track, fix: int) -> Point:
    return float(track.lon[fix]), float(track.lat[fix])
