r"""One value, one spelling: canonical JSON, strict base64, UTC times, commitments.

Everything that is hashed or signed here has exactly one accepted spelling, so that two texts
never stand for one value. It is not a general serialiser, and it draws no randomness: the key
of a commitment is the caller's. Specs: RFC 8785 (JCS), RFC 4648 sections 4 and 5, RFC 2104.

    >>> canonical_bytes({"b": 1, "a": "é"})
    b'{"a":"\xc3\xa9","b":1}'
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NoReturn

import rfc8785

from consents.errors import CanonicalError

COMMITMENT_KEY_BYTES = 32
"""Length of the fresh key of one commitment, as many bytes as the hash it keys."""

_UTC_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def canonical_bytes(value: object) -> bytes:
    """
    Return the RFC 8785 bytes of a JSON value.

    Raises CanonicalError for what has no such form: integers of 2^53 and more, NaN, lone
    surrogates, keys that are not strings, types that are not JSON.
    """
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # its check is the point
    except (rfc8785.CanonicalizationError, RecursionError) as error:
        raise CanonicalError(f"expected a value with an RFC 8785 form: {error}") from error


def sha256_hex(content: bytes) -> str:
    """Return the SHA-256 of `content` as 64 lowercase hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def commitment(*, key: bytes, body: Mapping[str, object]) -> str:
    """
    Return hex HMAC-SHA256 of the canonical body under a fresh `key` of 32 bytes.

    Forgetting the key and the body makes the commitment meaningless while the leaf that carries
    it stays provable. A key used twice would show that two bodies are equal.
    Raises CanonicalError for a key of another length and for a body that holds a float.
    """
    if len(key) != COMMITMENT_KEY_BYTES:
        raise CanonicalError(
            f"expected a commitment key of {COMMITMENT_KEY_BYTES} bytes, seen {len(key)}"
        )
    _refuse_floats(body)
    return hmac.new(key, canonical_bytes(dict(body)), hashlib.sha256).hexdigest()


def parse_json(content: bytes) -> object:
    """
    Return the value of UTF-8 JSON `content`, strictly.

    Raises CanonicalError for other encodings, repeated keys, NaN and infinities, and nesting
    that is deeper than the interpreter allows.
    """
    try:
        return json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_unique_pairs,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:
        raise CanonicalError("expected one UTF-8 JSON value without repeated keys") from error


def base64_text(content: bytes) -> str:
    """Return standard base64 with padding (RFC 4648 section 4)."""
    return base64.b64encode(content).decode("ascii")


def base64_bytes(text: str) -> bytes:
    """Decode standard base64; raise CanonicalError unless it is the only spelling."""
    try:
        content = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise CanonicalError("expected standard base64") from error
    if base64_text(content) != text:
        raise CanonicalError("expected standard base64 with its padding and no stray bits")
    return content


def base64url_text(content: bytes) -> str:
    """Return URL-safe base64 without padding, as JWS writes it (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def base64url_bytes(text: str) -> bytes:
    """Decode URL-safe base64 without padding; raise CanonicalError on any other spelling."""
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise CanonicalError("expected URL-safe base64") from error
    if base64url_text(content) != text:
        raise CanonicalError("expected URL-safe base64 without padding and no stray bits")
    return content


def utc_text(at: datetime) -> str:
    """Return an aware time as `2026-11-09T07:30:00Z`, cut to the second."""
    if at.utcoffset() is None:
        raise CanonicalError("expected an aware time, seen one without an offset")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_time(text: str) -> datetime:
    """Return the aware UTC time of `2026-11-09T07:30:00Z`; raise CanonicalError otherwise."""
    if _UTC_TEXT.fullmatch(text) is None:
        raise CanonicalError("expected a time such as 2026-11-09T07:30:00Z")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError as error:
        raise CanonicalError("expected a time that exists on the calendar") from error


def _unique_pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise ValueError("a key is repeated")
    return mapping


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise CanonicalError("expected integers in a committed body, seen a float")
    if isinstance(value, Mapping):
        for member in value.values():
            _refuse_floats(member)
    elif isinstance(value, list | tuple):
        for member in value:
            _refuse_floats(member)
