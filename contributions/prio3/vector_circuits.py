"""The circuits of Prio3's variants that add up vectors, checked in chunks.

Spec: draft-irtf-cfrg-vdaf sections 7.4.3 to 7.4.5, and draft-ietf-ppm-l1-bound-sum section 3 for
`L1BoundSum`. Two-keeper tasks take `L1BoundSum`; the others hold the shared parts to the
published vectors.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from contributions.errors import MeasurementRefused
from contributions.prio3.circuit import (
    MAX_ENCODED_LENGTH,
    MAX_GADGET_CALLS,
    MAX_UNITS,
    Circuit,
    GadgetCall,
    Measurement,
    expect_bounds,
    expect_units,
    expect_vector,
)
from contributions.prio3.field import FIELD64, FIELD128, Field
from contributions.prio3.gadgets import Gadget, SumOfProducts
from contributions.prio3.range_check import (
    calls_for,
    check_zeros_and_ones,
    decode_each,
    decode_range_checked,
    encode_range_checked,
)


class ChunkedCircuit(Circuit[Measurement, list[int]]):
    """A vector of zeros and ones, checked in chunks of `chunk_length`, plus what a subclass adds.

    Shared by every circuit with joint randomness (sections 7.4.3 to 7.4.5).
    """

    length: int
    chunk_length: int

    @property
    def field(self) -> Field:
        """Field128: joint randomness can be searched offline in a smaller one."""
        return FIELD128

    @property
    def gadget(self) -> Gadget:
        """A sum of products, one for each element of a chunk."""
        return SumOfProducts(count=self.chunk_length)

    @property
    def gadget_calls(self) -> int:
        """One for each chunk."""
        return calls_for(self.encoded_length, self.chunk_length)

    @property
    def joint_rand_length(self) -> int:
        """One element for each chunk."""
        return self.gadget_calls

    @property
    def checks(self) -> int:
        """The chunks' check and one more."""
        return 2

    @property
    def output_length(self) -> int:
        """One total for each coordinate."""
        return self.length

    def evaluate(
        self, encoded: Sequence[int], joint_rand: Sequence[int], *, shares: int, call: GadgetCall
    ) -> list[int]:
        """Return the chunks' check, then the subclass's linear ones."""
        zeros_and_ones = check_zeros_and_ones(
            self.field,
            encoded,
            joint_rand,
            chunk_length=self.chunk_length,
            shares=shares,
            call=call,
        )
        return [zeros_and_ones, *self.linear_checks(encoded, shares=shares)]

    @abstractmethod
    def linear_checks(self, encoded: Sequence[int], *, shares: int) -> list[int]:
        """Return (shares of) the checks that need no gadget, `checks` - 1 of them."""

    def result(self, totals: Sequence[int]) -> list[int]:
        """Return the totals."""
        return list(totals)

    def check_parameters(self) -> None:
        """Raise `Malformed` when the circuit is larger than this implementation serves."""
        expect_bounds(self.length, "length", high=MAX_ENCODED_LENGTH)
        expect_bounds(self.encoded_length, "encoded length", high=MAX_ENCODED_LENGTH)
        expect_bounds(self.chunk_length, "chunk_length", high=self.encoded_length)
        expect_bounds(self.gadget_calls, "number of chunks", high=MAX_GADGET_CALLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class SumVec(ChunkedCircuit[Sequence[int]]):
    """A sum of vectors of integers from 0 to `max_measurement` each (section 7.4.3).

    `small_field` takes Field64, which then needs three proofs.
    """

    length: int
    max_measurement: int
    chunk_length: int
    small_field: bool = False

    def __post_init__(self) -> None:
        """Raise `Malformed` outside the bounds."""
        expect_bounds(self.max_measurement, "max_measurement", high=MAX_UNITS)
        self.check_parameters()

    @property
    def field(self) -> Field:
        """Field128, or Field64."""
        return FIELD64 if self.small_field else FIELD128

    @property
    def encoded_length(self) -> int:
        """The bits of every coordinate."""
        return self.length * self.max_measurement.bit_length()

    @property
    def checks(self) -> int:
        """The chunks' check alone."""
        return 1

    @property
    def largest(self) -> int:
        """The largest coordinate."""
        return self.max_measurement

    def encode(self, measurement: Sequence[int]) -> list[int]:
        """Return the bits of every coordinate."""
        values = expect_vector(measurement, length=self.length, high=self.max_measurement)
        return _bits(values, self.max_measurement)

    def linear_checks(self, encoded: Sequence[int], *, shares: int) -> list[int]:
        """Return none."""
        del encoded, shares
        return []

    def truncate(self, encoded: Sequence[int]) -> list[int]:
        """Return the coordinates."""
        return decode_each(self.field, encoded, self.max_measurement)


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram(ChunkedCircuit[int]):
    """How many reports name each of `length` buckets (section 7.4.4): one bucket a report."""

    length: int
    chunk_length: int

    def __post_init__(self) -> None:
        """Raise `Malformed` outside the bounds."""
        self.check_parameters()

    @property
    def encoded_length(self) -> int:
        """One element for each bucket."""
        return self.length

    @property
    def largest(self) -> int:
        """One."""
        return 1

    def encode(self, measurement: int) -> list[int]:
        """Return a one in the bucket's place among zeros."""
        bucket = expect_units(measurement, high=self.length - 1)
        return [int(place == bucket) for place in range(self.length)]

    def linear_checks(self, encoded: Sequence[int], *, shares: int) -> list[int]:
        """Return the sum of the elements minus one."""
        return [(sum(encoded) - self.field.inverse(shares)) % self.field.modulus]

    def truncate(self, encoded: Sequence[int]) -> list[int]:
        """Return the elements themselves."""
        return list(encoded)


@dataclass(frozen=True, slots=True, kw_only=True)
class MultihotCountVec(ChunkedCircuit[Sequence[bool]]):
    """How many reports say one to each of `length` questions, `max_weight` at most (7.4.5)."""

    length: int
    max_weight: int
    chunk_length: int

    def __post_init__(self) -> None:
        """Raise `Malformed` outside the bounds."""
        expect_bounds(self.length, "length", high=MAX_ENCODED_LENGTH)
        expect_bounds(self.max_weight, "max_weight", high=self.length)
        self.check_parameters()

    @property
    def encoded_length(self) -> int:
        """The answers, then the bits of their number."""
        return self.length + self.max_weight.bit_length()

    @property
    def largest(self) -> int:
        """One."""
        return 1

    def encode(self, measurement: Sequence[bool]) -> list[int]:
        """Return the answers, zeros and ones, then the bits of their number."""
        answers = expect_vector([*map(int, measurement)], length=self.length, high=1)
        weight = expect_units(sum(answers), high=self.max_weight)
        return answers + encode_range_checked(weight, self.max_weight)

    def linear_checks(self, encoded: Sequence[int], *, shares: int) -> list[int]:
        """Return the number of ones minus the number that was written; no constants."""
        del shares
        written = decode_range_checked(self.field, encoded[self.length :], self.max_weight)
        return [(sum(encoded[: self.length]) - written) % self.field.modulus]

    def truncate(self, encoded: Sequence[int]) -> list[int]:
        """Return the answers."""
        return list(encoded[: self.length])


@dataclass(frozen=True, slots=True, kw_only=True)
class L1BoundSum(ChunkedCircuit[Sequence[int]]):
    """A sum of vectors of non-negative integers whose own sum is at most `max_value`.

    That sum is a report's L1 norm, hence the sensitivity of the total: the bound that the noise
    is made for is the bound that is proved.
    """

    length: int
    max_value: int
    chunk_length: int

    def __post_init__(self) -> None:
        """Raise `Malformed` outside the bounds."""
        expect_bounds(self.max_value, "max_value", high=MAX_UNITS)
        self.check_parameters()

    @property
    def encoded_length(self) -> int:
        """The bits of every coordinate, then those of their sum."""
        return (self.length + 1) * self.max_value.bit_length()

    @property
    def largest(self) -> int:
        """The bound."""
        return self.max_value

    def encode(self, measurement: Sequence[int]) -> list[int]:
        """Return the bits of every coordinate, then those of their sum."""
        values = expect_vector(measurement, length=self.length, high=self.max_value)
        norm = sum(values)
        if norm > self.max_value:
            raise MeasurementRefused(
                f"expected coordinates that add up to {self.max_value} at most"
            )
        return _bits([*values, norm], self.max_value)

    def linear_checks(self, encoded: Sequence[int], *, shares: int) -> list[int]:
        """Return the sum of the coordinates minus the sum that was written; no constants."""
        del shares
        *coordinates, written = decode_each(self.field, encoded, self.max_value)
        return [(sum(coordinates) - written) % self.field.modulus]

    def truncate(self, encoded: Sequence[int]) -> list[int]:
        """Return the coordinates, without their sum."""
        return decode_each(self.field, encoded, self.max_value)[: self.length]


def _bits(values: Sequence[int], largest: int) -> list[int]:
    return [bit for value in values for bit in encode_range_checked(value, largest)]
