"""Sets of reports that must agree, and totals that must be exact."""

import hashlib
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contributions.collection import (
    MAX_REPORTS,
    ReportSet,
    add_noise,
    centred,
    commitment,
    expect_same_reports,
    totals,
)
from contributions.errors import Malformed, ReportSetMismatch, TotalsRefused
from contributions.prio3.field import FIELD128

P = FIELD128.modulus
IDS = [f"{number:032x}" for number in range(5)]


def test_checksum_is_the_xor_of_the_hashes() -> None:
    first, second = (hashlib.sha256(bytes.fromhex(one)).digest() for one in IDS[:2])
    expected = bytes(a ^ b for a, b in zip(first, second, strict=True)).hex()
    assert ReportSet.of(IDS[:2]) == ReportSet(count=2, checksum=expected)


def test_order_does_not_matter() -> None:
    assert ReportSet.of(IDS) == ReportSet.of(reversed(IDS))


def test_no_reports_have_a_checksum_of_zeros() -> None:
    assert ReportSet.of([]) == ReportSet(count=0, checksum="00" * 32)


def test_chunks_merge_into_the_whole() -> None:
    assert ReportSet.of(IDS[:2]).merge(ReportSet.of(IDS[2:])) == ReportSet.of(IDS)


@pytest.mark.parametrize(
    "ids", [[*IDS, IDS[0]], ["00"], ["0" * 31 + "G"]], ids=["twice", "short", "not hexadecimal"]
)
def test_ids_that_are_no_set_are_malformed(ids: list[str]) -> None:
    with pytest.raises(Malformed):
        ReportSet.of(ids)


@pytest.mark.parametrize("count", [-1, MAX_REPORTS + 1])
def test_count_is_bounded(count: int) -> None:
    with pytest.raises(Malformed):
        ReportSet(count=count, checksum="00" * 32)


def test_the_same_large_enough_set_is_accepted() -> None:
    expect_same_reports(ReportSet.of(IDS), ReportSet.of(IDS), min_batch_size=5)


@pytest.mark.parametrize(
    "other",
    [
        ReportSet.of(IDS[:4]),
        ReportSet.of([*IDS[:4], "f" * 32]),
        replace(ReportSet.of(IDS), count=6),
    ],
    ids=["one fewer", "one other", "count changed"],
)
def test_another_set_is_refused(other: ReportSet) -> None:
    with pytest.raises(ReportSetMismatch):
        expect_same_reports(ReportSet.of(IDS), other, min_batch_size=1)


def test_set_below_the_minimum_is_refused() -> None:
    with pytest.raises(ReportSetMismatch):
        expect_same_reports(ReportSet.of(IDS), ReportSet.of(IDS), min_batch_size=6)


@given(
    sums=st.lists(st.integers(0, 10**12), min_size=1, max_size=4),
    seed=st.integers(0, 2**32),
    keepers=st.integers(1, 3),
)
def test_totals_are_the_exact_sum_and_every_noise(sums: list[int], seed: int, keepers: int) -> None:
    draw = random.Random(seed)
    shares = [[draw.randrange(P) for _ in sums] for _ in range(keepers - 1)]
    last = [(value - sum(column)) % P for value, *column in zip(sums, *shares, strict=True)]
    noises = [[draw.randint(-(10**13), 10**13) for _ in sums] for _ in range(keepers)]
    noised = [add_noise(share, noise) for share, noise in zip([*shares, last], noises, strict=True)]
    expected = tuple(sum(column) for column in zip(sums, *noises, strict=True))
    assert totals(noised, largest=10**14) == expected


def test_noised_share_alone_stays_in_the_field() -> None:
    assert add_noise([0, P - 1], [-1, 1]) == (P - 1, 0)


@pytest.mark.parametrize(
    ("element", "value"),
    [(0, 0), (1, 1), (P - 1, -1), (P // 2, P // 2), (P // 2 + 1, -(P // 2))],
)
def test_elements_are_read_around_zero(element: int, value: int) -> None:
    assert centred(element) == value


@pytest.mark.parametrize("total", [1001, -1001])
def test_total_that_no_reports_give_is_refused(total: int) -> None:
    with pytest.raises(TotalsRefused):
        totals([[5], [(total - 5) % P]], largest=1000)


def test_total_at_the_bound_is_accepted() -> None:
    assert totals([[P - 1000], [0]], largest=1000) == (-1000,)


def test_shares_of_different_batches_are_refused() -> None:
    draw = random.Random(3)
    with pytest.raises(TotalsRefused):
        totals([[draw.randrange(P)], [draw.randrange(P)]], largest=10**18)


@pytest.mark.parametrize(
    "shares", [[], [[1, 2], [3]], [[P], [0]], [[-1], [0]]], ids=["none", "lengths", "p", "negative"]
)
def test_shares_outside_the_field_are_malformed(shares: list[list[int]]) -> None:
    with pytest.raises(Malformed):
        totals(shares, largest=10)


@pytest.mark.parametrize(("share", "noise"), [([1], [1, 2]), ([P], [0]), ([-1], [0])])
def test_noise_that_does_not_fit_a_share_is_malformed(share: list[int], noise: list[int]) -> None:
    with pytest.raises(Malformed):
        add_noise(share, noise)


@pytest.mark.parametrize("largest", [0, P // 2 + 1])
def test_bound_outside_the_field_is_malformed(largest: int) -> None:
    with pytest.raises(Malformed):
        totals([[0], [0]], largest=largest)


def test_a_commitment_changes_with_any_share_of_any_bucket() -> None:
    shares = {None: (1, 2), "A": (3, 4), "B": (5, 6)}
    changed = [
        {**shares, None: (2, 1)},
        {**shares, "B": (5, 7)},
        {None: (1, 2), "A": (3, 4)},
        {None: (1, 2), "A": (5, 6), "B": (3, 4)},
        {None: (1, 2), "AB": (3, 4), "C": (5, 6)},
    ]
    said = [commitment(each) for each in (shares, *changed)]
    assert len(set(said)) == len(said)


def test_a_commitment_tells_where_a_zone_s_name_ends() -> None:
    """The same bytes, cut elsewhere: a code that is the first element of another zone's share."""
    text = "abcdefghijklmnop"
    element = int.from_bytes(text.encode(), "little")
    assert element < FIELD128.modulus
    assert commitment({"A": (element, 7)}) != commitment({f"A{text}": (7,)})


def test_a_commitment_does_not_depend_on_the_order_of_buckets() -> None:
    assert commitment({"B": (1,), None: (2,)}) == commitment({None: (2,), "B": (1,)})
