"""TCX (Garmin Training Center): the track points of activities.

A track point without a position (an indoor run) claims none and gives no entry. The activity
itself, whose sport somebody or a watch chose, is evidence of one leg: from its first lap to its
last track point, with the laps' distances added up. Courses and workouts are plans: left alone.
TCX states no accuracy; a speed is in an extension, in m/s.

Spec: https://www8.garmin.com/xmlschemas/TrainingCenterDatabasev2.xsd
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO, Final

from personal_store.ingest import refusals
from personal_store.ingest.head import Head
from personal_store.ingest.judge import Judge
from personal_store.ingest.limits import FIELD_CHARS
from personal_store.ingest.positionfix import Entry, EvidenceKind, RejectReason
from personal_store.ingest.values import Refused, instant_from_iso, label, measure
from personal_store.ingest.xml_text import XmlHandler, read_xml

_UNNAMED_DEVICE: Final = "tcx"
_ROOT: Final = "TrainingCenterDatabase"
_FIELDS: Final = frozenset(
    {
        "Time",
        "LatitudeDegrees",
        "LongitudeDegrees",
        "AltitudeMeters",
        "DistanceMeters",
        "Speed",
        "Name",
        "UnitId",
    }
)
_ELEMENTS: Final = _FIELDS | {
    _ROOT,
    "Activity",
    "Lap",
    "Trackpoint",
    "Creator",
    "Course",
    "Workout",
    "Position",
}


def recognises(head: Head) -> bool:
    """Tell whether the root element is TCX's, in any namespace or none."""
    return head.xml_root == _ROOT.lower()


def parse(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield the positions of each activity in file order, then what the activity says.

    Raises as `read_xml` does, and `WrongFile` at the end of a file with plans alone.
    """
    handler = _Activities(judge)
    yield from read_xml(stream, handler, kind="TCX")
    if handler.has_only_plans:
        raise refusals.no_activity()


class _Activities(XmlHandler):
    """Collect one track point at a time; the device of TCX comes after them, so it is not known.

    Positions carry the format's name as device: Garmin writes `Creator` at the activity's end.
    """

    def __init__(self, judge: Judge) -> None:
        super().__init__(_ELEMENTS)
        self._judge = judge
        self._seen: set[str] = set()
        self._field = ""
        self._text = ""
        self._point: dict[str, str] | None = None
        self._activity: _Activity | None = None

    @property
    def has_only_plans(self) -> bool:
        """Whether the file has courses or workouts and no activity at all."""
        return "Activity" not in self._seen and not self._seen.isdisjoint({"Course", "Workout"})

    def opened(self, local: str, attributes: dict[str, str]) -> None:
        self._field = ""
        if local in _FIELDS:
            self._field = local
            self._text = ""
        elif local:
            self._seen.add(local)
            if local == "Activity":
                self._activity = _Activity(sport=attributes.get("Sport"))
            elif local == "Lap" and self._activity is not None:
                self._activity.begin(attributes.get("StartTime"))
            elif local == "Trackpoint" and self._activity is not None:
                self._point = {}

    def text(self, text: str) -> None:
        if self._field and len(self._text) <= FIELD_CHARS:
            self._text += text

    def closed(self, local: str) -> None:
        if self._field and local == self._field:
            self._keep(local, self._text.strip())
            self._field = ""
        elif local == "Trackpoint" and self._point is not None:
            self._finish_point(self._point)
            self._point = None
        elif local == "Activity" and self._activity is not None:
            self._finish_activity(self._activity)
            self._activity = None

    def _keep(self, field: str, text: str) -> None:
        if self._point is not None:
            self._point[field] = text
        elif self._activity is not None and field == "DistanceMeters":
            self._activity.distance_m += measure(text, at_least=0) or 0.0

    def _finish_point(self, point: dict[str, str]) -> None:
        try:
            at = instant_from_iso(point.get("Time"), naive_in=UTC)
            if self._activity is not None:
                self._activity.pass_through(at)
        except Refused as refused:
            if "LatitudeDegrees" in point:
                self.ready.append(refused.rejected)
            return
        if "LatitudeDegrees" not in point and "LongitudeDegrees" not in point:
            return
        try:
            fix = self._judge.positionfix(
                at=at,
                lat=point.get("LatitudeDegrees"),
                lon=point.get("LongitudeDegrees"),
                device=_UNNAMED_DEVICE,
                speed_mps=point.get("Speed"),
                altitude_m=point.get("AltitudeMeters"),
            )
        except Refused as refused:
            self.ready.append(refused.rejected)
        else:
            self.ready.append(fix)

    def _finish_activity(self, activity: "_Activity") -> None:
        if activity.start is None or activity.end is None or not label(activity.sport):
            return
        try:
            evidence = self._judge.evidence(
                kind=EvidenceKind.LEG,
                start=activity.start,
                end=activity.end,
                device=_UNNAMED_DEVICE,
                modes=((activity.sport, None),),
                distance_m=activity.distance_m or None,
            )
        except Refused as refused:
            self.ready.append(refused.rejected)
        else:
            self.ready.append(evidence)


class _Activity:
    """One activity while it is read: its sport, its interval, its distance."""

    def __init__(self, sport: str | None) -> None:
        self.sport = sport
        self.start: datetime | None = None
        self.end: datetime | None = None
        self.distance_m = 0.0

    def begin(self, start_time: str | None) -> None:
        """Take the start of a lap, which counts for the first lap alone."""
        try:
            at = instant_from_iso(start_time, naive_in=UTC)
        except Refused as refused:
            if refused.reason is not RejectReason.NO_TIME:
                raise refusals.damaged("TCX") from None
            return
        self.pass_through(at)

    def pass_through(self, at: datetime) -> None:
        """Stretch the interval so that it holds `at`."""
        self.start = at if self.start is None else min(self.start, at)
        self.end = at if self.end is None else max(self.end, at)
