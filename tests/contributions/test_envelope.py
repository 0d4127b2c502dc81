"""Sealed shares: they open for what they were sealed for, and for nothing else.

The oracle is another implementation of RFC 9180, in pycryptodomex.
"""

from dataclasses import replace
from typing import Any

import pytest
from Cryptodome.Protocol import HPKE
from Cryptodome.Protocol.DH import import_x25519_private_key, import_x25519_public_key
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from contributions.envelope import (
    DOMAIN,
    MAX_PUBLIC_SHARE_BYTES,
    MAX_SHARE_BYTES,
    SEAL_BYTES,
    Binding,
    Role,
    open_share,
    open_verify_key,
    seal_share,
    seal_verify_key,
)
from contributions.errors import EnvelopeRefused, Malformed

SECRET = bytes(range(32))
KEY = X25519PrivateKey.from_private_bytes(SECRET)
SHARE = b"one share of a report"
BINDING = Binding(
    task_digest="ab" * 32, report_id="01" * 16, public_share=bytes(64), role=Role.LEADER
)
OTHERS: list[dict[str, Any]] = [
    {"task_digest": "ac" * 32},
    {"report_id": "02" * 16},
    {"public_share": bytes(63) + b"\x01"},
    {"public_share": bytes(63)},
    {"public_share": b""},
    {"role": Role.HELPER},
]


@pytest.fixture
def sealed() -> bytes:
    return seal_share(SHARE, keeper_key=KEY.public_key(), binding=BINDING)


def test_share_opens_for_its_keeper_and_binding(sealed: bytes) -> None:
    opened = open_share(sealed, keeper_key=KEY, binding=BINDING, share_bytes=len(SHARE))
    assert opened == SHARE


def test_seal_adds_a_fixed_number_of_bytes(sealed: bytes) -> None:
    assert len(sealed) == len(SHARE) + SEAL_BYTES


def test_sealing_twice_gives_other_bytes(sealed: bytes) -> None:
    assert seal_share(SHARE, keeper_key=KEY.public_key(), binding=BINDING) != sealed


def test_another_implementation_opens_it(sealed: bytes) -> None:
    receiver = HPKE.new(
        receiver_key=import_x25519_private_key(SECRET),
        enc=sealed[:32],
        aead_id=HPKE.AEAD.AES128_GCM,
        info=BINDING.info,
    )
    assert receiver.unseal(sealed[32:]) == SHARE


def test_what_another_implementation_seals_opens() -> None:
    sender = HPKE.new(
        receiver_key=import_x25519_public_key(KEY.public_key().public_bytes_raw()),
        aead_id=HPKE.AEAD.AES128_GCM,
        info=BINDING.info,
    )
    sealed = sender.enc + sender.seal(SHARE)
    assert open_share(sealed, keeper_key=KEY, binding=BINDING, share_bytes=len(SHARE)) == SHARE


@pytest.mark.parametrize("change", OTHERS, ids=str)
def test_share_moved_to_another_binding_is_refused(sealed: bytes, change: dict[str, Any]) -> None:
    moved = replace(BINDING, **change)
    with pytest.raises(EnvelopeRefused):
        open_share(sealed, keeper_key=KEY, binding=moved, share_bytes=len(SHARE))


def test_share_for_the_other_keeper_is_refused(sealed: bytes) -> None:
    other = X25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
    with pytest.raises(EnvelopeRefused):
        open_share(sealed, keeper_key=other, binding=BINDING, share_bytes=len(SHARE))


def test_every_changed_byte_is_refused(sealed: bytes) -> None:
    for place in range(len(sealed)):
        changed = sealed[:place] + bytes((sealed[place] ^ 1,)) + sealed[place + 1 :]
        with pytest.raises(EnvelopeRefused):
            open_share(changed, keeper_key=KEY, binding=BINDING, share_bytes=len(SHARE))


@pytest.mark.parametrize("change", [-1, 1, -len(SHARE) - SEAL_BYTES])
def test_another_size_is_refused(sealed: bytes, change: int) -> None:
    resized = (sealed + b"\x00")[: len(sealed) + change]
    with pytest.raises(EnvelopeRefused):
        open_share(resized, keeper_key=KEY, binding=BINDING, share_bytes=len(SHARE))


def test_share_of_another_size_than_the_task_says_is_refused(sealed: bytes) -> None:
    with pytest.raises(EnvelopeRefused):
        open_share(sealed, keeper_key=KEY, binding=BINDING, share_bytes=len(SHARE) + 1)


def test_point_of_small_order_is_refused_on_both_sides(sealed: bytes) -> None:
    zero = X25519PublicKey.from_public_bytes(bytes(32))
    with pytest.raises(EnvelopeRefused):
        seal_share(SHARE, keeper_key=zero, binding=BINDING)
    with pytest.raises(EnvelopeRefused):
        open_share(bytes(32) + sealed[32:], keeper_key=KEY, binding=BINDING, share_bytes=len(SHARE))


def test_refusals_say_the_same_whatever_does_not_fit(sealed: bytes) -> None:
    said = set()
    for change in OTHERS:
        with pytest.raises(EnvelopeRefused) as refusal:
            open_share(
                sealed,
                keeper_key=KEY,
                binding=replace(BINDING, **change),
                share_bytes=len(SHARE),
            )
        said.add(str(refusal.value))
    assert len(said) == 1


@pytest.mark.parametrize("share", [b"", bytes(MAX_SHARE_BYTES + 1)], ids=["empty", "too large"])
def test_share_outside_the_bounds_is_malformed(share: bytes) -> None:
    with pytest.raises(Malformed):
        seal_share(share, keeper_key=KEY.public_key(), binding=BINDING)


@pytest.mark.parametrize(
    "change",
    [
        {"task_digest": "ab" * 31},
        {"task_digest": "AB" * 32},
        {"report_id": "01" * 15},
        {"role": "leader"},
        {"public_share": bytes(MAX_PUBLIC_SHARE_BYTES + 1)},
    ],
    ids=["short digest", "capitals", "short id", "role as text", "huge public share"],
)
def test_binding_outside_the_bounds_is_malformed(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        replace(BINDING, **change)


def test_info_starts_with_the_domain_and_separates_every_part() -> None:
    infos = {BINDING.info} | {replace(BINDING, **change).info for change in OTHERS}
    assert len(infos) == 1 + len(OTHERS)
    assert all(info.startswith(DOMAIN) and len(info) == len(DOMAIN) + 32 for info in infos)


def test_a_sealed_verification_key_is_no_share_nor_the_other_way_round(sealed: bytes) -> None:
    """Opened by another implementation, with what a share of the same 32 bytes would have as info.

    Only the domain tells the two apart, whatever is hashed after it.
    """
    digest = "ab" * 32
    key_sealed = seal_verify_key(SHARE, keeper_key=KEY.public_key(), task_digest=digest)

    def opened_as(domain: bytes) -> bytes:
        receiver = HPKE.new(
            receiver_key=import_x25519_private_key(SECRET),
            enc=key_sealed[:32],
            aead_id=HPKE.AEAD.AES128_GCM,
            info=domain + bytes.fromhex(digest),
        )
        return receiver.unseal(key_sealed[32:])

    assert opened_as(b"mobilites-en-commun verify key v1\x00") == SHARE
    with pytest.raises(ValueError, match=r"MAC|Incorrect"):
        opened_as(DOMAIN)
    with pytest.raises(EnvelopeRefused):
        open_verify_key(sealed, keeper_key=KEY, task_digest=digest, sha256="00" * 32)
