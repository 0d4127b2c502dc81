"""OwnTracks: recorder logs (`.rec`), and the messages that they share with the live door.

A log line is a reception time, a kind padded with spaces, and the message as JSON, separated by
tabs or spaces. Only lines of kind `*` hold what a phone published on its own topic. Of those,
two types say where the phone was: `location`, and `transition` (it entered or left a region),
whose coordinates are optional. A `waypoint` is about a place. `vel` is in km/h and -1 where
unknown. The time is `tst`, when the phone measured; the reception may be days later.

What a phone sends live is read in `live/owntracks.py`.

Spec: https://owntracks.org/booklet/tech/json/
"""

import json
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from personal_store.ingest import refusals
from personal_store.ingest.head import Head, Shape
from personal_store.ingest.json_text import decode_value
from personal_store.ingest.judge import Judge
from personal_store.ingest.limits import LINE_BYTES
from personal_store.ingest.positionfix import (
    Entry,
    Positionfix,
    Rejected,
    RejectReason,
)
from personal_store.ingest.values import Refused, instant_from_epoch_s, label, measure

_LINE: Final = re.compile(
    rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z[ \t]+(?P<kind>\S+)[ \t]*(?P<body>.*)", re.DOTALL
)
_KMH_PER_MPS: Final = 3.6
_UNNAMED_DEVICE: Final = "owntracks"


def recognises(head: Head) -> bool:
    """Tell whether the first line that is not blank is a recorder's."""
    first_line = head.raw.lstrip().split(b"\n", 1)[0]
    return head.shape is Shape.TEXT and _LINE.fullmatch(first_line) is not None


def parse(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield the positions of a recorder's log in file order.

    A damaged line is one rejected entry: a recorder that lost power goes on with the next.
    Raises `UnreadableFile` where the last line stops short, `HostileFile` for a line over
    `LINE_BYTES` or nested without end.
    """
    while line := stream.readline(LINE_BYTES + 1):
        if len(line) > LINE_BYTES:
            raise refusals.entry_too_long()
        try:
            message = _message(line)
            if message is not None:
                entry = message_entry(message, judge, device=_device(message))
                if entry is not None:
                    yield entry
        except Refused as refused:
            if not line.endswith(b"\n"):
                raise refusals.truncated("OwnTracks") from None
            yield refused.rejected


def message_object(raw: bytes) -> dict[str, object]:
    """Return a JSON object in UTF-8; a leading byte order mark is skipped.

    Raises `Refused` (unreadable-entry) for anything else, `HostileFile` where it is nested
    without end.
    """
    try:
        text = raw.decode("utf-8-sig").strip()
        value, end = decode_value(text)
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise Refused(RejectReason.UNREADABLE_ENTRY) from None
    if not isinstance(value, dict) or end != len(text):
        raise Refused(RejectReason.UNREADABLE_ENTRY)
    return value


def message_entry(
    message: dict[str, object], judge: Judge, *, device: str
) -> Positionfix | Rejected | None:
    """Return the position of one message, None where its type claims none."""
    if not _holds_position(message):
        return None
    try:
        return _positionfix(message, judge, device=device)
    except Refused as refused:
        return refused.rejected


def _message(line: bytes) -> dict[str, object] | None:
    """Return the message of a line, or None where the line is blank or of another kind."""
    if not line.strip():
        return None
    parts = _LINE.fullmatch(line)
    if parts is None:
        raise Refused(RejectReason.UNREADABLE_ENTRY)
    return message_object(parts["body"]) if parts["kind"] == b"*" else None


def _holds_position(message: dict[str, object]) -> bool:
    kind = message.get("_type")
    return kind == "location" or (kind == "transition" and "lat" in message and "lon" in message)


def _positionfix(message: dict[str, object], judge: Judge, *, device: str) -> Positionfix:
    speed_kmh = measure(message.get("vel"), at_least=0)
    motions = message.get("motionactivities")
    return judge.positionfix(
        at=instant_from_epoch_s(message.get("tst")),
        lat=message.get("lat"),
        lon=message.get("lon"),
        device=device,
        accuracy_m=message.get("acc"),
        speed_mps=None if speed_kmh is None else speed_kmh / _KMH_PER_MPS,
        altitude_m=message.get("alt"),
        activity=motions[0] if isinstance(motions, list) and motions else None,
    )


def _device(message: dict[str, object]) -> str:
    """Return the device of `owntracks/USER/DEVICE`, else the tracker's two letters."""
    topic = message.get("topic")
    if isinstance(topic, str) and topic.count("/") >= 2:
        named = label(topic.split("/")[2])
        if named:
            return named
    return label(message.get("tid")) or _UNNAMED_DEVICE
