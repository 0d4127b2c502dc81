"""Erasing a body: what opens a commitment, and what cannot be guessed once the key is gone."""

import base64
import hashlib
import hmac
import json
import re
from dataclasses import replace

import pytest

from consents.errors import RecordError
from consents.records.erasure import Opening, shredding
from consents.records.receipt import read_event
from consents.tlog.log import ConsentLog, MemoryNodes

KEY = hashlib.sha256(b"one key, used once").digest()


@pytest.fixture
def event(resident, body):
    return resident.sign("consent.given", c=body.commitment(key=KEY))


def test_body_and_key_open_the_leaf(event, body):
    opening = Opening(event=event, body=body, key=KEY)
    assert Opening.parse(opening.to_bytes()) == opening


def test_another_body_does_not_open_the_leaf(event, body):
    with pytest.raises(RecordError):
        Opening(event=event, body=replace(body, language="en"), key=KEY)


@pytest.mark.parametrize("key", [bytes(32), KEY[:-1], b""])
def test_another_key_does_not_open_the_leaf(event, body, key):
    with pytest.raises(RecordError):
        Opening(event=event, body=body, key=key)


def test_a_body_of_another_event_does_not_open_the_leaf(resident, body):
    resident.say("consent.given")
    event = resident.sign("consent.renewed", c=body.commitment(key=KEY))
    with pytest.raises(RecordError):
        Opening(event=event, body=body, key=KEY)


def test_a_representation_of_an_opening_shows_neither_body_nor_key(event, body):
    shown = repr(Opening(event=event, body=body, key=KEY))
    assert body.record_id not in shown
    assert repr(KEY) not in shown


def test_the_entry_of_an_erasure_names_only_the_leaf(event):
    assert shredding(event.leaf) == {"target": event.head}


def test_every_proof_still_verifies_after_the_erasure(resident, body, new_key, origin):
    storage = MemoryNodes()
    log = ConsentLog(storage, origin, new_key("log"))
    leaf = resident.sign("consent.given", c=body.commitment(key=KEY)).leaf
    log.append(leaf)
    before = log.receipt(0)
    log.append(resident.sign("body.shredded", cid="0b" * 16, key=new_key("log")).leaf)
    assert before.verify(log.vkey) == log.receipt(0).verify(log.vkey) == read_event(leaf)


def guesses(body, count):
    """A dictionary that holds the right body: every second of some days, the rest known."""
    template = body.to_bytes()
    before, _, after = template.partition(b"2026-11-09T07:00:00Z")
    start = int(body.event_time.timestamp())
    for offset in range(-count // 2, count // 2):
        day, second = divmod((start + offset) % 2_592_000, 86_400)
        clock = b"%02d:%02d:%02d" % (second // 3600, second // 60 % 60, second % 60)
        if offset == 0:
            yield template
        else:
            yield b"%b2026-11-%02dT%bZ%b" % (before, day + 1, clock, after)


def tokens(leaf):
    """Every 32 bytes that the leaf shows: digests, key, halves of the signature."""
    header, payload, signature = (
        base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)) for part in leaf.split(b".")
    )
    found = {bytes.fromhex(digest) for digest in re.findall(r"[0-9a-f]{64}", payload.decode())}
    for text in re.findall(rb"[A-Za-z0-9_-]{43}", header + payload):
        found.add(base64.urlsafe_b64decode(text + b"="))
    return found | {signature[:32], signature[32:]}


def found_by_guessing(leaf, body, public, count):
    """Return the guesses that fit anything in the leaf, without or under any public value."""
    shown = tokens(leaf)
    signature = base64.urlsafe_b64decode(leaf.split(b".")[2] + b"==")
    key = read_event(leaf).public_key
    hits = []
    for guess in guesses(body, count):
        if hashlib.sha256(guess).digest() in shown:
            hits.append(guess)
        if hmac.digest(public, guess, "sha256") in shown:
            hits.append(guess)
    right = body.to_bytes()
    try:
        key.verify(signature, right)
    except Exception:  # noqa: BLE001 - any failure means that the signature is no oracle
        return hits
    return [*hits, right]


@pytest.mark.parametrize(
    "count", [10_000, pytest.param(1_000_000, marks=pytest.mark.slow)], ids=["1e4", "1e6"]
)
def test_no_guess_finds_the_body_once_the_key_is_erased(event, body, count):
    public = bytes.fromhex(event.payload.cid) * 2
    assert found_by_guessing(event.leaf, body, public, count) == []


def test_control_the_same_guesses_find_a_body_that_was_only_hashed(resident, body):
    naive = resident.sign("consent.given", c=hashlib.sha256(body.to_bytes()).hexdigest())
    assert found_by_guessing(naive.leaf, body, bytes(32), 10_000) == [body.to_bytes()]


def test_control_the_same_guesses_find_a_body_under_a_key_that_is_public(resident, body):
    public = bytes.fromhex(resident.cid) * 2
    weak = resident.sign("consent.given", c=body.commitment(key=public))
    assert found_by_guessing(weak.leaf, body, public, 10_000) == [body.to_bytes()]


@pytest.fixture
def opened(run, tmp_path):
    """Verify an opening on the command line; return the exit code and the problems found."""

    def opened(content):
        file = tmp_path / "opening.json"
        file.write_bytes(content)
        code, out = run("verify", "opening", file, "--json")
        return code, [finding["problem"] for finding in json.loads(out)["findings"]]

    return opened


def test_an_opening_verifies_on_the_command_line(opened, event, body):
    assert opened(Opening(event=event, body=body, key=KEY).to_bytes()) == (0, [])


def test_an_opening_of_something_else_is_a_violation(opened, event, body):
    content = Opening(event=event, body=body, key=KEY).to_bytes()
    assert opened(content.replace(KEY.hex().encode(), b"00" * 32)) == (2, ["not-opened"])


def test_what_is_no_opening_cannot_be_verified(opened):
    assert opened(b"{}") == (3, ["malformed"])
