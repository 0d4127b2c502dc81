"""Many reports checked at once: `prio3`'s two halves of a check for `L1BoundSum`, bit for bit.

Spec: draft-irtf-cfrg-vdaf section 7.2.2. `flp_batch` does the arithmetic for hundreds of reports
in one go; the hash functions still run report by report. Whatever is not regular (a size, an
element out of range, a skipped element, a test point on a node, a proof that fails) goes to
`prio3`, whose answer, or whose error, is the answer: errors are returned in the report's place, so
that one bad report stops no other.

Two-keeper aggregation jobs use it; `benchmarks/prio3_verification.py` measures it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from contributions.errors import ContributionsError, Malformed
from contributions.prio3 import limbs
from contributions.prio3.derivation import Derivation
from contributions.prio3.field import FIELD128
from contributions.prio3.flp_batch import PointTest, decide_each, query_each
from contributions.prio3.prio3 import (
    NONCE_BYTES,
    VERIFY_KEY_BYTES,
    Verification,
    expect_size,
)
from contributions.prio3.variants import L1Variant
from contributions.prio3.vector_circuits import L1BoundSum
from contributions.prio3.xof import SEED_BYTES

BATCH_REPORTS = 512
"""Reports per numpy call: enough to forget the cost of a call, few enough for a core's cache."""

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportShare:
    """What one keeper holds of one report, as received and opened."""

    nonce: bytes
    public_share: bytes
    input_share: bytes

    def __repr__(self) -> str:
        """Hide the share."""
        return "ReportShare(<hidden>)"


def verify_init_batch(
    vdaf: L1Variant, reports: Sequence[ReportShare], *, verify_key: bytes, ctx: bytes, keeper: int
) -> list[Verification | ContributionsError]:
    """Return what `vdaf.verify_init` returns or raises for each report.

    Raises `Malformed` for another variant than `L1BoundSum` with one proof, for a circuit larger
    than `PointTest` takes, and for a key or a keeper that no report could be checked with.
    """
    expect_size(verify_key, VERIFY_KEY_BYTES, "a verification key")
    if not 0 <= keeper < vdaf.shares:
        raise Malformed(f"expected a keeper from 0 to {vdaf.shares - 1}")
    test = _point_test(vdaf)
    expand = _Expand(vdaf=vdaf, derive=vdaf.derivation(ctx), verify_key=verify_key, keeper=keeper)

    def alone(report: ReportShare) -> Verification:
        return vdaf.verify_init(
            verify_key=verify_key,
            ctx=ctx,
            keeper=keeper,
            nonce=report.nonce,
            public_share=report.public_share,
            input_share=report.input_share,
        )

    return [
        answer
        for part in _batches(reports)
        for answer in _or_alone(part, _verifications(test, [expand(one) for one in part]), alone)
    ]


