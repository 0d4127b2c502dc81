"""Whatever the bytes: entries, or one `IngestError`; never another error, never a hang."""

import contextlib
import io
import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personal_store.errors import IngestError
from personal_store.ingest.detect import detect
from personal_store.ingest.judge import judge_for
from personal_store.ingest.owntracks import parse_owntracks_message
from personal_store.ingest.positionfix import Evidence, Positionfix, Rejected
from personal_store.ingest.readers import READERS

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
EXAMPLES = 60

SAMPLES = {
    "gpx": b'<?xml version="1.0" encoding="UTF-8"?>\n<gpx xmlns="http://www.topografix.com/GPX/1/1"'
    b' xmlns:g="u" creator="x"><wpt lat="1" lon="1"/><trk><trkseg><trkpt lat="46.16" lon="-1.15">'
    b"<ele>7.5</ele><time>2024-04-21T09:07:31Z</time><extensions><g:speed>2.8</g:speed>"
    b"</extensions></trkpt></trkseg></trk></gpx>",
    "owntracks": b'2024-03-01T09:03:09Z\t*    \t{"_type":"location","lat":46.16,"lon":-1.15,'
    b'"tst":1709283789,"vel":-1,"topic":"owntracks/a/b"}\n2024-03-01T09:03:09Z\tlwt\t{}\n',
    "records": json.dumps(
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
    "android": json.dumps(
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
    "ios": json.dumps(
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
    """,
)
shapes = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=15,
)


def are_entries(entries: object) -> bool:
    return all(isinstance(entry, (Positionfix, Rejected, Evidence)) for entry in entries)


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


JSON_READERS = [reader for reader in READERS if reader.format.value.startswith("google")]
SECTIONS = ["locations", "semanticSegments", "rawSignals", "userLocationProfile"]


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
        assert are_entries(parse_owntracks_message(body, device="phone", now=NOW))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.fixed_dictionaries({"_type": st.just("location")}, optional=dict.fromkeys(KEYS, shapes)))
def test_a_live_location_of_any_values_is_one_entry(message):
    body = json.dumps(message).encode()
    assert len(parse_owntracks_message(body, device="phone", now=NOW)) == 1


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_of_the_fuzzer_are_real_documents(name):
    reader = detect(io.BytesIO(SAMPLES[name]))
    entries = list(reader.parse(io.BytesIO(SAMPLES[name]), judge_for(reader.format, now=NOW)))
    assert any(isinstance(entry, Positionfix) for entry in entries)
