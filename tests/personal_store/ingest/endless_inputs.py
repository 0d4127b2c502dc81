"""Feed one parser an endless input under a hard limit on memory; a program of its own.

`python endless_inputs.py NAME` prints the outcome and the bytes that were read. The stream is
made while it is read, so that a gigabyte costs neither disk nor memory. The limit is on the
whole address space of the process: no parser can pass it by any route.
"""

import io
import itertools
import resource
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime

from personal_store.errors import IngestError
from personal_store.ingest import (
    carpool,
    csv_positions,
    fit,
    geojson,
    google_records,
    google_timeline,
    gpx,
    kml,
    nmea,
    owntracks,
    tcx,
)
from personal_store.ingest.judge import judge_for
from personal_store.ingest.positionfix import SourceFormat

ADDRESS_SPACE_BYTES = 200_000_000
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
GIGABYTE = 1024**3


class Generated(io.RawIOBase):
    """A stream of pieces made on demand, up to a size."""

    def __init__(self, pieces: Iterable[bytes], size_bytes: int) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)
        self._size_bytes = size_bytes
        self._piece = b""
        self.given_bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        if self.given_bytes >= self._size_bytes:
            return 0
        if not self._piece:
            self._piece = next(self._pieces, b"")
        length = min(len(self._piece), len(buffer))
        buffer[:length] = self._piece[:length]
        self._piece = self._piece[length:]
        self.given_bytes += length
        return length


