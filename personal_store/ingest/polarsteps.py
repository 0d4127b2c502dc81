"""Polarsteps: the `locations.json` of a trip, and the segments that converters make of it.

A location is a position with a time (ISO 8601 or a count since 1970). A segment of type
`place_visit` is evidence of a visit from `arrived` to `departed`; each segment is also the one
position that it states, at its `time`.

Schema: the exports of polarsteps.com and the samples of the reference data (2024).
"""

from collections.abc import Iterator
from typing import BinaryIO, Final

from personal_store.ingest.head import Head
from personal_store.ingest.json_text import walk_json
from personal_store.ingest.judge import Judge, evidence_place
from personal_store.ingest.positionfix import Entry, EvidenceKind, Rejected, RejectReason
from personal_store.ingest.values import Refused, first_of, instant

_DEVICE: Final = "polarsteps"
_LISTS: Final = frozenset({"", "locations"})
_TIMES: Final = ("time", "timestamp")
_PLACE: Final = frozenset({"lat", "lon"})


def recognises(head: Head) -> bool:
    """Tell whether the first entry has `lat`, `lon` and a time, in an array or in `locations`."""
    if head.json is None or not (head.json.is_array or "locations" in head.json.keys):
        return False
    first = head.json.first
    return isinstance(first, dict) and first.keys() >= _PLACE and "time" in first


def parse(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield positions and evidence in file order. Raises as `walk_json` does."""
    for key, value in walk_json(stream):
        if key not in _LISTS:
            continue
        if not isinstance(value, dict):
            yield Rejected(reason=RejectReason.UNREADABLE_ENTRY)
            continue
        for read in (_position, _visit):
            try:
                entry = read(value, judge)
            except Refused as refused:
                entry = refused.rejected
            if entry is not None:
                yield entry


def _position(value: dict[str, object], judge: Judge) -> Entry | None:
    return judge.positionfix(
        at=instant(first_of(value, _TIMES)),
        lat=value.get("lat"),
        lon=value.get("lon"),
        device=_DEVICE,
    )


def _visit(value: dict[str, object], judge: Judge) -> Entry | None:
    if value.get("type") != "place_visit":
        return None
    return judge.evidence(
        kind=EvidenceKind.VISIT,
        start=instant(value.get("arrived")),
        end=instant(value.get("departed")),
        device=_DEVICE,
        origin=evidence_place(lat=value.get("lat"), lon=value.get("lon"), name=value.get("name")),
        reference=value.get("id"),
    )
