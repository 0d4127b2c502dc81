"""OwnTracks: recorder logs and live messages."""

import json
from datetime import UTC, datetime

import pytest

from personal_store.errors import HostileFile, UnreadableFile, WrongFile
from personal_store.ingest.limits import LINE_BYTES, MESSAGE_BYTES
from personal_store.ingest.live.owntracks import parse_owntracks_message
from personal_store.ingest.positionfix import Positionfix, Rejected, RejectReason, SourceFormat

LOCATION = {
    "_type": "location",
    "lat": 46.16,
    "lon": -1.15,
    "tst": 1709283789,
    "acc": 10,
    "alt": 36,
    "vel": 36,
    "tid": "RO",
    "topic": "owntracks/rochelle/phone",
}
AT = datetime(2024, 3, 1, 9, 3, 9, tzinfo=UTC)
TRANSITION = {**LOCATION, "_type": "transition", "event": "leave", "wtst": 1696359532}


def line(message: object, *, kind: str = "*") -> bytes:
    return f"2024-03-01T09:03:10Z\t{kind:<18}\t{json.dumps(message)}\n".encode()


def live(message: object, now: datetime) -> list[Positionfix | Rejected]:
    body = json.dumps(message).encode()
    return list(parse_owntracks_message(body, device="token-1", now=now).entries)


def test_a_log_line_becomes_a_positionfix(read_bytes):
    assert list(read_bytes(line(LOCATION)).entries) == [
        Positionfix(
            at=AT,
            lat=46.16,
            lon=-1.15,
            source=SourceFormat.OWNTRACKS_REC,
            device="phone",
            accuracy_m=10.0,
            speed_mps=10.0,
            altitude_m=36.0,
        )
    ]


def test_a_live_message_becomes_a_positionfix_of_its_token_s_device(now):
    (fix,) = live(LOCATION, now)
    assert (fix.source, fix.device, fix.at) == (SourceFormat.OWNTRACKS_LIVE, "token-1", AT)


SKIPPED_LINES = {
    "the last will": line({"_type": "lwt", "tst": 1}, kind="lwt"),
    "a waypoint of another kind": line({**LOCATION, "_type": "waypoint"}, kind="waypoints"),
    "a waypoint among the positions": line({**LOCATION, "_type": "waypoint"}),
    "a transition of another kind": line(TRANSITION, kind="event"),
    "a transition at a beacon, without coordinates": line({"_type": "transition", "tst": 1}),
    "a position of another kind": line(LOCATION, kind="-"),
    "no type": line({"lat": 1, "lon": 1, "tst": 1709283789}),
    "a blank line": b"\n",
    "a blank line of Windows": b"\r\n",
}


@pytest.mark.parametrize("content", SKIPPED_LINES.values(), ids=SKIPPED_LINES)
def test_a_line_without_a_position_is_skipped(read_bytes, content):
    assert len(list(read_bytes(line(LOCATION) + content + line(LOCATION)).entries)) == 2


def test_a_transition_is_where_the_phone_was_when_it_crossed(read_bytes):
    (fix,) = read_bytes(line(TRANSITION)).entries
    assert (fix.at, fix.lat, fix.lon) == (AT, 46.16, -1.15)


BAD_LINES = {
    "no time": (line({**LOCATION, "tst": None}), RejectReason.NO_TIME),
    "a time in words": (line({**LOCATION, "tst": "now"}), RejectReason.UNREADABLE_ENTRY),
    "a time that is true": (line({**LOCATION, "tst": True}), RejectReason.UNREADABLE_ENTRY),
    "a clock at zero": (line({**LOCATION, "tst": 0}), RejectReason.BEFORE_1990),
    "milliseconds for seconds": (
        line({**LOCATION, "tst": 1709283789000}),
        RejectReason.IN_THE_FUTURE,
    ),
    "no latitude": (line({**LOCATION, "lat": None}), RejectReason.NO_POSITION),
    "a latitude past the pole": (
        line({**LOCATION, "lat": -90.5}),
        RejectReason.IMPOSSIBLE_COORDINATES,
    ),
    "half a message": (
        b'2024-03-01T09:03:10Z\t*\t{"_type":"loc\n',
        RejectReason.UNREADABLE_ENTRY,
    ),
    "a list for a message": (line([LOCATION]), RejectReason.UNREADABLE_ENTRY),
    "two messages": (
        line(LOCATION)[:-1] + json.dumps(LOCATION).encode() + b"\n",
        RejectReason.UNREADABLE_ENTRY,
    ),
    "bytes of another encoding": (
        line(LOCATION).replace(b"phone", b"t\xe9l"),
        RejectReason.UNREADABLE_ENTRY,
    ),
    "NULs after a power cut": (b"\x00" * 100 + b"\n", RejectReason.UNREADABLE_ENTRY),
}


