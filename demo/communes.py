"""The 28 communes of the agglomeration of La Rochelle, and approximate zones for the demo.

Facts: code, name, municipal population and centre of each commune (`communes.csv`). The zones
are Voronoi cells around the centres: every place belongs to the nearest centre. They are not
the communes' limits, and every output says so; a territory imports its own official limits with
`coop-aggregator territory import`.

Source: Code officiel géographique (Insee) for codes, names and centres; DGCL, municipal
populations in force in 2026, for the communauté d'agglomération de La Rochelle (SIREN 241700434).

    python demo/communes.py zones.geojson
"""

import csv
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry.polygon import orient

TABLE = Path(__file__).with_name("communes.csv")
SOURCE = "Code officiel géographique (Insee) ; DGCL 2026"
NOTE = {
    "fr": "Zones approximatives : cellules de Voronoï autour des centres des communes. "
    "Ce ne sont pas les limites des communes.",
    "en": "Approximate zones: Voronoi cells around the communes' centres. "
    "They are not the communes' limits.",
}
MARGIN_M = 3_000
"""How far the outermost cells reach beyond the hull of the centres, in metres."""

_METRES_PER_DEGREE = 6_371_008.8 * math.pi / 180
"""Length of one degree of a great circle, in metres (IUGG mean Earth radius)."""
_DECIMALS = 6
"""Decimals of a degree kept in the output: about 0.1 m."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commune:
    """One commune: its Insee code, name, municipal population and centre (WGS 84 degrees)."""

    code: str
    name: str
    population: int
    lon: float
    lat: float

    def __post_init__(self) -> None:
        """Refuse a row that is not a commune."""
        if len(self.code) != 5 or not self.name or self.population <= 0:
            raise ValueError("expected a 5-character code, a name and a positive population")
        if not (-180 <= self.lon <= 180 and -90 <= self.lat <= 90):
            raise ValueError("expected WGS 84 degrees")


def read_communes(table: Path = TABLE) -> tuple[Commune, ...]:
    """Read the communes, in the order of their codes."""
    with table.open(encoding="utf-8", newline="") as lines:
        rows = [
            Commune(
                code=row["code"],
                name=row["name"],
                population=int(row["population"]),
                lon=float(row["lon"]),
                lat=float(row["lat"]),
            )
            for row in csv.DictReader(lines)
        ]
    return tuple(sorted(rows, key=lambda commune: commune.code))


def populations(communes: Sequence[Commune]) -> dict[str, int]:
    """Return the municipal population of each commune by its code."""
    return {commune.code: commune.population for commune in communes}


def voronoi_zones(communes: Sequence[Commune] | None = None) -> dict[str, Any]:
    """Return one Voronoi cell per commune as a GeoJSON FeatureCollection.

    Cells are drawn on a plane in metres around the mean latitude, clipped to the convex hull of
    the centres widened by `MARGIN_M`, and given in WGS 84 degrees (RFC 7946). Properties of a
    feature: `code`, `nom`, `population`, `approximate` (always true).
    """
    communes = read_communes() if communes is None else communes
    stretch = math.cos(math.radians(sum(each.lat for each in communes) / len(communes)))
    centres = shapely.MultiPoint(
        [
            (each.lon * _METRES_PER_DEGREE * stretch, each.lat * _METRES_PER_DEGREE)
            for each in communes
        ]
    )
    territory = centres.convex_hull.buffer(MARGIN_M)
    cells = shapely.voronoi_polygons(centres, extend_to=territory, ordered=True)
    features = [
        _feature(commune, shapely.intersection(cell, territory), stretch)
        for commune, cell in zip(communes, cells.geoms, strict=True)
    ]
    return {"type": "FeatureCollection", "note": NOTE, "source": SOURCE, "features": features}


def zones_geojson() -> bytes:
    """Return the zones as the bytes of a GeoJSON file, the same at every call."""
    return (json.dumps(voronoi_zones(), ensure_ascii=False, indent=1) + "\n").encode()


def main(arguments: Sequence[str]) -> int:
    """Write the zones to the file named by the only argument."""
    if len(arguments) != 1:
        print("usage: python demo/communes.py OUT.geojson", file=sys.stderr)
        return 2
    out = Path(arguments[0])
    out.write_bytes(zones_geojson())
    print(f"{out}: {len(read_communes())} zones", file=sys.stderr)
    return 0


def _feature(commune: Commune, cell: Any, stretch: float) -> dict[str, Any]:
    """Return the GeoJSON feature of a cell given on the plane in metres."""
    ring = orient(shapely.normalize(cell)).exterior.coords
    degrees = [
        [
            round(x / _METRES_PER_DEGREE / stretch, _DECIMALS),
            round(y / _METRES_PER_DEGREE, _DECIMALS),
        ]
        for x, y in ring
    ]
    return {
        "type": "Feature",
        "properties": {
            "code": commune.code,
            "nom": commune.name,
            "population": commune.population,
            "approximate": True,
        },
        "geometry": {"type": "Polygon", "coordinates": [degrees]},
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
