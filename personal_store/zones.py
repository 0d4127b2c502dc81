"""In which zone of a territory a point lies, from outlines on this machine: nothing is asked.

The answer is a proposal: the zone used for sharing is the one that the resident confirms. It is not
the cooperative's own reader of territories; it reads what that one accepts.
Spec: RFC 7946.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from contributions.task import ZONE_CODE
from personal_store.errors import StoreError
from personal_store.trips.cutting import Point

MAX_FILE_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A zone by its official code and name."""

    code: str
    name: str


class Outlines:
    """The zones of a territory, ready to be asked in which of them a point lies."""

    def __init__(self, content: bytes, *, name: str) -> None:
        """Read a GeoJSON FeatureCollection; `name` is what a refusal calls it.

        Raises StoreError when it is no collection of coded, named zones.
        """
        # Imported here: geometry is 20 MB that nothing else of the store needs.
        import shapely  # noqa: PLC0415
        from shapely.geometry import shape  # noqa: PLC0415

        try:
            self._zones = [
                (
                    shape(feature["geometry"]),
                    Zone(
                        code=str(feature["properties"]["code"]),
                        name=str(feature["properties"]["nom"]),
                    ),
                )
                for feature in json.loads(content)["features"]
            ]
            self._at = shapely.Point
        except (ValueError, KeyError, TypeError, AttributeError, shapely.GEOSException):
            raise _not_outlines(name) from None

    def named(self, code: str) -> Zone | None:
        """Return the zone of an official code, None where the territory has none."""
        return next((zone for _, zone in self._zones if zone.code == code), None)

    def zone_of(self, point: Point) -> Zone | None:
        """Return the first zone that covers (lon, lat), None outside all."""
        at = self._at(point)
        return next((zone for outline, zone in self._zones if outline.covers(at)), None)


def read_zones(content: bytes, *, name: str) -> tuple[Zone, ...]:
    """Return the zones that outlines are of, by code and name, without any geometry.

    Raises StoreError when there is none to read; `name` is what the refusal calls the content.
    """
    try:
        named = [feature["properties"] for feature in json.loads(content)["features"]]
        return tuple(Zone(code=str(each["code"]), name=str(each["nom"])) for each in named)
    except (ValueError, KeyError, TypeError):
        raise _not_outlines(name) from None


def stated_zone(code: str, name: str = "") -> Zone:
    """Return the zone that the resident states, under its code where they give no name.

    Raises StoreError for what can be no code.
    """
    code, name = code.strip(), name.strip()
    if not ZONE_CODE.fullmatch(code):
        raise StoreError(
            fr="Une commune s'écrit par son code officiel, par exemple 17300 : vérifiez-le.",
            en="A zone is written by its official code, such as 17300: check it.",
        )
    return Zone(code=code, name=name or code)


def read_outlines(file: Path) -> Outlines:
    """Read a file of outlines; raises StoreError when it is none or above `MAX_FILE_BYTES`."""
    try:
        with file.open("rb") as opened:
            # A larger file is cut here, and is then no JSON.
            return Outlines(opened.read(MAX_FILE_BYTES), name=file.name)
    except OSError:
        raise _not_outlines(file.name) from None


def _not_outlines(name: str) -> StoreError:
    return StoreError(
        fr=f"« {name} » n'a pas la forme attendue : un GeoJSON de communes, avec « code » et "
        "« nom », d'au plus 32 Mo.",
        en=f"“{name}” is not as expected: a GeoJSON of zones with “code” and “nom”, "
        "of at most 32 MB.",
    )
