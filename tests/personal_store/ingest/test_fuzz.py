"""Whatever the bytes: entries, or one `IngestError`; never another error, never a hang."""

import contextlib
import io
import json
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personal_store.errors import IngestError
from personal_store.ingest import csv_positions
from personal_store.ingest.detect import detect
from personal_store.ingest.judge import judge_for
from personal_store.ingest.live.letter import Letter, LiveApp
from personal_store.ingest.live.owntracks import parse_owntracks_message
from personal_store.ingest.live.read import read_letter
from personal_store.ingest.own_export import POSITION_COLUMNS
from personal_store.ingest.positionfix import (
    Evidence,
    OwnWord,
    Positionfix,
    Rejected,
    SourceFormat,
)
from personal_store.ingest.readers import READERS

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
EXAMPLES = 40

SAMPLES = {
    "gpx": b'<?xml version="1.0" encoding="UTF-8"?>\n<gpx xmlns="http://www.topografix.com/GPX/1/1"'
    b' xmlns:g="u" creator="x"><wpt lat="1" lon="1"/><trk><trkseg><trkpt lat="46.16" lon="-1.15">'
    b"<ele>7.5</ele><time>2024-04-21T09:07:31Z</time><extensions><g:speed>2.8</g:speed>"
    b"</extensions></trkpt></trkseg></trk></gpx>",
    "owntracks-rec": b'2024-03-01T09:03:09Z\t*    \t{"_type":"location","lat":46.16,"lon":-1.15,'
    b'"tst":1709283789,"vel":-1,"topic":"owntracks/a/b"}\n2024-03-01T09:03:09Z\tlwt\t{}\n',
    "google-records": json.dumps(
        {
            "locations": [
                {
                    "latitudeE7": 461600000,
                    "longitudeE7": -11500000,
                    "timestamp": "2024-01-01T00:00:00Z",
                    "deviceTag": 1,
                    "activity": [{"activity": [{"type": "STILL", "confidence": 5}]}],
                }
            ]
        }
    ).encode(),
    "google-timeline-android": json.dumps(
        {
            "semanticSegments": [
                {
                    "startTime": "2024-01-01T00:00:00+01:00",
                    "endTime": "2024-01-01T01:00:00+01:00",
                    "timelinePath": [{"point": "1°, 2°", "time": "2024-01-01T00:00:00Z"}],
                }
            ],
            "rawSignals": [{"position": {"LatLng": "1°, 2°", "timestamp": "x"}}],
            "userLocationProfile": {"frequentPlaces": [{"placeLocation": "1°, 2°"}]},
        },
        ensure_ascii=False,
    ).encode(),
    "google-timeline-ios": json.dumps(
        [
            {
                "startTime": "2024-01-01T00:00:00Z",
                "endTime": "2024-01-01T01:00:00Z",
                "visit": {"topCandidate": {"placeLocation": "geo:1,2"}},
                "activity": {"start": "geo:1,2", "end": "geo:2,3"},
                "timelinePath": [{"point": "geo:1,2", "durationMinutesOffsetFromStartTime": "4"}],
            }
        ]
    ).encode(),
}


