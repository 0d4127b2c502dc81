"""A letter: one live message as it was received, before anything of it is read.

The same bytes are read at once when the store is open, and sealed as they are when it is locked:
what is drained later is read by the same code, with the time at which it was received.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from personal_store.ingest.positionfix import Entry

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class LiveApp(StrEnum):
    """The protocol in which a message came."""

    OWNTRACKS = "owntracks"
    OVERLAND = "overland"
    GPSLOGGER = "gpslogger"
    TRACCAR = "traccar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message with the door it came through; `received_at` is aware UTC, to the millisecond."""

    app: LiveApp
    door: str
    received_at: datetime
    content_type: str
    query: str
    body: bytes

    def to_bytes(self) -> bytes:
        """Return a line of JSON, then the body as it came."""
        head = {
            "app": self.app.value,
            "door": self.door,
            "received_at_ms": (self.received_at - _EPOCH) // _MILLISECOND,
            "content_type": self.content_type,
            "query": self.query,
        }
        return json.dumps(head).encode() + b"\n" + self.body

    @classmethod
    def from_bytes(cls, raw: bytes) -> "Letter":
        """Return the letter that `to_bytes` wrote. Raises ValueError for anything else."""
        line, separator, body = raw.partition(b"\n")
        try:
            head = json.loads(line)
            if not separator:
                raise ValueError("expected a line before the body")
            return cls(
                app=LiveApp(head["app"]),
                door=str(head["door"]),
                received_at=_EPOCH + int(head["received_at_ms"]) * _MILLISECOND,
                content_type=str(head["content_type"]),
                query=str(head["query"]),
                body=body,
            )
        except (TypeError, KeyError, OverflowError, RecursionError):
            raise ValueError("expected a letter") from None

    def __repr__(self) -> str:
        """Redact: the body says where somebody is."""
        return f"<Letter {self.app} door={self.door}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the phone is answered."""

    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterRead:
    """What a letter holds, and the answer that makes its sender forget it.

    `unreadable` is True for a message that is none and never will be: it is counted and
    acknowledged, since its sender would otherwise send it for ever. `refused` is True for one that
    its sender must keep.
    """

    entries: tuple[Entry, ...]
    reply: Reply
    unreadable: bool = False
    refused: bool = False
