"""Turn the raw values of a file into numbers, instants and labels, or refuse the entry.

Files say the same thing in many ways: `46.16`, `"46.16"`, `461600000`. They also lie: `true`
is no number, nor is a word. A value that is absent and a value that is unreadable are two
reasons. It judges one value at a time; `judge.py` weighs whole positions.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final

from personal_store.ingest.limits import EARLIEST, FIELD_CHARS, LABEL_CHARS
from personal_store.ingest.positionfix import Rejected, RejectReason

_SHORTEST_INSTANT_CHARS: Final = len("20240421T090731Z")
_EARLIEST_EPOCH_S: Final = EARLIEST.timestamp()
_LAST_EPOCH_S: Final = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
_COUNT: Final = re.compile(r"[+-]?\d+(?:\.\d*)?", re.ASCII)
_OFFSET: Final = re.compile(
    r":\d\d(?:[.,]\d+)? ?(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d)?$", re.ASCII
)
_MINUTES: Final = 60
_FARTHEST_MIN: Final = 14 * _MINUTES
_SPACED_OFFSET: Final = re.compile(r" (?=[+-]\d\d:?\d\d$)")
_FIRST_MS: Final = 10**11
_E7_PER_DEGREE: Final = 10_000_000
_WORD: Final = 2**32
_HALF_WORD: Final = 2**31
_LONG_WORD: Final = 2**64
_UNBOUNDED: Final = -math.inf
_INFINITE: Final = math.inf
_FROM_ISO: Final = datetime.fromisoformat


class Refused(Exception):
    """One entry cannot become a positionfix; never leaves this folder."""

    def __init__(self, reason: RejectReason) -> None:
        """Keep the reason."""
        super().__init__(reason)
        self.reason = reason

    @property
    def rejected(self) -> Rejected:
        """Return the refusal as the entry to count."""
        return Rejected(reason=self.reason)


def number(raw: object) -> float:
    """Return a number, possibly NaN or infinite, from a number or its text.

    Raises `Refused` (unreadable-entry) for anything else: a truth value is not a number.
    """
    if type(raw) is float:
        return raw
    # Python's own reader also takes 1_000 and the digits of other scripts.
    if type(raw) is str and len(raw) <= FIELD_CHARS and raw.isascii() and "_" not in raw:
        try:
            return float(raw)
        except ValueError:
            raise Refused(RejectReason.UNREADABLE_ENTRY) from None
    if type(raw) is int:
        try:
            return float(raw)
        except OverflowError:
            raise Refused(RejectReason.UNREADABLE_ENTRY) from None
    raise Refused(RejectReason.UNREADABLE_ENTRY)


def measure(raw: object, *, at_least: float = _UNBOUNDED) -> float | None:
    """Return a side measure, or None where the source does not know it.

    Absent, unreadable, infinite or below `at_least` (sources write -1 for unknown) is all the
    same: a position is worth keeping without its altitude.
    """
    if type(raw) is float:
        value = raw
    elif type(raw) is int and -_WORD < raw < _WORD:
        value = float(raw)
    elif raw is None:
        return None
    else:
        try:
            value = number(raw)
        except Refused:
            return None
    return value if at_least <= value < _INFINITE else None


def numbers(texts: Sequence[str]) -> list[float] | None:
    """Return what `number` gives for each of some texts, None where it must be asked one by one."""
    joined = "".join(texts)
    if not joined.isascii() or "_" in joined or max(map(len, texts), default=0) > FIELD_CHARS:
        return None
    try:
        return list(map(float, texts))
    except ValueError:
        return None


def measures(texts: Sequence[str | None], *, at_least: float = _UNBOUNDED) -> list[float | None]:
    """Return what `measure` gives for each of some texts, less the space around them."""
    known = [text for text in texts if text is not None]
    values = numbers(known) if len(known) == len(texts) else None
    # A sum of numbers one of which is infinite or none is infinite or none itself.
    if values and math.isfinite(sum(values)) and min(values) >= at_least:
        return [*values]
    return [text if text is None else measure(text.strip(), at_least=at_least) for text in texts]


def degrees_from_e7(raw: object) -> float | None:
    """Return degrees from ten-millionths of a degree; None where absent.

    Google's exports hold negative values that were written as unsigned 32-bit words. No angle
    reaches 2**31 ten-millionths, so undoing the wrap is never a guess.
    Source: schema notes of CarlosBergillos/LocationHistoryFormat.
    """
    if type(raw) is int and -_HALF_WORD < raw < _HALF_WORD:
        return raw / _E7_PER_DEGREE
    if raw is None:
        return None
    value = number(raw)
    if _HALF_WORD <= value < _WORD:
        value -= _WORD
    return value / _E7_PER_DEGREE


def instant_from_iso(raw: object, *, naive_in: tzinfo | None = None) -> datetime:
    """Return an aware UTC time from ISO 8601 text that carries its offset.

    `naive_in` is the zone of a time without one: UTC for formats whose specification says so
    (GPX), else what the resident says; an hour that comes twice is the first. Without it such a
    time is refused, since guessing would move a day. A bare date is no instant.
    Raises `Refused` (no-time, time-without-offset, else unreadable-entry).
    """
    if type(raw) is not str or not _SHORTEST_INSTANT_CHARS <= len(raw) <= FIELD_CHARS:
        is_absent = raw is None or raw == ""
        raise Refused(RejectReason.NO_TIME if is_absent else RejectReason.UNREADABLE_ENTRY)
    try:
        at = datetime.fromisoformat(raw)
        if at.tzinfo is UTC:
            return at
        if at.tzinfo is not None:
            return at.astimezone(UTC)
        if naive_in is not None:
            return at.replace(tzinfo=naive_in).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(RejectReason.UNREADABLE_ENTRY) from None
    raise Refused(RejectReason.TIME_WITHOUT_OFFSET)


def instants_in_utc(texts: Sequence[str]) -> list[datetime] | None:
    """Return what `instant_from_iso` gives for each of some texts that end in "Z".

    None where one does not, or is no such time, so that it must be asked one by one.
    """
    lengths = {*map(len, texts)}
    if {text[-1:] for text in texts} != {"Z"} or max(lengths) > FIELD_CHARS:
        return None
    try:
        return None if min(lengths) < _SHORTEST_INSTANT_CHARS else [*map(_FROM_ISO, texts)]
    except ValueError:
        return None


def utc_offset_min(raw: object) -> int | None:
    """Return the offset that ISO 8601 text carries, in minutes east of UTC; None where it has none.

    "Z" and "+00:00" are None too: exporters write them of any place, so they tell no local day.

    >>> utc_offset_min("2024-03-31T03:30:00+02:00"), utc_offset_min("2024-03-31T01:30:00Z")
    (120, None)
    """
    if type(raw) is not str or raw[-1:] == "Z" or len(raw) > FIELD_CHARS:
        return None
    found = _OFFSET.search(raw)
    if found is None:
        return None
    minutes = int(found["hours"]) * _MINUTES + int(found["minutes"] or 0)
    if not 0 < minutes <= _FARTHEST_MIN:
        return None
    return -minutes if found["sign"] == "-" else minutes


def instant_from_epoch_s(raw: object, *, units_per_s: int = 1) -> datetime:
    """Return an aware UTC time from a count since 1970, in seconds or parts of them.

    Raises `Refused`: no-time, unreadable-entry, or the two sides of the plausible, which are
    told apart here because a calendar cannot hold them all.
    """
    if raw is None or raw == "":
        raise Refused(RejectReason.NO_TIME)
    epoch_s = number(raw) / units_per_s
    if epoch_s < _EARLIEST_EPOCH_S:
        raise Refused(RejectReason.BEFORE_1990)
    if epoch_s > _LAST_EPOCH_S:
        raise Refused(RejectReason.IN_THE_FUTURE)
    if epoch_s != epoch_s:  # noqa: PLR0124 -- only NaN differs from itself
        raise Refused(RejectReason.UNREADABLE_ENTRY)
    return datetime.fromtimestamp(epoch_s, UTC)


def instant(raw: object, *, naive_in: tzinfo | None = None) -> datetime:
    """Return an aware UTC time from ISO 8601 text, or from a count since 1970 in s or ms.

    For sources that write either in the same field. A count is in milliseconds from 10**11 on
    (1973 in milliseconds, the year 5138 in seconds). A space before the offset is accepted.
    Raises `Refused` as its two siblings do.
    """
    if isinstance(raw, str) and len(raw) <= FIELD_CHARS:
        text = raw.strip()
        if not _COUNT.fullmatch(text):
            return instant_from_iso(_SPACED_OFFSET.sub("", text), naive_in=naive_in)
        raw = text
    if raw is None or raw == "":
        raise Refused(RejectReason.NO_TIME)
    in_ms = abs(number(raw)) >= _FIRST_MS
    return instant_from_epoch_s(raw, units_per_s=1000 if in_ms else 1)


def part(whole: object, key: str) -> dict[str, object]:
    """Return an object within an object, {} where it is absent or something else."""
    inner = whole.get(key) if isinstance(whole, dict) else None
    return inner if isinstance(inner, dict) else {}


def items(whole: object, key: str) -> list[object]:
    """Return a list within an object, [] where it is absent or something else."""
    inner = whole.get(key) if isinstance(whole, dict) else None
    return inner if isinstance(inner, list) else []


def first_of(record: Mapping[str, object], names: Iterable[str]) -> object:
    """Return the first value under `names` that is neither absent, null nor empty text."""
    for name in names:
        value = record.get(name)
        if value is not None and value != "":
            return value
    return None


def printable(name: str) -> str:
    r"""Return a file's name with a mark for each character that does not print.

    Names go to a terminal, a page and a database; those that are no UTF-8 fit in none of them.

    >>> printable("\udcff\u202e.gpx")
    '??.gpx'
    """
    return "".join(character if character.isprintable() else "?" for character in name)


def label(raw: object) -> str | None:
    """Return a short printable name from text or an integer, None where there is none.

    Names go to a terminal, a page and a database: what does not print is left out.
    """
    if type(raw) is int:
        return str(raw)[:LABEL_CHARS] if -_LONG_WORD < raw < _LONG_WORD else None
    if type(raw) is not str:
        return None
    cut = raw[:LABEL_CHARS]
    if not cut.isprintable():
        cut = "".join(character for character in cut if character.isprintable())
    return cut.strip() or None
