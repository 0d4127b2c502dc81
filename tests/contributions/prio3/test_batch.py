"""The batch against the scalar path, which the published vectors hold: equal, refusals included."""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from contributions.errors import ContributionsError, Malformed, ProofRefused
from contributions.prio3 import batch, limbs
from contributions.prio3.batch import ReportShare, verifier_messages, verify_init_batch
from contributions.prio3.field import FIELD128, roots_of_unity
from contributions.prio3.flp_batch import PointTest, query_each
from contributions.prio3.prio3 import Prio3, Sharded, Verification
from contributions.prio3.variants import prio3_l1_bound_sum, prio3_sum_vec
from contributions.prio3.vector_circuits import L1BoundSum

Variant = Prio3[Sequence[int], list[int]]
Maker = Callable[..., list[tuple[bytes, Sharded]]]
ShareOf = Callable[..., ReportShare]

CTX = bytes(range(32))
VERIFY_KEY = bytes(range(100, 132))


def _alone(vdaf: Variant, report: ReportShare, keeper: int) -> Verification | ContributionsError:
    try:
        return vdaf.verify_init(
            verify_key=VERIFY_KEY,
            ctx=CTX,
            keeper=keeper,
            nonce=report.nonce,
            public_share=report.public_share,
            input_share=report.input_share,
        )
    except ContributionsError as refusal:
        return refusal


def _comparable(answer: object) -> object:
    return (type(answer), str(answer)) if isinstance(answer, Exception) else answer


def _batch(
    vdaf: Variant, reports: Sequence[ReportShare], keeper: int
) -> list[Verification | ContributionsError]:
    return verify_init_batch(vdaf, reports, verify_key=VERIFY_KEY, ctx=CTX, keeper=keeper)


def _messages(
    vdaf: Variant, shares: Sequence[Sequence[bytes]]
) -> tuple[list[object], list[object]]:
    """Return the batch's answers and those of the scalar path."""
    expected: list[object] = []
    for each in shares:
        try:
            expected.append(vdaf.verifier_message(each, ctx=CTX))
        except ContributionsError as refusal:
            expected.append(_comparable(refusal))
    return [_comparable(one) for one in verifier_messages(vdaf, shares, ctx=CTX)], expected


VARIANTS = [
    {"shares": 2, "length": 8, "max_value": 1000, "chunk_length": 9},
    {"shares": 3, "length": 2, "max_value": 5, "chunk_length": 3},
    {"shares": 2, "length": 1, "max_value": 1, "chunk_length": 2},
    {"shares": 2, "length": 40, "max_value": 10**6, "chunk_length": 28},
]


@pytest.mark.parametrize("parameters", VARIANTS, ids=str)
def test_batch_gives_what_each_report_gives_alone(
    make_reports: Maker, share_of: ShareOf, parameters: dict[str, int]
) -> None:
    vdaf = prio3_l1_bound_sum(**parameters)
    reports = make_reports(vdaf, 7)
    verifications = []
    for keeper in range(vdaf.shares):
        shares = [share_of(nonce, sharded, keeper) for nonce, sharded in reports]
        answers = _batch(vdaf, shares, keeper)
        assert answers == [_alone(vdaf, share, keeper) for share in shares]
        verifications.append(answers)
    combined = [
        [one.verifier_share for one in each if isinstance(one, Verification)]
        for each in zip(*verifications, strict=True)
    ]
    answers_of_batch, expected = _messages(vdaf, combined)
    assert answers_of_batch == expected
    assert all(isinstance(answer, bytes) for answer in expected)


@pytest.mark.parametrize("keeper", [0, 1])
def test_bad_reports_are_refused_in_their_place_as_alone(
    vdaf: Variant, make_reports: Maker, share_of: ShareOf, keeper: int
) -> None:
    shares = [share_of(nonce, sharded, keeper) for nonce, sharded in make_reports(vdaf, 9)]
    first, last = shares[1].input_share, shares[8].input_share
    above = b"\xff" * 16
    shares[1] = ReportShare(
        nonce=shares[1].nonce, public_share=shares[1].public_share, input_share=first[:-1]
    )
    shares[3] = ReportShare(nonce=b"", public_share=b"", input_share=shares[3].input_share)
    shares[5] = ReportShare(
        nonce=shares[5].nonce, public_share=b"", input_share=shares[5].input_share
    )
    shares[8] = ReportShare(
        nonce=shares[8].nonce, public_share=shares[8].public_share, input_share=above + last[16:]
    )
    answers = [_comparable(one) for one in _batch(vdaf, shares, keeper)]
    assert answers == [_comparable(_alone(vdaf, share, keeper)) for share in shares]
    refused = [place for place, one in enumerate(answers) if isinstance(one, tuple)]
    assert refused == ([1, 3, 5, 8] if keeper == 0 else [1, 3, 5])


def test_batch_of_bad_reports_alone_is_refused(vdaf: Variant) -> None:
    nothing = ReportShare(nonce=b"", public_share=b"", input_share=b"")
    answers = _batch(vdaf, [nothing] * 3, 0)
    assert [type(answer) for answer in answers] == [Malformed] * 3
    assert [type(one) for one in verifier_messages(vdaf, [[b""]] * 2, ctx=CTX)] == [Malformed] * 2


def test_no_reports_give_no_answers(vdaf: Variant) -> None:
    assert _batch(vdaf, [], 0) == []
    assert verifier_messages(vdaf, [], ctx=CTX) == []


