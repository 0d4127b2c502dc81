"""KML 2.2 with Google's extension: the places and tracks that carry a time.

- `gx:Track`: its n-th `when` goes with its n-th `gx:coord`;
- a `Point` whose placemark has a `TimeStamp`, at that time;
- a `Point` whose placemark has a `TimeSpan`, at its beginning, and evidence of a visit;
- a `LineString` has no time for its vertices: each is rejected as such, since a placemark's
  single time cannot hold for several places. With a `TimeSpan` it is evidence of one leg.

Drawings (polygons, models, overlays) and network links claim no position and open nothing.
Side measures come from `ExtendedData` where a logger wrote them there (`speed` in m/s,
`accuracy`, a `Category` of Google's old timeline as the mode, its `Distance` in metres).

Spec: https://docs.ogc.org/is/12-007r2/12-007r2.html and gx: https://developers.google.com/kml
"""

import re
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, Final

from personal_store.ingest import refusals
from personal_store.ingest.head import Head
from personal_store.ingest.judge import Judge, evidence_place
from personal_store.ingest.limits import FIELD_CHARS, KML_POINTS, KML_WAITING_TIMES
from personal_store.ingest.positionfix import (
    Entry,
    EvidenceKind,
    EvidencePlace,
    Rejected,
    RejectReason,
)
from personal_store.ingest.values import Refused, instant_from_iso
from personal_store.ingest.xml_text import XmlHandler, read_xml

_DEVICE: Final = "kml"
_COARSE: Final = re.compile(r"\d{4}(-\d\d){0,2}", re.ASCII)
_TEXTS: Final = frozenset({"when", "begin", "end", "coord", "name", "value", "coordinates"})
_GEOMETRIES: Final = frozenset({"Point", "LineString"})
_ELEMENTS: Final = (
    _TEXTS | _GEOMETRIES | {"kml", "Placemark", "Track", "TimeStamp", "TimeSpan", "Data"}
)


def recognises(head: Head) -> bool:
    """Tell whether the root element is `kml`, in any namespace or none."""
    return head.xml_root == "kml"


