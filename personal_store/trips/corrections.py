"""The resident's word on their trips: kept by time, applied last, and able to be taken back.

A correction says what holds in [start, end) of a device, not of a row: it survives whatever
imports and recomputations do to the trips around it. The rule, when edges have moved since:

- a leg (or trip) takes a correction when more than half of it lies inside;
- where both what lies inside and what lies outside last longer than `TOLERANCE`, the leg is
  first cut at the correction's edge, so that a word about ten minutes never spreads to an hour;
- a correction that no leg takes (its leg was joined to a longer one) cuts that leg at its edges;
- trips are merged where the stop between two of them lies mostly inside, legs where they do;
- hiding takes trips that lie mostly inside, or hold most of its time (they grew); of others the
  part inside, where that is longer than `TOLERANCE` or no trip was taken;
- a purpose or a note stays with the trip that shares the most time.

So edges that moved by less than the tolerance change nothing, and a correction holds as long as
anything was travelled at its time. Later words win over earlier ones of the same kind. Splits and
merges come first, in the order they were made; hidden trips go last.
A habit is a default for legs like the one it was given for; a label, a tap or a proof beats it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from carbon.modes import ModeGroup, TransportMode
from personal_store.trips.cutting import between_m, cut_legs, cut_trip, join_legs, without
from personal_store.trips.timeline import ModeProbability, ModeSource, Trip, Tripleg

TOLERANCE = timedelta(minutes=5)
"""How far an edge may move before a correction's own edge cuts (our judgement, 2026): twice the
mean error of trip starts measured on labelled data (134 to 190 s; design, trips section 3)."""

SNAP = timedelta(minutes=1)
"""A split this close to the edge of a leg falls on the edge."""

HABIT_PLACE_M = 250.0
HABIT_HOURS = timedelta(hours=2)
DAY_MINUTES = 24 * 60
MOST_OCCUPANTS = 100.0


class CorrectionKind(StrEnum):
    """What the resident can say."""

    MODE = "mode"
    OCCUPANTS = "occupants"
    PURPOSE = "purpose"
    NOTE = "note"
    MERGE_LEGS = "merge-legs"
    MERGE_TRIPS = "merge-trips"
    SPLIT = "split"
    HIDE = "hide"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One word of the resident about [start, end) of a device; a split is about `start`.

    `value` is the mode's name, the number of people, or free words; empty for the other kinds.

    Raises:
        ValueError: the times are not in order, or the value is not one of its kind.

    """

    number: int
    kind: CorrectionKind
    device: str
    start: datetime
    end: datetime
    value: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be applied."""
        if self.end < self.start:
            raise ValueError("expected an end that is not before the start")
        if self.kind is CorrectionKind.MODE:
            TransportMode(self.value)
        if self.kind is CorrectionKind.OCCUPANTS and not 1 <= float(self.value) <= MOST_OCCUPANTS:
            raise ValueError(f"expected 1 to {MOST_OCCUPANTS:.0f} people, seen {self.value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """A mode for the longest ridden, or walked, leg of trips between two places at one hour.

    The longest alone: a word about the walk to the stop says nothing of the walk from it.

    `minute_of_day` is the local time of departure. The places are (lon, lat) in degrees.
    """

    number: int
    mode: TransportMode
    rides: bool
    minute_of_day: int
    origin: tuple[float, float] = field(repr=False)
    destination: tuple[float, float] = field(repr=False)


def correct(trips: Sequence[Trip], corrections: Sequence[Correction]) -> list[Trip]:
    """Return the trips as the resident says they were, hidden ones left out, in time order."""
    corrected = list(trips)
    ordered = sorted(corrections, key=lambda each: each.number)
    for each in (c for c in ordered if c.kind in _SHAPES):
        corrected = _SHAPES[each.kind](corrected, each)
    for each in (c for c in ordered if c.kind in _LABELS):
        corrected = _label(corrected, each)
    for each in (c for c in ordered if c.kind in _WORDS):
        corrected = _word(corrected, each)
    for each in (c for c in ordered if c.kind is CorrectionKind.HIDE):
        corrected = _hide(corrected, each)
    return sorted(corrected, key=lambda trip: (trip.start, trip.device))


def apply_habits(
    trips: Sequence[Trip], habits: Sequence[Habit], *, minute_of_day: Callable[[datetime], int]
) -> list[Trip]:
    """Return the trips with the mode of the newest habit that fits, where nothing stronger said."""
    return [_by_habits(trip, habits, minute_of_day(trip.start)) for trip in trips]


def habit_of(
    trip: Trip, leg: Tripleg, mode: TransportMode, *, minute_of_day: int, number: int = 0
) -> Habit | None:
    """Return the habit of travelling legs like this one in `mode`.

    None without a track, or where another leg of the trip is the main one of its kind.
    """
    ends = _ends(trip)
    if ends is None or leg != _main_leg(trip, rides=_rides(leg)):
        return None
    return Habit(
        number=number,
        mode=mode,
        rides=_rides(leg),
        minute_of_day=minute_of_day,
        origin=ends[0],
        destination=ends[1],
    )


def _by_habits(trip: Trip, habits: Sequence[Habit], minute: int) -> Trip:
    fitting = [habit for habit in habits if _fits(trip, habit, minute)]
    legs = []
    for leg in trip.triplegs:
        main = bool(fitting) and leg == _main_leg(trip, rides=_rides(leg))
        of_leg = [habit for habit in fitting if main and habit.rides == _rides(leg)]
        weak = leg.mode_source not in (ModeSource.RESIDENT, ModeSource.TAP, ModeSource.CARPOOL)
        if of_leg and weak:
            newest = max(of_leg, key=lambda habit: habit.number)
            modes = _certain(newest.mode)
            legs.append(replace(leg, modes=modes, mode_source=ModeSource.HABIT))
        else:
            legs.append(leg)
    return replace(trip, triplegs=tuple(legs))


def _fits(trip: Trip, habit: Habit, minute: int) -> bool:
    ends = _ends(trip)
    if ends is None:
        return False
    apart = abs(minute - habit.minute_of_day)
    return (
        min(apart, DAY_MINUTES - apart) * 60 <= HABIT_HOURS.total_seconds()
        and between_m(ends[0], habit.origin) <= HABIT_PLACE_M
        and between_m(ends[1], habit.destination) <= HABIT_PLACE_M
    )


def _ends(trip: Trip) -> tuple[tuple[float, float], tuple[float, float]] | None:
    points = [point for leg in trip.triplegs for point in leg.track]
    return (points[0], points[-1]) if points else None


def _rides(leg: Tripleg) -> bool:
    """Tell a ridden leg from a walked one by what the engine saw, whatever was said since."""
    walked = sum(each.probability for each in leg.modes if each.mode.group is ModeGroup.WALK)
    return walked < 0.5


def _main_leg(trip: Trip, *, rides: bool) -> Tripleg:
    """Return the longest ridden, or walked, leg; there is one."""
    legs = [leg for leg in trip.triplegs if _rides(leg) == rides]
    return max(legs, key=lambda leg: leg.distance_m)


def _split(trips: Sequence[Trip], said: Correction) -> list[Trip]:
    result: list[Trip] = []
    for trip in trips:
        if trip.device != said.device or not trip.start < said.start < trip.end:
            result.append(trip)
            continue
        edges = [edge for leg in trip.triplegs for edge in (leg.start, leg.end)]
        near = [edge for edge in edges if abs(edge - said.start) <= SNAP]
        at = min(near, key=lambda edge: abs(edge - said.start), default=said.start)
        result += [_marked(part, said) for part in cut_trip(trip, at)]
    return result


def _merge_trips(trips: Sequence[Trip], said: Correction) -> list[Trip]:
    merged: list[Trip] = []
    for trip in (each for each in trips if each.device == said.device):
        if merged and _are_one(merged[-1], trip, said):
            merged[-1] = _joined(merged[-1], trip, said)
        else:
            merged.append(trip)
    rest = [trip for trip in trips if trip.device != said.device]
    return sorted([*rest, *merged], key=lambda trip: (trip.start, trip.device))


def _are_one(one: Trip, other: Trip, said: Correction) -> bool:
    """Tell whether the stop between two trips, be it but a moment, lies mostly inside."""
    if _takes(one, said) and _takes(other, said):
        return True
    stop = other.start - one.end
    if stop <= timedelta(0):
        return said.start + SNAP <= one.end <= said.end - SNAP
    return min(other.start, said.end) - max(one.end, said.start) > stop / 2


def _joined(one: Trip, other: Trip, said: Correction) -> Trip:
    joined = replace(
        one,
        end=max(one.end, other.end),
        triplegs=(*one.triplegs, *other.triplegs),
        corrections=(*one.corrections, *other.corrections),
    )
    return joined if said.number in joined.corrections else _marked(joined, said)


def _merge_legs(trips: Sequence[Trip], said: Correction) -> list[Trip]:
    result = []
    for trip in trips:
        meant = _legs_meant(trip, said)
        if len(meant) < 2:
            result.append(trip)
            continue
        first = trip.triplegs.index(meant[0])
        legs = (*trip.triplegs[:first], join_legs(meant), *trip.triplegs[first + len(meant) :])
        result.append(_marked(replace(trip, triplegs=legs), said))
    return result


def _legs_meant(trip: Trip, said: Correction) -> list[Tripleg]:
    """Return the legs mostly inside; where they are not two, those there but for the tolerance."""
    inside = [leg for leg in _legs_of(trip, said) if _inside(leg, said)]
    if len(inside) > 1:
        return inside
    wider = replace(said, start=said.start - TOLERANCE, end=said.end + TOLERANCE)
    return [leg for leg in _legs_of(trip, said) if _shared(leg, said) and _inside(leg, wider)]


def _hide(trips: Sequence[Trip], said: Correction) -> list[Trip]:
    whole = [trip for trip in trips if _takes(trip, said) or _holds(trip, said)]
    least = TOLERANCE if whole else timedelta(0)
    left: list[Trip] = []
    for trip in (each for each in trips if each not in whole):
        partly = trip.device == said.device and _shared(trip, said) > least
        left += without([trip], [(said.start, said.end)]) if partly else [trip]
    return left


def _holds(trip: Trip, said: Correction) -> bool:
    """Tell whether a trip holds most of the time of a word."""
    return trip.device == said.device and _shared(trip, said) > (said.end - said.start) / 2


def _label(trips: Sequence[Trip], said: Correction) -> list[Trip]:
    """Give the legs of its time what a label says, cut where the rule of this module says so."""
    ready = [_cut_at_edges(trip, said, least=TOLERANCE) for trip in trips]
    if not any(_inside(leg, said) for trip in ready for leg in _legs_of(trip, said)):
        ready = [_cut_at_edges(trip, said, least=timedelta(0)) for trip in trips]
    return [_labelled(trip, said) for trip in ready]


def _labelled(trip: Trip, said: Correction) -> Trip:
    meant = [leg for leg in _legs_of(trip, said) if _inside(leg, said)]
    if not meant:
        return trip
    legs = tuple(_say(leg, said) if leg in meant else leg for leg in trip.triplegs)
    return _marked(replace(trip, triplegs=legs), said)


def _say(leg: Tripleg, said: Correction) -> Tripleg:
    if said.kind is CorrectionKind.OCCUPANTS:
        return replace(leg, occupants=float(said.value))
    modes = _certain(TransportMode(said.value))
    return replace(leg, modes=modes, mode_source=ModeSource.RESIDENT)


def _word(trips: Sequence[Trip], said: Correction) -> list[Trip]:
    meant = _meant(trips, said)
    return [_worded(trip, said) if trip in meant else trip for trip in trips]


def _worded(trip: Trip, said: Correction) -> Trip:
    if said.kind is CorrectionKind.PURPOSE:
        return _marked(replace(trip, purpose=said.value), said)
    return _marked(replace(trip, note=said.value), said)


def _meant(trips: Sequence[Trip], said: Correction) -> list[Trip]:
    """Return the trips mostly inside; if none, the one that shares the most time."""
    inside = [trip for trip in trips if _takes(trip, said)]
    if inside:
        return inside
    shared = [trip for trip in trips if trip.device == said.device and _shared(trip, said)]
    return [max(shared, key=lambda trip: _shared(trip, said))] if shared else []


def _cut_at_edges(trip: Trip, said: Correction, *, least: timedelta) -> Trip:
    """Cut the legs at the correction's edges where both sides last longer than `least`."""
    if trip.device != said.device:
        return trip
    for leg in trip.triplegs:
        inside = _shared(leg, said)
        if inside <= least:
            continue
        if said.start - leg.start > least:
            trip = cut_legs(trip, said.start)
        if leg.end - said.end > least:
            trip = cut_legs(trip, said.end)
    return trip


def _legs_of(trip: Trip, said: Correction) -> tuple[Tripleg, ...]:
    return trip.triplegs if trip.device == said.device else ()


def _takes(trip: Trip, said: Correction) -> bool:
    return trip.device == said.device and _inside(trip, said)


def _inside(part: Trip | Tripleg, said: Correction) -> bool:
    return _shared(part, said) > (part.end - part.start) / 2


def _shared(part: Trip | Tripleg, said: Correction) -> timedelta:
    return max(min(part.end, said.end) - max(part.start, said.start), timedelta(0))


def _marked(trip: Trip, said: Correction) -> Trip:
    return replace(trip, corrections=(*trip.corrections, said.number))


def _certain(mode: TransportMode) -> tuple[ModeProbability, ...]:
    return (ModeProbability(mode=mode, probability=1.0),)


_SHAPES = {
    CorrectionKind.SPLIT: _split,
    CorrectionKind.MERGE_TRIPS: _merge_trips,
    CorrectionKind.MERGE_LEGS: _merge_legs,
}
_LABELS = frozenset({CorrectionKind.MODE, CorrectionKind.OCCUPANTS})
_WORDS = frozenset({CorrectionKind.PURPOSE, CorrectionKind.NOTE})
