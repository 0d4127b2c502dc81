"""The files of an export of a personal store, read back into one: `personal-store export`.

A position comes back with its source, its device and its offset from UTC; a statement of a
segmented source as it was. The resident's own words (corrections, habits, places) are passed on as
they stand: what they mean is for `trips/own_words.py` to judge. What a store computes again (trips)
and what only a backup may bring back (contributions, home) gives nothing, and is no wrong file.

It is not the exporter, which takes the names of columns and files from here.
Shape: docs/cli.md, `export --json`.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import BinaryIO, Final

from personal_store.ingest import refusals
from personal_store.ingest.head import Head, Shape
from personal_store.ingest.json_text import walk_json
from personal_store.ingest.judge import Judge, evidence_place
from personal_store.ingest.limits import LINE_BYTES
from personal_store.ingest.owntracks import message_object
from personal_store.ingest.positionfix import (
    Entry,
    EvidenceKind,
    EvidencePlace,
    OwnWord,
    OwnWordKind,
    Rejected,
    RejectReason,
    SourceFormat,
)
from personal_store.ingest.table import header, read_rows, whole
from personal_store.ingest.values import (
    Refused,
    instant_from_epoch_s,
    instant_from_iso,
    items,
    label,
    number,
    part,
)

POSITION_COLUMNS: Final = (
    "timestamp_utc",
    "latitude",
    "longitude",
    "accuracy_m",
    "speed_mps",
    "altitude_m",
    "device",
    "activity",
    "activity_confidence",
    "utc_offset_min",
    "source",
    "received_at",
)
TITLE: Final = "Vos données de mobilité / Your mobility data"
"""First line of the export's explanation."""

_UNNAMED_DEVICE: Final = "export"
_FIRST_EVIDENCE_KEYS: Final = ("confidence", "destination", "device", "distance_m", "end", "kind")
_WORDS: Final = {
    OwnWordKind.CORRECTION: frozenset({"number", "kind", "device", "start", "end", "value"}),
    OwnWordKind.HABIT: frozenset({"number", "mode", "rides", "minute_of_day", "origin"}),
    OwnWordKind.PLACE: frozenset({"number", "kind", "name", "lon", "lat", "hidden", "zone"}),
}
_REST: Final = (
    frozenset({"trip_id", "start", "end", "legs"}),
    frozenset({"task", "week", "epsilon", "report"}),
)
_HOME_KEYS: Final = ("timezone", "zone")
_ENDS: Final = ("start", "end")


def recognises_positions(head: Head) -> bool:
    """Tell whether the table has every column of an export."""
    return header(head) == POSITION_COLUMNS


def recognises_evidence(head: Head) -> bool:
    """Tell whether the first line is a statement as the store keeps it."""
    keys = head.json.keys if head.json is not None else ()
    return keys[: len(_FIRST_EVIDENCE_KEYS)] == _FIRST_EVIDENCE_KEYS


def recognises_words(head: Head) -> bool:
    """Tell whether the document is a list of corrections, of habits or of places."""
    first = head.json.first if head.json is not None and head.json.is_array else None
    return _kind_of(first) is not None


def recognises_rest(head: Head) -> bool:
    """Tell whether the file is one of an export from which nothing is read."""
    if head.json is None:
        return head.shape is Shape.TEXT and head.raw.startswith(TITLE.encode())
    first = head.json.first
    if head.json.is_array and isinstance(first, dict):
        return any(first.keys() >= keys for keys in _REST)
    return head.json.keys == _HOME_KEYS


def parse_positions(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield the positions in file order. Raises as `read_rows` does."""
    judges: dict[str, Judge] = {}
    for fields in read_rows(stream):
        try:
            row = whole(fields)
            source = row.get("source", "")
            if source not in judges:
                judges[source] = judge.member(_source(source))
            yield _position(row, judges[source])
        except Refused as refused:
            yield refused.rejected


def parse_evidence(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield the statements in file order; a damaged line is one rejected entry.

    Raises `HostileFile` for a line over `LINE_BYTES` or nested without end.
    """
    while line := stream.readline(LINE_BYTES + 1):
        if len(line) > LINE_BYTES:
            raise refusals.entry_too_long()
        if line.isspace():
            continue
        try:
            yield _evidence(message_object(line), judge)
        except Refused as refused:
            yield refused.rejected


def parse_words(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:  # noqa: ARG001 -- as every reader
    """Yield the resident's words in file order. Raises as `walk_json` does."""
    for _, value in walk_json(stream):
        kind = _kind_of(value)
        if kind is None or not isinstance(value, dict):
            yield Rejected(reason=RejectReason.UNREADABLE_ENTRY)
        else:
            yield OwnWord(kind=kind, said=value)


def parse_rest(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:  # noqa: ARG001 -- as every reader
    """Yield nothing."""
    return iter(())


def _kind_of(value: object) -> OwnWordKind | None:
    if not isinstance(value, dict):
        return None
    return next((kind for kind, keys in _WORDS.items() if value.keys() >= keys), None)


def _source(raw: object) -> SourceFormat:
    try:
        return SourceFormat(str(raw))
    except ValueError:
        raise Refused(RejectReason.UNREADABLE_ENTRY) from None


def _position(row: Mapping[str, str], judge: Judge) -> Entry:
    offset_min = row.get("utc_offset_min") or None
    return judge.positionfix(
        at=instant_from_iso(row.get("timestamp_utc")),
        lat=row.get("latitude"),
        lon=row.get("longitude"),
        device=label(row.get("device")) or _UNNAMED_DEVICE,
        accuracy_m=row.get("accuracy_m") or None,
        speed_mps=row.get("speed_mps") or None,
        altitude_m=row.get("altitude_m") or None,
        activity=row.get("activity") or None,
        activity_confidence=row.get("activity_confidence") or None,
        utc_offset_min=None if offset_min is None else _offset_min(offset_min),
    )


def _offset_min(raw: str) -> int:
    minutes = number(raw)
    if not (abs(minutes) < timedelta(days=1) / timedelta(minutes=1) and minutes.is_integer()):
        raise Refused(RejectReason.UNREADABLE_ENTRY)
    return int(minutes)


def _evidence(said: Mapping[str, object], judge: Judge) -> Entry:
    try:
        kind = EvidenceKind(str(said.get("kind")))
    except ValueError:
        raise Refused(RejectReason.UNREADABLE_ENTRY) from None
    modes = [mode for mode in items(said, "modes") if isinstance(mode, dict)]
    start, end = (instant_from_epoch_s(said.get(each), units_per_s=1000) for each in _ENDS)
    return judge.member(_source(said.get("source"))).evidence(
        kind=kind,
        start=start,
        end=end,
        device=label(said.get("device")) or _UNNAMED_DEVICE,
        modes=[(mode.get("label"), mode.get("confidence")) for mode in modes],
        distance_m=said.get("distance_m"),
        occupants=said.get("occupants"),
        origin=_place(said, "origin"),
        destination=_place(said, "destination"),
        line=said.get("line"),
        confidence=said.get("confidence"),
        reference=said.get("reference"),
    )


def _place(said: Mapping[str, object], name: str) -> EvidencePlace | None:
    place = part(said, name)
    return evidence_place(lat=place.get("lat"), lon=place.get("lon"), name=place.get("name"))
