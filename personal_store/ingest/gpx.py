"""GPX 1.0 and 1.1: the points of tracks.

Only track points are positions: a waypoint's time is when the mark was made, perhaps at a desk,
and a route is a plan. A track point without a time is rejected as such. The device is the
program named in the file, since GPX names no device; GPX has no accuracy in metres (`hdop` is a
ratio), so it is unknown.

Speed is `<speed>` of GPX 1.0, or any `speed` element below `<extensions>` (Garmin's and
OsmAnd's are in m/s). No tree is built and no entity is expanded: memory is the same for a
kilobyte and for a terabyte.

Spec: https://www.topografix.com/GPX/1/1/ and https://www.topografix.com/gpx_manual.asp (1.0).
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from itertools import chain
from typing import BinaryIO, Final
from xml.parsers import expat

from personal_store.ingest import refusals
from personal_store.ingest.head import Head
from personal_store.ingest.judge import Judge
from personal_store.ingest.limits import XML_DEPTH
from personal_store.ingest.positionfix import Entry, Positionfix, Rejected
from personal_store.ingest.values import Refused, instant_from_iso, label, utc_offset_min
from personal_store.ingest.xml_text import XmlHandler, read_xml

_UNNAMED_DEVICE: Final = "gpx"


def recognises(head: Head) -> bool:
    """Tell whether the root element is `gpx`, in any namespace or none."""
    return head.xml_root == "gpx"


def parse(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield the track points in file order.

    Raises as `read_xml` does, and `WrongFile` at the end of a file that has waypoints or a route
    but no track.
    """
    track = _TrackHandler(judge)
    yield from read_xml(stream, track, kind="GPX")
    if track.has_only_marks:
        raise refusals.no_track()


_ELEMENTS: Final = frozenset({"gpx", "trk", "trkpt", "wpt", "rte", "time", "ele", "speed"})
_FIELDS: Final = frozenset({"time", "ele", "speed"})


class _TrackHandler(XmlHandler):
    """Collect one track point at a time from the parser's events.

    The base class's three events are merged with their hooks here: a track is
    ten events a point, and each call saved is a tenth of the time. For the same reason points are
    judged together, those of each chunk.
    """

    def __init__(self, judge: Judge) -> None:
        super().__init__(_ELEMENTS)
        self._judge = judge
        self._seen: set[str] = set()
        self._device = _UNNAMED_DEVICE
        self._point_depth = 0
        self._point: dict[str, str] = {}
        self._points: list[dict[str, str]] = []
        self._field = ""
        self._pieces: list[str] = []
        self._parser = expat.ParserCreate()
        # The list's own method: a function of ours for each field is a twentieth of the time. What
        # it may hold is bounded, since no element begins inside a field without end.
        self._text_handler = self._pieces.append

    @property
    def has_only_marks(self) -> bool:
        """Whether the file has waypoints or routes and no track at all."""
        return "trk" not in self._seen and not self._seen.isdisjoint({"wpt", "rte"})

    def attach(self, parser: expat.XMLParserType) -> None:
        """Connect to a parser; text is asked for inside fields alone."""
        super().attach(parser)
        parser.CharacterDataHandler = None
        self._parser = parser

    def start_event(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.has_moved = True
        local = self.names[name]
        if self._point_depth:
            if local in _FIELDS and (local == "speed" or self.depth == self._point_depth + 1):
                self._field = local
                self._pieces.clear()
                self._parser.CharacterDataHandler = self._text_handler
            if not attributes and self.depth <= XML_DEPTH:
                return
        elif local == "trkpt":
            self._point_depth = self.depth
            self._point = attributes
        self._start_with_care(local, attributes)

    def _start_with_care(self, local: str, attributes: dict[str, str]) -> None:
        """Check the limits, and read the rarer elements."""
        self.check(attributes)
        if local and not self._point_depth:
            self._seen.add(local)
            if local == "gpx":
                self.ready.extend(self._judged())
                self._device = label(attributes.get("creator")) or _UNNAMED_DEVICE

    def end_event(self, _: str) -> None:
        if self._field:
            self._point[self._field] = "".join(self._pieces)
            self._field = ""
            self._parser.CharacterDataHandler = None
        elif self.depth == self._point_depth:
            self._point_depth = 0
            self._points.append(self._point)
        self.depth -= 1

    def taken(self) -> Iterable[Entry]:
        return chain(super().taken(), self._judged())

    def _judged(self) -> Iterable[Positionfix | Rejected]:
        points, self._points = self._points, []
        try:
            columns = [[point[name] for point in points] for name in ("time", "lat", "lon")]
        except KeyError:
            return map(self._entry, points)
        times, lats, lons = columns
        fixes = self._judge.positionfixes(
            times=times,
            lats=lats,
            lons=lons,
            device=self._device,
            speeds_mps=[point.get("speed") for point in points],
            altitudes_m=[point.get("ele") for point in points],
        )
        return map(self._entry, points) if fixes is None else fixes

    def _entry(self, point: Mapping[str, str]) -> Positionfix | Rejected:
        inside = {name: point[name].strip() for name in _FIELDS if name in point}
        time = inside.get("time")
        try:
            return self._judge.positionfix(
                at=instant_from_iso(time, naive_in=UTC),
                lat=point.get("lat"),
                lon=point.get("lon"),
                device=self._device,
                speed_mps=inside.get("speed"),
                altitude_m=inside.get("ele"),
                utc_offset_min=None if time and time[-1] == "Z" else utc_offset_min(time),
            )
        except Refused as refused:
            return refused.rejected
