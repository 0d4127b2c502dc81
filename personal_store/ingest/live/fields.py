"""Read a request as names and values, wherever its sender put them: address, form or JSON.

Names are compared in lower case. What is sent twice counts once, the last; the body goes before
the address.
"""

from typing import Final
from urllib.parse import parse_qsl

from personal_store.ingest import refusals
from personal_store.ingest.owntracks import message_object
from personal_store.ingest.values import Refused

_MOST_FIELDS: Final = 128
"""Names in one request. GPSLogger has 27; Traccar lets other trackers add theirs."""


def fields_of(*, query: str, content_type: str, body: bytes) -> dict[str, object]:
    """Return the fields of a request; raises `UnreadableFile` or `HostileFile` where it has none.

    A body that begins like an object is JSON whatever its type says: templates of bodies are
    written by hand, and their type is often left at its default.
    """
    fields: dict[str, object] = dict(_form(query))
    text = body.lstrip()
    if text[:1] == b"{":
        try:
            fields |= {name.lower(): value for name, value in message_object(body).items()}
        except Refused:
            raise refusals.bad_message() from None
    elif text and "json" in content_type.lower():
        raise refusals.bad_message()
    elif text:
        try:
            fields |= _form(body.decode())
        except UnicodeDecodeError:
            raise refusals.bad_message() from None
    return fields


def _form(text: str) -> dict[str, object]:
    try:
        pairs = parse_qsl(text.strip(), max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise refusals.bad_message() from None
    return {name.lower(): value for name, value in pairs}
