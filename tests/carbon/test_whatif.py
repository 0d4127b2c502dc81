"""Counterfactuals over a person's own legs, and what they could change at most."""

import math
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from carbon.activity import LegActivity
from carbon.differences import Change
from carbon.energies import Consumption, Energy
from carbon.errors import InvalidActivity, InvalidCost, NoPrice
from carbon.factors import load_factor_set
from carbon.footprint import total_footprint
from carbon.modes import TransportMode
from carbon.scenarios import (
    CommuteByCarpool,
    ElectricCar,
    ShortCarLegsByBike,
    Switch,
    TravelledLeg,
)
from carbon.whatif import what_if

SET = load_factor_set()
PARIS = ZoneInfo("Europe/Paris")
CAR, BUS, BIKE = TransportMode.CAR_PETROL, TransportMode.BUS, TransportMode.BIKE
MONDAY = date(2026, 11, 2)
PRICES = {CAR: 0.12, BIKE: 0.0, TransportMode.CAR_ELECTRIC: 0.04, BUS: 0.10}


def leg(modes=CAR, distance_km=4.0, *, hour=12, day=0, minutes=10.0, commute=False, **options):
    if isinstance(modes, TransportMode):
        modes = {modes: 1.0}
    start = datetime.combine(MONDAY, datetime.min.time(), PARIS) + timedelta(days=day, hours=hour)
    activity = LegActivity(modes=modes, distance_m=distance_km * 1000, on=start.date(), **options)
    return TravelledLeg(leg=activity, start=start, duration_s=minutes * 60, commute=commute)


def test_a_short_car_leg_by_bike_saves_the_cars_kilometres_but_the_bikes():
    effect = what_if([leg(distance_km=4)], ShortCarLegsByBike(), SET)
    assert effect.difference.life_cycle.value == pytest.approx(4 * (0.0056 - 0.223))


def test_cycling_takes_its_own_time_and_all_of_it_is_active():
    effect = what_if([leg(distance_km=4, minutes=10)], ShortCarLegsByBike(), SET)
    assert (effect.duration_s, effect.active_s) == (pytest.approx(6 * 60), pytest.approx(16 * 60))


def test_cycling_saves_the_fuel():
    effect = what_if([leg(distance_km=4)], ShortCarLegsByBike(), SET, eur_per_km=PRICES)
    assert effect.cost_eur == pytest.approx(-4 * 0.12)


def test_a_driver_with_a_passenger_saves_only_a_share_of_the_fuel():
    shared = leg(distance_km=4, occupants=2)
    effect = what_if([shared], ShortCarLegsByBike(), SET, eur_per_km=PRICES)
    assert effect.cost_eur == pytest.approx(-4 * 0.12 / 2)


@pytest.mark.parametrize(
    ("hour", "picked"), [(5.9, 0), (6, 1), (12, 1), (20.5, 1), (20.9, 0), (21, 0), (23.9, 0)]
)
def test_a_leg_that_begins_or_would_end_at_night_is_not_cycled(hour, picked):
    assert what_if([leg(hour=hour)], ShortCarLegsByBike(), SET).legs == picked


def test_the_ceiling_ignores_the_night():
    effect = what_if([leg(hour=12), leg(hour=23)], ShortCarLegsByBike(), SET)
    ceiling = effect.ceiling.life_cycle.value
    assert (effect.legs, effect.ceiling.legs) == (1, 2)
    assert ceiling == pytest.approx(2 * effect.difference.life_cycle.value)


def test_who_cycles_at_night_reaches_the_ceiling():
    legs = [leg(hour=12), leg(hour=23)]
    effect = what_if(legs, ShortCarLegsByBike(at_night=True), SET)
    assert effect.difference.life_cycle == effect.ceiling.life_cycle


@pytest.mark.parametrize(("distance_km", "picked"), [(4.999, 1), (5.0, 0)])
def test_short_means_under_the_limit(distance_km, picked):
    assert what_if([leg(distance_km=distance_km)], ShortCarLegsByBike(), SET).legs == picked