@pytest.mark.parametrize(("content", "reason"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_is_rejected_and_the_rest_goes_in(read_bytes, content, reason):
    # Enough good lines first, for the bad one to lie past the head that tells the format.
    good = line(LOCATION) * 500
    entries = list(read_bytes(good + content + line(LOCATION)).entries)
    assert entries[500:-1] == [Rejected(reason=reason)]
    assert isinstance(entries[-1], Positionfix)


SPEEDS = {"unknown": (-1, None), "still": (0, 0.0), "as text": ("18", 5.0), "absent": (None, None)}


@pytest.mark.parametrize(("vel", "speed_mps"), SPEEDS.values(), ids=SPEEDS)
def test_kilometres_per_hour_become_metres_per_second(now, vel, speed_mps):
    (fix,) = live({**LOCATION, "vel": vel}, now)
    assert fix.speed_mps == speed_mps


DEVICES = {
    "the device of the topic": (LOCATION, "phone"),
    "the tracker without a topic": ({**LOCATION, "topic": None}, "RO"),
    "the tracker beside an odd topic": ({**LOCATION, "topic": "phone"}, "RO"),
    "the tracker beside an empty device": ({**LOCATION, "topic": "owntracks/a/"}, "RO"),
    "neither": ({**LOCATION, "topic": None, "tid": None}, "owntracks"),
}


@pytest.mark.parametrize(("message", "device"), DEVICES.values(), ids=DEVICES)
def test_a_log_line_names_its_device(read_bytes, message, device):
    (fix,) = read_bytes(line(message)).entries
    assert fix.device == device


def test_the_phone_s_own_activity_is_kept_verbatim(now):
    (fix,) = live({**LOCATION, "motionactivities": ["cycling", "unknown"]}, now)
    assert (fix.activity, fix.activity_confidence) == ("cycling", None)


def test_a_log_cut_in_its_last_line_is_called_so(read_bytes):
    with pytest.raises(UnreadableFile, match="s’arrête avant la fin"):
        list(read_bytes(line(LOCATION) + line(LOCATION)[:-20]).entries)


def test_a_last_line_that_lacks_only_its_newline_is_read(read_bytes):
    assert len(list(read_bytes(line(LOCATION) + line(LOCATION)[:-1]).entries)) == 2


def test_a_line_past_the_limit_is_hostile(read_bytes):
    endless = line(LOCATION)[:-2] + b" " * LINE_BYTES + b"}\n"
    with pytest.raises(HostileFile):
        list(read_bytes(line(LOCATION) + endless).entries)


def test_a_line_nested_without_end_is_hostile(read_bytes):
    nested = b"2024-03-01T09:03:10Z\t*\t" + b"[" * 100_000 + b"\n"
    with pytest.raises(HostileFile):
        list(read_bytes(line(LOCATION) + nested).entries)


NOTHING_IN_THEM = {
    "an empty body": b"",
    "space alone": b" \n",
    "a card": b'{"_type": "card", "name": "x"}',
    "a type of tomorrow": b'{"_type": "teleport", "lat": 1, "lon": 1}',
    "no type": b'{"lat": 1, "lon": 1}',
    "a transition at a beacon": b'{"_type": "transition", "tst": 1709283789}',
}


@pytest.mark.parametrize("body", NOTHING_IN_THEM.values(), ids=NOTHING_IN_THEM)
def test_a_legal_message_without_a_position_gives_nothing(now, body):
    assert parse_owntracks_message(body, device="phone", now=now).entries == ()


NO_MESSAGES = {
    "half a message": b'{"_type": "loc',
    "a list": b"[]",
    "text": b"lat=46.16",
    "two objects": b"{}{}",
    "another encoding": b'{"_type": "\xe9"}',
    "a bare number": b"1",
}


@pytest.mark.parametrize("body", NO_MESSAGES.values(), ids=NO_MESSAGES)
def test_a_body_that_is_no_message_is_unreadable(now, body):
    with pytest.raises(UnreadableFile):
        parse_owntracks_message(body, device="phone", now=now)


def test_a_bad_position_of_a_live_message_is_rejected_with_its_reason(now):
    assert live({**LOCATION, "lat": 95}, now) == [
        Rejected(reason=RejectReason.IMPOSSIBLE_COORDINATES)
    ]


def test_an_encrypted_message_is_refused_so_that_the_phone_keeps_it(now):
    with pytest.raises(WrongFile, match="chiffr"):
        live({"_type": "encrypted", "data": "bm90aGluZw=="}, now)


HOSTILE_BODIES = {
    "a body past the limit": b'{"_type": "' + b"x" * MESSAGE_BYTES + b'"}',
    "nesting without end": b"[" * 100_000,
}


@pytest.mark.parametrize("body", HOSTILE_BODIES.values(), ids=HOSTILE_BODIES)
def test_a_hostile_body_is_called_so(now, body):
    with pytest.raises(HostileFile):
        parse_owntracks_message(body, device="phone", now=now)
