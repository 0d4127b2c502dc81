"""Sharing: measures that a consent does not cover, and documents that a store does not have."""

import re
from dataclasses import replace
from hashlib import sha256

import pytest

from carbon.identity import newest_set
from carbon.modes import TransportMode
from contributions.measures import ELSEWHERE, FactorSetName, Measure, coordinates_for
from personal_store.documents.sharing import preview_sentences
from personal_store.errors import GateClosed, NotAnswerable
from personal_store.jobs import catalogue
from personal_store.transport import Answer

CAR = TransportMode.CAR
FACTORS = FactorSetName(name=newest_set().name, sha256=newest_set().sha256)
OUTLINES = b"""{"features":[{"properties":{"code":"17300","nom":"La Rochelle"},"geometry":
{"type":"Polygon","coordinates":[[[-2,46],[-1,46],[-1,47],[-2,47],[-2,46]]]}}]}"""
DIGEST = sha256(OUTLINES).hexdigest()
DOOR = f"/v1/territories/{DIGEST}"


def asking(*measures, factor_set=FACTORS):
    """Return what a task about these measures says more than one about kilometres."""
    return {
        "coordinates": coordinates_for(measures, zone_codes=["17300"]),
        "factor_set": factor_set if Measure.KG_CO2E in measures else None,
        "territory_sha256": DIGEST if Measure.FLOWS in measures else "",
    }


@pytest.fixture
def everything(resident, cooperative):
    """Return a resident who consented to every measure."""
    fields = (*(measure.purpose_field for measure in Measure), "zone_of_residence")
    resident = replace(resident, purpose=cooperative.publish(fields=fields))
    resident.asked(week="2026-W44")
    resident.give()
    resident.travel({CAR: 120.0})
    return resident


def refused(resident, task):
    """Return why nothing leaves, in English."""
    with pytest.raises(NotAnswerable) as refusal:
        resident.send(task)
    assert resident.cooperative.reports == []
    assert resident.ledger() == []
    return refusal.value.en


@pytest.mark.parametrize(
    "other",
    [replace(FACTORS, name="factors-2099-01-01"), replace(FACTORS, sha256="00" * 32)],
    ids=["another set", "another content"],
)
def test_factors_that_this_version_does_not_have_to_the_byte_are_refused(everything, other):  # P8
    task = everything.asked(**asking(Measure.KG_CO2E, factor_set=other))
    assert other.name in refused(everything, task)


def test_flows_are_refused_without_the_outlines(everything):  # P8
    assert "outlines" in refused(everything, everything.asked(**asking(Measure.FLOWS)))


def test_other_outlines_than_those_named_are_not_kept(everything, cooperative):  # P8
    cooperative.scripted[DOOR] = Answer(status=200, body=OUTLINES + b" ")
    assert "outlines" in refused(everything, everything.asked(**asking(Measure.FLOWS)))


def test_outlines_that_cannot_be_had_stop_no_other_question(everything, cooperative):
    everything.asked(week="2026-W45", **asking(Measure.FLOWS))
    everything.send(everything.asked())
    assert len(cooperative.reports) == 1


def test_outlines_are_fetched_once_and_count_flows(everything, cooperative):
    cooperative.scripted[DOOR] = Answer(status=200, body=OUTLINES)
    task = everything.asked(**asking(Measure.FLOWS))
    catalogue.run_once(everything.store.engine, everything.member, cooperative)
    assert [path for _, path, _ in cooperative.requests].count(DOOR) == 1
    at = [coordinate.label for coordinate in task.coordinates].index("17300")
    exact = everything.send(task).exact
    assert exact[at] == round(1000 / 42 - 0.5)
    assert sum(exact) == exact[at]


def test_flows_name_the_zones_and_elsewhere(everything):
    labels = [each.label for each in everything.asked(**asking(Measure.FLOWS)).coordinates]
    assert labels == ["17300", ELSEWHERE]


@pytest.mark.parametrize("measure", [each for each in Measure if each is not Measure.KILOMETRES])
def test_a_measure_that_the_purpose_does_not_name_does_not_leave(resident, cooperative, measure):
    resident.asked(week="2026-W44")
    resident.give()
    cooperative.scripted[DOOR] = Answer(status=200, body=OUTLINES)
    task = resident.asked(**asking(Measure.KILOMETRES, measure))
    with pytest.raises(GateClosed, match="plus que ce que vous avez accepté"):
        resident.send(task)
    assert cooperative.reports == []


def test_several_measures_leave_in_one_vector_within_one_cap(everything, cooperative):
    task = everything.asked(**asking(Measure.KILOMETRES, Measure.TRIPS, Measure.KG_CO2E))
    exact = everything.send(task).exact
    by_key = dict(zip([each.key for each in task.coordinates], exact, strict=True))
    assert {key for key, units in by_key.items() if units} == {
        (measure, "car") for measure in task.measures
    }
    assert sum(exact) <= task.cap_units
    assert len(cooperative.reports) == 1


def test_the_terminal_names_every_measure_and_part_in_words(everything, cooperative):
    cooperative.scripted[DOOR] = Answer(status=200, body=OUTLINES)
    shown = everything.preview(everything.asked(**asking(*Measure)))
    told = preview_sentences(shown)["en"].partition("What leaves")[0]
    for words in (
        "trips by the zone where they end",
        "07:00 to 08:00",
        "less than 3 km",
        "outside the territory",
        "La Rochelle",
        "on foot",
    ):
        assert words in told
    assert not re.search(r"_|\bh\d\d\b|17300", told)