def endless(start: str, again: str) -> Callable[[], Iterator[bytes]]:
    """Return a start followed by the same text for ever, in pieces of about 64 kB."""
    block = (again * (65536 // len(again) + 1)).encode()
    return lambda: itertools.chain([start.encode()] if start else [], itertools.repeat(block))


def counted(start: str, piece: str) -> Callable[[], Iterator[bytes]]:
    """Return a start followed by pieces that differ by their number."""
    return lambda: itertools.chain(
        [start.encode()],
        (
            "".join(piece.format(n) for n in range(first, first + 1000)).encode()
            for first in itertools.count(0, 1000)
        ),
    )


PARSERS = {
    "records": (google_records.parse, SourceFormat.GOOGLE_RECORDS),
    "timeline": (google_timeline.parse, SourceFormat.GOOGLE_TIMELINE_IOS),
    "gpx": (gpx.parse, SourceFormat.GPX),
    "owntracks": (owntracks.parse, SourceFormat.OWNTRACKS_REC),
    "fit": (fit.parse, SourceFormat.FIT),
    "tcx": (tcx.parse, SourceFormat.TCX),
    "kml": (kml.parse, SourceFormat.KML),
    "geojson": (geojson.parse, SourceFormat.GEOJSON),
    "nmea": (nmea.parse, SourceFormat.NMEA),
    "csv": (csv_positions.parse, SourceFormat.CSV),
    "register": (carpool.parse_register, SourceFormat.CARPOOL_REGISTER),
}
RECORD = '{"latitudeE7":461600000,"longitudeE7":-11500000,"timestamp":"2024-01-01T00:00:00Z"},'
SEGMENT = '{"startTime":"2024-01-01T00:00:00Z","timelinePath":[{"point":"geo:1,1","time":"x"}]},'
POINT = '<trkpt lat="46.16" lon="-1.15"><time>2024-04-21T09:07:31Z</time></trkpt>\n'
LINE = '2024-03-01T09:03:10Z\t*\t{"_type":"location","lat":1,"lon":1,"tst":1709283789}\n'
TRACKPOINT = "<Trackpoint><Time>2024-01-01T00:00:00Z</Time></Trackpoint>\n"
WHEN_AND_WHERE = "<when>2024-01-01T00:00:00Z</when><coord>1 1 1</coord>\n"
FEATURE = '{"geometry":{"type":"Point","coordinates":[1,1]},"properties":{"time":1704067200}},'

HOSTILE = {
    "records: a string without end": endless('{"locations":[{"timestamp":"', "x"),
    "records: a string of wide characters without end": endless('{"locations":["', "😀"),
    "records: nesting without end": endless('{"locations":', "["),
    "records: nested objects without end": endless('{"locations":[', '{"a":'),
    "records: a record of empty objects without end": endless('{"locations":[[', "{},"),
    "records: a record of keys without end": counted('{"locations":[{', '"key {}":[],'),
    "records: a number without end": endless('{"locations":[', "1"),
    "records: space without end": endless('{"locations":[', " \n"),
    "records: a key without end": endless('{"', "k"),
    "timeline: a segment of points without end": endless('[{"timelinePath":[', '{"point":"1,1"},'),
    "gpx: a text without end": endless("<gpx><name>", "x"),
    "gpx: a time without end": endless('<gpx><trk><trkpt lat="1" lon="1"><time>', "2"),
    "gpx: a comment without end": endless("<gpx><!--", "x"),
    "gpx: an attribute without end": endless('<gpx creator="', "x"),
    "gpx: attributes without end": counted("<gpx ", 'a{}="1" '),
    "gpx: a tag without end": endless("<", "g"),
    "gpx: nesting without end": endless("<gpx>", "<a>"),
    "gpx: points within points without end": endless("<gpx>", '<trkpt lat="1" lon="1">'),
    "gpx: new tags without end": counted("<gpx>", "<a{}/>"),
    "gpx: new attributes without end": counted("<gpx>", '<a b{}="1"/>'),
    "gpx: new attributes of points without end": counted("<gpx>", '<trkpt b{} = "1"/>'),
    "gpx: new namespaces without end": counted("<gpx>", '<a xmlns:n{}="u"/>'),
    "gpx: entities that expand": endless("<!DOCTYPE gpx [<!ENTITY a 'aaaa'>]><gpx>", "&a;" * 1000),
    "owntracks: a line without end": endless('2024-03-01T09:03:10Z\t*\t{"tid":"', "x"),
    "tcx: a time without end": endless("<T><Activity><Trackpoint><Time>", "2"),
    "tcx: nesting without end": endless("<T>", "<Activity>"),
    "kml: a vertex without end": endless("<kml><LineString><coordinates>", "1"),
    "kml: times without places": endless("<kml><Track>", "<when>2024</when>"),
    "kml: points of one placemark": endless(
        "<kml><Placemark>", "<Point><coordinates>1,1</coordinates></Point>"
    ),
    "kml: a name without end": endless("<kml><name>", "x"),
    "geojson: a line without end": endless('{"features":[{"coordinates":[', "[1,1],"),
    "nmea: a sentence without end": endless("$GPRMC,", "1"),
    "csv: a row without end": endless("time,lat,lon\n", "1,"),
    "csv: a header without end": endless("time,lat,lon", ",more"),
    "register: a row without end": endless("journey_id;b\n", "1;"),
    "owntracks: blanks without end": endless("", " "),
}
LONG = {
    "records: a long history": endless('{"locations":[', RECORD),
    "timeline: a long history": endless("[", SEGMENT),
    "gpx: a long track": endless("<gpx><trk><trkseg>", POINT),
    "gpx: many tracks": endless("<gpx>", f"<trk><trkseg>{POINT}</trkseg></trk>"),
    "owntracks: a long log": endless("", LINE),
    "tcx: a long activity": endless("<T><Activity Sport='Biking'>", TRACKPOINT),
    "kml: a long track": endless("<kml><Track>", WHEN_AND_WHERE),
    "kml: a long line": endless("<kml><LineString><coordinates>", "1.5,46.5 "),
    "geojson: a long history": endless('{"features":[', FEATURE),
}


CONTROL = "control: all in memory"


def run(name: str) -> str:
    """Return the outcome of one input and the megabytes that its parser read."""
    parse, source = PARSERS[name.partition(":")[0]]
    is_long = name in LONG
    # What a program that keeps all in memory needs would be far over the limit.
    size_bytes = 24 * 1024**2 if is_long else GIGABYTE
    stream = Generated((LONG if is_long else HOSTILE)[name](), size_bytes)
    outcome = "read"
    try:
        for _ in parse(io.BufferedReader(stream, 65536), judge_for(source, now=NOW)):
            pass
    except IngestError as error:
        outcome = type(error).__name__
    return f"{outcome} {stream.given_bytes // 1024**2}"


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    if sys.argv[1] == CONTROL:
        sys.exit(len(bytearray(ADDRESS_SPACE_BYTES)))
    sys.stdout.write(run(sys.argv[1]))
