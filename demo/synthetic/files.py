"""Write what telephones export: GPX 1.1, Google's Android `Timeline.json`, OwnTracks `.rec`.

Only recorded fixes enter these files, never the truth behind them; one thing is kinder than life:
the activity a telephone states is always the true mode in its own coarse words.

Formats: GPX 1.1 schema of Topografix with Garmin's TrackPointExtension v2 for speeds; OwnTracks
booklet, `docs/tech/json.md`, and the Recorder's storage lines; Google publishes no schema for
`Timeline.json`, its shape is that of exports seen in 2024 and later.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from statistics import fmean
from typing import Any

from carbon.modes import TransportMode
from synthetic.diary import ZONE
from synthetic.motion import Moment, distance_m
from synthetic.receiver import HOME_RADIUS_M, Fix

HDOP_UNIT_M = 5.0
"""Metres of accuracy per unit of horizontal dilution of precision (a common convention)."""
NEW_SEGMENT_AFTER = timedelta(minutes=30)
"""A logger that was silent for longer starts a new track segment."""

GOOGLE_TYPES = {
    TransportMode.WALK: ("WALKING", 0.9),
    TransportMode.BIKE: ("CYCLING", 0.8),
    TransportMode.BUS: ("IN_BUS", 0.6),
    TransportMode.CAR: ("IN_PASSENGER_VEHICLE", 0.85),
    TransportMode.TRAIN_TER: ("IN_TRAIN", 0.8),
}
"""Google's activity type of a mode, and the probability it states."""
OWNTRACKS_ACTIVITIES = {
    TransportMode.WALK: "walking",
    TransportMode.BIKE: "cycling",
    TransportMode.BUS: "automotive",
    TransportMode.CAR: "automotive",
    TransportMode.TRAIN_TER: "automotive",
    None: "stationary",
}
"""The activity that an iPhone states for a mode; a bus and a train are a car to it."""

_GPX_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="phone-a, synthetic" \
xmlns="http://www.topografix.com/GPX/1/1" \
xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">
<metadata><name>{name}</name><desc>Synthetic: nobody made these trips.</desc></metadata>
<trk><name>{name}</name>
"""


def gpx_bytes(name: str, fixes: Sequence[Fix]) -> bytes:
    """Return a GPX 1.1 file of one track; a long silence starts a new segment."""
    lines = [_GPX_HEAD.format(name=name), "<trkseg>\n"]
    before: Fix | None = None
    for fix in fixes:
        if before is not None and fix.at - before.at > NEW_SEGMENT_AFTER:
            lines.append("</trkseg>\n<trkseg>\n")
        lines.append(_trkpt(fix))
        before = fix
    lines.append("</trkseg>\n</trk>\n</gpx>\n")
    return "".join(lines).encode()


def timeline_bytes(days: Sequence[Sequence[Fix]]) -> bytes:
    """Return an Android `Timeline.json` of the given days."""
    segments = [segment for fixes in days for segment in _segments(fixes)]
    signals = [signal for fixes in days for fix in fixes for signal in _signals(fix)]
    home = _google_point(*_centre([fix for fix in days[0] if fix.mode is None][:5]))
    document = {
        "semanticSegments": segments,
        "rawSignals": signals,
        "userLocationProfile": {
            "frequentPlaces": [{"placeId": "demo-home", "placeLocation": home, "label": "HOME"}]
        },
    }
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def owntracks_bytes(fixes: Sequence[Fix]) -> bytes:
    """Return the `.rec` lines of one telephone: positions, and transitions at home."""
    home = _centre([fix for fix in fixes if fix.mode is None][:3])
    lines = []
    moving = False
    for fix in fixes:
        away = distance_m(_moment(fix.lon, fix.lat), _moment(*home)) > HOME_RADIUS_M
        if away is not moving:
            lines.append(_rec_line(fix, _transition(fix, leaving=away)))
            moving = away
        lines.append(_rec_line(fix, _location(fix)))
    return "".join(lines).encode()


def _trkpt(fix: Fix) -> str:
    """Return one track point; a position found indoors has no speed."""
    speed = (
        ""
        if fix.speed_mps is None
        else "<extensions><gpxtpx:TrackPointExtension>"
        f"<gpxtpx:speed>{fix.speed_mps}</gpxtpx:speed>"
        "</gpxtpx:TrackPointExtension></extensions>"
    )
    return (
        f'<trkpt lat="{fix.lat:.6f}" lon="{fix.lon:.6f}"><ele>{fix.altitude_m}</ele>'
        f"<time>{fix.at:%Y-%m-%dT%H:%M:%SZ}</time>"
        f"<hdop>{fix.accuracy_m / HDOP_UNIT_M:.1f}</hdop>{speed}</trkpt>\n"
    )


def _segments(fixes: Sequence[Fix]) -> Iterator[dict[str, Any]]:
    """Yield the visits, activities and paths of one day, as the telephone understood it."""
    groups = [list(group) for _, group in groupby(fixes, key=lambda fix: fix.mode)]
    for index, group in enumerate(groups):
        if group[0].mode is not None:
            yield from _activity(group)
            continue
        start = groups[index - 1][-1].at if index else group[0].at
        end = groups[index + 1][0].at if index + 1 < len(groups) else group[-1].at
        yield {**_span(start, end), "visit": _visit(group, at_home=index in (0, len(groups) - 1))}


def _visit(group: Sequence[Fix], *, at_home: bool) -> dict[str, Any]:
    """Return a visit at the centre of its fixes."""
    return {
        "hierarchyLevel": 0,
        "probability": 0.9,
        "topCandidate": {
            "placeId": "demo-home" if at_home else f"demo-{group[0].at:%Y%m%d%H%M}",
            "semanticType": "HOME" if at_home else "UNKNOWN",
            "probability": 0.7,
            "placeLocation": {"latLng": _google_point(*_centre(group))},
        },
    }


def _activity(group: Sequence[Fix]) -> Iterator[dict[str, Any]]:
    """Yield the activity between the first and last fix of a group, and its path."""
    first, last = group[0], group[-1]
    if first.mode is None or first is last:
        return
    kind, probability = GOOGLE_TYPES[first.mode]
    length_m = sum(
        distance_m(_moment(a.lon, a.lat), _moment(b.lon, b.lat)) for a, b in pairwise(group)
    )
    yield {
        **_span(first.at, last.at),
        "activity": {
            "start": {"latLng": _google_point(first.lon, first.lat)},
            "end": {"latLng": _google_point(last.lon, last.lat)},
            "distanceMeters": round(length_m, 1),
            "probability": 0.95,
            "topCandidate": {"type": kind, "probability": probability},
        },
    }
    path = [{"point": _google_point(fix.lon, fix.lat), "time": _local(fix.at)} for fix in group]
    yield {**_span(first.at, last.at), "timelinePath": path}


def _signals(fix: Fix) -> Iterator[dict[str, Any]]:
    """Yield the raw position and, on the way, the raw activity."""
    position: dict[str, Any] = {
        "LatLng": _google_point(fix.lon, fix.lat),
        "accuracyMeters": round(fix.accuracy_m),
        "altitudeMeters": fix.altitude_m,
        "source": "WIFI" if fix.speed_mps is None else "GPS",
        "timestamp": _local(fix.at),
    }
    if fix.speed_mps is not None:
        position["speedMetersPerSecond"] = fix.speed_mps
    yield {"position": position}
    if fix.mode is not None:
        kind, probability = GOOGLE_TYPES[fix.mode]
        guesses = [{"type": kind, "confidence": probability}]
        yield {"activityRecord": {"probableActivities": guesses, "timestamp": _local(fix.at)}}


def _span(start: datetime, end: datetime) -> dict[str, Any]:
    """Return the times of a segment as Google writes them."""
    minutes = [_offset_minutes(start), _offset_minutes(end)]
    return {
        "startTime": _local(start),
        "endTime": _local(end),
        "startTimeTimezoneUtcOffsetMinutes": minutes[0],
        "endTimeTimezoneUtcOffsetMinutes": minutes[1],
    }


def _local(at: datetime) -> str:
    """Return a time in the territory's zone with milliseconds and offset."""
    return at.astimezone(ZONE).isoformat(timespec="milliseconds")


