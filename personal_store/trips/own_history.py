"""What the resident confirmed of some rides says how likely each vehicle is on the others.

A national survey knows nothing of a resident without a car; twenty confirmed rides do. The survey's
shares are the mean of a Dirichlet that weighs `WEIGHT` rides; the resident's own rides are counted
on top: those they confirmed for certain, and all the others as their mixtures, in turn shared out
by what was learned (the fixed point of Saerens, Latinne and Decaestecker 2002, `ROUNDS` steps of
it). Without the others, whoever corrects only what is wrong would teach that they ride mostly what
motion misses.

Only vehicles that motion confuses (car, bus, tram, metro, train) are shared out anew: how much of
a leg is walked or cycled stays as motion told it, since people rarely confirm a walk. It reads no
database, and speaks of no leg that stronger evidence spoke of.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from math import fsum
from types import MappingProxyType
from typing import Final

from carbon.modes import TransportMode
from personal_store.trips.timeline import ModeProbability, ModeSource, Trip, Tripleg
from personal_store.trips.usage import ALIKE, SURVEY_WEIGHT, USAGE

M = TransportMode
Modes = Sequence[ModeProbability]

WEIGHT: Final = 20.0
"""Rides that the survey weighs: after as many of one's own, both count the same (our judgement)."""

LEAST_RIDES: Final = 10
"""Confirmed rides below which nothing is learned."""

ROUNDS: Final = 3
"""Times that the other rides are shared out; the tenth moved no figure of the benchmark by .03."""

FAMILY: Final[Mapping[TransportMode, TransportMode]] = MappingProxyType(
    {
        **dict.fromkeys((M.CAR, M.CAR_PETROL, M.CAR_DIESEL, M.CAR_E85, M.CAR_LPG), M.CAR),
        **dict.fromkeys((M.CAR_ELECTRIC, M.CAR_HYBRID, M.TAXI), M.CAR),
        **dict.fromkeys((M.MOTORBIKE, M.MOTORBIKE_SMALL, M.MOPED), M.MOTORBIKE),
        **dict.fromkeys((M.BUS, M.COACH), M.BUS),
        M.TRAM: M.TRAM,
        M.METRO: M.METRO,
        **dict.fromkeys((M.TRAIN, M.TRAIN_TER, M.TRAIN_INTERCITES, M.TRAIN_TGV), M.TRAIN),
    }
)
"""The vehicles shared out anew, each with the name under which it is counted."""


def _survey() -> Mapping[TransportMode, float]:
    """Return the share of each family in a prior that motion alone is weighed with."""
    points = dict.fromkeys(FAMILY.values(), 0.0)
    for mode, usage in USAGE.items():
        for alike, share in ALIKE.get(mode, {mode: 1.0}).items():
            if alike in FAMILY:
                points[FAMILY[alike]] += share * usage.points**SURVEY_WEIGHT
    total = fsum(points.values())
    return {family: each / total for family, each in points.items()}


SURVEY: Final[Mapping[TransportMode, float]] = MappingProxyType(_survey())
"""Shares of vehicles before anything is confirmed, which the mixtures of motion hold already."""


def is_enough(confirmed: Mapping[TransportMode, int]) -> bool:
    """Tell whether so many rides were confirmed that something is learned."""
    return _rides_confirmed(confirmed) >= LEAST_RIDES


def learned_odds(
    confirmed: Mapping[TransportMode, int], others: Iterable[Modes] = ()
) -> Mapping[TransportMode, float]:
    """Return by which factor each family's odds change, given how many rides were confirmed.

    `others` are the mixtures of the rides that motion alone judged and nobody confirmed. Modes that
    are no vehicle of `FAMILY` are not counted. Empty below `LEAST_RIDES` rides confirmed.

    >>> odds = learned_odds({TransportMode.TRAIN: 20})
    >>> round(odds[TransportMode.TRAIN], 2), round(odds[TransportMode.CAR], 2)
    (3.18, 0.5)
    """
    if not is_enough(confirmed):
        return {}
    certain = dict.fromkeys(SURVEY, 0.0)
    for mode, count in confirmed.items():
        if mode in FAMILY:
            certain[FAMILY[mode]] += count
    rides = [_by_family(modes) for modes in others]
    odds: Mapping[TransportMode, float] = dict.fromkeys(SURVEY, 1.0)
    for _ in range(ROUNDS):
        odds = _odds(_with_others(certain, rides, odds))
    return odds


def learn(trips: Sequence[Trip], odds: Mapping[TransportMode, float]) -> list[Trip]:
    """Return the trips with the legs that motion alone judged shared out anew."""
    if not odds:
        return list(trips)
    return [
        replace(trip, triplegs=tuple(_shared_out(leg, odds) for leg in trip.triplegs))
        for trip in trips
    ]


def shared_out(modes: Modes, odds: Mapping[TransportMode, float]) -> tuple[ModeProbability, ...]:
    """Return the mixture with its vehicles shared out anew, likeliest first, the same in sum."""
    before = fsum(each.probability for each in modes if each.mode in FAMILY)
    weighted = {
        each.mode: each.probability * odds.get(FAMILY[each.mode], 1.0)
        for each in modes
        if each.mode in FAMILY
    }
    after = fsum(weighted.values())
    if after <= 0.0:
        return tuple(modes)
    changed = [
        replace(each, probability=weighted[each.mode] * before / after)
        if each.mode in weighted
        else each
        for each in modes
    ]
    return tuple(sorted(changed, key=lambda each: (-each.probability, each.mode)))


def _rides_confirmed(confirmed: Mapping[TransportMode, int]) -> int:
    return sum(count for mode, count in confirmed.items() if mode in FAMILY)


def _by_family(modes: Modes) -> Mapping[TransportMode, float]:
    """Return the share of a ride that each family has."""
    shares: dict[TransportMode, float] = {}
    for each in modes:
        if each.mode in FAMILY and each.probability > 0.0:
            family = FAMILY[each.mode]
            shares[family] = shares.get(family, 0.0) + each.probability
    return shares


def _with_others(
    certain: Mapping[TransportMode, float],
    rides: Sequence[Mapping[TransportMode, float]],
    odds: Mapping[TransportMode, float],
) -> Mapping[TransportMode, float]:
    """Return how many rides each family has, those that nobody confirmed shared out by the odds."""
    counted = dict(certain)
    for shares in rides:
        weighted = {family: share * odds[family] for family, share in shares.items()}
        whole, after = sum(shares.values()), sum(weighted.values())
        for family, weight in weighted.items():
            counted[family] += weight * whole / after
    return counted


def _odds(rides: Mapping[TransportMode, float]) -> Mapping[TransportMode, float]:
    """Return by which factor the survey's shares change with these rides counted on top."""
    total = sum(rides.values())
    return {
        family: (WEIGHT * share + rides[family]) / ((WEIGHT + total) * share)
        for family, share in SURVEY.items()
    }


def _shared_out(leg: Tripleg, odds: Mapping[TransportMode, float]) -> Tripleg:
    if leg.mode_source is not ModeSource.MOTION:
        return leg
    return replace(leg, modes=shared_out(leg.modes, odds))
