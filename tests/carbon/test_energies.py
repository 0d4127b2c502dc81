"""What a litre or a kWh emits, and a measured consumption in place of a vehicle's class."""

import csv
import dataclasses
import math
from datetime import date
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon.energies import Consumption, Energy
from carbon.errors import InvalidActivity, InvalidFactor, NoFactor, UnknownId
from carbon.factors import LATEST, load_factor_set, parse_factor_set
from carbon.footprint import LegActivity, leg_footprint, total_footprint
from carbon.modes import TransportMode

DAY = date(2026, 11, 2)
SET = load_factor_set()
CAR = TransportMode.CAR
EVERY_ENERGY = pytest.mark.parametrize("factor", SET.energies, ids=lambda factor: factor.id)


def leg(mode=CAR, distance_km=100.0, **options):
    on = options.pop("on", DAY)
    return LegActivity(modes={mode: 1.0}, distance_m=distance_km * 1000, on=on, **options)


def burning(litres, energy=Energy.PETROL, **options):
    return Consumption(energy=energy, per_100_km=litres, **options)


@EVERY_ENERGY
def test_an_energy_that_the_reference_table_quotes_has_its_value(factor, reference):
    with (reference / "carbon" / "factors.csv").open(encoding="utf-8", newline="") as file:
        quoted = {
            each: float(row["total"])
            for row in csv.DictReader(file)
            if row["mode"] in ("fuel", "electricity")
            for each in row["id"].split("/")
        }
    assert factor.kg_co2e_per_unit == quoted.get(factor.source_id, factor.kg_co2e_per_unit)


def test_most_energies_are_quoted_by_the_reference_table(reference):
    table = (reference / "carbon" / "factors.csv").read_text(encoding="utf-8")
    quoted = {factor.id for factor in SET.energies if factor.source_id in table}
    assert {"petrol.bc22.25763", "diesel.bc22.25775", "grid.bc23.43642"} <= quoted


@EVERY_ENERGY
def test_the_sources_page_names_the_energy(factor):
    page = (files("carbon") / "data" / "SOURCES.md").read_text(encoding="utf-8")
    assert f"`{factor.id}`" in page


def test_a_measured_consumption_beats_the_class():
    footprint = leg_footprint(leg(consumption=burning(5.0)), SET)
    assert footprint.usage.value == pytest.approx(5.0 * 2.70)


def test_the_manufacture_is_still_that_of_the_class():
    footprint = leg_footprint(leg(consumption=burning(5.0)), SET)
    made = footprint.life_cycle.value - footprint.usage.value
    assert made == pytest.approx(100 * (0.223 - 0.1978))


def test_an_electric_car_brings_the_manufacture_of_an_electric_car():
    footprint = leg_footprint(leg(consumption=burning(18.0, Energy.ELECTRICITY)), SET)
    assert "car_electric.bc22.28007" in footprint.factor_ids


def test_a_measured_consumption_is_surer_than_the_class():
    by_class = leg_footprint(leg(TransportMode.CAR_PETROL), SET).usage
    measured = leg_footprint(leg(consumption=burning(7.3, u95_percent=10)), SET).usage
    assert (measured.high - measured.low) < 0.3 * (by_class.high - by_class.low)


def test_the_fuels_error_and_the_measurements_combine_in_quadrature():
    usage = leg_footprint(leg(consumption=burning(7.0, u95_percent=10)), SET).usage
    assert usage.high / usage.value == pytest.approx(1 + (0.1**2 + 0.1**2) ** 0.5)


def test_the_error_of_one_vehicles_consumption_is_shared_by_its_legs():
    year = total_footprint([leg(consumption=burning(7.0, u95_percent=10))] * 100, SET).usage
    assert year.high / year.value == pytest.approx(1 + (0.1**2 + 0.1**2) ** 0.5)


@given(occupants=st.floats(1, 9), litres=st.floats(0.1, 30), distance_km=st.floats(0.01, 2_000))
@settings(max_examples=50, deadline=None)
def test_occupants_share_a_measured_vehicle_exactly_once(occupants, litres, distance_km):
    shared = leg(distance_km=distance_km, occupants=occupants, consumption=burning(litres))
    whole = distance_km * (litres / 100 * 2.70 + (0.223 - 0.1978))
    assert leg_footprint(shared, SET).life_cycle.value * occupants == pytest.approx(whole)


def test_a_consumption_that_no_mode_of_the_leg_can_have_is_refused():
    with pytest.raises(InvalidActivity, match=r"consumption: expected .*car_petrol.* seen bus"):
        leg_footprint(leg(TransportMode.BUS, consumption=burning(5.0)), SET)


