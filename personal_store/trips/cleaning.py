"""Judge every positionfix: kept, or set aside for a reason. Nothing is changed or deleted.

A verdict can be asked for again at any time, and a fix that is set aside stays in the store. Fast
travel is not an error: a train or a plane keeps going, a teleport comes back. It is not a
smoother: kept positions are as measured. A verdict rests on the fixes around it only, up to the
nearest ten minutes without a jump, so that a part of a history is judged as the whole is.
"""

# ruff: noqa: PLR0917 - a loop takes its columns by position (compiling.py).

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from personal_store.trips.compiling import COMPILE_FROM, run_loop
from personal_store.trips.timeline import SetAside
from personal_store.trips.track import (
    Floats,
    Indices,
    Positions,
    Track,
    anchors,
    arc_m,
    lay_point,
)

WORST_ACCURACY_M = 150.0
"""Metres; a fix that claims a worse accuracy is set aside (design, trips (b)2: cell towers)."""

UNKNOWN_ACCURACY_M = 10.0
"""Metres; assumed where a source gives none (GPX), the usual error of GNSS under open sky."""

JUMP_MPS = 70.0
"""Metres per second (252 km/h); a faster way there *and* back is a teleport (trips (b)2)."""

IMPOSSIBLE_MPS = 350.0
"""Metres per second (1,260 km/h); above any airliner's ground speed, jet stream included."""

RETURN_RATIO = 0.5
"""A detour comes back when the direct way is under this share of the way there and back.

On a straight line at any speed the share is 1, so trains and planes survive; a spike has ~0.
"""

ISLAND_MAX_S = 600.0
"""Seconds; a longer absence is a place, not a teleport (wrong Wi-Fi positions last minutes)."""

ISLAND_DEPTH = 50
"""Passes; teleports nested deeper than any receiver makes them are left, to bound the time."""

NEAR_M = 10_000.0
ALMOST = 0.999999
"""Metres, and a share: so near, an arc is longer than its chord by less than one part in 10^6."""

STUCK_FROM = 3
"""Fixes of one instant, at places their errors cannot reconcile, from which a clock is stuck.
Two are two sources that disagree."""