SAMPLES |= {
    "google-semantic": b'{"timelineObjects":[{"placeVisit":{"location":{"latitudeE7":1,'
    b'"longitudeE7":1},'
    b'"duration":{"startTimestamp":"2024-01-01T00:00:00Z","endTimestampMs":"1704070800000"}}},'
    b'{"activitySegment":{"duration":{},"activities":[{"activityType":"WALKING"}]}}]}',
    "fit": bytes.fromhex("0e20930820000000")
    + b".FIT"
    + bytes.fromhex("0000")
    # One definition of records, then one record at 0x40000000 s.
    + bytes.fromhex("4100001400 03 fd0486 000485 010485 01 00000040 00000010 00000010 0000"),
    "tcx": b'<TrainingCenterDatabase><Activities><Activity Sport="Biking"'
    b'><Lap StartTime="2024-01-01'
    b'T00:00:00Z"><Track><Trackpoint><Time>2024-01-01T00:00:00Z</Time><Position><LatitudeDegrees>1'
    b"</LatitudeDegrees><LongitudeDegrees>1</LongitudeDegrees></Po"
    b"sition></Trackpoint></Track></Lap>"
    b"</Activity></Activities></TrainingCenterDatabase>",
    "kml": b'<kml xmlns:gx="u"><Placemark><TimeSpan><begin>2024-01-01T00:'
    b"00:00Z</begin><end>2024-01-"
    b"01T01:00:00Z</end></TimeSpan><Point><coordinates>1,1</coordinates></Point></Placemark>"
    b"<Placemark><gx:Track><when>2024-01-01T00:00:00Z</when><gx:coord>1 1 1</gx:coord></gx:Track>"
    b"<LineString><coordinates>1,1 2,2</coordinates></LineString></Placemark></kml>",
    "geojson": b'{"type":"FeatureCollection","features":[{"type":"Feature","g'
    b'eometry":{"type":"Point",'
    b'"coordinates":[1,1]},"properties":{"time":"2024-01-01T00:00:00Z","vel":1,"tst":1}}]}',
    "overland": b'{"locations":[{"type":"Feature","geometry":{"type":"Point","coordinates":[1,1]},'
    b'"properties":{"timestamp":"2024-01-01T00:00:00Z","motion":["driving"],"device_id":"a"}}]}',
    "nmea": b"$GPRMC,090731.50,A,4609.6000,N,00109.0000,W,10.0,90.0,210424,,,A*49\r\n",
    "csv": b"time;lat;lon\n2024-01-01T00:00:00Z;46,16;1.15W\n1704067200;461600000;-1\n",
    "cozy-geojson": b'{"captureDevice":"a","series":[{"properties":{},"features":['
    b'{"geometry":{"type":"Point",'
    b'"coordinates":[1,1]},"properties":{"enter_ts":1704067200,"ex'
    b'it_ts":1704067300}},{"features":[{'
    b'"geometry":{"type":"LineString","coordinates":[[1,1]]},"properties":{"timestamps":'
    b'[1704067200000],"start_ts":1704067200,"end_ts":1704067300}}]}]}]}',
    "e-mission": b'[{"metadata":{"key":"background/location"},"data":{"ts":1704067200,"latitude":1,'
    b'"longitude":1}},{"metadata":{"key":"analysis/cleaned_section"},"data":{"start_ts":1704067200,'
    b'"end_ts":1704067300,"sensed_mode":5}}]',
    "polarsteps": b'[{"lat":1,"lon":1,"time":"2024-01-01T00:00:00Z","type":"place_visit",'
    b'"arrived":1704067200,"departed":1704067300}]',
    "carpool-journeys": b'[{"operator_journey_id":"a","start":{"datetime":"2024-01-01T'
    b'00:00:00Z","lat":1,"lon":'
    b'1},"end":{"datetime":"2024-01-01T01:00:00Z"},"passenger":{"seats":2},"distance":9}]',
    "carpool-register": b'"journey_id";"journey_start_datetime";"journey_end_datetime"\n"1";'
    b'"2024-01-01T00:00:00Z";"2024-01-01T01:00:00Z"\n',
    "transit-taps": b"tap_at,line,stop_lat,stop_lon\n2024-01-01T00:00:00Z,1,46.16,-1.15\n",
    "intercode-events": b'{"card":"a","events":[{"EventDateStamp":9972,"EventTimeStamp'
    b'":660,"EventCode":17}]}',
}
SAMPLES |= {
    "export-positions": ",".join(POSITION_COLUMNS).encode()
    + b"\r\n2024-01-01T00:00:00.000+00:00,46.16,-1.15,8.0,,,phone,walking,0.5,60,gpx,x\r\n",
    "export-evidence": json.dumps(
        {
            "confidence": 0.5,
            "destination": None,
            "device": "a",
            "distance_m": 9.0,
            "end": 1704067300000,
            "kind": "leg",
            "line": None,
            "modes": [{"confidence": None, "label": "IN_BUS"}],
            "occupants": None,
            "origin": {"lat": 46.16, "lon": -1.15, "name": None},
            "reference": None,
            "source": "google-semantic",
            "start": 1704067200000,
        }
    ).encode()
    + b"\n",
    "export-words": b'[{"number":1,"kind":"mode","device":"a","start":"2024-01-01T00:00:00+00:00",'
    b'"end":"2024-01-01T01:00:00+00:00","value":"bus"}]',
    "export-rest": b'{"timezone":"Europe/Paris","zone":null}',
}
SILENT = {"export-rest"}
"""What a store computes again: known, so that it is no wrong file, and giving nothing."""


