"""Leaves: what is signed for each event, and how it is read back.

A leaf is a compact JWS over a payload without any clear personal data: the body it speaks of
stays beside the log and is bound by a commitment (`consents.records.record`). This module signs and
reads leaves; it does not say whether a chain of them permits anything
(`consents.records.decision`). Spec: W3C DPV 2.3 consent statuses for the event names; RFC 7515 for
the leaf.
"""

import re
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consents.canonical import canonical_bytes, parse_json, sha256_hex, utc_time
from consents.errors import CanonicalError, ForgedLeaf, MalformedLeaf
from consents.jws import read_jws, sign_jws, thumbprint
from consents.records.limits import ConsentLimits
from consents.records.mandate import Mandate
from consents.records.record import (
    ConsentBody,
    ConsentedPurpose,
    EventType,
    Party,
    PrivacyNotice,
    Purpose,
)

__all__ = [
    "LEAF_VERSION",
    "MAX_COUNTER",
    "ConsentBody",
    "ConsentLimits",
    "ConsentedPurpose",
    "EventType",
    "LeafPayload",
    "Party",
    "PrivacyNotice",
    "Purpose",
    "SignedEvent",
    "leaf_sha256",
    "read_event",
    "sign_event",
]

LEAF_VERSION = 1
"""Version of the leaf payload that this package writes and reads."""

MAX_COUNTER = 2**53 - 1
"""Largest integer that every JSON reader keeps exact (RFC 8785 section 3.2.2.3)."""

_HEX_16_BYTES = re.compile(r"[0-9a-f]{32}")
_HEX_32_BYTES = re.compile(r"[0-9a-f]{64}")
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
_ORIGIN = re.compile(r"[^\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafPayload:
    """
    What one leaf says; construction raises MalformedLeaf.

    `v` version, `t` type, `o` origin of the only log it is meant for, `cid` 16 random bytes in
    hex, `n` counter from 0, `p` hex SHA-256 of the previous leaf of this cid ("" first), `pd`
    digest of the purpose, `c` commitment to the body, `at` claimed UTC time
    (`2026-11-09T07:30:00Z`), `kid` RFC 7638 thumbprint of the signing key. `m`, a mandate, is in
    every leaf that names a delegate and in no other.
    """

    v: int = LEAF_VERSION
    t: EventType
    o: str
    cid: str
    n: int
    p: str
    pd: str
    c: str
    at: str
    kid: str
    m: Mandate | None = None

    def __post_init__(self) -> None:
        """Refuse every value that a later reader could understand otherwise."""
        if not _is_integer(self.v, minimum=LEAF_VERSION) or self.v != LEAF_VERSION:
            raise MalformedLeaf(f"expected v to be {LEAF_VERSION}")
        kind: object = self.t
        if not isinstance(kind, EventType):
            raise MalformedLeaf("expected t to be a known event type")
        for name, pattern in _PAYLOAD_TEXTS.items():
            value: object = getattr(self, name)
            if not isinstance(value, str) or pattern.fullmatch(value) is None:
                raise MalformedLeaf(f"expected {name} to match {pattern.pattern}")
        if not _is_integer(self.n, minimum=0) or self.n > MAX_COUNTER:
            raise MalformedLeaf("expected n to be a counter from 0")
        if (self.n == 0) != (self.p == ""):
            raise MalformedLeaf("expected an empty p for n = 0 and for it only")
        try:
            utc_time(self.at)
        except (CanonicalError, TypeError) as error:
            raise MalformedLeaf("expected at to be a time such as 2026-11-09T07:30:00Z") from error
        if isinstance(self.m, Mandate) is not (self.t is EventType.DELEGATE_NAMED):
            raise MalformedLeaf("expected a mandate where a delegate is named and nowhere else")

    @property
    def at_time(self) -> datetime:
        """The claimed time, aware UTC; only a claim until the log's witnesses bound it."""
        return utc_time(self.at)

    def to_bytes(self) -> bytes:
        """Return the canonical JSON that is signed."""
        mapping = asdict(self)
        if self.m is None:
            del mapping["m"]
        else:
            mapping["m"] = self.m.to_mapping()
        return canonical_bytes(mapping)

    @classmethod
    def parse(cls, content: bytes) -> "LeafPayload":
        """Read payload bytes in any JSON spelling; raise MalformedLeaf on any other member."""
        try:
            value = parse_json(content)
        except CanonicalError as error:
            raise MalformedLeaf("expected a JSON object as payload") from error
        if not isinstance(value, dict) or value.keys() - {"m"} != _MEMBERS:
            raise MalformedLeaf(f"expected a payload with exactly {', '.join(sorted(_MEMBERS))}")
        mandate = {"m": Mandate.from_value(value["m"])} if "m" in value else {}
        try:
            return cls(**{**value, **mandate, "t": EventType(value["t"])})
        except ValueError as error:
            raise MalformedLeaf("expected t to be a known event type") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedEvent:
    """
    A leaf whose signature holds: construction verifies it, so an unverified one cannot exist.

    Raises MalformedLeaf or ForgedLeaf. The signature proves who holds the key of `payload.kid`;
    that this key is the consent's own is for the chain to say.
    """

    leaf: bytes
    payload: LeafPayload = field(init=False)
    public_key: Ed25519PublicKey = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Verify the received bytes, then read them."""
        verified = read_jws(self.leaf)
        payload = LeafPayload.parse(verified.payload)
        if payload.kid != verified.kid:
            raise ForgedLeaf("expected the payload's kid to be the signing key's")
        object.__setattr__(self, "payload", payload)
        object.__setattr__(self, "public_key", verified.public_key)

    @property
    def head(self) -> str:
        """Hex SHA-256 of the leaf: the `p` of the event that follows."""
        return leaf_sha256(self.leaf)


def sign_event(payload: LeafPayload, key: Ed25519PrivateKey) -> bytes:
    """Return the leaf; raise ForgedLeaf when `payload.kid` is not this key's thumbprint."""
    if payload.kid != thumbprint(key.public_key()):
        raise ForgedLeaf("expected kid to be the thumbprint of the signing key")
    return sign_jws(payload.to_bytes(), key)


def read_event(leaf: bytes) -> SignedEvent:
    """Verify the signature of a leaf on the bytes received; raise LeafError."""
    return SignedEvent(leaf=leaf)


def leaf_sha256(leaf: bytes) -> str:
    """Return the hex SHA-256 of the leaf bytes (not the Merkle leaf hash)."""
    return sha256_hex(leaf)


_MEMBERS = frozenset(member.name for member in fields(LeafPayload)) - {"m"}
_PAYLOAD_TEXTS = {
    "o": _ORIGIN,
    "cid": _HEX_16_BYTES,
    "p": re.compile(r"|[0-9a-f]{64}"),
    "pd": _HEX_32_BYTES,
    "c": _HEX_32_BYTES,
    "kid": _THUMBPRINT,
}


def _is_integer(value: object, *, minimum: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= minimum