class Verdict(IntEnum):
    """What cleaning says of a fix, as kept in a column of bytes."""

    KEPT = 0
    LOW_ACCURACY = 1
    SAME_TIME = 2
    STUCK_CLOCK = 3
    SPIKE = 4
    TELEPORT = 5

    @property
    def reason(self) -> SetAside | None:
        """Return the reason in the words of the timeline, None for a kept fix."""
        return None if self is Verdict.KEPT else SetAside[self.name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """The verdict on every fix, in time order, and the kept ones in strictly increasing time.

    `verdicts` and `times_s` (Unix seconds) are aligned; `track` holds the fixes whose verdict is
    KEPT.
    """

    times_s: Floats
    verdicts: NDArray[np.int8]
    track: Track

    def count(self, verdict: Verdict) -> int:
        """Return how many fixes have a verdict."""
        return int(np.count_nonzero(self.verdicts == verdict))

    @property
    def jumps_s(self) -> Floats:
        """Return when the fixes were that are set aside as spikes and teleports."""
        return self.times_s[self.verdicts >= Verdict.SPIKE]


def clean(positions: Positions, *, compile_from: int = COMPILE_FROM) -> Cleaned:
    """Sort one device's fixes by time and judge each; the order of arrival does not matter."""
    size = len(positions)
    order = _by_time(positions)
    verdicts, place = np.zeros(size, dtype=np.int8), np.empty(size, dtype=np.int64)
    # What is not kept is written over, and what nothing touches takes no memory.
    xyz_m = np.empty((size, 3), order="F")
    time_s, error_m = np.empty(size), np.empty(size)
    laid = (place, time_s, *xyz_m.T, error_m)
    places = (
        positions.time_s,
        positions.lon,
        positions.lat,
        positions.accuracy_m,
        order,
        *anchors(),
    )
    usable = run_loop(lay_out, places, (verdicts, *laid), compile_from=compile_from)
    laid = tuple(column[:usable] for column in laid)
    jumps = np.empty(usable, dtype=np.int64), np.empty(usable, dtype=np.int64)
    count = usable
    if usable >= 3 and run_loop(
        set_aside_jumps, (*laid[1:], laid[0]), (verdicts, *jumps), compile_from=compile_from
    ):
        count = run_loop(close_holes, (verdicts,), laid, compile_from=compile_from)
    kept = order if count == size else order[place[:count]]
    track = _track(positions, kept, time_s=time_s[:count], xyz_m=xyz_m[:count], error_m=error_m)
    return Cleaned(times_s=positions.time_s[order], verdicts=verdicts, track=track)


def _track(
    positions: Positions, kept: Indices, *, time_s: Floats, xyz_m: Floats, error_m: Floats
) -> Track:
    """Return the kept positions, with the columns that cleaning laid out."""
    activity, confidence = positions.activity, positions.confidence
    return Track(
        time_s=time_s,
        lon=_some(positions.lon, kept),
        lat=_some(positions.lat, kept),
        xyz_m=xyz_m,
        error_m=error_m[: len(kept)],
        recorded=_some(positions.recorded, kept),
        activity=None if activity is None else activity[kept],
        confidence=None if confidence is None else confidence[kept],
    )


def _some(column: NDArray[Any], indices: Indices) -> NDArray[Any]:
    """Return a column at some indices, without a copy where they are all of it in its order."""
    is_whole = len(indices) == len(column) and np.array_equal(indices, np.arange(len(column)))
    return column if is_whole else column[indices]


def _by_time(positions: Positions) -> Indices:
    """Return the order by time and, at one time, by content, so that arrival never decides.

    The most accurate fix of an instant comes first.
    """
    time_s = positions.time_s
    if bool(np.all(time_s[1:] >= time_s[:-1])):
        order = np.arange(len(time_s))
        same = time_s[1:] == time_s[:-1]
    else:
        order = np.argsort(time_s, kind="stable")
        same = np.diff(time_s[order]) == 0
    shared = np.flatnonzero(np.append(same, False) | np.append(False, same))
    if len(shared):
        some = order[shared]
        order[shared] = some[np.lexsort(_ranks(positions, some))]
    return order


def _ranks(positions: Positions, some: Indices) -> tuple[NDArray[Any], ...]:
    """Return by what fixes are ranked, the last column first: time, then error, then content."""
    accuracy_m = positions.accuracy_m[some]
    ranks = (
        positions.recorded[some],
        positions.lat[some],
        positions.lon[some],
        np.where(accuracy_m > 0, accuracy_m, UNKNOWN_ACCURACY_M),
        positions.time_s[some],
    )
    if positions.activity is None or positions.confidence is None:
        return ranks
    labels = np.array([label or "" for label in positions.activity[some]])
    confidence = np.nan_to_num(positions.confidence[some], nan=-1.0)
    return (confidence, np.unique(labels, return_inverse=True)[1], *ranks)


# Loops: plain functions over columns (see compiling.py), hence the many positional columns.


def lay_out(
    time_s: Any, lon: Any, lat: Any, accuracy_m: Any, order: Any, sines: Any, cosines: Any,
    verdict: Any, place: Any, out_s: Any, x: Any, y: Any, z: Any, error_m: Any,
) -> int:  # fmt: skip
    """Lay out the usable fixes in time order, one for each instant; return how many they are.

    Fills `verdict` for those of low accuracy, and for those that repeat an instant or show that
    the clock stood; `place` is each usable fix's place in `order`.
    """
    count = repeated = 0
    for index in range(len(order)):
        one = order[index]
        claimed_m = accuracy_m[one]
        # A NaN accuracy (unknown) compares false, and so does a negative one: both are kept.
        if claimed_m > WORST_ACCURACY_M:
            verdict[index] = 1
            continue
        # A place that a repetition takes is written over by the next fix.
        place[count], out_s[count] = index, time_s[one]
        error_m[count] = claimed_m if claimed_m > 0 else UNKNOWN_ACCURACY_M
        lay_point(lon[one], lat[one], x, y, z, count, sines, cosines)
        if count > 0 and out_s[count] == out_s[count - 1]:
            apart = is_faster(out_s, x, y, z, error_m, count - 1, count, 0.0)
            verdict[index] = 3 if apart else 2
            repeated += 1
            continue
        if repeated > 0:
            judge_clock(verdict, place[count - 1] + 1, index)
            repeated = 0
        count += 1
    if repeated > 0:
        judge_clock(verdict, place[count - 1] + 1, len(order))
    return count


def judge_clock(verdict: Any, first: int, until: int) -> None:
    """Call a clock stuck where enough fixes of an instant lie apart from its best."""
    apart = 0
    for index in range(first, until):
        apart += verdict[index] == 3
    for index in range(first, until):
        if verdict[index] == 3 and apart + 1 < STUCK_FROM:
            verdict[index] = 2


def set_aside_jumps(
    time_s: Any, x: Any, y: Any, z: Any, error_m: Any, place: Any,
    verdict: Any, leaving: Any, reaching: Any,
) -> int:  # fmt: skip
    """Mark islands, those inside islands included, then stale edges; return how many fixes.

    `leaving` and `reaching` become the fixes on both sides of each jump that is left.
    """
    count = marked = 0
    last = len(time_s) - 1
    for index in range(last):
        if is_faster(time_s, x, y, z, error_m, index, index + 1, JUMP_MPS):
            leaving[count], reaching[count] = index, index + 1
            count += 1
    for _ in range(ISLAND_DEPTH):
        left = drop_islands(time_s, x, y, z, error_m, place, verdict, leaving, reaching, count)
        if left == count:
            break
        count, marked = left, marked + 1
    if count > 0:
        # A phone often repeats an old position on waking up; only one jump then shows it.
        marked += mark_stale(time_s, x, y, z, error_m, place, verdict, 0, 1)
        marked += mark_stale(time_s, x, y, z, error_m, place, verdict, last, -1)
    return marked


def drop_islands(
    time_s: Any, x: Any, y: Any, z: Any, error_m: Any, place: Any,
    verdict: Any, leaving: Any, reaching: Any, count: int,
) -> int:  # fmt: skip
    """Mark the fixes between two jumps whose far sides agree; return how many jumps are left.

    A jump serves one island only; where the way past an island is a jump, it is one for the next
    pass.
    """
    size = 0
    is_free = False
    for jump in range(count):
        last, after = leaving[jump], reaching[jump]
        before, first = leaving[max(size - 1, 0)], reaching[max(size - 1, 0)]
        if is_free and comes_back(time_s, x, y, z, before, first, last, after):
            for island in range(first, last + 1):
                if verdict[place[island]] == 0:
                    verdict[place[island]] = 4 if first == last else 5
            size -= 1
            if is_faster(time_s, x, y, z, error_m, before, after, JUMP_MPS):
                reaching[size] = after
                size += 1
            is_free = False
        else:
            leaving[size], reaching[size] = last, after
            size += 1
            is_free = True
    return size


def mark_stale(
    time_s: Any, x: Any, y: Any, z: Any, error_m: Any, place: Any,
    verdict: Any, edge: int, towards: int,
) -> int:  # fmt: skip
    """Mark the fix at an edge that an impossible step parts from the others; return 1 or 0."""
    one = next_kept(place, verdict, edge, towards)
    two = next_kept(place, verdict, one + towards, towards)
    three = next_kept(place, verdict, two + towards, towards)
    if one < 0 or two < 0 or three < 0:
        return 0
    stale = is_faster(
        time_s, x, y, z, error_m, min(one, two), max(one, two), IMPOSSIBLE_MPS
    ) and not is_faster(time_s, x, y, z, error_m, min(two, three), max(two, three), IMPOSSIBLE_MPS)
    if stale:
        verdict[place[one]] = 5
    return int(stale)


def next_kept(place: Any, verdict: Any, index: int, towards: int) -> int:
    """Return the first kept fix from `index` on, -1 where there is none."""
    while 0 <= index < len(place):
        if verdict[place[index]] == 0:
            return index
        index += towards
    return -1


def close_holes(verdict: Any, place: Any, time_s: Any, x: Any, y: Any, z: Any, error_m: Any) -> int:
    """Write the kept fixes over those that are set aside; return how many are kept."""
    size = 0
    for index in range(len(place)):
        if verdict[place[index]] == 0:
            place[size], time_s[size], error_m[size] = place[index], time_s[index], error_m[index]
            x[size], y[size], z[size] = x[index], y[index], z[index]
            size += 1
    return size


def is_faster(
    time_s: Any, x: Any, y: Any, z: Any, error_m: Any, one: int, other: int, limit_mps: float
) -> bool:
    """Tell whether the part of a step that errors cannot explain is faster than a limit."""
    limit_m = error_m[one] + error_m[other] + limit_mps * (time_s[other] - time_s[one])
    off_x, off_y, off_z = x[other] - x[one], y[other] - y[one], z[other] - z[one]
    square = off_x * off_x + off_y * off_y + off_z * off_z
    if limit_m < NEAR_M and square < ALMOST * limit_m * limit_m:
        return False
    return bool(arc_m(x[one], y[one], z[one], x[other], y[other], z[other]) > limit_m)


def comes_back(
    time_s: Any, x: Any, y: Any, z: Any, before: int, first: int, last: int, after: int
) -> bool:
    """Tell whether the fixes `first` to `last` are a short way off between two neighbours."""
    if time_s[last] - time_s[first] > ISLAND_MAX_S:
        return False
    there_m = arc_m(x[before], y[before], z[before], x[first], y[first], z[first])
    back_m = arc_m(x[last], y[last], z[last], x[after], y[after], z[after])
    direct_m = arc_m(x[before], y[before], z[before], x[after], y[after], z[after])
    return bool(direct_m < RETURN_RATIO * (there_m + back_m))