def test_the_ceiling_tells_many_short_trips_from_few_kilometres():
    """Published distance classes: under 5 km, 55 % of local trips and 11 % of their kilometres."""
    legs = [leg(distance_km=2.2)] * 55 + [leg(distance_km=21.75)] * 45
    ceiling = what_if(legs, ShortCarLegsByBike(), SET).ceiling
    assert ceiling.share_of_car_legs == pytest.approx(0.55)
    assert ceiling.share_of_car_distance == pytest.approx(0.11, abs=0.005)
    assert ceiling.share_of_life_cycle == pytest.approx(-0.11, abs=0.005)


def test_a_doubtful_leg_changes_only_as_far_as_it_was_a_car():
    doubtful = leg({CAR: 0.7, BUS: 0.3}, 4, minutes=10)
    effect = what_if([doubtful], ShortCarLegsByBike(), SET, eur_per_km=PRICES)
    figures = (effect.legs, effect.difference.life_cycle.value, effect.cost_eur)
    assert figures == pytest.approx((0.7, 0.7 * 4 * (0.0056 - 0.223), -0.7 * 4 * 0.12))
    assert (effect.duration_s, effect.active_s) == pytest.approx((0.7 * 360, 0.7 * 960))


def test_a_taxi_or_a_bus_is_not_ones_car():
    assert what_if([leg(BUS), leg(TransportMode.TAXI)], ShortCarLegsByBike(), SET).ceiling.legs == 0


def test_before_is_the_footprint_of_all_legs():
    legs = [leg(), leg(BUS, 7), leg(CAR, 80)]
    before = what_if(legs, ShortCarLegsByBike(), SET).difference.before
    assert before == total_footprint([each.leg for each in legs], SET)


def commutes(weeks=2):
    return [
        leg(CAR, 14, day=7 * week + day, hour=hour, minutes=20, commute=True)
        for week in range(weeks)
        for day in range(5)
        for hour in (8, 17)
    ]


def test_sharing_two_days_a_week_shares_the_way_there_and_back():
    effect = what_if(commutes(), CommuteByCarpool(times_per_week=2), SET, eur_per_km=PRICES)
    assert (effect.legs, effect.ceiling.legs) == (8, 20)
    assert effect.cost_eur == pytest.approx(-8 * 14 * 0.12 / 2)


def test_the_days_shared_are_the_first_ones_of_the_week():
    legs = [leg(CAR, 10 * (day + 1), day=day, commute=True) for day in range(5)]
    effect = what_if(legs, CommuteByCarpool(times_per_week=2), SET)
    assert effect.distance_m == 10_000 + 20_000


def test_sharing_halves_what_is_shared_and_no_more():
    effect = what_if(commutes(), CommuteByCarpool(times_per_week=2), SET)
    assert effect.difference.life_cycle.value == pytest.approx(-8 * 14 * 0.223 / 2)


def test_fetching_each_other_takes_time():
    effect = what_if(commutes(1), CommuteByCarpool(times_per_week=5, detour_s=300), SET)
    assert effect.duration_s == pytest.approx(10 * 300)


def test_a_full_car_and_a_journey_that_is_no_commute_are_left_alone():
    legs = [leg(CAR, 14, commute=True, occupants=3), leg(CAR, 14)]
    assert what_if(legs, CommuteByCarpool(), SET).ceiling.legs == 0


def test_sharing_keeps_the_measured_consumption():
    measured = Consumption(energy=Energy.PETROL, per_100_km=6.0)
    legs = [leg(CAR, 100, commute=True, consumption=measured)]
    usage = what_if(legs, CommuteByCarpool(times_per_week=1), SET).difference.usage
    assert usage.value == pytest.approx(-6 * 2.70 / 2)


def test_an_electric_car_replaces_fuel_and_counts_its_manufacture():
    effect = what_if([leg(CAR, 100)], ElectricCar(), SET, eur_per_km=PRICES)
    figures = (
        effect.difference.usage.value,
        effect.difference.life_cycle.value,
        effect.cost_eur,
        effect.duration_s,
    )
    assert figures == pytest.approx((1.98 - 19.78, 10.3 - 22.3, -8.0, 0.0))


