"""From the trips of a week to the figures that a question asks for, each in its measure's unit.

Everything is counted as expected values: a leg that is 70 % car gives 70 % of its metres, of its
kgCO2e and of its trip to car. A trip counts for the mode of its longest leg. Hours are the
resident's own, departures count where the trip starts in time, flows where it ends in space.

It reads no database and decides nothing about consent; factors and outlines are those that the
task names, checked by the caller.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from carbon.errors import DateOutsideSet
from carbon.factors import FactorSet
from carbon.footprint import footprint_by_mode
from carbon.modes import ModeGroup
from contributions.measures import (
    ELSEWHERE,
    HOURS,
    SHORT_BANDS_KM,
    Key,
    Measure,
)
from contributions.task import Task
from personal_store.errors import NotAnswerable
from personal_store.footprint import (
    activity_of,
    distance_by_group,
    factors_do_not_cover,
    one_traveller,
)
from personal_store.gate import WeekFigures
from personal_store.local_time import local_time
from personal_store.trips.timeline import Trip, Tripleg
from personal_store.zones import Outlines

GROUP_LABELS = frozenset(group.value for group in ModeGroup)
ACTIVE_LABELS = frozenset({ModeGroup.WALK.value, ModeGroup.BIKE.value})


def week_figures(
    trips: Sequence[Trip],
    task: Task,
    *,
    zone: str,
    factors: FactorSet | None = None,
    outlines: Outlines | None = None,
) -> WeekFigures:
    """Return the figures of the task's week; `trips` are those that start in it.

    `factors` are needed where kgCO2e are asked, `outlines` where flows are. Raises NotAnswerable
    for a label that this version cannot count, NoFactors for a trip outside of the factors.
    """
    travelled = one_traveller(trips)
    counted: dict[Key, Fraction] = {}
    for measure in task.measures:
        wanted = {each.label for each in task.coordinates if each.measure is measure}
        if not wanted <= _labels(measure, task):
            raise not_served()
        values = _count(measure, travelled, task, factors=factors, outlines=outlines)
        counted |= {(measure, label): values.get(label, Fraction(0)) for label in wanted}
    return WeekFigures(week=task.week, zone=zone, figures=counted)


def not_served() -> NotAnswerable:
    """Return the refusal of a question that this version cannot count."""
    return NotAnswerable(
        fr="Cette question demande ce que cette version ne sait pas faire : rien ne part. "
        "Mettez le programme à jour.",
        en="This question asks for what this version cannot do: nothing leaves. "
        "Update the program.",
    )


def _labels(measure: Measure, task: Task) -> frozenset[str]:
    match measure:
        case Measure.DEPARTURES:
            return frozenset(HOURS)
        case Measure.SHORT_CAR_TRIPS:
            return frozenset(SHORT_BANDS_KM)
        case Measure.ACTIVE_MINUTES:
            return ACTIVE_LABELS
        case Measure.FLOWS:
            return frozenset({zone.code for zone in task.zones} | {ELSEWHERE})
        case _:
            return GROUP_LABELS


def _count(
    measure: Measure,
    trips: Sequence[Trip],
    task: Task,
    *,
    factors: FactorSet | None,
    outlines: Outlines | None,
) -> dict[str, Fraction]:
    legs = [leg for trip in trips for leg in trip.triplegs]
    shares: Iterable[tuple[str, Fraction]]
    match measure:
        case Measure.KILOMETRES:
            metres = distance_by_group(legs)
            shares = ((group.value, Fraction(metres[group]) / 1000) for group in metres)
        case Measure.TRIPS:
            shares = (share for trip in trips for share in _main_modes(trip).items())
        case Measure.KG_CO2E:
            assert factors is not None, "the caller loads the factors that the task names"
            shares = _emissions(legs, factors)
        case Measure.DEPARTURES:
            shares = ((HOURS[local_time(trip.start).hour], Fraction(1)) for trip in trips)
        case Measure.SHORT_CAR_TRIPS:
            shares = _short_car_trips(trips)
        case Measure.ACTIVE_MINUTES:
            shares = _active_minutes(legs)
        case Measure.FLOWS:
            assert outlines is not None, "the caller reads the outlines that the task names"
            codes = {zone.code for zone in task.zones}
            shares = ((_end_zone(trip, outlines, codes), Fraction(1)) for trip in trips)
    return _summed(shares)


def _summed(shares: Iterable[tuple[str, Fraction]]) -> dict[str, Fraction]:
    total: dict[str, Fraction] = defaultdict(Fraction)
    for label, share in shares:
        total[label] += share
    return dict(total)


def _shares(leg: Tripleg) -> dict[str, Fraction]:
    return _summed((each.mode.group.value, Fraction(each.probability)) for each in leg.modes)


def _main_modes(trip: Trip) -> dict[str, Fraction]:
    return _shares(max(trip.triplegs, key=lambda leg: leg.distance_m))


def _emissions(legs: Sequence[Tripleg], factors: FactorSet) -> Iterator[tuple[str, Fraction]]:
    moved = [activity_of(leg) for leg in legs if leg.distance_m > 0]
    try:
        by_mode = footprint_by_mode(moved, factors)
    except DateOutsideSet:
        raise factors_do_not_cover(factors) from None
    for mode, footprint in by_mode.items():
        yield mode.group.value, Fraction(footprint.life_cycle.value)


def _short_car_trips(trips: Sequence[Trip]) -> Iterator[tuple[str, Fraction]]:
    for trip in trips:
        for label, (low_km, high_km) in SHORT_BANDS_KM.items():
            if 1000 * low_km <= trip.distance_m < 1000 * high_km:
                yield label, _main_modes(trip).get(ModeGroup.CAR.value, Fraction(0))


def _active_minutes(legs: Sequence[Tripleg]) -> Iterator[tuple[str, Fraction]]:
    for leg in legs:
        minutes = Fraction((leg.end - leg.start).total_seconds()) / 60
        for label, share in _shares(leg).items():
            if label in ACTIVE_LABELS:
                yield label, share * minutes


def _end_zone(trip: Trip, outlines: Outlines, codes: set[str]) -> str:
    lon, lat = trip.triplegs[-1].track[-1]
    found = outlines.zone_of((lon, lat))
    return found.code if found is not None and found.code in codes else ELSEWHERE
