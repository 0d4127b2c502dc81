"""Feed one parser an endless input under a hard limit on memory; a program of its own.

`python endless_inputs.py NAME` prints the outcome and the bytes that were read. The stream is
made while it is read, so that a gigabyte costs neither disk nor memory. The limit is on the
whole address space of the process: no parser can pass it by any route.
"""

import io
import itertools
import resource
import struct
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from personal_store.errors import IngestError
from personal_store.ingest.judge import judge_for
from personal_store.ingest.own_export import POSITION_COLUMNS
from personal_store.ingest.readers import READERS

Pieces = Callable[[], Iterator[bytes]]

GIGABYTE = 1024**3
ADDRESS_SPACE_BYTES = 200_000_000
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


class Generated(io.RawIOBase):
    """A stream of pieces made on demand, up to a size; it can be read again from its beginning."""

    def __init__(self, pieces: Pieces, size_bytes: int) -> None:
        self._make = pieces
        self._size_bytes = size_bytes
        self.seek(0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        assert (offset, whence) == (0, io.SEEK_SET)
        self._pieces = self._make()
        self._piece = b""
        self.given_bytes = 0
        return 0

    def tell(self) -> int:
        return self.given_bytes

    def readinto(self, buffer) -> int:
        if self.given_bytes >= self._size_bytes:
            return 0
        if not self._piece:
            self._piece = next(self._pieces, b"")
        length = min(len(self._piece), len(buffer), self._size_bytes - self.given_bytes)
        buffer[:length] = self._piece[:length]
        self._piece = self._piece[length:]
        self.given_bytes += length
        return length


def endless(start: str | bytes, again: str | bytes) -> Pieces:
    """Return a start followed by the same for ever, in pieces of about 64 kB."""
    begin = start.encode() if isinstance(start, str) else start
    once = again.encode() if isinstance(again, str) else again
    block = once * (65536 // len(once) + 1)
    return lambda: itertools.chain([begin] if begin else [], itertools.repeat(block))


def counted(start: str, piece: str) -> Pieces:
    """Return a start followed by pieces that differ by their number, some 64 kB at a time."""
    together = max(1, 65536 // len(piece.format(0)))
    return lambda: itertools.chain(
        [start.encode()],
        (
            "".join(piece.format(n) for n in range(first, first + together)).encode()
            for first in itertools.count(0, together)
        ),
    )


def fit_file(body: bytes, *, size_bytes: int | None = None) -> bytes:
    """Return a FIT file, or without its checksum the beginning of one that says it is longer."""
    size = len(body) if size_bytes is None else size_bytes
    content = struct.pack("<BBHI4s", 12, 0x20, 2195, size, b".FIT") + body
    crc = 0
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return content + struct.pack("<H", crc) if size_bytes is None else content


PARSERS = {reader.format.value: reader for reader in READERS}
RECORD = '{"latitudeE7":461600000,"longitudeE7":-11500000,"timestamp":"2024-01-01T00:00:00Z"},'
SEGMENT = (
    '{"startTime":"2024-01-01T00:00:00Z","endTime":"2024-01-01T02:00:00Z",'
    '"timelinePath":[{"point":"geo:1,1","durationMinutesOffsetFromStartTime":"9"}]},'
)
POINT = '<trkpt lat="46.16" lon="-1.15"><time>2024-04-21T09:07:31Z</time></trkpt>\n'
LINE = '2024-03-01T09:03:10Z\t*\t{"_type":"location","lat":1,"lon":1,"tst":1709283789}\n'
TRACKPOINT = "<Trackpoint><Time>2024-01-01T00:00:00Z</Time></Trackpoint>\n"
WHEN_AND_WHERE = "<when>2024-01-01T00:00:00Z</when><coord>1 1 1</coord>\n"
FEATURE = (
    '{"type":"Feature","geometry":{"type":"Point","coordinates":[1,1]},'
    '"properties":{"time":1704067200}},'
)
OVERLAND = FEATURE.replace('"time":1704067200', '"timestamp":"2024-01-01T00:00:00Z","motion":[]')
VISIT = (
    '{"placeVisit":{"location":{"latitudeE7":1,"longitudeE7":1},'
    '"duration":{"startTimestamp":"2024-01-01T00:00:00Z","endTimestamp":"2024-01-01T01:00:00Z"}}},'
)
PATH = '{"startTime":"2024-01-01T00:00:00Z","timelinePath":[{"point":"1°, 1°","time":"x"}]},'
TRIP = '{"type":"FeatureCollection","properties":{},"features":[]},'
ENTRY = (
    '{"metadata":{"key":"background/location"},'
    '"data":{"ts":1704067200,"latitude":1,"longitude":1}},'
)
STEP = '{"lat":1,"lon":1,"time":"2024-01-01T00:00:00Z"},'
JOURNEY = (
    '{"operator_journey_id":"a","start":{"datetime":"2024-01-01T00:00:00Z"},'
    '"end":{"datetime":"2024-01-01T01:00:00Z"}},'
)
TAP = "2024-01-01T00:00:00Z,Illico 1\n"
EVENT = '{"EventDateStamp":9972,"EventTimeStamp":660,"EventCode":17},'
ROW = "2024-01-01T00:00:00Z,46.16,-1.15\n"
SENTENCE = "$GPRMC,090731.50,A,4609.6000,N,00109.0000,W,10.0,90.0,210424,,,A*49\r\n"
FIT_ID = bytes.fromhex("4000000000 01 000100 00 04")
FIT_CLOCK = bytes.fromhex("4200002200 02 fd0486 050486 02 00000040 100e0040")
FIT_RECORDS = bytes.fromhex("4100001400 03 fd0486 000485 010485")
FIT_RECORD = bytes.fromhex("01 00000040 00000010 00000010")
# Two hundred fields of 255 bytes each that nobody asks for, then one record of them.
FIT_WIDE = bytes.fromhex("4300001400 c8") + bytes([9, 255, 13]) * 200 + b"\x03" + bytes(51_000)
FIT_LENGTH_BYTES = 2**32 - 1
EXPORTED = ",".join(POSITION_COLUMNS) + "\n"
EXPORTED_ROW = "2024-01-01T00:00:00.000+00:00,46.16,-1.15,8.0,,,phone,,,,gpx,x\n"
STATEMENT = (
    '{"confidence":null,"destination":null,"device":"a","distance_m":1,"end":1704067300000,'
    '"kind":"visit","modes":[{"label":"x"}],"source":"gpx","start":1704067200000}\n'
)
WORD = (
    '{"number":1,"kind":"mode","device":"a","start":"2024-01-01T00:00:00+00:00",'
    '"end":"2024-01-01T01:00:00+00:00","value":"bus"},'
)
REGISTER = "journey_id;trip_id;journey_start_datetime;journey_end_datetime\n"

HOSTILE = {
    "google-records: a string without end": endless('{"locations":[{"timestamp":"', "x"),
    "google-records: a string of wide characters without end": endless('{"locations":["', "😀"),
    "google-records: nesting without end": endless('{"locations":', "["),
    "google-records: nested objects without end": endless('{"locations":[', '{"a":'),
    "google-records: a record of empty objects without end": endless('{"locations":[[', "{},"),
    "google-records: a record of keys without end": counted('{"locations":[{', '"key {}":[],'),
    "google-records: a number without end": endless('{"locations":[', "1"),
    "google-records: space without end": endless('{"locations":[', " \n"),
    "google-records: a key without end": endless('{"', "k"),
    "google-timeline-ios: a segment of points without end": endless(
        '[{"timelinePath":[', '{"point":"1,1"},'
    ),
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
    "owntracks-rec: a line without end": endless('2024-03-01T09:03:10Z\t*\t{"tid":"', "x"),
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
    "carpool-register: a row without end": endless("journey_id;b\n", "1;"),
    "owntracks-rec: blanks without end": endless("", " "),
    "google-semantic: a place of candidates without end": endless(
        '{"timelineObjects":[{"placeVisit":{"otherCandidateLocations":[', '{"latitudeE7":1},'
    ),
    "google-timeline-android: a segment of points without end": endless(
        '{"semanticSegments":[{"timelinePath":[', '{"point":"1°, 1°"},'
    ),
    "overland: a word without end": endless('{"locations":[{"properties":{"motion":["', "x"),
    "cozy-geojson: a trip of sections without end": endless(
        '{"series":[{"features":[', '{"type":"FeatureCollection","features":[]},'
    ),
    "e-mission: speeds without end": endless('[{"data":{"speeds":[', "1.5,"),
    "polarsteps: a name without end": endless('[{"lat":1,"lon":1,"name":"', "x"),
    "carpool-journeys: a name without end": endless('[{"operator_journey_id":"', "x"),
    "intercode-events: an event of lists without end": endless('{"events":[{"a":[', "[],"),
    "export-positions: a row without end": endless(EXPORTED, "1,"),
    "export-evidence: a line without end": endless('{"confidence":"', "x"),
    "export-words: a word without end": endless('[{"number":1,"value":"', "x"),
    "transit-taps: a row without end": endless("tap_at,line\n", "1,"),
}
LONG = {
    "google-records: a long history": endless('{"locations":[', RECORD),
    "google-timeline-ios: a long history": endless("[", SEGMENT),
    "google-timeline-android: a long history": endless('{"semanticSegments":[', PATH),
    "google-semantic: a long history": endless('{"timelineObjects":[', VISIT),
    "gpx: a long track": endless("<gpx><trk><trkseg>", POINT),
    "gpx: many tracks": endless("<gpx>", f"<trk><trkseg>{POINT}</trkseg></trk>"),
    "owntracks-rec: a long log": endless("", LINE),
    "tcx: a long activity": endless(
        "<TrainingCenterDatabase><Activities><Activity Sport='Biking'>", TRACKPOINT
    ),
    "kml: a long track": endless("<kml><Track>", WHEN_AND_WHERE),
    "kml: a long line": endless("<kml><LineString><coordinates>", "1.5,46.5 "),
    "geojson: a long history": endless('{"type":"FeatureCollection","features":[', FEATURE),
    "overland: a long history": endless('{"locations":[', OVERLAND),
    "cozy-geojson: a long history": endless('{"captureDevice":"a","series":[', TRIP),
    "e-mission: a long history": endless("[", ENTRY),
    "polarsteps: a long trip": endless("[", STEP),
    "carpool-journeys: a long history": endless("[", JOURNEY),
    "intercode-events: a long history": endless('{"card":"a","events":[', EVENT),
    "transit-taps: a long table": endless("tap_at,line\n", TAP),
    "export-positions: a long table": endless(EXPORTED, EXPORTED_ROW),
    "export-evidence: a long list": endless("", STATEMENT),
    "export-words: a long list": endless("[", WORD),
    "export-rest: trips without end": endless("[", '{"trip_id":"a","start":1,"end":2,"legs":[]},'),
    "csv: a long table": endless("time,lat,lon\n", ROW),
    "nmea: a long log": endless("", SENTENCE),
    "carpool-register: rides with long names": counted(
        REGISTER, "1;{:0100000};2024-01-01T00:00:00Z;2024-01-01T01:00:00Z\n"
    ),
    "fit: definitions and wide records": endless(
        fit_file(FIT_ID, size_bytes=FIT_LENGTH_BYTES), FIT_WIDE
    ),
    "fit: a long activity": endless(
        fit_file(FIT_ID + FIT_RECORDS, size_bytes=FIT_LENGTH_BYTES), FIT_RECORD
    ),
    "fit: a chain of activities": endless(
        "", fit_file(FIT_ID + FIT_CLOCK + FIT_RECORDS + FIT_RECORD)
    ),
}
SELF_BOUNDED = frozenset({"fit", "export-rest"})
"""FIT states the length of each of its parts in one or two bytes: nothing in it can be without end
but their number. Of the rest of an export nothing is read at all."""
MEGABYTE = 1024**2
LONG_BYTES = 12 * MEGABYTE
"""A program that keeps what this holds in memory needs far more than the limit."""
OTHER_LENGTHS_BYTES = {
    "fit: a long activity": 6 * MEGABYTE,
    "fit: a chain of activities": 3 * MEGABYTE,
    "carpool-register: rides with long names": 250 * MEGABYTE,
}
"""Where a byte takes longest to read, and where what is held is a part of it."""


CONTROL = "control: all in memory"


def run(name: str) -> str:
    """Return the outcome of one input and the megabytes that its parser read."""
    reader = PARSERS[name.partition(":")[0]]
    if name in LONG:
        stream = Generated(LONG[name], OTHER_LENGTHS_BYTES.get(name, LONG_BYTES))
    else:
        stream = Generated(HOSTILE[name], GIGABYTE)
    outcome = "read"
    try:
        buffered = io.BufferedReader(stream, 65536)
        for _ in reader.parse(buffered, judge_for(reader.format, now=NOW)):
            pass
    except IngestError as error:
        outcome = type(error).__name__
    return f"{outcome} {stream.given_bytes // MEGABYTE}"


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    if sys.argv[1] == CONTROL:
        sys.exit(len(bytearray(ADDRESS_SPACE_BYTES)))
    sys.stdout.write(run(sys.argv[1]))
