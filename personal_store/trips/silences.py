"""Read what a long time without a fix says, and find the rests at which a history can be cut.

Phones sleep when they are still, so a silence is read from where it starts and ends; this rule
carries the quality of the whole engine (ablation in the design, trips section 3). A rest is an
hour in one place: what comes before it has no influence on what comes after, which is what lets
one day be computed again alone (`windows.py`). It finds no stay: `staypoints.py` does.
"""

# ruff: noqa: PLR0917 - a loop takes its columns by position (compiling.py).

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from personal_store.trips.cleaning import IMPOSSIBLE_MPS, JUMP_MPS, Cleaned, is_faster
from personal_store.trips.compiling import COMPILE_FROM, run_loop
from personal_store.trips.track import Floats, Indices, Track, arc_m

STAY_RADIUS_M = 40.0
"""Metres around the running centre, plus the fix's own error up to as much again (`reach_of`).

Design, trips (b)3: 40 to 60 m; 40 m is the setting that was measured there.
"""

NEARLY_ALL = 2.0
"""Times the claimed error within which 99 of 100 fixes lie: phones claim the circle that holds 68,
and an error that is normal in both directions stays within 2.01 such circles 99 times."""

SILENCE_MIN_S = 600.0
"""Seconds without a fix after which the phone may have slept (design, trips (b)3)."""

SLOW_MPS = 0.7
"""Metres per second; half a walking pace. Slower across a silence means mostly still (b)3."""

FAST_MPS = 20.0
"""Metres per second (72 km/h) over a silence of hours: only a night train or a flight does it."""

SILENT_TRIP_MAX_S = 3 * 3600.0
"""Seconds; a longer silence is travel only when `FAST_MPS` says so: it may hold a night."""

SILENT_FLIGHT_MAX_S = 24 * 3600.0
"""Seconds; no scheduled flight or train leg is longer (Singapore to New York takes 19 h)."""

SILENT_STAY_MAX_S = 48 * 3600.0
"""Seconds; a weekend at home without a fix. After that a phone is off, and nothing is claimed."""

WALK_MPS = 1.3
"""Metres per second; mean adult walking speed (Bohannon 1997: 1.27 to 1.46 m/s)."""

RIDE_MPS = 8.0
"""Metres per second (29 km/h); door-to-door speed assumed beyond `WALK_MAX_M`."""

WALK_MAX_M = 3000.0
"""Metres; few walks are longer, so an unseen longer way is assumed to be ridden."""

ACCESS_M = 200.0
"""Metres walked before a vehicle moves: a phone that wakes up riding 200 m from where it slept was
carried to the vehicle first. Systems wake phones 100 to 200 m away."""

STALE_MAX_S = 300.0
"""Seconds by which a phone may repeat an old position before it jumps to the true one.

Without it two train rides of the development data are cut at a stale fix."""

POSSIBLE_M = 100_000.0
"""Metres; less than `IMPOSSIBLE_MPS` makes of `STALE_MAX_S`, so that no nearer step is impossible.
"""

WAKE_WINDOW_S = 120.0
"""Seconds after a silence over which the travel speed is read."""

REST_S = 3600.0
"""Seconds in one place that make a rest (design, trips (b)11: stays of an hour or more)."""

REST_SLOT_S = 300.0
"""Seconds; only the first fix of each slot of the UTC day may start a rest, to bound the work."""

DAY_S: Final = 86_400.0

INFINITY: Final = float("inf")