def _offset_minutes(at: datetime) -> int:
    """Return the offset of local time from UTC."""
    offset = at.astimezone(ZONE).utcoffset() or timedelta()
    return int(offset.total_seconds() // 60)


def _google_point(lon: float, lat: float) -> str:
    """Return a position as Google writes it, latitude first."""
    return f"{lat:.7f}°, {lon:.7f}°"


def _rec_line(fix: Fix, message: dict[str, Any]) -> str:
    """Return a Recorder line: time of arrival, kind, message."""
    received = fix.at + timedelta(seconds=1)
    text = json.dumps(message, separators=(",", ":"))
    return f"{received:%Y-%m-%dT%H:%M:%SZ}\t*                 \t{text}\n"


def _location(fix: Fix) -> dict[str, Any]:
    """Return an OwnTracks location; at rest it is a ping over Wi-Fi."""
    hours = fix.at.astimezone(ZONE).hour
    message: dict[str, Any] = {
        "_type": "location",
        "acc": round(fix.accuracy_m),
        "alt": round(fix.altitude_m),
        "batt": 100 - 3 * hours,
        "conn": "w" if fix.speed_mps is None else "m",
        "lat": fix.lat,
        "lon": fix.lon,
        "m": 1,
        "motionactivities": [OWNTRACKS_ACTIVITIES[fix.mode]],
        "tid": "pb",
        "topic": "owntracks/demo/phone-b",
        "tst": int(fix.at.timestamp()),
        "vel": -1 if fix.speed_mps is None else round(fix.speed_mps * 3.6),
    }
    return message | {"t": "p"} if fix.mode is None else message


def _transition(fix: Fix, *, leaving: bool) -> dict[str, Any]:
    """Return an OwnTracks transition of the region around home."""
    return {
        "_type": "transition",
        "acc": round(fix.accuracy_m),
        "desc": "home",
        "event": "leave" if leaving else "enter",
        "lat": fix.lat,
        "lon": fix.lon,
        "rid": "demo01",
        "t": "c",
        "tid": "pb",
        "topic": "owntracks/demo/phone-b/event",
        "tst": int(fix.at.timestamp()),
        "wtst": int(fix.at.timestamp()) - 86_400,
    }


def _centre(fixes: Sequence[Fix]) -> tuple[float, float]:
    """Return the mean lon and lat of some fixes."""
    return fmean(fix.lon for fix in fixes), fmean(fix.lat for fix in fixes)


def _moment(lon: float, lat: float) -> Moment:
    """Return a place at rest."""
    return Moment(lon=lon, lat=lat, speed_mps=0.0)
