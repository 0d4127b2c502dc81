"""Google's Timeline.json of a phone: the Android object and the iOS array.

What counts as a positionfix: every position to which the file itself attaches a time.

- a point of a `timelinePath`, at its `time` (Android) or at its whole minutes after the
  segment's start (iOS, whose start is the beginning of a two-hour window in UTC);
- a `position` of the raw signals, at its `timestamp`;
- the place of a `visit`, at the visit's start: intervals are half-open, at the end one leaves;
- the two ends of an `activity`, at its start and end, with its label and probability (a
  probability of 0 is normal and no reason to doubt).

A visit and an activity are evidence too, of a stay and of a leg, with Google's label, distance
and probabilities; the evidence stands beside their positions and repeats none.

A place of `frequentPlaces` has no time: it is rejected as such, and no time is made up. The
fixtures of another project count it as a point at a midnight of its own; their totals are ours
plus these. Segments with no coordinates (memories, visits without a place, Wi-Fi scans,
activity records) claim no position and give no entry. Points come in file order, which iOS
resets at each window; the same minute twice is two entries.

Schema: https://locationhistoryformat.com/guides/ and the exports themselves (2024-2025).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO, Final

from personal_store.ingest.head import Head
from personal_store.ingest.json_text import walk_json
from personal_store.ingest.judge import Judge, evidence_place
from personal_store.ingest.limits import FIELD_CHARS
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
    first_of,
    instant_from_iso,
    number,
    part,
    utc_offset_min,
)

# Android gives no name of the phone, nor does iOS; one export is one phone.
_DEVICE: Final = "google-timeline"
# Stands for what is neither text nor object, and is refused as such.
_NO_PLACE: Final = object()
_ANDROID_KEYS: Final = frozenset({"semanticSegments", "rawSignals", "userLocationProfile"})
_PLACE: Final = re.compile(
    r"(?:geo:)?\s*(?P<lat>[0-9.eE+-]+)\s*°?\s*,"
    r"\s*(?P<lon>[0-9.eE+-]+)\s*°?\s*"
    r"(?:,\s*(?P<altitude>[0-9.eE+-]+)\s*)?",
    re.IGNORECASE,
)


def recognises_android(head: Head) -> bool:
    """Tell whether the document is an object with a section of the Android export."""
    return head.json is not None and not _ANDROID_KEYS.isdisjoint(head.json.keys)


def recognises_ios(head: Head) -> bool:
    """Tell whether the document is an array of segments from a start to an end."""
    if head.json is None or not head.json.is_array:
        return False
    first = head.json.first
    return isinstance(first, dict) and "startTime" in first and "endTime" in first


def parse(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield the positions of either export in file order. Raises as `walk_json` does."""
    for key, value in walk_json(stream):
        claims = _CLAIMS.get(key)
        if claims is None:
            continue
        if not isinstance(value, dict):
            yield Rejected(reason=RejectReason.UNREADABLE_ENTRY)
            continue
        for claim in claims(value):
            try:
                yield _positionfix(claim, judge)
            except Refused as refused:
                yield refused.rejected
        if claims is _segment_claims:
            for evidence in (_visit_evidence, _leg_evidence):
                try:
                    said = evidence(value, judge)
                except Refused:
                    # The times are those of its positions, which were counted as rejected.
                    continue
                if said is not None:
                    yield said


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """A position that the file states, with the raw values that go with it."""

    place: object
    at: object
    offset_min: object = None
    accuracy_m: object = None
    speed_mps: object = None
    altitude_m: object = None
    activity: object = None
    probability: object = None


def _segment_claims(segment: dict[str, object]) -> Iterator[_Claim]:
    start, end = segment.get("startTime"), segment.get("endTime")
    path = segment.get("timelinePath")
    for point in path if isinstance(path, list) else ():
        yield _path_claim(point, start)
    visit = part(segment, "visit")
    place = part(visit, "topCandidate").get("placeLocation")
    if place is not None:
        yield _Claim(place=place, at=start)
    activity = part(segment, "activity")
    best = part(activity, "topCandidate")
    for place, at in ((activity.get("start"), start), (activity.get("end"), end)):
        if place is not None:
            yield _Claim(
                place=place,
                at=at,
                activity=best.get("type"),
                probability=best.get("probability"),
            )


