"""What the resident's own legs cost, and what they would have weighed otherwise."""

from datetime import UTC, datetime, timedelta

import pytest

from carbon.factors import load_factor_set
from carbon.modes import TransportMode
from carbon.scenarios import ShortCarLegsByBike
from personal_store.errors import StoreError
from personal_store.footprint import activity_of
from personal_store.trips.locations import Place, PlaceKind
from personal_store.trips.timeline import ModeProbability, ModeSource, Trip, Tripleg
from personal_store.whatif import cost_of, effect_of, read_prices, travelled_legs

NOON = datetime(2026, 11, 9, 12, tzinfo=UTC)
M = TransportMode
HOME = Place(number=1, kind=PlaceKind.HOME, name="Maison", lon=-1.15, lat=46.16)
WORK = Place(number=2, kind=PlaceKind.WORK, name="Bureau", lon=-1.11, lat=46.16)


def trip(mode: TransportMode, km: float = 4.0, occupants: float | None = None) -> Trip:
    leg = Tripleg(
        start=NOON,
        end=NOON + timedelta(minutes=10),
        distance_m=1000 * km,
        gap_m=0.0,
        modes=(ModeProbability(mode=mode, probability=1.0),),
        mode_source=ModeSource.MOTION,
        track=((-1.15, 46.16), (-1.11, 46.16)),
        occupants=occupants,
    )
    return Trip(device="phone", start=leg.start, end=leg.end, triplegs=(leg,))


def test_a_car_shared_by_four_costs_and_weighs_a_quarter() -> None:
    alone, shared = trip(M.CAR), trip(M.CAR, occupants=4)
    prices = {M.CAR: 0.2}
    assert cost_of([shared], prices).eur == pytest.approx(cost_of([alone], prices).eur / 4)
    assert activity_of(shared.triplegs[0]).occupants == 4


def test_walking_costs_nothing_without_being_told() -> None:
    cost = cost_of([trip(M.WALK)], {})
    assert (cost.eur, cost.unpriced) == (0.0, ())


def test_a_mode_without_a_price_is_named_and_not_counted_as_free() -> None:
    cost = cost_of([trip(M.BUS)], {M.CAR: 0.2})
    assert (cost.eur, cost.unpriced) == (0.0, (M.BUS,))


def test_a_short_ride_by_car_done_by_bike_weighs_less() -> None:
    effect = effect_of([trip(M.CAR)], ShortCarLegsByBike(), load_factor_set())
    assert effect.difference.life_cycle.high < 0
    assert effect.legs == 1


def test_a_trip_between_home_and_work_is_a_commute() -> None:
    assert travelled_legs([trip(M.CAR)], [HOME, WORK])[0].commute
    assert not travelled_legs([trip(M.CAR)], [HOME])[0].commute


def test_prices_take_a_french_comma() -> None:
    assert read_prices(["car=0,11", "bus=0.3"]) == {M.CAR: 0.11, M.BUS: 0.3}


@pytest.mark.parametrize("text", ["car", "broom=1", "car=-1", "car=inf", "car=nan", "=3"])
def test_what_is_no_price_is_refused_in_words(text: str) -> None:
    with pytest.raises(StoreError, match=r"car=0\.11"):
        read_prices([text])
