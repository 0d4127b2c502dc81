"""Find where a device stayed, also when it was silent there.

A stay is a run of fixes around their running centre. Runs start afresh at each rest (`silences.py`)
and the stays on both sides of a rest are one stay, so that every rule here looks no further than
from one rest to the next. It is not a place finder: two visits to one place are two stays.
"""

# ruff: noqa: PLR0917 - a loop takes its columns by position (compiling.py).

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from personal_store.trips.cleaning import WORST_ACCURACY_M
from personal_store.trips.compiling import COMPILE_FROM, run_loop
from personal_store.trips.silences import (
    LEFT_LATE,
    NEARLY_ALL,
    NONE,
    REST_S,
    UNKNOWN,
    Rests,
    Silences,
    is_outside,
    reach_of,
)
from personal_store.trips.track import Floats, Indices, Track, arc_m

STAY_MIN_S = 300.0
"""Seconds; shorter halts are part of moving (design, trips (b)3; traffic lights, stops)."""

SETTLED_M = 10.0
"""Metres from the centre within which a device has arrived: GNSS noise under open sky."""

SETTLED_SPREAD = 1.5
"""Times the median distance from the centre beyond which an edge of a stay is still the way."""

SAME_PLACE_M = 150.0
"""Metres between centres under which two stays are at one place (design, trips (b)4)."""

SHORT_BREAK_S = 300.0
"""Seconds between two stays at one place under which they are one (design, trips (b)4)."""

STRAY_M = SAME_PLACE_M + 2 * NEARLY_ALL * WORST_ACCURACY_M
"""Metres from a stay's first fix within which its other fixes lie: two runs at one place, each as
wide as the largest reach."""

