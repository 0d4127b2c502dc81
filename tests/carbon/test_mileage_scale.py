"""The French mileage scale, cell by cell and at its thresholds."""

import hashlib
import json
import math
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon.errors import DateOutsideSet, InvalidCost
from carbon.mileage_scale import MILEAGE_SCALE, ScaleVehicle, load_mileage_scale

SCALE = load_mileage_scale()
CAR, MOTORBIKE, MOPED = ScaleVehicle
POWERS = {
    "cars": (CAR, {"3": (1, 2, 3), "4": (4,), "5": (5,), "6": (6,), "7": (7, 30)}),
    "motorbikes": (MOTORBIKE, {"1-2": (1, 2), "3-5": (3, 4, 5), ">5": (6, 15)}),
    "mopeds": (MOPED, {"": (1, 2)}),
}
# Written down when the file came out: a published file never changes.
RELEASED = "9ef6f125a4317b07a2e265f2d9b67fc8ab6c5cc0af8934cb4b78c3f47e70a9d7"


def eur(distance_km, vehicle=CAR, fiscal_power=5, **options):
    options.setdefault("year", 2026)
    return SCALE.eur(distance_km, vehicle=vehicle, fiscal_power=fiscal_power, **options)


@pytest.mark.parametrize("table", POWERS)
@pytest.mark.parametrize("electric", [False, True])
@pytest.mark.parametrize("year", [2023, 2024, 2025, 2026])
def test_every_cell_is_the_published_one(reference, table, electric, year):
    text = (reference / "carbon" / "bareme_km.json").read_text(encoding="utf-8")
    published = json.loads(text)[table + ("_electric" if electric else "")]
    vehicle, powers = POWERS[table]
    for key, fiscal_powers in powers.items():
        begin = 0
        for up_to, rate, constant in published[key] if key else published:
            distance_km = (begin + (up_to or 40_000)) / 2
            expected = pytest.approx(rate * distance_km + constant, abs=0.005)
            begin = up_to
            for power in fiscal_powers:
                ours = eur(distance_km, vehicle, power, electric=electric, year=year)
                assert ours == expected


@pytest.mark.parametrize(
    ("distance_km", "expected"),
    [(5_000, 3_180.0), (5_001, 0.357 * 5_001 + 1_395), (20_000, 8_535.0), (20_001, 0.427 * 20_001)],
)
def test_a_threshold_belongs_to_the_band_below_it(distance_km, expected):
    assert eur(distance_km) == pytest.approx(expected, abs=0.005)


def test_an_electric_car_takes_the_rounded_table_and_not_six_fifths():
    assert (eur(10_000, electric=True), round(1.2 * eur(10_000), 2)) == (5_954.0, 5_958.0)


@given(st.floats(0, 100_000), st.integers(1, 20), st.sampled_from(ScaleVehicle))
@settings(max_examples=100, deadline=None)
def test_every_distance_and_power_has_a_cost(distance_km, power, vehicle):
    assert 0 <= eur(distance_km, vehicle, power) < math.inf


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("distance_km", {"distance_km": -1}),
        ("distance_km", {"distance_km": math.nan}),
        ("distance_km", {"distance_km": 1e9}),
        ("fiscal_power", {"distance_km": 1, "fiscal_power": 0}),
    ],
)
def test_an_impossible_cost_is_refused_by_field(field, change):
    with pytest.raises(InvalidCost) as caught:
        eur(**change)
    assert caught.value.field == field


@pytest.mark.parametrize("year", [2022, 2027])
def test_a_year_outside_the_scale_is_refused(year):
    with pytest.raises(DateOutsideSet, match="2023 to 2026") as caught:
        eur(100, year=year)
    assert caught.value.field == "year"


def test_the_released_scale_never_changes():
    content = (files("carbon") / "data" / f"{MILEAGE_SCALE}.csv").read_bytes()
    assert SCALE.sha256 == hashlib.sha256(content).hexdigest() == RELEASED


def test_the_sources_page_names_the_file():
    page = (files("carbon") / "data" / "SOURCES.md").read_text(encoding="utf-8")
    assert f"## {MILEAGE_SCALE}" in page


@pytest.mark.parametrize(
    ("field", "change"), [("fiscal_power", {"fiscal_power": 3.5}), ("vehicle", {"vehicle": "boat"})]
)
def test_what_the_scale_does_not_know_is_refused_by_field(field, change):
    known = {"vehicle": ScaleVehicle.CAR, "fiscal_power": 5, "year": 2026}
    with pytest.raises(InvalidCost) as refused:
        load_mileage_scale().eur(100, **(known | change))
    assert refused.value.field == field
