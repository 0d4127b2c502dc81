"""The shipped factors are the published ones, and a set that breaks the format is refused."""

import csv
import dataclasses
import hashlib
from datetime import date, timedelta
from importlib.resources import files

import pytest

from carbon.errors import DateOutsideSet, InvalidActivity, InvalidFactor, NoFactor, UnknownId
from carbon.factors import (
    LATEST,
    Evidence,
    FactorSet,
    FactorUnit,
    U95Basis,
    factor_set_names,
    load_factor_set,
    parse_factor_set,
)
from carbon.modes import TransportMode

DAY = date(2026, 11, 2)
SET = load_factor_set()

# Published files never change: a correction is a new file. Written down when the set came out.
RELEASED = {
    "factors-2026-11": "8f4a1f66ffd5f2c1a91a568a8f676d1cdf866d3555cc8e7702f3dc1c70af6bef",
    "factors-2026-11-22": "aee57ecc05aa68531baa9a6e10ffacb853e1f7b20eec0fa46ed3392175395faf",
}

# Which row of the reference table each factor claims to be: (mode, vehicle, unit).
ORIGINS = {
    "walk.convention.30": ("walk", "", "pkm"),
    "run.convention.30": ("walk", "", "pkm"),
    "bike.mobitool.56": ("bike", "mechanical", "km"),
    "ebike.bc22.28331": ("ebike", "", "km"),
    "escooter.bc22.28329": ("escooter", "electric kick-scooter", "km"),
    "moped.bc23.43775": ("moped", "50 cm3, Mixte 2023", "vkm"),
    "motorbike_small.bc23.43779": ("motorbike", "<=250 cm3 Mixte 2023", "vkm"),
    "motorbike.bc23.43782": ("motorbike", ">250 cm3 Mixte 2023", "vkm"),
    "car.bc22.27970": ("car", "average motorisation 2018", "vkm"),
    "car_petrol.bc22.27965": ("car", "petrol (fleet avg) 2018", "vkm"),
    "car_diesel.bc22.27966": ("car", "diesel (fleet avg) 2018", "vkm"),
    "car_e85.bc22.27969": ("car", "E85 2018", "vkm"),
    "car_lpg.bc22.27968": ("car", "LPG 2018", "vkm"),
    "car_electric.bc22.28007": ("car", "electric compact", "vkm"),
    "car_hybrid.bc22.28008": ("car", "full hybrid compact (P2)", "vkm"),
    "taxi.defra25.taxis-regular": ("taxi", "regular", "pkm"),
    "bus.bc22.27999": ("bus", "avg, agglo 100-250 k inh.", "pkm"),
    "coach.bc23.43740": ("coach", "diesel", "pkm"),
    "tram.bc22.28150": ("tram/metro", "agglo 100-250 k inh. 2018", "pkm"),
    "metro.bc23.43253": ("metro", "Île-de-France 2022", "pkm"),
    "train_ter.bc23.43255": ("ter", "2022 average traction", "pkm"),
    "train_intercites.bc23.43272": ("intercites", "2022", "pkm"),
    "train_tgv.bc23.43256": ("tgv", "2022", "pkm"),
    "plane.bc23.43745": ("plane", "<500 km, 101-220 seats WITH contrails 2023", "pkm"),
    "plane.bc23.43743": ("plane", "500-1000 km, 101-220 seats WITH contrails 2023", "pkm"),
    "plane.bc23.43741": ("plane", "1000-2000 km, 101-220 seats WITH contrails 2023", "pkm"),
    "plane.bc23.43747": ("plane", "2000-5000 km, 101-220 seats WITH contrails 2023", "pkm"),
    "plane.bc23.43749": ("plane", ">5000 km, 101-220 seats WITH contrails 2023", "pkm"),
    "ferry.defra25.ferry-foot-passenger": ("ferry", "foot passenger", "pkm"),
    "moped.bc22.27989": ("moped", "50 cm3, Mixte 2018", "vkm"),
    "motorbike_small.bc22.27992": ("motorbike", "<=250 cm3 Mixte 2018", "vkm"),
    "motorbike.bc22.27995": ("motorbike", ">250 cm3 Mixte 2018", "vkm"),
    "metro.bc22.28147": ("metro", "Île-de-France 2019", "pkm"),
    "train_ter.bc22.28146": ("ter", "2019 average traction", "pkm"),
    "train_intercites.bc22.28144": ("intercites", "2019 (grandes lignes)", "pkm"),
    "train_tgv.bc22.28145": ("tgv", "2019", "pkm"),
}
# Read by hand in the Base Carbone V22.0 file, which the reference table does not quote in full:
# (total, upstream, combustion, contrails, construction).
TYPED_IN = {
    "plane.bc22.28116": (0.305, 0.0287, 0.138, 0.138, 0.00038),
    "plane.bc22.28118": (0.230, 0.0216, 0.104, 0.104, 0.00037),
    "plane.bc22.28120": (0.186, 0.0175, 0.0841, 0.0842, 0.00036),
    "plane.bc22.28124": (0.210, 0.0197, 0.0949, 0.0949, 0.00029),
}
COLUMNS = {
    "life_cycle_kg_co2e_per_km": "total",
    "usage_kg_co2e_per_km": "usage",
    "upstream_kg_co2e_per_km": "usage_upstream",
    "combustion_kg_co2e_per_km": "usage_combustion",
    "contrails_kg_co2e_per_km": "contrails",
    "construction_kg_co2e_per_km": "construction",
}
SETS = [load_factor_set(name) for name in factor_set_names()]
ALL = {factor.id: factor for factor_set in SETS for factor in factor_set.factors}
QUOTED = [factor for factor in ALL.values() if factor.id in ORIGINS]
EVERY_FACTOR = pytest.mark.parametrize("factor", ALL.values(), ids=lambda factor: factor.id)
QUOTED_FACTOR = pytest.mark.parametrize("factor", QUOTED, ids=lambda factor: factor.id)
EVERY_SET = pytest.mark.parametrize("factor_set", SETS, ids=lambda factor_set: factor_set.name)


