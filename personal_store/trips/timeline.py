"""Step 2 of 9 — trips. In: positionfixes. Out: a `Timeline`. Next: footprint.

The vocabulary of the trip engine (trackintel's words), shared by its modules, the database and
the pages. It computes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from math import fsum

from carbon.modes import ModeGroup, TransportMode

SURE_FROM = 0.6
"""Probability; below it the mode is unknown, with a carbon range (design, trips (b)8)."""

CANDIDATES = 3
CANDIDATE_SHARE = 0.25
"""Of the likeliest mode's probability; a mode less likely is not named as what it may have been."""


class ModeSource(StrEnum):
    """What a tripleg's mode rests on, strongest first.

    `RESIDENT` is a label for this very leg, `TAP` and `CARPOOL` are proofs that it was travelled
    so, `HABIT` is a label that the resident gave to legs like it, `SEGMENT` is what an already
    segmented history says, `SENSOR` the phone's activity labels, `MOTION` nothing but the track.
    """

    RESIDENT = "resident"
    TAP = "tap"
    CARPOOL = "carpool"
    HABIT = "habit"
    SEGMENT = "segment"
    SENSOR = "sensor"
    MOTION = "motion"


class SetAside(StrEnum):
    """Why a positionfix takes no part in the timeline."""

    LOW_ACCURACY = "low-accuracy"
    SAME_TIME = "same-time"
    STUCK_CLOCK = "stuck-clock"
    SPIKE = "spike"
    TELEPORT = "teleport"


class GapKind(StrEnum):
    """What a long time without a fix most likely was."""

    STAY = "likely-stay"
    MOVEMENT = "movement"
    ABSENCE = "absence"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAsideFix:
    """A positionfix that cleaning left out; it stays in the store, and so does its place."""

    at: datetime
    reason: SetAside


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time [start, end) without a fix, and the distance between the fixes on both sides of it.

    A likely stay lies inside a stay and a movement inside a trip, which they qualify. An absence
    lies in neither: nothing is claimed of it.
    """

    kind: GapKind
    start: datetime
    end: datetime
    displacement_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Staypoint:
    """A stay: [start, end) around a centre (WGS 84 degrees), with the spread of its fixes.

    The centre of a long stay is measured from arrival until an hour of rest has been seen.
    """

    start: datetime
    end: datetime
    lon: float = field(repr=False)
    lat: float = field(repr=False)
    radius_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeProbability:
    """How likely one travel mode is, in [0, 1]."""

    mode: TransportMode
    probability: float


def certainty(modes: Sequence[ModeProbability]) -> float:
    """Return the probability of the first of some modes, the likeliest, in [0, 1].

    Walking and running count together, and so do a bike, an e-bike and a scooter: motion seldom
    tells them apart, and their footprints are nearly one.
    """
    best = modes[0]
    if best.mode.group not in (ModeGroup.WALK, ModeGroup.BIKE):
        return best.probability
    return fsum(each.probability for each in modes if each.mode.group is best.mode.group)


def stated_mode(modes: Sequence[ModeProbability]) -> TransportMode:
    """Return the first of some modes where it is sure enough to be stated, else UNKNOWN."""
    return modes[0].mode if certainty(modes) >= SURE_FROM else TransportMode.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Tripleg:
    """A part of a trip travelled in one mode.

    `modes` is sorted, most probable first, and sums to 1; it includes UNKNOWN with the
    probability that no listed mode is right. `distance_m` is along the track; `gap_m` is the part
    of it that crosses a gap without fixes: a straight line, which is a lower bound, or an estimate
    where a train, a plane or a ferry crossed it (`unseen_ways`).
    `track` is ((lon, lat), ...) in time order. `occupants`, 1 or more, counts everybody in the
    vehicle; None where nobody said. `line` is the transit line, where a tap names it.
    """

    start: datetime
    end: datetime
    distance_m: float
    gap_m: float
    modes: tuple[ModeProbability, ...]
    mode_source: ModeSource
    track: tuple[tuple[float, float], ...] = field(repr=False)
    occupants: float | None = None
    line: str | None = None

    @property
    def mode(self) -> ModeProbability:
        """Return the most probable mode."""
        return self.modes[0]

    @property
    def certainty(self) -> float:
        """Return the probability of the likeliest mode with those like it, in [0, 1]."""
        return certainty(self.modes)

    @property
    def is_sure(self) -> bool:
        """Tell whether the mode may be stated at all."""
        return self.stated_mode is not TransportMode.UNKNOWN

    @property
    def stated_mode(self) -> TransportMode:
        """Return the likeliest mode where it is sure enough to be stated, else UNKNOWN."""
        return stated_mode(self.modes)

    @property
    def candidates(self) -> tuple[TransportMode, ...]:
        """Return the likeliest modes, at most `CANDIDATES`, none far less likely than the first."""
        named = [each for each in self.modes if each.mode is not TransportMode.UNKNOWN]
        return tuple(
            each.mode
            for each in named[:CANDIDATES]
            if each.probability >= CANDIDATE_SHARE * named[0].probability
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """Movement between two stays: one or more triplegs, in time order, half-open [start, end).

    `purpose` and `note` are the resident's own words; `corrections` are the identifiers of the
    corrections that shaped it. `utc_offset_min` is local time less UTC where it began, where a
    source states it: it says on which day the trip was made.
    """

    device: str
    start: datetime
    end: datetime
    triplegs: tuple[Tripleg, ...]
    purpose: str | None = field(default=None, repr=False)
    note: str | None = field(default=None, repr=False)
    corrections: tuple[int, ...] = ()
    utc_offset_min: int | None = None

    @property
    def distance_m(self) -> float:
        """Return the sum of the triplegs' distances."""
        return sum(leg.distance_m for leg in self.triplegs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The stays and trips of one device, in time order, without overlap; gaps qualify them.

    `set_aside` names the positionfixes that cleaning left out, in time order.
    """

    device: str
    staypoints: tuple[Staypoint, ...]
    trips: tuple[Trip, ...]
    gaps: tuple[Gap, ...] = ()
    set_aside: tuple[SetAsideFix, ...] = ()

    @property
    def fixes_set_aside(self) -> int:
        """Return how many positionfixes cleaning left out."""
        return len(self.set_aside)
