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
    console = Console(file=StringIO(), width=140)
    console.print(published_table(rows, title="Coop", english=english))
    return " ".join(console.file.getvalue().replace("\u202f", " ").split())


@pytest.mark.parametrize("english", [False, True])
def test_no_code_stands_in_the_published_table(english):
    text = printed([ROW, ROW | {"zone": ""}], english=english)
    assert [word for word in ("two_wheeler", "17300", "kilometres │", "ci95") if word in text] == []


def test_a_published_figure_is_said_with_its_zone_and_its_interval():
    text = printed([ROW, ROW | {"zone": ""}], english=False)
    row = "Kilomètres par mode │ Deux-roues motorisé │ 2 240 km │ de -4 à 4 481"
    assert f"La Rochelle │ {row}" in text
    assert f"Tout le territoire │ {row}" in text


def test_what_is_held_back_has_no_row():
    assert "La Rochelle" not in printed([ROW | {"quality": "suppressed"}], english=False)
