"""Letters of any bytes are read to an end, and the reference messages to their values."""

import json
import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personal_store.ingest.live.letter import Letter, LiveApp
from personal_store.ingest.live.owntracks import parse_owntracks_message
from personal_store.ingest.live.read import read_letter
from personal_store.ingest.live.traccar import parse_traccar, traccar_token
from personal_store.ingest.positionfix import Evidence, Positionfix, Rejected, RejectReason

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
KEYS = re.findall(
    r"\w+",
    """
    locations type geometry coordinates properties timestamp trip mode start lat lon tst time acc
    spd vel location coords latitude longitude speed activity device_id id valid _type data
    """,
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=12,
)
bodies = (
    st.binary(max_size=120)
    | values.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(st.sampled_from(KEYS), values).map(lambda value: json.dumps(value).encode())
)


def letter(app, body, *, query="", content_type=""):
    return Letter(
        app=app, door="d", received_at=NOW, content_type=content_type, query=query, body=body
    )


@pytest.mark.parametrize("app", LiveApp)
@settings(max_examples=200, deadline=None)
@given(bodies, st.text(max_size=60), st.sampled_from(["", "application/json", "text/plain"]))
def test_a_letter_of_any_bytes_is_read_to_an_end(app, body, query, content_type):
    sent = letter(app, body, query=query, content_type=content_type)
    read = read_letter(sent, device="phone", encryption_key="k", randomness=bytes)
    assert all(isinstance(entry, Positionfix | Rejected | Evidence) for entry in read.entries)
    assert read.reply.status in {200, 400}
    assert (read.reply.status == 400) == read.refused


@settings(max_examples=60, deadline=None)
@given(bodies, st.text(max_size=40), st.sampled_from(LiveApp))
def test_a_letter_comes_out_of_its_bytes_as_it_went_in(body, query, app):
    sent = letter(app, body, query=query)
    assert Letter.from_bytes(sent.to_bytes()) == sent


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80) | values.map(lambda value: json.dumps(value).encode() + b"\n"))
def test_bytes_that_are_no_letter_are_refused(raw):
    with pytest.raises(ValueError, match=r"letter|expected|Expecting|valid|decode|double|Extra"):
        Letter.from_bytes(raw)


def test_the_reference_secret_box_opens(reference):
    cases = json.loads((reference / "fixtures" / "conformance_cases.json").read_text())
    case = cases["owntracks_encrypted"]
    body = json.dumps(case["payload"]).encode()
    read = parse_owntracks_message(body, device="phone", now=NOW, encryption_key=case["secret"])
    # Its time is the first second of 1970, which no receiver can have measured.
    assert case["plaintext"]["tst"] == 1
    assert read.entries == (Rejected(reason=RejectReason.BEFORE_1990),)
    assert read.was_encrypted


def test_the_reference_requests_of_traccar_are_positions(reference):
    cases = json.loads((reference / "fixtures" / "conformance_cases.json").read_text())
    for address in cases["traccar_osmand_queries"]:
        sent = {"query": urlsplit(address).query, "content_type": "", "body": b""}
        assert traccar_token(**sent)
        (fix,) = parse_traccar(**sent, device="phone", now=NOW)
        assert isinstance(fix, Positionfix), address
    for address in cases["traccar_osmand_reject"]:
        query = urlsplit(address).query
        assert traccar_token(query=query, content_type="", body=b"") is None
