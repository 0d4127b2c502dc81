"""XofTurboShake128: long pseudorandom strings from short seeds, each use in its own domain.

Spec: draft-irtf-cfrg-vdaf sections 6.2 and 6.2.3; TurboSHAKE128 is RFC 9861 (pycryptodomex).
A seed is a parameter: nothing here draws randomness.
"""

from collections.abc import Callable
from dataclasses import dataclass

from Cryptodome.Hash import TurboSHAKE128

from contributions.errors import Malformed
from contributions.prio3.field import Field

SEED_BYTES = 32
"""Size of a seed. Source: draft-irtf-cfrg-vdaf section 6.2.1."""

VERSION = 18
"""First byte of every domain separation tag; the draft's wire version. Source: section 1.1."""

_ALGORITHM_CLASS = 0
"""VDAF, as opposed to an IDPF. Source: section 6.2.3."""
_MAX_DST_BYTES = 65_535
_DOMAIN = 1


def domain_separation_tag(*, algorithm_id: int, usage: int, ctx: bytes) -> bytes:
    """Return the tag of one use of one algorithm in one application context (section 6.2.3)."""
    return (
        bytes((VERSION, _ALGORITHM_CLASS))
        + algorithm_id.to_bytes(4, "big")
        + usage.to_bytes(2, "big")
        + ctx
    )


def xof_stream(seed: bytes, *, dst: bytes, binder: bytes) -> Callable[[int], bytes]:
    """Return a function that yields the next so many bytes of the stream.

    `seed` has 0 to 255 bytes, `dst` at most 65 535; raises `Malformed`.
    """
    if len(seed) > 255 or len(dst) > _MAX_DST_BYTES:
        raise Malformed("expected a seed of at most 255 bytes and a tag of at most 65535")
    message = b"".join((len(dst).to_bytes(2, "little"), dst, bytes((len(seed),)), seed, binder))
    read: Callable[[int], bytes] = TurboSHAKE128.new(domain=_DOMAIN, data=message).read
    return read


def derive_seed(seed: bytes, *, dst: bytes, binder: bytes) -> bytes:
    """Derive a seed of `SEED_BYTES` from another (section 6.2)."""
    return xof_stream(seed, dst=dst, binder=binder)(SEED_BYTES)


@dataclass(frozen=True, slots=True)
class Expansion:
    """A stream that gives `length` uniform field elements (section 6.2)."""

    field: Field
    read: Callable[[int], bytes]
    length: int

    def elements(self) -> list[int]:
        """Read the elements, skipping what is not below the modulus.

        Both moduli fill their bytes, so that the draft's masking by a power of two is void.
        """
        size, vector = self.field.element_bytes, list[int]()
        while len(vector) < self.length:
            fresh = self.field.integers(self.read((self.length - len(vector)) * size))
            vector += [element for element in fresh if element < self.field.modulus]
        return vector

    def unchecked(self) -> bytes:
        """Read as many bytes: the encoded elements, unless one of them is not below the modulus.

        That happens once in 2^32 elements of Field64, in 2^59 of Field128; the caller checks.
        """
        return self.read(self.length * self.field.element_bytes)
