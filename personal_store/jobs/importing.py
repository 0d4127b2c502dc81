"""Import one file: all of it or nothing, and never twice.

The file goes in inside one transaction, so an unreadable tail, a full disk or a kill leaves the
database as it was. What was read, new, known and refused is counted by reason.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine

from personal_store.clock import Clock
from personal_store.db import positionfixes
from personal_store.db.connection import writing
from personal_store.ingest.positionfix import Positionfix, Rejected, RejectReason, SourceFormat
from personal_store.ingest.read import read_file

# Enough rows for SQLite to work in bulk, few enough to stay a few megabytes.
ROWS_AT_A_TIME = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of one file: `read == new + duplicate + rejected`."""

    path: Path
    format: SourceFormat
    read: int
    new: int
    duplicate: int
    rejected: int
    reasons: Mapping[RejectReason, int]


def run_once(engine: Engine, path: Path, *, clock: Clock) -> ImportReport:
    """Import one file.

    Raises an IngestError (the database is unchanged) when the file is unreadable, wrong or hostile.
    """
    now = clock.now()
    parsed = read_file(path, now=now)
    reasons: Counter[RejectReason] = Counter()
    accepted = new = 0
    with writing(engine) as connection:
        while entries := list(islice(parsed.entries, ROWS_AT_A_TIME)):
            fixes = [entry for entry in entries if isinstance(entry, Positionfix)]
            reasons.update(entry.reason for entry in entries if isinstance(entry, Rejected))
            accepted += len(fixes)
            new += positionfixes.add(connection, fixes, received_at=now)
    rejected = sum(reasons.values())
    return ImportReport(
        path=path,
        format=parsed.format,
        read=accepted + rejected,
        new=new,
        duplicate=accepted - new,
        rejected=rejected,
        reasons=dict(reasons),
    )
