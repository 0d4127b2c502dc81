"""e-mission (OpenPATH): a list of timeline entries, raw or analysed, as its server exports them.

Each entry has `metadata.key` and `data`:

- `background/location` and `background/filtered_location` are positions (the second repeats a
  part of the first, and the store knows an exact repetition);
- `analysis/cleaned_section` and `analysis/inferred_section` are legs: `sensed_mode` is a number
  of MotionTypes, in an inferred section of PredictedModeTypes;
- `analysis/confirmed_trip` is a journey, with the `mode_confirm` of its resident;
- `analysis/cleaned_place` and `analysis/confirmed_place` that were entered and left are visits.

Entries that only repeat these at an earlier stage (`segmentation/...`), tracks that e-mission
interpolated (`analysis/recreated_location`) and everything else give nothing.

Schema: e-mission-server, `emission/core/wrapper/` (2026, BSD-3).
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo

from personal_store.ingest.head import Head
from personal_store.ingest.json_text import walk_json
from personal_store.ingest.judge import Judge, evidence_place
from personal_store.ingest.limits import LABEL_CHARS
from personal_store.ingest.positionfix import (
    Entry,
    EvidenceKind,
    EvidencePlace,
    Rejected,
    RejectReason,
)
from personal_store.ingest.values import (
    Refused,
    first_of,
    instant,
    items,
    label,
    part,
    utc_offset_min,
)

_UNNAMED_DEVICE: Final = "e-mission"
_LISTS: Final = frozenset({"", "phone_data", "timeline_list", "entries"})
_MOTION_TYPES: Final = {
    0: "IN_VEHICLE",
    1: "BICYCLING",
    2: "ON_FOOT",
    3: "STILL",
    4: "UNKNOWN",
    5: "TILTING",
    7: "WALKING",
    8: "RUNNING",
    9: "NONE",
    10: "STOPPED_WHILE_IN_VEHICLE",
    11: "AIR_OR_HSR",
}
_PREDICTED_MODE_TYPES: Final = {
    0: "UNKNOWN",
    1: "WALKING",
    2: "BICYCLING",
    3: "BUS",
    4: "TRAIN",
    5: "CAR",
    6: "AIR_OR_HSR",
    7: "SUBWAY",
    8: "TRAM",
    9: "LIGHT_RAIL",
}


def recognises(head: Head) -> bool:
    """Tell whether the document is, or begins with, an entry with a key and data."""
    if head.json is None or not (head.json.is_array or not _LISTS.isdisjoint(head.json.keys)):
        return False
    first = head.json.first
    return isinstance(first, dict) and "data" in first and "key" in part(first, "metadata")


def parse(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield positions and evidence in file order. Raises as `walk_json` does."""
    for key, value in walk_json(stream):
        if key not in _LISTS:
            continue
        if not isinstance(value, dict):
            yield Rejected(reason=RejectReason.UNREADABLE_ENTRY)
            continue
        metadata = part(value, "metadata")
        read = _READ.get(str(metadata.get("key")))
        if read is None:
            continue
        try:
            data = {"time_zone": metadata.get("time_zone"), **part(value, "data")}
            entry = read(data, _device(metadata), judge)
        except Refused as refused:
            entry = refused.rejected
        if entry is not None:
            yield entry


def _device(metadata: Mapping[str, object]) -> str:
    """Return the phone's platform: an export is one person's, so it tells their phones apart."""
    platform = label(metadata.get("platform"))
    return f"{_UNNAMED_DEVICE} {platform}" if platform in {"android", "ios"} else _UNNAMED_DEVICE


def _location(data: dict[str, object], device: str, judge: Judge) -> Entry:
    at = instant(data.get("ts"))
    return judge.positionfix(
        at=at,
        lat=data.get("latitude"),
        lon=data.get("longitude"),
        device=device,
        accuracy_m=data.get("accuracy"),
        speed_mps=first_of(data, ("sensed_speed", "speed")),
        altitude_m=data.get("altitude"),
        utc_offset_min=_offset_min(data, at),
    )


def _offset_min(data: dict[str, object], at: datetime) -> int | None:
    """Return the offset that an entry states: in its time, else by the name of its time zone."""
    stated = utc_offset_min(data.get("fmt_time"))
    zone = first_of({**part(data, "local_dt"), **data}, ("time_zone", "timezone"))
    if stated is not None or not isinstance(zone, str) or len(zone) > LABEL_CHARS:
        return stated
    try:
        offset = at.astimezone(ZoneInfo(zone)).utcoffset()
    except (KeyError, ValueError, OSError, OverflowError):
        return None
    return None if offset is None else round(offset / timedelta(minutes=1))


def _cleaned_section(data: dict[str, object], device: str, judge: Judge) -> Entry:
    return _leg(data, device, judge, _MOTION_TYPES)


def _inferred_section(data: dict[str, object], device: str, judge: Judge) -> Entry:
    return _leg(data, device, judge, _PREDICTED_MODE_TYPES)


def _leg(data: dict[str, object], device: str, judge: Judge, names: Mapping[int, str]) -> Entry:
    mode = data.get("sensed_mode")
    named = names.get(mode, mode) if type(mode) is int else mode
    return _segment(data, device, judge, EvidenceKind.LEG, named)


def _confirmed_trip(data: dict[str, object], device: str, judge: Judge) -> Entry:
    confirmed = part(data, "user_input").get("mode_confirm")
    return _segment(data, device, judge, EvidenceKind.JOURNEY, confirmed)


def _segment(
    data: dict[str, object], device: str, judge: Judge, kind: EvidenceKind, mode: object
) -> Entry:
    return judge.evidence(
        kind=kind,
        start=instant(first_of(data, ("start_ts", "start_fmt_time"))),
        end=instant(first_of(data, ("end_ts", "end_fmt_time"))),
        device=device,
        modes=((mode, None),),
        distance_m=data.get("distance"),
        origin=_place(part(data, "start_loc")),
        destination=_place(part(data, "end_loc")),
    )


def _visit(data: dict[str, object], device: str, judge: Judge) -> Entry | None:
    if data.get("enter_ts") is None or data.get("exit_ts") is None:
        # The first place was never entered, the last is not left yet.
        return None
    return judge.evidence(
        kind=EvidenceKind.VISIT,
        start=instant(data["enter_ts"]),
        end=instant(data["exit_ts"]),
        device=device,
        origin=_place(part(data, "location"), name=data.get("display_name")),
    )


def _place(geometry: dict[str, object], name: object = None) -> EvidencePlace | None:
    lon, lat = (*items(geometry, "coordinates")[:2], None, None)[:2]
    return evidence_place(lat=lat, lon=lon, name=name)


_Read = Callable[[dict[str, object], str, Judge], Entry | None]
_READ: Final[Mapping[str, _Read]] = {
    "background/location": _location,
    "background/filtered_location": _location,
    "analysis/cleaned_section": _cleaned_section,
    "analysis/inferred_section": _inferred_section,
    "analysis/confirmed_trip": _confirmed_trip,
    "analysis/cleaned_place": _visit,
    "analysis/confirmed_place": _visit,
}
