"""What records have in common: members, texts, digests and times, checked and read alike.

Not the records themselves (`consents.records.record`, `consents.records.limits`).
"""

import re
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from consents.canonical import parse_json, utc_time
from consents.errors import CanonicalError, RecordError

_HEX_32_BYTES = re.compile(r"[0-9a-f]{64}")


def expect_texts(record: object, what: str, *names: str) -> None:
    """Raise RecordError unless these members of a record are texts that say something."""
    for name in names:
        value: object = getattr(record, name)
        if not isinstance(value, str) or not value.strip():
            raise RecordError(f"expected a text in {what}.{name}")


def expect_integers(record: object, what: str, *names: str, minimum: int) -> None:
    """Raise RecordError unless these members are integers of `minimum` or more."""
    for name in names:
        value: object = getattr(record, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
            raise RecordError(f"expected an integer of {minimum} or more in {what}.{name}")


def expect_digest(value: object, what: str) -> None:
    """Raise RecordError unless the value is a SHA-256 as lowercase hexadecimal digits."""
    if not isinstance(value, str) or _HEX_32_BYTES.fullmatch(value) is None:
        raise RecordError(f"expected a SHA-256 as 64 lowercase hexadecimal digits in {what}")


def expect_names(value: object, what: str) -> None:
    """Raise RecordError unless the value is a tuple of distinct names."""
    if (
        not isinstance(value, tuple)
        or not all(isinstance(name, str) and name for name in value)
        or len(set(value)) != len(value)
    ):
        raise RecordError(f"expected distinct names in {what}, as a tuple")


def expect_records(value: object, record: type, what: str) -> None:
    """Raise RecordError unless the value is a tuple with at least one such record."""
    if (
        not isinstance(value, tuple)
        or not value
        or not all(isinstance(each, record) for each in value)
    ):
        raise RecordError(f"expected at least one {record.__name__} in {what}, as a tuple")


def whole_seconds(at: datetime, what: str) -> datetime:
    """Return an aware time in UTC, cut to the second; raise RecordError."""
    if at.utcoffset() is None:
        raise RecordError(f"expected an aware time in {what}")
    return at.astimezone(UTC).replace(microsecond=0)


def read_json(content: bytes) -> object:
    """Return what JSON says, in UTF-8 and without repeated members; raise RecordError."""
    try:
        return parse_json(content)
    except CanonicalError as error:
        raise RecordError("expected a record as UTF-8 JSON") from error


def read_members(record: type, value: object, what: str) -> dict[str, Any]:
    """Return a mapping with exactly the members of a record; raise RecordError."""
    names = {member.name for member in fields(record)}
    if not isinstance(value, dict) or set(value) != names:
        raise RecordError(f"expected {what} with exactly {', '.join(sorted(names))}")
    return value


def read_time(value: object, what: str) -> datetime:
    """Return the time that a text says; raise RecordError."""
    try:
        return utc_time(str(value))
    except CanonicalError as error:
        raise RecordError(f"expected a time such as 2026-11-09T07:30:00Z in {what}") from error


def read_tuple(value: object, what: str) -> tuple[Any, ...]:
    """Return a JSON list as a tuple; raise RecordError."""
    if not isinstance(value, list):
        raise RecordError(f"expected a list in {what}")
    return tuple(value)
