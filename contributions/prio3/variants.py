"""The variants of Prio3 by name, with their registered identifiers.

Spec: draft-irtf-cfrg-vdaf sections 7.4 and 10; draft-ietf-ppm-l1-bound-sum sections 3 and 6.
Two-keeper tasks take `prio3_l1_bound_sum`.
"""

from collections.abc import Sequence

from contributions.prio3.number_circuits import Count, Sum
from contributions.prio3.prio3 import Prio3
from contributions.prio3.vector_circuits import Histogram, L1BoundSum, MultihotCountVec, SumVec

L1Variant = Prio3[Sequence[int], list[int]]
"""What two-keeper tasks take: vectors in, a vector out."""


def prio3_count(*, shares: int) -> Prio3[int, int]:
    """Count the reports that say one."""
    return Prio3(circuit=Count(), algorithm_id=1, shares=shares)


def prio3_sum(*, shares: int, max_measurement: int) -> Prio3[int, int]:
    """Add integers from 0 to `max_measurement`."""
    return Prio3(circuit=Sum(max_measurement=max_measurement), algorithm_id=2, shares=shares)


def prio3_sum_vec(
    *, shares: int, length: int, max_measurement: int, chunk_length: int
) -> Prio3[Sequence[int], list[int]]:
    """Add vectors of integers from 0 to `max_measurement` each."""
    circuit = SumVec(length=length, max_measurement=max_measurement, chunk_length=chunk_length)
    return Prio3(circuit=circuit, algorithm_id=3, shares=shares)


def prio3_histogram(*, shares: int, length: int, chunk_length: int) -> Prio3[int, list[int]]:
    """Count the reports that name each of `length` buckets."""
    circuit = Histogram(length=length, chunk_length=chunk_length)
    return Prio3(circuit=circuit, algorithm_id=4, shares=shares)


def prio3_multihot_count_vec(
    *, shares: int, length: int, max_weight: int, chunk_length: int
) -> Prio3[Sequence[bool], list[int]]:
    """Count the reports that say one to each of `length` questions, `max_weight` at most each."""
    circuit = MultihotCountVec(length=length, max_weight=max_weight, chunk_length=chunk_length)
    return Prio3(circuit=circuit, algorithm_id=5, shares=shares)


def prio3_l1_bound_sum(*, shares: int, length: int, max_value: int, chunk_length: int) -> L1Variant:
    """Add vectors of non-negative integers that add up to `max_value` at most each."""
    circuit = L1BoundSum(length=length, max_value=max_value, chunk_length=chunk_length)
    return Prio3(circuit=circuit, algorithm_id=7, shares=shares)
