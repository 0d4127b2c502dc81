"""Every operation against Horner's rule on the coefficients, which shares nothing with it."""

import random
from collections.abc import Sequence

import pytest

from contributions.prio3.circuit import MAX_GADGET_CALLS
from contributions.prio3.field import FIELD64, FIELD128, Field, roots_of_unity
from contributions.prio3.polynomial import (
    dot,
    evaluation_weights,
    extend,
    next_power_of_two,
    refine,
)

FIELDS = pytest.mark.parametrize("field", [FIELD64, FIELD128], ids=["Field64", "Field128"])
SIZES = pytest.mark.parametrize("size", [1, 2, 8, 32])


def _horner(field: Field, coefficients: Sequence[int], point: int) -> int:
    value = 0
    for coefficient in reversed(coefficients):
        value = (value * point + coefficient) % field.modulus
    return value


def _coefficients(field: Field, length: int) -> list[int]:
    draw = random.Random(length)
    return [draw.randrange(field.modulus) for _ in range(length)]


def _values(field: Field, coefficients: Sequence[int], size: int) -> list[int]:
    return [_horner(field, coefficients, root) for root in roots_of_unity(field, size)]


@FIELDS
@SIZES
@pytest.mark.parametrize("finer", [1, 2, 4])
def test_refining_gives_every_polynomial_s_values_at_more_roots(
    field: Field, size: int, finer: int
) -> None:
    several = [_coefficients(field, size), [field.modulus - 1] * size, [0] * size]
    coarse = [_values(field, one, size) for one in several]
    fine = [_values(field, one, finer * size) for one in several]
    refined = refine(field, list(zip(*coarse, strict=True)), nodes=size, size=finer * size)
    assert [list(row) for row in refined] == [list(row) for row in zip(*fine, strict=True)]


def test_the_largest_elements_at_the_most_nodes_are_refined_exactly() -> None:
    largest, nodes = FIELD128.modulus - 1, MAX_GADGET_CALLS + 1
    refined = refine(FIELD128, [(largest,)] * nodes, nodes=nodes, size=2 * nodes)
    assert {value for (value,) in refined} == {largest}


def test_rows_that_are_missing_at_the_end_are_zeros() -> None:
    rows = [(value, 2) for value in _coefficients(FIELD128, 5)]
    padded = [*rows, *([(0, 0)] * 3)]
    assert refine(FIELD128, rows, nodes=8, size=16) == refine(FIELD128, padded, nodes=8, size=16)


@FIELDS
@SIZES
def test_weights_give_the_value_at_any_point(field: Field, size: int) -> None:
    coefficients = _coefficients(field, size)
    point = random.Random(7).randrange(field.modulus)
    weights = evaluation_weights(field, size, point)
    value = dot(weights, _values(field, coefficients, size)) % field.modulus
    assert value == _horner(field, coefficients, point)


def test_weights_at_a_node_pick_its_value() -> None:
    for index, root in enumerate(roots_of_unity(FIELD128, 8)):
        weights = evaluation_weights(FIELD128, 8, root)
        assert weights == [int(place == index) for place in range(8)]


@FIELDS
@pytest.mark.parametrize("known", [2, 3, 4, 7, 10, 31])
def test_missing_values_follow_from_a_low_degree(field: Field, known: int) -> None:
    coefficients, size = _coefficients(field, known), next_power_of_two(known)
    values = _values(field, coefficients, size)
    assert extend(field, values[:known], size) == values
