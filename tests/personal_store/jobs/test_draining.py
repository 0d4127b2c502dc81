"""The sealed inbox and its draining: nothing readable, nothing lost, nothing twice."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nacl.secret import SecretBox

from personal_store.db import inbox as kept
from personal_store.db import positionfixes
from personal_store.db.connection import reading, writing
from personal_store.doors import devices, inbox
from personal_store.doors.inbox import DRAINING_FILE, HEADER_BYTES, INBOX_FILE, Inbox
from personal_store.doors.register import read_register
from personal_store.errors import InboxFull
from personal_store.ingest.live.letter import Letter, LiveApp
from personal_store.jobs import draining

AT = datetime(2026, 11, 17, 8, tzinfo=UTC)


@pytest.fixture
def made(store):
    return devices.add(store, "telephone")


@pytest.fixture
def box(store):
    box = Inbox(store.folder, store.randomness)
    yield box
    box.close()


@pytest.fixture
def put(store, made, box):
    """Return a function that seals one letter for each time, as a locked store does."""

    def put(*seconds: int, body: bytes | None = None) -> None:
        register = read_register(store.folder)
        letters = [
            Letter(
                app=LiveApp.OWNTRACKS,
                door=register.door_of(made.token),
                received_at=AT + timedelta(seconds=each),
                content_type="",
                query="",
                body=body or _location(each),
            )
            for each in seconds
        ]
        box.append([each.to_bytes() for each in letters], public_key=register.public_key)

    return put


def _location(seconds: int) -> bytes:
    tst = int(AT.timestamp()) + seconds - 60
    return json.dumps({"_type": "location", "lat": 46.16, "lon": -1.15, "tst": tst}).encode()


def _times(store) -> list[int]:
    with reading(store.engine) as connection:
        fixes = positionfixes.of_device(connection, "telephone")
    return [int((fix.at - AT).total_seconds()) + 60 for fix in fixes]


def test_what_was_sealed_is_drained_once(store, put) -> None:
    put(1, 2)
    put(3)
    assert draining.run_once(store).positions == 3
    assert _times(store) == [1, 2, 3]
    assert draining.run_once(store).letters == 0
    assert devices.every(store)[0].positions == 3


def test_nothing_that_was_sent_can_be_read_in_the_folder(store, put, made) -> None:
    put(1)
    content = b"".join(file.read_bytes() for file in store.folder.iterdir() if file.is_file())
    for secret in (b"46.16", b"location", b"telephone", made.token.encode()):
        assert secret not in content


def test_the_time_of_reception_is_that_of_the_sealing(store, put) -> None:
    put(7)
    draining.run_once(store)
    with reading(store.engine) as connection:
        (received,) = connection.exec_driver_sql("SELECT received_at_ms FROM positionfix").one()
    assert received == 1000 * (AT.timestamp() + 7)


def test_a_crash_between_insertion_and_removal_reads_nothing_twice(store, put, monkeypatch) -> None:
    put(1, 2)
    monkeypatch.setattr(inbox.SealedLetters, "remove", _power_cut)
    with pytest.raises(KeyboardInterrupt):
        draining.run_once(store)
    monkeypatch.undo()
    put(3)
    assert draining.run_once(store).letters == 1
    assert devices.every(store)[0].positions == 3
    assert not (store.folder / DRAINING_FILE).exists()


def test_a_crash_before_the_commit_loses_nothing(store, put, monkeypatch) -> None:
    put(1, 2)
    monkeypatch.setattr(kept, "move_mark", _power_cut)
    with pytest.raises(KeyboardInterrupt):
        draining.run_once(store)
    assert _times(store) == []
    monkeypatch.undo()
    draining.run_once(store)
    assert _times(store) == [1, 2]


def test_what_is_left_is_counted_without_opening_it(store, put, monkeypatch) -> None:
    assert draining.count_waiting(store) == 0
    put(1, 2)
    put(3)
    assert draining.count_waiting(store) == 3
    monkeypatch.setattr(inbox.SealedLetters, "remove", _power_cut)
    with pytest.raises(KeyboardInterrupt):
        draining.run_once(store)
    put(4)
    assert draining.count_waiting(store) == 1
    monkeypatch.undo()
    draining.run_once(store)
    assert draining.count_waiting(store) == 0


def _power_cut(*_args: object, **_more: object) -> None:
    raise KeyboardInterrupt


def test_a_tail_torn_at_any_byte_costs_only_the_frame_that_was_not_acknowledged(
    store, put, box
) -> None:
    put(1)
    whole = (store.folder / INBOX_FILE).stat().st_size
    put(2)
    box.close()
    both = (store.folder / INBOX_FILE).read_bytes()
    for size in range(whole, len(both), 37):
        (store.folder / INBOX_FILE).write_bytes(both[:size])
        put(3)
        box.close()
        file = inbox.SealedLetters(path=store.folder / INBOX_FILE, generation=b"")
        frames = list(file.after(0))
        assert len(frames) == 2
        assert all(frame.sealed for frame in frames)


def test_a_header_cut_short_begins_a_new_inbox(store, put) -> None:
    (store.folder / INBOX_FILE).write_bytes(b"personal-st")
    put(1)
    assert draining.run_once(store).positions == 1


def test_a_damaged_letter_is_counted_and_its_file_kept(store, put) -> None:
    put(1, 2)
    file = store.folder / INBOX_FILE
    content = bytearray(file.read_bytes())
    content[HEADER_BYTES + 20] ^= 1
    file.write_bytes(content)
    report = draining.run_once(store)
    assert (report.positions, report.unopened) == (1, 1)
    assert [path.exists() for path in report.set_aside] == [True]
    assert draining.run_once(store).unopened == 0


LENGTHS = {
    "longer than any": b"\xff\xff\xff\xff",
    "none": b"\x00\x00\x00\x00",
    "a byte short": None,
    "past the end of the file": b"\x00\x10\x00\x00",
    "over the next one": b"\x00\x00\x02\x00",
}


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("length", LENGTHS.values(), ids=LENGTHS)
def test_a_damaged_length_costs_no_letter(store, put, length, position) -> None:
    offsets = []
    for each in (1, 2, 3):
        offsets.append(_inbox_bytes(store) or HEADER_BYTES)
        put(each)
    file = store.folder / INBOX_FILE
    content = bytearray(file.read_bytes())
    at = offsets[position]
    right = int.from_bytes(content[at : at + 4], "big")
    content[at : at + 4] = (right - 1).to_bytes(4, "big") if length is None else length
    file.write_bytes(content)
    report = draining.run_once(store)
    assert (report.letters, report.unopened) == (3, 0)
    assert _times(store) == [1, 2, 3]


def test_a_damaged_head_costs_no_letter_when_another_is_added(store, put, box) -> None:
    put(1, 2, 3)
    box.close()
    file = store.folder / INBOX_FILE
    content = bytearray(file.read_bytes())
    content[HEADER_BYTES : HEADER_BYTES + 8] = b"\xff" * 8
    file.write_bytes(content)
    put(4)
    report = draining.run_once(store)
    assert (report.positions, report.unopened) == (4, 0)
    assert _times(store) == [1, 2, 3, 4]


@pytest.mark.parametrize("filler", [b"\xff", b"\x00", b"\x00\x20\x00\x00", b"\x00\x00\x01\x00"])
def test_megabytes_of_damage_end_in_a_bounded_search(store, put, box, filler) -> None:
    put(1)
    box.close()
    file = store.folder / INBOX_FILE
    size = 3 * inbox.MAX_FRAME_BYTES
    file.write_bytes(file.read_bytes() + (filler * (size // len(filler))) + b"\xff")
    letters = inbox.SealedLetters(path=file, generation=b"")
    frames = list(letters.after(0))
    assert frames
    assert all(0 < len(frame.sealed) <= inbox.MAX_FRAME_BYTES for frame in frames)


def _inbox_bytes(store) -> int:
    file = store.folder / INBOX_FILE
    return file.stat().st_size if file.exists() else 0


def test_only_what_did_not_open_is_kept(store, put) -> None:
    put(1, 2)
    put(3, body=_encrypted("the phone's"))
    (aside,) = draining.run_once(store).set_aside
    letters = inbox.SealedLetters(path=aside, generation=b"")
    assert len(list(letters.after(0))) == 1


def test_a_crash_before_the_commit_keeps_what_did_not_open(store, put, monkeypatch) -> None:
    put(1, body=_encrypted("the phone's"))
    monkeypatch.setattr(kept, "move_mark", _power_cut)
    with pytest.raises(KeyboardInterrupt):
        draining.run_once(store)
    monkeypatch.undo()
    assert draining.run_once(store).set_aside[0].exists()


def test_once_the_key_is_right_what_was_kept_is_read_once(store, put) -> None:
    put(1)
    put(5, body=_encrypted("the phone's"))
    draining.run_once(store)
    devices.correct_key(store, "telephone", "the phone's")
    report = draining.run_once(store, retry_kept=True)
    assert (report.positions, report.unopened, report.set_aside) == (1, 0, [])
    assert _times(store) == [1, 5]
    assert draining.run_once(store, retry_kept=True).letters == 0
    assert devices.every(store)[0].positions == 2


def test_what_does_not_open_again_is_kept_again(store, put) -> None:
    put(1, body=_encrypted("the phone's"))
    draining.run_once(store)
    for _ in range(3):
        report = draining.run_once(store, retry_kept=True)
        assert (report.unopened, len(report.set_aside)) == (1, 1)
        assert [path.exists() for path in report.set_aside] == [True]
    assert len(list(store.folder.glob("inbox.kept-*"))) == 1


def test_what_was_sealed_before_a_new_token_is_not_lost(store, put) -> None:
    put(1)
    devices.add(store, "telephone")
    assert draining.run_once(store).positions == 1


def _encrypted(key: str) -> bytes:
    box = SecretBox(key.encode().ljust(32, b"\0"))
    sealed = bytes(box.encrypt(_location(5)))
    return json.dumps({"_type": "encrypted", "data": base64.b64encode(sealed).decode()}).encode()


def test_a_message_under_another_encryption_key_is_kept_sealed(store, put) -> None:
    put(1, body=b'{"_type":"encrypted","data":"AAAA"}')
    report = draining.run_once(store)
    assert (report.positions, report.unopened, len(report.set_aside)) == (0, 1, 1)


def test_letters_of_a_device_revoked_since_are_dropped(store, put) -> None:
    put(1)
    devices.revoke(store, "telephone")
    assert draining.run_once(store).closed == 1
    assert _times(store) == []


def test_a_full_inbox_refuses_and_keeps_what_it_has(store, put, box) -> None:
    put(1)
    box.max_bytes = (store.folder / INBOX_FILE).stat().st_size
    with pytest.raises(InboxFull):
        put(2)
    assert draining.run_once(store).letters == 1


def test_another_program_may_drain_while_this_one_adds(store, put) -> None:
    put(1)
    draining.run_once(store)
    put(2)
    draining.run_once(store)
    assert _times(store) == [1, 2]


def test_the_inbox_is_closed_to_others(store, put) -> None:
    put(1)
    modes = {path.name: path.stat().st_mode & 0o77 for path in Path(store.folder).iterdir()}
    assert set(modes.values()) == {0}, modes


def test_the_key_of_the_inbox_is_drawn_once(store) -> None:
    def raw() -> bytes:
        with writing(store.engine) as connection:
            return kept.private_key(connection, randomness=store.randomness).private_bytes_raw()

    assert raw() == raw()
