"""GeoJSON with times, and the batches of the Overland app, which are GeoJSON in another wrapping.

A `Point` whose properties hold a time is a position. A `LineString` has one where a list of
times goes with its vertices (`coordTimes`, `times` or `timestamps`, of the same length);
otherwise each vertex is rejected for want of a time. Polygons and null geometries claim no
position; an Overland feature without geometry is a mark of the app and gives nothing.

GeoJSON does not name its properties: the usual spellings are tried in order. A speed is in m/s
unless its name says otherwise; `vel` is in km/h beside an OwnTracks `tst`, elsewhere in m/s.
The `trip` of an Overland batch, whose mode its owner chose, is evidence of a leg.

Spec: https://www.rfc-editor.org/rfc/rfc7946 and https://github.com/aaronpk/Overland-iOS#api
"""

from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final

from personal_store.ingest.head import Head
from personal_store.ingest.json_text import walk_json
from personal_store.ingest.judge import Judge
from personal_store.ingest.positionfix import (
    Entry,
    EvidenceKind,
    Positionfix,
    Rejected,
    RejectReason,
    SourceFormat,
)
from personal_store.ingest.values import (
    Refused,
    first_of,
    instant,
    items,
    label,
    measure,
    part,
    utc_offset_min,
)

_UNNAMED_DEVICE: Final = "geojson"
_KMH_PER_MPS: Final = 3.6
_TIMES: Final = (
    "timestamp",
    "time",
    "datetime",
    "date",
    "when",
    "recorded_at",
    "recordedAt",
    "tst",
    "created_at",
    "time_long",
    "at",
)
_ACCURACIES_M: Final = ("accuracy", "acc", "horizontal_accuracy", "precision", "accuracyMeters")
_SPEEDS_MPS: Final = ("speed", "velocity", "speed_mps")
_SPEEDS_KMH: Final = ("speed_kmh", "speed_kph", "speedKmh")
_ALTITUDES_M: Final = ("altitude", "alt", "ele", "elevation", "height")
_DEVICES: Final = ("device_id", "deviceId", "device", "tracker_id", "unique_id", "tid")
_ACTIVITIES: Final = ("motion", "activity", "motionactivities")
_VERTEX_TIMES: Final = ("coordTimes", "times", "timestamps")


def recognises(head: Head) -> bool:
    """Tell whether the document is a FeatureCollection, or one Feature."""
    if head.json is None or head.json.is_array:
        return False
    keys = head.json.keys
    return "features" in keys or ("geometry" in keys and "type" in keys)


def recognises_overland(head: Head) -> bool:
    """Tell whether the document is an object of `locations` that are features."""
    if head.json is None or "locations" not in head.json.keys:
        return False
    first = head.json.first
    return isinstance(first, dict) and first.get("type") == "Feature"


def parse(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield the positions of either wrapping in file order. Raises as `walk_json` does."""
    lone: dict[str, object] = {}
    for key, value in walk_json(stream):
        if key in {"features", "locations"}:
            yield from feature_entries(value, judge)
        elif key in {"geometry", "properties"}:
            lone[key] = value
        elif key == "trip" and judge.source is SourceFormat.OVERLAND:
            yield from _trip(value, judge)
    if lone:
        yield from feature_entries(lone, judge)


def feature_entries(
    feature: object, judge: Judge, *, device: str | None = None
) -> Iterator[Positionfix | Rejected]:
    """Yield what one feature holds: a position, those of a line, or nothing.

    `device` names whose it is, whatever the feature says.
    """
    if not isinstance(feature, dict):
        yield Rejected(reason=RejectReason.UNREADABLE_ENTRY)
        return
    geometry, properties = part(feature, "geometry"), part(feature, "properties")
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "Point":
        yield _positionfix(coordinates, _time(properties), properties, judge, device)
    elif kind in {"LineString", "MultiPoint"} and isinstance(coordinates, list):
        times = _vertex_times(properties, len(coordinates))
        for index, vertex in enumerate(coordinates):
            at = times[index] if times else None
            yield _positionfix(vertex, at, properties, judge, device)


def _positionfix(
    coordinates: object,
    at: object,
    properties: dict[str, object],
    judge: Judge,
    device: str | None,
) -> Positionfix | Rejected:
    place = coordinates if isinstance(coordinates, list) else []
    lon, lat, altitude_m = (*place[:3], None, None, None)[:3]
    named_altitude_m = first_of(properties, _ALTITUDES_M)
    try:
        return judge.positionfix(
            at=instant(at),
            lat=lat,
            lon=lon,
            device=device or label(first_of(properties, _DEVICES)) or _UNNAMED_DEVICE,
            accuracy_m=first_of(properties, _ACCURACIES_M),
            speed_mps=_speed_mps(properties),
            altitude_m=altitude_m if named_altitude_m is None else named_altitude_m,
            activity=_activity(first_of(properties, _ACTIVITIES)),
            utc_offset_min=utc_offset_min(at),
        )
    except Refused as refused:
        return refused.rejected


def _time(properties: Mapping[str, object]) -> object:
    return first_of(properties, _TIMES)


def _vertex_times(properties: dict[str, object], count: int) -> list[object]:
    """Return one time for each vertex, [] where the feature does not give exactly that."""
    holders = (properties, part(properties, "coordinateProperties"))
    for holder in holders:
        for name in _VERTEX_TIMES:
            times = items(holder, name)
            if len(times) == count:
                return times
    return []


def _speed_mps(properties: Mapping[str, object]) -> float | None:
    speed_mps = measure(first_of(properties, _SPEEDS_MPS), at_least=0)
    if speed_mps is not None:
        return speed_mps
    speed_kmh = measure(first_of(properties, _SPEEDS_KMH), at_least=0)
    if speed_kmh is None and "vel" in properties:
        velocity = measure(properties["vel"], at_least=0)
        if "tst" not in properties:
            return velocity
        speed_kmh = velocity
    return None if speed_kmh is None else speed_kmh / _KMH_PER_MPS


def _activity(raw: object) -> object:
    """Return the first of a list of labels, or the label; lists go from likely to unlikely."""
    return (raw[0] if raw else None) if isinstance(raw, list) else raw


def _trip(trip: object, judge: Judge) -> Iterator[Entry]:
    current = part(part(trip, "current_location"), "properties")
    started = part(part(trip, "start_location"), "properties")
    if not isinstance(trip, dict) or not trip.get("mode") or "timestamp" not in current:
        return
    try:
        yield judge.evidence(
            kind=EvidenceKind.LEG,
            start=instant(trip.get("start", started.get("timestamp"))),
            end=instant(current["timestamp"]),
            device=label(first_of(current, _DEVICES)) or _UNNAMED_DEVICE,
            modes=((trip["mode"], None),),
            distance_m=trip.get("distance"),
        )
    except Refused as refused:
        yield refused.rejected
