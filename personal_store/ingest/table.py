"""Read a table of separated values as rows by column name, in bounded memory.

The separator is whichever of comma, semicolon, tab and bar cuts the header into most fields, or
the one that a first line `sep=;` states. Column names lose their case, their accents and their
outer space. It knows nothing of positions.

Spec: https://www.rfc-editor.org/rfc/rfc4180, read by the standard library.
"""

import codecs
import csv
import io
import itertools
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final

from personal_store.errors import IngestError
from personal_store.ingest import refusals
from personal_store.ingest.head import UTF16_MARKS, Head, Shape
from personal_store.ingest.limits import CHUNK_BYTES, LINE_BYTES, ROW_FIELDS
from personal_store.ingest.positionfix import RejectReason
from personal_store.ingest.values import Refused

_SEPARATORS: Final = ",;\t|"
_STATED_SEPARATOR: Final = re.compile(r"sep=(?P<separator>[,;\t|])\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table being read: its column names, and its rows by those names.

    A row is None where it has more fields than the header; one with fewer lacks the last ones,
    as many loggers leave them out.
    """

    names: tuple[str, ...]
    rows: Iterator[dict[str, str] | None]


def header(head: Head) -> tuple[str, ...]:
    """Return the column names of a text's first line, () where it is no table."""
    if head.shape is not Shape.TEXT:
        return ()
    try:
        names = open_table(io.BytesIO(head.raw), is_whole=False).names
    except IngestError:
        return ()
    return names if len(names) > 1 else ()


def open_table(stream: BinaryIO, *, is_whole: bool = True) -> Table:
    """Return the table of a stream that stands at its beginning; `is_whole` unless it is cut.

    Raises here or while rows are taken: `UnreadableFile` where the text is in no known encoding or
    breaks the rules of quoting, `HostileFile` for a line over `LINE_BYTES` or more than
    `ROW_FIELDS` columns.
    """
    lines = _lines(stream, is_whole=is_whole)
    first_line = next((line for line in lines if line.strip()), "")
    separator = _separator(first_line)
    if stated := _STATED_SEPARATOR.fullmatch(first_line):
        separator = stated["separator"]
        first_line = next((line for line in lines if line.strip()), "")
    rows = csv.reader(itertools.chain([first_line], lines), delimiter=separator)
    with _csv_in_our_words():
        names = tuple(_name(field) for field in next(rows, []))
    if len(names) > ROW_FIELDS:
        raise refusals.entry_too_long()
    return Table(names=names, rows=_rows(rows, names))


def read_rows(stream: BinaryIO) -> Iterator[dict[str, str] | None]:
    """Yield the rows of a table under its header. Raises as `open_table` does."""
    yield from open_table(stream).rows


def whole(row: dict[str, str] | None) -> dict[str, str]:
    """Return the row, or raise `Refused` (unreadable-entry) for one that does not fit its table."""
    if row is None:
        raise Refused(RejectReason.UNREADABLE_ENTRY)
    return row


def _rows(rows: Iterator[list[str]], names: tuple[str, ...]) -> Iterator[dict[str, str] | None]:
    with _csv_in_our_words():
        for row in rows:
            if row:
                yield dict(zip(names, row, strict=False)) if len(row) <= len(names) else None


@contextmanager
def _csv_in_our_words() -> Iterator[None]:
    try:
        yield
    except csv.Error:
        raise refusals.damaged("CSV") from None


def _lines(stream: BinaryIO, *, is_whole: bool) -> Iterator[str]:
    """Yield the lines of a text in UTF-8, UTF-16 with its mark, or what Windows writes in France.

    A line that is not UTF-8 is in Windows' Western code: no line that holds an accent is both.
    """
    start = stream.read(len(codecs.BOM_UTF16_LE))
    if start in UTF16_MARKS:
        yield from _wide_lines(stream, UTF16_MARKS[start], is_whole=is_whole)
        return
    mark = codecs.BOM_UTF8
    for line in _raw_lines(start, stream):
        if len(line) > LINE_BYTES:
            raise refusals.entry_too_long()
        try:
            yield line.removeprefix(mark).decode("utf-8")
        except UnicodeDecodeError:
            try:
                yield line.decode("cp1252")
            except UnicodeDecodeError:
                raise refusals.not_utf8() from None
        mark = b""


def _raw_lines(start: bytes, stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of `start` and of what follows it; none is read much beyond its limit."""
    *ended, begun = start.split(b"\n")
    yield from (line + b"\n" for line in ended)
    while line := begun + stream.readline(LINE_BYTES + 1):
        yield line
        begun = b""


def _wide_lines(stream: BinaryIO, encoding: str, *, is_whole: bool) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    held = ""
    while raw := stream.read(CHUNK_BYTES):
        try:
            *lines, held = (held + decoder.decode(raw)).split("\n")
        except UnicodeDecodeError:
            raise refusals.not_utf8() from None
        yield from (f"{line}\n" for line in lines)
        if len(held) > LINE_BYTES:
            raise refusals.entry_too_long()
    if is_whole and decoder.getstate()[0]:
        raise refusals.truncated("CSV")
    if held:
        yield held


def _separator(line: str) -> str:
    return max(_SEPARATORS, key=line.count)


def _name(field: str) -> str:
    """Return a column's name without case, accents and outer quotes, its words one space apart."""
    apart = unicodedata.normalize("NFD", field.strip().strip("\"'").lower())
    return " ".join("".join(each for each in apart if not unicodedata.combining(each)).split())
