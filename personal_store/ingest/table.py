"""Read a table of separated values as rows by column name, in bounded memory.

The separator is whichever of comma, semicolon, tab and bar cuts the header into most fields.
Column names lose their case and outer space. It knows nothing of positions.

Spec: https://www.rfc-editor.org/rfc/rfc4180, read by the standard library.
"""

import codecs
import csv
import itertools
from collections.abc import Iterator
from typing import BinaryIO, Final

from personal_store.ingest import refusals
from personal_store.ingest.head import Head, Shape
from personal_store.ingest.limits import LINE_BYTES, ROW_FIELDS
from personal_store.ingest.positionfix import RejectReason
from personal_store.ingest.values import Refused

_SEPARATORS: Final = ",;\t|"


def header(head: Head) -> tuple[str, ...]:
    """Return the column names of a text's first line, () where it is no table."""
    if head.shape is not Shape.TEXT:
        return ()
    first_line = head.raw.removeprefix(codecs.BOM_UTF8).lstrip().split(b"\n", 1)[0]
    try:
        line = first_line.decode("utf-8").strip("\r")
        fields = next(csv.reader([line], delimiter=_separator(line)), [])
    except (UnicodeDecodeError, csv.Error):
        return ()
    return tuple(_name(field) for field in fields) if len(fields) > 1 else ()


def read_rows(stream: BinaryIO) -> Iterator[dict[str, str] | None]:
    """Yield the rows under the header, None for one that has more fields than the header.

    A row with fewer fields lacks the last ones: many loggers leave them out.
    Raises `UnreadableFile` where the text is not UTF-8 or breaks the rules of quoting,
    `HostileFile` for a line over `LINE_BYTES` or more than `ROW_FIELDS` columns.
    """
    lines = _lines(stream)
    first_line = next((line for line in lines if line.strip()), "")
    separator = _separator(first_line)
    rows = csv.reader(itertools.chain([first_line], lines), delimiter=separator)
    try:
        names = [_name(field) for field in next(rows, [])]
        if len(names) > ROW_FIELDS:
            raise refusals.entry_too_long()
        for row in rows:
            if row:
                yield dict(zip(names, row, strict=False)) if len(row) <= len(names) else None
    except csv.Error:
        raise refusals.damaged("CSV") from None


def whole(row: dict[str, str] | None) -> dict[str, str]:
    """Return the row, or raise `Refused` (unreadable-entry) for one that does not fit its table."""
    if row is None:
        raise Refused(RejectReason.UNREADABLE_ENTRY)
    return row


def _lines(stream: BinaryIO) -> Iterator[str]:
    mark = codecs.BOM_UTF8
    while line := stream.readline(LINE_BYTES + 1):
        if len(line) > LINE_BYTES:
            raise refusals.entry_too_long()
        try:
            yield line.removeprefix(mark).decode("utf-8")
        except UnicodeDecodeError:
            raise refusals.not_utf8() from None
        mark = b""


def _separator(line: str) -> str:
    return max(_SEPARATORS, key=line.count)


def _name(field: str) -> str:
    return field.strip().strip("\"'").lower()
