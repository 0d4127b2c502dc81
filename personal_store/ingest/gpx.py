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

import codecs
from collections.abc import Iterator
from typing import BinaryIO, Final
from xml.parsers import expat

from personal_store.ingest import refusals
from personal_store.ingest.head import Head
from personal_store.ingest.judge import Judge
from personal_store.ingest.limits import (
    CHUNK_BYTES,
    FIELD_CHARS,
    XML_DEPTH,
    XML_NAMES,
    XML_TEXT_CHARS,
    XML_TOKEN_BYTES,
)
from personal_store.ingest.positionfix import Positionfix, Rejected
from personal_store.ingest.values import Refused, instant_from_iso, label

_UNNAMED_DEVICE: Final = "gpx"


def recognises(head: Head) -> bool:
    """Tell whether the root element is `gpx`, in any namespace or none."""
    return head.xml_root == "gpx"


def parse(stream: BinaryIO, judge: Judge) -> Iterator[Positionfix | Rejected]:
    """Yield the track points in file order.

    Raises `UnreadableFile` for broken XML, `HostileFile` for a DOCTYPE or past a limit of
    `limits.py`, `WrongFile` at the end of a file that has waypoints or a route but no track.
    """
    track = _TrackHandler(judge)
    parser = _parser(track)
    fed_bytes = 0
    while chunk := stream.read(CHUNK_BYTES):
        if not fed_bytes:
            # The declaration must come first, but exporters put blank lines before it.
            chunk = chunk.removeprefix(codecs.BOM_UTF8).lstrip()
        _feed(parser, chunk)
        fed_bytes += len(chunk)
        if fed_bytes - parser.CurrentByteIndex > XML_TOKEN_BYTES:
            raise refusals.entry_too_long()
        yield from track.ready
        track.ready.clear()
    try:
        parser.Parse(b"", True)  # noqa: FBT003 -- positional in the standard library
    except expat.ExpatError:
        raise refusals.truncated("GPX") from None
    yield from track.ready
    if track.has_only_marks:
        raise refusals.no_track()


def _parser(track: "_TrackHandler") -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = track.doctype
    parser.StartNamespaceDeclHandler = track.namespace
    parser.StartElementHandler = track.start
    parser.EndElementHandler = track.end
    parser.CharacterDataHandler = track.text
    return parser


def _feed(parser: expat.XMLParserType, chunk: bytes) -> None:
    try:
        parser.Parse(chunk, False)  # noqa: FBT003 -- positional in the standard library
    except (expat.ExpatError, LookupError, ValueError):
        # An encoding that Python does not know, or not byte by byte, is no ExpatError.
        raise refusals.damaged("GPX") from None


class _Names(dict[str, str]):
    """Expanded XML names -> local names that matter here, "" for the others."""

    def __missing__(self, name: str) -> str:
        if len(self) >= XML_NAMES:
            raise refusals.too_many_names()
        local = name.rpartition(" ")[2]
        self[name] = local if local in _ELEMENTS else ""
        return self[name]


_ELEMENTS: Final = frozenset({"gpx", "trk", "trkpt", "wpt", "rte", "time", "ele", "speed"})
_FIELDS: Final = frozenset({"time", "ele", "speed"})


class _TrackHandler:
    """Collect one track point at a time from the parser's events."""

    def __init__(self, judge: Judge) -> None:
        self.ready: list[Positionfix | Rejected] = []
        self._judge = judge
        self._names = _Names()
        self._seen: set[str] = set()
        self._device = _UNNAMED_DEVICE
        self._depth = 0
        self._point_depth = 0
        self._point: dict[str, str] = {}
        self._field = ""
        self._text = ""
        self._run_chars = 0

    @property
    def has_only_marks(self) -> bool:
        """Whether the file has waypoints or routes and no track at all."""
        return "trk" not in self._seen and not self._seen.isdisjoint({"wpt", "rte"})

    def doctype(self, *_: object) -> None:
        raise refusals.declares_entities()

    def namespace(self, prefix: str | None, uri: str | None) -> None:
        # The key cannot meet an element's: those have one space at most.
        self._names[f"xmlns {prefix} {uri}"]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._run_chars = 0
        local = self._names[name]
        if self._point_depth:
            if local in _FIELDS and (local == "speed" or self._depth == self._point_depth + 1):
                self._field = local
                self._text = ""
            if not attributes and self._depth <= XML_DEPTH:
                return
        elif local == "trkpt":
            self._point_depth = self._depth
            self._point = attributes
        self._start_with_care(local, attributes)

    def _start_with_care(self, local: str, attributes: dict[str, str]) -> None:
        """Check the limits, and read the rarer elements."""
        if self._depth > XML_DEPTH:
            raise refusals.nested_too_deep()
        for attribute in attributes:
            self._names[attribute]
        if local and not self._point_depth:
            self._seen.add(local)
            if local == "gpx":
                self._device = label(attributes.get("creator")) or _UNNAMED_DEVICE

    def end(self, _: str) -> None:
        if self._field:
            self._point[self._field] = self._text.strip()
            self._field = ""
        elif self._depth == self._point_depth:
            self._point_depth = 0
            self.ready.append(self._entry())
        self._depth -= 1

    def text(self, text: str) -> None:
        self._run_chars += len(text)
        if self._run_chars > XML_TEXT_CHARS:
            raise refusals.entry_too_long()
        if self._field and len(self._text) <= FIELD_CHARS:
            self._text += text

    def _entry(self) -> Positionfix | Rejected:
        point = self._point
        try:
            return self._judge.positionfix(
                at=instant_from_iso(point.get("time"), naive_is_utc=True),
                lat=point.get("lat"),
                lon=point.get("lon"),
                device=self._device,
                speed_mps=point.get("speed"),
                altitude_m=point.get("ele"),
            )
        except Refused as refused:
            return refused.rejected
