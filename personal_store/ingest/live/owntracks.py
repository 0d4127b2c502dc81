"""OwnTracks in HTTP mode: one JSON message in each request, in clear or in a secret box.

`location` is a position, and so is a `transition` that says where it happened. Every other type
(`waypoint`, `waypoints`, `lwt`, `card`, `status`, `steps`, `cmd`, `configuration`, `beacon`,
`request`, and those of tomorrow) tells nothing of where the phone was and gives nothing; so does
an empty body, which the specification allows.

An encrypted message is nonce (24 bytes), tag and ciphertext of libsodium's secret box, in base64;
its key is the shared secret in UTF-8, cut or filled with zeros to 32 bytes. The answer to it is
sealed with the same key.

Spec: https://owntracks.org/booklet/tech/json/, tech/http and features/encrypt.
"""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from personal_store.ingest import refusals
from personal_store.ingest.judge import judge_for
from personal_store.ingest.limits import MESSAGE_BYTES
from personal_store.ingest.live.letter import Reply
from personal_store.ingest.owntracks import message_entry, message_object
from personal_store.ingest.positionfix import Positionfix, Rejected, SourceFormat
from personal_store.ingest.values import Refused

KEY_LENGTH_BYTES: Final = 32
_NOTHING_TO_SAY: Final = b"[]"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwntracksMessage:
    """What one message holds, and whether it came in a secret box."""

    entries: tuple[Positionfix | Rejected, ...]
    was_encrypted: bool = False


def parse_owntracks_message(
    body: bytes, *, device: str, now: datetime, encryption_key: str | None = None
) -> OwntracksMessage:
    """Return what the body of one live HTTP message holds: a position, or nothing.

    `device` names the phone whose token came with the message; `now` is aware UTC. An empty
    body and a type that holds no position give no entry: both are legal.
    Raises `UnreadableFile` where the body is no JSON object in UTF-8, `WrongFile` where it is
    encrypted and `encryption_key` is absent or another, `HostileFile` past `MESSAGE_BYTES` or
    nested without end.
    """
    if len(body) > MESSAGE_BYTES:
        raise refusals.message_too_long()
    if not body.strip():
        return OwntracksMessage(entries=())
    message = _message(body)
    was_encrypted = message.get("_type") == "encrypted"
    if was_encrypted:
        message = _message(_opened(message.get("data"), encryption_key))
    entry = message_entry(message, judge_for(SourceFormat.OWNTRACKS_LIVE, now=now), device=device)
    return OwntracksMessage(entries=() if entry is None else (entry,), was_encrypted=was_encrypted)


def reply(*, encryption_key: str | None, randomness: Callable[[int], bytes]) -> Reply:
    """Return "received, nothing to say": an empty array, sealed when a key is given."""
    if encryption_key is None:
        return Reply(body=_NOTHING_TO_SAY)
    # Imported here: most stores never meet an encrypted message.
    from nacl.secret import SecretBox  # noqa: PLC0415

    box = SecretBox(_padded(encryption_key))
    sealed = bytes(box.encrypt(_NOTHING_TO_SAY, randomness(SecretBox.NONCE_SIZE)))
    document = {"_type": "encrypted", "data": base64.b64encode(sealed).decode()}
    return Reply(body=json.dumps(document).encode())


def _message(raw: bytes) -> dict[str, object]:
    try:
        return message_object(raw)
    except Refused:
        raise refusals.bad_message() from None


def _opened(data: object, encryption_key: str | None) -> bytes:
    from nacl.exceptions import CryptoError  # noqa: PLC0415 -- see `reply`
    from nacl.secret import SecretBox  # noqa: PLC0415

    if encryption_key is None or not isinstance(data, str):
        raise refusals.encrypted_message()
    try:
        # Some apps break the lines of base64, so what is not of its alphabet is passed over.
        sealed = base64.b64decode(data.encode())
        return bytes(SecretBox(_padded(encryption_key)).decrypt(sealed))
    except (CryptoError, ValueError, binascii.Error):
        raise refusals.encrypted_message() from None


def _padded(encryption_key: str) -> bytes:
    return encryption_key.encode()[:KEY_LENGTH_BYTES].ljust(KEY_LENGTH_BYTES, b"\0")
