"""Read a letter: what it holds, and the exact answer that makes its sender forget it.

Whatever was read, positions that cannot be included, is acknowledged. So is what is no message at
all and never will be: its sender would send it for ever, and behind it the rest of its queue
would wait. Refused, so that the phone keeps it, is only the encrypted message that does not open:
the key can be put right on the phone, and the position is not lost meanwhile.
"""

import json
from collections.abc import Callable
from typing import Final

from personal_store.errors import IngestError, WrongFile
from personal_store.ingest.live import gpslogger, overland, owntracks, traccar
from personal_store.ingest.live.letter import Letter, LetterRead, LiveApp, Reply
from personal_store.ingest.positionfix import Entry

_ACKNOWLEDGED: Final = {
    LiveApp.OWNTRACKS: Reply(body=b"[]"),
    LiveApp.OVERLAND: overland.RECEIVED,
    LiveApp.GPSLOGGER: gpslogger.RECEIVED,
    LiveApp.TRACCAR: traccar.RECEIVED,
}


def acknowledgement(app: LiveApp) -> Reply:
    """Return what an app is told when its message was kept unread."""
    return _ACKNOWLEDGED[app]


def read_letter(
    letter: Letter,
    *,
    device: str,
    encryption_key: str | None,
    randomness: Callable[[int], bytes],
) -> LetterRead:
    """Return what a letter of `device` holds; never raises for what was sent."""
    try:
        if letter.app is LiveApp.OWNTRACKS:
            return _owntracks(letter, device, encryption_key, randomness)
        entries = _entries(letter, device)
    except WrongFile as error:
        answer = json.dumps({"fr": error.fr, "en": error.en}, ensure_ascii=False).encode()
        return LetterRead(entries=(), reply=Reply(status=400, body=answer), refused=True)
    except IngestError:
        return LetterRead(entries=(), reply=acknowledgement(letter.app), unreadable=True)
    return LetterRead(entries=entries, reply=acknowledgement(letter.app))


def _owntracks(
    letter: Letter, device: str, encryption_key: str | None, randomness: Callable[[int], bytes]
) -> LetterRead:
    message = owntracks.parse_owntracks_message(
        letter.body, device=device, now=letter.received_at, encryption_key=encryption_key
    )
    key = encryption_key if message.was_encrypted else None
    answer = owntracks.reply(encryption_key=key, randomness=randomness)
    return LetterRead(entries=message.entries, reply=answer)


def _entries(letter: Letter, device: str) -> tuple[Entry, ...]:
    if letter.app is LiveApp.OVERLAND:
        return tuple(
            overland.parse_overland_batch(letter.body, device=device, now=letter.received_at)
        )
    is_gpslogger = letter.app is LiveApp.GPSLOGGER
    parse = gpslogger.parse_gpslogger if is_gpslogger else traccar.parse_traccar
    return tuple(
        parse(
            query=letter.query,
            content_type=letter.content_type,
            body=letter.body,
            device=device,
            now=letter.received_at,
        )
    )
