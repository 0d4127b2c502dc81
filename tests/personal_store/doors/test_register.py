"""The register in clear: enough to let a phone in, nothing to learn from, never half written."""

import json

import pytest

from personal_store.db.devices import digest
from personal_store.doors.register import (
    REGISTER_FILE,
    Register,
    RegisterReader,
    announce,
    read_register,
    write_register,
)

KEY = bytes(range(32))
REGISTER = Register(public_key=KEY, doors={digest("one"): "door 1", digest("two"): "door 2"})


def test_what_was_written_is_read(tmp_path) -> None:
    write_register(tmp_path, REGISTER)
    assert read_register(tmp_path) == REGISTER


@pytest.mark.parametrize(("token", "door"), [("one", "door 1"), ("two", "door 2"), ("", None)])
def test_a_token_opens_its_own_door(token, door) -> None:
    assert REGISTER.door_of(token) == door


def test_the_hash_of_a_token_opens_nothing() -> None:
    assert REGISTER.door_of(digest("one")) is None


def test_the_file_holds_no_token_and_is_closed_to_others(tmp_path) -> None:
    write_register(tmp_path, REGISTER)
    file = tmp_path / REGISTER_FILE
    assert set(json.loads(file.read_text())) == {"version", "inbox_public_key", "doors"}
    assert '"one"' not in file.read_text()
    assert file.stat().st_mode & 0o77 == 0


def test_writing_leaves_no_draft(tmp_path) -> None:
    write_register(tmp_path, REGISTER)
    assert [each.name for each in tmp_path.iterdir()] == [REGISTER_FILE]


def _without(**changes: object) -> bytes:
    document = {"version": 1, "inbox_public_key": "AA==", "doors": {}}
    return json.dumps(document | changes).encode()


UNREADABLE = {
    "empty": b"",
    "cut": b'{"version":',
    "a list": b"[]",
    "deep": b"[" * 100_000,
    "another version": _without(version=2),
    "a short key": _without(),
    "a key of no base64": _without(inbox_public_key="!"),
    "doors that are none": _without(doors=3),
    "no text": b"\xff\xfe",
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_a_register_that_cannot_be_read_is_none(tmp_path, content) -> None:
    (tmp_path / REGISTER_FILE).write_bytes(content)
    assert read_register(tmp_path) is None


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_another_length_is_refused(length) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Register(public_key=bytes(length), doors={})


def test_a_reader_sees_what_another_program_wrote(tmp_path) -> None:
    reader = RegisterReader(tmp_path)
    assert reader.current() is None
    write_register(tmp_path, REGISTER)
    assert reader.current() == REGISTER
    closed = Register(public_key=KEY, doors={})
    write_register(tmp_path, closed)
    assert reader.current() == closed
    (tmp_path / REGISTER_FILE).unlink()
    assert reader.current() is None


def test_a_reader_reads_the_same_file_once_until_it_is_announced(tmp_path) -> None:
    write_register(tmp_path, REGISTER)
    reader = RegisterReader(tmp_path)
    first = reader.current()
    assert reader.current() is first
    announce(tmp_path)
    assert reader.current() is not first
