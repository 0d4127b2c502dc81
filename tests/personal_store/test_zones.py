"""In which zone home lies: told from a file on this machine."""

import json
from pathlib import Path

import pytest

from personal_store.errors import StoreError
from personal_store.zones import Zone, read_outlines

SQUARE = [[[-2.0, 46.0], [-1.0, 46.0], [-1.0, 47.0], [-2.0, 47.0], [-2.0, 46.0]]]


@pytest.fixture
def outlines(tmp_path: Path) -> Path:
    feature = {
        "type": "Feature",
        "properties": {"code": "17300", "nom": "La Rochelle"},
        "geometry": {"type": "Polygon", "coordinates": SQUARE},
    }
    file = tmp_path / "zones.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return file


def test_a_point_inside_is_in_its_zone(outlines: Path) -> None:
    assert read_outlines(outlines).zone_of((-1.15, 46.16)) == Zone(code="17300", name="La Rochelle")


def test_a_point_outside_is_in_none(outlines: Path) -> None:
    assert read_outlines(outlines).zone_of((2.35, 48.85)) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"features": [1]}', '{"features": [{}]}'])
def test_another_file_is_refused_in_words(tmp_path: Path, text: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(text)
    with pytest.raises(StoreError, match=r"other\.json"):
        read_outlines(file).zone_of((-1.15, 46.16))
