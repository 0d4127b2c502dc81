"""Cut movements into triplegs: parts travelled in one way, walking or riding.

Cuts fall at waits, and where the pace changes between walking and riding for long enough. A gap
without fixes belongs to the leg around it when it was crossed at that leg's pace (a tunnel), and
is named by its length. It does not name the mode: `modes.py` does.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from personal_store.trips.track import Floats, Track, distances_m
from personal_store.trips.trips import Movement

PACE_WINDOW_S = 45.0
"""Seconds around a step over which its speed is read (design, trips (b)6: 30 to 60 s)."""

WALK_BELOW_MPS = 2.0
"""Metres per second; below, a pace is a walk's (brisk walking: 1.8, Bohannon 1997)."""

RIDE_ABOVE_MPS = 2.8
"""Metres per second (10 km/h); above, it is a ride's or a runner's. Between the two, as before."""

STILL_BELOW_MPS = 0.5
"""Metres per second; below, a pace says nothing: people stop while walking and riding."""

LEG_MIN_S = 60.0
"""Seconds; a shorter change of pace is part of the leg around it (design, trips (b)6: 60-90)."""

UNSEEN_MIN_S = 120.0
"""Seconds between two fixes beyond which the way between them is a straight-line guess."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paces:
    """The steps of a track, each from fix i to i + 1: arrays of length n - 1.

    `pace_mps` is the net speed over the window around the step, so that jitter cancels out.
    """

    step_m: Floats
    step_s: Floats
    pace_mps: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A part [start_s, end_s) of a movement over the fixes `first` to `last`, in one way.

    `start_s` is later than the first fix when the device fell silent there and left late.
    """

    start_s: float
    end_s: float
    first: int
    last: int


def measure_paces(track: Track) -> Paces:
    """Return the length, duration and pace of each step of the track."""
    if len(track) < 2:
        return Paces(step_m=np.empty(0), step_s=np.empty(0), pace_mps=np.empty(0))
    time_s, xyz_m = track.time_s, track.xyz_m
    index = np.arange(len(track) - 1)
    middle_s = (time_s[1:] + time_s[:-1]) / 2
    low = np.minimum(np.searchsorted(time_s, middle_s - PACE_WINDOW_S / 2, side="left"), index)
    high = np.searchsorted(time_s, middle_s + PACE_WINDOW_S / 2, side="right") - 1
    high = np.maximum(high, index + 1)
    net_m = distances_m(xyz_m[high], xyz_m[low])
    return Paces(
        step_m=distances_m(xyz_m[1:], xyz_m[:-1]),
        step_s=np.diff(time_s),
        pace_mps=net_m / (time_s[high] - time_s[low]),
    )


def find_legs(track: Track, paces: Paces, movement: Movement) -> list[Leg]:
    """Return the legs of a movement in time order; its waits lie between them."""
    leaving = [(movement.start_s, movement.first)]
    leaving += [(wait.end_s, wait.last) for wait in movement.waits]
    arriving = [(wait.start_s, wait.first) for wait in movement.waits]
    arriving += [(movement.end_s, movement.last)]
    legs: list[Leg] = []
    for (start_s, first), (end_s, last) in zip(leaving, arriving, strict=True):
        if end_s > start_s and last > first:
            whole = Leg(start_s=start_s, end_s=end_s, first=first, last=last)
            legs += _cut_by_pace(track, paces, whole)
    return legs


def leg_paces(track: Track, paces: Paces, leg: Leg) -> Paces:
    """Return the steps of one leg; the first one lasts from when the leg starts."""
    steps = slice(leg.first, leg.last)
    step_m, step_s = paces.step_m[steps], paces.step_s[steps]
    pace_mps = paces.pace_mps[steps]
    if leg.start_s > track.time_s[leg.first]:
        step_s, pace_mps = step_s.copy(), pace_mps.copy()
        step_s[0] = max(float(track.time_s[leg.first + 1]) - leg.start_s, 1.0)
        pace_mps[0] = step_m[0] / step_s[0]
    return Paces(step_m=step_m, step_s=step_s, pace_mps=pace_mps)


def gap_m(paces: Paces, leg: Leg) -> float:
    """Return how many metres of a leg cross more than `UNSEEN_MIN_S` without a fix."""
    steps = slice(leg.first, leg.last)
    return float(paces.step_m[steps][paces.step_s[steps] > UNSEEN_MIN_S].sum())


def _cut_by_pace(track: Track, paces: Paces, whole: Leg) -> list[Leg]:
    """Split one stretch between waits wherever it changes between walking and riding."""
    steps = leg_paces(track, paces, whole)
    riding = _riding(steps.pace_mps)
    # Short rides first: a jump between two walks is noise more often than a bus.
    riding = _without_short_runs(riding, steps.step_s, value=True)
    riding = _without_short_runs(riding, steps.step_s, value=False)
    cuts = (np.flatnonzero(riding[1:] != riding[:-1]) + 1 + whole.first).tolist()
    edges = [whole.first, *cuts, whole.last]
    times = [whole.start_s, *track.time_s[cuts].tolist(), whole.end_s]
    return [
        Leg(start_s=start_s, end_s=end_s, first=first, last=last)
        for start_s, end_s, first, last in zip(
            times[:-1], times[1:], edges[:-1], edges[1:], strict=True
        )
    ]


def _riding(pace_mps: Floats) -> NDArray[np.bool_]:
    """Tell riding from walking step by step; an undecided step is as the one before it."""
    rides = pace_mps > RIDE_ABOVE_MPS
    decided = rides | ((pace_mps < WALK_BELOW_MPS) & (pace_mps > STILL_BELOW_MPS))
    if not decided.any():
        return np.zeros(len(pace_mps), dtype=np.bool_)
    latest = np.maximum.accumulate(np.where(decided, np.arange(len(pace_mps)), -1))
    latest[latest < 0] = int(np.argmax(decided))
    return rides[latest]


def _without_short_runs(
    riding: NDArray[np.bool_], step_s: Floats, *, value: bool
) -> NDArray[np.bool_]:
    """Return `riding` with runs of `value` shorter than `LEG_MIN_S` turned into the other."""
    starts = np.flatnonzero(np.diff(riding, prepend=not riding[0]))
    lasting_s = np.add.reduceat(step_s, starts)
    short = (riding[starts] == value) & (lasting_s < LEG_MIN_S)
    if len(starts) == 1 or not short.any():
        return riding
    return np.repeat(
        np.where(short, not value, riding[starts]), np.diff(starts, append=len(riding))
    )
