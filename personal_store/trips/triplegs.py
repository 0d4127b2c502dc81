"""Cut movements into triplegs: parts travelled in one way, walking or riding.

Cuts fall at waits, and where the pace changes between walking and riding for long enough. A gap
without fixes belongs to the leg around it when it was crossed at that leg's pace (a tunnel), and
is named by its length. It does not name the mode: `modes.py` does.
"""

# ruff: noqa: PLR0917 - a loop takes its columns by position (compiling.py).

from dataclasses import dataclass
from typing import Any

import numpy as np

from personal_store.trips.compiling import COMPILE_FROM, run_loop
from personal_store.trips.staypoints import Stays
from personal_store.trips.track import Floats, Indices, Track, arc_m
from personal_store.trips.trips import Plan

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Legs:
    """The legs of a track in time order, column by column, each within movement `movement[i]`.

    `distance_m` is along the fixes; `gap_m` is the part of it that crosses more than
    `UNSEEN_MIN_S` without a fix.
    """

    movement: Indices
    start_s: Floats
    end_s: Floats
    first: Indices
    last: Indices
    distance_m: Floats
    gap_m: Floats

    def __len__(self) -> int:
        """Return the number of legs."""
        return len(self.first)

    def leg(self, index: int) -> Leg:
        """Return one leg."""
        return Leg(
            start_s=float(self.start_s[index]),
            end_s=float(self.end_s[index]),
            first=int(self.first[index]),
            last=int(self.last[index]),
        )

    def all(self) -> list[Leg]:
        """Return every leg, in time order."""
        return [self.leg(index) for index in range(len(self))]


def measure_paces(track: Track, *, compile_from: int = COMPILE_FROM) -> Paces:
    """Return the length, duration and pace of each step of the track."""
    steps = max(len(track) - 1, 0)
    columns = np.zeros(steps), np.zeros(steps), np.zeros(steps)
    if steps:
        inputs = (track.time_s, *track.xyz_m.T)
        run_loop(fill_paces, inputs, columns, compile_from=compile_from)
    step_m, step_s, pace_mps = columns
    return Paces(step_m=step_m, step_s=step_s, pace_mps=pace_mps)


def find_legs(
    track: Track, paces: Paces, stays: Stays, plan: Plan, *, compile_from: int = COMPILE_FROM
) -> Legs:
    """Return the legs of all movements in time order; the waits lie between them."""
    waits = ~plan.is_activity
    movements = plan.movements
    room = len(track) + len(stays)
    kinds = (np.int64, float, float, np.int64, np.int64, float, float)
    columns = tuple(np.zeros(room, dtype=kind) for kind in kinds)
    riding = np.zeros(len(track), dtype=np.int8)
    count = run_loop(
        seek_legs,
        (
            track.time_s, paces.step_m, paces.pace_mps,
            movements.first, movements.last, movements.start_s, movements.end_s,
            stays.first[waits], stays.last[waits], stays.start_s[waits], stays.end_s[waits],
        ),
        (*columns, riding),
        compile_from=compile_from,
    )  # fmt: skip
    movement, start_s, end_s, first, last, distance_m, gap_m = (c[:count] for c in columns)
    return Legs(
        movement=movement,
        start_s=start_s,
        end_s=end_s,
        first=first,
        last=last,
        distance_m=distance_m,
        gap_m=gap_m,
    )


# Loops: plain functions over columns (see compiling.py), hence the many positional columns.


def fill_paces(time_s: Any, x: Any, y: Any, z: Any, step_m: Any, step_s: Any, pace_mps: Any) -> int:
    """Fill the steps; return how many there are."""
    size = len(time_s)
    low = high = 0
    for index in range(size - 1):
        after = index + 1
        middle_s = (time_s[after] + time_s[index]) / 2
        while time_s[low] < middle_s - PACE_WINDOW_S / 2:
            low += 1
        while high + 1 < size and time_s[high + 1] <= middle_s + PACE_WINDOW_S / 2:
            high += 1
        start, end = min(low, index), max(high, after)
        net_m = arc_m(x[start], y[start], z[start], x[end], y[end], z[end])
        step_m[index] = arc_m(x[index], y[index], z[index], x[after], y[after], z[after])
        step_s[index] = time_s[after] - time_s[index]
        pace_mps[index] = net_m / (time_s[end] - time_s[start])
    return size - 1


