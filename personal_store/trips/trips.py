"""Cut a track into trips: what lies between two activities.

A stay of `ACTIVITY_MIN_S` or more ends a trip; a shorter one is a wait inside it (a change of
train, a queue). Where nothing is known about a silence, the trip ends before it and the next
one starts after it, so that no trip holds a night or a week without data.
"""

# ruff: noqa: PLR0917 - a loop takes its columns by position (compiling.py).

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personal_store.trips.compiling import COMPILE_FROM, run_loop
from personal_store.trips.silences import NEARLY_ALL, Silences
from personal_store.trips.staypoints import EXCURSION_M, Stays
from personal_store.trips.track import Floats, Indices, Track, arc_m

ACTIVITY_MIN_S = 25 * 60.0
"""Seconds; a longer stay is an activity. Waits for trains reach 23 min in the development data
(MobilityNet before November 2019), activities start at 64 min; design, trips (b)5: 20 to 25."""

TRIP_MIN_S = 60.0
"""Seconds; nothing shorter is a trip (a stale position on waking up makes one)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movements:
    """The movements between activities, column by column, in Unix seconds.

    Movement i is [start_s, end_s) over the fixes `first` to `last`.
    """

    start_s: Floats
    end_s: Floats
    first: Indices
    last: Indices

    def __len__(self) -> int:
        """Return the number of movements."""
        return len(self.first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which stays are activities (the others are waits), and the movements between them."""

    is_activity: NDArray[np.bool_]
    movements: Movements


def plan_trips(
    track: Track,
    stays: Stays,
    silences: Silences,
    *,
    activity_min_s: float = ACTIVITY_MIN_S,
    compile_from: int = COMPILE_FROM,
) -> Plan:
    """Split stays into activities and waits, and return the movements between activities.

    A stay at an edge of what is known is an activity: its true length is unknown.
    """
    size, breaks = len(track), silences.breaks
    edges = np.concatenate(([0], breaks, [size])).astype(np.int64)
    room = len(stays) + len(edges)
    is_activity = np.zeros(len(stays), dtype=np.bool_)
    start_s, end_s = np.zeros(room), np.zeros(room)
    first, last = np.zeros(room, dtype=np.int64), np.zeros(room, dtype=np.int64)
    count = run_loop(
        seek_movements,
        (
            *track.points, track.recorded, edges,
            stays.first, stays.last, stays.start_s, stays.end_s, activity_min_s,
        ),
        (is_activity, start_s, end_s, first, last),
        compile_from=compile_from,
    )  # fmt: skip
    return Plan(
        is_activity=is_activity,
        movements=Movements(
            start_s=start_s[:count],
            end_s=end_s[:count],
            first=first[:count],
            last=last[:count],
        ),
    )


# Loops: plain functions over columns (see compiling.py), hence the many positional columns.


def seek_movements(
    time_s: Any, x: Any, y: Any, z: Any, error_m: Any, recorded: Any, edges: Any,
    stay_first: Any, stay_last: Any, stay_start_s: Any, stay_end_s: Any, activity_min_s: float,
    is_activity: Any, start_s: Any, end_s: Any, first: Any, last: Any,
) -> int:  # fmt: skip
    """Fill the activities and the movements of each known stretch; return how many movements."""
    count = 0
    stay = 0
    for edge in range(len(edges) - 1):
        opening, closing = edges[edge], edges[edge + 1] - 1
        if closing < opening:
            continue
        leaving, leaving_s = opening, time_s[opening]
        while stay < len(stay_first) and stay_first[stay] <= closing:
            is_activity[stay] = (
                stay_end_s[stay] - stay_start_s[stay] >= activity_min_s
                or stay_first[stay] == opening
                or stay_last[stay] == closing
            )
            if is_activity[stay]:
                arriving, arriving_s = stay_first[stay], stay_start_s[stay]
                lasting_s = arriving_s - leaving_s
                if goes_somewhere(x, y, z, error_m, recorded, leaving, arriving, lasting_s):
                    first[count], last[count] = leaving, arriving
                    start_s[count], end_s[count] = leaving_s, arriving_s
                    count += 1
                leaving, leaving_s = stay_last[stay], stay_end_s[stay]
            stay += 1
        closing_s = time_s[closing]
        if goes_somewhere(x, y, z, error_m, recorded, leaving, closing, closing_s - leaving_s):
            first[count], last[count] = leaving, closing
            start_s[count], end_s[count] = leaving_s, closing_s
            count += 1
    return count


def goes_somewhere(
    x: Any, y: Any, z: Any, error_m: Any, recorded: Any, first: int, last: int, lasting_s: float
) -> bool:
    """Tell a trip from jitter: long enough, and away from its start further than jitter goes.

    Nor is it a trip where the errors that both fixes claim explain the way between them.
    """
    if lasting_s < TRIP_MIN_S or last <= first:
        return False
    on_purpose = True
    for index in range(first, last + 1):
        on_purpose = on_purpose and recorded[index]
        away_m = arc_m(x[index], y[index], z[index], x[first], y[first], z[first])
        if away_m >= max(EXCURSION_M, NEARLY_ALL * (error_m[first] + error_m[index])):
            return True
    return bool(on_purpose)
