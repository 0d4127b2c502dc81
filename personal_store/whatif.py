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

# Modes that cost nothing by the kilometre unless the resident says so.
FREE = frozenset(mode for mode in TransportMode if mode.group in (ModeGroup.WALK, ModeGroup.BIKE))
_WORTH_PRICING = 0.05  # probability below which a mode without a price is left out


class ScenarioName(StrEnum):
    """The ways of travelling otherwise that can be asked about."""

    SHORT_CAR_BY_BIKE = "short-car-by-bike"
    COMMUTE_BY_CARPOOL = "commute-by-carpool"
    ELECTRIC_CAR = "electric-car"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Euros out of pocket, and the modes travelled that no price was given for."""

    eur: float
    unpriced: tuple[TransportMode, ...]


def scenario_of(name: ScenarioName) -> Scenario:
    """Return the scenario with its usual limits."""
    if name is ScenarioName.SHORT_CAR_BY_BIKE:
        return ShortCarLegsByBike()
    if name is ScenarioName.COMMUTE_BY_CARPOOL:
        return CommuteByCarpool()
    return ElectricCar()


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
