"""Transit-card taps: a table of our own, and card events in the terms of EN 1545 and Intercode.

France has no common format in which a network hands a resident their taps; both forms are
described in `docs/formats.md` so that a network or a card reader's program can write them.

- The table has one row a tap: `tap_at` (with its offset) and any of `event`, `mode`, `network`,
  `line`, `stop_name`, `stop_lat`, `stop_lon`, `passengers`, `card`.
- The events are objects with the field names of EN 1545 (`EventDateStamp`, `EventTimeStamp`,
  `EventCode`...), in an array or under `events`, where the card's pseudonym may stand before
  them as `card`. Dates count from 1 January 1997, times are minutes of the local day, and a code
  is a mode (its high half) and what happened (its low half).

A tap is an instant at a stop, not a position: it is evidence, of boarding or of leaving. A tap that
was cancelled or refused by the validator is none.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Final
from zoneinfo import ZoneInfo

from personal_store.ingest.head import Head
from personal_store.ingest.json_text import walk_json
from personal_store.ingest.judge import Judge, evidence_place
from personal_store.ingest.positionfix import Entry, EvidenceKind, Rejected, RejectReason
from personal_store.ingest.table import header, read_rows, whole
from personal_store.ingest.values import Refused, first_of, instant, label, measure, number

_DEVICE: Final = "transit-card"
_LISTS: Final = frozenset({"", "events"})
_EXIT_WORDS: Final = frozenset({"alight", "exit"})
_REFUSED_WORDS: Final = frozenset({"cancelled", "refused"})
# French cards keep French time: Intercode is the French profile of EN 1545.
_CARD_ZONE: Final = "Europe/Paris"
_CARD_EPOCH: Final = datetime(1997, 1, 1)  # noqa: DTZ001 -- local by definition, see `_card_instant`
_MOST_DAYS: Final = 2**14
_MINUTES_A_DAY: Final = 24 * 60
_EVENT_MODES: Final = {1: "bus", 2: "coach", 3: "metro", 4: "tram", 5: "train", 6: "ferry"}
"""EN 1545 TransportMode, the high half of an event code; 8 is a car park."""
_PARKING: Final = 8
_TRAVELLED: Final = frozenset({1, 2, 3, 6, 7})
"""Low halves of a code that mean a passage: entry, exit, passage, and both of an interchange.
The others are a control, a test, a cancellation, a sale or a refusal."""
_LEFT: Final = frozenset({2, 7})
"""Those of them that end a ride: exit, and the exit of an interchange."""


def recognises_taps(head: Head) -> bool:
    """Tell whether the table has a column of tap times."""
    return "tap_at" in header(head)


def recognises_events(head: Head) -> bool:
    """Tell whether the first entry is an event in the terms of EN 1545."""
    first = head.json.first if head.json is not None else None
    return isinstance(first, dict) and "EventDateStamp" in first and "EventCode" in first


def parse_taps(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield the taps of the table in file order. Raises as `read_rows` does."""
    for fields in read_rows(stream):
        try:
            row = whole(fields)
            event = row.get("event", "").strip().lower()
            if event in _REFUSED_WORDS:
                continue
            at = instant(row.get("tap_at"))
            yield judge.evidence(
                kind=EvidenceKind.TAP_OUT if event in _EXIT_WORDS else EvidenceKind.TAP,
                start=at,
                end=at,
                device=label(row.get("card")) or _DEVICE,
                modes=((row.get("mode"), None),),
                occupants=None,
                origin=evidence_place(
                    lat=row.get("stop_lat"), lon=row.get("stop_lon"), name=row.get("stop_name")
                ),
                line=row.get("line"),
                reference=row.get("reference"),
            )
        except Refused as refused:
            yield refused.rejected


def parse_events(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield the taps of a card's events in file order. Raises as `walk_json` does."""
    device = _DEVICE
    for key, value in walk_json(stream):
        if key == "card":
            device = label(value) or device
        if key not in _LISTS:
            continue
        if not isinstance(value, dict):
            yield Rejected(reason=RejectReason.UNREADABLE_ENTRY)
            continue
        try:
            code = int(number(value.get("EventCode")))
            if code % 16 in _TRAVELLED and code // 16 != _PARKING:
                yield _event(value, code, judge, device)
        except (ValueError, OverflowError):
            yield Rejected(reason=RejectReason.UNREADABLE_ENTRY)
        except Refused as refused:
            yield refused.rejected


def _event(event: dict[str, object], code: int, judge: Judge, device: str) -> Entry:
    at = _card_instant(event)
    return judge.evidence(
        kind=EvidenceKind.TAP_OUT if code % 16 in _LEFT else EvidenceKind.TAP,
        start=at,
        end=at,
        device=device,
        modes=((_EVENT_MODES.get(code // 16), None),),
        origin=evidence_place(
            lat=event.get("lat"),
            lon=event.get("lon"),
            name=first_of(event, ("stop_name", "EventLocationId")),
        ),
        line=first_of(event, ("line", "EventRouteNumber")),
    )


def _card_instant(event: dict[str, object]) -> datetime:
    """Return the instant of a card's date and minutes, which are French local time.

    The hour that comes twice in October is read as the first: the card cannot tell.
    """
    days = measure(event.get("EventDateStamp"), at_least=0)
    minutes = measure(event.get("EventTimeStamp"), at_least=0)
    if days is None or minutes is None:
        raise Refused(RejectReason.NO_TIME)
    if days >= _MOST_DAYS or minutes >= _MINUTES_A_DAY:
        raise Refused(RejectReason.UNREADABLE_ENTRY)
    local = _CARD_EPOCH + timedelta(days=int(days), minutes=int(minutes))
    return local.replace(tzinfo=ZoneInfo(_CARD_ZONE)).astimezone(UTC)
