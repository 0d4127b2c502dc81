"""A comparison says what it compares."""

import dataclasses
from importlib.resources import files

import pytest

from carbon.comparators import (
    COMPARATORS,
    SCOPES,
    Comparator,
    Measure,
    Scope,
    compare,
    load_comparators,
)
from carbon.errors import InvalidActivity, InvalidFactor
from carbon.footprint import Footprint
from carbon.uncertainty import Interval

ALL = load_comparators()
OWN = Footprint(
    usage=Interval(value=1_000.0, low=500.0, high=1_500.0),
    life_cycle=Interval(value=1_200.0, low=600.0, high=1_800.0),
    factor_ids=(),
    factor_set_sha256="",
)


def scope(*parts):
    names = ("upstream", "combustion", "contrails", "construction")
    return Scope(**{name: name in parts for name in names})


@pytest.mark.parametrize(
    ("comparator_id", "measure", "only_ours", "only_theirs"),
    [
        ("fr.emp2019.mobility", "usage", (), ("contrails",)),
        ("fr.emp2019.local", "usage", (), ()),
        ("fr.commuters2022", "usage", ("upstream",), ()),
        ("target.2t", "life_cycle", (), ()),
    ],
)
def test_the_nearest_scope_is_taken_and_the_rest_is_said(
    comparator_id, measure, only_ours, only_theirs
):
    comparison = compare(OWN, ALL[comparator_id], days=365.25)
    assert (comparison.measure, comparison.only_ours, comparison.only_theirs) == (
        Measure(measure),
        only_ours,
        only_theirs,
    )


def test_a_period_is_scaled_to_a_year():
    comparison = compare(OWN, ALL["target.2t"], days=365.25 / 4)
    assert comparison.own_kg_per_year.value == pytest.approx(4_800)


def test_the_ratio_keeps_the_interval():
    ratio = compare(OWN, ALL["target.2t"], days=365.25).ratio
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((0.6, 0.3, 0.9))


def test_two_tonnes_are_said_to_be_for_everything():
    assert "everything" in ALL["target.2t"].subject


def test_the_national_parts_add_up_to_about_the_whole():
    parts = sum(
        ALL[f"fr.emp2019.mobility.{mode}"].kg_co2e_per_year for mode in ("car", "plane", "transit")
    )
    assert parts == pytest.approx(ALL["fr.emp2019.mobility"].kg_co2e_per_year, rel=0.02)


def test_a_figure_that_the_aggregator_published_is_a_comparator():
    commune = Comparator(
        id="published.17300",
        label_fr="Votre secteur",
        label_en="Your sector",
        kg_co2e_per_year=1_100.0,
        subject="mobility",
        who="members who contributed",
        geography="sector 17300",
        year=2026,
        scope=SCOPES[Measure.USAGE],
        source="the cooperative's release of week 2026-W46",
        evidence="A",
    )
    comparison = compare(OWN, commune, days=365.25)
    assert (comparison.only_ours, comparison.only_theirs) == ((), ())


@pytest.mark.parametrize("days", [0, -1, float("nan"), float("inf")])
def test_an_impossible_period_is_refused_by_field(days):
    with pytest.raises(InvalidActivity) as caught:
        compare(OWN, ALL["target.2t"], days=days)
    assert caught.value.field == "days"


@pytest.mark.parametrize(
    ("field", "change"), [("kg_co2e_per_year", {"kg_co2e_per_year": 0}), ("who", {"who": ""})]
)
def test_a_figure_without_meaning_is_refused_by_field(field, change):
    with pytest.raises(InvalidFactor) as caught:
        dataclasses.replace(ALL["target.2t"], **change)
    assert caught.value.field == field


def test_a_scope_names_its_parts_in_order():
    assert scope("construction", "upstream").parts == ("upstream", "construction")


@pytest.mark.parametrize("comparator_id", ALL)
def test_the_sources_page_names_the_comparator(comparator_id):
    page = (files("carbon") / "data" / "SOURCES.md").read_text(encoding="utf-8")
    assert f"## {COMPARATORS}" in page
    assert f"`{comparator_id}`" in page


def test_a_life_cycle_computed_without_contrails_is_not_said_to_count_them():
    comparison = compare(dataclasses.replace(OWN, contrails=False), ALL["target.2t"], days=365.25)
    assert (comparison.measure, comparison.only_theirs) == (Measure.LIFE_CYCLE, ("contrails",))
