"""Step 3 of 9 — footprint. In: trips. Out: a `PeriodFootprint`. Next: consent gate.

What the resident's trips weigh, in kgCO2e, over a period, with an interval; and how many
kilometres each mode group accounts for. The factors and their arithmetic are `carbon`'s.
It is not a judgement of the mode: that comes from the trips, with its probabilities.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from carbon.errors import DateOutsideSet
from carbon.factors import FactorSet
from carbon.footprint import Footprint, LegActivity, footprint_by_mode, total_footprint
from carbon.modes import ModeGroup, TransportMode
from personal_store.errors import NoFactors
from personal_store.local_time import local_date
from personal_store.trips.timeline import Trip, Tripleg

# Distance along a recorded track: sampling shortens, noise lengthens. The trip engine measured
# raw tracks 3 to 6 % longer than the same ones thinned to a point every 10 s; 10 % leaves margin.
TRACK_DISTANCE_U95_PERCENT = 10.0
# A gap is a straight line, hence a lower bound: road networks are about 1.2 to 1.4 times as long
# as the crow flies (circuity, e.g. Giacomin and Levinson 2015).
GAP_DISTANCE_U95_PERCENT = 40.0
# Two devices that were on the same journey overlap nearly all of the time.
SAME_JOURNEY_OVERLAP = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodFootprint:
    """The footprint of [start, end): total, by mode, kilometres by mode group.

    `by_mode` shares each leg out by each mode's probability. `distance_m` values are
    expected values: a leg that is 70 % car gives 70 % of its metres to car.
    """

    start: datetime
    end: datetime
    trips: int
    total: Footprint
    by_mode: Mapping[TransportMode, Footprint]
    distance_m: Mapping[ModeGroup, float]
    factor_set: str


def period_footprint(
    trips: Sequence[Trip], factor_set: FactorSet, *, start: datetime, end: datetime
) -> PeriodFootprint:
    """Compute the footprint of the trips of [start, end), as the caller cut that period.

    Raises NoFactors when one of them is older, or newer, than the emission factors.
    """
    travelled = one_traveller(trips)
    legs = [leg for trip in travelled for leg in trip.triplegs if leg.distance_m > 0]
    activities = [activity_of(leg) for leg in legs]
    try:
        total = total_footprint(activities, factor_set)
        by_mode = footprint_by_mode(activities, factor_set)
    except DateOutsideSet:
        raise factors_do_not_cover(factor_set) from None
    return PeriodFootprint(
        start=start,
        end=end,
        trips=len(travelled),
        total=total,
        by_mode=by_mode,
        distance_m=distance_by_group(legs),
        factor_set=factor_set.name,
    )


def total_of(trips: Sequence[Trip], factor_set: FactorSet) -> Footprint:
    """Compute what these trips weigh in all; the errors that they share add up as shared.

    Raises NoFactors when one of them is older, or newer, than the emission factors.
    """
    legs = [leg for trip in one_traveller(trips) for leg in trip.triplegs if leg.distance_m > 0]
    try:
        return total_footprint([activity_of(leg) for leg in legs], factor_set)
    except DateOutsideSet:
        raise factors_do_not_cover(factor_set) from None


def one_traveller(trips: Sequence[Trip]) -> list[Trip]:
    """Keep one trip where several devices recorded the same journey, in time order.

    A phone and a bike computer on the same ride must not count twice. The trip with the longer
    record wins; a trip of which at least half overlaps a kept one of another device is dropped.
    """
    kept: list[Trip] = []
    cluster: list[Trip] = []
    for trip in sorted(trips, key=lambda each: each.start):
        if cluster and trip.start > max(each.end for each in cluster):
            kept += _one_of_each_journey(cluster)
            cluster = []
        cluster.append(trip)
    kept += _one_of_each_journey(cluster)
    return sorted(kept, key=lambda each: each.start)


def distance_by_group(legs: Sequence[Tripleg]) -> dict[ModeGroup, float]:
    """Return the expected metres of each mode group, every group present."""
    metres: dict[ModeGroup, float] = defaultdict(float)
    for leg in legs:
        for each in leg.modes:
            metres[each.mode.group] += each.probability * leg.distance_m
    return {group: metres[group] for group in ModeGroup}


def _one_of_each_journey(cluster: Sequence[Trip]) -> list[Trip]:
    kept: list[Trip] = []
    for trip in sorted(cluster, key=lambda each: (each.start - each.end, each.start, each.device)):
        if not any(_same_journey(trip, other) for other in kept):
            kept.append(trip)
    return kept


def activity_of(leg: Tripleg) -> LegActivity:
    """Return what the carbon package computes from; the leg is longer than nothing.

    Where nobody said how many were in the vehicle, the resident is taken to be alone in it: the
    figure is then an upper bound for a shared car.
    """
    gap_share = leg.gap_m / leg.distance_m
    return LegActivity(
        modes={each.mode: each.probability for each in leg.modes},
        distance_m=leg.distance_m,
        on=local_date(leg.start),
        occupants=leg.occupants or 1,
        distance_u95_percent=TRACK_DISTANCE_U95_PERCENT * (1 - gap_share)
        + GAP_DISTANCE_U95_PERCENT * gap_share,
    )


def _same_journey(trip: Trip, other: Trip) -> bool:
    if trip.device == other.device:
        return False
    shared = min(trip.end, other.end) - max(trip.start, other.start)
    return shared >= SAME_JOURNEY_OVERLAP * (trip.end - trip.start)


def factors_do_not_cover(factor_set: FactorSet) -> NoFactors:
    """Return the refusal of a period in which a trip lies outside the factors."""
    first = min(factor.valid_from for factor in factor_set.factors).year
    last = factor_set.last_day.year
    return NoFactors(
        fr=f"Les facteurs d'émission {factor_set.name} vont de {first} à {last}, et un déplacement "
        "de cette période en sort : choisissez une autre période, ou mettez le programme à jour.",
        en=f"The emission factors {factor_set.name} run from {first} to {last}, and a trip of "
        "this period lies outside: choose another period, or update the program.",
    )
