"""Read a device's positionfixes as columns: what the trip engine computes on.

Straight from the driver's rows into arrays, block by block: objects of the domain would take ten
times as long, and a decade of them does not fit. It brings numpy, so it is imported by the jobs
that compute and by no page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from personal_store.db.units import E7, to_ms
from personal_store.ingest.positionfix import SourceFormat
from personal_store.trips.track import Floats, Positions

BLOCK_ROWS: Final = 1 << 16
"""Rows that exist as Python values at one time."""

_MS = 1000.0
_UNKNOWN: Final = -1.0
_RECORDED: Final = f"p.source = '{SourceFormat.GPX.value}'"
_PLACED: Final = f"p.at_ms, p.lon_e7, p.lat_e7, COALESCE(p.accuracy_m, {_UNKNOWN})"
_SAID: Final = f"{_RECORDED}, p.activity, p.activity_confidence"
_SPEAKS: Final = f" AND (p.activity IS NOT NULL OR {_RECORDED}) LIMIT 1"
_SILENT: Final = (0, None, None)
_OWN: Final = (
    "FROM positionfix p WHERE p.device = ? "
    "AND NOT EXISTS (SELECT 1 FROM position_mark m WHERE m.fix_id = p.id)"
)
_GUESTS: Final = "FROM position_mark m JOIN positionfix p ON p.id = m.fix_id WHERE m.read_as = ?"


def of_device(
    connection: Connection,
    device: str,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Positions:
    """Return the positionfixes that are read as a device's in [start, end); in no stated order.

    The same fixes as `positionfixes.of_device` returns.
    """
    span = ""
    values: list[str | int] = [device]
    for at, edge in ((start, " AND p.at_ms >= ?"), (end, " AND p.at_ms < ?")):
        if at is not None:
            span += edge
            values.append(to_ms(at))
    own, guests = (_read(connection, rows + span, values) for rows in (_OWN, _GUESTS))
    placed = np.concatenate((own.placed, guests.placed))
    said = np.concatenate((own.said, guests.said))
    labelled = bool(np.any(said[:, 1] != None))  # noqa: E711 -- element by element
    return Positions(
        time_s=placed[:, 0] / _MS,
        lon=placed[:, 1] / E7,
        lat=placed[:, 2] / E7,
        accuracy_m=np.where(placed[:, 3] == _UNKNOWN, np.nan, placed[:, 3]),
        recorded=said[:, 0].astype(np.bool_),
        activity=said[:, 1] if labelled else None,
        confidence=said[:, 2].astype(np.float64) if labelled else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Rows as columns: four numbers each, and whether recorded, which activity, how sure."""

    placed: Floats
    said: NDArray[np.object_]


def _read(connection: Connection, rows: str, values: Sequence[Any]) -> _Rows:
    """Return rows; most phones say only where they were, and then half the time is enough."""
    speaks = any(_blocks(connection, f"SELECT 1 {rows}{_SPEAKS}", values))
    wanted = f"{_PLACED}, {_SAID}" if speaks else _PLACED
    placed, said = [np.empty((0, 4))], [np.empty((0, 3), dtype=object)]
    for block in _blocks(connection, f"SELECT {wanted} {rows}", values):
        numbers = (
            chain.from_iterable(row[:4] for row in block) if speaks else chain.from_iterable(block)
        )
        flat = np.fromiter(numbers, np.float64, count=4 * len(block))
        placed.append(flat.reshape(-1, 4))
        told = [row[4:] for row in block] if speaks else [_SILENT] * len(block)
        said.append(np.array(told, dtype=object))
    return _Rows(placed=np.concatenate(placed), said=np.concatenate(said))


def _blocks(connection: Connection, query: str, values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield the rows of a query, `BLOCK_ROWS` at a time."""
    # The driver's own cursor: SQLAlchemy's rows cost as much again as reading them.
    cursor = connection.connection.cursor()
    try:
        cursor.execute(query, tuple(values))
        while rows := cursor.fetchmany(BLOCK_ROWS):
            yield rows
    finally:
        cursor.close()
