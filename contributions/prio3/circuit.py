"""What a validity circuit is: a measurement's encoding, its check and its place in the sum.

Spec: draft-irtf-cfrg-vdaf section 7.3.2 (`Valid`). The draft allows several gadgets; every circuit
of both drafts has one, called several times, and this interface has one. The draft evaluates a
circuit by swapping its gadgets for recording copies; here `evaluate` receives the gadget call as
a function, which the prover, the verifier and a plain evaluation each bring.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from contributions.errors import Malformed, MeasurementRefused, TotalsRefused
from contributions.prio3.field import Field
from contributions.prio3.gadgets import Gadget
from contributions.prio3.polynomial import next_power_of_two

MAX_ENCODED_LENGTH = 65_536
"""Elements of an encoded measurement: 1 MB in Field128. Larger circuits are refused."""
MAX_UNITS = 2**32
"""Largest bound of one coordinate: with `MAX_ENCODED_LENGTH` of them, far below both moduli."""

MAX_GADGET_CALLS = 511
"""Gadget calls of a circuit: with a proof's seed, nodes of a matrix of 17 MB in Field128 at most.

Chunks as long as the root of the largest encoded length take half as many.
"""

Measurement = TypeVar("Measurement")
Result = TypeVar("Result")
GadgetCall = Callable[[Sequence[int]], int]
"""One call of the circuit's gadget: inputs of its arity, one output."""


class Circuit(ABC, Generic[Measurement, Result]):
    """An encoding of measurements into field elements, with an arithmetic check of validity.

    Vectors are lists of elements from 0 to `field.modulus - 1`. A circuit is evaluated on a whole
    measurement with `shares` = 1, or on an additive share of it with the number of shares.
    """

    @property
    @abstractmethod
    def field(self) -> Field:
        """The field of every vector of the circuit."""

    @property
    @abstractmethod
    def gadget(self) -> Gadget:
        """The one gadget that the circuit calls."""

    @property
    @abstractmethod
    def gadget_calls(self) -> int:
        """How many times it calls it."""

    @property
    @abstractmethod
    def encoded_length(self) -> int:
        """Length of an encoded measurement (MEAS_LEN)."""

    @property
    @abstractmethod
    def joint_rand_length(self) -> int:
        """Length of the joint randomness (JOINT_RAND_LEN)."""

    @property
    @abstractmethod
    def checks(self) -> int:
        """Length of the circuit's output (EVAL_OUTPUT_LEN); all zero when valid."""

    @property
    @abstractmethod
    def output_length(self) -> int:
        """Length of what is added up (OUTPUT_LEN)."""

    @property
    @abstractmethod
    def largest(self) -> int:
        """Largest value that one valid report adds to one coordinate."""

    @abstractmethod
    def encode(self, measurement: Measurement) -> list[int]:
        """Return the encoded measurement; raises `MeasurementRefused` outside the bounds."""

    @abstractmethod
    def evaluate(
        self, encoded: Sequence[int], joint_rand: Sequence[int], *, shares: int, call: GadgetCall
    ) -> list[int]:
        """Return `checks` elements (or shares of them), all zero for a valid measurement."""

    @abstractmethod
    def truncate(self, encoded: Sequence[int]) -> list[int]:
        """Return the output (share) of an encoded measurement (share)."""

    @abstractmethod
    def result(self, totals: Sequence[int]) -> Result:
        """Return the aggregate result from checked totals."""

    def decode(self, totals: Sequence[int], *, reports: int) -> Result:
        """Return the result of a sum of `reports` outputs.

        Raises `TotalsRefused` when so many reports could wrap around the modulus, or when a total
        is more than they can give: the shares are of different sets, or were changed.
        """
        bound = reports * self.largest
        if not 0 <= bound < self.field.modulus:
            raise TotalsRefused("expected fewer reports than could wrap around the modulus")
        if len(totals) != self.output_length or any(not 0 <= total <= bound for total in totals):
            raise TotalsRefused("expected totals that this many reports can give; publish nothing")
        return self.result(totals)

    @property
    def wire_length(self) -> int:
        """Number of values of a wire polynomial: room for a seed and every call."""
        return next_power_of_two(1 + self.gadget_calls)

    @property
    def gadget_polynomial_length(self) -> int:
        """Number of values that fix the gadget polynomial."""
        return self.gadget.degree * (self.wire_length - 1) + 1

    @property
    def proof_length(self) -> int:
        """Length of a proof (PROOF_LEN): wire seeds, then the gadget polynomial."""
        return self.gadget.arity + self.gadget_polynomial_length

    @property
    def verifier_length(self) -> int:
        """Length of a verifier message (VERIFIER_LEN): the output, then the gadget test."""
        return 1 + self.gadget.arity + 1

    @property
    def prove_rand_length(self) -> int:
        """Length of the prover's randomness (PROVE_RAND_LEN): one seed for each wire."""
        return self.gadget.arity

    @property
    def query_rand_length(self) -> int:
        """Length of the verifiers' randomness (QUERY_RAND_LEN)."""
        return 1 + (self.checks if self.checks > 1 else 0)


def expect_bounds(value: int, where: str, *, high: int) -> None:
    """Raise `Malformed` unless a circuit's parameter is an integer from 1 to `high`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= high:
        raise Malformed(f"expected an integer from 1 to {high} as {where} of a circuit")


def expect_units(value: int, *, high: int) -> int:
    """Return a resident's number from 0 to `high`; raises `MeasurementRefused` without it."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= high:
        raise MeasurementRefused(f"expected integers from 0 to {high} in the measurement")
    return value


def expect_vector(measurement: Sequence[int], *, length: int, high: int) -> list[int]:
    """Return a resident's vector of this length; raises `MeasurementRefused`."""
    if len(measurement) != length:
        raise MeasurementRefused(f"expected {length} numbers, saw {len(measurement)}")
    return [expect_units(value, high=high) for value in measurement]
