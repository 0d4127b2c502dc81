"""Circuits alone, evaluated on whole measurements: what they accept, refuse and add up."""

import random
from collections.abc import Sequence
from typing import Any

import pytest

from contributions.errors import Malformed, MeasurementRefused, TotalsRefused
from contributions.prio3.circuit import Circuit
from contributions.prio3.number_circuits import Count, Sum
from contributions.prio3.range_check import decode_range_checked, encode_range_checked, weights
from contributions.prio3.vector_circuits import Histogram, L1BoundSum, MultihotCountVec, SumVec

L1 = L1BoundSum(length=3, max_value=6, chunk_length=4)
MULTIHOT = MultihotCountVec(length=4, max_weight=2, chunk_length=3)

VALID: list[tuple[Circuit[Any, Any], Any, list[int]]] = [
    (Count(), 1, [1]),
    (Sum(max_measurement=100), 77, [77]),
    (SumVec(length=2, max_measurement=9, chunk_length=3), [9, 0], [9, 0]),
    (Histogram(length=4, chunk_length=3), 2, [0, 0, 1, 0]),
    (MULTIHOT, [True, False, True, False], [1, 0, 1, 0]),
    (L1, [1, 2, 3], [1, 2, 3]),
    (L1, [0, 0, 0], [0, 0, 0]),
    (L1, [0, 6, 0], [0, 6, 0]),
]
"""Circuit, measurement and what it adds to the totals."""


def _accepts(circuit: Circuit[Any, Any], encoded: Sequence[int]) -> bool:
    draw = random.Random(3)
    joint_rand = [draw.randrange(circuit.field.modulus) for _ in range(circuit.joint_rand_length)]
    checks = circuit.evaluate(
        encoded,
        joint_rand,
        shares=1,
        call=lambda inputs: circuit.gadget.evaluate(circuit.field, inputs),
    )
    assert len(checks) == circuit.checks
    return not any(checks)


@pytest.mark.parametrize(("circuit", "measurement", "output"), VALID)
def test_valid_measurement_is_accepted(
    circuit: Circuit[Any, Any], measurement: Any, output: list[int]
) -> None:
    encoded = circuit.encode(measurement)
    assert len(encoded) == circuit.encoded_length
    assert _accepts(circuit, encoded)
    assert circuit.truncate(encoded) == output


@pytest.mark.parametrize(("circuit", "measurement", "output"), VALID)
def test_any_element_that_is_no_bit_is_rejected(
    circuit: Circuit[Any, Any], measurement: Any, output: list[int]
) -> None:
    encoded = circuit.encode(measurement)
    for place in range(len(encoded)):
        for forged in (2, 10**6, circuit.field.modulus - 1):
            assert not _accepts(circuit, [*encoded[:place], forged, *encoded[place + 1 :]])
    assert output == circuit.truncate(encoded)


@pytest.mark.parametrize(
    ("circuit", "encoded"),
    [
        (Histogram(length=4, chunk_length=2), [0, 0, 0, 0]),
        (Histogram(length=4, chunk_length=2), [1, 0, 1, 0]),
        (MULTIHOT, [1, 1, 1, 0, 1, 1]),
        (MULTIHOT, [1, 0, 0, 0, 0, 0]),
        (L1, encode_range_checked(6, 6) * 2 + [0, 0, 0] + encode_range_checked(6, 6)),
        (L1, [1, 0, 0] + [0, 0, 0] * 3),
    ],
    ids=["none", "two buckets", "overweight", "weight denied", "norm too small", "norm denied"],
)
def test_bits_that_say_something_else_are_rejected(
    circuit: Circuit[Any, Any], encoded: list[int]
) -> None:
    assert not _accepts(circuit, encoded)


@pytest.mark.parametrize("largest", range(1, 70))
def test_bits_write_every_integer_to_the_bound_and_none_above(largest: int) -> None:
    field = Count().field
    assert sum(weights(largest)) == largest
    for value in range(largest + 1):
        bits = encode_range_checked(value, largest)
        assert len(bits) == largest.bit_length()
        assert set(bits) <= {0, 1}
        assert decode_range_checked(field, bits, largest) == value


@pytest.mark.parametrize(
    ("circuit", "measurement"),
    [
        (Count(), 2),
        (Count(), True),
        (Sum(max_measurement=9), 10),
        (Sum(max_measurement=9), -1),
        (Histogram(length=4, chunk_length=2), 4),
        (MULTIHOT, [True, True, True, False]),
        (MULTIHOT, [True]),
        (L1, [3, 3, 1]),
        (L1, [7, 0, 0]),
        (L1, [1, -1, 0]),
        (L1, [1, 1]),
        (L1, [1.0, 1, 1]),
    ],
)
def test_measurement_outside_the_bounds_is_refused_before_it_is_shared(
    circuit: Circuit[Any, Any], measurement: Any
) -> None:
    with pytest.raises(MeasurementRefused):
        circuit.encode(measurement)


@pytest.mark.parametrize(
    "parameters",
    [
        {"length": 0, "max_value": 5, "chunk_length": 1},
        {"length": 2, "max_value": 0, "chunk_length": 1},
        {"length": 2, "max_value": 2**32 + 1, "chunk_length": 1},
        {"length": 2, "max_value": 5, "chunk_length": 0},
        {"length": 2, "max_value": 5, "chunk_length": 10},
        {"length": 65_536, "max_value": 1, "chunk_length": 1},
        {"length": 2, "max_value": True, "chunk_length": 1},
    ],
)
def test_circuit_outside_the_bounds_is_refused(parameters: dict[str, int]) -> None:
    with pytest.raises(Malformed):
        L1BoundSum(**parameters)


def test_totals_of_so_many_reports_are_the_result() -> None:
    assert L1.decode([12, 0, 5], reports=2) == [12, 0, 5]


@pytest.mark.parametrize("totals", [[13, 0, 0], [-1, 0, 0], [1, 2]])
def test_totals_that_the_reports_cannot_give_are_refused(totals: list[int]) -> None:
    with pytest.raises(TotalsRefused):
        L1.decode(totals, reports=2)


def test_so_many_reports_that_totals_could_wrap_are_refused() -> None:
    with pytest.raises(TotalsRefused):
        Sum(max_measurement=2**32).decode([0], reports=2**32)
