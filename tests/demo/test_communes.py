import csv
import subprocess
import sys
from itertools import combinations
from math import acos, cos, radians, sin

import pytest
import shapely
from communes import NOTE, Commune, populations, read_communes, voronoi_zones, zones_geojson
from shapely.geometry import Point, shape


@pytest.fixture(scope="module")
def cells():
    return {
        feature["properties"]["code"]: shape(feature["geometry"])
        for feature in voronoi_zones()["features"]
    }


def test_the_facts_are_those_of_the_published_table(reference):
    with (reference / "geo" / "larochelle_communes.csv").open(encoding="utf-8") as lines:
        published = {
            (
                row["code_insee"],
                row["nom"],
                int(row["pop_municipale_dgcl2026"]),
                float(row["lon"]),
                float(row["lat"]),
            )
            for row in csv.DictReader(lines)
        }
    assert {(c.code, c.name, c.population, c.lon, c.lat) for c in read_communes()} == published


def test_the_populations_sum_to_the_agglomeration():
    assert sum(populations(read_communes()).values()) == 181_057


def test_there_is_one_valid_cell_per_commune(cells):
    assert len(cells) == 28
    assert set(cells) == {commune.code for commune in read_communes()}
    assert all(cell.is_valid and not cell.is_empty for cell in cells.values())


def test_cells_are_disjoint(cells):
    overlap = sum(a.intersection(b).area for a, b in combinations(cells.values(), 2))
    assert overlap < 1e-6 * sum(cell.area for cell in cells.values())


def test_each_cell_contains_its_centre(cells):
    assert all(cells[c.code].contains(Point(c.lon, c.lat)) for c in read_communes())


def test_together_the_cells_cover_the_hull_of_the_centres(cells):
    hull = shapely.MultiPoint([(c.lon, c.lat) for c in read_communes()]).convex_hull
    uncovered = hull.difference(shapely.union_all(list(cells.values())).buffer(1e-6))
    assert uncovered.is_empty


def test_every_place_belongs_to_the_nearest_centre(cells):
    """Independent oracle: distances on the sphere, not the plane that draws the cells."""
    for lon_step in range(13):
        for lat_step in range(11):
            lon, lat = -1.19 + 0.02 * lon_step, 46.04 + 0.02 * lat_step
            nearest = sorted((_angle(c, lon, lat), c.code) for c in read_communes())
            near_a_border = nearest[1][0] - nearest[0][0] < 1e-5
            if not near_a_border and any(cell.contains(Point(lon, lat)) for cell in cells.values()):
                assert cells[nearest[0][1]].contains(Point(lon, lat))


def _angle(commune, lon, lat):
    a, b = radians(commune.lat), radians(lat)
    return acos(sin(a) * sin(b) + cos(a) * cos(b) * cos(radians(commune.lon - lon)))


def test_the_zones_say_that_they_are_approximate():
    zones = voronoi_zones()
    assert zones["note"] == NOTE
    assert set(NOTE) == {"fr", "en"}
    assert all(feature["properties"]["approximate"] is True for feature in zones["features"])


def test_exterior_rings_are_counterclockwise_as_rfc_7946_asks(cells):
    assert all(cell.exterior.is_ccw for cell in cells.values())


def test_the_script_writes_the_same_bytes_each_time(tmp_path, repository):
    out = tmp_path / "zones.geojson"
    script = [sys.executable, str(repository / "demo" / "communes.py"), str(out)]
    subprocess.run(script, check=True, capture_output=True)
    assert out.read_bytes() == zones_geojson()


def test_a_commune_without_residents_is_refused():
    with pytest.raises(ValueError, match="positive population"):
        Commune(code="17300", name="La Rochelle", population=0, lon=-1.18, lat=46.16)
