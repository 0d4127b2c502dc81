"""What if: the resident's own legs, travelled otherwise; and what legs cost at their own prices.

It turns trips into what `carbon.whatif` computes from, and knows which trips are commutes from
the home and work that the resident confirmed. No price is built in: the resident gives theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from carbon.errors import DateOutsideSet
from carbon.factors import FactorSet
from carbon.modes import ModeGroup, TransportMode
from carbon.other_mode import ByOtherMode, Otherwise
from carbon.scenarios import (
    CommuteByCarpool,
    ElectricCar,
    Scenario,
    ShortCarLegsByBike,
    TravelledLeg,
)
from carbon.whatif import SHARED, Effect, what_if
from personal_store.errors import StoreError
from personal_store.footprint import activity_of, factors_do_not_cover, one_traveller
from personal_store.local_time import local_time
from personal_store.trips.locations import Place, PlaceKind, place_at
from personal_store.trips.timeline import Trip

ENGINES = tuple(
    group for group in ModeGroup if group not in (ModeGroup.WALK, ModeGroup.BIKE, ModeGroup.OTHER)
)
"""The groups that another mode may stand in for."""

# Modes that cost nothing by the kilometre unless the resident says so.
FREE = frozenset(mode for mode in TransportMode if mode.group in (ModeGroup.WALK, ModeGroup.BIKE))
_WORTH_PRICING = 0.05  # probability below which a mode without a price is left out


class ScenarioName(StrEnum):
    """The ways of travelling otherwise that can be asked about."""

    SHORT_CAR_BY_BIKE = "short-car-by-bike"
    COMMUTE_BY_CARPOOL = "commute-by-carpool"
    ELECTRIC_CAR = "electric-car"
    OTHER_MODE = "other-mode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Euros out of pocket, and the modes travelled that no price was given for."""

    eur: float
    unpriced: tuple[TransportMode, ...]


def scenario_of(name: ScenarioName, other: ByOtherMode | None = None) -> Scenario:
    """Return the scenario with its usual limits; `other` is the one that the person composed.

    Raises StoreError where that one is asked for and not given, or given and not asked for.
    """
    if (name is ScenarioName.OTHER_MODE) is (other is None):
        raise StoreError(
            fr="--by bike, train ou carpool va avec le scénario « other-mode », et lui avec --by.",
            en="--by bike, train or carpool goes with the scenario “other-mode”, and it with --by.",
        )
    if other is not None:
        return other
    if name is ScenarioName.SHORT_CAR_BY_BIKE:
        return ShortCarLegsByBike()
    if name is ScenarioName.COMMUTE_BY_CARPOOL:
        return CommuteByCarpool()
    return ElectricCar()


def other_mode(instead_of: ModeGroup, by: Otherwise, *, under_km: float) -> ByOtherMode:
    """Return what a person composed; raise StoreError for a group without an engine."""
    if instead_of not in ENGINES:
        known = ", ".join(each.value for each in ENGINES)
        raise StoreError(
            fr=f"« {instead_of.value} » n'a pas de moteur à remplacer : choisissez parmi {known}.",
            en=f"“{instead_of.value}” has no engine to replace: choose among {known}.",
        )
    return ByOtherMode(instead_of=instead_of, by=by, max_distance_m=1000 * under_km)


def travelled_legs(trips: Sequence[Trip], places: Sequence[Place]) -> list[TravelledLeg]:
    """Return the legs of one traveller, with their clock and whether they are of a commute."""
    return [
        TravelledLeg(
            leg=activity_of(leg),
            start=local_time(leg.start),
            duration_s=(leg.end - leg.start).total_seconds(),
            commute=_is_commute(trip, places),
        )
        for trip in one_traveller(trips)
        for leg in trip.triplegs
        if leg.distance_m > 0
    ]


def effect_of(
    trips: Sequence[Trip],
    scenario: Scenario,
    factor_set: FactorSet,
    *,
    places: Sequence[Place] = (),
    eur_per_km: Mapping[TransportMode, float] | None = None,
) -> Effect:
    """Compute what the scenario would have changed in these trips.

    Raises NoFactors when one of them is older, or newer, than the emission factors.
    """
    legs = travelled_legs(trips, places)
    prices = None if eur_per_km is None else {**dict.fromkeys(FREE, 0.0), **eur_per_km}
    try:
        return what_if(legs, scenario, factor_set, eur_per_km=prices)
    except DateOutsideSet:
        raise factors_do_not_cover(factor_set) from None


def cost_of(trips: Sequence[Trip], eur_per_km: Mapping[TransportMode, float]) -> Cost:
    """Return what the legs cost at these prices, shared by those in a car.

    A mode without a price adds nothing and is listed, unless it was hardly likely.
    """
    prices = {**dict.fromkeys(FREE, 0.0), **eur_per_km}
    eur, unpriced = 0.0, set()
    for trip in one_traveller(trips):
        for leg in trip.triplegs:
            for each in leg.modes:
                if each.mode not in prices:
                    unpriced |= {each.mode} if each.probability >= _WORTH_PRICING else set()
                    continue
                people = (leg.occupants or 1) if each.mode in SHARED else 1
                km = each.probability * leg.distance_m / 1000
                eur += km * prices[each.mode] / people
    return Cost(eur=eur, unpriced=tuple(mode for mode in TransportMode if mode in unpriced))


def read_prices(texts: Sequence[str]) -> dict[TransportMode, float]:
    """Read prices written MODE=EUROS_PER_KM; raise StoreError for one that is not."""
    prices = {}
    for text in texts:
        name, _, amount = text.partition("=")
        try:
            mode, eur = TransportMode(name.strip()), float(amount.replace(",", "."))
        except ValueError:
            eur = -1.0
        if not 0 <= eur < 1000:
            raise StoreError(
                fr=f"Un prix s'écrit MODE=EUROS_PAR_KM, par exemple car=0.11 ; reçu : « {text} ».",
                en=f"A price is written MODE=EUROS_PER_KM, such as car=0.11; seen: “{text}”.",
            )
        prices[mode] = eur
    return prices


def _is_commute(trip: Trip, places: Sequence[Place]) -> bool:
    points = [point for leg in trip.triplegs for point in leg.track]
    if not points:
        return False
    ends = {place_at(point, places) for point in (points[0], points[-1])}
    return {each.kind for each in ends if each} >= {PlaceKind.HOME, PlaceKind.WORK}
