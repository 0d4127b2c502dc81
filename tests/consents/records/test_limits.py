"""Limits of a consent: days and places, strict in, canonical out, left out where there are none."""

import json
from dataclasses import replace

import pytest

from consents.canonical import canonical_bytes
from consents.errors import RecordError
from consents.records.limits import ConsentArea
from consents.records.receipt import ConsentBody

AREA = ConsentArea(outlines_sha256="ab" * 32, zones=("17028", "17300"))


@pytest.mark.parametrize("name", ["weekdays", "area"])
def test_what_limits_nothing_is_left_out_of_the_bytes_so_that_old_commitments_hold(body, name):
    assert name not in body.to_mapping()["limits"]


def test_days_come_back_from_their_bytes(body):
    limited = replace(body, limits=replace(body.limits, weekdays=(1, 5)))
    assert ConsentBody.parse(limited.to_bytes()) == limited
    assert limited.commitment(key=bytes(32)) != body.commitment(key=bytes(32))


@pytest.mark.parametrize("days", [(), (0,), (8,), (2, 1), (1, 1), (True,), ["1"]])
def test_what_is_no_list_of_days_is_refused(body, days):
    with pytest.raises(RecordError, match="Monday"):
        replace(body.limits, weekdays=days)


def test_an_area_comes_back_from_its_bytes(body):
    limited = replace(body, limits=replace(body.limits, area=AREA))
    assert ConsentBody.parse(limited.to_bytes()) == limited
    assert limited.commitment(key=bytes(32)) != body.commitment(key=bytes(32))


SPOILED_AREAS = {
    "no zone": {"zones": []},
    "descending zones": {"zones": ["17300", "17028"]},
    "a zone twice": {"zones": ["17300", "17300"]},
    "a zone that is a number": {"zones": [17300]},
    "a zone that is no code": {"zones": ["La Rochelle"]},
    "zones that are a text": {"zones": "17300"},
    "outlines without digest": {"outlines_sha256": ""},
    "a member too many": {"radius_m": 5},
}


@pytest.mark.parametrize("change", SPOILED_AREAS.values(), ids=SPOILED_AREAS)
def test_an_area_that_breaks_the_schema_is_refused(body, change):
    whole = json.loads(replace(body, limits=replace(body.limits, area=AREA)).to_bytes())
    whole["limits"]["area"] |= change
    with pytest.raises(RecordError):
        ConsentBody.parse(canonical_bytes(whole))


def test_an_area_of_null_is_another_spelling_of_none_and_refused(body):
    whole = json.loads(body.to_bytes())
    whole["limits"]["area"] = None
    with pytest.raises(RecordError):
        ConsentBody.parse(canonical_bytes(whole))
