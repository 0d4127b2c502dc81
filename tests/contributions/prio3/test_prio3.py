"""Reports through their whole verification: honest ones add up, everything else is refused."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from contributions.errors import Malformed, ProofRefused, TotalsRefused
from contributions.prio3.field import FIELD128, roots_of_unity
from contributions.prio3.flp import prove, query
from contributions.prio3.number_circuits import Count
from contributions.prio3.prio3 import Prio3, Sharded
from contributions.prio3.range_check import encode_range_checked
from contributions.prio3.vector_circuits import L1BoundSum, SumVec

Variant = Prio3[Sequence[int], list[int]]
Maker = Callable[..., list[tuple[bytes, Sharded]]]
Check = Callable[..., list[tuple[int, ...]]]

CTX = bytes(range(32))
VERIFY_KEY = bytes(range(100, 132))


@dataclass(frozen=True, slots=True, kw_only=True)
class Forger(L1BoundSum):
    """A store that proves whatever elements it likes: `forged`, a function of the honest ones."""

    forged: Callable[[list[int]], list[int]]

    def encode(self, measurement: Sequence[int]) -> list[int]:
        return self.forged(super(Forger, self).encode(measurement))


def _flip(data: bytes, place: int) -> bytes:
    return data[:place] + bytes((data[place] ^ (1 << place % 8),)) + data[place + 1 :]


def test_checked_reports_add_up_to_the_sum_of_their_measurements(
    vdaf: Variant, check: Check
) -> None:
    draw = random.Random(5)
    measurements = [[draw.randint(0, 125) for _ in range(8)] for _ in range(12)]
    shares: list[list[tuple[int, ...]]] = [[], []]
    for measurement in measurements:
        nonce = draw.randbytes(16)
        sharded = vdaf.shard(
            measurement, ctx=CTX, nonce=nonce, rand=draw.randbytes(vdaf.rand_bytes)
        )
        for keeper, out_share in enumerate(check(vdaf, nonce, sharded)):
            shares[keeper].append(out_share)
    result = vdaf.unshard([vdaf.aggregate(each) for each in shares], reports=12)
    assert result == [sum(column) for column in zip(*measurements, strict=True)]


def test_sizes_are_those_announced(vdaf: Variant, make_reports: Maker) -> None:
    ((_, sharded),) = make_reports(vdaf, 1)
    assert len(sharded.public_share) == vdaf.public_share_bytes == 64
    assert [len(share) for share in sharded.input_shares] == [
        vdaf.input_share_bytes(keeper) for keeper in range(2)
    ]
    assert vdaf.input_share_bytes(0) == 2256
    assert vdaf.verifier_share_bytes == 352


def test_every_changed_byte_of_a_report_is_refused(
    vdaf: Variant, make_reports: Maker, check: Check
) -> None:
    ((nonce, sharded),) = make_reports(vdaf, 1)
    leader, helper = sharded.input_shares
    changed = [
        replace(sharded, input_shares=(_flip(leader, i), helper)) for i in range(len(leader))
    ]
    changed += [replace(sharded, input_shares=(leader, _flip(helper, i))) for i in range(64)]
    changed += [replace(sharded, public_share=_flip(sharded.public_share, i)) for i in range(64)]
    assert len(changed) == 2256 + 64 + 64
    for report in changed:
        with pytest.raises((ProofRefused, Malformed)):
            check(vdaf, nonce, report)


def test_every_changed_byte_of_a_verifier_share_or_message_is_refused(
    vdaf: Variant, make_reports: Maker
) -> None:
    ((nonce, sharded),) = make_reports(vdaf, 1)
    first, second = (
        vdaf.verify_init(
            verify_key=VERIFY_KEY,
            ctx=CTX,
            keeper=keeper,
            nonce=nonce,
            public_share=sharded.public_share,
            input_share=share,
        )
        for keeper, share in enumerate(sharded.input_shares)
    )
    message = vdaf.verifier_message([first.verifier_share, second.verifier_share], ctx=CTX)
    for place in range(vdaf.verifier_share_bytes):
        shares = [_flip(first.verifier_share, place), second.verifier_share]
        with pytest.raises((ProofRefused, Malformed)):
            vdaf.verify_next(first, vdaf.verifier_message(shares, ctx=CTX))
    for place in range(len(message)):
        with pytest.raises(ProofRefused):
            vdaf.verify_next(second, _flip(message, place))


@pytest.mark.parametrize(
    "forged",
    [
        lambda bits: [10**6, *bits[1:]],
        lambda bits: [FIELD128.modulus - 1, *bits[1:]],
        lambda bits: [1 - bits[0], *bits[1:]],
        lambda bits: encode_range_checked(1000, 1000) * 2 + bits[20:],
        lambda bits: [*bits[:-10], *encode_range_checked(999, 1000)],
        lambda bits: [*bits[:-1], 2],
    ],
    ids=["huge bit", "negative bit", "a unit more", "twice the cap", "norm denied", "norm doubled"],
)
def test_forged_measurement_with_an_honest_proof_of_it_is_refused(
    vdaf: Variant, check: Check, forged: Callable[[list[int]], list[int]]
) -> None:
    forger = Forger(length=8, max_value=1000, chunk_length=9, forged=forged)
    draw = random.Random(11)
    nonce = draw.randbytes(16)
    sharded = replace(vdaf, circuit=forger).shard(
        [5, 0, 0, 300, 0, 0, 7, 1], ctx=CTX, nonce=nonce, rand=draw.randbytes(128)
    )
    with pytest.raises(ProofRefused):
        check(vdaf, nonce, sharded)


@pytest.mark.parametrize(
    "change",
    [{"ctx": bytes(32)}, {"nonce": bytes(16)}],
    ids=["another task", "another report id"],
)
def test_report_moved_elsewhere_is_refused(
    vdaf: Variant, make_reports: Maker, check: Check, change: dict[str, bytes]
) -> None:
    ((nonce, sharded),) = make_reports(vdaf, 1)
    with pytest.raises(ProofRefused):
        check(vdaf, **({"nonce": nonce, "sharded": sharded} | change))


def test_proof_of_another_report_is_refused(
    vdaf: Variant, make_reports: Maker, check: Check
) -> None:
    (nonce, first), (_, second) = make_reports(vdaf, 2)
    split = vdaf.circuit.encoded_length * 16
    mixed = first.input_shares[0][:split] + second.input_shares[0][split:]
    with pytest.raises(ProofRefused):
        check(vdaf, nonce, replace(first, input_shares=(mixed, first.input_shares[1])))


@pytest.mark.parametrize("change", [-16, -1, 1, 16])
@pytest.mark.parametrize("keeper", [0, 1])
def test_share_of_another_size_is_malformed(
    vdaf: Variant, make_reports: Maker, check: Check, keeper: int, change: int
) -> None:
    ((nonce, sharded),) = make_reports(vdaf, 1)
    shares = list(sharded.input_shares)
    shares[keeper] = (shares[keeper] + bytes(16))[: len(shares[keeper]) + change]
    with pytest.raises(Malformed):
        check(vdaf, nonce, replace(sharded, input_shares=tuple(shares)))


def test_swapped_shares_are_malformed(vdaf: Variant, make_reports: Maker, check: Check) -> None:
    ((nonce, sharded),) = make_reports(vdaf, 1)
    swapped = replace(sharded, input_shares=sharded.input_shares[::-1])
    with pytest.raises(Malformed):
        check(vdaf, nonce, swapped)


@pytest.mark.parametrize(
    "change",
    [{"nonce": bytes(15)}, {"rand": bytes(127)}, {"ctx": bytes(65_528)}],
    ids=["nonce", "rand", "ctx"],
)
def test_sharding_with_another_size_is_malformed(vdaf: Variant, change: dict[str, bytes]) -> None:
    arguments = {"ctx": CTX, "nonce": bytes(16), "rand": bytes(128)} | change
    with pytest.raises(Malformed):
        vdaf.shard([0] * 8, **arguments)


@pytest.mark.parametrize(
    "change",
    [{"verify_key": bytes(31)}, {"nonce": bytes(17)}, {"public_share": b""}, {"keeper": 2}],
    ids=["key", "nonce", "public share", "keeper"],
)
def test_verification_with_another_size_or_keeper_is_malformed(
    vdaf: Variant, make_reports: Maker, change: dict[str, Any]
) -> None:
    ((nonce, sharded),) = make_reports(vdaf, 1)
    arguments = {
        "verify_key": VERIFY_KEY,
        "ctx": CTX,
        "keeper": 0,
        "nonce": nonce,
        "public_share": sharded.public_share,
        "input_share": sharded.input_shares[0],
    }
    with pytest.raises(Malformed):
        vdaf.verify_init(**(arguments | change))


def test_a_share_too_few_is_malformed(vdaf: Variant) -> None:
    with pytest.raises(Malformed):
        vdaf.verifier_message([bytes(vdaf.verifier_share_bytes)], ctx=CTX)


def test_test_point_on_a_node_is_refused() -> None:
    circuit = L1BoundSum(length=2, max_value=5, chunk_length=3)
    encoded, joint_rand = circuit.encode([1, 2]), [3] * circuit.joint_rand_length
    proof = prove(circuit, encoded, prove_rand=[4] * 6, joint_rand=joint_rand)
    node = roots_of_unity(FIELD128, circuit.wire_length)[1]
    with pytest.raises(ProofRefused):
        query(circuit, encoded, proof, query_rand=[5, 6, node], joint_rand=joint_rand, shares=1)


def test_joint_randomness_in_the_small_field_needs_three_proofs() -> None:
    circuit = SumVec(length=2, max_measurement=3, chunk_length=2, small_field=True)
    with pytest.raises(Malformed):
        Prio3(circuit=circuit, algorithm_id=3, shares=2, proofs=2)


@pytest.mark.parametrize("shares", [0, 1, 256])
def test_number_of_shares_is_bounded(shares: int) -> None:
    with pytest.raises(Malformed):
        Prio3(circuit=Count(), algorithm_id=1, shares=shares)


def test_a_missing_aggregate_share_is_refused(vdaf: Variant, make_reports: Maker) -> None:
    ((_, sharded),) = make_reports(vdaf, 1)
    half = FIELD128.decode(sharded.input_shares[0][:128], length=8)
    with pytest.raises(TotalsRefused):
        vdaf.unshard([half], reports=1)


def test_shares_do_not_show_in_repr(vdaf: Variant, make_reports: Maker) -> None:
    ((nonce, sharded),) = make_reports(vdaf, 1)
    verification = vdaf.verify_init(
        verify_key=VERIFY_KEY,
        ctx=CTX,
        keeper=0,
        nonce=nonce,
        public_share=sharded.public_share,
        input_share=sharded.input_shares[0],
    )
    shown = repr(sharded) + repr(verification)
    assert str(verification.pending_out_share[0]) not in shown
    assert repr(sharded.input_shares[1])[2:-1] not in shown


@pytest.mark.parametrize("keeper", [0, 1])
def test_one_share_has_uniform_bytes_whatever_the_measurement(small: Variant, keeper: int) -> None:
    """χ² of the high nibble of the first share byte, 15 degrees: fails once in 10⁶ at 56.5."""
    draw = random.Random(13)
    for measurement in ([0, 0], [5, 0]):
        counts = [0] * 16
        for _ in range(1600):
            sharded = small.shard(
                measurement, ctx=CTX, nonce=draw.randbytes(16), rand=draw.randbytes(128)
            )
            counts[sharded.input_shares[keeper][15] >> 4] += 1
        assert sum((count - 100) ** 2 / 100 for count in counts) < 56.5