def test_where_the_mode_is_in_doubt_a_consumption_is_the_cars_alone():
    either = LegActivity(
        modes={CAR: 0.5, TransportMode.BUS: 0.5},
        distance_m=100_000,
        on=DAY,
        consumption=burning(5.0),
    )
    bus = leg_footprint(leg(TransportMode.BUS), SET).usage.value
    expected = (5.0 * 2.70 + bus) / 2
    assert leg_footprint(either, SET).usage.value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("on", "used", "flag"),
    [
        (date(2019, 5, 1), "grid.bc22.28332", ()),
        (date(2024, 5, 1), "grid.bc23.43642", ()),
        (date(2022, 5, 1), "grid.bc22.37091", ("electricity FR 2022: used FR 2021",)),
        (date(2026, 5, 1), "grid.bc23.43642", ("electricity FR 2026: used FR 2024",)),
    ],
)
def test_electricity_is_that_of_the_year_or_flagged(on, used, flag):
    footprint = leg_footprint(leg(on=on, consumption=burning(18.0, Energy.ELECTRICITY)), SET)
    assert (used in footprint.factor_ids, footprint.fallbacks) == (True, flag)


def test_each_leg_takes_the_electricity_of_its_own_year():
    power = burning(18.0, Energy.ELECTRICITY)
    legs = [leg(on=date(year, 5, 1), consumption=power) for year in (2019, 2020)]
    assert total_footprint(legs, SET).usage.value == pytest.approx(18 * (0.0607 + 0.0599))


def test_a_car_charged_in_germany_is_not_computed_french():
    german = leg(consumption=burning(20.0, Energy.ELECTRICITY, country="DE"))
    assert leg_footprint(german, SET).usage.value == pytest.approx(20 * 0.461)


def test_a_country_without_electricity_gets_the_range_of_all_and_a_flag():
    footprint = leg_footprint(leg(consumption=burning(10.0, Energy.ELECTRICITY, country="NO")), SET)
    low_and_high = (footprint.usage.low, footprint.usage.high)
    assert low_and_high == (pytest.approx(10 * 0.0273 * 0.5), pytest.approx(10 * 0.781 * 1.5))
    assert footprint.fallbacks[0].startswith("electricity NO 2026: used the range of AT, BE,")


def test_manufacture_that_nobody_published_alone_is_a_range():
    """The moped of 2023 has a total only: its manufacture is between nothing and that total."""
    footprint = leg_footprint(leg(TransportMode.MOPED, consumption=burning(2.5)), SET)
    usage, whole = footprint.usage, footprint.life_cycle
    assert whole.value == pytest.approx(usage.value + 8.51 / 2)
    assert whole.high == pytest.approx(
        whole.value + math.hypot(usage.high - usage.value, 8.51 * 1.6 - 8.51 / 2)
    )


def test_an_electric_consumption_cannot_be_that_of_a_diesel_car():
    with pytest.raises(InvalidActivity) as caught:
        leg_footprint(
            leg(TransportMode.CAR_DIESEL, consumption=burning(18.0, Energy.ELECTRICITY)), SET
        )
    assert caught.value.field == "consumption"


def test_the_first_set_has_no_energies_and_says_so():
    with pytest.raises(NoFactor, match="no measured consumption") as caught:
        leg_footprint(leg(consumption=burning(6.0)), load_factor_set("factors-2026-11"))
    assert caught.value.field == "consumption"


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("per_100_km", {"per_100_km": -1.0}),
        ("per_100_km", {"per_100_km": float("nan")}),
        ("per_100_km", {"per_100_km": 5_000.0}),
        ("u95_percent", {"u95_percent": 101.0}),
        ("country", {"country": "fr"}),
        ("country", {"country": "FRA"}),
        ("energy", {"energy": "petrol"}),
    ],
)
def test_an_impossible_consumption_is_refused_by_field(field, change):
    with pytest.raises(InvalidActivity) as caught:
        dataclasses.replace(burning(6.0), **change)
    assert caught.value.field == field


def test_something_else_than_a_consumption_is_refused():
    with pytest.raises(InvalidActivity) as caught:
        leg(consumption=6.0)
    assert caught.value.field == "consumption"


def test_an_unknown_energy_id_is_refused_by_name():
    with pytest.raises(UnknownId, match=r"'petrol\.bc99\.1'"):
        SET.energy("petrol.bc99.1")


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("kg_co2e_per_unit", {"kg_co2e_per_unit": -1.0}),
        ("kg_co2e_per_unit", {"combustion_kg_co2e_per_unit": 9.0}),
        ("u95_percent", {"u95_percent": float("inf")}),
        ("licence", {"licence": ""}),
        ("valid_to", {"valid_to": date(2010, 1, 1)}),
    ],
)
def test_an_energy_that_contradicts_itself_is_refused_by_field(field, change):
    with pytest.raises(InvalidFactor) as caught:
        dataclasses.replace(SET.energy("petrol.bc22.25763"), **change)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("field", "old", "new"),
    [("energy", b",petrol,", b",kerosene,"), ("kg_co2e_per_unit", b",2.7,", b",,")],
)
def test_a_malformed_energy_file_is_refused_by_field(field, old, new):
    folder = files("carbon") / "data"
    energies = (folder / f"energies-{LATEST.removeprefix('factors-')}.csv").read_bytes()
    content = (folder / f"{LATEST}.csv").read_bytes()
    with pytest.raises(InvalidFactor) as caught:
        parse_factor_set("draft", content, energies=energies.replace(old, new, 1))
    assert caught.value.field == field
