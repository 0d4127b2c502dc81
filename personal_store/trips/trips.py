"""Cut a track into trips: what lies between two activities.

A stay of `ACTIVITY_MIN_S` or more ends a trip; a shorter one is a wait inside it (a change of
train, a queue). Where nothing is known about a silence, the trip ends before it and the next
one starts after it, so that no trip holds a night or a week without data.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from personal_store.trips.staypoints import EXCURSION_M, Stay, Stays
from personal_store.trips.track import Track, distances_m

ACTIVITY_MIN_S = 25 * 60.0
"""Seconds; a longer stay is an activity. Waits for trains reach 23 min in the development data
(MobilityNet before November 2019), activities start at 64 min; design, trips (b)5: 20 to 25."""

TRIP_MIN_S = 60.0
"""Seconds; nothing shorter is a trip (a stale position on waking up makes one)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """The movement [start_s, end_s) over the fixes `first` to `last`, with the waits inside."""

    start_s: float
    end_s: float
    first: int
    last: int
    waits: tuple[Stay, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The activities and the movements between them, each in time order."""

    activities: tuple[Stay, ...]
    movements: tuple[Movement, ...]


def plan_trips(track: Track, found: Stays, *, activity_min_s: float = ACTIVITY_MIN_S) -> Plan:
    """Split stays into activities and waits, and return the movements between activities.

    A stay at an edge of what is known is an activity: its true length is unknown.
    """
    firsts = [stay.first for stay in found.stays]
    edges = (0, *found.breaks, len(track))
    activities: list[Stay] = []
    movements: list[Movement] = []
    for start, stop in pairwise(edges):
        stays = found.stays[bisect_left(firsts, start) : bisect_left(firsts, stop)]
        ends = [
            stay
            for stay in stays
            if stay.duration_s >= activity_min_s or stay.first == start or stay.last == stop - 1
        ]
        activities += ends
        movements += _between(track, start=start, last=stop - 1, stays=stays, activities=ends)
    return Plan(activities=tuple(activities), movements=tuple(movements))


def _between(
    track: Track, *, start: int, last: int, stays: Sequence[Stay], activities: Sequence[Stay]
) -> list[Movement]:
    """Return the movements of one known stretch of fixes, `start` to `last` included."""
    if last <= start:
        return []
    leaving = [(float(track.time_s[start]), start)]
    leaving += [(stay.end_s, stay.last) for stay in activities]
    arriving = [(stay.start_s, stay.first) for stay in activities]
    arriving += [(float(track.time_s[last]), last)]
    candidates = (
        Movement(
            start_s=start_s,
            end_s=end_s,
            first=first,
            last=end,
            waits=tuple(s for s in stays if first < s.first and s.last < end),
        )
        for (start_s, first), (end_s, end) in zip(leaving, arriving, strict=True)
    )
    return [movement for movement in candidates if _goes_somewhere(track, movement)]


def _goes_somewhere(track: Track, movement: Movement) -> bool:
    """Tell a trip from jitter: long enough, and away from its start further than jitter goes."""
    if movement.end_s - movement.start_s < TRIP_MIN_S or movement.last <= movement.first:
        return False
    fixes = slice(movement.first, movement.last + 1)
    if track.recorded[fixes].all():
        return True
    away_m = distances_m(track.xyz_m[fixes], track.xyz_m[movement.first])
    return bool(np.max(away_m) >= EXCURSION_M)
