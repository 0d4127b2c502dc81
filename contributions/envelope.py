"""One share, sealed for one keeper, bound to its task, report, public share and role.

Spec: HPKE (RFC 9180), base mode, single shot: X25519, HKDF-SHA256, AES-128-GCM. The sealed bytes
are the encapsulated key (32 bytes), then the ciphertext and its tag (share + 16 bytes). The
library draws the ephemeral key. It offers no associated data, which draft-ietf-ppm-dap uses; what
would go there is hashed into `info` instead, so that no wire conformance with DAP is claimed.

A sealed share that was moved to another task, report or keeper, or whose public share was changed,
does not open. Not opening says nothing about why. What this does not do: two copies of one sealed
share open alike, so that a keeper refuses a report id that it has seen (`collection`).

The store's two-keeper reports and the keepers' intake use it; a `local` task never does.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from contributions.errors import EnvelopeRefused, Malformed
from contributions.wire import HEX_16_BYTES, HEX_32_BYTES, expect_match

DOMAIN = b"mobilites-en-commun share v1\x00"
"""Start of every `info`; ends with a byte that the text before it cannot hold."""
VERIFY_KEY_DOMAIN = b"mobilites-en-commun verify key v1\x00"
"""Start of `info` for a verification key; never that of a share."""
SEAL_BYTES = 48
"""What sealing adds: an X25519 public key and a GCM tag."""
MAX_SHARE_BYTES = 2**21
"""Room for the largest circuit in Field128 with its proof."""
MAX_PUBLIC_SHARE_BYTES = 8_160
"""Room for 255 keepers' parts of 32 bytes."""


class Role(StrEnum):
    """Which keeper a share is for: the first share is the leader's, the second the helper's."""

    LEADER = "leader"
    HELPER = "helper"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What a sealed share is bound to; raises `Malformed` at construction.

    `task_digest` (64 hexadecimal digits) names the signed task, `report_id` (32) the report, whose
    bytes are the nonce of Prio3. `public_share` is the one that every keeper is given.
    """

    task_digest: str
    report_id: str
    public_share: bytes
    role: Role

    def __post_init__(self) -> None:
        """Check every bound; see the class."""
        expect_match(self.task_digest, "task_digest", HEX_32_BYTES)
        expect_match(self.report_id, "report_id", HEX_16_BYTES)
        if len(self.public_share) > MAX_PUBLIC_SHARE_BYTES:
            raise Malformed(f"expected a public share of at most {MAX_PUBLIC_SHARE_BYTES} bytes")
        if not isinstance(self.role, Role):
            raise Malformed("expected role as a member of its enumeration")

    @property
    def info(self) -> bytes:
        """The domain, then SHA-256 of task ‖ report id ‖ public share ‖ role.

        All but the public share have a fixed size, so that no two bindings hash the same bytes.
        """
        bound = hashlib.sha256()
        bound.update(bytes.fromhex(self.task_digest))
        bound.update(bytes.fromhex(self.report_id))
        bound.update(self.public_share)
        bound.update(b"\x00" if self.role is Role.LEADER else b"\x01")
        return DOMAIN + bound.digest()


def seal_share(share: bytes, *, keeper_key: X25519PublicKey, binding: Binding) -> bytes:
    """Seal a share for the keeper with this key; `SEAL_BYTES` longer than the share.

    Raises `Malformed` for an empty share or one above `MAX_SHARE_BYTES`, `EnvelopeRefused` for a
    key that no secret can be agreed on with (a point of small order).
    """
    if not 1 <= len(share) <= MAX_SHARE_BYTES:
        raise Malformed(f"expected a share of 1 to {MAX_SHARE_BYTES} bytes, saw {len(share)}")
    try:
        return _suite().encrypt(share, keeper_key, info=binding.info)
    except ValueError as error:
        raise EnvelopeRefused(
            "the keeper's key is not usable; fetch the signed task anew"
        ) from error


def open_share(
    sealed: bytes, *, keeper_key: X25519PrivateKey, binding: Binding, share_bytes: int
) -> bytes:
    """Open a sealed share of exactly `share_bytes`, with the private key of the keeper.

    Raises `EnvelopeRefused` for another size, key, task, report, public share or role, and for
    any changed byte, without telling which.
    """
    if len(sealed) != share_bytes + SEAL_BYTES:
        raise EnvelopeRefused(
            f"expected {share_bytes + SEAL_BYTES} sealed bytes, saw {len(sealed)}; refuse the share"
        )
    try:
        return _suite().decrypt(sealed, keeper_key, info=binding.info)
    except (InvalidTag, ValueError) as error:
        raise EnvelopeRefused(
            "the share is not sealed for this keeper, task and report; refuse it"
        ) from error


def seal_verify_key(verify_key: bytes, *, keeper_key: X25519PublicKey, task_digest: str) -> bytes:
    """Seal the verification key of a task for the other keeper; stores never see it."""
    return _suite().encrypt(verify_key, keeper_key, info=_verify_key_info(task_digest))


def open_verify_key(
    sealed: bytes, *, keeper_key: X25519PrivateKey, task_digest: str, sha256: str
) -> bytes:
    """Open the verification key that the leader chose, and check the task's commitment to it.

    Raises `EnvelopeRefused` when it does not open for this task, or is not the one committed to.
    """
    try:
        opened = _suite().decrypt(sealed, keeper_key, info=_verify_key_info(task_digest))
    except (InvalidTag, ValueError) as error:
        raise EnvelopeRefused("the verification key is not sealed for this task") from error
    if hashlib.sha256(opened).hexdigest() != sha256:
        raise EnvelopeRefused("expected the verification key that the task commits to")
    return opened


def _verify_key_info(task_digest: str) -> bytes:
    return VERIFY_KEY_DOMAIN + bytes.fromhex(expect_match(task_digest, "task_digest", HEX_32_BYTES))


def _suite() -> Suite:
    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)
