"""Gadgets: the non-affine parts of a validity circuit, on values and on polynomials.

Spec: draft-irtf-cfrg-vdaf appendix A. A gadget is evaluated on elements by `evaluate` and on
polynomials, given by their values at roots of unity, by `evaluate_polynomials`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from contributions.prio3.field import Field
from contributions.prio3.polynomial import (
    double,
    evaluate_at_roots,
    interpolate,
    next_power_of_two,
)


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

    @abstractmethod
    def evaluate_polynomials(self, field: Field, wires: Sequence[Sequence[int]]) -> list[int]:
        """Return the output's values on `arity` polynomials, each by p values, p a power of two.

        The values are at as many roots of unity as the power of two that holds the output.
        """


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

    def evaluate_polynomials(self, field: Field, wires: Sequence[Sequence[int]]) -> list[int]:
        """Return the product's values at twice as many roots of unity."""
        left, right = double(field, wires[0]), double(field, wires[1])
        return [x * y % field.modulus for x, y in zip(left, right, strict=True)]


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

    def evaluate_polynomials(self, field: Field, wires: Sequence[Sequence[int]]) -> list[int]:
        """Return the composition's values."""
        (wire,) = wires
        size = next_power_of_two(self.degree * (len(wire) - 1) + 1)
        coefficients = interpolate(field, wire)
        coefficients += [0] * (size - len(coefficients))
        return [self.evaluate(field, (x,)) for x in evaluate_at_roots(field, coefficients)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelSum(Gadget):
    """The sum of `count` copies of an inner gadget on consecutive inputs (appendix A.3)."""

    inner: Gadget
    count: int

    @property
    def arity(self) -> int:
        """The inner gadget's, `count` times."""
        return self.inner.arity * self.count

    @property
    def degree(self) -> int:
        """The inner gadget's."""
        return self.inner.degree

    def evaluate(self, field: Field, inputs: Sequence[int]) -> int:
        """Return the sum of the copies' outputs."""
        each = self.inner.arity
        parts = (
            self.inner.evaluate(field, inputs[at : at + each]) for at in range(0, len(inputs), each)
        )
        return sum(parts) % field.modulus

    def evaluate_polynomials(self, field: Field, wires: Sequence[Sequence[int]]) -> list[int]:
        """Return the sum of the copies' polynomials."""
        each = self.inner.arity
        parts = [
            self.inner.evaluate_polynomials(field, wires[at : at + each])
            for at in range(0, len(wires), each)
        ]
        return [sum(values) % field.modulus for values in zip(*parts, strict=True)]
