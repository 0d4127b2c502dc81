"""One variant as a task would ask for it, and reports of it from fixed seeds."""

import random
from collections.abc import Callable, Sequence

import pytest

from contributions.prio3.batch import ReportShare
from contributions.prio3.prio3 import Prio3, Sharded
from contributions.prio3.variants import prio3_l1_bound_sum

Variant = Prio3[Sequence[int], list[int]]

CTX = bytes(range(32))
VERIFY_KEY = bytes(range(100, 132))


@pytest.fixture(scope="session")
def vdaf() -> Variant:
    return prio3_l1_bound_sum(shares=2, length=8, max_value=1000, chunk_length=9)


@pytest.fixture(scope="session")
def small() -> Variant:
    return prio3_l1_bound_sum(shares=2, length=2, max_value=5, chunk_length=3)


@pytest.fixture(scope="session")
def make_reports() -> Callable[..., list[tuple[bytes, Sharded]]]:
    """Return a maker of (nonce, report) pairs of random valid measurements."""

    def make(vdaf: Variant, count: int, seed: int = 1) -> list[tuple[bytes, Sharded]]:
        draw = random.Random(seed)
        reports = []
        for _ in range(count):
            nonce = draw.randbytes(16)
            sharded = vdaf.shard(
                measurement(vdaf, draw), ctx=CTX, nonce=nonce, rand=draw.randbytes(vdaf.rand_bytes)
            )
            reports.append((nonce, sharded))
        return reports

    return make


def measurement(vdaf: Variant, draw: random.Random) -> list[int]:
    """Return a random vector at or under the bound of the variant."""
    left, values = vdaf.circuit.largest, []
    for _ in range(vdaf.circuit.output_length):
        values.append(draw.choice((0, draw.randint(0, left), left)))
        left -= values[-1]
    return values


@pytest.fixture(scope="session")
def share_of() -> Callable[..., ReportShare]:
    def make(nonce: bytes, sharded: Sharded, keeper: int) -> ReportShare:
        return ReportShare(
            nonce=nonce,
            public_share=sharded.public_share,
            input_share=sharded.input_shares[keeper],
        )

    return make


@pytest.fixture(scope="session")
def check() -> Callable[..., list[tuple[int, ...]]]:
    """Return what runs a report's whole verification and gives each keeper's output share."""

    def run(
        vdaf: Variant,
        nonce: bytes,
        sharded: Sharded,
        *,
        ctx: bytes = CTX,
        verify_key: bytes = VERIFY_KEY,
    ) -> list[tuple[int, ...]]:
        verifications = [
            vdaf.verify_init(
                verify_key=verify_key,
                ctx=ctx,
                keeper=keeper,
                nonce=nonce,
                public_share=sharded.public_share,
                input_share=share,
            )
            for keeper, share in enumerate(sharded.input_shares)
        ]
        message = vdaf.verifier_message([one.verifier_share for one in verifications], ctx=ctx)
        return [vdaf.verify_next(one, message) for one in verifications]

    return run
