"""Read a file in chunks that are ready for the database, in this process or in a second one.

A large file is parsed by a second process while this one inserts: two cores, and memory bounded by
a few chunks. It touches no database and is given none of its keys. An `IngestError` comes out of
either way alike, in the place of the next chunk.
"""

import gc
import multiprocessing
import signal
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from personal_store.db.fix_rows import FixRow, fix_row
from personal_store.db.units import to_ms
from personal_store.errors import ImportStopped, IngestError
from personal_store.ingest.place import JsonPlace
from personal_store.ingest.positionfix import (
    Entry,
    Evidence,
    OwnWord,
    Positionfix,
    Rejected,
    RejectReason,
    SkippedMember,
    SourceFormat,
)
from personal_store.ingest.read import read_file
from personal_store.trips.own_words import Word, word_of

ENTRIES_AT_A_TIME = 20_000
"""Entries of one chunk: 5 MB, and less than a tenth of a second of the database's write lock."""

COLLECT_AFTER_OBJECTS = 100_000
"""New objects between two looks for cycles: each look walks through all entries of a chunk, which
have none."""

SECOND_PROCESS_BYTES = 16 * 1024 * 1024
"""Size from which a second process repays the third of a second that it takes to start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some entries in file order: `entries` counts all of them, whatever became of each.

    `done_bytes` is about how far in the file they reach, `place` where reading can go on.
    """

    entries: int
    fixes: list[FixRow]
    reasons: Mapping[RejectReason, int]
    evidence: list[Evidence]
    words: list[Word]
    skipped: list[SkippedMember]
    done_bytes: int
    place: JsonPlace | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What to read: a file as of `now` (aware UTC), after `skip` entries or from a `place`.

    `local_zone` is that of times without an offset, where the resident says so.
    """

    path: Path
    now: datetime
    skip: int = 0
    place: JsonPlace | None = None
    local_zone: ZoneInfo | None = None
    entries_at_a_time: int = ENTRIES_AT_A_TIME


@contextmanager
def reading_chunks(what: Reading, *, size_bytes: int) -> Iterator[Iterator[Chunk]]:
    """Give the chunks of a file; the second process, if there is one, ends with the context.

    Raises `IngestError`, here or during consumption.
    """
    if size_bytes < SECOND_PROCESS_BYTES:
        yield read_chunks(what)
        return
    # Not a fork: the server that starts this has threads, and holds the key of the database.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    second = context.Process(target=_send_chunks, args=(what, theirs), daemon=True)
    second.start()
    theirs.close()
    with closing(ours), closing(_received(ours)) as chunks:
        try:
            yield chunks
        finally:
            second.terminate()
            second.join()


def format_of(path: Path, *, now: datetime) -> SourceFormat:
    """Return what a file is. Raises `IngestError` where it is no history."""
    return read_file(path, now=now).format


def read_chunks(what: Reading) -> Iterator[Chunk]:
    """Yield the chunks of a file, parsed here. Raises `IngestError`."""
    parsed = read_file(what.path, now=what.now, place=what.place, local_zone=what.local_zone)
    if what.place is None:
        for _ in islice(parsed.entries, what.skip):
            pass
    while entries := list(islice(parsed.entries, what.entries_at_a_time)):
        yield _chunk(entries, what.now, done_bytes=parsed.done_bytes(), place=parsed.place())


def _chunk(
    entries: list[Entry], now: datetime, *, done_bytes: int, place: JsonPlace | None
) -> Chunk:
    now_ms = to_ms(now)
    told = [word_of(each) for each in entries if type(each) is OwnWord]
    reasons = Counter(each.reason for each in entries if type(each) is Rejected)
    if unreadable := told.count(None):
        reasons[RejectReason.UNREADABLE_ENTRY] += unreadable
    return Chunk(
        entries=len(entries),
        fixes=[fix_row(each, now_ms) for each in entries if type(each) is Positionfix],
        reasons=reasons,
        evidence=[each for each in entries if type(each) is Evidence],
        words=[word for word in told if word is not None],
        skipped=[each for each in entries if type(each) is SkippedMember],
        done_bytes=done_bytes,
        place=place,
    )


def _send_chunks(what: Reading, pipe: Pipe) -> None:
    # Ctrl-C reaches both processes: the first one says it and ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(COLLECT_AFTER_OBJECTS)
    try:
        for chunk in read_chunks(what):
            pipe.send(chunk)
        pipe.send(None)
    except IngestError as refusal:
        pipe.send(_Refusal(kind=type(refusal), fr=refusal.fr, en=refusal.en))
    except BrokenPipeError:
        return  # the first process is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    """An `IngestError` on its way between two processes."""

    kind: type[IngestError]
    fr: str
    en: str


def _received(pipe: Pipe) -> Generator[Chunk]:
    """Yield what the second process sends, one chunk ahead: it parses on while this one inserts."""
    with ThreadPoolExecutor(max_workers=1) as ahead:
        coming = ahead.submit(_next, pipe)
        while (received := coming.result()) is not None:
            if isinstance(received, _Refusal):
                raise received.kind(fr=received.fr, en=received.en)
            coming = ahead.submit(_next, pipe)
            yield received


def _next(pipe: Pipe) -> Any:
    try:
        return pipe.recv()
    except (EOFError, OSError):  # ended between two messages, or within one
        raise ImportStopped(
            fr="La lecture du fichier s'est arrêtée en route (mémoire épuisée ou processus "
            "interrompu) : recommencez, elle reprendra où elle en était.",
            en="Reading the file stopped half-way (out of memory, or a process was ended): "
            "try again, it will go on from there.",
        ) from None