def test_failing_proofs_are_refused_among_good_ones(
    vdaf: Variant, make_reports: Maker, share_of: ShareOf
) -> None:
    reports = make_reports(vdaf, 6)
    keepers = [
        _batch(vdaf, [share_of(nonce, sharded, keeper) for nonce, sharded in reports], keeper)
        for keeper in range(2)
    ]
    shares = [
        [one.verifier_share for one in pair if isinstance(one, Verification)]
        for pair in zip(*keepers, strict=True)
    ]
    shares[0][0] = bytes(16) + shares[0][0][16:]
    shares[2][1] = shares[2][1][:16] + bytes(16) + shares[2][1][32:]
    shares[3][0] = b"\xff" * 16 + shares[3][0][16:]
    shares[5] = shares[5][:1]
    answers, expected = _messages(vdaf, shares)
    assert answers == expected
    kinds = [one[0] if isinstance(one, tuple) else bytes for one in answers]
    assert kinds == [ProofRefused, bytes, ProofRefused, Malformed, bytes, Malformed]


def test_batches_meet_without_a_gap(
    vdaf: Variant, make_reports: Maker, share_of: ShareOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = [share_of(nonce, sharded, 1) for nonce, sharded in make_reports(vdaf, 8)]
    whole = _batch(vdaf, shares, 1)
    monkeypatch.setattr(batch, "BATCH_REPORTS", 3)
    assert _batch(vdaf, shares, 1) == whole


def test_test_point_on_a_node_is_marked() -> None:
    circuit = L1BoundSum(length=8, max_value=1000, chunk_length=9)
    nodes = [roots_of_unity(FIELD128, circuit.wire_length)[5], 1, 12345]
    zeros = limbs.from_bytes(bytes(3 * 16 * circuit.encoded_length), reports=3)
    queried = query_each(
        PointTest(circuit=circuit, shares=2),
        zeros,
        limbs.from_bytes(bytes(3 * 16 * circuit.proof_length), reports=3),
        joint_rand=limbs.from_bytes(bytes(3 * 16 * circuit.joint_rand_length), reports=3),
        query_rand=limbs.from_bytes(
            b"".join(FIELD128.encode([1, 1, node]) for node in nodes), reports=3
        ),
    )
    assert queried.on_node.tolist() == [True, True, False]


@pytest.mark.parametrize(
    "vdaf",
    [
        prio3_sum_vec(shares=2, length=2, max_measurement=5, chunk_length=2),
        prio3_l1_bound_sum(shares=2, length=2000, max_value=1000, chunk_length=100),
        prio3_l1_bound_sum(shares=2, length=8, max_value=2**32, chunk_length=16),
        Prio3(
            circuit=L1BoundSum(length=2, max_value=5, chunk_length=2),
            algorithm_id=7,
            shares=2,
            proofs=2,
        ),
    ],
    ids=["another circuit", "too many calls", "too large sums", "two proofs"],
)
def test_variant_that_a_batch_cannot_hold_is_malformed(vdaf: Variant) -> None:
    with pytest.raises(Malformed):
        _batch(vdaf, [], 0)


def test_keeper_or_key_that_fits_no_report_is_malformed(vdaf: Variant) -> None:
    with pytest.raises(Malformed):
        _batch(vdaf, [], 2)
    with pytest.raises(Malformed):
        verify_init_batch(vdaf, [], verify_key=b"", ctx=CTX, keeper=0)


def test_published_reports_are_reproduced_in_a_batch(reference: Path) -> None:
    path = reference / "vectors" / "vdaf" / "Prio3L1BoundSum_0.json"
    vector = json.loads(path.read_text(encoding="utf-8"))
    vdaf = prio3_l1_bound_sum(shares=2, length=10, max_value=240, chunk_length=9)
    reports, ctx = vector["reports"], bytes.fromhex(vector["ctx"])
    shares = []
    for keeper in range(2):
        answers = verify_init_batch(
            vdaf,
            [
                ReportShare(
                    nonce=bytes.fromhex(one["nonce"]),
                    public_share=bytes.fromhex(one["public_share"]),
                    input_share=bytes.fromhex(one["input_shares"][keeper]),
                )
                for one in reports
            ],
            verify_key=bytes.fromhex(vector["verify_key"]),
            ctx=ctx,
            keeper=keeper,
        )
        found = [one for one in answers if isinstance(one, Verification)]
        assert [one.verifier_share.hex() for one in found] == [
            one["verifier_shares"][0][keeper] for one in reports
        ]
        assert [FIELD128.encode(one.pending_out_share).hex() for one in found] == [
            one["out_shares"][keeper] for one in reports
        ]
        shares.append([one.verifier_share for one in found])
    messages = verifier_messages(vdaf, list(zip(*shares, strict=True)), ctx=ctx)
    assert messages == [bytes.fromhex(one["verifier_messages"][0]) for one in reports]


@pytest.mark.slow
def test_thousands_of_reports_are_as_alone(
    vdaf: Variant, make_reports: Maker, share_of: ShareOf
) -> None:
    reports = make_reports(vdaf, 3000, seed=random.Random(17).randrange(2**32))
    for keeper in range(2):
        shares = [share_of(nonce, sharded, keeper) for nonce, sharded in reports]
        assert _batch(vdaf, shares, keeper) == [_alone(vdaf, share, keeper) for share in shares]