@st.composite
def mutated(draw, samples: list[bytes]) -> bytes:
    """Cut, overwrite, repeat and splice pieces of real documents."""
    content = bytearray(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 12)))
        other = draw(st.sampled_from(samples))
        cut = draw(st.integers(0, len(other)))
        content[start:end] = draw(
            st.binary(max_size=6)
            | st.sampled_from([b"null", b"true", b"1e999", b"-", b'"', b"[", b"{}", b"<", b"&#0;"])
            | st.just(bytes(content[start:end]) * 3)
            | st.just(other[cut : cut + 20])
        )
    return bytes(content)


anything = st.binary(max_size=200) | mutated(list(SAMPLES.values()))
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**300, 10**310)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["46.16", "geo:1,2", "1°, 2°", "2024-01-01T00:00:00Z", "location", "1"])
)
# Every name that a parser looks for, so that odd values land where they are read.
KEYS = re.findall(
    r"\w+",
    """
    latitudeE7 longitudeE7 timestamp timestampMs accuracy velocity deviceTag activity type
    confidence startTime endTime timelinePath point time visit topCandidate placeLocation latLng
    start end probability position LatLng frequentPlaces durationMinutesOffsetFromStartTime
    lat lon tst vel acc topic tid motionactivities
    placeVisit activitySegment location duration startTimestamp endTimestampMs activities
    activityType waypointPath travelMode simplifiedRawPath points childVisits geometry properties
    coordinates features coordTimes series doc timestamps speeds start_ts end_ts enter_ts exit_ts
    metadata key data ts latitude longitude sensed_mode user_input mode_confirm start_loc passenger
    seats distance operator_journey_id datetime arrived departed EventDateStamp EventTimeStamp
    EventCode current_location mode
    """,
)
shapes = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=15,
)


def entries_before_damage(entries: object) -> list[object]:
    """Return what comes out: the sample of FIT is short of a right checksum."""
    given = []
    with contextlib.suppress(IngestError):
        given.extend(entries)
    return given


def are_entries(entries: object) -> bool:
    kinds = (Positionfix, Rejected, Evidence, OwnWord)
    return all(isinstance(entry, kinds) for entry in entries)


@settings(max_examples=EXAMPLES, deadline=None)
@given(anything)
def test_detection_names_a_reader_or_says_why_not(content):
    with contextlib.suppress(IngestError):
        assert detect(io.BytesIO(content)) in READERS


@pytest.mark.parametrize("reader", READERS, ids=[reader.format.value for reader in READERS])
@settings(max_examples=EXAMPLES, deadline=None)
@given(anything)
def test_every_parser_ends_on_any_bytes(reader, content):
    with contextlib.suppress(IngestError):
        assert are_entries(reader.parse(io.BytesIO(content), judge_for(reader.format, now=NOW)))


NOT_JSON = {"gpx", "fit", "tcx", "kml", "owntracks-rec", "nmea", "csv", "carpool-register"}
NOT_JSON |= {"export-positions", "export-evidence", "transit-taps"}
JSON_READERS = [reader for reader in READERS if reader.format not in NOT_JSON]
SECTIONS = [
    "locations",
    "semanticSegments",
    "rawSignals",
    "userLocationProfile",
    "timelineObjects",
    "features",
    "series",
    "docs",
    "events",
    "journeys",
    "trip",
    "start",
    "end",
    "geometry",
    "properties",
]


