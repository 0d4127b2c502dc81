"""In which zone of a territory a point lies, from outlines on this machine: nothing is asked.

The answer is a proposal: the zone used for sharing is the one that the resident gives when they
join. It is not the cooperative's own reader of territories; it reads what that one accepts.
Spec: RFC 7946.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from personal_store.errors import StoreError
from personal_store.trips.cutting import Point

MAX_FILE_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A zone by its official code and name."""

    code: str
    name: str


def zone_of(point: Point, outlines: Path) -> Zone | None:
    """Return the zone of a GeoJSON FeatureCollection in which (lon, lat) lies, None outside all.

    Raises StoreError when the file is not such a collection.
    """
    # Imported here: geometry is 20 MB that nothing else of the store needs.
    import shapely  # noqa: PLC0415
    from shapely.geometry import Point as At  # noqa: PLC0415
    from shapely.geometry import shape  # noqa: PLC0415

    try:
        with outlines.open("rb") as file:
            # A larger file is cut here, and is then no JSON.
            features = json.loads(file.read(MAX_FILE_BYTES))["features"]
        for feature in features:
            if shape(feature["geometry"]).covers(At(point)):
                properties = feature["properties"]
                return Zone(code=str(properties["code"]), name=str(properties["nom"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, shapely.GEOSException):
        raise StoreError(
            fr=f"« {outlines.name} » n'a pas la forme attendue : un GeoJSON de communes, avec "
            "« code » et « nom », d'au plus 32 Mo.",
            en=f"“{outlines.name}” is not as expected: a GeoJSON of zones with “code” and “nom”, "
            "of at most 32 MB.",
        ) from None
    return None
