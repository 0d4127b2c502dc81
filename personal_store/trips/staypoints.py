"""Find where a device stayed, also when it was silent there.

A stay is a run of fixes around their running centre. Phones sleep when they are still, so most
of a stay is often a gap without fixes: a long silence is read from where it starts and ends
(`Silence`), and this rule carries the quality of the whole engine (ablation in the design,
trips section 3). It is not a place finder: two visits to one place are two stays.
"""

from bisect import bisect_right
from dataclasses import dataclass, replace
from enum import Enum, auto

import numpy as np

from personal_store.trips.cleaning import IMPOSSIBLE_MPS, errors_m, surely_moved_m
from personal_store.trips.track import Floats, Track, distances_m

STAY_RADIUS_M = 40.0
"""Metres around the running centre, plus the fix's own error up to as much again.

Design, trips (b)3: 40 to 60 m; 40 m is the setting that was measured there.
"""

STAY_MIN_S = 300.0
"""Seconds; shorter halts are part of moving (design, trips (b)3; traffic lights, stops)."""

SETTLED_M = 10.0
"""Metres from the centre within which a device has arrived: GNSS noise under open sky."""

SETTLED_SPREAD = 1.5
"""Times the median distance from the centre beyond which an edge of a stay is still the way."""

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

STALE_MAX_S = 300.0
"""Seconds by which a phone may repeat an old position before it jumps to the true one.

Without it two train rides of the development data are cut at a stale fix."""

WAKE_WINDOW_S = 120.0
"""Seconds after a silence over which the travel speed is read."""

SAME_PLACE_M = 150.0
"""Metres between centres under which two stays are at one place (design, trips (b)4)."""

SHORT_BREAK_S = 300.0
"""Seconds between two stays at one place under which they are one (design, trips (b)4)."""

EXCURSION_M = 200.0
"""Metres; a way out from one place and back that stays closer is indoor jitter (trips (b)4).

Never applied to recorded files, where somebody pressed start.
"""


class Silence(Enum):
    """What a gap without fixes says, unless the device is still where it was."""

    LEFT_LATE = auto()
    """It stayed, then moved at the end of the silence."""
    MOVED = auto()
    """It moved all along."""
    UNKNOWN = auto()
    """Too long, or impossible: nothing is claimed about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The silence before a fix; `left_at_s` (Unix seconds) is when a late leaver left."""

    silence: Silence
    left_at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A stay over the fixes `first` to `last` (both included) of a track, in Unix seconds.

    `end_s` is later than the last fix when the device fell silent and left late.
    """

    start_s: float
    end_s: float
    first: int
    last: int
    centre_m: Floats

    @property
    def duration_s(self) -> float:
        """Return the seconds from start to end."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Stays:
    """The stays of a track in time order, and the fixes before which nothing is known.

    `breaks` are indices i: between fix i - 1 and fix i no stay and no movement is claimed.
    """

    stays: tuple[Stay, ...]
    breaks: tuple[int, ...]


def find_stays(track: Track) -> Stays:
    """Return every stay of at least `STAY_MIN_S`, neighbours at one place merged."""
    gaps = _gaps(track)
    breaks = tuple(index for index, gap in gaps.items() if gap.silence is Silence.UNKNOWN)
    merged = _merged(track, _runs(track, gaps), breaks)
    silent = frozenset((0, *gaps, len(track)))
    return Stays(stays=tuple(_settled(track, stay, silent) for stay in merged), breaks=breaks)


def _gaps(track: Track) -> dict[int, Gap]:
    """Return what each long silence or impossible jump says, by the index of the fix after it."""
    elapsed_s = np.diff(track.time_s)
    impossible = surely_moved_m(track) > IMPOSSIBLE_MPS * (elapsed_s + STALE_MAX_S)
    after = np.flatnonzero((elapsed_s > SILENCE_MIN_S) | impossible) + 1
    return {
        index: Gap(silence=Silence.UNKNOWN, left_at_s=float(track.time_s[index - 1]))
        if impossible[index - 1]
        else _read_silence(track, index)
        for index in after.tolist()
    }


def _read_silence(track: Track, index: int) -> Gap:
    """Judge the silence before fix `index` by how far and how fast it was crossed."""
    elapsed_s = float(track.time_s[index] - track.time_s[index - 1])
    distance_m = float(distances_m(track.xyz_m[index], track.xyz_m[index - 1]))
    least_mps = WALK_MPS if distance_m <= WALK_MAX_M else RIDE_MPS
    way_s = distance_m / max(_speed_on_waking_mps(track, index), least_mps)
    speed_mps = distance_m / elapsed_s
    if elapsed_s > SILENT_STAY_MAX_S:
        silence = Silence.UNKNOWN
    elif (speed_mps >= SLOW_MPS and elapsed_s <= SILENT_TRIP_MAX_S) or (
        speed_mps >= FAST_MPS and elapsed_s <= SILENT_FLIGHT_MAX_S
    ):
        silence = Silence.MOVED
    elif way_s <= SILENT_TRIP_MAX_S:
        silence = Silence.LEFT_LATE
    else:
        silence = Silence.UNKNOWN
    return Gap(silence=silence, left_at_s=float(track.time_s[index]) - min(way_s, elapsed_s))


