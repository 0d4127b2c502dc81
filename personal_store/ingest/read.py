"""Open a file, tell what it is, and read its positions: the door for every file.

It opens files and nothing else: no database, no clock, no network. What is wrong with a file
shows either at once (another kind of file) or while the entries are consumed (damage further
on), always as one `IngestError`.
"""

import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from personal_store.ingest import refusals
from personal_store.ingest.archive import parse_archive
from personal_store.ingest.detect import detect
from personal_store.ingest.head import Shape, shape_of
from personal_store.ingest.judge import judge_for
from personal_store.ingest.positionfix import Entry, ParsedFile, SourceFormat
from personal_store.ingest.readers import Reader


def read_file(path: Path, *, now: datetime) -> ParsedFile:
    """Return what the file at `path` is, and a lazy stream of its entries in file order.

    `now` is aware UTC; a position more than a day ahead of it is rejected. The file is open
    only while entries are consumed.
    Raises `IngestError`, here or during consumption: the caller imports in one transaction.
    """
    if not stat.S_ISREG(_mode(path)):
        # Opening a pipe would wait for ever, a device never ends.
        raise refusals.not_a_file()
    try:
        with path.open("rb") as stream:
            reader = detect_file(stream)
    except OSError as error:
        raise refusals.not_readable(_system_word(error)) from error
    return ParsedFile(format=reader.format, entries=_entries(path, reader, now))


def detect_file(stream: BinaryIO) -> Reader:
    """Return the reader for a file: a history, or an archive of them.

    Raises as `detect` does.
    """
    is_archive = shape_of(stream) is Shape.ZIP
    return _ARCHIVE if is_archive else detect(stream)


_ARCHIVE: Final = Reader(
    format=SourceFormat.ZIP,
    recognises=lambda head: head.shape is Shape.ZIP,
    parse=parse_archive,
)


def _entries(path: Path, reader: Reader, now: datetime) -> Iterator[Entry]:
    judge = judge_for(reader.format, now=now)
    try:
        with path.open("rb") as stream:
            yield from reader.parse(stream, judge)
    except OSError as error:
        raise refusals.not_readable(_system_word(error)) from error


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError as error:
        raise refusals.not_readable(_system_word(error)) from error
    except ValueError:
        raise refusals.not_readable("embedded null byte") from None


def _system_word(error: OSError) -> str:
    """Return the system's word for a failure, without the path that `str(error)` carries."""
    return error.strerror or type(error).__name__
