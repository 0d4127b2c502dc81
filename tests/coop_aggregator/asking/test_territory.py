"""Territories: real communes come in, hostile files leave one sentence and no trace."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest
import shapely

from contributions.measures import Measure
from coop_aggregator.asking.purposes import default_purpose, publish_purpose
from coop_aggregator.asking.questions import Question, draft_task
from coop_aggregator.asking.territory import MAX_FILE_BYTES, read_territory
from coop_aggregator.db.territories import load_zones, replace_territory
from coop_aggregator.errors import TerritoryRefused


@pytest.fixture
def communes(reference):
    return reference / "geo" / "larochelle_communes_full.geojson"


def polygon(*rings, code="A", name="Zone A", kind="Polygon"):
    return {
        "type": "Feature",
        "properties": {"code": code, "nom": name},
        "geometry": {"type": kind, "coordinates": list(rings)},
    }


RING = [[0, 0], [1, 0], [1, 1], [0, 0]]


def test_the_28_communes_come_in_with_code_and_name(communes):
    zones = {zone.code: zone.name for zone in read_territory(communes).zones}
    assert len(zones) == 28
    assert zones["17300"] == "La Rochelle"


def test_the_drawing_keeps_the_area_of_each_commune(communes):
    full = {
        feature["properties"]["code"]: shapely.from_geojson(json.dumps(feature["geometry"])).area
        for feature in json.loads(communes.read_text())["features"]
    }
    for zone in read_territory(communes).zones:
        assert shapely.from_geojson(zone.outline).area == pytest.approx(full[zone.code], rel=0.05)


def test_neighbours_still_share_their_borders_in_the_drawing(communes):
    drawn = [shapely.from_geojson(zone.outline) for zone in read_territory(communes).zones]
    assert shapely.coverage_is_valid(drawn)


def test_other_property_names_can_be_given(write_territory):
    feature = polygon(RING)
    feature["properties"] = {"insee": 17300, "label": "La  Rochelle"}
    territory = read_territory(
        write_territory([feature]), code_property="insee", name_property="label"
    )
    assert [(zone.code, zone.name) for zone in territory.zones] == [("17300", "La Rochelle")]


BROKEN = {
    "not JSON": b"{",
    "another encoding": '{"type":"FeatureCollection","é":1}'.encode("latin-1"),
    "NaN": b'{"type":"FeatureCollection","features":[NaN]}',
    "a list": b"[]",
    "one feature alone": json.dumps(polygon(RING)).encode(),
    "nesting without end": b"[" * 200_000,
    "nothing": b"",
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_is_no_collection_is_refused(tmp_path, case):
    path = tmp_path / "file.geojson"
    path.write_bytes(BROKEN[case])
    with pytest.raises(TerritoryRefused):
        read_territory(path)


HOSTILE = {
    "no zone": [],
    "too many zones": [polygon(RING, code=str(rank)) for rank in range(501)],
    "a zone that is no object": [7],
    "no properties": [{"type": "Feature", "geometry": polygon(RING)["geometry"]}],
    "no code": [polygon(RING, code=None)],
    "a code with markup": [polygon(RING, code="<b>")],
    "a code that is too long": [polygon(RING, code="A" * 33)],
    "a boolean code": [polygon(RING, code=True)],
    "no name": [polygon(RING, name="  ")],
    "a name with a control character": [polygon(RING, name="a\u0000b")],
    "the same code twice": [polygon(RING), polygon(RING)],
    "a line": [polygon(*RING, kind="LineString")],
    "no geometry": [polygon(RING) | {"geometry": None}],
    "an open ring": [polygon([[0, 0], [1, 0], [1, 1], [0, 1]])],
    "three positions": [polygon([[0, 0], [1, 0], [0, 0]])],
    "a ring that crosses itself": [polygon([[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]])],
    "no area": [polygon([[0, 0], [1, 1], [2, 2], [0, 0]])],
    "a longitude of 181": [polygon([[0, 0], [181, 0], [1, 1], [0, 0]])],
    "metres": [
        polygon([[379000, 6570000], [380000, 6570000], [380000, 6580000], [379000, 6570000]])
    ],
    "a text for a number": [polygon([["0", 0], [1, 0], [1, 1], ["0", 0]])],
    "a boolean for a number": [polygon([[True, 0], [1, 0], [1, 1], [True, 0]])],
    "one number a position": [polygon([[0], [1], [1], [0]])],
    "an empty ring": [polygon([])],
    "an empty multipolygon": [polygon(kind="MultiPolygon")],
    "overlapping parts": [polygon([RING], [RING], kind="MultiPolygon")],
    "a huge number": [polygon([[10**400, 0], [1, 0], [1, 1], [10**400, 0]])],
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_zone_that_cannot_be_used_is_refused(write_territory, case):
    with pytest.raises(TerritoryRefused) as refused:
        read_territory(write_territory(HOSTILE[case]))
    assert "\n" not in refused.value.fr + refused.value.en


def test_other_coordinates_than_wgs84_are_refused(write_territory, squares):
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2154"}}
    with pytest.raises(TerritoryRefused):
        read_territory(write_territory(squares, crs=crs))


def test_a_file_beyond_the_limit_is_not_read(tmp_path):
    path = tmp_path / "huge.geojson"
    with path.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(TerritoryRefused):
        read_territory(path)


def test_too_many_vertices_are_refused(write_territory):
    ring = [[rank / 1e6, (rank % 2) / 1e7] for rank in range(300_001)]
    with pytest.raises(TerritoryRefused, match="sommets"):
        read_territory(write_territory([polygon([*ring, [0, 1], ring[0]])]))


def test_a_folder_is_not_a_file(tmp_path):
    with pytest.raises(TerritoryRefused):
        read_territory(tmp_path)


def test_a_territory_can_be_imported_again(coop, write_territory, squares):
    squares[0]["properties"]["nom"] = "Nouveau nom"
    with coop.leader.database.write() as connection:
        replace_territory(
            connection, read_territory(write_territory(squares)), now=coop.clock.now()
        )
        assert load_zones(connection)[0].name == "Nouveau nom"


def test_a_zone_with_members_cannot_be_taken_away(coop, write_territory, squares):
    coop.resident("C")
    with coop.leader.database.read() as connection:
        before = load_zones(connection)
    fewer = read_territory(write_territory(squares[:2]))
    with pytest.raises(TerritoryRefused), coop.leader.database.write() as connection:
        replace_territory(connection, fewer, now=coop.clock.now())
    with coop.leader.database.read() as connection:
        assert load_zones(connection) == before


@pytest.fixture
def flows(light_coop):
    """Return a question about flows, under a purpose that covers them."""
    leader = light_coop.leader
    purpose = default_purpose(name="Coop", contact="a@coop.example")
    wider = replace(purpose, fields=(*purpose.fields, Measure.FLOWS.purpose_field), version="2")
    with leader.database.write() as connection:
        publish_purpose(connection, leader.log(connection), wider)
        question = Question(week="2026-W47", measures=(Measure.FLOWS,), purpose_digest=wider.digest)
        return draft_task(connection, leader.who, question)


def test_the_outlines_that_a_task_names_are_served_to_the_byte(client, flows):
    answer = client.get(f"/v1/territories/{flows.territory_sha256}")
    assert answer.headers["content-type"] == "application/geo+json"
    assert sha256(answer.content).hexdigest() == flows.territory_sha256
    codes = [feature["properties"]["code"] for feature in answer.json()["features"]]
    assert codes == [zone.code for zone in flows.zones]


def test_outlines_that_a_task_names_outlive_another_import(
    client, light_coop, flows, write_territory, squares
):
    door = f"/v1/territories/{flows.territory_sha256}"
    before = client.get(door).content
    squares[0]["properties"]["nom"] = "Nouveau nom"
    with light_coop.leader.database.write() as connection:
        new = read_territory(write_territory(squares))
        replace_territory(connection, new, now=light_coop.clock.now())
    assert client.get(door).content == before


@pytest.mark.parametrize("name", ["ab" * 32, "ab", "%00"])
@pytest.mark.usefixtures("flows")
def test_outlines_that_no_task_names_are_not_found(client, name):
    assert client.get(f"/v1/territories/{name}").status_code == 404
