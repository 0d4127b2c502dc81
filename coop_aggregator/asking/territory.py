"""Read a territory: a GeoJSON FeatureCollection of named, coded zones, checked before use.

Not a map library: outlines are kept for one drawing, simplified together so that neighbours still
share their borders. Residents are never placed in a zone here; their own store does that.
Spec: RFC 7946 (WGS 84, longitude first).
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from coop_aggregator.errors import TerritoryRefused

MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_ZONES = 500
MAX_VERTICES = 300_000
MAP_RESOLUTION = 200
"""The drawing needs no detail below 1/200 of the territory's larger side."""

_CODE = re.compile(r"[A-Za-z0-9_-]{1,32}")
_MAX_NAME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneOutline:
    """One zone: official code, name, and its outline as GeoJSON text simplified for the map."""

    code: str
    name: str
    outline: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Territory:
    """Every zone, in order of code, and the digest of the file they came from."""

    zones: tuple[ZoneOutline, ...]
    source_sha256: str


def read_territory(
    path: Path, *, code_property: str = "code", name_property: str = "nom"
) -> Territory:
    """Read and check a GeoJSON file.

    Raises TerritoryRefused with the first thing that is wrong; nothing is guessed or repaired.
    """
    content = _content(path)
    features = _features(content)
    codes: list[str] = []
    names: list[str] = []
    shapes: list[BaseGeometry] = []
    vertex_count = 0
    for rank, feature in enumerate(features, start=1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict):
            raise _refused_zone(rank, "un objet « properties »", "a 'properties' object")
        codes.append(_code(properties.get(code_property), rank, code_property))
        names.append(_name(properties.get(name_property), rank, name_property))
        shape = _shape(feature.get("geometry"), rank)
        vertex_count += shapely.get_num_coordinates(shape)
        if vertex_count > MAX_VERTICES:
            raise _refused(
                f"au plus {MAX_VERTICES} sommets en tout ; simplifiez les contours",
                f"at most {MAX_VERTICES} vertices in all; simplify the outlines",
            )
        shapes.append(shape)
    _refuse_duplicates(codes)
    outlines = _simplified(shapes)
    zones = tuple(
        ZoneOutline(code=code, name=name, outline=outline)
        for code, name, outline in sorted(zip(codes, names, outlines, strict=True))
    )
    return Territory(zones=zones, source_sha256=sha256(content).hexdigest())


def territory_document(zones: Sequence[ZoneOutline]) -> bytes:
    """Return the outlines as stores download them: GeoJSON, the same bytes for the same zones.

    Outlines are those of the map, simplified to 1/200 of the territory's larger side.
    """
    features = [
        {
            "type": "Feature",
            "properties": {"code": zone.code, "nom": zone.name},
            "geometry": json.loads(zone.outline),
        }
        for zone in sorted(zones, key=lambda zone: zone.code)
    ]
    collection = {"type": "FeatureCollection", "features": features}
    return json.dumps(collection, separators=(",", ":"), ensure_ascii=False).encode()


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise _refused(
                f"un fichier d'au plus {MAX_FILE_BYTES // 1024 // 1024} Mo, celui-ci fait "
                f"{size // 1024 // 1024} Mo",
                f"a file of at most {MAX_FILE_BYTES // 1024 // 1024} MB, this one has "
                f"{size // 1024 // 1024} MB",
            )
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise _refused(
            f"un fichier lisible ; « {path.name} » ne l'est pas",
            f"a readable file; '{path.name}' is not",
        ) from error


def _features(content: bytes) -> list[Any]:
    try:
        document = json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _refused("du JSON en UTF-8, complet", "complete JSON in UTF-8") from error
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise _refused(
            'un objet GeoJSON de type "FeatureCollection"',
            'a GeoJSON object of type "FeatureCollection"',
        )
    if "crs" in document and "CRS84" not in json.dumps(document["crs"]):
        raise _refused(
            "des coordonnées WGS 84 (CRS84), sans autre « crs » ; reprojetez le fichier",
            "WGS 84 (CRS84) coordinates and no other 'crs'; reproject the file",
        )
    features = document.get("features")
    if not isinstance(features, list) or not 1 <= len(features) <= MAX_ZONES:
        raise _refused(
            f"entre 1 et {MAX_ZONES} zones dans « features »",
            f"between 1 and {MAX_ZONES} zones in 'features'",
        )
    return features


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _code(value: Any, rank: int, key: str) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _CODE.fullmatch(text):
        raise _refused_zone(
            rank,
            f"un code « {key} » de 1 à 32 lettres, chiffres ou tirets (voir --code-property)",
            f"a code '{key}' of 1 to 32 letters, digits or dashes (see --code-property)",
        )
    return text


