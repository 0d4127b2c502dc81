"""The circuits of Prio3's variants that add up one number: `Count` and `Sum`.

Spec: draft-irtf-cfrg-vdaf sections 7.4.1 and 7.4.2. No task asks for them: they hold the proof
system to the published vectors without joint randomness, in the small field.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from contributions.prio3.circuit import (
    MAX_UNITS,
    Circuit,
    GadgetCall,
    expect_bounds,
    expect_units,
)
from contributions.prio3.field import FIELD64, Field
from contributions.prio3.gadgets import Gadget, Mul, PolyEval
from contributions.prio3.range_check import decode_range_checked, encode_range_checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Circuit[int, int]):
    """How many reports say one rather than zero (section 7.4.1): x·x - x is zero."""

    @property
    def field(self) -> Field:
        """Field64."""
        return FIELD64

    @property
    def gadget(self) -> Gadget:
        """A product."""
        return Mul()

    @property
    def gadget_calls(self) -> int:
        """One."""
        return 1

    @property
    def encoded_length(self) -> int:
        """One."""
        return 1

    @property
    def joint_rand_length(self) -> int:
        """None is needed."""
        return 0

    @property
    def checks(self) -> int:
        """One."""
        return 1

    @property
    def output_length(self) -> int:
        """One."""
        return 1

    @property
    def largest(self) -> int:
        """One."""
        return 1

    def encode(self, measurement: int) -> list[int]:
        """Return the number itself, zero or one."""
        return [expect_units(measurement, high=1)]

    def evaluate(
        self, encoded: Sequence[int], joint_rand: Sequence[int], *, shares: int, call: GadgetCall
    ) -> list[int]:
        """Return x·x - x; neither randomness nor constants."""
        del joint_rand, shares
        (x,) = encoded
        return [(call((x, x)) - x) % self.field.modulus]

    def truncate(self, encoded: Sequence[int]) -> list[int]:
        """Return the element itself."""
        return list(encoded)

    def result(self, totals: Sequence[int]) -> int:
        """Return the count."""
        return totals[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum(Circuit[int, int]):
    """A sum of integers from 0 to `max_measurement` (section 7.4.2): every element is a bit."""

    max_measurement: int

    def __post_init__(self) -> None:
        """Raise `Malformed` outside the bounds."""
        expect_bounds(self.max_measurement, "max_measurement", high=MAX_UNITS)

    @property
    def field(self) -> Field:
        """Field64."""
        return FIELD64

    @property
    def gadget(self) -> Gadget:
        """The polynomial x² - x."""
        return PolyEval(coefficients=(0, -1, 1))

    @property
    def gadget_calls(self) -> int:
        """One for each bit."""
        return self.encoded_length

    @property
    def encoded_length(self) -> int:
        """The number of bits of the largest measurement."""
        return self.max_measurement.bit_length()

    @property
    def joint_rand_length(self) -> int:
        """None is needed."""
        return 0

    @property
    def checks(self) -> int:
        """One for each bit."""
        return self.encoded_length

    @property
    def output_length(self) -> int:
        """One."""
        return 1

    @property
    def largest(self) -> int:
        """The largest measurement."""
        return self.max_measurement

    def encode(self, measurement: int) -> list[int]:
        """Return the bits of the number."""
        value = expect_units(measurement, high=self.max_measurement)
        return encode_range_checked(value, self.max_measurement)

    def evaluate(
        self, encoded: Sequence[int], joint_rand: Sequence[int], *, shares: int, call: GadgetCall
    ) -> list[int]:
        """Return x² - x for each element; neither randomness nor constants."""
        del joint_rand, shares
        return [call((x,)) for x in encoded]

    def truncate(self, encoded: Sequence[int]) -> list[int]:
        """Return the number of the bits."""
        return [decode_range_checked(self.field, encoded, self.max_measurement)]

    def result(self, totals: Sequence[int]) -> int:
        """Return the sum."""
        return totals[0]