@pytest.fixture(scope="session")
def published(reference):
    with (reference / "carbon" / "factors.csv").open(encoding="utf-8", newline="") as file:
        return {(row["mode"], row["vehicle"], row["unit"]): row for row in csv.DictReader(file)}


def number(text):
    return float(text) if text else None


def test_every_shipped_factor_has_a_published_origin():
    assert set(ALL) == ORIGINS.keys() | TYPED_IN.keys()


@pytest.mark.parametrize("factor_id", TYPED_IN)
def test_the_parts_of_a_factor_typed_in_by_hand_are_those_of_its_file(factor_id):
    factor = ALL[factor_id]
    assert TYPED_IN[factor_id] == (
        factor.life_cycle_kg_co2e_per_km,
        factor.upstream_kg_co2e_per_km,
        factor.combustion_kg_co2e_per_km,
        factor.contrails_kg_co2e_per_km,
        factor.construction_kg_co2e_per_km,
    )


@QUOTED_FACTOR
def test_a_factors_parts_are_those_published(factor, published):
    row = published[ORIGINS[factor.id]]
    ours = {column: getattr(factor, column) for column in COLUMNS}
    assert ours == {column: number(row[theirs]) for column, theirs in COLUMNS.items()}


@QUOTED_FACTOR
def test_a_factors_provenance_is_that_published(factor, published):
    row = published[ORIGINS[factor.id]]
    provenance = (factor.licence, factor.evidence.value, str(factor.year))
    assert provenance == (row["licence"], row["verified"], row["year"])


@QUOTED_FACTOR
def test_a_published_element_id_is_kept(factor, published):
    row = published[ORIGINS[factor.id]]
    if row["id"].isdigit():
        assert factor.source_id == row["id"]


@QUOTED_FACTOR
def test_a_vehicle_factor_is_per_vehicle_as_published(factor, published):
    row = published[ORIGINS[factor.id]]
    assert (factor.unit is FactorUnit.VKM) == (row["unit"] == "vkm")


@QUOTED_FACTOR
def test_the_uncertainty_is_published_or_said_to_be_chosen(factor, published):
    row = published[ORIGINS[factor.id]]
    if row["uncertainty"]:
        assert factor.u95_percent == float(row["uncertainty"])
    else:
        assert factor.u95_basis is U95Basis.CHOSEN


@EVERY_FACTOR
def test_no_restricted_licence_is_shipped(factor):
    assert "ecoinvent" not in factor.licence


@EVERY_FACTOR
def test_the_sources_page_names_the_factor(factor):
    page = (files("carbon") / "data" / "SOURCES.md").read_text(encoding="utf-8")
    assert f"`{factor.id}`" in page


@EVERY_SET
@pytest.mark.parametrize("mode", TransportMode)
def test_every_mode_has_a_factor_at_an_everyday_distance(factor_set, mode):
    assert factor_set.for_leg(mode, 3_000, DAY)


@pytest.mark.parametrize("mode", TransportMode)
@pytest.mark.parametrize("year", range(2010, 2028))
def test_every_year_of_the_newest_set_has_each_mode(mode, year):
    for distance_m in (3_000, 700_000, 1_500_000, 4_000_000, 9_000_000):
        assert SET.for_leg(mode, distance_m, date(year, 12, 31))


