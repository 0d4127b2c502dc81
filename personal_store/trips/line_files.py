"""Read stops and lines of public transport: GTFS zips, GeoJSON, and plain JSON lists of stops.

GTFS (gtfs.org, Schedule): `stops`, `routes`, `trips` and `stop_times`, `shapes` where there are
any; calendars are not read, for a line is a line on Sundays too. GeoJSON: points are stops and
polylines are tracks of the mode that the caller names, or that each feature's `mode` does; the
SNCF's stations with `code_ligne` and `pk` also give chords from one station of a line to the next.
Nothing is fetched. Every file is bounded before it is held.

Spec: gtfs.org/documentation/schedule/reference, RFC 7946.
"""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from carbon.modes import TransportMode
from personal_store.errors import HostileFile, UnreadableFile, WrongFile
from personal_store.trips.lines import REACH, Lines
from personal_store.trips.track import Floats, distances_m, sphere_points

M = TransportMode

MEMBER_BYTES: Final = 2 * 1024**3
"""One table of a feed; Île-de-France's stop times take 0.7 GB."""

JSON_BYTES: Final = 64 * 1024**2
"""A GeoJSON file, which is held whole; the SNCF's list of stations takes 4 MB."""

STOP_TIMES: Final = 20_000_000
"""Rows of stop times; Île-de-France has 12 million."""

CHORD_MAX_M: Final = 25_000.0
"""Metres; a longer chord between two stations misses the track by kilometres (design, trips 5)."""

_KILOMETRE_POINT: Final = re.compile(r"(\d{1,4})[+-](\d{1,4})$")
"""Kilometre and metres along a line of the SNCF; stations without one give no chord."""

_ROUTE_TYPES: Final = {0: M.TRAM, 1: M.METRO, 2: M.TRAIN, 3: M.BUS, 4: M.FERRY, 11: M.BUS}
_EXTENDED: Final = {1: M.TRAIN, 2: M.BUS, 4: M.METRO, 7: M.BUS, 8: M.BUS, 9: M.TRAM, 10: M.FERRY}
"""First digits of the extended route types (hundreds), gtfs.org's extension of 2020."""


@dataclass(slots=True, kw_only=True)
class _Gathered:
    """What a file gave so far; stops are counted by (place, mode)."""

    places: list[tuple[float, float]] = field(default_factory=list)
    modes: list[TransportMode] = field(default_factory=list)
    routes: dict[TransportMode, set[tuple[int, ...]]] = field(default_factory=dict)
    tracks: dict[TransportMode, list[Floats]] = field(default_factory=dict)

    def stop(self, lon: float, lat: float, mode: TransportMode) -> int:
        """Add a stop and return its number."""
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise _damaged()
        self.places.append((lon, lat))
        self.modes.append(mode)
        return len(self.places) - 1

    def lines(self) -> Lines:
        """Return what was gathered, in an order that does not depend on chance."""
        if not self.places and not self.tracks:
            raise WrongFile(
                fr="Ni arrêt ni ligne dans ce fichier : donnez un GTFS (zip) ou un GeoJSON de "
                "points ou de lignes, avec --mode pour un GeoJSON.",
                en="No stop and no line in this file: give a GTFS zip, or a GeoJSON of points or "
                "lines with --mode.",
            )
        places = np.array(self.places, dtype=np.float64).reshape(-1, 2)
        return Lines(
            stop_lon=places[:, 0],
            stop_lat=places[:, 1],
            stop_mode=tuple(self.modes),
            routes={mode: sorted(routes) for mode, routes in self.routes.items()},
            tracks=self.tracks,
        )