def verifier_messages(
    vdaf: L1Variant, verifier_shares: Sequence[Sequence[bytes]], *, ctx: bytes
) -> list[bytes | ContributionsError]:
    """Return what `vdaf.verifier_message` returns or raises for the shares of each report.

    `verifier_shares` has, for each report, every keeper's share in their order. Raises `Malformed`
    as `verify_init_batch`.
    """
    _point_test(vdaf)
    derive = vdaf.derivation(ctx)

    def alone(shares: Sequence[bytes]) -> bytes:
        return vdaf.verifier_message(shares, ctx=ctx)

    return [
        answer
        for part in _batches(verifier_shares)
        for answer in _or_alone(part, _messages(vdaf, part, derive), alone)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expanded:
    """The bytes that one report's query is computed from; elements may still be out of range."""

    measurement: bytes
    proof: bytes
    joint_rand: bytes
    query_rand: bytes
    part: bytes
    seed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expand:
    """The hashing half of `Prio3.verify_init`, on bytes, for one keeper and one task."""

    vdaf: L1Variant
    derive: Derivation
    verify_key: bytes
    keeper: int

    def __call__(self, report: ReportShare) -> _Expanded | None:
        """Return the bytes of a report's query, or None when a size is wrong."""
        vdaf, derive, keeper = self.vdaf, self.derive, self.keeper
        sizes = (NONCE_BYTES, vdaf.public_share_bytes, vdaf.input_share_bytes(keeper))
        if (len(report.nonce), len(report.public_share), len(report.input_share)) != sizes:
            return None
        body, blind = report.input_share[:-SEED_BYTES], report.input_share[-SEED_BYTES:]
        if keeper > 0:
            measurement = derive.measurement_share(keeper, body).unchecked()
            proof = derive.proofs_share(keeper, body).unchecked()
        else:
            split = vdaf.circuit.encoded_length * FIELD128.element_bytes
            measurement, proof = body[:split], body[split:]
        part = derive.joint_rand_part(
            keeper, blind=blind, encoded_share=measurement, nonce=report.nonce
        )
        before, after = keeper * SEED_BYTES, (keeper + 1) * SEED_BYTES
        seed = derive.joint_rand_seed(
            (report.public_share[:before], part, report.public_share[after:])
        )
        return _Expanded(
            measurement=measurement,
            proof=proof,
            joint_rand=derive.joint_rand(seed).unchecked(),
            query_rand=derive.query_rand(self.verify_key, report.nonce).unchecked(),
            part=part,
            seed=seed,
        )


def _verifications(
    test: PointTest, expanded: Sequence[_Expanded | None]
) -> list[Verification | None]:
    """Return the regular reports' verifications, None in the others' places."""
    regular = [one for one in expanded if one is not None]
    if not regular:
        return [None] * len(expanded)
    joined = [
        b"".join([getattr(one, name) for one in regular])
        for name in ("measurement", "proof", "joint_rand", "query_rand")
    ]
    sound = ~_any_out_of_range(joined, len(regular))
    measurement, proof, joint_rand, query_rand = (
        limbs.from_bytes(data, reports=len(regular)) for data in joined
    )
    answer = query_each(test, measurement, proof, joint_rand=joint_rand, query_rand=query_rand)
    sound &= ~answer.on_node
    verifiers = _rows(limbs.to_bytes(answer.verifier), len(regular))
    out_shares = _rows(limbs.to_bytes(answer.out_share), len(regular))
    found = iter(
        Verification(
            verifier_share=verifier + one.part,
            pending_out_share=tuple(FIELD128.integers(out_share)),
            joint_rand_seed=one.seed,
        )
        if is_sound
        else None
        for one, verifier, out_share, is_sound in zip(
            regular, verifiers, out_shares, sound.tolist(), strict=True
        )
    )
    return [None if one is None else next(found) for one in expanded]


def _messages(
    vdaf: L1Variant, part: Sequence[Sequence[bytes]], derive: Derivation
) -> list[bytes | None]:
    """Return the verifier messages of the reports that are proved valid, None for the others."""
    size, split = vdaf.verifier_share_bytes, vdaf.verifier_share_bytes - SEED_BYTES
    whole = [
        len(shares) == vdaf.shares and all(len(share) == size for share in shares)
        for shares in part
    ]
    regular = [shares for shares, is_whole in zip(part, whole, strict=True) if is_whole]
    if not regular:
        return [None] * len(part)
    joined = [
        b"".join([shares[keeper][:split] for shares in regular]) for keeper in range(vdaf.shares)
    ]
    total = limbs.from_bytes(joined[0], reports=len(regular))
    for data in joined[1:]:
        total += limbs.from_bytes(data, reports=len(regular))
    valid = decide_each(limbs.reduce_columns(limbs.widen(total)))
    valid &= ~_any_out_of_range(joined, len(regular))
    found = iter(
        derive.joint_rand_seed(share[split:] for share in shares) if is_valid else None
        for shares, is_valid in zip(regular, valid.tolist(), strict=True)
    )
    return [next(found) if is_whole else None for is_whole in whole]


def _point_test(vdaf: L1Variant) -> PointTest:
    if not isinstance(vdaf.circuit, L1BoundSum) or vdaf.proofs != 1:
        raise Malformed("expected Prio3L1BoundSum with one proof; check the others one by one")
    return PointTest(circuit=vdaf.circuit, shares=vdaf.shares)


def _batches(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), BATCH_REPORTS):
        yield items[start : start + BATCH_REPORTS]


def _or_alone(
    items: Sequence[_Item], answers: Sequence[_Answer | None], alone: Callable[[_Item], _Answer]
) -> Iterator[_Answer | ContributionsError]:
    """Yield the answers, asking `alone` about each item that has none."""
    for item, answer in zip(items, answers, strict=True):
        if answer is not None:
            yield answer
            continue
        try:
            yield alone(item)
        except ContributionsError as refusal:
            yield refusal


def _any_out_of_range(joined: Sequence[bytes], reports: int) -> NDArray[np.bool_]:
    above = limbs.out_of_range(joined[0], reports=reports)
    for data in joined[1:]:
        above |= limbs.out_of_range(data, reports=reports)
    return above


def _rows(data: bytes, reports: int) -> list[bytes]:
    """Cut bytes into one piece for each report."""
    size = len(data) // reports
    return [data[at : at + size] for at in range(0, len(data), size)]
