"""Export a whole store as files that other programs read: the right to take one's data elsewhere.

One zip, not encrypted: positions as CSV; trips, statements of segmented sources, corrections,
habits, places, home and contributions as JSON. `ingest/own_export.py` reads it back. It is written
row by row, so that ten years fit on a small machine. Receipts of consents are
`own_log.write_receipts`'s. Source: GDPR Article 20.
"""

import csv
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, select

from personal_store.db import (
    communes,
    contributions,
    corrections,
    devices,
    places,
    positionfixes,
    timelines,
)
from personal_store.db import trips as stored_trips
from personal_store.db.connection import reading
from personal_store.db.tables import evidence, positionfix
from personal_store.db.units import E7, from_ms
from personal_store.documents.ledger import contribution_document
from personal_store.documents.trips import Document, trip_documents
from personal_store.ingest.own_export import POSITION_COLUMNS, TITLE
from personal_store.keeping.drafts import draft_of
from personal_store.local_time import home_timezone
from personal_store.store import Store

POSITIONS_FILE: Final = "positions.csv"
_BLOCK_ROWS: Final = 10_000
_README: Final = f"""\
{TITLE}

positions.csv       chaque position mesurée / every measured position (UTC, WGS 84)
trips.json          déplacements et étapes / trips and legs (docs/cli.md, « trips --json »)
evidence.jsonl      ce que disent les historiques déjà découpés / what segmented histories say
corrections.json    ce que vous avez corrigé / what you corrected
habits.json         vos habitudes de mode / your usual modes
places.json         vos lieux / your places
home.json           le fuseau de chez vous et la commune confirmée / home's time zone and commune
contributions.json  ce qui est parti, à l'octet / what left, to the byte

« personal-store import » le reprend tout entier, sauf la commune, le fuseau et ce qui est parti.
“personal-store import” takes all of it back but the commune, the time zone and what left.
Un fichier qui serait vide n'y est pas. / A file that would be empty is left out.
Ce fichier n'est pas chiffré. / This file is not encrypted.
"""

OnProgress = Callable[[int, int], None]
"""Told how many positions are written, of how many."""


def export(
    store: Store, target: Path, *, on_progress: OnProgress = lambda _done, _all: None
) -> int:
    """Write the export to `target`, a file that is not there yet; return how many positions.

    Raises BackupRefused where something is there already; whatever goes wrong leaves nothing.
    """
    draft = draft_of(target)
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            with reading(store.engine) as connection:
                written = _write(connection, file, on_progress)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return written


def _write(connection: Connection, file: io.BufferedRandom, on_progress: OnProgress) -> int:
    total = positionfixes.count(connection)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        archive.writestr("LISEZMOI.txt", _README)
        rows = _told(_positions(connection), total, on_progress)
        _member(archive, POSITIONS_FILE, _csv_lines([POSITION_COLUMNS], rows))
        _member(archive, "trips.json", _array(_trips(connection)))
        _member(archive, "evidence.jsonl", _evidence(connection))
        _member(archive, "corrections.json", _array(map(asdict, corrections.every(connection))))
        _member(archive, "habits.json", _array(map(asdict, corrections.habits(connection))))
        _member(archive, "places.json", _array(map(asdict, places.every(connection))))
        _member(archive, "home.json", [json.dumps(_home(connection), ensure_ascii=False)])
        _member(archive, "contributions.json", _array(_contributions(connection)))
    return total


def _member(archive: zipfile.ZipFile, name: str, lines: Iterable[str]) -> None:
    """Write a file of the export; one without a line is left out."""
    given = iter(lines)
    first = next(given, None)
    if first is None:
        return
    with archive.open(name, "w", force_zip64=True) as member:
        for line in chain([first], given):
            member.write(line.encode())


def _array(values: Iterable[object]) -> Iterator[str]:
    separator = "[\n"
    for value in values:
        yield separator + json.dumps(value, ensure_ascii=False, default=_plain)
        separator = ",\n"
    if separator == ",\n":
        yield "\n]\n"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _csv_lines(*parts: Iterable[Iterable[object]]) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line)
    for rows in parts:
        for row in rows:
            writer.writerow(row)
            yield line.getvalue()
            line.seek(0)
            line.truncate()


def _told(
    rows: Iterable[tuple[object, ...]], total: int, on_progress: OnProgress
) -> Iterator[tuple[object, ...]]:
    for number, row in enumerate(rows):
        if number % _BLOCK_ROWS == 0:
            on_progress(number, total)
        yield row


def _positions(connection: Connection) -> Iterator[tuple[object, ...]]:
    query = select(positionfix).order_by(positionfix.c.device, positionfix.c.at_ms)
    streamed = connection.execution_options(yield_per=_BLOCK_ROWS)
    for row in streamed.execute(query):
        yield (
            from_ms(row.at_ms).isoformat(timespec="milliseconds"),
            f"{row.lat_e7 / E7:.7f}",
            f"{row.lon_e7 / E7:.7f}",
            row.accuracy_m,
            row.speed_mps,
            row.altitude_m,
            row.device,
            row.activity,
            row.activity_confidence,
            row.utc_offset_min,
            row.source,
            from_ms(row.received_at_ms).isoformat(timespec="milliseconds"),
        )


def _trips(connection: Connection) -> Iterator[Document]:
    newest = timelines.newest_start(connection)
    oldest = timelines.oldest_start(connection)
    if newest is None or oldest is None:
        return
    names = devices.names(connection)
    # A year at a time: ten years of tracks do not fit a small machine.
    for year in range(oldest.year, newest.year + 1):
        start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
        stored = stored_trips.between(connection, start=start, end=end)
        yield from trip_documents(stored, geometry=True, names=names)


def _home(connection: Connection) -> Document:
    zone = communes.confirmed(connection)
    return {"timezone": home_timezone().key, "zone": asdict(zone) if zone else None}


def _evidence(connection: Connection) -> Iterator[str]:
    streamed = connection.execution_options(yield_per=_BLOCK_ROWS)
    for document in streamed.scalars(select(evidence.c.document).order_by(evidence.c.start_ms)):
        yield f"{document}\n"


def _contributions(connection: Connection) -> Iterator[Document]:
    for each in contributions.every(connection):
        yield contribution_document(each) | {"report": each.report.decode("ascii")}
