"""The evidence table: what already segmented sources say of stays, legs, journeys and taps.

Rows are only added, and the same statement is kept once, whatever file it comes from. It is kept
beside the positions and changes none of them: weighing it is the trip engine's work.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.dialects.sqlite import insert

from personal_store.db.tables import evidence
from personal_store.db.units import from_ms, to_ms
from personal_store.ingest.positionfix import (
    Evidence,
    EvidenceKind,
    EvidencePlace,
    SourceFormat,
    SourceMode,
)


def add(connection: Connection, statements: Sequence[Evidence], *, received_at: datetime) -> int:
    """Add the statements that are not there yet; return how many were new."""
    if not statements:
        return 0
    before = connection.scalar(select(func.max(evidence.c.id))) or 0
    rows = [_row(each, to_ms(received_at)) for each in statements]
    connection.execute(insert(evidence).on_conflict_do_nothing(), rows)
    # The writer holds the lock, so ids above `before` are ours and nobody else's.
    newer = select(func.count()).select_from(evidence).where(evidence.c.id > before)
    return int(connection.scalar(newer) or 0)


def every(
    connection: Connection,
    *,
    kinds: Collection[EvidenceKind] = tuple(EvidenceKind),
    device: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[Evidence]:
    """Return the statements of these kinds that touch [start, end), earliest first.

    None leaves a side, or the device, open.
    """
    wanted: list[ColumnElement[bool]] = [evidence.c.kind.in_([kind.value for kind in kinds])]
    if device is not None:
        wanted.append(evidence.c.device == device)
    if start is not None:
        wanted.append(evidence.c.end_ms >= to_ms(start))
    if end is not None:
        wanted.append(evidence.c.start_ms < to_ms(end))
    query = select(evidence).where(*wanted).order_by(evidence.c.start_ms, evidence.c.id)
    return [_read(json.loads(row.document)) for row in connection.execute(query)]


def span_touching(
    connection: Connection, device: str, kind: EvidenceKind, *, start: datetime, end: datetime
) -> tuple[datetime, datetime] | None:
    """Return from when to when the statements of a kind reach that overlap [start, end].

    None where there is no such statement.
    """
    query = select(func.min(evidence.c.start_ms), func.max(evidence.c.end_ms)).where(
        evidence.c.device == device,
        evidence.c.kind == kind.value,
        evidence.c.end_ms > to_ms(start),
        evidence.c.start_ms < to_ms(end),
    )
    first, last = connection.execute(query).one()
    return None if first is None else (from_ms(first), from_ms(last))


def _row(statement: Evidence, received_at_ms: int) -> dict[str, object]:
    document = asdict(statement) | {
        "start": to_ms(statement.start),
        "end": to_ms(statement.end),
    }
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return {
        "digest": sha256(text.encode()).hexdigest(),
        "source": statement.source.value,
        "device": statement.device,
        "kind": statement.kind.value,
        "start_ms": document["start"],
        "end_ms": document["end"],
        "document": text,
        "received_at_ms": received_at_ms,
    }


def _read(document: dict[str, Any]) -> Evidence:
    return Evidence(
        **document
        | {
            "kind": EvidenceKind(document["kind"]),
            "source": SourceFormat(document["source"]),
            "start": from_ms(document["start"]),
            "end": from_ms(document["end"]),
            "modes": tuple(SourceMode(**mode) for mode in document["modes"]),
            "origin": _place(document["origin"]),
            "destination": _place(document["destination"]),
        }
    )


def _place(document: dict[str, Any] | None) -> EvidencePlace | None:
    return None if document is None else EvidencePlace(**document)
