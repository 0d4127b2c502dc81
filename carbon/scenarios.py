"""Ways in which a person could have travelled otherwise: what each would change, and what it could.

A scenario picks legs among those really travelled and says how each would be travelled. It
touches only what it says: a leg that is 70 % car keeps its 30 % of bus. It weighs nothing in kg
or euros (`carbon.whatif` does), and predicts nothing: hills, luggage and chains of stops are not
in the legs.

>>> ShortCarLegsByBike().max_distance_m
5000.0
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Protocol

from carbon.activity import LegActivity
from carbon.differences import Change
from carbon.energies import Consumption, Energy
from carbon.errors import InvalidActivity
from carbon.modes import ModeGroup, TransportMode

# A choice of ours (2026-11) for a town bicycle, stops included; a person's own speed is better.
SLOWEST_RIDE_KM_PER_H = 1.0
"""Below it a short leg would last for days; the bound keeps times on the calendar."""
LONGEST_DETOUR_S = 86_400.0
"""A day: no carpool's detour is longer."""
BIKE_KM_PER_H = 15.0
# When most people would rather not cycle: a choice of ours (2026-11), to be set to one's own.
NIGHT_FROM, NIGHT_TO = time(21), time(6)

OWN_CARS = tuple(
    mode for mode in TransportMode if mode.group is ModeGroup.CAR and mode is not TransportMode.TAXI
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelledLeg:
    """A leg with its clock: `start` is aware and in the person's own time zone.

    `commute` tells a journey between home and work.

    Raises:
        InvalidActivity: the start has no time zone, or the duration is impossible.

    >>> from datetime import UTC, date
    >>> bus = LegActivity(modes={TransportMode.BUS: 1.0}, distance_m=3_000, on=date(2026, 11, 2))
    >>> TravelledLeg(leg=bus, start=datetime(2026, 11, 2, 8, tzinfo=UTC), duration_s=600).commute
    False

    """

    leg: LegActivity
    start: datetime
    duration_s: float
    commute: bool = False

    def __post_init__(self) -> None:
        """Refuse a clock that cannot be read."""
        if self.start.tzinfo is None:
            raise InvalidActivity("start", "expected an aware datetime, seen one without zone")
        if not 0 <= self.duration_s < math.inf:
            raise InvalidActivity(
                "duration_s", f"expected a finite number, 0 or more, seen {self.duration_s}"
            )

    @property
    def car_probability(self) -> float:
        """Return how probable it is that the person's own car, or another's, was the mode.

        >>> from datetime import UTC, date
        >>> taxi = LegActivity(modes={TransportMode.TAXI: 1.0}, distance_m=1, on=date(2026, 11, 2))
        >>> start = datetime(2026, 11, 2, 8, tzinfo=UTC)
        >>> TravelledLeg(leg=taxi, start=start, duration_s=600).car_probability
        0.0
        """
        return math.fsum(self.leg.modes.get(mode, 0.0) for mode in OWN_CARS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """One leg travelled otherwise: the change, and how long it would have taken.

    >>> from datetime import date
    >>> bus = LegActivity(modes={TransportMode.BUS: 1.0}, distance_m=3_000, on=date(2026, 11, 2))
    >>> Switch(change=Change(before=bus, replace={}), duration_s=60.0).duration_s
    60.0
    """

    change: Change
    duration_s: float


class Scenario(Protocol):
    """A way to travel otherwise.

    >>> scenario: Scenario = ElectricCar()
    >>> scenario.picks([])
    []
    """

    def picks(self, legs: Sequence[TravelledLeg]) -> list[int]:
        """Return the indices of the legs that it changes.

        >>> ShortCarLegsByBike().picks([])
        []
        """
        ...

    def reach(self, legs: Sequence[TravelledLeg]) -> list[int]:
        """Return the indices of all legs that it could change if nothing held it back.

        >>> CommuteByCarpool().reach([])
        []
        """
        ...

    def switch(self, travelled: TravelledLeg) -> Switch:
        """Return how one such leg would be travelled.

        >>> from datetime import UTC, date
        >>> by_car = {TransportMode.CAR: 1.0}
        >>> car = LegActivity(modes=by_car, distance_m=3_000, on=date(2026, 11, 2))
        >>> start = datetime(2026, 11, 2, 8, tzinfo=UTC)
        >>> travelled = TravelledLeg(leg=car, start=start, duration_s=600)
        >>> ShortCarLegsByBike().switch(travelled).duration_s
        720.0
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortCarLegsByBike:
    """Car legs under a distance by bicycle, except at night unless `at_night`.

    `by` is `bike` or `ebike`. A leg is at night if it begins, or would end, in [night_from,
    night_to). Without limits it could reach every short car leg.

    Raises:
        InvalidActivity: the distance or the speed is not above zero, or `by` is no bicycle.

    >>> ShortCarLegsByBike(by=TransportMode.EBIKE, speed_km_per_h=19.0).by.value
    'ebike'

    """

    max_distance_m: float = 5_000.0
    by: TransportMode = TransportMode.BIKE
    speed_km_per_h: float = BIKE_KM_PER_H
    at_night: bool = False
    night_from: time = NIGHT_FROM
    night_to: time = NIGHT_TO

    def __post_init__(self) -> None:
        """Refuse what cannot be cycled."""
        _require_positive(self.max_distance_m, field="max_distance_m")
        if not SLOWEST_RIDE_KM_PER_H <= self.speed_km_per_h < math.inf:
            raise InvalidActivity(
                "speed_km_per_h",
                f"expected {SLOWEST_RIDE_KM_PER_H:g} or more, seen {self.speed_km_per_h}",
            )
        if self.by not in (TransportMode.BIKE, TransportMode.EBIKE):
            raise InvalidActivity("by", f"expected bike or ebike, seen {self.by!r}")

    def picks(self, legs: Sequence[TravelledLeg]) -> list[int]:
        """Return the short car legs by day.

        >>> ShortCarLegsByBike().picks([])
        []
        """
        return [i for i in self.reach(legs) if self.at_night or not self._at_night(legs[i])]

    def reach(self, legs: Sequence[TravelledLeg]) -> list[int]:
        """Return the short car legs, whatever the hour.

        >>> ShortCarLegsByBike().reach([])
        []
        """
        return [
            i
            for i, each in enumerate(legs)
            if each.car_probability > 0 and each.leg.distance_m < self.max_distance_m
        ]

    def switch(self, travelled: TravelledLeg) -> Switch:
        """Return the leg by bicycle, at its speed.

        >>> ShortCarLegsByBike().speed_km_per_h
        15.0
        """
        return Switch(
            change=Change(before=travelled.leg, replace=dict.fromkeys(OWN_CARS, self.by)),
            duration_s=travelled.leg.distance_m / 1000 / self.speed_km_per_h * 3600,
        )

    def _at_night(self, travelled: TravelledLeg) -> bool:
        end = travelled.start + timedelta(seconds=self.switch(travelled).duration_s)
        return any(self._is_night(each.time()) for each in (travelled.start, end))

    def _is_night(self, clock: time) -> bool:
        if self.night_from <= self.night_to:
            return self.night_from <= clock < self.night_to
        return clock >= self.night_from or clock < self.night_to


@dataclass(frozen=True, slots=True, kw_only=True)
class CommuteByCarpool:
    """Commutes by car shared on some days of each week, with so many people in the car.

    The days are the first ones of each ISO week on which the person commuted by car; all commutes
    of such a day are shared. A leg that already had as many people stays. `detour_s` is the
    time that fetching each other takes. Without limits it could reach every such commute.

    Raises:
        InvalidActivity: the days are not 1 to 7, or the people fewer than two.

    >>> CommuteByCarpool(times_per_week=2).occupants
    2

    """

    times_per_week: int = 2
    occupants: float = 2
    detour_s: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no carpool."""
        if not isinstance(self.times_per_week, int) or not 1 <= self.times_per_week <= 7:
            raise InvalidActivity(
                "times_per_week", f"expected between 1 and 7, seen {self.times_per_week}"
            )
        if not 0 <= self.detour_s <= LONGEST_DETOUR_S:
            raise InvalidActivity(
                "detour_s", f"expected between 0 and {LONGEST_DETOUR_S:g}, seen {self.detour_s}"
            )
        if not 2 <= self.occupants < math.inf:
            raise InvalidActivity("occupants", f"expected 2 or more, seen {self.occupants}")

    def picks(self, legs: Sequence[TravelledLeg]) -> list[int]:
        """Return the commutes of the first days of each week.

        >>> CommuteByCarpool().picks([])
        []
        """
        reached = self.reach(legs)
        days_of_week = defaultdict(set)
        for i in reached:
            day = legs[i].start.date()
            days_of_week[day.isocalendar()[:2]].add(day)
        chosen = {
            day for days in days_of_week.values() for day in sorted(days)[: self.times_per_week]
        }
        return [i for i in reached if legs[i].start.date() in chosen]

    def reach(self, legs: Sequence[TravelledLeg]) -> list[int]:
        """Return every commute by a car with fewer people.

        >>> CommuteByCarpool().reach([])
        []
        """
        return [
            i
            for i, each in enumerate(legs)
            if each.commute and each.car_probability > 0 and each.leg.occupants < self.occupants
        ]

    def switch(self, travelled: TravelledLeg) -> Switch:
        """Return the leg in the same car, shared.

        >>> CommuteByCarpool(detour_s=300.0).detour_s
        300.0
        """
        return Switch(
            change=Change(
                before=travelled.leg,
                replace={mode: mode for mode in OWN_CARS},
                occupants=self.occupants,
            ),
            duration_s=travelled.duration_s + self.detour_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectricCar:
    """Every car leg by an electric car, whose manufacture counts; measured consumption optional.

    >>> ElectricCar().consumption is None
    True
    """

    consumption: Consumption | None = None

    def picks(self, legs: Sequence[TravelledLeg]) -> list[int]:
        """Return every leg by a car that may not be electric yet.

        >>> ElectricCar().picks([])
        []
        """
        return self.reach(legs)

    def reach(self, legs: Sequence[TravelledLeg]) -> list[int]:
        """Return the same: nothing holds it back but the price of the car.

        >>> ElectricCar().reach([])
        []
        """
        electric = TransportMode.CAR_ELECTRIC
        return [
            i
            for i, each in enumerate(legs)
            if each.car_probability > each.leg.modes.get(electric, 0.0)
            and not _is_measured_electric(each.leg)
        ]

    def switch(self, travelled: TravelledLeg) -> Switch:
        """Return the leg by the electric car, in the same time with the same people.

        >>> ElectricCar().reach([])
        []
        """
        others = [mode for mode in OWN_CARS if mode is not TransportMode.CAR_ELECTRIC]
        return Switch(
            change=Change(
                before=travelled.leg,
                replace=dict.fromkeys(others, TransportMode.CAR_ELECTRIC),
                consumption=self.consumption,
            ),
            duration_s=travelled.duration_s,
        )


def _require_positive(number: float, *, field: str) -> None:
    if not 0 < number < math.inf:
        raise InvalidActivity(field, f"expected a finite number above 0, seen {number}")


def _is_measured_electric(leg: LegActivity) -> bool:
    """Tell a car whose measured consumption is electricity: there is nothing left to switch."""
    return leg.consumption is not None and leg.consumption.energy is Energy.ELECTRICITY