def read_lines(path: Path, *, mode: TransportMode | None = None) -> Lines:
    """Return the stops and lines of a file.

    `mode` says what a GeoJSON or JSON list is of; a GTFS says so itself.

    Raises `WrongFile`, `UnreadableFile` or `HostileFile`.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return _gtfs(archive)
        if path.stat().st_size > JSON_BYTES:
            raise _too_large()
        return _json(json.loads(path.read_text("utf-8-sig")), mode)
    except (
        zipfile.BadZipFile,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        OSError,
        EOFError,
    ) as error:
        raise _damaged() from error


def merged(several: Iterable[Lines]) -> Lines:
    """Return the lines of several files as one."""
    gathered = _Gathered()
    for lines in several:
        before = len(gathered.places)
        gathered.places += zip(lines.stop_lon.tolist(), lines.stop_lat.tolist(), strict=True)
        gathered.modes += lines.stop_mode
        for mode, routes in lines.routes.items():
            moved = {tuple(stop + before for stop in route) for route in routes}
            gathered.routes.setdefault(mode, set()).update(moved)
        for mode, tracks in lines.tracks.items():
            gathered.tracks.setdefault(mode, []).extend(tracks)
    return gathered.lines()


def _gtfs(archive: zipfile.ZipFile) -> Lines:
    gathered = _Gathered()
    types = {row["route_id"]: _mode(row["route_type"]) for row in _table(archive, "routes.txt")}
    trips = {
        row["trip_id"]: (mode, row.get("shape_id") or "")
        for row in _table(archive, "trips.txt")
        if (mode := types.get(row["route_id"])) is not None
    }
    calls: dict[str, list[tuple[int, str]]] = {}
    for count, row in enumerate(_table(archive, "stop_times.txt")):
        if count >= STOP_TIMES:
            raise _too_large()
        if row["trip_id"] in trips and row.get("stop_id"):
            calls.setdefault(row["trip_id"], []).append((int(row["stop_sequence"]), row["stop_id"]))
    patterns = {
        (trips[trip][0], tuple(stop for _, stop in sorted(stops))) for trip, stops in calls.items()
    }
    places = {
        row["stop_id"]: (float(row["stop_lon"]), float(row["stop_lat"]))
        for row in _table(archive, "stops.txt")
        if row.get("stop_lon") and row.get("stop_lat")
    }
    numbers: dict[tuple[TransportMode, str], int] = {}
    for mode, stops in sorted(patterns):
        known = [stop for stop in stops if stop in places]
        for stop in known:
            if (mode, stop) not in numbers:
                numbers[mode, stop] = gathered.stop(*places[stop], mode)
        route = tuple(numbers[mode, stop] for stop in known)
        gathered.routes.setdefault(mode, set()).add(route)
    _shapes(archive, {shape: mode for mode, shape in trips.values() if shape}, gathered)
    return gathered.lines()


def _shapes(
    archive: zipfile.ZipFile, modes: Mapping[str, TransportMode], gathered: _Gathered
) -> None:
    """Add the tracks of `shapes.txt`, where the feed has it."""
    if "shapes.txt" not in archive.namelist():
        return
    points: dict[str, list[tuple[int, float, float]]] = {}
    for count, row in enumerate(_table(archive, "shapes.txt")):
        if count >= STOP_TIMES:
            raise _too_large()
        if row["shape_id"] in modes:
            place = (int(row["shape_pt_sequence"]), float(row["shape_pt_lon"]))
            points.setdefault(row["shape_id"], []).append((*place, float(row["shape_pt_lat"])))
    for shape, rows in sorted(points.items()):
        if len(rows) > 1:
            track = np.array(sorted(rows), dtype=np.float64)[:, 1:]
            gathered.tracks.setdefault(modes[shape], []).append(track)


def _table(archive: zipfile.ZipFile, name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a table, refusing one that unpacks to more than any feed needs."""
    if archive.getinfo(name).file_size > MEMBER_BYTES:
        raise _too_large()
    with archive.open(name) as packed:
        yield from csv.DictReader(io.TextIOWrapper(packed, "utf-8-sig", newline=""))


def _mode(route_type: str) -> TransportMode | None:
    """Return the mode of a route type, None where it has no factor of ours (a cable car)."""
    number = int(route_type)
    return _ROUTE_TYPES.get(number) if number < 100 else _EXTENDED.get(number // 100)


def _json(document: Any, mode: TransportMode | None) -> Lines:
    gathered = _Gathered()
    if isinstance(document, list):
        for row in document:
            gathered.stop(float(row["Longitude"]), float(row["Latitude"]), _named(mode, {}))
        return gathered.lines()
    chains: dict[str, list[tuple[float, float, float]]] = {}
    for feature in document["features"]:
        about, geometry = feature.get("properties") or {}, feature.get("geometry") or {}
        _feature(gathered, geometry, _named(mode, about))
        point = _KILOMETRE_POINT.match(str(about.get("pk") or ""))
        if geometry.get("type") == "Point" and about.get("code_ligne") and point:
            kilometre = float(f"{point[1]}.{point[2]}")
            chains.setdefault(about["code_ligne"], []).append(
                (kilometre, float(geometry["coordinates"][0]), float(geometry["coordinates"][1]))
            )
    for _, chain in sorted(chains.items()):
        gathered.tracks.setdefault(M.TRAIN, []).extend(_chords(chain))
    return gathered.lines()


def _feature(gathered: _Gathered, geometry: Mapping[str, Any], mode: TransportMode) -> None:
    kind, places = geometry.get("type"), geometry.get("coordinates")
    if kind == "Point" and places:
        gathered.stop(float(places[0]), float(places[1]), mode)
    elif kind in {"LineString", "MultiLineString"} and places:
        for line in [places] if kind == "LineString" else places:
            track = np.array([place[:2] for place in line], dtype=np.float64)
            if len(track) > 1:
                gathered.tracks.setdefault(mode, []).append(track)


def _chords(chain: list[tuple[float, float, float]]) -> list[Floats]:
    """Return straight pieces between neighbouring stations of one line."""
    places = np.array(sorted(chain), dtype=np.float64)[:, 1:]
    xyz_m = sphere_points(places[:, 0], places[:, 1])
    length_m = distances_m(xyz_m[1:], xyz_m[:-1])
    kept = np.flatnonzero((length_m > 1.0) & (length_m <= CHORD_MAX_M))
    return [places[k : k + 2] for k in kept.tolist()]


def _named(mode: TransportMode | None, about: Mapping[str, Any]) -> TransportMode:
    """Return the mode that a feature or the caller names."""
    found = mode
    if found is None and "mode" in about:
        found = TransportMode(str(about["mode"]))
    if found is None or found not in REACH:
        known = ", ".join(each.value for each in REACH)
        raise WrongFile(
            fr=f"Ce fichier ne dit pas de quel mode il parle : ajoutez --mode ({known}).",
            en=f"This file does not say which mode it is about: add --mode ({known}).",
        )
    return found


def _damaged() -> UnreadableFile:
    return UnreadableFile(
        fr="Ce fichier de lignes est abîmé ou incomplet : téléchargez-le à nouveau.",
        en="This file of lines is damaged or incomplete: download it again.",
    )


def _too_large() -> HostileFile:
    return HostileFile(
        fr="Ce fichier de lignes dépasse ce qu'un réseau contient : vérifiez sa provenance.",
        en="This file of lines is larger than any network: check where it comes from.",
    )