def test_an_electric_cars_own_consumption_counts():
    own = Consumption(energy=Energy.ELECTRICITY, per_100_km=15.0, country="DE")
    usage = what_if([leg(CAR, 100)], ElectricCar(consumption=own), SET).difference.after.usage
    assert usage.value == pytest.approx(15 * 0.461)


def test_a_car_that_is_electric_already_is_left_alone():
    assert what_if([leg(TransportMode.CAR_ELECTRIC, 100)], ElectricCar(), SET).ceiling.legs == 0


def test_the_saving_of_an_electric_car_is_not_sure_of_its_sign_for_one_class():
    """Two class factors, each with its own error: honest about what is not known."""
    change = what_if([leg(CAR, 100)], ElectricCar(), SET).difference.life_cycle
    assert change.low < change.value < 0 < change.high


class WalksByBus:
    """A scenario of somebody else's: the protocol is open."""

    def picks(self, legs):
        return list(range(len(legs)))

    reach = picks

    def switch(self, travelled):
        change = Change(before=travelled.leg, replace={TransportMode.WALK: BUS})
        return Switch(change=change, duration_s=300.0)


def test_giving_up_walking_gives_up_active_minutes():
    effect = what_if([leg(TransportMode.WALK, 1, minutes=12)], WalksByBus(), SET)
    assert (effect.duration_s, effect.active_s) == (-420.0, -720.0)


def test_without_prices_there_is_no_cost_rather_than_none_at_all():
    assert what_if([leg()], ShortCarLegsByBike(), SET).cost_eur is None


def test_a_mode_without_price_is_an_error_and_not_free():
    with pytest.raises(NoPrice, match="'bike'") as caught:
        what_if([leg()], ShortCarLegsByBike(), SET, eur_per_km={CAR: 0.12})
    assert caught.value.field == "eur_per_km"


def test_an_impossible_price_is_refused():
    with pytest.raises(InvalidCost):
        what_if([leg()], ShortCarLegsByBike(), SET, eur_per_km={**PRICES, CAR: math.nan})


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("max_distance_m", lambda: ShortCarLegsByBike(max_distance_m=0)),
        ("speed_km_per_h", lambda: ShortCarLegsByBike(speed_km_per_h=math.nan)),
        ("by", lambda: ShortCarLegsByBike(by=BUS)),
        ("times_per_week", lambda: CommuteByCarpool(times_per_week=0)),
        ("occupants", lambda: CommuteByCarpool(occupants=1)),
        ("duration_s", lambda: leg(minutes=-1)),
        ("start", lambda: TravelledLeg(leg=leg().leg, start=datetime(2026, 1, 1), duration_s=1)),  # noqa: DTZ001
    ],
)
def test_an_impossible_scenario_is_refused_by_field(field, make):
    with pytest.raises(InvalidActivity) as caught:
        make()
    assert caught.value.field == field


def test_nights_may_lie_within_one_day():
    siesta = ShortCarLegsByBike(
        night_from=datetime(2026, 1, 1, 12, tzinfo=PARIS).time(),
        night_to=datetime(2026, 1, 1, 14, tzinfo=PARIS).time(),
    )
    assert what_if([leg(hour=13), leg(hour=23)], siesta, SET).legs == 1


def test_a_car_that_is_measured_as_electric_has_nothing_to_switch():
    own = Consumption(energy=Energy.ELECTRICITY, per_100_km=12)
    driven = leg(TransportMode.CAR, 100, consumption=own)
    effect = what_if([driven], ElectricCar(), SET)
    assert effect.difference.usage.value == 0


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("times_per_week", lambda: CommuteByCarpool(times_per_week=2.5)),
        ("detour_s", lambda: CommuteByCarpool(detour_s=math.nan)),
        ("detour_s", lambda: CommuteByCarpool(detour_s=-60)),
        ("speed_km_per_h", lambda: ShortCarLegsByBike(speed_km_per_h=1e-9)),
    ],
)
def test_a_scenario_outside_its_bounds_is_refused_by_field(field, make):
    with pytest.raises(InvalidActivity) as refused:
        make()
    assert refused.value.field == field
