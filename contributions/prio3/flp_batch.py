"""`flp.query` and `flp.decide` of `L1BoundSum` for many reports at once, in limbs.

Spec: draft-irtf-cfrg-vdaf sections 7.3.4 and 7.3.5. The same values as `flp`, in another order: a
wire's value at the random point t is one sum over the calls, and the factors of the zero-or-one
check are multiplied into its weights instead of into the measurement.

The weights at t of the W nodes of a wire and of the 2W nodes of the gadget polynomial share all
their factors but one. With A_i = 1/W · (1 + z)(1 + z²)···(1 + z^(W/2)), z = t/w^i and w the 2W-th
root, a wire weighs its k-th value by A_2k, and the polynomial its i-th by A_i · (1 ± t^W)/2, with
plus for even i. The degree of the polynomial is 2W - 2, so that its last value follows from the
others.

Arrays are (5, elements, reports); `batch` makes them and reads them.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from contributions.errors import Malformed
from contributions.prio3.field import FIELD128, roots_of_unity
from contributions.prio3.limbs import (
    MAX_TERMS,
    Limbs,
    columns,
    constants,
    is_zero,
    multiply,
    reduce_columns,
    widen,
)
from contributions.prio3.polynomial import extension
from contributions.prio3.range_check import weights
from contributions.prio3.vector_circuits import L1BoundSum

MAX_NORM_SUM = 2**35
"""Largest (length + 1) · max_value: times a row of 26 bits, a sum still fits 63 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointTest:
    """A circuit small enough for sums of its products to fit; raises `Malformed` otherwise."""

    circuit: L1BoundSum
    shares: int

    def __post_init__(self) -> None:
        """Check the bounds that `limbs` states."""
        circuit = self.circuit
        if (
            2 * circuit.wire_length > MAX_TERMS
            or circuit.chunk_length > MAX_TERMS
            or (circuit.length + 1) * circuit.max_value > MAX_NORM_SUM
        ):
            raise Malformed("expected a smaller circuit; check its reports one by one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Queried:
    """Shares of verifier messages and of outputs; `on_node` where the query is to be refused."""

    verifier: Limbs
    out_share: Limbs
    on_node: NDArray[np.bool_]


def query_each(
    test: PointTest, measurement: Limbs, proof: Limbs, *, joint_rand: Limbs, query_rand: Limbs
) -> Queried:
    """Return each report's query, as `flp.query`, and its output share, as `truncate`."""
    circuit = test.circuit
    arity, calls = circuit.gadget.arity, circuit.gadget_calls
    seeds, values = proof[:, :arity], proof[:, arity:]
    point = _Point.at(query_rand[:, 2], circuit.wire_length)
    coordinates = _coordinates(circuit, measurement)
    norm_check = coordinates[:, :-1].sum(axis=1) - coordinates[:, -1]
    zeros_and_ones = values[:, 2 : 2 * calls + 1 : 2].sum(axis=1)
    reduced = reduce_columns(
        columns(query_rand[:, 0], reduce_columns(widen(zeros_and_ones)))
        + columns(query_rand[:, 1], reduce_columns(widen(norm_check)))
    )
    wires = _wires_at(test, point, seeds, measurement, joint_rand)
    polynomial = _polynomial_at(point, values)
    return Queried(
        verifier=np.concatenate([reduced[:, None], wires, polynomial[:, None]], axis=1),
        out_share=reduce_columns(widen(coordinates[:, :-1])),
        on_node=is_zero(point.to_wire_length - constants([1])[:, 0]),
    )


def decide_each(verifier: Limbs) -> NDArray[np.bool_]:
    """Return whether each whole verifier message, loose, is that of a valid measurement."""
    left, right = verifier[:, 1:-1:2], verifier[:, 2:-1:2]
    difference = columns(left, right).sum(axis=1) - widen(verifier[:, -1])
    return is_zero(verifier[:, 0]) & is_zero(reduce_columns(difference))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """A random point of each report: A_i at the 2W nodes, and t^W."""

    weights: Limbs
    to_wire_length: Limbs

    @classmethod
    def at(cls, point: Limbs, wire_length: int) -> "_Point":
        """Weigh the nodes at the points: shape (5, reports) in, (5, 2W, reports) kept."""
        turns, scale = _turns(wire_length)
        squares = [point]
        for _ in turns:
            squares.append(multiply(squares[-1], squares[-1]))
        product = scale
        # The factor of z^(2^k) repeats with period 2W/2^k; its second half negates the turn.
        for turn, square in zip(reversed(turns), reversed(squares[:-1]), strict=True):
            half = multiply(square[:, None], turn)
            factors = np.concatenate([half, -half], axis=1)
            factors[0] += 1
            repeated = product if product is scale else np.concatenate([product, product], axis=1)
            product = multiply(repeated, factors)
        return cls(weights=product, to_wire_length=squares[-1])


@lru_cache(maxsize=16)
def _turns(wire_length: int) -> tuple[tuple[Limbs, ...], Limbs]:
    """Return, for each k, the first half of the powers of w^(-2^k); and 1/W."""
    turns = []
    period = 2 * wire_length
    while period > 2:
        roots = roots_of_unity(FIELD128, period)
        turns.append(constants([roots[-i] for i in range(period // 2)]))
        period //= 2
    return tuple(turns), constants([FIELD128.inverse(wire_length)])


def _wires_at(
    test: PointTest, point: _Point, seeds: Limbs, measurement: Limbs, joint_rand: Limbs
) -> Limbs:
    """Return every wire's value at the point: its seed's part and the sum over the calls.

    Wire 2j of a call takes r^(j+1) x, wire 2j + 1 takes x - 1/shares, x being its j-th element.
    """
    circuit, calls = test.circuit, test.circuit.gadget_calls
    chunks = _chunks(circuit, measurement)
    at_seed = point.weights[:, :1]
    at_calls = point.weights[:, 2 : 2 * calls + 1 : 2]
    total = columns(at_seed, seeds)
    one = constants([FIELD128.modulus - FIELD128.inverse(test.shares)])
    total[:, 1::2] += columns(at_calls.sum(axis=1)[:, None], one)
    factor = at_calls
    for place in range(circuit.chunk_length):
        elements = chunks[:, :, place]
        factor = multiply(factor, joint_rand)
        total[:, 2 * place] += columns(factor, elements).sum(axis=1)
        total[:, 2 * place + 1] += columns(at_calls, elements).sum(axis=1)
    return reduce_columns(total)


def _polynomial_at(point: _Point, values: Limbs) -> Limbs:
    """Return the gadget polynomial's value at the point from its first 2W - 1 values."""
    known = values.shape[1]
    (row,) = extension(FIELD128, known, known + 1)
    last = reduce_columns(columns(values, constants(row)).sum(axis=1))
    even = columns(values[:, ::2], point.weights[:, ::2]).sum(axis=1)
    odd = columns(values[:, 1::2], point.weights[:, 1:-1:2]).sum(axis=1)
    odd += columns(last, point.weights[:, -1])
    at_even, at_odd = reduce_columns(even), reduce_columns(odd)
    doubled = columns(point.to_wire_length, at_even - at_odd) + widen(at_even + at_odd)
    return multiply(reduce_columns(doubled), constants([FIELD128.inverse(2)])[:, 0])


def _coordinates(circuit: L1BoundSum, measurement: Limbs) -> Limbs:
    """Return the coordinates and the written sum, not reduced: rows of 61 bits at most."""
    bits = weights(circuit.max_value)
    runs = measurement.reshape(len(measurement), circuit.length + 1, len(bits), -1)
    decoded: Limbs = np.einsum("kcbn,b->kcn", runs, np.array(bits, dtype=np.int64))
    return decoded


def _chunks(circuit: L1BoundSum, measurement: Limbs) -> Limbs:
    """Return the measurement by calls and places, with zeros at the end of the last call."""
    padding = circuit.gadget_calls * circuit.chunk_length - circuit.encoded_length
    padded = np.pad(measurement, ((0, 0), (0, padding), (0, 0)))
    return padded.reshape(len(measurement), circuit.gadget_calls, circuit.chunk_length, -1)
