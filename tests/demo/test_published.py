"""The demonstration prints what was published in words."""

from io import StringIO

import pytest
from published import published_table
from rich.console import Console

ROW = {
    "zone": "17300",
    "indicator": "kilometres",
    "label": "two_wheeler",
    "unit": "km",
    "value": "2240.3",
    "ci95_low": "-4.2",
    "ci95_high": "4481.0",
    "quality": "published",
}


def printed(rows, *, english):
    console = Console(file=StringIO(), width=80)
    console.print(published_table(rows, title="Coop", english=english))
    return " ".join(console.file.getvalue().replace("\u202f", " ").split())


@pytest.mark.parametrize("english", [False, True])
def test_no_code_stands_in_the_published_table(english):
    text = printed([ROW, ROW | {"zone": ""}], english=english)
    assert [word for word in ("two_wheeler", "17300", "kilometres │", "ci95") if word in text] == []


def test_a_published_figure_is_said_with_its_zone_and_its_interval():
    text = printed([ROW | {"zone": ""}, ROW], english=False)
    row = "Deux-roues motorisé │ 2 240 km │ de -4 à 4 481"
    for zone in ("Tout le territoire", "La Rochelle"):
        assert zone in text
    assert text.count(row) == 2


def test_eighty_columns_hold_every_number_whole():
    wide = {"value": "-128823.6", "ci95_low": "-184349.2", "ci95_high": "-126702.1"}
    trips = {"zone": "", "indicator": "short_car_trips", "label": "km_0_3", "unit": "trip"}
    text = printed([ROW | wide, ROW | wide | trips], english=False)
    assert "-128 824 trajets │ de -184 349 à -126 702" in text
    assert "-128 824 km │ de -184 349 à -126 702" in text


def test_what_is_held_back_has_no_row():
    assert "La Rochelle" not in printed([ROW | {"quality": "suppressed"}], english=False)
