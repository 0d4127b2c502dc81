"""Read a device's positionfixes as columns: what the trip engine computes on.

Straight from the driver's rows into arrays, block by block: objects of the domain would take ten
times as long, and a decade of them does not fit. It brings numpy, so it is imported by the jobs
that compute and by no page.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from personal_store.db.units import E7, to_ms
from personal_store.ingest.positionfix import SourceFormat
from personal_store.trips.track import Floats, Positions

BLOCK_ROWS: Final = 1 << 16
"""Rows that exist as Python values at one time."""

_MS = 1000.0
_COLUMNS: Final = (
    "p.at_ms, p.lon_e7, p.lat_e7, p.accuracy_m, "
    f"p.source = '{SourceFormat.GPX.value}', p.activity, p.activity_confidence"
)
_OWN: Final = (
    f"SELECT {_COLUMNS} FROM positionfix p WHERE p.device = ? "  # noqa: S608 -- our own names
    "AND NOT EXISTS (SELECT 1 FROM position_mark m WHERE m.fix_id = p.id)"
)
_GUESTS: Final = (
    f"SELECT {_COLUMNS} FROM position_mark m "  # noqa: S608 -- our own names
    "JOIN positionfix p ON p.id = m.fix_id WHERE m.read_as = ?"
)


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
    blocks = _blocks(connection, _OWN + span, values) + _blocks(connection, _GUESTS + span, values)
    at_ms, lon_e7, lat_e7, accuracy_m, recorded, confidence = (
        np.concatenate([np.empty(0), *(block[column] for block in blocks)])
        for column in (0, 1, 2, 3, 4, 6)
    )
    labels = np.concatenate([np.empty(0, dtype=object), *(block[5] for block in blocks)])
    labelled = bool(np.any(labels != None))  # noqa: E711 -- element by element
    return Positions(
        time_s=at_ms / _MS,
        lon=lon_e7 / E7,
        lat=lat_e7 / E7,
        accuracy_m=accuracy_m,
        recorded=recorded.astype(np.bool_),
        activity=labels if labelled else None,
        confidence=confidence if labelled else None,
    )


def _blocks(connection: Connection, query: str, values: Sequence[Any]) -> list[list[Any]]:
    """Return the rows of a query as arrays, one list of columns for each block."""
    # The driver's own cursor: SQLAlchemy's rows cost as much again as reading them.
    cursor = connection.connection.cursor()
    try:
        cursor.execute(query, tuple(values))
        blocks = []
        while rows := cursor.fetchmany(BLOCK_ROWS):
            columns = list(zip(*rows, strict=True))
            blocks.append(
                [
                    np.array(values, dtype=object) if index == 5 else _floats(values)
                    for index, values in enumerate(columns)
                ]
            )
    finally:
        cursor.close()
    return blocks


def _floats(values: Sequence[float | None]) -> Floats:
    """Return numbers as a column, NaN for what is unknown."""
    return np.array(values, dtype=np.float64)