EXCURSION_M = 200.0
"""Metres; a way out from one place and back that stays closer is indoor jitter (trips (b)4).

Never applied to recorded files, where somebody pressed start.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stays:
    """The stays of a track in time order, column by column, each of length k, in Unix seconds.

    Stay i covers the fixes `first[i]` to `last[i]`, both included; `end_s` is later than the last
    one when the device fell silent and left late. The centre (metres, shape (k, 3)) and the spread
    `radius_m` are measured on all its fixes, or until an hour of rest has been seen.
    """

    first: Indices
    last: Indices
    start_s: Floats
    end_s: Floats
    centre_m: Floats
    radius_m: Floats

    def __len__(self) -> int:
        """Return the number of stays."""
        return len(self.first)


def find_stays(
    track: Track, silences: Silences, rests: Rests, *, compile_from: int = COMPILE_FROM
) -> Stays:
    """Return every stay of at least `STAY_MIN_S`, neighbours at one place merged."""
    size = len(track)
    # Zeros that nothing touches take no memory; no rest ends at the first fix.
    rest_end = np.zeros(size, dtype=np.int64)
    rest_end[rests.first] = rests.last
    points = (track.time_s, *track.xyz_m.T)
    room = size + len(rests.first)
    rows = tuple(np.empty(room, dtype=kind) for kind in (np.int64, np.int64, float, float))
    count = run_loop(
        seek_runs,
        (*track.points, silences.kinds, silences.left_at_s, rest_end),
        rows,
        compile_from=compile_from,
    )
    rows = (*(column[:count].copy() for column in rows), *(_indices(count) for _ in range(3)))
    count = run_loop(
        merge_runs,
        (*track.xyz_m.T, track.error_m, track.recorded, silences.kinds, rest_end),
        rows,
        compile_from=compile_from,
    )
    rows = tuple(column[:count] for column in rows)
    centres, radius_m, scratch = np.empty((3, count)), np.empty(count), np.empty(size)
    run_loop(
        settle_stays,
        (*points, silences.kinds),
        (*rows, *centres, radius_m, scratch),
        compile_from=compile_from,
    )
    return Stays(
        first=rows[0],
        last=rows[1],
        start_s=rows[2],
        end_s=rows[3],
        centre_m=centres.T,
        radius_m=radius_m,
    )


def _indices(size: int) -> Indices:
    """Return a column of -1, which is no index."""
    return np.full(size, -1, dtype=np.int64)


# Loops: plain functions over columns (see compiling.py), hence the many positional columns.


def seek_runs(
    time_s: Any, x: Any, y: Any, z: Any, error_m: Any, kinds: Any, left_at_s: Any, rest_end: Any,
    first: Any, last: Any, start_s: Any, end_s: Any,
) -> int:  # fmt: skip
    """Fill the maximal runs of fixes around their running centre that last long enough.

    A fix outside ends a stay; a run that is no stay yet slides on instead, dropping its oldest
    fixes, so that no stay is skipped. Each fix enters and leaves once: linear time. At a rest the
    run ends whatever its length, and a new one starts with the same fix.
    """
    count = opened = size = 0
    sum_x = sum_y = sum_z = 0.0
    for index in range(len(time_s)):
        own_x, own_y, own_z, kind = x[index], y[index], z[index], kinds[index]
        reach_m = reach_of(error_m[index])
        while size > 0:
            share = 1.0 / size
            mean_x, mean_y, mean_z = sum_x * share, sum_y * share, sum_z * share
            outside = is_outside(own_x, own_y, own_z, mean_x, mean_y, mean_z, reach_m)
            lasting = time_s[index - 1] - time_s[opened] >= STAY_MIN_S
            if kind == UNKNOWN or (outside and (kind != NONE or lasting)):
                until_s = left_at_s[index] if kind == LEFT_LATE else time_s[index - 1]
                if until_s - time_s[opened] >= STAY_MIN_S:
                    first[count], last[count] = opened, index - 1
                    start_s[count], end_s[count] = time_s[opened], until_s
                    count += 1
                opened, size = index, 0
            elif outside:
                sum_x, sum_y, sum_z = sum_x - x[opened], sum_y - y[opened], sum_z - z[opened]
                opened, size = opened + 1, size - 1
            else:
                break
        if rest_end[index] > 0:
            first[count], last[count] = opened, index
            start_s[count], end_s[count] = time_s[opened], time_s[index]
            count += 1
            opened, size = index, 0
        if size == 0:
            sum_x = sum_y = sum_z = 0.0
        sum_x, sum_y, sum_z, size = sum_x + own_x, sum_y + own_y, sum_z + own_z, size + 1
    if size > 0 and time_s[-1] - time_s[opened] >= STAY_MIN_S:
        first[count], last[count] = opened, len(time_s) - 1
        start_s[count], end_s[count] = time_s[opened], time_s[-1]
        count += 1
    return count


def merge_runs(
    x: Any, y: Any, z: Any, error_m: Any, recorded: Any, kinds: Any, rest_end: Any,
    first: Any, last: Any, start_s: Any, end_s: Any,
    rest_from: Any, rest_until: Any, rest_latest: Any,
) -> int:  # fmt: skip
    """Merge runs in place where they are one stay; return how many stays are left.

    `rest_from` and `rest_latest` become the first and the latest rest in each stay and
    `rest_until` the fix that shows the first one, each -1 without a rest. Places are compared by
    the centre since the latest rest, so that nothing before it counts.
    """
    count = 0
    centre_x = centre_y = centre_z = 0.0
    weight = 0
    for run in range(len(first)):
        size = last[run] - first[run] + 1
        own_x = mean_of(x, first[run], last[run])
        own_y = mean_of(y, first[run], last[run])
        own_z = mean_of(z, first[run], last[run])
        rests = rest_end[first[run]] > 0 and count > 0 and last[count - 1] == first[run]
        near = not is_outside(own_x, own_y, own_z, centre_x, centre_y, centre_z, SAME_PLACE_M)
        if rests:
            weight = 0
        elif not (
            count > 0
            and near
            and stayed_near(
                x, y, z, error_m, recorded, kinds, last[count - 1], first[run],
                start_s[run] - end_s[count - 1], centre_x, centre_y, centre_z,
            )
        ):  # fmt: skip
            first[count], start_s[count] = first[run], start_s[run]
            rest_from[count] = rest_until[count] = rest_latest[count] = -1
            count += 1
            weight = 0
        last[count - 1], end_s[count - 1] = last[run], end_s[run]
        if rest_end[first[run]] > 0:
            rest_latest[count - 1] = first[run]
            if rest_from[count - 1] < 0:
                rest_from[count - 1] = first[run]
                rest_until[count - 1] = rest_end[first[run]]
        total = weight + size
        centre_x = (centre_x * weight + own_x * size) / total
        centre_y = (centre_y * weight + own_y * size) / total
        centre_z = (centre_z * weight + own_z * size) / total
        weight = total
    return count


def stayed_near(
    x: Any, y: Any, z: Any, error_m: Any, recorded: Any, kinds: Any,
    left: int, back: int, away_s: float,
    centre_x: float, centre_y: float, centre_z: float,
) -> bool:  # fmt: skip
    """Tell whether what lies between two stays at one place is jitter, not a way out and back."""
    for index in range(left + 1, back + 1):
        if kinds[index] == UNKNOWN:
            return False
    if away_s < SHORT_BREAK_S:
        return True
    for index in range(left + 1, back):
        jitter_m = max(EXCURSION_M, NEARLY_ALL * error_m[index])
        if recorded[index] or is_outside(
            x[index], y[index], z[index], centre_x, centre_y, centre_z, jitter_m
        ):
            return False
    return True


def mean_of(values: Any, first: int, last: int) -> float:
    """Return the mean of `values[first]` to `values[last]`."""
    total = 0.0
    for index in range(first, last + 1):
        total += values[index] - values[first]
    return float(values[first] + total / (last - first + 1))


def settle_stays(
    time_s: Any,
    x: Any,
    y: Any,
    z: Any,
    kinds: Any,
    first: Any,
    last: Any,
    start_s: Any,
    end_s: Any,
    rest_from: Any,
    rest_until: Any,
    rest_latest: Any,
    centre_x: Any,
    centre_y: Any,
    centre_z: Any,
    radius_m: Any,
    scratch: Any,
) -> int:
    """Take off the approach and the departure that each stay's reach swallowed, then measure it.

    An end at a silence, or at the first or last fix, stays as it is: what lies beyond is unseen.
    Each edge is judged against the hour of the stay beside it.
    """
    for stay in range(len(first)):
        arrived = settled_start(time_s, x, y, z, kinds, first[stay], last[stay], scratch)
        left = settled_end(time_s, x, y, z, kinds, first[stay], last[stay], scratch)
        if rest_from[stay] >= 0:
            arrived = min(arrived, rest_from[stay])
            left = max(left, rest_latest[stay])
        if arrived < left:
            if arrived > first[stay]:
                first[stay], start_s[stay] = arrived, time_s[arrived]
            if left < last[stay]:
                last[stay], end_s[stay] = left, time_s[left]
        low, until = first[stay], last[stay]
        if rest_from[stay] >= 0:
            until = min(until, rest_until[stay])
        measure_stay(x, y, z, low, until, stay, centre_x, centre_y, centre_z, radius_m)
    return len(first)


def measure_stay(
    x: Any, y: Any, z: Any, first: int, last: int,
    stay: int, centre_x: Any, centre_y: Any, centre_z: Any, radius_m: Any,
) -> None:  # fmt: skip
    """Fill a stay's centre and spread: the mean and the root mean square distance from it.

    Fixes further than `STRAY_M` from the first one have no part in them: a short break between two
    runs of a stay may hold a wrong position kilometres off.
    """
    size = 0
    sum_x = sum_y = sum_z = squares = 0.0
    for index in range(first, last + 1):
        off_x, off_y, off_z = x[index] - x[first], y[index] - y[first], z[index] - z[first]
        square = off_x * off_x + off_y * off_y + off_z * off_z
        if square <= STRAY_M * STRAY_M:
            sum_x, sum_y, sum_z = sum_x + off_x, sum_y + off_y, sum_z + off_z
            squares += square
            size += 1
    mean_x, mean_y, mean_z = sum_x / size, sum_y / size, sum_z / size
    centre_x[stay], centre_y[stay], centre_z[stay] = (
        x[first] + mean_x, y[first] + mean_y, z[first] + mean_z,
    )  # fmt: skip
    off_square = mean_x * mean_x + mean_y * mean_y + mean_z * mean_z
    radius_m[stay] = sqrt(max(squares / size - off_square, 0.0))


def settled_start(
    time_s: Any, x: Any, y: Any, z: Any, kinds: Any, first: int, last: int, scratch: Any
) -> int:
    """Return the first fix of a stay that is no longer the way there."""
    if first == 0 or kinds[first] != NONE:
        return first
    head = first
    while head < last and time_s[head + 1] - time_s[first] <= REST_S:
        head += 1
    return int(core_edge(x, y, z, first, head, first, 1, scratch))


def settled_end(
    time_s: Any, x: Any, y: Any, z: Any, kinds: Any, first: int, last: int, scratch: Any
) -> int:
    """Return the last fix of a stay that is not yet the way from there."""
    if last + 1 == len(time_s) or kinds[last + 1] != NONE:
        return last
    tail = last
    while tail > first and time_s[last] - time_s[tail - 1] <= REST_S:
        tail -= 1
    return int(core_edge(x, y, z, tail, last, last, -1, scratch))


def core_edge(
    x: Any, y: Any, z: Any, low: int, high: int, edge: int, towards: int, scratch: Any
) -> int:
    """Return the first fix from `edge` on that lies in the core of the fixes `low` to `high`."""
    centre_x, centre_y, centre_z = (
        mean_of(x, low, high),
        mean_of(y, low, high),
        mean_of(z, low, high),
    )
    for index in range(low, high + 1):
        scratch[index - low] = arc_m(x[index], y[index], z[index], centre_x, centre_y, centre_z)
    core_m = max(SETTLED_M, SETTLED_SPREAD * median_of(scratch, high - low + 1))
    index = edge
    while arc_m(x[index], y[index], z[index], centre_x, centre_y, centre_z) > core_m:
        index += towards
    return index


def median_of(values: Any, size: int) -> float:
    """Return the median of the first `size` values (the upper one of two), reordering them."""
    low, high, wanted = 0, size - 1, size // 2
    while low < high:
        pivot = values[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while values[left] < pivot:
                left += 1
            while values[right] > pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if wanted <= right:
            high = right
        elif wanted >= left:
            low = left
        else:
            break
    return float(values[wanted])
