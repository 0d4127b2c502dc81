"""Field128 over many reports at once: five numpy integers of 26 bits for an element.

An array of shape (5, ..., n) holds elements of n reports; row k weighs 2^(26k). "Loose" elements
are congruent to what they stand for, with rows below 2^26 + 2^17 in magnitude, of either sign; only
`canonical` gives the one representation from 0 to p - 1. Every function that returns elements
returns them loose, and the difference of two of those is loose.

p = 2^128 - 7·2^66 + 1, so that 2^130 = 28·2^66 - 4 = 458752·2^52 - 4 modulo p: what lies above
row 4 folds back with one small factor two rows up and another in place. Bounds are stated where
they are used; 64-bit signed integers never overflow within them.

It is not a general big-integer library: products, sums of products and bytes, for `batch`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from contributions.prio3.field import FIELD128

Limbs = NDArray[np.int64]
"""Shape (5, ..., n) for elements, or (10, ..., n) for the columns of a product."""

MAX_TERMS = 256
"""Products of loose elements that may be added up as columns: 256 · 5 · (2^26 + 2^17)² < 2^62.4."""

_LIMBS = 5
_COLUMNS = 10
_BITS = 26
_MASK = 2**_BITS - 1
_FOLD_UP = 458_752
"""28 · 2^14: the factor of 2^52 in 2^130 modulo p."""
_FOLD_DOWN = 4
_TOP_BITS = 24
"""Bits of row 4 below 2^128."""
_TOP_UP = 7 * 2**14
"""The factor of 2^52 in 2^128 modulo p; the other term is -1."""
_HIGH, _LOW = divmod(FIELD128.modulus, 2**64)


def from_bytes(data: bytes, *, reports: int) -> Limbs:
    """Read encoded elements, report after report, into shape (5, elements, reports)."""
    low, high = _words(data, reports)
    limbs = np.empty((_LIMBS, *low.shape), dtype=np.int64)
    limbs[0] = low & _MASK
    limbs[1] = (low >> 26) & _MASK
    limbs[2] = (low >> 52) | ((high << 12) & _MASK)
    limbs[3] = (high >> 14) & _MASK
    limbs[4] = high >> 40
    return limbs


def out_of_range(data: bytes, *, reports: int) -> NDArray[np.bool_]:
    """Return for each report whether any of its encoded elements is not below p."""
    low, high = _words(data, reports)
    above: NDArray[np.bool_] = ((high > _HIGH) | ((high == _HIGH) & (low >= _LOW))).any(axis=0)
    return above


def to_bytes(limbs: Limbs) -> bytes:
    """Encode elements of shape (5, elements, reports), loose or not, report after report."""
    rows = canonical(limbs).astype(np.uint64)
    words = np.empty((*limbs.shape[:0:-1], 2), dtype="<u8")
    words[..., 0] = (rows[0] | (rows[1] << 26) | (rows[2] << 52)).T
    words[..., 1] = ((rows[2] >> 12) | (rows[3] << 14) | (rows[4] << 40)).T
    return words.tobytes()


def constants(values: Sequence[int]) -> Limbs:
    """Return elements that are the same for every report: shape (5, values, 1)."""
    return from_bytes(FIELD128.encode(values), reports=1)


def columns(left: Limbs, right: Limbs) -> Limbs:
    """Return the columns of the product of loose elements, to be added, then reduced.

    Shape (10, ...): nine columns and a row of zeros that `reduce_columns` carries into.
    """
    shape = np.broadcast_shapes(left.shape[1:], right.shape[1:])
    total = np.zeros((_COLUMNS, *shape), dtype=np.int64)
    for row in range(_LIMBS):
        total[row : row + _LIMBS] += left[row] * right
    return total


def multiply(left: Limbs, right: Limbs) -> Limbs:
    """Return the loose product of loose elements."""
    return reduce_columns(columns(left, right))


def reduce_columns(total: Limbs) -> Limbs:
    """Return the loose element of columns below 2^63 - 2^38 in magnitude, which it overwrites.

    Three times: carry from row 0 up, then fold what lies above row 4. The carried rows are from 0
    to 2^26 - 1 except the top one, below 2^37, then 2^31, then 2^24; folded, it stays below 2^57.
    """
    _carry(total, top=9)
    _fold(total, top=9)
    _carry(total, top=7)
    _fold(total, top=7)
    _carry(total, top=5)
    _fold(total, top=5)
    _carry(total, top=4)
    return total[:_LIMBS]


def widen(limbs: Limbs) -> Limbs:
    """Return rows below 2^62 in magnitude as columns, to be reduced or added to."""
    total = np.zeros((_COLUMNS, *limbs.shape[1:]), dtype=np.int64)
    total[:_LIMBS] = limbs
    return total


def canonical(limbs: Limbs) -> Limbs:
    """Return the elements with rows from 0 to 2^26 - 1 and the whole from 0 to p - 1.

    A loose element is below 2^132 in magnitude. Folding at 2^128 leaves it above -2^77 and below
    2^128 + 2^77, folding again from 0 to 2^128 - 1; then p is subtracted where it fits, that is
    where adding 2^128 - p carries.
    """
    rows = limbs.copy()
    for _ in range(2):
        _fold_top(rows, _strict_carry(rows))
    _strict_carry(rows)
    shifted = rows.copy()
    _fold_top(shifted, np.ones_like(shifted[0]))
    fits = _strict_carry(shifted)
    return np.where(fits > 0, shifted, rows)


def is_zero(limbs: Limbs) -> NDArray[np.bool_]:
    """Return where loose elements are zero modulo p."""
    zero: NDArray[np.bool_] = canonical(limbs).sum(axis=0) == 0
    return zero


def _words(data: bytes, reports: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    words = np.frombuffer(data, dtype="<u8").reshape(reports, -1, 2)
    return np.ascontiguousarray(words[..., 0].T), np.ascontiguousarray(words[..., 1].T)


def _carry(rows: Limbs, *, top: int) -> None:
    """Carry row after row up to row `top`, in place, leaving 26 bits in each below it."""
    for row in range(top):
        rows[row + 1] += rows[row] >> _BITS
        rows[row] &= _MASK


def _fold(rows: Limbs, *, top: int) -> None:
    """Fold rows 5 to `top` below them, in place: at most two rows above row 4 remain."""
    high = rows[_LIMBS : top + 1].copy()
    rows[_LIMBS : top + 1] = 0
    for index, row in enumerate(high):
        rows[index] -= row * _FOLD_DOWN
        rows[index + 2] += row * _FOLD_UP


def _strict_carry(rows: Limbs) -> Limbs:
    """Carry row after row, in place; return what is above 2^128."""
    _carry(rows, top=_LIMBS - 1)
    over: Limbs = rows[-1] >> _TOP_BITS
    rows[-1] &= 2**_TOP_BITS - 1
    return over


def _fold_top(rows: Limbs, over: Limbs) -> None:
    """Add so many times 2^128 modulo p, in place."""
    rows[0] -= over
    rows[2] += over * _TOP_UP
