"""Cozy's `io.cozy.timeseries.geojson`: the trips of Mon Coach Mobilité, cut by e-mission.

A document holds `series`, each a trip: two places, and FeatureCollections of sections with one
LineString, its `timestamps` (ms) and `speeds` (m/s). A section is evidence of a leg, with the
resident's `manual_mode` before the sensed one; a place one left is evidence of a visit. Each vertex
that has a timestamp is a positionfix: e-mission smoothed the track to one every 30 s or so, and no
other remains; the offset from UTC is that of its section's start. The device is `captureDevice`
where it comes before the series.

Read: one document, an array of them, or CouchDB's `docs` and `data`; in an array of rows the
document may lie under `doc`. A dump of the database may hold `_id`s and other types: left alone.

Schema: the samples of cozy/coachCO2 and its README (2024).
"""

from collections.abc import Iterator
from typing import BinaryIO, Final

from personal_store.ingest.head import Head
from personal_store.ingest.json_text import walk_json
from personal_store.ingest.judge import Judge, evidence_place
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

_UNNAMED_DEVICE: Final = "cozy"
_WRAPPINGS: Final = frozenset({"", "docs", "data", "rows"})


def recognises(head: Head) -> bool:
    """Tell whether the document is, or begins with, a Cozy time series."""
    if head.json is None:
        return False
    keys = set(head.json.keys)
    if "series" in keys:
        return True
    if not head.json.is_array and keys.isdisjoint(_WRAPPINGS):
        return False
    return "series" in _document(head.json.first)


def parse(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield positions and evidence in file order. Raises as `walk_json` does."""
    device = _UNNAMED_DEVICE
    for key, value in walk_json(stream):
        if key == "captureDevice":
            device = label(value) or device
        elif key == "series":
            yield from _trip(value, judge, device)
        elif key in _WRAPPINGS:
            document = _document(value)
            named = label(document.get("captureDevice")) or _UNNAMED_DEVICE
            for trip in items(document, "series"):
                yield from _trip(trip, judge, named)


def _document(row: object) -> dict[str, object]:
    """Return the document of a row, {} where it is something else."""
    if not isinstance(row, dict):
        return {}
    for key in ("doc", "attributes"):
        if "series" not in row and part(row, key):
            return part(row, key)
    return row


def _trip(trip: object, judge: Judge, device: str) -> Iterator[Entry]:
    if not isinstance(trip, dict):
        yield Rejected(reason=RejectReason.UNREADABLE_ENTRY)
        return
    manual_mode = part(trip, "properties").get("manual_mode")
    for feature in items(trip, "features"):
        if part(feature, "geometry").get("type") == "Point":
            yield from _visit(feature, judge, device)
        for section in items(feature, "features"):
            if part(section, "geometry").get("type") == "LineString":
                yield from _positions(section, judge, device)
                yield from _leg(section, judge, device, manual_mode)


def _visit(feature: object, judge: Judge, device: str) -> Iterator[Entry]:
    properties = part(feature, "properties")
    start = first_of(properties, ("enter_ts", "enter_fmt_time"))
    end = first_of(properties, ("exit_ts", "exit_fmt_time"))
    if start is None or end is None:
        # The first place was never entered, the last is not left yet.
        return
    try:
        yield judge.evidence(
            kind=EvidenceKind.VISIT,
            start=instant(start),
            end=instant(end),
            device=device,
            origin=_place(
                part(feature, "geometry").get("coordinates"), properties.get("display_name")
            ),
            reference=feature.get("id") if isinstance(feature, dict) else None,
        )
    except Refused as refused:
        yield refused.rejected


def _positions(section: object, judge: Judge, device: str) -> Iterator[Entry]:
    vertices = items(part(section, "geometry"), "coordinates")
    times = items(part(section, "properties"), "timestamps")
    speeds = items(part(section, "properties"), "speeds")
    offset_min = utc_offset_min(part(section, "properties").get("start_fmt_time"))
    for index, vertex in enumerate(vertices):
        lon, lat = (*vertex[:2], None, None)[:2] if isinstance(vertex, list) else (None, None)
        try:
            yield judge.positionfix(
                at=instant(times[index] if index < len(times) else None),
                lat=lat,
                lon=lon,
                device=device,
                speed_mps=speeds[index] if index < len(speeds) else None,
                utc_offset_min=offset_min,
            )
        except Refused as refused:
            yield refused.rejected


def _leg(section: object, judge: Judge, device: str, trip_mode: object) -> Iterator[Entry]:
    properties = part(section, "properties")
    vertices = items(part(section, "geometry"), "coordinates")
    manual_mode = first_of({"trip": trip_mode, **properties}, ("manual_mode", "trip"))
    try:
        yield judge.evidence(
            kind=EvidenceKind.LEG,
            start=instant(first_of(properties, ("start_ts", "start_fmt_time"))),
            end=instant(first_of(properties, ("end_ts", "end_fmt_time"))),
            device=device,
            modes=((manual_mode, None), (properties.get("sensed_mode"), None)),
            distance_m=properties.get("distance"),
            origin=_place(vertices[0] if vertices else None),
            destination=_place(vertices[-1] if vertices else None),
            reference=section.get("id") if isinstance(section, dict) else None,
        )
    except Refused as refused:
        yield refused.rejected


def _place(coordinates: object, name: object = None) -> EvidencePlace | None:
    pair = coordinates if isinstance(coordinates, list) else []
    lon, lat = (*pair[:2], None, None)[:2]
    return evidence_place(lat=lat, lon=lon, name=name)
