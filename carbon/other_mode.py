"""What if: the legs of some modes, under a distance, go by bicycle, by train or in a carpool.

A scenario of `carbon.whatif` like those of `carbon.scenarios`, but one that the person composes.
It knows no timetable: a train or a carpool is given the time that the leg took, so minutes mean
something for the bicycle alone; kilograms do not depend on it. Whether there is a train is not
asked either.

>>> ByOtherMode(instead_of=ModeGroup.CAR, by=Otherwise.BIKE).max_distance_m
5000.0
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from carbon.differences import Change
from carbon.errors import InvalidActivity
from carbon.modes import ModeGroup, TransportMode
from carbon.scenarios import BIKE_KM_PER_H, OWN_CARS, Switch, TravelledLeg

CARPOOL_OCCUPANTS = 2.0
"""The fewest people that make a carpool: a choice of ours (2026-11), and the prudent one."""


class Otherwise(StrEnum):
    """What the legs would be travelled by.

    >>> [each.value for each in Otherwise]
    ['bike', 'train', 'carpool']
    """

    BIKE = "bike"
    TRAIN = "train"
    CARPOOL = "carpool"


@dataclass(frozen=True, slots=True, kw_only=True)
class ByOtherMode:
    """The legs by one group of modes, shorter than `max_distance_m`, travelled otherwise.

    `instead_of` is the group; what a leg has of other groups stays. By carpool a car stays the
    same car with two people in it, and any other vehicle becomes such a car. Nothing holds it
    back, neither night nor weekday, so that what it changes is its ceiling.

    Raises:
        InvalidActivity: the distance is not above zero, or the group moves on its own legs.

    >>> ByOtherMode(instead_of=ModeGroup.WALK, by=Otherwise.TRAIN)
    Traceback (most recent call last):
    carbon.errors.InvalidActivity: instead_of: expected a group with an engine, seen 'walk'

    """

    instead_of: ModeGroup
    by: Otherwise
    max_distance_m: float = 5_000.0

    def __post_init__(self) -> None:
        """Refuse what changes nothing or makes no sense."""
        if not 0 < self.max_distance_m < math.inf:
            raise InvalidActivity(
                "max_distance_m", f"expected a finite number above 0, seen {self.max_distance_m}"
            )
        if self.instead_of in (ModeGroup.WALK, ModeGroup.BIKE, ModeGroup.OTHER):
            raise InvalidActivity(
                "instead_of", f"expected a group with an engine, seen {self.instead_of.value!r}"
            )

    def picks(self, legs: Sequence[TravelledLeg]) -> list[int]:
        """Return the legs that are shorter, and may have been of the group.

        >>> ByOtherMode(instead_of=ModeGroup.CAR, by=Otherwise.BIKE).picks([])
        []
        """
        return [
            i
            for i, each in enumerate(legs)
            if each.leg.distance_m < self.max_distance_m
            and any(each.leg.modes.get(mode, 0.0) > 0 for mode in self._replace(each))
        ]

    def reach(self, legs: Sequence[TravelledLeg]) -> list[int]:
        """Return the same.

        >>> ByOtherMode(instead_of=ModeGroup.CAR, by=Otherwise.BIKE).reach([])
        []
        """
        return self.picks(legs)

    def switch(self, travelled: TravelledLeg) -> Switch:
        """Return the leg travelled otherwise; the bicycle at its speed, the others in its time.

        >>> from datetime import UTC, date, datetime
        >>> from carbon.activity import LegActivity
        >>> leg = LegActivity(
        ...     modes={TransportMode.CAR: 1.0}, distance_m=3_000, on=date(2026, 11, 2)
        ... )
        >>> start = datetime(2026, 11, 2, 8, tzinfo=UTC)
        >>> travelled = TravelledLeg(leg=leg, start=start, duration_s=600)
        >>> by_bike = ByOtherMode(instead_of=ModeGroup.CAR, by=Otherwise.BIKE)
        >>> by_bike.switch(travelled).duration_s
        720.0
        """
        km = travelled.leg.distance_m / 1000
        return Switch(
            change=Change(
                before=travelled.leg,
                replace=self._replace(travelled),
                occupants=CARPOOL_OCCUPANTS if self.by is Otherwise.CARPOOL else None,
            ),
            duration_s=km / BIKE_KM_PER_H * 3600
            if self.by is Otherwise.BIKE
            else travelled.duration_s,
        )

    def _replace(self, travelled: TravelledLeg) -> dict[TransportMode, TransportMode]:
        modes = [mode for mode in TransportMode if mode.group is self.instead_of]
        if self.by is Otherwise.BIKE:
            return dict.fromkeys(modes, TransportMode.BIKE)
        if self.by is Otherwise.TRAIN:
            # A train that is taken already stays the train that it is.
            rail = self.instead_of is ModeGroup.TRAIN
            return {} if rail else dict.fromkeys(modes, TransportMode.TRAIN)
        full = travelled.leg.occupants >= CARPOOL_OCCUPANTS
        return {
            mode: mode if mode in OWN_CARS else TransportMode.CAR
            for mode in modes
            if not (full and mode in OWN_CARS)
        }
