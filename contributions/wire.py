"""Canonical bytes and strict reading of every message of the protocol.

Bytes are RFC 8785 (JCS) canonical JSON. Numbers are integers below 2**53 in magnitude (the
RFC's interoperable range) or strings; floats never travel. Identifiers are strings. Reading is
strict: size first, no duplicate or unknown key, no float, and the bytes must be the canonical
ones, so that a digest of the bytes received is a digest of the value.

It is not a schema language: each message states its own fields and bounds with the checks here.

>>> canonical_bytes({"b": 1, "a": "x"})
b'{"a":"x","b":1}'
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from math import gcd
from typing import NoReturn, TypeVar

import rfc8785

from contributions.errors import Malformed

INTEGER_LIMIT = 2**53
"""Every integer on the wire is smaller than this in magnitude. Source: RFC 8785 section 3.2.2.3."""

HEX_16_BYTES = re.compile(r"[0-9a-f]{32}")
"""16 bytes in lower-case hexadecimal, such as a report's or a consent's id."""
HEX_32_BYTES = re.compile(r"[0-9a-f]{64}")
"""32 bytes in lower-case hexadecimal, such as a SHA-256."""
IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")

_Member = TypeVar("_Member", bound=StrEnum)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_FRACTION = re.compile(r"([1-9]\d{0,8})/([1-9]\d{0,8})", re.ASCII)


def canonical_bytes(value: Mapping[str, object]) -> bytes:
    """Return the RFC 8785 bytes of a message.

    Raises `Malformed` when the value has no canonical form (a lone surrogate, a huge integer).
    """
    try:
        return rfc8785.dumps(dict(value))  # type: ignore[arg-type]
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise Malformed("expected a value with a canonical JSON form; see RFC 8785") from error


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of bytes, in lowercase hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def base64url_text(data: bytes) -> str:
    """Write bytes as base64url without padding (RFC 4648 section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def read_base64url(value: object, where: str, *, size_bytes: int | None = None) -> bytes:
    """Read base64url without padding, refusing a second spelling of the same bytes.

    `size_bytes` is the exact size, None for any; raises `Malformed`.
    """
    if not isinstance(value, str):
        raise Malformed(f"expected a text at {where}, saw {type(value).__name__}")
    try:
        padded = value.encode("ascii") + b"=" * (-len(value) % 4)
        decoded = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise Malformed(f"expected base64url without padding in {where}") from error
    if base64url_text(decoded) != value:
        raise Malformed(f"expected canonical base64url in {where}")
    if size_bytes is not None and len(decoded) != size_bytes:
        raise Malformed(f"expected {size_bytes} bytes at {where}, saw {len(decoded)}")
    return decoded


def read_object(data: bytes, *, limit_bytes: int, canonical: bool = True) -> dict[str, object]:
    """Read one JSON object from untrusted bytes.

    `limit_bytes` bounds the size before anything is parsed. With `canonical` the bytes must be
    the RFC 8785 form of what they say; without it (an HTTP body) white space and key order are
    free. Raises `Malformed`.
    """
    if len(data) > limit_bytes:
        raise Malformed(f"expected at most {limit_bytes} bytes, saw {len(data)}")
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object_without_duplicates,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=_bounded_integer,
        )
    except Malformed:
        raise
    except (ValueError, RecursionError) as error:
        raise Malformed("expected JSON in UTF-8, saw something else") from error
    if not isinstance(value, dict):
        raise Malformed("expected a JSON object at the top")
    if canonical and canonical_bytes(value) != data:
        raise Malformed("expected the canonical form of RFC 8785; serialise the message anew")
    return value


