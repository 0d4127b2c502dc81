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
from personal_store.trips.track import Floats, Indices, Track, arc_m, distances_m

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
    """Every fix in time order with its verdict, and the kept ones in strictly increasing time.

    `everything` and `verdicts` are aligned; `track` holds the fixes whose verdict is KEPT.
    """

    everything: Track
    verdicts: NDArray[np.int8]
    track: Track

    def count(self, verdict: Verdict) -> int:
        """Return how many fixes have a verdict."""
        return int(np.count_nonzero(self.verdicts == verdict))


def clean(fixes: Track, *, compile_from: int = COMPILE_FROM) -> Cleaned:
    """Sort one device's fixes by time and judge each; the order of arrival does not matter."""
    in_order = bool(np.all(fixes.time_s[1:] > fixes.time_s[:-1]))
    order = np.arange(len(fixes)) if in_order else _by_time(fixes)
    as_given = bool(np.all(order[1:] > order[:-1]))
    everything = fixes if as_given else fixes.take(order)
    verdicts = np.zeros(len(everything), dtype=np.int8)
    # A NaN accuracy (unknown) compares false, and so does a negative one: both are kept.
    verdicts[everything.accuracy_m > WORST_ACCURACY_M] = Verdict.LOW_ACCURACY
    if not in_order:
        _judge_instants(everything, verdicts)
    distinct = np.flatnonzero(verdicts == Verdict.KEPT)
    verdicts[distinct] = _judge_jumps(points_of(everything, distinct), compile_from=compile_from)
    kept = np.flatnonzero(verdicts == Verdict.KEPT)
    track = everything if len(kept) == len(everything) else everything.take(kept)
    return Cleaned(everything=everything, verdicts=verdicts, track=track)


def points_of(track: Track, some: Indices | None = None) -> tuple[Floats, ...]:
    """Return what loops read of a track, or of some of its fixes: time, x, y, z and error."""
    columns = (track.time_s, *track.xyz_m.T, errors_m(track))
    if some is None or len(some) == len(track):
        return columns
    return tuple(column[some] for column in columns)


def errors_m(track: Track) -> Floats:
    """Return each fix's claimed error in metres, with the assumed one where there is none."""
    accuracy = track.accuracy_m
    return np.where(accuracy > 0, accuracy, UNKNOWN_ACCURACY_M)


def _by_time(track: Track) -> Indices:
    """Return the order by time and, at one time, by content, so that arrival never decides.

    The most accurate fix of an instant comes first.
    """
    order = np.argsort(track.time_s, kind="stable")
    same = np.diff(track.time_s[order]) == 0
    shared = np.flatnonzero(np.append(same, False) | np.append(False, same))
    if len(shared):
        some = order[shared]
        labels = np.array([label or "" for label in track.activity[some]])
        ranks = (
            track.recorded[some],
            np.nan_to_num(track.confidence[some], nan=-1.0),
            np.unique(labels, return_inverse=True)[1],
            track.lat[some],
            track.lon[some],
            errors_m(track)[some],
            track.time_s[some],
        )
        order[shared] = some[np.lexsort(ranks)]
    return order


def _judge_instants(track: Track, verdicts: NDArray[np.int8]) -> None:
    """Keep the best fix of each instant; the others repeat it, or show that the clock stood."""
    usable = np.flatnonzero(verdicts == Verdict.KEPT)
    is_best = np.diff(track.time_s[usable], prepend=-np.inf) > 0
    instant = np.cumsum(is_best) - 1
    others = usable[~is_best]
    best = usable[is_best][instant[~is_best]]
    error_m = errors_m(track)
    apart_m = distances_m(track.xyz_m[others], track.xyz_m[best])
    is_apart = apart_m > error_m[others] + error_m[best]
    places = 1 + np.bincount(instant[~is_best][is_apart], minlength=len(usable))
    stuck = is_apart & (places[instant[~is_best]] >= STUCK_FROM)
    verdicts[others] = np.where(stuck, Verdict.STUCK_CLOCK, Verdict.SAME_TIME)


def _judge_jumps(points: tuple[Floats, ...], *, compile_from: int) -> NDArray[np.int8]:
    """Return the verdict on each fix of strictly increasing times: spikes and teleports."""
    size = len(points[0])
    verdicts = np.zeros(size, dtype=np.int8)
    if size >= 3:
        run_loop(set_aside_jumps, points, (verdicts, np.arange(size)), compile_from=compile_from)
    return verdicts


# Loops: plain functions over columns (see compiling.py), hence the many positional columns.


def set_aside_jumps(
    time_s: Any, x: Any, y: Any, z: Any, error_m: Any, verdict: Any, kept: Any
) -> int:
    """Fill `verdict` for islands, those inside islands included, then for stale edges.

    `kept` starts as 0, 1, ..., n - 1 and ends as the kept indices; return how many they are.
    """
    count = len(time_s)
    for _ in range(ISLAND_DEPTH):
        if mark_islands(time_s, x, y, z, error_m, verdict, kept, count) == 0:
            break
        count = drop_marked(verdict, kept, count)
    if count >= 3:
        # A phone often repeats an old position on waking up; only one jump then shows it.
        first = is_faster(time_s, x, y, z, error_m, kept[0], kept[1], IMPOSSIBLE_MPS)
        second = is_faster(time_s, x, y, z, error_m, kept[1], kept[2], IMPOSSIBLE_MPS)
        before = is_faster(
            time_s, x, y, z, error_m, kept[count - 3], kept[count - 2], IMPOSSIBLE_MPS
        )
        last = is_faster(time_s, x, y, z, error_m, kept[count - 2], kept[count - 1], IMPOSSIBLE_MPS)
        if first and not second:
            verdict[kept[0]] = 5
        if last and not before:
            verdict[kept[count - 1]] = 5
        count = drop_marked(verdict, kept, count)
    return count


def mark_islands(
    time_s: Any, x: Any, y: Any, z: Any, error_m: Any, verdict: Any, kept: Any, count: int
) -> int:
    """Mark kept fixes reached and left by jumps whose neighbours on both sides agree.

    Return how many fixes were marked. A jump serves one island only.
    """
    marked = 0
    before = -1
    taken_until = 0
    for step in range(count - 1):
        if not is_faster(time_s, x, y, z, error_m, kept[step], kept[step + 1], JUMP_MPS):
            continue
        if before >= taken_until and comes_back(
            time_s, x, y, z, kept[before], kept[before + 1], kept[step], kept[step + 1]
        ):
            for island in range(before + 1, step + 1):
                verdict[kept[island]] = 4 if step == before + 1 else 5
                marked += 1
            taken_until = step + 1
        before = step
    return marked


def drop_marked(verdict: Any, kept: Any, count: int) -> int:
    """Close the holes in `kept`; return its new length."""
    size = 0
    for index in range(count):
        if verdict[kept[index]] == 0:
            kept[size] = kept[index]
            size += 1
    return size


def is_faster(
    time_s: Any, x: Any, y: Any, z: Any, error_m: Any, one: int, other: int, limit_mps: float
) -> bool:
    """Tell whether the part of a step that errors cannot explain is faster than a limit."""
    moved_m = arc_m(x[one], y[one], z[one], x[other], y[other], z[other])
    surely_m = moved_m - error_m[one] - error_m[other]
    return bool(surely_m > limit_mps * (time_s[other] - time_s[one]))


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
