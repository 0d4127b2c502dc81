"""Open a file, tell what it is, and read its positions: the door for every file.

It opens files and nothing else: no database, no clock, no network. What is wrong with a file
shows either at once (another kind of file) or while the entries are consumed (damage further
on), always as one `IngestError`.
"""

import errno
import stat
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from pathlib import Path
from typing import BinaryIO, Final

from personal_store.ingest import refusals
from personal_store.ingest.archive import parse_archive
from personal_store.ingest.counted import unpacked
from personal_store.ingest.detect import detect
from personal_store.ingest.head import Shape, shape_of
from personal_store.ingest.judge import Judge, judge_for
from personal_store.ingest.place import JsonPlace
from personal_store.ingest.positionfix import Entry, ParsedFile, SourceFormat
from personal_store.ingest.readers import Reader


def read_file(
    path: Path,
    *,
    now: datetime,
    place: JsonPlace | None = None,
    local_zone: tzinfo | None = None,
) -> ParsedFile:
    """Return what the file at `path` is, and a lazy stream of its entries in file order.

    `now` is aware UTC; a position more than a day ahead of it is rejected. The file is open
    only while entries are consumed. With a `place` that an earlier reading of the same bytes
    gave, the entries are those after it. `local_zone` is that of times without an offset in tables,
    where the resident says so.
    Raises `IngestError`, here or during consumption.
    """
    if not stat.S_ISREG(_mode(path)):
        # Opening a pipe would wait for ever, a device never ends.
        raise refusals.not_a_file()
    try:
        with path.open("rb") as stream:
            reader = detect_file(_unpacked(stream, path))
    except OSError as error:
        raise refusals.not_readable(error) from error
    judge = judge_for(reader.format, now=now, local_zone=local_zone)
    reading = _Reading(path, reader, judge)
    return ParsedFile(
        format=reader.format,
        entries=reading.entries(place),
        done_bytes=reading.done_bytes,
        place=reading.place,
    )


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


class _Reading:
    """One reading of one file: its entries, and how far they have come."""

    def __init__(self, path: Path, reader: Reader, judge: Judge) -> None:
        self._path = path
        self._reader = reader
        self._judge = judge
        self._file: BinaryIO | None = None
        self._place: Callable[[], JsonPlace | None] | None = None

    def place(self) -> JsonPlace | None:
        """Return where another reading can go on, None where it has to start over."""
        return None if self._place is None else self._place()

    def done_bytes(self) -> int:
        """Return how many bytes of the file were taken from the disk."""
        return 0 if self._file is None or self._file.closed else self._file.tell()

    def entries(self, place: JsonPlace | None) -> Iterator[Entry]:
        try:
            with self._path.open("rb") as self._file:
                stream = _unpacked(self._file, self._path)
                if self._reader.resume is None:
                    yield from self._reader.parse(stream, self._judge)
                else:
                    resumable = self._reader.resume(stream, self._judge, place)
                    self._place = resumable.place
                    yield from resumable.entries
        except OSError as error:
            raise refusals.not_readable(error) from error


def _unpacked(stream: BinaryIO, path: Path) -> BinaryIO:
    """Return the bytes of the history itself, whether the file is packed by gzip or not."""
    if shape_of(stream) is not Shape.GZIP:
        return stream
    return unpacked(stream, packed_bytes=path.stat().st_size)


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError as error:
        raise refusals.not_readable(error) from error
    except ValueError:
        raise refusals.not_readable(OSError(errno.ENOENT, "")) from None
