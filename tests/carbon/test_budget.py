"""A year's mobility in euros: in full, and out of pocket."""

import dataclasses
import math
from importlib.resources import files

import pytest

from carbon.budget import (
    COMMUTE_SUPPORT,
    MobilityPackage,
    MobilityYear,
    Pass,
    VehicleYear,
    fuel_eur_per_km,
    mobility_budget,
    package_rules,
)
from carbon.errors import DateOutsideSet, InvalidCost
from carbon.mileage_scale import ScaleVehicle

CLIO = VehicleYear(
    label="Clio",
    vehicle=ScaleVehicle.CAR,
    fiscal_power=5,
    distance_km=10_000,
    per_100_km=6.0,
    eur_per_unit=1.80,
)
BUS_PASS = Pass(label="bus", price_eur=400.0, employer_share=0.5)


def line(**parts):
    (only,) = mobility_budget(MobilityYear(year=2026, **parts)).lines
    return only.full_cost_eur, only.out_of_pocket_eur


def test_a_car_costs_its_owner_the_scale_and_each_trip_its_fuel():
    assert line(vehicles=(CLIO,)) == (4_965.0, 1_080.0)


def test_tolls_and_parking_come_on_top_of_both():
    on_top = dataclasses.replace(CLIO, tolls_eur=200.0, parking_eur=50.0)
    assert line(vehicles=(on_top,)) == (5_215.0, 1_330.0)


def test_what_passengers_pay_lowers_both():
    shared = dataclasses.replace(CLIO, carpool_income_eur=300.0)
    assert line(vehicles=(shared,)) == (4_665.0, 780.0)


def test_the_employers_share_of_a_pass_leaves_the_purse_alone():
    assert line(passes=(BUS_PASS,)) == (400.0, 200.0)


def test_a_package_is_received():
    assert line(package=MobilityPackage(cycling_and_sharing_eur=300.0)) == (0.0, -300.0)


def test_a_year_adds_its_lines_up():
    year = MobilityYear(
        year=2026,
        vehicles=(CLIO,),
        passes=(BUS_PASS,),
        tickets_eur=120.0,
        package=MobilityPackage(cycling_and_sharing_eur=300.0),
    )
    budget = mobility_budget(year)
    totals = (budget.full_cost_eur, budget.out_of_pocket_eur)
    assert totals == (4_965.0 + 400.0 + 120.0, 1_080.0 + 200.0 + 120.0 - 300.0)


def test_a_year_without_anything_costs_nothing():
    budget = mobility_budget(MobilityYear(year=2026))
    assert (budget.full_cost_eur, budget.out_of_pocket_eur, budget.lines) == (0, 0, ())


@pytest.mark.parametrize(
    ("year", "cycling", "fuel", "refund", "exempt"),
    [
        (2024, 700, 0, 0, 700),
        (2024, 900, 0, 0, 700),
        (2024, 0, 500, 0, 400),
        (2024, 700, 0, 300, 500),
        (2025, 600, 0, 0, 600),
        (2025, 0, 400, 0, 300),
        (2025, 400, 400, 0, 600),
        (2026, 600, 0, 200, 600),
        (2026, 900, 0, 100, 600),
        (2026, 600, 0, 500, 400),
        (2026, 600, 0, 1_000, 0),
    ],
)
def test_a_package_is_exempt_up_to_its_ceilings(year, cycling, fuel, refund, exempt):
    package = MobilityPackage(cycling_and_sharing_eur=cycling, fuel_eur=fuel)
    assert package_rules(year).exempt_eur(package, pass_refund_eur=refund) == exempt


def test_what_is_beyond_the_ceilings_is_taxable():
    given = MobilityPackage(cycling_and_sharing_eur=700.0)
    assert mobility_budget(MobilityYear(year=2026, package=given)).taxable_package_eur == 100.0


def test_an_employer_owes_half_of_a_pass():
    assert package_rules(2026).pass_least_share == 0.5


def test_a_package_of_a_year_without_known_ceilings_is_refused():
    year = MobilityYear(year=2023, package=MobilityPackage(fuel_eur=100.0))
    with pytest.raises(DateOutsideSet) as caught:
        mobility_budget(year)
    assert caught.value.field == "year"


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("per_100_km", lambda: dataclasses.replace(CLIO, per_100_km=-1.0)),
        ("eur_per_unit", lambda: dataclasses.replace(CLIO, eur_per_unit=math.nan)),
        ("tolls_eur", lambda: dataclasses.replace(CLIO, tolls_eur=math.inf)),
        ("carpool_income_eur", lambda: dataclasses.replace(CLIO, carpool_income_eur=-5)),
        ("price_eur", lambda: Pass(label="bus", price_eur=-1)),
        ("employer_share", lambda: Pass(label="bus", price_eur=1, employer_share=50)),
        ("fuel_eur", lambda: MobilityPackage(fuel_eur=-1)),
        ("tickets_eur", lambda: MobilityYear(year=2026, tickets_eur=-1)),
        ("eur_per_unit", lambda: fuel_eur_per_km(per_100_km=6, eur_per_unit=-1)),
        (
            "pass_refund_eur",
            lambda: package_rules(2026).exempt_eur(MobilityPackage(), pass_refund_eur=-1),
        ),
    ],
)
def test_an_impossible_amount_is_refused_by_field(field, make):
    with pytest.raises(InvalidCost) as caught:
        make()
    assert caught.value.field == field


def test_the_sources_page_names_the_file():
    page = (files("carbon") / "data" / "SOURCES.md").read_text(encoding="utf-8")
    assert f"## {COMMUTE_SUPPORT}" in page
