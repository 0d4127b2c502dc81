"""The journal of imports: how far each file has come, and what became of it.

Each chunk of a file is committed together with its line here, so that after a kill at any moment
the journal says exactly which entries are in the database. It is not the log of what was imported
into a position: positions know their source, not their file.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from personal_store.db.tables import file_import
from personal_store.db.units import from_ms, to_ms
from personal_store.ingest.place import JsonPlace
from personal_store.ingest.positionfix import RejectReason, SkippedMember, SourceFormat


class ImportState(StrEnum):
    """What has become of a file. `READING` after the program's end means that it was cut short."""

    READING = "reading"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What was counted of a file: `accepted` positions of which `new`, refusals by reason.

    `refusal_fr` and `refusal_en` say why the file, or its rest, was refused. `resumed_bytes` were
    in the database before this run.
    """

    accepted: int = 0
    new: int = 0
    reasons: Mapping[RejectReason, int] = field(default_factory=dict)
    evidence_read: int = 0
    evidence_new: int = 0
    skipped: tuple[SkippedMember, ...] = ()
    refusal_fr: str = ""
    refusal_en: str = ""
    resumed_bytes: int = 0

    @property
    def rejected(self) -> int:
        """Return how many positions were refused."""
        return sum(self.reasons.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class FileImport:
    """One import of one file; `import_id` is 0 until it is kept.

    `format` is None for a file that was refused before any of it was read.
    """

    digest: str
    name: str
    format: SourceFormat | None
    size_bytes: int
    started_at: datetime
    changed_at: datetime
    import_id: int = 0
    state: ImportState = ImportState.READING
    entries: int = 0
    done_bytes: int = 0
    place: JsonPlace | None = None
    counts: Counts = field(default_factory=Counts)

    def left_s(self) -> float | None:
        """Return about how many seconds are left at the pace so far; None before there is one."""
        gone_bytes = self.done_bytes - self.counts.resumed_bytes
        spent_s = (self.changed_at - self.started_at).total_seconds()
        if gone_bytes <= 0 or spent_s <= 0:
            return None
        return (self.size_bytes - self.done_bytes) * spent_s / gone_bytes


def begin(connection: Connection, new: FileImport) -> FileImport:
    """Return the journal of a file that was cut short, else a new one."""
    query = (
        select(file_import)
        .where(
            file_import.c.digest == new.digest,
            file_import.c.state == ImportState.READING.value,
        )
        .order_by(file_import.c.id.desc())
    )
    row = connection.execute(query).first()
    if row is None:
        return add(connection, new)
    before = _read(row)
    counts = replace(before.counts, resumed_bytes=before.done_bytes)
    begun = replace(before, started_at=new.started_at, changed_at=new.changed_at, counts=counts)
    advance(connection, before, begun)
    return begun


def add(connection: Connection, new: FileImport) -> FileImport:
    """Return a new line of the journal, kept."""
    added = connection.execute(insert(file_import).values(_values(new)))
    (import_id,) = added.inserted_primary_key or (0,)
    return replace(new, import_id=import_id)


def advance(connection: Connection, before: FileImport, after: FileImport) -> bool:
    """Write how far an import has come; False when it is no longer where `before` says.

    Another program then goes on with the same contents, and this one has to stop.
    """
    changed = connection.execute(
        update(file_import)
        .where(
            file_import.c.id == before.import_id,
            file_import.c.entries == before.entries,
            file_import.c.state == ImportState.READING.value,
        )
        .values(_values(after))
    )
    return changed.rowcount == 1


def newest(connection: Connection, *, limit: int) -> list[FileImport]:
    """Return the last imports, the newest first."""
    query = select(file_import).order_by(file_import.c.id.desc()).limit(limit)
    return [_read(row) for row in connection.execute(query)]


def _values(given: FileImport) -> dict[str, object]:
    return {
        "digest": given.digest,
        "name": given.name,
        "format": "" if given.format is None else given.format.value,
        "size_bytes": given.size_bytes,
        "state": given.state.value,
        "entries": given.entries,
        "done_bytes": given.done_bytes,
        "place": None if given.place is None else json.dumps(asdict(given.place)),
        "counts": json.dumps(asdict(given.counts), ensure_ascii=False),
        "started_at_ms": to_ms(given.started_at),
        "changed_at_ms": to_ms(given.changed_at),
    }


def _read(row: Row[Any]) -> FileImport:
    return FileImport(
        import_id=row.id,
        digest=row.digest,
        name=row.name,
        format=SourceFormat(row.format) if row.format else None,
        size_bytes=row.size_bytes,
        state=ImportState(row.state),
        entries=row.entries,
        done_bytes=row.done_bytes,
        place=None if row.place is None else JsonPlace(**json.loads(row.place)),
        counts=_counts(json.loads(row.counts)),
        started_at=from_ms(row.started_at_ms),
        changed_at=from_ms(row.changed_at_ms),
    )


def _counts(document: dict[str, Any]) -> Counts:
    reasons = {RejectReason(each): count for each, count in document["reasons"].items()}
    skipped = tuple(SkippedMember(**each) for each in document["skipped"])
    return Counts(**document | {"reasons": reasons, "skipped": skipped})
