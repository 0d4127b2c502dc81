"""Gadgets: the non-affine parts of a validity circuit, on values and on polynomials.

Spec: draft-irtf-cfrg-vdaf appendix A. A gadget is evaluated on elements by `evaluate` and on
polynomials, given by their values at roots of unity, by `evaluate_polynomials`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from contributions.prio3.field import Field
from contributions.prio3.polynomial import dot, next_power_of_two, refine


class Gadget(ABC):
    """An arithmetic circuit of `arity` inputs, one output and algebraic degree `degree`."""

    @property
    @abstractmethod
    def arity(self) -> int:
        """Number of input wires."""

    @property
    @abstractmethod
    def degree(self) -> int:
        """Degree of the polynomial that the gadget computes."""

    @abstractmethod
    def evaluate(self, field: Field, inputs: Sequence[int]) -> int:
        """Return the output on `arity` elements."""

    def evaluate_polynomials(
        self, field: Field, wires: Sequence[Sequence[int]], *, nodes: int
    ) -> list[int]:
        """Return the output's values on polynomials, at enough roots of unity to fix the output.

        Row k of `wires` has the value of each of the `arity` polynomials at the k-th of the
        `nodes`-th roots of unity; missing rows are zeros. `nodes` is a power of two.
        """
        size = next_power_of_two(self.degree * (nodes - 1) + 1)
        rows = refine(field, wires, nodes=nodes, size=size)
        return [self.evaluate(field, inputs) for inputs in rows]


@dataclass(frozen=True, slots=True)
class Mul(Gadget):
    """The product of two inputs (appendix A.1)."""

    @property
    def arity(self) -> int:
        """Two."""
        return 2

    @property
    def degree(self) -> int:
        """Two."""
        return 2

    def evaluate(self, field: Field, inputs: Sequence[int]) -> int:
        """Return the product."""
        return inputs[0] * inputs[1] % field.modulus


@dataclass(frozen=True, slots=True, kw_only=True)
class PolyEval(Gadget):
    """A fixed polynomial of one input (appendix A.2).

    `coefficients` has the constant term first and a last one that is not zero; negative
    coefficients are taken modulo the field's prime.
    """

    coefficients: tuple[int, ...]

    @property
    def arity(self) -> int:
        """One."""
        return 1

    @property
    def degree(self) -> int:
        """The polynomial's degree."""
        return len(self.coefficients) - 1

    def evaluate(self, field: Field, inputs: Sequence[int]) -> int:
        """Return the polynomial's value, by Horner's rule."""
        value = 0
        for coefficient in reversed(self.coefficients):
            value = (value * inputs[0] + coefficient) % field.modulus
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class SumOfProducts(Gadget):
    """The sum of the products of `count` consecutive pairs of inputs.

    `ParallelSum` of `Mul` in the drafts (appendices A.3 and A.1), which sum nothing else.
    """

    count: int

    @property
    def arity(self) -> int:
        """Two for each product."""
        return 2 * self.count

    @property
    def degree(self) -> int:
        """Two."""
        return 2

    def evaluate(self, field: Field, inputs: Sequence[int]) -> int:
        """Return the sum of the products."""
        return dot(inputs[::2], inputs[1::2]) % field.modulus