def _speed_on_waking_mps(track: Track, index: int) -> float:
    """Return the net speed over the first moments after a silence, in metres per second."""
    woken_s = float(track.time_s[index])
    last = int(np.searchsorted(track.time_s, woken_s + WAKE_WINDOW_S, side="right")) - 1
    elapsed_s = float(track.time_s[last]) - woken_s
    if elapsed_s < WAKE_WINDOW_S / 4:
        return 0.0
    return float(distances_m(track.xyz_m[last], track.xyz_m[index])) / elapsed_s


def _runs(track: Track, gaps: dict[int, Gap]) -> list[Stay]:
    """Return the maximal runs of fixes around their running centre that last long enough.

    A fix outside ends a stay; a run that is no stay yet slides on instead, dropping its oldest
    fixes, so that no stay is skipped. Each fix enters and leaves once: linear time.
    """
    if len(track) == 0:
        return []
    time_s = track.time_s.tolist()
    points = track.xyz_m.tolist()
    reach_m = STAY_RADIUS_M + np.minimum(errors_m(track), STAY_RADIUS_M)
    reaches = np.square(reach_m).tolist()
    found: list[Stay] = []
    first, size, sums = 0, 1, points[0]
    for index in range(1, len(points)):
        x, y, z = point = points[index]
        gap = gaps.get(index)
        outside = _is_outside(point, sums, size, reaches[index])
        closed = gap is not None and (outside or gap.silence is Silence.UNKNOWN)
        if closed or (outside and time_s[index - 1] - time_s[first] >= STAY_MIN_S):
            _close(found, track, first=first, last=index - 1, gap=gap)
            first, size, sums = index, 1, point
            continue
        while outside:
            old_x, old_y, old_z = points[first]
            first, size = first + 1, size - 1
            sums = [sums[0] - old_x, sums[1] - old_y, sums[2] - old_z]
            outside = size > 0 and _is_outside(point, sums, size, reaches[index])
        size, sums = size + 1, ([sums[0] + x, sums[1] + y, sums[2] + z] if size else point)
    _close(found, track, first=first, last=len(points) - 1, gap=None)
    return found


def _is_outside(point: list[float], sums: list[float], size: int, reach: float) -> bool:
    """Tell whether a point is further from a run's centre than `reach` (square metres)."""
    return (
        (point[0] - sums[0] / size) ** 2
        + (point[1] - sums[1] / size) ** 2
        + (point[2] - sums[2] / size) ** 2
    ) > reach


def _close(found: list[Stay], track: Track, *, first: int, last: int, gap: Gap | None) -> None:
    """Append the run to `found` if it lasts long enough, with the end its silence tells."""
    late = gap is not None and gap.silence is Silence.LEFT_LATE
    end_s = gap.left_at_s if gap is not None and late else float(track.time_s[last])
    start_s = float(track.time_s[first])
    if end_s - start_s >= STAY_MIN_S:
        centre_m = track.xyz_m[first : last + 1].mean(axis=0)
        found.append(Stay(start_s=start_s, end_s=end_s, first=first, last=last, centre_m=centre_m))


def _merged(track: Track, stays: list[Stay], breaks: tuple[int, ...]) -> list[Stay]:
    """Return the stays with neighbours at one place merged, from the first to the last."""
    merged: list[Stay] = []
    for stay in stays:
        if merged and _is_one_stay(track, merged[-1], stay, breaks):
            earlier = merged.pop()
            weights = [earlier.last - earlier.first + 1, stay.last - stay.first + 1]
            centre_m = np.average([earlier.centre_m, stay.centre_m], axis=0, weights=weights)
            joint = replace(earlier, end_s=stay.end_s, last=stay.last, centre_m=centre_m)
            merged.append(joint)
        else:
            merged.append(stay)
    return merged


def _is_one_stay(track: Track, earlier: Stay, later: Stay, breaks: tuple[int, ...]) -> bool:
    """Tell whether what lies between two stays is jitter rather than a way out and back."""
    if float(distances_m(earlier.centre_m, later.centre_m)) >= SAME_PLACE_M:
        return False
    if bisect_right(breaks, earlier.last) != bisect_right(breaks, later.first):
        return False
    if later.start_s - earlier.end_s < SHORT_BREAK_S:
        return True
    between = slice(earlier.last + 1, later.first)
    if track.recorded[between].any():
        return False
    away_m = distances_m(track.xyz_m[between], earlier.centre_m)
    return float(away_m.max(initial=0.0)) < EXCURSION_M


def _settled(track: Track, stay: Stay, silent: frozenset[int]) -> Stay:
    """Return the stay without the approach and the departure that its reach swallowed.

    An end at a silence, or at the first or last fix, stays as it is: what lies beyond is unseen.
    """
    away_m = distances_m(track.xyz_m[stay.first : stay.last + 1], stay.centre_m)
    core_m = max(SETTLED_M, SETTLED_SPREAD * float(np.median(away_m)))
    core = np.flatnonzero(away_m <= core_m)
    first, last = stay.first + int(core[0]), stay.first + int(core[-1])
    if stay.first not in silent:
        stay = replace(stay, first=first, start_s=float(track.time_s[first]))
    if stay.last + 1 not in silent:
        stay = replace(stay, last=last, end_s=float(track.time_s[last]))
    return stay