def _path_claim(point: object, start: object) -> _Claim:
    if not isinstance(point, dict):
        return _Claim(place=_NO_PLACE, at=start)
    offset_min = point.get("durationMinutesOffsetFromStartTime")
    return _Claim(
        place=point.get("point"),
        at=point.get("time") if offset_min is None else start,
        offset_min=offset_min,
    )


def _signal_claims(signal: dict[str, object]) -> Iterator[_Claim]:
    position = signal.get("position")
    if isinstance(position, dict):
        yield _Claim(
            place=position.get("LatLng", position.get("latLng")),
            at=position.get("timestamp"),
            accuracy_m=position.get("accuracyMeters"),
            speed_mps=position.get("speedMetersPerSecond"),
            altitude_m=position.get("altitudeMeters"),
        )


def _profile_claims(profile: dict[str, object]) -> Iterator[_Claim]:
    places = profile.get("frequentPlaces")
    for place in places if isinstance(places, list) else ():
        if isinstance(place, dict):
            yield _Claim(place=place.get("placeLocation"), at=None)


_CLAIMS: Final = {
    "": _segment_claims,
    "semanticSegments": _segment_claims,
    "rawSignals": _signal_claims,
    "userLocationProfile": _profile_claims,
}


def _visit_evidence(segment: dict[str, object], judge: Judge) -> Evidence | None:
    visit = part(segment, "visit")
    best = part(visit, "topCandidate")
    if best.get("placeLocation") is None:
        return None
    return judge.evidence(
        kind=EvidenceKind.VISIT,
        start=instant_from_iso(segment.get("startTime")),
        end=instant_from_iso(segment.get("endTime")),
        device=_DEVICE,
        origin=_place(best["placeLocation"], name=best.get("semanticType")),
        confidence=visit.get("probability"),
        reference=first_of(best, ("placeId", "placeID")),
    )


def _leg_evidence(segment: dict[str, object], judge: Judge) -> Evidence | None:
    activity = part(segment, "activity")
    best = part(activity, "topCandidate")
    if best.get("type") is None and activity.get("distanceMeters") is None:
        return None
    return judge.evidence(
        kind=EvidenceKind.LEG,
        start=instant_from_iso(segment.get("startTime")),
        end=instant_from_iso(segment.get("endTime")),
        device=_DEVICE,
        modes=((best.get("type"), best.get("probability")),),
        distance_m=activity.get("distanceMeters"),
        origin=_place(activity.get("start")),
        destination=_place(activity.get("end")),
        confidence=activity.get("probability"),
    )


def _place(place: object, name: object = None) -> EvidencePlace | None:
    try:
        parts = _coordinates(place)
    except Refused:
        return evidence_place(lat=None, lon=None, name=name)
    return evidence_place(lat=parts["lat"], lon=parts["lon"], name=name)


def _positionfix(claim: _Claim, judge: Judge) -> Positionfix:
    place = _coordinates(claim.place)
    return judge.positionfix(
        at=_instant(claim),
        lat=place["lat"],
        lon=place["lon"],
        device=_DEVICE,
        accuracy_m=claim.accuracy_m,
        speed_mps=claim.speed_mps,
        altitude_m=place["altitude"] if claim.altitude_m is None else claim.altitude_m,
        activity=claim.activity,
        activity_confidence=claim.probability,
        utc_offset_min=utc_offset_min(claim.at),
    )


def _instant(claim: _Claim) -> datetime:
    at = instant_from_iso(claim.at)
    if claim.offset_min is None:
        return at
    offset_min = number(claim.offset_min)
    if not offset_min >= 0:
        raise Refused(RejectReason.UNREADABLE_ENTRY)
    try:
        return at + timedelta(minutes=offset_min)
    except OverflowError:
        raise Refused(RejectReason.IN_THE_FUTURE) from None


def _coordinates(place: object) -> re.Match[str]:
    """Return the texts `lat`, `lon` and `altitude` (or None) of a place in any notation.

    `48.86°, 2.33°`, `geo:48.86,2.33`, or an object that holds either under `latLng`.
    """
    text = place.get("latLng") if isinstance(place, dict) else place
    if text is None or text == "":
        raise Refused(RejectReason.NO_POSITION)
    parts = _PLACE.fullmatch(text) if isinstance(text, str) and len(text) <= FIELD_CHARS else None
    if parts is None:
        raise Refused(RejectReason.UNREADABLE_ENTRY)
    return parts
