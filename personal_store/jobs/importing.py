"""Import one file: all of it or nothing, and never twice.

The file goes in inside one transaction, so an unreadable tail, a full disk or a kill leaves the
database as it was. What was read, new, known and refused is counted by reason.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine

from personal_store.clock import Clock
from personal_store.db import evidence, positionfixes
from personal_store.db.connection import writing
from personal_store.ingest.positionfix import (
    Evidence,
    Positionfix,
    Rejected,
    RejectReason,
    SkippedMember,
    SourceFormat,
)
from personal_store.ingest.read import read_file

# Enough rows for SQLite to work in bulk, few enough to stay a few megabytes.
ROWS_AT_A_TIME = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of one file: `read == new + duplicate + rejected`, all counting positions.

    `evidence_read` and `evidence_new` count what an already segmented source says of stays, legs,
    journeys and taps, which is kept beside the positions. `skipped` names the members of an archive
    that were left out, each with its reason.
    """

    path: Path
    format: SourceFormat
    read: int
    new: int
    duplicate: int
    rejected: int
    reasons: Mapping[RejectReason, int]
    evidence_read: int
    evidence_new: int
    skipped: Sequence[SkippedMember]


def run_once(engine: Engine, path: Path, *, clock: Clock) -> ImportReport:
    """Import one file.

    Raises an IngestError (the database is unchanged) when the file is unreadable, wrong or hostile.
    """
    now = clock.now()
    parsed = read_file(path, now=now)
    reasons: Counter[RejectReason] = Counter()
    skipped: list[SkippedMember] = []
    accepted = new = evidence_read = evidence_new = 0
    with writing(engine) as connection:
        while entries := list(islice(parsed.entries, ROWS_AT_A_TIME)):
            fixes = [entry for entry in entries if isinstance(entry, Positionfix)]
            reasons.update(entry.reason for entry in entries if isinstance(entry, Rejected))
            accepted += len(fixes)
            new += positionfixes.add(connection, fixes, received_at=now)
            skipped += [entry for entry in entries if isinstance(entry, SkippedMember)]
            statements = [entry for entry in entries if isinstance(entry, Evidence)]
            evidence_read += len(statements)
            evidence_new += evidence.add(connection, statements, received_at=now)
    rejected = sum(reasons.values())
    return ImportReport(
        path=path,
        format=parsed.format,
        read=accepted + rejected,
        new=new,
        duplicate=accepted - new,
        rejected=rejected,
        reasons=dict(reasons),
        evidence_read=evidence_read,
        evidence_new=evidence_new,
        skipped=skipped,
    )
