"""What two keepers compare at the close of a batch, and how their shares become totals.

Vocabulary: batch, report count and checksum as in draft-ietf-ppm-dap (section on collection); no
wire conformance with it is claimed. Each keeper holds an aggregate share, elements of Field128 that
say nothing alone. Before anything is combined, both hold the same set of reports: the same number
and the same XOR of SHA-256 over report ids. Each adds its own noise to its own share, once, and
only noised shares are combined: their sum, read from -p/2 to p/2, is the noised total, exactly.

It draws no noise and keeps nothing. The keepers' aggregation and release jobs use it.

>>> totals([[5, FIELD128.modulus - 3], [2, 1]], largest=10)
(7, -2)
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from contributions.errors import Malformed, ReportSetMismatch, TotalsRefused
from contributions.prio3.field import FIELD128
from contributions.wire import HEX_16_BYTES, HEX_32_BYTES, expect_integer, expect_match

MAX_REPORTS = 10**9
"""More reports than one batch ever has; keeps every total far below p/2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSet:
    """How many reports a batch has, and the XOR of SHA-256 of their ids, in hexadecimal.

    A checksum between keepers who both follow the protocol, not a commitment: whoever chooses ids
    freely can make two sets agree. Ids are distinct; the keeper refuses a second one.
    """

    count: int
    checksum: str

    def __post_init__(self) -> None:
        """Raise `Malformed` outside the bounds."""
        expect_integer(self.count, "count", low=0, high=MAX_REPORTS)
        expect_match(self.checksum, "checksum", HEX_32_BYTES)

    @classmethod
    def of(cls, report_ids: Iterable[str]) -> "ReportSet":
        """Return the set of these ids, 32 hexadecimal digits each, in any order.

        Raises `Malformed` for another form, or for the same id twice.
        """
        seen, mixed = set[str](), 0
        for report_id in report_ids:
            expect_match(report_id, "report_id", HEX_16_BYTES)
            if report_id in seen:
                raise Malformed("expected each report once; drop the second one before")
            seen.add(report_id)
            digest = hashlib.sha256(bytes.fromhex(report_id)).digest()
            mixed ^= int.from_bytes(digest, "big")
        return cls(count=len(seen), checksum=mixed.to_bytes(32, "big").hex())

    def merge(self, other: "ReportSet") -> "ReportSet":
        """Return the union with a disjoint set, for batches that are summed in chunks."""
        mixed = int(self.checksum, 16) ^ int(other.checksum, 16)
        return ReportSet(count=self.count + other.count, checksum=mixed.to_bytes(32, "big").hex())


def expect_same_reports(own: ReportSet, other: ReportSet, *, min_batch_size: int) -> None:
    """Raise `ReportSetMismatch` unless both keepers hold one set, and a large enough one.

    Each keeper calls it with its own count first; neither takes the other's word.
    """
    if own != other:
        raise ReportSetMismatch("expected both keepers to hold the same reports; combine nothing")
    if own.count < min_batch_size:
        raise ReportSetMismatch(f"expected at least {min_batch_size} reports; publish nothing")


def commitment(shares: Mapping[str | None, Sequence[int]]) -> str:
    """Return the SHA-256 by which a keeper stands for its noised shares of all of a task's buckets.

    By zone (None: the territory). Told before the other keeper's shares are known, it holds the one
    that tells it to its one draw. It hides nothing that its own noise does not hide already.
    """
    said = hashlib.sha256()
    for zone in sorted(shares, key=lambda code: code or ""):
        _expect_elements(shares[zone])
        name = (zone or "").encode("utf-8")
        said.update(bytes((len(name),)) + name + FIELD128.encode(shares[zone]))
    return said.hexdigest()


def add_noise(aggregate_share: Sequence[int], noise: Sequence[int]) -> tuple[int, ...]:
    """Return a keeper's aggregate share with its own noise, in the field.

    `noise` is one integer of either sign for each coordinate, drawn once for this batch.
    Raises `Malformed` when the lengths differ or a share is not an element of the field.
    """
    if len(noise) != len(aggregate_share):
        raise Malformed(f"expected {len(aggregate_share)} noise values, saw {len(noise)}")
    _expect_elements(aggregate_share)
    return tuple(
        (share + value) % FIELD128.modulus
        for share, value in zip(aggregate_share, noise, strict=True)
    )


def centred(element: int) -> int:
    """Return the integer from -(p-1)/2 to (p-1)/2 that an element of Field128 stands for."""
    p = FIELD128.modulus
    return element - p if element > p // 2 else element


def totals(noised_shares: Sequence[Sequence[int]], *, largest: int) -> tuple[int, ...]:
    """Combine every keeper's noised share into exact integer totals, of either sign.

    `largest` (below p/2) is what no sum with its noise exceeds in magnitude: reports · Q plus a
    bound on the noise that fails less often than the hardware. Shares of different sets, tasks or
    keys add up to a random element, which is refused but for a chance of 2 · `largest` / p.
    Raises `TotalsRefused` for that, `Malformed` for shares of different lengths or out of range.
    """
    if not noised_shares or len({len(share) for share in noised_shares}) != 1:
        raise Malformed("expected a noised share of one length from every keeper")
    expect_integer(largest, "largest", low=1, high=FIELD128.modulus // 2)
    for share in noised_shares:
        _expect_elements(share)
    combined = tuple(
        centred(sum(column) % FIELD128.modulus) for column in zip(*noised_shares, strict=True)
    )
    if any(abs(total) > largest for total in combined):
        raise TotalsRefused("expected totals that these reports can give; publish nothing")
    return combined


def _expect_elements(share: Sequence[int]) -> None:
    if any(not 0 <= element < FIELD128.modulus for element in share):
        raise Malformed("expected elements of Field128; refuse the aggregate share")
