"""Google's Records.json: the raw positions of a Takeout export.

Positions are `latitudeE7`, `longitudeE7` with a `timestamp` (ISO 8601; before 2022
`timestampMs`). One account mixes its phones, told apart by `deviceTag`. The activity is the
likeliest label of the first detection that goes with the position, its confidence a percentage.

Schema: https://locationhistoryformat.com/reference/records/ (CarlosBergillos, MIT).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, Final

from personal_store.ingest.head import Head
from personal_store.ingest.json_text import JsonWalk
from personal_store.ingest.judge import Judge
from personal_store.ingest.place import JsonPlace
from personal_store.ingest.positionfix import Entry, Positionfix, RejectReason, ResumableEntries
from personal_store.ingest.values import (
    Refused,
    degrees_from_e7,
    instant_from_epoch_s,
    instant_from_iso,
    label,
    measure,
)

_UNNAMED_DEVICE: Final = "google"
_MARKS: Final = frozenset({"latitudeE7", "longitudeE7", "timestamp", "timestampMs"})
_PERCENT: Final = 100
_NOTHING_SEEN: Final[dict[str, object]] = {}


def recognises(head: Head) -> bool:
    """Tell whether the document is an object of `locations` in Google's terms, or of none."""
    if head.json is None or "locations" not in head.json.keys:
        return False
    first = head.json.first
    if first is None:
        return head.json.keys == ("locations",)
    return isinstance(first, dict) and "lat" not in first and not _MARKS.isdisjoint(first)


def parse(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield the positions in file order. Raises as `walk_json` does."""
    return _entries(JsonWalk(stream), judge)


def resume(stream: BinaryIO, judge: Judge, place: JsonPlace | None) -> ResumableEntries:
    """Return the entries after `place`, which can say how far they are. Raises as `parse`."""
    walk = JsonWalk(stream, place)
    return ResumableEntries(entries=_entries(walk, judge), place=walk.place)


def _entries(walk: JsonWalk, judge: Judge) -> Iterator[Entry]:
    for key, record in walk:
        if key != "locations":
            continue
        try:
            yield _positionfix(record, judge)
        except Refused as refused:
            yield refused.rejected


def _positionfix(record: object, judge: Judge) -> Positionfix:
    if not isinstance(record, dict):
        raise Refused(RejectReason.UNREADABLE_ENTRY)
    get = record.get
    detections = get("activity")
    best = _likeliest(detections) if detections else _NOTHING_SEEN
    time = get("timestamp")
    percent = measure(best["confidence"]) if "confidence" in best else None
    return judge.positionfix(
        at=instant_from_iso(time) if time is not None else _instant(record),
        lat=degrees_from_e7(get("latitudeE7")),
        lon=degrees_from_e7(get("longitudeE7")),
        device=label(get("deviceTag")) or _UNNAMED_DEVICE,
        accuracy_m=get("accuracy"),
        speed_mps=get("velocity"),
        altitude_m=get("altitude"),
        activity=best.get("type"),
        activity_confidence=None if percent is None else percent / _PERCENT,
    )


def _instant(record: dict[str, object]) -> datetime:
    """Return the time of a record of before 2022."""
    return instant_from_epoch_s(record.get("timestampMs"), units_per_s=1000)


def _likeliest(detections: object) -> dict[str, object]:
    """Return the most confident label of the first detection, {} where there is none."""
    first = detections[0] if isinstance(detections, list) else None
    candidates = first.get("activity") if isinstance(first, dict) else None
    if not isinstance(candidates, list):
        return {}
    labelled = [candidate for candidate in candidates if isinstance(candidate, dict)]
    if len(labelled) == 1:
        return labelled[0]
    return max(labelled, key=lambda each: measure(each.get("confidence")) or 0.0, default={})
