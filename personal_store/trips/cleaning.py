"""Set aside the positionfixes that cannot be where the device was, and count them by reason.

Nothing is changed or deleted: the answer holds the kept fixes as a `Track`, and a count by
reason of the others, which stay in the store. Fast travel is not an error: a train or a plane
keeps going, a teleport comes back. It is not a smoother: kept positions are as measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from personal_store.ingest.positionfix import Positionfix
from personal_store.trips.track import Indices, Track, distances_m, track_of

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


class SetAside(StrEnum):
    """Why a positionfix takes no part in the timeline."""

    LOW_ACCURACY = "low-accuracy"
    SAME_TIME = "same-time"
    TELEPORT = "teleport"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """The kept fixes in strictly increasing time, and how many were set aside by reason."""

    track: Track
    set_aside: Mapping[SetAside, int]


def clean(fixes: Sequence[Positionfix]) -> Cleaned:
    """Sort one device's fixes by time and set aside those that cannot be right.

    The result does not depend on the order of `fixes`.
    """
    everything = track_of(fixes)
    # A NaN accuracy (unknown) compares false, and so does a negative one: both are kept.
    accurate = everything.take(np.flatnonzero(~(everything.accuracy_m > WORST_ACCURACY_M)))
    distinct = accurate.take(_best_of_each_time(accurate))
    steady = _without_teleports(distinct)
    return Cleaned(
        track=steady,
        set_aside={
            SetAside.LOW_ACCURACY: len(everything) - len(accurate),
            SetAside.SAME_TIME: len(accurate) - len(distinct),
            SetAside.TELEPORT: len(distinct) - len(steady),
        },
    )


def errors_m(track: Track) -> NDArray[np.float64]:
    """Return each fix's claimed error in metres, with the assumed one where there is none."""
    accuracy = track.accuracy_m
    return np.where(accuracy > 0, accuracy, UNKNOWN_ACCURACY_M)


def surely_moved_m(track: Track) -> NDArray[np.float64]:
    """Return the distance of each step that the claimed errors cannot explain, in metres."""
    error_m = errors_m(track)
    step_m = distances_m(track.xyz_m[1:], track.xyz_m[:-1])
    return np.maximum(step_m - error_m[1:] - error_m[:-1], 0.0)


def _best_of_each_time(track: Track) -> Indices:
    """Return the indices of one fix per time, by time: the most accurate, ties by content."""
    order = np.argsort(track.time_s, kind="stable")
    time_s = track.time_s[order]
    starts = np.flatnonzero(np.diff(time_s, prepend=-np.inf) > 0)
    sizes = np.diff(starts, append=len(time_s))
    chosen = order[starts]
    error_m = errors_m(track)
    for group in np.flatnonzero(sizes > 1).tolist():
        members = order[starts[group] : starts[group] + sizes[group]].tolist()
        chosen[group] = min(members, key=lambda index: _rank(track, error_m, index))
    return chosen


def _rank(track: Track, error_m: NDArray[np.float64], index: int) -> tuple[float | str, ...]:
    """Return a total order over what fixes hold, so that arrival order never decides."""
    return (
        float(error_m[index]),
        float(track.lon[index]),
        float(track.lat[index]),
        track.activity[index] or "",
        float(np.nan_to_num(track.confidence[index], nan=-1.0)),
        float(track.recorded[index]),
    )


def _without_teleports(track: Track) -> Track:
    """Return the track without islands, those inside islands included, nor stale edges."""
    for _ in range(ISLAND_DEPTH):
        island = _islands(track)
        if not island.any():
            break
        track = track.take(np.flatnonzero(~island))
    return _without_stale_edges(track)


def _without_stale_edges(track: Track) -> Track:
    """Return the track without a lone first or last fix that no vehicle could have left.

    A phone often repeats an old position on waking up; only one jump then shows it.
    """
    if len(track) < 3:
        return track
    impossible = surely_moved_m(track) > IMPOSSIBLE_MPS * np.diff(track.time_s)
    first = 1 if impossible[0] and not impossible[1] else 0
    last = len(track) - (1 if impossible[-1] and not impossible[-2] else 0)
    return track.take(np.arange(first, last))


def _islands(track: Track) -> NDArray[np.bool_]:
    """Mark fixes reached and left by jumps, whose neighbours on both sides agree."""
    marked = np.zeros(len(track), dtype=np.bool_)
    if len(track) < 3:
        return marked
    speed_mps = surely_moved_m(track) / np.diff(track.time_s)
    jumps = np.flatnonzero(speed_mps > JUMP_MPS)
    befores, lasts = jumps[:-1], jumps[1:]
    back = _comes_back(track, befores=befores, lasts=lasts)
    taken_until = -1
    for before, last in zip(befores[back].tolist(), lasts[back].tolist(), strict=True):
        if before >= taken_until:
            marked[before + 1 : last + 1] = True
            taken_until = last + 1
    return marked


def _comes_back(track: Track, *, befores: Indices, lasts: Indices) -> NDArray[np.bool_]:
    """Tell, for each pair of jumps, whether the fixes between them are a short way off."""
    time_s, xyz_m = track.time_s, track.xyz_m
    there_m = distances_m(xyz_m[befores], xyz_m[befores + 1])
    back_m = distances_m(xyz_m[lasts], xyz_m[lasts + 1])
    direct_m = distances_m(xyz_m[befores], xyz_m[lasts + 1])
    short = time_s[lasts] - time_s[befores + 1] <= ISLAND_MAX_S
    returns: NDArray[np.bool_] = short & (direct_m < RETURN_RATIO * (there_m + back_m))
    return returns