def _name(value: Any, rank: int, key: str) -> str:
    text = " ".join(value.split()) if isinstance(value, str) else ""
    if not 1 <= len(text) <= _MAX_NAME or not text.isprintable():
        raise _refused_zone(
            rank,
            f"un nom « {key} » de 1 à {_MAX_NAME} caractères (voir --name-property)",
            f"a name '{key}' of 1 to {_MAX_NAME} characters (see --name-property)",
        )
    return text


def _shape(geometry: Any, rank: int) -> BaseGeometry:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise _refused_zone(rank, "un Polygon ou un MultiPolygon", "a Polygon or MultiPolygon")
    coordinates = geometry.get("coordinates")
    polygons = [coordinates] if kind == "Polygon" else coordinates
    try:
        parts = [_polygon(rings) for rings in _list(polygons)]
        shape = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    except (ValueError, shapely.errors.GEOSException) as error:
        raise _refused_zone(
            rank,
            "des anneaux fermés d'au moins 4 positions [longitude, latitude], en degrés",
            "closed rings of at least 4 positions [longitude, latitude], in degrees",
        ) from error
    if not shape.is_valid or shape.area <= 0:
        raise _refused_zone(
            rank,
            "un contour simple, sans croisement ni recouvrement",
            "a simple outline that neither crosses nor overlaps itself",
        )
    return shape


def _polygon(rings: Any) -> shapely.Polygon:
    read = [list(_positions(ring)) for ring in _list(rings)]
    if any(len(ring) < 4 or ring[0] != ring[-1] for ring in read):
        raise ValueError("a ring is open")
    return shapely.Polygon(read[0], read[1:])


def _positions(ring: Any) -> Iterator[tuple[float, float]]:
    for position in _list(ring):
        lon, lat = [*_list(position), None, None][:2]
        for value, limit in ((lon, 180), (lat, 90)):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise ValueError("not a number")  # noqa: TRY004 - one kind of refusal above
            # Comparing refuses a NaN as well, and an integer too large for a float.
            if not -limit <= value <= limit:
                raise ValueError("out of range")
        yield float(lon), float(lat)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise ValueError("not a list")
    return value


def _refuse_duplicates(codes: list[str]) -> None:
    seen: set[str] = set()
    for code in codes:
        if code in seen:
            raise _refused(
                f"un code par zone ; « {code} » revient deux fois",
                f"one code per zone; '{code}' occurs twice",
            )
        seen.add(code)


def _simplified(shapes: list[BaseGeometry]) -> list[str]:
    west, south, east, north = shapely.total_bounds(shapes)
    tolerance = max(east - west, north - south) / MAP_RESOLUTION
    simplified = shapely.coverage_simplify(shapes, tolerance)
    # A zone smaller than the drawing's detail keeps its full outline rather than vanish.
    drawn = [
        small if not small.is_empty and small.area > 0 else full
        for small, full in zip(simplified, shapes, strict=True)
    ]
    return [shapely.to_geojson(shapely.transform(shape, _rounded)) for shape in drawn]


def _rounded(coordinates: Any) -> Any:
    return coordinates.round(5)


def _refused(fr: str, en: str) -> TerritoryRefused:
    return TerritoryRefused(
        fr=f"Territoire refusé. Attendu : {fr}. Rien n'a été modifié.",
        en=f"Territory refused. Expected: {en}. Nothing was changed.",
    )


def _refused_zone(rank: int, fr: str, en: str) -> TerritoryRefused:
    return _refused(
        f"{fr}, à la zone n° {rank} du fichier", f"{en}, at zone no. {rank} of the file"
    )
