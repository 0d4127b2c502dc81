"""The search that the canary tests rest on finds what is there, in each form and spelling."""

import base64
import gzip
import json
import random
import sqlite3
from contextlib import closing

import pytest

from tests.coop_aggregator.keepers.canary_search import (
    found,
    inflated,
    number_patterns,
    real_patterns,
    rows_of,
)

PATTERNS = number_patterns("units", [1_493, 2_207, 0, 8_191]) | real_patterns("km", 412.7391872)


def noise(size, *, seed):
    return random.Random(seed).randbytes(size)


SPELLINGS = {
    "as it is": lambda pattern, skip: noise(100 + skip, seed=skip) + pattern,
    "hexadecimal": lambda pattern, skip: b"x" * skip + pattern.hex().encode(),
    "upper hexadecimal": lambda pattern, skip: b"-" * skip + pattern.hex().upper().encode(),
    "base64": lambda pattern, skip: b"{" + base64.b64encode(noise(skip, seed=1) + pattern),
    "base64url": lambda pattern, skip: b'"' + base64.urlsafe_b64encode(b"\xff" * skip + pattern),
    "base64 after letters": lambda pattern, skip: b"x" * skip + base64.b64encode(pattern),
    "gzip": lambda pattern, skip: b"\r\n" * skip + gzip.compress(pattern) + noise(50, seed=2),
    "a signed message": lambda pattern, skip: (
        b"e30."
        + base64.urlsafe_b64encode(
            json.dumps({"z": base64.urlsafe_b64encode(b"0" * skip + pattern).decode()}).encode()
        ).rstrip(b"=")
    ),
    "hexadecimal in JSON in gzip": lambda pattern, skip: gzip.compress(
        json.dumps({"a" * skip: pattern.hex()}).encode()
    ),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("skip", range(4))
def test_every_form_is_found_in_every_spelling(spelling, skip):
    for name, pattern in PATTERNS.items():
        content = SPELLINGS[spelling](pattern, skip) + noise(300, seed=3)
        assert ("place", name) in found({"place": content}, PATTERNS)


def test_nothing_is_found_in_noise():
    content = noise(200_000, seed=4)
    spelled = base64.b64encode(content) + b"." + content.hex().encode() + gzip.compress(content)
    assert found({"place": content + spelled}, PATTERNS) == []


def test_what_gzip_streams_hold_is_read_one_after_another():
    said = [b"first " * 9, b"second " * 9]
    assert inflated(b"head" + b"\r\n".join(map(gzip.compress, said))) == said


def test_a_value_that_lies_over_several_pages_is_read_whole(tmp_path):
    value = noise(20_000, seed=5)
    with closing(sqlite3.connect(tmp_path / "some.sqlite3")) as connection:
        connection.execute("CREATE TABLE kept (name TEXT, body BLOB)")
        connection.execute("INSERT INTO kept VALUES ('canari', ?)", [value])
        connection.commit()
    assert value not in (tmp_path / "some.sqlite3").read_bytes()
    assert rows_of(tmp_path / "some.sqlite3") == b"canari\n" + value


@pytest.mark.parametrize("value", [12.5, 412.7391])
def test_round_numbers_are_no_canary(value):
    with pytest.raises(AssertionError):
        real_patterns("km", value)


@pytest.mark.parametrize("values", [[1, 2, 3, 4], [9_000, 9_000, 255, 4]])
def test_small_numbers_are_no_canary(values):
    with pytest.raises(AssertionError):
        number_patterns("units", values)
