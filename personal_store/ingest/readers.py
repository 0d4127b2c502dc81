"""The formats that are read: one module and one row each.

To add a format, write its module (`recognises(head)` and `parse(stream, judge)`), its member of
`SourceFormat`, and a row here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from personal_store.ingest import google_records, google_timeline, gpx, owntracks
from personal_store.ingest.head import Head
from personal_store.ingest.judge import Judge
from personal_store.ingest.positionfix import Positionfix, Rejected, SourceFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One format: how a file of it is known, and how its entries are read.

    `parse` takes a stream at its beginning, yields entries lazily, and raises an `IngestError`
    where the content turns out truncated, damaged or hostile.
    """

    format: SourceFormat
    recognises: Callable[[Head], bool]
    parse: Callable[[BinaryIO, Judge], Iterator[Positionfix | Rejected]]


READERS: Final = (
    Reader(format=SourceFormat.GPX, recognises=gpx.recognises, parse=gpx.parse),
    Reader(
        format=SourceFormat.OWNTRACKS_REC, recognises=owntracks.recognises, parse=owntracks.parse
    ),
    Reader(
        format=SourceFormat.GOOGLE_RECORDS,
        recognises=google_records.recognises,
        parse=google_records.parse,
    ),
    Reader(
        format=SourceFormat.GOOGLE_TIMELINE_ANDROID,
        recognises=google_timeline.recognises_android,
        parse=google_timeline.parse,
    ),
    Reader(
        format=SourceFormat.GOOGLE_TIMELINE_IOS,
        recognises=google_timeline.recognises_ios,
        parse=google_timeline.parse,
    ),
)
