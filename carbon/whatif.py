"""What if: a scenario over a person's own legs, in kg, euros, minutes, and its honest ceiling.

Every answer comes with its **ceiling**: the same scenario applied to all legs that it could ever
reach, whatever the hour or the day, and the share of the person's car kilometres that this is.
Short trips are many and their kilometres few: the ceiling says so before anybody is disappointed.
Kilograms carry the interval of the change itself (`carbon.differences`); euros are out of pocket.

It invents no legs and no prices, and does not say what a person should do.

>>> from datetime import date, datetime, timedelta, timezone
>>> from carbon.activity import LegActivity
>>> from carbon.factors import load_factor_set
>>> from carbon.scenarios import ShortCarLegsByBike
>>> leg = LegActivity(modes={TransportMode.CAR: 1.0}, distance_m=4_000, on=date(2026, 11, 2))
>>> start = datetime(2026, 11, 2, 18, 0, tzinfo=timezone(timedelta(hours=1)))
>>> evening = TravelledLeg(leg=leg, start=start, duration_s=600.0)
>>> effect = what_if([evening], ShortCarLegsByBike(), load_factor_set())
>>> round(effect.difference.life_cycle.value, 2), effect.duration_s, effect.active_s
(-0.85, 360.0, 960.0)
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from carbon.differences import Change, Difference, footprint_difference
from carbon.errors import InvalidCost, NoPrice
from carbon.factors import FactorSet
from carbon.modes import ModeGroup, TransportMode
from carbon.scenarios import OWN_CARS, Scenario, Switch, TravelledLeg
from carbon.uncertainty import SignedInterval

# Modes moved by one's own legs; an electric bicycle is, at a lower intensity.
ACTIVE = frozenset({TransportMode.WALK, TransportMode.RUN, TransportMode.BIKE, TransportMode.EBIKE})
# Modes whose price is that of the vehicle's kilometre, shared by those in it.
SHARED = frozenset({*OWN_CARS, *(m for m in TransportMode if m.group is ModeGroup.TWO_WHEELER)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """The most that a scenario could change, for this person and these legs.

    `legs` and `distance_m` are expected: a leg that is 70 % car counts 0.7 times. The shares are
    of the person's expected car legs and car metres; `share_of_life_cycle` says how much of the
    person's whole life-cycle footprint, in these legs, the ceiling would change.

    >>> from carbon.factors import load_factor_set
    >>> from carbon.scenarios import ElectricCar
    >>> what_if([], ElectricCar(), load_factor_set()).ceiling.share_of_car_distance
    0.0
    """

    legs: float
    distance_m: float
    share_of_car_legs: float
    share_of_car_distance: float
    usage: SignedInterval
    life_cycle: SignedInterval
    share_of_life_cycle: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a scenario changes; after less before, so that below zero is less.

    `difference` covers all the legs given, changed or not; `legs` and `distance_m` those that
    change, expected. `cost_eur` is None where no prices were given. Durations are expected seconds;
    `active_s` are those moved by one's own legs.

    >>> from carbon.factors import load_factor_set
    >>> from carbon.scenarios import ElectricCar
    >>> what_if([], ElectricCar(), load_factor_set()).legs
    0.0
    """

    legs: float
    distance_m: float
    difference: Difference
    cost_eur: float | None
    duration_s: float
    active_s: float
    ceiling: Ceiling


def what_if(
    legs: Sequence[TravelledLeg],
    scenario: Scenario,
    factor_set: FactorSet,
    *,
    eur_per_km: Mapping[TransportMode, float] | None = None,
) -> Effect:
    """Compute what the scenario would have changed in these legs.

    `eur_per_km` is what one more kilometre costs out of pocket: of the vehicle for cars and
    motorbikes (`carbon.budget.fuel_eur_per_km`), of the passenger otherwise.

    Raises:
        NoPrice, InvalidCost: a mode that changes has no price, or an impossible one.
        NoFactor, DateOutsideSet: the set lacks one of the modes or days.

    >>> from carbon.factors import load_factor_set
    >>> from carbon.scenarios import ElectricCar
    >>> what_if([], ElectricCar(), load_factor_set(), eur_per_km={}).cost_eur
    0.0

    """
    picked = {i: scenario.switch(legs[i]) for i in scenario.picks(legs)}
    switches = list(picked.values())
    changes = [
        picked[i].change if i in picked else Change(before=each.leg, replace={})
        for i, each in enumerate(legs)
    ]
    difference = footprint_difference(changes, factor_set)
    return Effect(
        legs=math.fsum(switch.change.probability for switch in switches),
        distance_m=_distance_m(switches),
        difference=difference,
        cost_eur=None if eur_per_km is None else _cost_eur(switches, eur_per_km),
        duration_s=math.fsum(
            switch.change.probability * (switch.duration_s - legs[i].duration_s)
            for i, switch in picked.items()
        ),
        active_s=math.fsum(_active_s(legs[i], switch) for i, switch in picked.items()),
        ceiling=_ceiling(legs, scenario, factor_set, difference.before.life_cycle.value),
    )


def _ceiling(
    legs: Sequence[TravelledLeg], scenario: Scenario, factor_set: FactorSet, whole_kg: float
) -> Ceiling:
    switches = [scenario.switch(legs[i]) for i in scenario.reach(legs)]
    difference = footprint_difference([switch.change for switch in switches], factor_set)
    distance_m = _distance_m(switches)
    car_legs = math.fsum(each.car_probability for each in legs)
    car_m = math.fsum(each.car_probability * each.leg.distance_m for each in legs)
    reached = math.fsum(switch.change.probability for switch in switches)
    return Ceiling(
        legs=reached,
        distance_m=distance_m,
        share_of_car_legs=_share(reached, car_legs),
        share_of_car_distance=_share(distance_m, car_m),
        usage=difference.usage,
        life_cycle=difference.life_cycle,
        share_of_life_cycle=_share(difference.life_cycle.value, whole_kg),
    )


def _distance_m(switches: Sequence[Switch]) -> float:
    changes = [switch.change for switch in switches]
    return math.fsum(change.probability * change.before.distance_m for change in changes)


def _cost_eur(switches: Sequence[Switch], eur_per_km: Mapping[TransportMode, float]) -> float:
    cost = 0.0
    for change in (switch.change for switch in switches):
        before = change.before
        after_occupants = before.occupants if change.occupants is None else change.occupants
        for mode, probability in before.modes.items():
            if mode in change.replace and probability > 0:
                after = _price(eur_per_km, change.replace[mode], after_occupants)
                expected_km = probability * before.distance_m / 1000
                cost += expected_km * (after - _price(eur_per_km, mode, before.occupants))
    return cost


def _price(eur_per_km: Mapping[TransportMode, float], mode: TransportMode, people: float) -> float:
    if mode not in eur_per_km:
        raise NoPrice("eur_per_km", f"expected a price of {mode.value!r}, seen none; give one")
    price = eur_per_km[mode]
    if not 0 <= price < math.inf:
        raise InvalidCost("eur_per_km", f"expected a finite number, 0 or more, seen {price}")
    return price / people if mode in SHARED else price


def _active_s(travelled: TravelledLeg, switch: Switch) -> float:
    change = switch.change
    return math.fsum(
        probability
        * (
            switch.duration_s * (change.replace[mode] in ACTIVE)
            - travelled.duration_s * (mode in ACTIVE)
        )
        for mode, probability in change.before.modes.items()
        if mode in change.replace
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