def test_the_newest_set_is_the_one_that_is_loaded():
    assert factor_set_names()[-1] == LATEST


@pytest.mark.parametrize("name", factor_set_names())
def test_a_released_set_never_changes(name):
    assert load_factor_set(name).sha256 == RELEASED[name]


def test_the_hash_of_a_set_of_one_file_is_that_of_its_bytes():
    content = (files("carbon") / "data" / "factors-2026-11.csv").read_bytes()
    assert SETS[0].sha256 == hashlib.sha256(content).hexdigest()


def test_the_hash_of_a_set_of_two_files_is_what_a_stranger_computes():
    """`sha256sum factors-X.csv energies-X.csv | sha256sum`, as SOURCES.md says."""
    names = (f"{LATEST}.csv", f"energies-{LATEST.removeprefix('factors-')}.csv")
    folder = files("carbon") / "data"
    lines = [f"{hashlib.sha256((folder / n).read_bytes()).hexdigest()}  {n}\n" for n in names]
    assert SET.sha256 == hashlib.sha256("".join(lines).encode()).hexdigest()


@pytest.mark.parametrize(
    ("distance_km", "factor_id"),
    [
        (0, "plane.bc22.28116"),
        (499.999, "plane.bc22.28116"),
        (500, "plane.bc23.43743"),
        (1_000, "plane.bc23.43741"),
        (2_000, "plane.bc23.43747"),
        (5_000, "plane.bc23.43749"),
        (17_000, "plane.bc23.43749"),
    ],
)
def test_a_planes_band_follows_from_its_distance(distance_km, factor_id):
    factors = SET.for_leg(TransportMode.PLANE, distance_km * 1000, DAY)
    assert [factor.id for factor in factors] == [factor_id]


@pytest.mark.parametrize(("distance_km", "possible"), [(99.999, False), (100, True)])
def test_an_unknown_leg_may_be_a_flight_only_if_it_is_long(distance_km, possible):
    factors = SET.for_leg(TransportMode.UNKNOWN, distance_km * 1000, DAY)
    assert (TransportMode.PLANE in {factor.mode for factor in factors}) is possible


@EVERY_FACTOR
def test_without_contrails_only_a_plane_changes(factor):
    same = factor.without_contrails == factor.life_cycle
    assert same is (factor.mode is not TransportMode.PLANE)


def test_an_unpublished_split_makes_usage_a_range():
    moped = SET.factor("moped.bc23.43775")
    assert (moped.usage.low, moped.usage.high) == (0, moped.life_cycle.high)


def test_contrails_are_in_the_life_cycle_and_not_in_usage():
    plane = SET.factor("plane.bc23.43743")
    without = plane.life_cycle.value - plane.contrails_kg_co2e_per_km
    assert plane.usage.value < without < plane.life_cycle.value


def test_an_interval_wider_than_its_value_stops_at_zero():
    assert SET.factor("ferry.defra25.ferry-foot-passenger").life_cycle.low == 0


def test_the_first_day_of_validity_counts():
    factor = SET.factor("bus.bc22.27999")
    assert SET.for_leg(factor.mode, 1, factor.valid_from) == (factor,)


def test_the_end_of_validity_is_excluded():
    factor = SET.factor("bus.bc22.27999")
    with pytest.raises(DateOutsideSet, match="2010-01-01, 2028-01-01") as caught:
        SET.for_leg(factor.mode, 1, factor.valid_to)
    assert caught.value.field == "on"


@pytest.mark.parametrize(
    ("on", "factor_id"),
    [
        (date(2019, 6, 1), "train_tgv.bc22.28145"),
        (date(2020, 12, 31), "train_tgv.bc22.28145"),
        (date(2021, 1, 1), "train_tgv.bc23.43256"),
        (date(2026, 11, 22), "train_tgv.bc23.43256"),
    ],
)
def test_the_vintage_whose_reference_year_is_nearest_is_used(on, factor_id):
    assert [f.id for f in SET.for_leg(TransportMode.TRAIN_TGV, 1, on)] == [factor_id]


def test_the_day_chooses_between_two_vintages():
    old = SET.factor("train_tgv.bc23.43256")
    new = dataclasses.replace(
        old, id="newer", valid_from=old.valid_to, valid_to=old.valid_to + timedelta(days=365)
    )
    both = FactorSet(name="two vintages", factors=(old, new), sha256="")
    assert both.for_leg(old.mode, 1, old.valid_to) == (new,)


def test_the_last_day_of_a_set_is_covered():
    assert SET.for_leg(TransportMode.CAR, 1, SET.last_day)


