"""Polynomials as values at roots of unity, and the number theoretic transform between forms.

Spec: draft-irtf-cfrg-vdaf sections 6.1.2 and 6.1.3. A polynomial of degree below n, n a power of
two, is the list of its values at 1, w, w², ... with w the principal n-th root of unity.

The draft evaluates such a list at a point t by a recurrence over the nodes. Here the same value
is a dot product with weights that depend on t alone, so that one computation of the weights
serves every polynomial of a proof. With z = t/w^i and n = 2^m, weight i is
1/n · (1 + z + ... + z^(n-1)) = 1/n · (1 + z)(1 + z²)(1 + z⁴)···(1 + z^(n/2)): it is 1 at w^i and
0 at every other node, and no division by t - w^i is needed.
"""

from collections.abc import Sequence
from functools import lru_cache
from operator import mul

from contributions.prio3.field import Field, roots_of_unity


def next_power_of_two(number: int) -> int:
    """Return the smallest power of two that is at least `number`, `number` positive."""
    return 1 << (number - 1).bit_length()


def evaluate_at_roots(field: Field, coefficients: Sequence[int]) -> list[int]:
    """Return the values at the n-th roots of unity from n coefficients, constant term first."""
    size = len(coefficients)
    if size == 1:
        return list(coefficients)
    p = field.modulus
    even = evaluate_at_roots(field, coefficients[::2])
    odd = evaluate_at_roots(field, coefficients[1::2])
    turned = [x * w % p for x, w in zip(odd, roots_of_unity(field, size), strict=False)]
    return [(x + y) % p for x, y in zip(even, turned, strict=True)] + [
        (x - y) % p for x, y in zip(even, turned, strict=True)
    ]


def interpolate(field: Field, values: Sequence[int]) -> list[int]:
    """Return the n coefficients from the values at the n-th roots of unity."""
    size = len(values)
    transformed = evaluate_at_roots(field, values)
    scale = field.inverse(size)
    reversed_tail = [transformed[0], *transformed[:0:-1]]
    return [x * scale % field.modulus for x in reversed_tail]


def double(field: Field, values: Sequence[int]) -> list[int]:
    """Return the values at the 2n-th roots of unity from those at the n-th."""
    turns = roots_of_unity(field, 2 * len(values))
    coefficients = interpolate(field, values)
    shifted = [c * s % field.modulus for c, s in zip(coefficients, turns, strict=False)]
    doubled = [0] * (2 * len(values))
    doubled[::2] = values
    doubled[1::2] = evaluate_at_roots(field, shifted)
    return doubled


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
    """Return the sum of products of two vectors of one length, not reduced."""
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
