"""The line_file table: stops and lines of public transport that the resident imported.

Each file is kept as what was read from it, packed; the file itself is not needed again. It holds
public facts only, but which ones were chosen tells a region, so it lies in the encrypted database.
"""

import json
import zlib
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from personal_store.db.tables import line_file
from personal_store.db.units import to_ms

if TYPE_CHECKING:
    from personal_store.trips.lines import Lines


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFile:
    """An imported file: its name, and how many stops, routes and tracks it gave."""

    name: str
    stops: int
    routes: int
    tracks: int


def add(connection: Connection, lines: "Lines", *, name: str, at: datetime) -> LineFile:
    """Keep the lines of a file; a file of the same name is replaced."""
    file = LineFile(
        name=name,
        stops=len(lines.stop_mode),
        routes=sum(len(routes) for routes in lines.routes.values()),
        tracks=sum(len(tracks) for tracks in lines.tracks.values()),
    )
    row = asdict(file) | {
        "imported_at_ms": to_ms(at),
        "document": zlib.compress(json.dumps(_document(lines)).encode()),
    }
    adding = insert(line_file).values(row)
    connection.execute(adding.on_conflict_do_update(index_elements=["name"], set_=row))
    return file


def listed(connection: Connection) -> list[LineFile]:
    """Return the imported files by name."""
    columns = (line_file.c.name, line_file.c.stops, line_file.c.routes, line_file.c.tracks)
    rows = connection.execute(select(*columns).order_by(line_file.c.name))
    return [LineFile(name=row[0], stops=row[1], routes=row[2], tracks=row[3]) for row in rows]


def forget(connection: Connection, *, name: str) -> bool:
    """Remove a file; tell whether it was there."""
    return connection.execute(delete(line_file).where(line_file.c.name == name)).rowcount > 0


def every(connection: Connection) -> "list[Lines]":
    """Return the lines of every file, by name."""
    rows = connection.scalars(select(line_file.c.document).order_by(line_file.c.name))
    return [_lines(json.loads(zlib.decompress(row))) for row in rows]


def _document(lines: "Lines") -> dict[str, Any]:
    return {
        "stops": [
            [round(lon, 6), round(lat, 6), mode.value]
            for lon, lat, mode in zip(
                lines.stop_lon.tolist(), lines.stop_lat.tolist(), lines.stop_mode, strict=True
            )
        ],
        "routes": {mode.value: list(routes) for mode, routes in lines.routes.items()},
        "tracks": {
            mode.value: [track.round(6).tolist() for track in tracks]
            for mode, tracks in lines.tracks.items()
        },
    }


def _lines(document: dict[str, Any]) -> "Lines":
    # Imported here: numpy and the trip engine are not for an idle server.
    import numpy as np  # noqa: PLC0415

    from carbon.modes import TransportMode  # noqa: PLC0415
    from personal_store.trips.lines import Lines  # noqa: PLC0415

    stops = document["stops"]
    return Lines(
        stop_lon=np.array([stop[0] for stop in stops], dtype=np.float64),
        stop_lat=np.array([stop[1] for stop in stops], dtype=np.float64),
        stop_mode=tuple(TransportMode(stop[2]) for stop in stops),
        routes={
            TransportMode(mode): [tuple(route) for route in routes]
            for mode, routes in document["routes"].items()
        },
        tracks={
            TransportMode(mode): [np.array(track, dtype=np.float64) for track in tracks]
            for mode, tracks in document["tracks"].items()
        },
    )
