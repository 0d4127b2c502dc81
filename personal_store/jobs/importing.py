"""Import one file: never twice, and never lost, whatever stops it and when.

A file goes in chunk by chunk. Each chunk is one transaction with its line in the journal, so a
kill at any moment leaves whole chunks and the exact place to go on from; and between two chunks
live positions come in. A file of one chunk (most are) is all or nothing; of a longer one that
turns out damaged, the positions before the damage are true and stay, and the refusal says so.
Decided in docs/adr/0007-imports-in-chunks.md.
"""

import fcntl
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BufferedReader
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from personal_store.clock import Clock
from personal_store.db import evidence, imports, own_words, positionfixes
from personal_store.db.connection import writing
from personal_store.db.imports import Counts, FileImport, ImportState
from personal_store.errors import ImportStopped, IngestError
from personal_store.ingest import refusals
from personal_store.ingest.positionfix import RejectReason, SkippedMember, SourceFormat
from personal_store.ingest.values import printable
from personal_store.jobs.chunks import ENTRIES_AT_A_TIME, Chunk, Reading, format_of, reading_chunks

OnProgress = Callable[[FileImport], None]
"""Told of each chunk once it is in the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of one file: `read == new + duplicate + rejected`, all counting positions.

    `evidence_read` and `evidence_new` count what an already segmented source says of stays, legs,
    journeys and taps, and the resident's own words of an export, which are kept beside the
    positions. `skipped` names the members of an archive
    that were left out, each with its reason. `resumed_entries` were in since an earlier run that
    was cut short; they are counted in the rest.
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
    resumed_entries: int

    @property
    def gives_nothing(self) -> bool:
        """Whether every position was rejected, and nothing else was said."""
        return 0 < self.read == self.rejected and not self.evidence_read


def run_once(
    engine: Engine,
    path: Path,
    *,
    clock: Clock,
    name: str | None = None,
    local_zone: ZoneInfo | None = None,
    on_progress: OnProgress = lambda _: None,
    entries_at_a_time: int = ENTRIES_AT_A_TIME,
) -> ImportReport:
    """Import one file, or what is left of it after an import that was cut short.

    `name` is what the journal calls it, the file's own name unless given; `local_zone` is that of
    times without an offset in a table, where the resident says so.
    Raises an IngestError when the file is unreadable, wrong or hostile; it says what was kept.
    """
    now = clock.now()
    called = printable(path.name if name is None else name)
    job = _Import(engine=engine, clock=clock, on_progress=on_progress)
    try:
        source = format_of(path, now=now)
    except IngestError as refusal:
        job.refuse_whole(path, called, refusal)
        raise
    with _alone(path) as digest:
        new = FileImport(
            digest=digest,
            name=called,
            format=source,
            size_bytes=path.stat().st_size,
            started_at=now,
            changed_at=now,
        )
        with writing(engine) as connection:
            begun = imports.begin(connection, new)
        what = Reading(
            path=path,
            now=now,
            skip=begun.entries,
            place=begun.place,
            local_zone=local_zone,
            entries_at_a_time=entries_at_a_time,
        )
        done = job.rest(what, begun)
    return _report(path, source, done, resumed_entries=begun.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Import:
    """One import under way: where it writes, and who is told."""

    engine: Engine
    clock: Clock
    on_progress: OnProgress

    def rest(self, what: Reading, begun: FileImport) -> FileImport:
        """Take in what the journal says is still to come; return the journal closed."""
        reached = begun
        self.on_progress(reached)
        try:
            with reading_chunks(what, size_bytes=begun.size_bytes) as chunks:
                for chunk in chunks:
                    reached = self._take_in(reached, chunk)
                    self.on_progress(reached)
        except ImportStopped:
            raise  # the journal stays open: the next import goes on
        except IngestError as refusal:
            raise self._refused(reached, refusal) from refusal
        after = replace(
            reached,
            state=ImportState.DONE,
            done_bytes=begun.size_bytes,
            changed_at=self.clock.now(),
        )
        with writing(self.engine) as connection:
            _advance(connection, reached, after)
        self.on_progress(after)
        return after

    def refuse_whole(self, path: Path, name: str, refusal: IngestError) -> None:
        """Have the journal tell of a file that is no history: the page shows why."""
        now = self.clock.now()
        try:
            size_bytes = path.stat().st_size
        except (OSError, ValueError):
            size_bytes = 0
        refused = FileImport(
            digest="",
            name=name,
            format=None,
            size_bytes=size_bytes,
            started_at=now,
            changed_at=now,
            state=ImportState.REFUSED,
            counts=Counts(refusal_fr=refusal.fr, refusal_en=refusal.en),
        )
        with writing(self.engine) as connection:
            imports.add(connection, refused)

    def _take_in(self, reached: FileImport, chunk: Chunk) -> FileImport:
        """Add a chunk and its line of the journal, both or neither."""
        now, counts = self.clock.now(), reached.counts
        with writing(self.engine) as connection:
            new = positionfixes.add_rows(connection, chunk.fixes)
            evidence_new = evidence.add(connection, chunk.evidence, received_at=now)
            words_new = own_words.add(connection, chunk.words, at=now)
            after = replace(
                reached,
                entries=reached.entries + chunk.entries,
                done_bytes=chunk.done_bytes,
                place=chunk.place,
                changed_at=now,
                counts=replace(
                    counts,
                    accepted=counts.accepted + len(chunk.fixes),
                    new=counts.new + new,
                    reasons=dict(Counter(counts.reasons) + Counter(chunk.reasons)),
                    evidence_read=counts.evidence_read + len(chunk.evidence) + len(chunk.words),
                    evidence_new=counts.evidence_new + evidence_new + words_new,
                    skipped=(*counts.skipped, *chunk.skipped),
                ),
            )
            _advance(connection, reached, after)
        return after

    def _refused(self, reached: FileImport, refusal: IngestError) -> IngestError:
        """Close the journal of a file that turned out damaged; return what to say of it."""
        kept = reached.counts.accepted + reached.counts.evidence_read
        said = _with_outcome(refusal, kept=kept)
        counts = replace(reached.counts, refusal_fr=said.fr, refusal_en=said.en)
        after = replace(
            reached, state=ImportState.REFUSED, counts=counts, changed_at=self.clock.now()
        )
        with writing(self.engine) as connection:
            imports.advance(connection, reached, after)
        return said


def _advance(connection: Connection, before: FileImport, after: FileImport) -> None:
    if not imports.advance(connection, before, after):
        raise refusals.imported_elsewhere()


def _with_outcome(refusal: IngestError, *, kept: int) -> IngestError:
    """Add to a refusal what of the file is in the database: `kept` entries, often none."""
    if not kept:
        fr, en = "Rien n’a été importé.", "Nothing was imported."
    else:
        fr = f"Les {kept} indications lues avant ce défaut sont gardées."
        en = f"The {kept} entries read before this fault are kept."
    return type(refusal)(fr=f"{refusal.fr} {fr}", en=f"{refusal.en} {en}")


@contextmanager
def _alone(path: Path) -> Iterator[str]:
    """Give the digest of a file, while no other import of the same file goes on.

    The system ends the wait when the other program ends, even by a kill.
    """
    with _opened(path) as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield hashlib.file_digest(stream, "sha256").hexdigest()


def _opened(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise refusals.not_readable(error) from error


def _report(
    path: Path, source: SourceFormat, done: FileImport, *, resumed_entries: int
) -> ImportReport:
    counts = done.counts
    return ImportReport(
        path=path,
        format=source,
        read=counts.accepted + counts.rejected,
        new=counts.new,
        duplicate=counts.accepted - counts.new,
        rejected=counts.rejected,
        reasons=counts.reasons,
        evidence_read=counts.evidence_read,
        evidence_new=counts.evidence_new,
        skipped=counts.skipped,
        resumed_entries=resumed_entries,
    )