def parse(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield the positions in file order; those of a placemark at its end. Raises as `read_xml`."""
    return read_xml(stream, _Placemarks(judge), kind="KML")


class _Placemark:
    """What one placemark says, while it is read."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.data: dict[str, str] = {}
        self.points: list[str] = []
        self.first_vertex = ""
        self.last_vertex = ""


class _Placemarks(XmlHandler):
    """Collect one placemark at a time; tracks and lines are passed on as they come."""

    def __init__(self, judge: Judge) -> None:
        super().__init__(_ELEMENTS)
        self._judge = judge
        self._placemark = _Placemark()
        self._geometry = ""
        self._field = ""
        self._text = ""
        self._datum = ""
        self._times: deque[str] | None = None

    def opened(self, local: str, attributes: dict[str, str]) -> None:
        self._field = ""
        if local in _TEXTS:
            self._field = local
            self._text = ""
        elif local == "Placemark":
            self._placemark = _Placemark()
        elif local == "Track":
            self._times = deque()
        elif local in _GEOMETRIES:
            self._geometry = local
        elif local == "Data":
            self._datum = attributes.get("name", "")[:FIELD_CHARS].lower()

    def text(self, text: str) -> None:
        if self._field == "coordinates" and self._geometry == "LineString":
            # A line may be far longer than any field: its vertices are taken as they come.
            self.run_chars = 0
            self.has_moved = True
            self._text += text
            if not text[-1:].isspace():
                complete, space, self._text = _split_last(self._text)
                text = complete + space
            else:
                text, self._text = self._text, ""
            self._vertices(text)
        elif self._field and len(self._text) <= FIELD_CHARS:
            self._text += text

    def closed(self, local: str) -> None:
        if self._field and local == self._field:
            self._keep(local, self._text.strip())
            self._field = ""
        elif local == "Track":
            self.ready.extend(Rejected(reason=RejectReason.NO_POSITION) for _ in self._times or ())
            self._times = None
        elif local in _GEOMETRIES:
            self._geometry = ""
        elif local == "Placemark":
            self._finish(self._placemark)
            self._placemark = _Placemark()

    def _keep(self, field: str, text: str) -> None:
        placemark = self._placemark
        if self._times is not None and field == "when":
            if len(self._times) >= KML_WAITING_TIMES:
                raise refusals.entry_too_long()
            self._times.append(text)
        elif self._times is not None and field == "coord":
            self._add(self._times.popleft() if self._times else "", text.split(), {})
        elif field == "coordinates" and self._geometry == "LineString":
            self._vertices(text)
        elif field == "coordinates" and self._geometry == "Point":
            if len(placemark.points) >= KML_POINTS:
                raise refusals.entry_too_long()
            placemark.points.append(text)
        elif field == "value" and len(placemark.data) < KML_POINTS:
            placemark.data[self._datum] = text
        elif field in {"when", "begin", "end", "name"}:
            placemark.texts.setdefault(field, text)

    def _vertices(self, text: str) -> None:
        for vertex in text.split():
            self._placemark.first_vertex = self._placemark.first_vertex or vertex[:FIELD_CHARS]
            self._placemark.last_vertex = vertex[:FIELD_CHARS]
            self.ready.append(Rejected(reason=RejectReason.NO_TIME))
        if len(self._text) > FIELD_CHARS:
            raise refusals.entry_too_long()

    def _add(self, at: str, coordinates: list[str], data: dict[str, str]) -> None:
        lon, lat, altitude_m = (*coordinates[:3], None, None, None)[:3]
        try:
            fix = self._judge.positionfix(
                at=_instant(at),
                lat=lat,
                lon=lon,
                device=_DEVICE,
                accuracy_m=data.get("accuracy"),
                speed_mps=data.get("speed"),
                altitude_m=altitude_m,
            )
        except Refused as refused:
            self.ready.append(refused.rejected)
        else:
            self.ready.append(fix)

    def _finish(self, placemark: _Placemark) -> None:
        """Give the points of a placemark, and what its time span says."""
        texts = placemark.texts
        for point in placemark.points:
            at = texts.get("when") or texts.get("begin") or ""
            self._add(at, point.split(","), placemark.data)
        if "begin" in texts and "end" in texts:
            kind = EvidenceKind.LEG if placemark.first_vertex else EvidenceKind.VISIT
            if placemark.first_vertex or placemark.points:
                self._testify(kind, placemark)

    def _testify(self, kind: EvidenceKind, placemark: _Placemark) -> None:
        is_visit = kind is EvidenceKind.VISIT
        name = placemark.texts.get("name")
        try:
            evidence = self._judge.evidence(
                kind=kind,
                start=_instant(placemark.texts["begin"]),
                end=_instant(placemark.texts["end"]),
                device=_DEVICE,
                modes=() if is_visit else ((placemark.data.get("category") or name, None),),
                distance_m=None if is_visit else placemark.data.get("distance"),
                origin=_place(placemark.points[0], name=name)
                if is_visit
                else _place(placemark.first_vertex),
                destination=None if is_visit else _place(placemark.last_vertex),
            )
        except Refused as refused:
            self.ready.append(refused.rejected)
        else:
            self.ready.append(evidence)


def _split_last(text: str) -> tuple[str, str, str]:
    """Cut text at its last space: what is complete, the space, the piece still to come."""
    for index in range(len(text) - 1, -1, -1):
        if text[index].isspace():
            return text[:index], text[index], text[index + 1 :]
    return "", "", text


def _instant(text: str) -> datetime:
    if _COARSE.fullmatch(text):
        # KML allows a year, a month or a day, none of which is an instant.
        raise Refused(RejectReason.NO_TIME)
    return instant_from_iso(text)


def _place(coordinates: str, *, name: str | None = None) -> EvidencePlace | None:
    lon, lat = (*coordinates.split(",")[:2], None, None)[:2]
    return evidence_place(lat=lat, lon=lon, name=name)