@pytest.mark.parametrize("reader", JSON_READERS, ids=[r.format.value for r in JSON_READERS])
@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(shapes, max_size=3) | st.dictionaries(st.sampled_from(SECTIONS), shapes))
def test_well_formed_json_of_any_shape_is_never_an_error(reader, document):
    content = json.dumps(document).encode()
    assert are_entries(reader.parse(io.BytesIO(content), judge_for(reader.format, now=NOW)))


@settings(max_examples=EXAMPLES, deadline=None)
@given(anything | shapes.map(lambda shape: json.dumps(shape).encode()))
def test_a_live_message_of_any_bytes_is_answered(body):
    with contextlib.suppress(IngestError):
        assert are_entries(parse_owntracks_message(body, device="phone", now=NOW).entries)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.fixed_dictionaries({"_type": st.just("location")}, optional=dict.fromkeys(KEYS, shapes)))
def test_a_live_location_of_any_values_is_one_entry(message):
    body = json.dumps(message).encode()
    assert len(parse_owntracks_message(body, device="phone", now=NOW).entries) == 1


@pytest.mark.parametrize("reader", READERS, ids=[reader.format.value for reader in READERS])
def test_every_format_has_a_real_document_among_the_samples(reader):
    sample = SAMPLES[reader.format.value]
    assert detect(io.BytesIO(sample)) is reader
    entries = entries_before_damage(
        reader.parse(io.BytesIO(sample), judge_for(reader.format, now=NOW))
    )
    said = [isinstance(entry, (Positionfix, Evidence, OwnWord)) for entry in entries]
    assert any(said) or reader.format in SILENT


@pytest.mark.parametrize("app", LiveApp)
@settings(max_examples=EXAMPLES, deadline=None)
@given(
    body=anything | shapes.map(lambda shape: json.dumps(shape).encode()),
    query=st.text(max_size=40) | st.sampled_from(["lat=1&lon=NaN", "timestamp=-1&lat=9e999&lon="]),
    content_type=st.sampled_from(["", "application/json", "application/x-www-form-urlencoded"]),
    key=st.none() | st.text(max_size=8),
)
def test_a_letter_of_any_app_is_answered_whatever_it_holds(app, body, query, content_type, key):
    letter = Letter(
        app=app, door="d", received_at=NOW, content_type=content_type, query=query, body=body
    )
    read = read_letter(letter, device="phone", encryption_key=key, randomness=bytes)
    assert are_entries(read.entries)
    assert read.reply.status in {200, 400}


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    text=st.text(alphabet='timelaonhrd;,"\n\r\t 0123456789-:/éàNZ', max_size=200),
    encoding=st.sampled_from(["utf-8", "utf-16", "cp1252", "utf-16-be"]),
    cut=st.integers(0, 3),
)
def test_a_table_in_any_encoding_ends(text, encoding, cut):
    content = f"date;heure;lat;lon\n{text}".encode(encoding)
    judge = judge_for(SourceFormat.CSV, now=NOW, local_zone=ZoneInfo("Europe/Paris"))
    with contextlib.suppress(IngestError):
        assert are_entries(csv_positions.parse(io.BytesIO(content[: len(content) - cut]), judge))


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    at=st.from_regex(r"\d{4}-[01]\d-[0-3]\d[ T][0-2]\d:[0-5]\d(:[0-5]\d)?", fullmatch=True),
    zone=st.sampled_from(["Europe/Paris", "Pacific/Kiritimati", "America/Adak", "Asia/Kolkata"]),
)
def test_a_local_time_of_any_year_is_one_entry(at, zone):
    content = f"time,lat,lon\n{at},46,-1\n".encode()
    judge = judge_for(SourceFormat.CSV, now=NOW, local_zone=ZoneInfo(zone))
    assert len(list(csv_positions.parse(io.BytesIO(content), judge))) == 1
