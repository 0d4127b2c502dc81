"""Polynomials as values at roots of unity, and their values elsewhere.

Spec: draft-irtf-cfrg-vdaf sections 6.1.2 and 6.1.3. A polynomial of degree below n, n a power of
two, is the list of its values at 1, w, w², ... with w the principal n-th root of unity.

The draft evaluates such a list at a point t by a recurrence over the nodes. Here the same value
is a dot product with weights that depend on t alone, so that one computation of the weights
serves every polynomial of a proof. With z = t/w^i and n = 2^m, weight i is
1/n · (1 + z + ... + z^(n-1)) = 1/n · (1 + z)(1 + z²)(1 + z⁴)···(1 + z^(n/2)): it is 1 at w^i and
0 at every other node, and no division by t - w^i is needed.

The draft doubles the nodes by two transforms; with these weights it is one product of matrices for
all the wires of a proof, which numpy does eight times as fast as plain integers transform them.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from operator import mul
from typing import TYPE_CHECKING

from contributions.prio3.field import Field, roots_of_unity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DIGIT_BITS = 16


def next_power_of_two(number: int) -> int:
    """Return the smallest power of two that is at least `number`, `number` positive."""
    return 1 << (number - 1).bit_length()


def evaluation_weights(field: Field, size: int, point: int) -> list[int]:
    """Return the n weights of the module's docstring; the value at `point` is their dot product.

    Works at the nodes too, where the weights are a one and zeros.
    """
    p = field.modulus
    squares = [point]
    while 1 << len(squares) < size:
        squares.append(squares[-1] * squares[-1] % p)
    weights = [field.inverse(size)]
    # Factor k repeats with period n/2^k in i: widen the list from the last factor to the first.
    for square in reversed(squares[: size.bit_length() - 1]):
        period = 2 * len(weights)
        turns = roots_of_unity(field, period)
        factors = [1 + square * turns[-i] for i in range(period)]
        weights = [x * factor % p for x, factor in zip(weights * 2, factors, strict=True)]
    return weights


def dot(left: Sequence[int], right: Sequence[int]) -> int:
    """Return the sum of products of two vectors, not reduced; a shorter one is one with zeros."""
    return sum(map(mul, left, right))


@lru_cache(maxsize=64)
def extension(field: Field, known: int, size: int) -> tuple[tuple[int, ...], ...]:
    """Return the rows that give a polynomial's values `known` to `size` - 1 from its first ones.

    The polynomial has degree below `known`, size/2 < known ≤ size. Row k holds the values at node
    known + k of the Lagrange basis on the first `known` of the `size`-th roots of unity. Its
    weights come from those on all the nodes, which are w^i/n, by removing the missing nodes.
    """
    p, nodes = field.modulus, roots_of_unity(field, size)
    missing = nodes[known:]
    scale = field.inverse(size)
    weights = []
    for node in nodes[:known]:
        weight = node * scale % p
        for other in missing:
            weight = weight * (node - other) % p
        weights.append(weight)
    rows = []
    for target in missing:
        differences = [(target - node) % p for node in nodes[:known]]
        whole = 1
        for difference in differences:
            whole = whole * difference % p
        rows.append(
            tuple(
                whole * weight * field.inverse(difference) % p
                for weight, difference in zip(weights, differences, strict=True)
            )
        )
    return tuple(rows)


def extend(field: Field, values: Sequence[int], size: int) -> list[int]:
    """Return the values at all the `size`-th roots of unity from the first ones."""
    rows = extension(field, len(values), size)
    return [*values, *(dot(row, values) % field.modulus for row in rows)]


def refine(
    field: Field, values: Sequence[Sequence[int]], *, nodes: int, size: int
) -> list[Sequence[int]]:
    """Return several polynomials' values at the `size`-th roots from those at the `nodes`-th.

    Row k of `values`, and of the answer, has every polynomial's value at root k; the rows that
    `values` lacks are zeros. `nodes` and `size` are powers of two, `nodes` at most 512.
    """
    width = len(values[0])
    step, zeros = size // nodes, (0,) * width
    between = iter(_between(field, values, nodes, size))
    padded = [*values, *(zeros for _ in range(nodes - len(values)))]
    return [padded[root // step] if root % step == 0 else next(between) for root in range(size)]


def _between(
    field: Field, values: Sequence[Sequence[int]], nodes: int, size: int
) -> Iterator[list[int]]:
    """Yield the rows of `refine` at the roots that are no nodes: one product of matrices.

    Elements are cut into digits of 16 bits, as floats. A column adds up at most one product below
    2^32 for each digit (8 at most) and node (512 at most): below 2^44, floats hold it exactly.
    """
    import numpy as np  # noqa: PLC0415 (an idle store does without it)

    left, width = _refinement(field, nodes, size)[..., : len(values)], len(values[0])
    right = _digits(field, [x for row in values for x in row]).reshape(-1, len(values), width)
    digits = len(left)
    total = np.zeros((2 * digits + 1, left.shape[1], width))
    for digit, matrix in enumerate(left):
        total[digit : digit + digits] += matrix @ right
    columns = total.astype(np.int64)
    for column in range(2 * digits):
        columns[column + 1] += columns[column] >> _DIGIT_BITS
    # The cast keeps the lowest 16 bits of each column, which is what carrying leaves in it.
    data = np.moveaxis(columns, 0, -1).astype("<u2").tobytes()
    element_bytes = 2 * len(columns)
    row_bytes = width * element_bytes
    for start in range(0, len(data), row_bytes):
        yield [
            int.from_bytes(data[at : at + element_bytes], "little") % field.modulus
            for at in range(start, start + row_bytes, element_bytes)
        ]


@lru_cache(maxsize=8)
def _refinement(field: Field, nodes: int, size: int) -> "NDArray[np.float64]":
    """Return the digits of the matrix from values at the nodes to those at the other roots."""
    root, step = field.root(size), size // nodes
    rows = [
        evaluation_weights(field, nodes, pow(root, power, field.modulus))
        for power in range(size)
        if power % step
    ]
    return _digits(field, [x for row in rows for x in row]).reshape(-1, len(rows), nodes)


def _digits(field: Field, elements: Iterable[int]) -> "NDArray[np.float64]":
    """Return elements as digits of 16 bits, lowest first: shape (digits, elements)."""
    import numpy as np  # noqa: PLC0415 (see `_between`)

    digits = np.frombuffer(field.encode(elements), dtype="<u2")
    by_element = digits.reshape(-1, field.element_bytes * 8 // _DIGIT_BITS)
    return np.ascontiguousarray(by_element.T, dtype=np.float64)