def seek_legs(
    time_s: Any, step_m: Any, pace_mps: Any,
    move_first: Any, move_last: Any, move_start_s: Any, move_end_s: Any,
    wait_first: Any, wait_last: Any, wait_start_s: Any, wait_end_s: Any,
    movement: Any, start_s: Any, end_s: Any, first: Any, last: Any, distance_m: Any, gap_m: Any,
    riding: Any,
) -> int:  # fmt: skip
    """Fill the legs of each movement, cut at its waits and where its pace changes; count them."""
    count = 0
    wait = 0
    for move in range(len(move_first)):
        opening, opening_s = move_first[move], move_start_s[move]
        begun = count
        while opening >= 0:
            closing, closing_s, then, then_s = move_last[move], move_end_s[move], -1, 0.0
            while wait < len(wait_first) and wait_first[wait] <= move_first[move]:
                wait += 1
            if wait < len(wait_first) and wait_last[wait] < move_last[move]:
                closing, closing_s = wait_first[wait], wait_start_s[wait]
                then, then_s = wait_last[wait], wait_end_s[wait]
                wait += 1
            if closing_s > opening_s and closing > opening:
                count = cut_by_pace(
                    time_s, step_m, pace_mps, opening, closing, opening_s, closing_s,
                    start_s, end_s, first, last, distance_m, gap_m, riding, count,
                )  # fmt: skip
            opening, opening_s = then, then_s
        for leg in range(begun, count):
            movement[leg] = move
    return count


def cut_by_pace(
    time_s: Any, step_m: Any, pace_mps: Any,
    opening: int, closing: int, opening_s: float, closing_s: float,
    start_s: Any, end_s: Any, first: Any, last: Any, distance_m: Any, gap_m: Any,
    riding: Any, count: int,
) -> int:  # fmt: skip
    """Append the legs of one stretch between waits to the columns; return their new length."""
    label_steps(time_s, step_m, pace_mps, opening, closing, opening_s, riding)
    # Short rides first: a jump between two walks is noise more often than a bus.
    flip_short_runs(time_s, opening, closing, opening_s, riding, 1)
    flip_short_runs(time_s, opening, closing, opening_s, riding, 0)
    begun = opening
    for step in range(opening, closing):
        if step + 1 < closing and riding[step + 1] == riding[step]:
            continue
        first[count], last[count] = begun, step + 1
        start_s[count] = opening_s if begun == opening else time_s[begun]
        end_s[count] = closing_s if step + 1 == closing else time_s[step + 1]
        total_m = unseen_m = 0.0
        for part in range(begun, step + 1):
            total_m += step_m[part]
            if time_s[part + 1] - time_s[part] > UNSEEN_MIN_S:
                unseen_m += step_m[part]
        distance_m[count], gap_m[count] = total_m, unseen_m
        count += 1
        begun = step + 1
    return count


def label_steps(
    time_s: Any, step_m: Any, pace_mps: Any,
    opening: int, closing: int, opening_s: float, riding: Any,
) -> None:  # fmt: skip
    """Tell riding (1) from walking (0) step by step; an undecided step is as the one before it."""
    latest = -1
    for step in range(opening, closing):
        pace = pace_mps[step]
        if step == opening and opening_s > time_s[opening]:
            pace = step_m[step] / max(time_s[step + 1] - opening_s, 1.0)
        if pace > RIDE_ABOVE_MPS:
            decided = 1
        elif pace < WALK_BELOW_MPS and pace > STILL_BELOW_MPS:
            decided = 0
        else:
            decided = -1
        if decided >= 0 and latest < 0:
            for earlier in range(opening, step):
                riding[earlier] = decided
        if decided >= 0:
            latest = decided
        riding[step] = max(latest, 0)


def flip_short_runs(
    time_s: Any, opening: int, closing: int, opening_s: float, riding: Any, value: int
) -> None:
    """Turn the runs of `value` that last less than `LEG_MIN_S` into the other, but not all."""
    begun = opening
    for step in range(opening, closing):
        if step + 1 < closing and riding[step + 1] == riding[step]:
            continue
        since_s = opening_s if begun == opening else time_s[begun]
        whole = begun == opening and step + 1 == closing
        if riding[step] == value and not whole and time_s[step + 1] - since_s < LEG_MIN_S:
            flip_run(riding, begun, step, 1 - value)
        begun = step + 1


def flip_run(riding: Any, first: int, last: int, value: int) -> None:
    """Set a run of steps to a value."""
    for step in range(first, last + 1):
        riding[step] = value
