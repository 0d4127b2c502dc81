"""Cut movements into triplegs: parts travelled in one way, walking or riding.

Cuts fall at waits, and where the pace changes between walking and riding for long enough. A gap
without fixes belongs to the leg around it when it was crossed at that leg's pace (a tunnel), and
is named by its length. It does not name the mode: `modes.py` does.
"""

# ruff: noqa: PLR0917 - a loop takes its columns by position (compiling.py).

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
"""Metres per second (10 km/h); above, it is a ride's or a runner's."""

STILL_BELOW_MPS = 0.5
"""Metres per second; below, a pace says nothing: people stop while walking and riding."""

WALK_SAYS = 1.8
"""Log-odds that a window at a walk's pace is walked: 71 % of the walks' time has it and 12 % of
the rides', which stop and go (MobilityNet, July 2019; odds of 6 to 1)."""

RIDE_SAYS = 2.9
"""Log-odds that a window at a ride's pace is ridden: 73 % of the rides' time has it and 4 % of the
walks' (as above; odds of 18 to 1)."""

CHANGE_COSTS = 2.6
"""Log-odds against a change within a window: legs last some ten minutes, 13 windows."""

WINDOWS_MAX = 3.0
"""Windows that one step counts for at most: a straight line over minutes hides the stops in it."""

UNSEEN_MIN_S = 120.0
"""Seconds between two fixes beyond which the way between them is a straight-line guess."""


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

    def whole(self, begin: int, end: int) -> Leg:
        """Return the legs from `begin` to `end`, both included, as one."""
        return replace(self.leg(begin), end_s=float(self.end_s[end]), last=int(self.last[end]))

    def joined(self, begins: Sequence[int], ends: Sequence[int]) -> "Legs":
        """Return one leg from each of `begins` to the same place of `ends`, which leave none out.

        Only legs that abut, within one movement, may be joined.
        """
        if len(begins) == len(self):
            return self
        firsts, lasts = list(begins), list(ends)
        return Legs(
            movement=self.movement[firsts],
            start_s=self.start_s[firsts],
            end_s=self.end_s[lasts],
            first=self.first[firsts],
            last=self.last[lasts],
            distance_m=np.add.reduceat(self.distance_m, firsts),
            gap_m=np.add.reduceat(self.gap_m, firsts),
        )


def find_legs(track: Track, stays: Stays, plan: Plan, *, compile_from: int = COMPILE_FROM) -> Legs:
    """Return the legs of all movements in time order; the waits lie between them."""
    waits = ~plan.is_activity
    movements = plan.movements
    room = len(track) + len(stays)
    kinds = (np.int64, float, float, np.int64, np.int64, float, float)
    columns = tuple(np.empty(room, dtype=kind) for kind in kinds)
    riding, came = np.empty(len(track), dtype=np.int8), np.empty(len(track), dtype=np.int8)
    count = run_loop(
        seek_legs,
        (
            track.time_s, *track.xyz_m.T,
            movements.first, movements.last, movements.start_s, movements.end_s,
            stays.first[waits], stays.last[waits], stays.start_s[waits], stays.end_s[waits],
        ),
        (*columns, riding, came),
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


def seek_legs(
    time_s: Any, x: Any, y: Any, z: Any,
    move_first: Any, move_last: Any, move_start_s: Any, move_end_s: Any,
    wait_first: Any, wait_last: Any, wait_start_s: Any, wait_end_s: Any,
    movement: Any, start_s: Any, end_s: Any, first: Any, last: Any, distance_m: Any, gap_m: Any,
    riding: Any, came: Any,
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
                    time_s, x, y, z, opening, closing, opening_s, closing_s,
                    start_s, end_s, first, last, distance_m, gap_m, riding, came, count,
                )  # fmt: skip
            opening, opening_s = then, then_s
        for leg in range(begun, count):
            movement[leg] = move
    return count


def cut_by_pace(
    time_s: Any, x: Any, y: Any, z: Any,
    opening: int, closing: int, opening_s: float, closing_s: float,
    start_s: Any, end_s: Any, first: Any, last: Any, distance_m: Any, gap_m: Any,
    riding: Any, came: Any, count: int,
) -> int:  # fmt: skip
    """Append the legs of one stretch between waits to the columns; return their new length."""
    label_steps(time_s, x, y, z, opening, closing, opening_s, riding, came)
    begun = opening
    for step in range(opening, closing):
        if step + 1 < closing and riding[step + 1] == riding[step]:
            continue
        first[count], last[count] = begun, step + 1
        start_s[count] = opening_s if begun == opening else time_s[begun]
        end_s[count] = closing_s if step + 1 == closing else time_s[step + 1]
        total_m = unseen_m = 0.0
        for part in range(begun, step + 1):
            step_m = arc_m(x[part], y[part], z[part], x[part + 1], y[part + 1], z[part + 1])
            total_m += step_m
            if time_s[part + 1] - time_s[part] > UNSEEN_MIN_S:
                unseen_m += step_m
        distance_m[count], gap_m[count] = total_m, unseen_m
        count += 1
        begun = step + 1
    return count


def label_steps(
    time_s: Any, x: Any, y: Any, z: Any, opening: int, closing: int, opening_s: float,
    riding: Any, came: Any,
) -> None:  # fmt: skip
    """Tell riding (1) from walking (0) step by step: the likeliest sequence of the two.

    Viterbi's algorithm over the log-odds of riding: a step weighs by its windows, a change costs.
    `came` holds for each step whether a walk (1) or a ride (2) there follows a change. A step whose
    beginning was estimated says nothing: its pace is our own guess.
    """
    odds = 0.0
    low = high = opening
    for step in range(opening, closing):
        since_s = opening_s if step == opening else time_s[step]
        until_s = time_s[step + 1]
        middle_s = (since_s + until_s) / 2
        while low < step and time_s[low] < middle_s - PACE_WINDOW_S / 2:
            low += 1
        while high < closing and time_s[high + 1] <= middle_s + PACE_WINDOW_S / 2:
            high += 1
        last = max(high, step + 1)
        from_s = opening_s if low == opening else time_s[low]
        way_m = arc_m(x[low], y[low], z[low], x[last], y[last], z[last])
        came[step] = 0
        if odds > CHANGE_COSTS:
            odds, came[step] = CHANGE_COSTS, 1
        elif odds < -CHANGE_COSTS:
            odds, came[step] = -CHANGE_COSTS, 2
        if step == opening and opening_s > time_s[opening]:
            continue
        windows = min(max(until_s - since_s, 1.0) / PACE_WINDOW_S, WINDOWS_MAX)
        odds += windows * riding_odds(way_m / max(time_s[last] - from_s, 1.0))
    kind = 1 if odds > 0 else 0
    for step in range(closing - 1, opening - 1, -1):
        riding[step] = kind
        if came[step] == kind + 1:
            kind = 1 - kind


def riding_odds(pace_mps: float) -> float:
    """Return the log-odds that a window at a pace is ridden and not walked."""
    if pace_mps > RIDE_ABOVE_MPS:
        return RIDE_SAYS
    if STILL_BELOW_MPS < pace_mps < WALK_BELOW_MPS:
        return -WALK_SAYS
    return 0.0
