"""Signed words about an event not in the log yet: the operator's promise, the stewards' slip.

The operator answers an event with a promise: this leaf, received now, will be merged by then. A
resident who meets silence hands the same leaf to the stewards' drop-box, whose slip says when they
had it. Both are what a withdrawal counts from, whatever the operator does afterwards. Neither shows
that the event is in the log: only an inclusion proof does.
Format: compact JWS (`consents.jws`); RFC 9162 leaf hash in hex.

    promise  {"leaf_hash", "merge_by", "received_at", "v"}     signed by the log's key
    slip     {"leaf", "received_at", "v"}                      signed by a steward's key
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.canonical import canonical_bytes, parse_json, utc_text, utc_time
from consents.errors import CanonicalError, ConsentsError, LeafError, PromiseError
from consents.jws import VerifiedJws, read_jws, sign_jws
from consents.records.receipt import SignedEvent, read_event
from consents.tlog.merkle import HASH_BYTES, leaf_hash

MAX_MERGE_DELAY = timedelta(hours=1)
"""Longest time that an operator may take to merge (design of the log, rule 7)."""

_VERSION = 1
_PROMISE = frozenset({"leaf_hash", "merge_by", "received_at", "v"})
_SLIP = frozenset({"leaf", "received_at", "v"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """That the leaf with this hash (hex), received at a time, is merged by another; aware UTC."""

    leaf_hash: str
    received_at: datetime
    merge_by: datetime

    def __post_init__(self) -> None:
        """Refuse a promise that binds nobody; raise PromiseError."""
        if not _is_hash(self.leaf_hash):
            raise PromiseError("expected leaf_hash as 64 lowercase hexadecimal digits")
        if self.received_at.utcoffset() is None or self.merge_by.utcoffset() is None:
            raise PromiseError("expected aware times in a promise")
        if not self.received_at <= self.merge_by <= self.received_at + MAX_MERGE_DELAY:
            raise PromiseError(f"expected merge_by within {MAX_MERGE_DELAY} of received_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class DropboxSlip:
    """That a steward had this event at a time; aware UTC."""

    event: SignedEvent
    received_at: datetime


def promise(leaf: bytes, key: Ed25519PrivateKey, *, now: datetime, delay: timedelta) -> bytes:
    """Return the operator's promise to merge `leaf` within `delay` of `now`; raise PromiseError."""
    said = Promise(leaf_hash=leaf_hash(leaf).hex(), received_at=now, merge_by=now + delay)
    content = {
        "v": _VERSION,
        "leaf_hash": said.leaf_hash,
        "received_at": utc_text(said.received_at),
        "merge_by": utc_text(said.merge_by),
    }
    return sign_jws(canonical_bytes(content), key)


def read_promise(token: bytes, *, kid: str) -> Promise:
    """Return what the holder of the key with this thumbprint promised; raise PromiseError."""
    value = _content(_verified(token, kid), _PROMISE)
    return Promise(
        leaf_hash=value["leaf_hash"],
        received_at=_time(value["received_at"]),
        merge_by=_time(value["merge_by"]),
    )


def check_promise(
    token: bytes, leaf: bytes, *, kid: str, now: datetime, since: datetime | None = None
) -> Promise:
    """
    Check the answer to an event before trusting it: right key, this leaf, received about now.

    `since` is when the event was signed, for one that is handed over again: its first promise may
    be as old. Raises PromiseError; the store then turns to the stewards' drop-box.
    """
    said = read_promise(token, kid=kid)
    if said.leaf_hash != leaf_hash(leaf).hex():
        raise PromiseError("expected a promise for the leaf that was sent, seen another's")
    earliest = (now if since is None else min(since, now)) - MAX_MERGE_DELAY
    if not earliest <= said.received_at <= now + MAX_MERGE_DELAY:
        raise PromiseError("expected a promise dated about now")
    return said


def drop_box_slip(leaf: bytes, key: Ed25519PrivateKey, *, now: datetime) -> bytes:
    """Return the stewards' slip for a leaf that verifies; raise LeafError."""
    read_event(leaf)
    content = {"v": _VERSION, "leaf": leaf.decode("ascii"), "received_at": utc_text(now)}
    return sign_jws(canonical_bytes(content), key)


def read_slip(token: bytes, *, kid: str) -> DropboxSlip:
    """Return what the steward with this thumbprint had, and when; raise PromiseError."""
    value = _content(_verified(token, kid), _SLIP)
    try:
        event = read_event(value["leaf"].encode("ascii"))
    except (LeafError, UnicodeEncodeError) as error:
        raise PromiseError("expected a slip for an event that verifies") from error
    return DropboxSlip(event=event, received_at=_time(value["received_at"]))


def _verified(token: bytes, kid: str) -> VerifiedJws:
    try:
        verified = read_jws(token)
    except ConsentsError as error:
        raise PromiseError("expected a compact JWS whose signature holds") from error
    if verified.kid != kid:
        raise PromiseError("expected the signature of the trusted key, seen another's")
    return verified


def _content(verified: VerifiedJws, names: frozenset[str]) -> dict[str, str]:
    try:
        value = parse_json(verified.payload)
    except CanonicalError as error:
        raise PromiseError("expected a JSON object as payload") from error
    if not isinstance(value, dict) or set(value) != names or value.pop("v") != _VERSION:
        raise PromiseError(f"expected exactly {', '.join(sorted(names))}")
    if not all(isinstance(member, str) for member in value.values()):
        raise PromiseError("expected texts in a promise or slip")
    return value


def _time(text: str) -> datetime:
    try:
        return utc_time(text)
    except CanonicalError as error:
        raise PromiseError("expected times such as 2026-11-09T07:30:00Z") from error


def _is_hash(text: str) -> bool:
    return len(text) == 2 * HASH_BYTES and all(digit in "0123456789abcdef" for digit in text)
