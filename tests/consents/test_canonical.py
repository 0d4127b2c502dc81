"""One value, one spelling: against RFC 8785's published data and against near misses."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consents.canonical import (
    base64_bytes,
    base64_text,
    base64url_bytes,
    base64url_text,
    canonical_bytes,
    commitment,
    parse_json,
    sha256_hex,
    utc_text,
    utc_time,
)
from consents.errors import CanonicalError

KEY = bytes(range(32))


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_published_values_get_their_published_bytes(reference, name):
    folder = reference / "vectors" / "jcs" / "testdata"
    value = json.loads((folder / "input" / f"{name}.json").read_text("utf-8"))
    expected = bytes.fromhex((folder / "outhex" / f"{name}.txt").read_text("ascii"))
    assert canonical_bytes(value) == expected


NOT_CANONICAL = {
    "an integer of 2^53": 2**53,
    "not a number": float("nan"),
    "a lone surrogate": "\ud800",
    "a key that is no string": {1: 1},
    "a set": {"a"},
}


@pytest.mark.parametrize("value", NOT_CANONICAL.values(), ids=NOT_CANONICAL)
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(CanonicalError):
        canonical_bytes(value)


def test_a_value_nested_without_end_is_refused():
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(CanonicalError):
        canonical_bytes(endless)


def test_a_digest_is_lowercase_hexadecimal():
    assert sha256_hex(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_commitment_is_the_hmac_of_the_canonical_body():
    expected = hmac.new(KEY, b'{"a":[1],"b":"x"}', hashlib.sha256).hexdigest()
    assert commitment(key=KEY, body={"b": "x", "a": [1]}) == expected


def test_two_keys_hide_that_two_bodies_are_equal():
    assert commitment(key=KEY, body={}) != commitment(key=KEY[::-1], body={})


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_commitment_key_of_another_length_is_refused(length):
    with pytest.raises(CanonicalError, match="32 bytes"):
        commitment(key=bytes(length), body={})


@pytest.mark.parametrize("body", [{"a": 0.5}, {"a": [{"b": 1.0}]}])
def test_a_committed_body_holds_no_floats(body):
    with pytest.raises(CanonicalError, match="float"):
        commitment(key=KEY, body=body)


AMBIGUOUS_JSON = {
    "a repeated key": b'{"a":1,"a":2}',
    "not a number": b"NaN",
    "an infinity": b"[-Infinity]",
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "two values": b"{} {}",
    "nothing": b"",
    "nesting without end": b"[" * 60_000,
}


@pytest.mark.parametrize("content", AMBIGUOUS_JSON.values(), ids=AMBIGUOUS_JSON)
def test_json_that_two_readers_could_understand_otherwise_is_refused(content):
    with pytest.raises(CanonicalError):
        parse_json(content)


@given(st.binary(max_size=80))
@settings(max_examples=60)
def test_standard_base64_comes_back(content):
    assert base64_bytes(base64_text(content)) == content


@given(st.binary(max_size=80))
@settings(max_examples=60)
def test_url_safe_base64_comes_back(content):
    assert base64url_bytes(base64url_text(content)) == content


@pytest.mark.parametrize("text", ["AB==", "AA", "AA=", "A A==", "__8=", "AAAA\n", "é"])
def test_another_spelling_of_standard_base64_is_refused(text):
    with pytest.raises(CanonicalError):
        base64_bytes(text)


@pytest.mark.parametrize("text", ["AB", "AA==", "A", "A A", "//8", "AAAA\n", "é"])
def test_another_spelling_of_url_safe_base64_is_refused(text):
    with pytest.raises(CanonicalError):
        base64url_bytes(text)


def test_a_time_is_written_in_utc_whatever_its_zone():
    at = datetime(2026, 11, 9, 8, 30, 0, 999, tzinfo=timezone(timedelta(hours=1)))
    assert utc_text(at) == "2026-11-09T07:30:00Z"


def test_a_time_is_read_as_aware_utc():
    at = utc_time("2026-11-09T07:30:00Z")
    assert (at, at.tzinfo) == (datetime(2026, 11, 9, 7, 30, tzinfo=UTC), UTC)


def test_a_time_without_zone_is_not_written():
    with pytest.raises(CanonicalError, match="aware"):
        utc_text(datetime(2026, 11, 9))  # noqa: DTZ001  # the very fault


@pytest.mark.parametrize(
    "text",
    ["2026-11-09T07:30:00+00:00", "2026-11-09T07:30:00.5Z", "2026-02-30T00:00:00Z", "2026-11-09"],
)
def test_another_spelling_of_a_time_is_refused(text):
    with pytest.raises(CanonicalError):
        utc_time(text)
