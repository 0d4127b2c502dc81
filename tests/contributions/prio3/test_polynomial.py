"""Every operation against Horner's rule on the coefficients, which shares nothing with it."""

import random
from collections.abc import Sequence

import pytest

from contributions.prio3.field import FIELD64, FIELD128, Field, roots_of_unity
from contributions.prio3.polynomial import (
    dot,
    double,
    evaluate_at_roots,
    evaluation_weights,
    extend,
    interpolate,
    next_power_of_two,
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
def test_transform_gives_the_values_at_the_roots(field: Field, size: int) -> None:
    coefficients = _coefficients(field, size)
    assert evaluate_at_roots(field, coefficients) == _values(field, coefficients, size)


@FIELDS
@SIZES
def test_interpolation_gives_the_coefficients_back(field: Field, size: int) -> None:
    coefficients = _coefficients(field, size)
    assert interpolate(field, _values(field, coefficients, size)) == coefficients


@FIELDS
@SIZES
def test_doubling_gives_the_values_at_twice_the_roots(field: Field, size: int) -> None:
    coefficients = _coefficients(field, size)
    values = _values(field, coefficients, size)
    assert double(field, values) == _values(field, coefficients, 2 * size)


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
