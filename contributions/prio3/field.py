"""The two prime fields of Prio3 and their encoding.

Spec: draft-irtf-cfrg-vdaf section 6.1. An element is a plain `int` from 0 to `modulus - 1`;
whoever computes reduces. Vectors travel as fixed-size little-endian integers.

>>> FIELD64.encode([1, 258]).hex()
'01000000000000000201000000000000'
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from contributions.errors import Malformed


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A prime field with a multiplicative subgroup of order 2**`two_adicity`.

    `generator` generates that subgroup; `element_bytes` is the size of an encoded element.
    """

    modulus: int
    element_bytes: int
    generator: int
    two_adicity: int

    def inverse(self, element: int) -> int:
        """Return 1/element; `element` is not zero."""
        return pow(element, -1, self.modulus)

    def root(self, order: int) -> int:
        """Return the principal root of unity of this order, a power of two."""
        return pow(self.generator, (1 << self.two_adicity) // order, self.modulus)

    def encode(self, vector: Iterable[int]) -> bytes:
        """Return the elements as little-endian integers of `element_bytes` each."""
        size = self.element_bytes
        return b"".join([element.to_bytes(size, "little") for element in vector])

    def decode(self, data: bytes, *, length: int) -> list[int]:
        """Read exactly `length` elements; raises `Malformed` on another size or an overflow."""
        if len(data) != length * self.element_bytes:
            raise Malformed(f"expected {length * self.element_bytes} bytes, saw {len(data)}")
        elements = self.integers(data)
        if elements and max(elements) >= self.modulus:
            raise Malformed("expected field elements below the modulus; refuse the share")
        return elements

    def integers(self, data: bytes) -> list[int]:
        """Return the little-endian integers of whole encoded elements, whatever their value."""
        size, read = self.element_bytes, int.from_bytes
        return [read(data[at : at + size], "little") for at in range(0, len(data), size)]


FIELD64 = Field(
    modulus=2**32 * 4294967295 + 1,
    element_bytes=8,
    generator=pow(7, 4294967295, 2**32 * 4294967295 + 1),
    two_adicity=32,
)
"""Field64 of section 6.1.4: for circuits without joint randomness, or with three proofs."""

FIELD128 = Field(
    modulus=2**66 * 4611686018427387897 + 1,
    element_bytes=16,
    generator=pow(7, 4611686018427387897, 2**66 * 4611686018427387897 + 1),
    two_adicity=66,
)
"""Field128 of section 6.1.4: for circuits with joint randomness."""


@lru_cache(maxsize=64)
def roots_of_unity(field: Field, order: int) -> tuple[int, ...]:
    """Return the `order` powers of the principal root of that order, from 1 on."""
    root, powers = field.root(order), [1]
    for _ in range(order - 1):
        powers.append(powers[-1] * root % field.modulus)
    return tuple(powers)