NONE, LEFT_LATE, MOVED, UNKNOWN = 0, 1, 2, 3
"""What the time before a fix says, as kept in a column of bytes: no silence; it stayed, then moved
at the end; it moved all along; too long or impossible, so nothing is claimed. The first three hold
only if the device is not still where it was, which the stay around it decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silences:
    """What the time before each fix says (`kinds`), and when a late leaver left (`left_at_s`)."""

    kinds: NDArray[np.int8]
    left_at_s: Floats

    @property
    def breaks(self) -> Indices:
        """Return the fixes before which nothing is known."""
        return np.flatnonzero(self.kinds == UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rests:
    """The first rest of each UTC day: the fix where it starts and the last fix that shows it."""

    first: Indices
    last: Indices


def read_silences(track: Track, *, compile_from: int = COMPILE_FROM) -> Silences:
    """Judge the time before each fix."""
    size = len(track)
    kinds, left_at_s = np.zeros(size, dtype=np.int8), np.zeros(size)
    run_loop(judge_silences, track.points, (kinds, left_at_s), compile_from=compile_from)
    return Silences(kinds=kinds, left_at_s=left_at_s)


def find_rests(cleaned: Cleaned, *, compile_from: int = COMPILE_FROM) -> Rests:
    """Return the first rest of each UTC day that has one, as fixes of the cleaned track.

    Jumps are judged in the light of what surrounds them; a rest is not, so it holds none, and a
    fix that was set aside as a jump counts where the first fix of a slot is asked for: it would
    start no rest, because a jump leads away from it within minutes.
    """
    track = cleaned.track
    times_s = track.time_s
    days = len(times_s) and int(times_s[-1] // DAY_S - times_s[0] // DAY_S) + 1
    room = min(len(times_s), days)
    first, last = np.zeros(room, dtype=np.int64), np.zeros(room, dtype=np.int64)
    # A moment after everything ends the list, so that loops need not ask whether it has ended.
    jumps_s = np.append(cleaned.jumps_s, np.inf)
    inputs = (*track.points, jumps_s)
    count = run_loop(seek_rests, inputs, (first, last), compile_from=compile_from)
    return Rests(first=first[:count], last=last[:count])


# Loops: plain functions over columns (see compiling.py), hence the many positional columns.


def judge_silences(
    time_s: Any, x: Any, y: Any, z: Any, error_m: Any, kinds: Any, left_at_s: Any
) -> int:
    """Fill `kinds` and `left_at_s`; return how many silences and impossible steps there are."""
    count = 0
    for index in range(1, len(time_s)):
        before = index - 1
        elapsed_s = time_s[index] - time_s[before]
        if elapsed_s <= SILENCE_MIN_S and not is_outside(
            x[index], y[index], z[index], x[before], y[before], z[before], POSSIBLE_M
        ):
            continue
        step_m = arc_m(x[before], y[before], z[before], x[index], y[index], z[index])
        surely_m = step_m - error_m[before] - error_m[index]
        if surely_m > IMPOSSIBLE_MPS * (elapsed_s + STALE_MAX_S):
            kinds[index] = UNKNOWN
            left_at_s[index] = time_s[before]
            count += 1
        elif elapsed_s > SILENCE_MIN_S:
            least_mps = max(waking_mps(time_s, x, y, z, index), slowest_mps(step_m))
            way_s = crossing_s(step_m, least_mps)
            kinds[index] = kind_of_silence(elapsed_s, step_m, way_s)
            left_at_s[index] = time_s[index] - min(way_s, elapsed_s)
            count += 1
    return count


def kind_of_silence(elapsed_s: float, step_m: float, way_s: float) -> int:
    """Judge a silence by how far and how fast it was crossed."""
    speed_mps = step_m / elapsed_s
    if elapsed_s > SILENT_STAY_MAX_S:
        return UNKNOWN
    if speed_mps >= SLOW_MPS and elapsed_s <= SILENT_TRIP_MAX_S:
        return MOVED
    if speed_mps >= FAST_MPS and elapsed_s <= SILENT_FLIGHT_MAX_S:
        return MOVED
    if way_s <= SILENT_TRIP_MAX_S:
        return LEFT_LATE
    return UNKNOWN


def reach_of(error_m: float) -> float:
    """Return how far from a stay's centre a fix may lie and still be of the stay, in metres.

    A position that claims no better than 90 m cannot tell that somebody left a room.
    """
    return max(STAY_RADIUS_M + min(error_m, STAY_RADIUS_M), NEARLY_ALL * error_m)


def is_outside(
    x: float, y: float, z: float, centre_x: float, centre_y: float, centre_z: float, reach_m: float
) -> bool:
    """Tell whether a point is further from another than a reach, in a straight line."""
    off_x, off_y, off_z = x - centre_x, y - centre_y, z - centre_z
    return off_x * off_x + off_y * off_y + off_z * off_z > reach_m * reach_m


def slowest_mps(way_m: float) -> float:
    """Return the least speed at which an unseen way is travelled."""
    return WALK_MPS if way_m <= WALK_MAX_M else RIDE_MPS


def crossing_s(way_m: float, speed_mps: float) -> float:
    """Return how long an unseen way took that ended at a speed and began on foot."""
    walked_m = min(way_m, ACCESS_M)
    return walked_m / WALK_MPS + (way_m - walked_m) / speed_mps


def waking_mps(time_s: Any, x: Any, y: Any, z: Any, index: int) -> float:
    """Return the net speed over the first moments after a silence, in metres per second."""
    last = index
    while last + 1 < len(time_s) and time_s[last + 1] <= time_s[index] + WAKE_WINDOW_S:
        last += 1
    elapsed_s = time_s[last] - time_s[index]
    if elapsed_s < WAKE_WINDOW_S / 4:
        return 0.0
    return float(arc_m(x[last], y[last], z[last], x[index], y[index], z[index]) / elapsed_s)


def seek_rests(
    time_s: Any, x: Any, y: Any, z: Any, error_m: Any, jumps_s: Any, first: Any, last: Any
) -> int:
    """Fill `first` and `last` with the first rest of each UTC day; return how many there are.

    `jumps_s` are the moments of fixes set aside as jumps, and a last one after everything.
    """
    count = jump = 0
    next_s = rested_s = -INFINITY
    for index in range(len(time_s)):
        now_s = time_s[index]
        if now_s < max(next_s, rested_s):
            continue
        slot_s = now_s // REST_SLOT_S * REST_SLOT_S
        next_s = slot_s + REST_SLOT_S
        while jumps_s[jump] < slot_s:
            jump += 1
        if jumps_s[jump] < now_s:
            continue
        end = end_of_rest(time_s, x, y, z, error_m, jumps_s[jump], index)
        if end > 0:
            first[count] = index
            last[count] = end
            count += 1
            rested_s = (now_s // DAY_S + 1) * DAY_S
    return count


def end_of_rest(
    time_s: Any, x: Any, y: Any, z: Any, error_m: Any, jump_s: float, first: int
) -> int:
    """Return the fix that shows an hour's rest from fix `first` on, 0 where there is none.

    `jump_s` is when the next fix was that is set aside as a jump.

    All fixes lie within half the smallest reach of the first, so that the stay around them cannot
    end before them, whatever came earlier; or a silence of an hour follows, then a departure.
    """
    reach_m = reach_of(error_m[first])
    away_m = 0.0
    for index in range(first + 1, len(time_s)):
        before = index - 1
        elapsed_s = time_s[index] - time_s[before]
        if elapsed_s > SILENT_STAY_MAX_S or jump_s < time_s[index]:
            return 0
        if is_faster(time_s, x, y, z, error_m, before, index, JUMP_MPS):
            return 0
        off_m = arc_m(x[first], y[first], z[first], x[index], y[index], z[index])
        own_reach_m = reach_of(error_m[index])
        if max(away_m, off_m) > min(reach_m, own_reach_m) / 2:
            if off_m <= own_reach_m + reach_m / 2 or elapsed_s <= SILENCE_MIN_S:
                return 0
            step_m = arc_m(x[before], y[before], z[before], x[index], y[index], z[index])
            way_s = crossing_s(step_m, slowest_mps(step_m))
            late = kind_of_silence(elapsed_s, step_m, way_s) == LEFT_LATE
            return index if late and time_s[index] - way_s >= time_s[first] + REST_S else 0
        away_m = max(away_m, off_m)
        reach_m = min(reach_m, own_reach_m)
        if time_s[index] - time_s[first] >= REST_S:
            return index
    return 0