def test_a_mode_without_factor_is_an_error_and_not_zero():
    only_bus = FactorSet(name="bus", factors=(SET.factor("bus.bc22.27999"),), sha256="")
    with pytest.raises(NoFactor, match="'ferry'") as caught:
        only_bus.for_leg(TransportMode.FERRY, 1, DAY)
    assert caught.value.field == "modes"


@pytest.mark.parametrize("distance_m", [-1.0, float("nan"), float("inf")])
def test_an_impossible_distance_finds_no_factor(distance_m):
    with pytest.raises(InvalidActivity) as caught:
        SET.for_leg(TransportMode.CAR, distance_m, DAY)
    assert caught.value.field == "distance_m"


def test_an_unknown_factor_id_is_refused_by_name():
    with pytest.raises(UnknownId, match=r"'car\.bc99\.1'") as caught:
        SET.factor("car.bc99.1")
    assert caught.value.field == "factor_id"


@pytest.mark.parametrize("name", ["factors-1999-01", "../pyproject", ""])
def test_a_set_that_the_package_does_not_carry_is_refused(name):
    with pytest.raises(UnknownId) as caught:
        load_factor_set(name)
    assert caught.value.field == "factor_set"


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("life_cycle_kg_co2e_per_km", {"life_cycle_kg_co2e_per_km": float("nan")}),
        ("u95_percent", {"u95_percent": -1.0}),
        ("id", {"id": ""}),
        ("licence", {"licence": ""}),
        ("valid_to", {"valid_to": date(2010, 1, 1)}),
        ("usage_u95_percent", {"usage_u95_percent": None}),
        ("max_km", {"min_km": 500.0, "max_km": 500.0}),
        ("usage_kg_co2e_per_km", {"combustion_kg_co2e_per_km": 0.3}),
        ("life_cycle_kg_co2e_per_km", {"construction_kg_co2e_per_km": 0.1}),
        ("life_cycle_kg_co2e_per_km", {"life_cycle_kg_co2e_per_km": 0.3}),
        (
            "life_cycle_kg_co2e_per_km",
            {"life_cycle_kg_co2e_per_km": 0.1, "construction_kg_co2e_per_km": None},
        ),
    ],
)
def test_a_factor_that_contradicts_itself_is_refused_by_field(field, change):
    with pytest.raises(InvalidFactor) as caught:
        dataclasses.replace(SET.factor("car_petrol.bc22.27965"), **change)
    assert caught.value.field == field


def test_an_id_used_twice_is_refused():
    with pytest.raises(InvalidFactor, match="twice"):
        FactorSet(name="twice", factors=SET.factors[:1] * 2, sha256="")


def test_a_set_without_factors_is_refused():
    with pytest.raises(InvalidFactor, match="no factor"):
        FactorSet(name="empty", factors=(), sha256="")


def altered(old, new):
    content = (files("carbon") / "data" / f"{LATEST}.csv").read_bytes()
    return content.replace(old, new, 1)


@pytest.mark.parametrize(
    ("field", "content"),
    [
        ("file", altered("Vélo".encode(), b"V\xe9lo")),
        ("file", altered(b"Marche", b'"Mar"che')),
        ("header", b""),
        ("header", altered(b"id,mode", b"mode,id")),
        ("row", altered(b"walk.convention.30,", b"walk.convention.30,,")),
        ("mode", altered(b"30,walk,", b"30,skate,")),
        ("year", altered(b",2026,", b",MMXXVI,")),
        ("valid_from", altered(b"2010-01-01", b"01/01/2010")),
        ("evidence", altered(b"MIT (code),A", b"MIT (code),X")),
        ("usage_kg_co2e_per_km", altered(b",pkm,0,0,", b",pkm,0,zero,")),
        ("u95_percent", altered(b",0,0,chosen", b",,0,chosen")),
        ("life_cycle_kg_co2e_per_km", altered(b",pkm,0,0,", b",pkm,nan,0,")),
    ],
)
def test_a_malformed_factor_file_is_refused_by_field(field, content):
    with pytest.raises(InvalidFactor) as caught:
        parse_factor_set("draft", content)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("factors-2026-11", {"bike.mobitool.56", "plane.bc23.43745"}),
        ("factors-2026-11-22", {"bike.mobitool.56"}),
    ],
)
def test_weak_evidence_is_shown_and_rare(name, expected):
    doubtful = (Evidence.TRANSCRIBED, Evidence.UNVERIFIED)
    factors = load_factor_set(name).factors
    assert {factor.id for factor in factors if factor.evidence in doubtful} == expected
