"""Google's Semantic Location History: one month of a Takeout export (`2023_MARCH.json`).

The month is already cut into visits and activities, so most of it is evidence:

- a `placeVisit` is a visit; an `activitySegment` is a leg, with every label that Google weighed.
  `activityType` is often absent: then the labels of `activities` by probability (0 is normal),
  then the `travelMode` of the way points, which Google inferred from roads;
- positionfixes are the positions to which the file attaches a time: the points of
  `simplifiedRawPath`, the two ends of an activity, and the place of a visit at its start. A place
  that was never chosen among candidates is not where one was.

Way points and transit stops carry no time: they draw the leg's shape and are no positions.
`startTimestamp` is ISO 8601 or, in older files and re-exports, a count in s or ms.

Schema: https://locationhistoryformat.com/reference/semantic/ (CarlosBergillos, MIT).
"""

from collections.abc import Iterator
from typing import BinaryIO, Final

from personal_store.ingest.head import Head
from personal_store.ingest.json_text import walk_json
from personal_store.ingest.judge import Judge, evidence_place
from personal_store.ingest.positionfix import (
    Entry,
    Evidence,
    EvidenceKind,
    EvidencePlace,
    Positionfix,
    Rejected,
    RejectReason,
)
from personal_store.ingest.values import (
    Refused,
    degrees_from_e7,
    first_of,
    instant,
    items,
    measure,
    part,
)

# The month names no phone: one account is one device here.
_DEVICE: Final = "google-semantic"
_PERCENT: Final = 100
_WORDED_CONFIDENCE: Final = {"LOW": 0.25, "MEDIUM": 0.5, "HIGH": 0.75}
"""Google publishes words without figures; quarters keep their order and claim no more."""


def recognises(head: Head) -> bool:
    """Tell whether the document has Google's `timelineObjects`."""
    return head.json is not None and "timelineObjects" in head.json.keys


def parse(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield positions and evidence in file order. Raises as `walk_json` does."""
    for key, item in walk_json(stream):
        if key != "timelineObjects":
            continue
        if not isinstance(item, dict):
            yield Rejected(reason=RejectReason.UNREADABLE_ENTRY)
            continue
        visit, activity = part(item, "placeVisit"), part(item, "activitySegment")
        if visit:
            yield from _visit(visit, judge)
        if activity:
            yield from _activity(activity, judge)
        if not visit and not activity:
            yield Rejected(reason=RejectReason.UNREADABLE_ENTRY)


def _visit(visit: dict[str, object], judge: Judge) -> Iterator[Entry]:
    location, duration = part(visit, "location"), part(visit, "duration")
    if _has_position(location):
        yield _positionfix(location, _bound(duration, "start"), judge)
        if _bound(duration, "end") is not None:
            yield _visit_evidence(visit, judge)
    else:
        yield Rejected(reason=RejectReason.NO_POSITION)
    for child in items(visit, "childVisits"):
        if isinstance(child, dict):
            yield from _visit({**child, "childVisits": []}, judge)


def _visit_evidence(visit: dict[str, object], judge: Judge) -> Evidence | Rejected:
    location, duration = part(visit, "location"), part(visit, "duration")
    confidence_percent = measure(visit.get("visitConfidence"), at_least=0)
    try:
        return judge.evidence(
            kind=EvidenceKind.VISIT,
            start=instant(_bound(duration, "start")),
            end=instant(_bound(duration, "end")),
            device=_DEVICE,
            origin=_place(location),
            confidence=None if confidence_percent is None else confidence_percent / _PERCENT,
            reference=location.get("placeId"),
        )
    except Refused as refused:
        return refused.rejected


def _activity(activity: dict[str, object], judge: Judge) -> Iterator[Entry]:
    duration = part(activity, "duration")
    start, end = part(activity, "startLocation"), part(activity, "endLocation")
    if _has_position(start):
        yield _positionfix(start, _bound(duration, "start"), judge)
    for point in items(part(activity, "simplifiedRawPath"), "points"):
        if isinstance(point, dict):
            yield _positionfix(point, first_of(point, ("timestamp", "timestampMs")), judge)
        else:
            yield Rejected(reason=RejectReason.UNREADABLE_ENTRY)
    if _has_position(end):
        yield _positionfix(end, _bound(duration, "end"), judge)
    if _bound(duration, "end") is not None:
        yield _leg_evidence(activity, judge)
    elif not _has_position(start):
        yield Rejected(reason=RejectReason.NO_TIME)


def _leg_evidence(activity: dict[str, object], judge: Judge) -> Evidence | Rejected:
    duration, way = part(activity, "duration"), part(activity, "waypointPath")
    distance_m = first_of(activity, ("distance",))
    try:
        return judge.evidence(
            kind=EvidenceKind.LEG,
            start=instant(_bound(duration, "start")),
            end=instant(_bound(duration, "end")),
            device=_DEVICE,
            modes=_modes(activity),
            distance_m=way.get("distanceMeters") if distance_m is None else distance_m,
            origin=_place(part(activity, "startLocation")),
            destination=_place(part(activity, "endLocation")),
            line=part(activity, "transitPath").get("name"),
            confidence=_WORDED_CONFIDENCE.get(str(activity.get("confidence"))),
        )
    except Refused as refused:
        return refused.rejected


def _modes(activity: dict[str, object]) -> list[tuple[object, object]]:
    """Return the labels, the likeliest first: the chosen one, the weighed ones, the road's."""
    weighed = [each for each in items(activity, "activities") if isinstance(each, dict)]
    weighed.sort(key=lambda each: measure(each.get("probability")) or 0.0, reverse=True)
    chosen = activity.get("activityType")
    pairs: list[tuple[object, object]] = [(chosen, None)] if chosen else []
    # Zeros all along mean that Google weighed nothing: what the roads say comes first.
    road = part(activity, "waypointPath").get("travelMode")
    has_weights = any(measure(each.get("probability")) for each in weighed)
    if road and not has_weights:
        pairs.append((road, None))
    for each in weighed:
        confidence = _percent_as_share(each.get("probability"))
        if chosen and each.get("activityType") == chosen:
            pairs[0] = (chosen, confidence)
        else:
            pairs.append((each.get("activityType"), confidence))
    return pairs


def _percent_as_share(raw: object) -> float | None:
    """Return a share of 1 from Google's probability, which is a percentage."""
    value = measure(raw, at_least=0)
    return None if value is None else value / _PERCENT


def _positionfix(place: dict[str, object], at: object, judge: Judge) -> Positionfix | Rejected:
    try:
        return judge.positionfix(
            at=instant(at),
            lat=degrees_from_e7(first_of(place, ("latitudeE7", "latE7"))),
            lon=degrees_from_e7(first_of(place, ("longitudeE7", "lngE7"))),
            device=_DEVICE,
            accuracy_m=place.get("accuracyMeters", place.get("accuracyMetres")),
        )
    except Refused as refused:
        return refused.rejected


def _bound(duration: dict[str, object], which: str) -> object:
    return first_of(duration, (f"{which}Timestamp", f"{which}TimestampMs"))


def _has_position(place: dict[str, object]) -> bool:
    return "latitudeE7" in place or "longitudeE7" in place


def _place(place: dict[str, object]) -> EvidencePlace | None:
    try:
        lat = degrees_from_e7(place.get("latitudeE7"))
        lon = degrees_from_e7(place.get("longitudeE7"))
    except Refused:
        return None
    return evidence_place(lat=lat, lon=lon, name=first_of(place, ("name", "semanticType")))
