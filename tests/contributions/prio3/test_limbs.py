"""Limb arithmetic against Python's integers, at the edges of every bound that it states."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contributions.prio3.field import FIELD128
from contributions.prio3.limbs import (
    MAX_TERMS,
    Limbs,
    canonical,
    columns,
    constants,
    from_bytes,
    is_zero,
    multiply,
    out_of_range,
    reduce_columns,
    to_bytes,
    widen,
)

P = FIELD128.modulus
LOOSE = 2**26 + 2**17
EDGES = [0, 1, 2, P - 1, P - 2, 2**64, 2**66 - 1, 2**127, 2**128 - 7 * 2**66]
ELEMENTS = st.one_of(st.sampled_from(EDGES), st.integers(0, P - 1))
VECTORS = st.lists(ELEMENTS, min_size=1, max_size=4)


def _integer(rows: Limbs) -> int:
    return sum(int(row) << (26 * index) for index, row in enumerate(rows))


def _integers(limbs: Limbs) -> list[int]:
    return FIELD128.decode(to_bytes(limbs), length=limbs.shape[1] * limbs.shape[2])


@given(vector=VECTORS)
def test_bytes_survive_limbs_in_either_shape(vector: Sequence[int]) -> None:
    encoded = FIELD128.encode(vector)
    assert to_bytes(from_bytes(encoded, reports=1)) == encoded
    assert to_bytes(from_bytes(encoded, reports=len(vector))) == encoded


def test_reports_lie_one_after_the_other_in_bytes() -> None:
    limbs = from_bytes(FIELD128.encode([1, 2, 3, 4, 5, 6]), reports=2)
    assert limbs[0].tolist() == [[1, 4], [2, 5], [3, 6]]


@given(pairs=st.lists(st.tuples(ELEMENTS, ELEMENTS), min_size=1, max_size=4))
def test_products_and_differences_are_those_of_integers(pairs: list[tuple[int, int]]) -> None:
    left, right = (constants(side) for side in zip(*pairs, strict=True))
    product = multiply(left, right)
    assert _integers(product) == [x * y % P for x, y in pairs]
    assert _integers(multiply(product - left, right - left)) == [
        (x * y - x) * (y - x) % P for x, y in pairs
    ]


@given(rows=st.lists(st.sampled_from([0, 1, -1, LOOSE, -LOOSE]), min_size=5, max_size=5))
def test_canonical_form_is_the_residue(rows: list[int]) -> None:
    loose = np.array(rows, dtype=np.int64)[:, None, None]
    form = canonical(loose)
    assert _integer(form[:, 0, 0]) == _integer(loose[:, 0, 0]) % P
    assert 0 <= form.min() <= form.max() < 2**26


@pytest.mark.parametrize("sign", [1, -1])
def test_fullest_sum_of_products_neither_overflows_nor_stays_large(sign: int) -> None:
    left = np.full((5, MAX_TERMS, 1), LOOSE, dtype=np.int64)
    total = columns(left, sign * left).sum(axis=1)
    expected = sign * MAX_TERMS * _integer(left[:, 0, 0]) ** 2
    assert _integer(total[:, 0]) == expected
    reduced = reduce_columns(total)
    assert abs(reduced).max() <= LOOSE
    assert (_integer(reduced[:, 0]) - expected) % P == 0


@given(
    rows=st.lists(
        st.sampled_from([0, 1, -1, 2**63 - 2**39, -(2**63) + 2**39]), min_size=9, max_size=9
    )
)
def test_fullest_columns_reduce_to_a_loose_element(rows: list[int]) -> None:
    total = np.array([*rows, 0], dtype=np.int64)[:, None]
    expected = _integer(total[:, 0])
    reduced = reduce_columns(total)
    assert abs(reduced).max() <= LOOSE
    assert (_integer(reduced[:, 0]) - expected) % P == 0


def test_widened_rows_stand_for_the_same_element() -> None:
    rows = np.array([2**62 - 1, -(2**62), 5, -6, 2**61], dtype=np.int64)[:, None, None]
    assert _integers(reduce_columns(widen(rows))) == [_integer(rows[:, 0, 0]) % P]


def test_element_out_of_range_marks_its_report_alone() -> None:
    words = [1, P - 1, 2, P, 3, 4, 5, 2**128 - 1]
    data = b"".join(word.to_bytes(16, "little") for word in words)
    assert out_of_range(data, reports=4).tolist() == [False, True, False, True]


def test_zero_is_recognised_in_every_loose_form() -> None:
    modulus = constants([0])
    modulus[0] += 1
    modulus[2] -= 7 * 2**14
    modulus[4] += 2**24
    assert is_zero(modulus).item()
    assert not is_zero(modulus + constants([1])).item()
