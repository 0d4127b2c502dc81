"""One contribution as an auditor reads it: which consent, which purpose, which task, how much.

It reads the members that cover a contribution and no other, so that reports of every trust mode,
and statements about reports that stay sealed, are audited alike: a compact JWS by the key of the
consent, over JSON with at least cid, n, head, pd, task_digest and epsilon_micro, and the home zone
where the protocol tells one. A batch commits to the RFC 9162 hash of each JWS. Whether it is
covered is `consents.audit.coverage`'s question.
"""

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from consents.canonical import base64url_bytes, parse_json
from consents.errors import CanonicalError, KeptError, MalformedLeaf
from consents.jws import read_jws
from consents.tlog.merkle import leaf_hash

CONTRIBUTION_TYPS = frozenset({"mec-report+jws", "mec-contribution+jws"})
"""The `typ` of a report, and of a statement about a report that stays sealed."""

MAX_EPSILON_MICRO = 2**53 - 1
"""Largest amount that JSON keeps exact."""

_RECORD = struct.Struct(">16s32s32s32s32s32s32sQ")
_HEX = {"cid": 32, "head": 64, "pd": 64, "task_digest": 64}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """
    One resident-week that counts in a batch, with the thumbprint of the key that signed it.

    Hashes and `kid` are raw bytes: `cid` 16, the others 32. `zone_sha256` is of the zone's code, of
    no byte where the contribution tells none.
    """

    cid: bytes
    head: bytes
    pd: bytes
    task_digest: bytes
    kid: bytes
    leaf_hash: bytes
    zone_sha256: bytes
    epsilon_micro: int

    def pack(self) -> bytes:
        """Return a record of fixed length."""
        return _RECORD.pack(
            self.cid,
            self.head,
            self.pd,
            self.task_digest,
            self.kid,
            self.leaf_hash,
            self.zone_sha256,
            self.epsilon_micro,
        )


RECORD_BYTES = _RECORD.size
"""Length of a packed contribution."""

_DIGEST_BYTES = 32


def read_contribution(token: bytes) -> Contribution:
    """Verify and read a contribution; raise LeafError."""
    verified = read_jws(token, typs=CONTRIBUTION_TYPS)
    try:
        value = parse_json(verified.payload)
    except CanonicalError as error:
        raise MalformedLeaf("expected a JSON object as payload") from error
    if not isinstance(value, dict):
        raise MalformedLeaf("expected a JSON object as payload")
    raw = {name: _hex_member(value, name, digits) for name, digits in _HEX.items()}
    epsilon_micro = value.get("epsilon_micro")
    if type(epsilon_micro) is not int or not 0 < epsilon_micro <= MAX_EPSILON_MICRO:
        raise MalformedLeaf("expected epsilon_micro as a positive integer")
    return Contribution(
        **raw,
        kid=base64url_bytes(verified.kid),
        leaf_hash=leaf_hash(token),
        zone_sha256=zone_sha256(value.get("zone", "")),
        epsilon_micro=epsilon_micro,
    )


def pack_all(items: Iterable[Contribution]) -> bytes:
    """Return what an auditor keeps of a batch: its records, and their SHA-256."""
    records = b"".join(item.pack() for item in items)
    return records + sha256(records).digest()


def zone_sha256(code: object) -> bytes:
    """Return the digest by which a zone's code is compared; raise MalformedLeaf for no text."""
    if not isinstance(code, str):
        raise MalformedLeaf("expected zone as a text")
    return sha256(code.encode()).digest()


def unpack(content: bytes) -> list[Contribution]:
    """Return the contributions that were kept; raise KeptError when they are damaged."""
    records, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
    if sha256(records).digest() != digest or len(records) % RECORD_BYTES:
        raise KeptError("expected kept contributions as they were written")
    return [
        Contribution(
            cid=cid,
            head=head,
            pd=pd,
            task_digest=task,
            kid=kid,
            leaf_hash=hashed,
            zone_sha256=zone,
            epsilon_micro=epsilon_micro,
        )
        for cid, head, pd, task, kid, hashed, zone, epsilon_micro in _RECORD.iter_unpack(records)
    ]


def _hex_member(value: dict[str, object], name: str, digits: int) -> bytes:
    text = value.get(name)
    if not isinstance(text, str) or re.fullmatch(f"[0-9a-f]{{{digits}}}", text) is None:
        raise MalformedLeaf(f"expected {name} as {digits} lowercase hexadecimal digits")
    return bytes.fromhex(text)