def expect_keys(value: object, where: str, keys: frozenset[str]) -> dict[str, object]:
    """Return `value` as an object that has exactly `keys`; raises `Malformed`."""
    if not isinstance(value, dict):
        raise Malformed(f"expected an object at {where}, saw {type(value).__name__}")
    missing, unknown = len(keys - value.keys()), len(value.keys() - keys)
    if missing or unknown:
        raise Malformed(
            f"expected the keys {', '.join(sorted(keys))} at {where}; "
            f"saw {missing} missing and {unknown} unknown"
        )
    return value


def expect_list(value: object, where: str) -> list[object]:
    """Return `value` as a list; raises `Malformed`."""
    if not isinstance(value, list):
        raise Malformed(f"expected a list at {where}, saw {type(value).__name__}")
    return value


def expect_integer(value: object, where: str, *, low: int, high: int) -> int:
    """Return `value` as an integer in [low, high]; booleans are not integers.

    Raises `Malformed` without repeating the value, which may be a resident's.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise Malformed(f"expected an integer at {where}, saw {type(value).__name__}")
    if not low <= value <= high:
        raise Malformed(f"expected an integer from {low} to {high} at {where}")
    return value


def expect_text(value: object, where: str, *, longest: int) -> str:
    """Return `value` as 1 to `longest` printable characters without spaces at the ends."""
    if not isinstance(value, str):
        raise Malformed(f"expected a text at {where}, saw {type(value).__name__}")
    if not 1 <= len(value) <= longest or value != value.strip():
        raise Malformed(f"expected 1 to {longest} trimmed characters at {where}")
    if not value.isprintable():
        raise Malformed(f"expected printable characters at {where}")
    return value


def expect_match(value: object, where: str, pattern: re.Pattern[str]) -> str:
    """Return `value` as a string that `pattern` matches whole; raises `Malformed`."""
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise Malformed(f"expected a string of the form {pattern.pattern} at {where}")
    return value


def expect_member(kind: type[_Member], value: object, where: str) -> _Member:
    """Return the member of an enumeration that has this value; raises `Malformed`."""
    for member in kind:
        if member.value == value:
            return member
    raise Malformed(f"expected {where} to be one of {', '.join(kind)}")


def expect_time(value: object, where: str) -> datetime:
    """Return `value` as an aware UTC time without fraction of a second; raises `Malformed`."""
    if not isinstance(value, datetime):
        raise Malformed(f"expected a time at {where}, saw {type(value).__name__}")
    if value.utcoffset() != timedelta(0) or value.microsecond:
        raise Malformed(f"expected a whole second in UTC at {where}; convert it first")
    return value


def time_text(moment: datetime) -> str:
    """Write an aware UTC time as `YYYY-MM-DDTHH:MM:SSZ`."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def read_time(value: object, where: str) -> datetime:
    """Read `YYYY-MM-DDTHH:MM:SSZ`; raises `Malformed`."""
    text = expect_match(value, where, _TIME)
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise Malformed(f"expected a date that exists at {where}") from error


def fraction_text(value: Fraction) -> str:
    """Write a fraction as `p/q` in lowest terms, the denominator always present."""
    return f"{value.numerator}/{value.denominator}"


def read_fraction(value: object, where: str) -> Fraction:
    """Read a positive `p/q` in lowest terms, nine digits at most each; raises `Malformed`."""
    match = _FRACTION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Malformed(f"expected a positive fraction p/q at {where}")
    numerator, denominator = int(match[1]), int(match[2])
    if gcd(numerator, denominator) != 1:
        raise Malformed(f"expected a fraction in lowest terms at {where}")
    return Fraction(numerator, denominator)


def _object_without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise Malformed("expected each key once in an object")
    return value


def _refuse_number(_text: str) -> NoReturn:
    raise Malformed("expected integers or strings, saw a number with a fraction or an exponent")


def _bounded_integer(text: str) -> int:
    # Length first: turning thousands of digits into an integer is work for an attacker to order.
    if len(text) > 17 or abs(int(text)) >= INTEGER_LIMIT:
        raise Malformed("expected integers below 2**53 in magnitude")
    return int(text)
