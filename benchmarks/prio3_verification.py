"""How fast a report is split and checked, alone and in batches, on one core.

    python benchmarks/prio3_verification.py [--reports 2048] [--coordinates 8] [--cap 16383]
        [--reference DIR ...]

The question is a task's: L1BoundSum of so many coordinates up to Q, in the chunks that
`two_keepers` takes, whose sizes are printed first. Times are processor
times of this process, the best of five runs, so that other work on the machine counts less.
`--reference` takes the folders `poc` of draft-irtf-cfrg-vdaf and of draft-ietf-ppm-l1-bound-sum and
runs the drafts' own code on the same question in the same run; it asks for Python 3.12 and
pycryptodomex, and is not part of this project.
"""

import argparse
import importlib
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Any

from contributions.prio3.batch import ReportShare, verifier_messages, verify_init_batch
from contributions.prio3.prio3 import Prio3, Sharded, Verification
from contributions.prio3.variants import prio3_l1_bound_sum
from coop_aggregator.asking.questions import DEFAULT_CAP_UNITS

RUNS = 5
CTX, VERIFY_KEY = bytes(32), bytes(range(32))
Report = tuple[bytes, Sharded]


def best(work: Callable[[], object]) -> float:
    """Return the shortest processor time of the work in seconds."""
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The size of a question: coordinates, Q, and the chunks that follow from them."""

    coordinates: int
    cap: int

    @property
    def chunk(self) -> int:
        """The chunk length of a task of this size (`two_keepers.vdaf_for`)."""
        return max(1, isqrt((self.coordinates + 1) * self.cap.bit_length()))

    @property
    def measurement(self) -> list[int]:
        """A week that fills part of the cap, in every coordinate."""
        return [self.cap // (2 * self.coordinates)] * self.coordinates


def shard(vdaf: Prio3[Any, Any], measurement: list[int], count: int) -> list[Report]:
    """Split so many reports."""
    reports = []
    for _ in range(count):
        nonce = os.urandom(16)
        rand = os.urandom(vdaf.rand_bytes)
        reports.append((nonce, vdaf.shard(measurement, ctx=CTX, nonce=nonce, rand=rand)))
    return reports


def verify_alone(
    vdaf: Prio3[Any, Any], reports: Sequence[Report], keeper: int
) -> list[Verification]:
    """Check one keeper's shares, one report after the other."""
    return [
        vdaf.verify_init(
            verify_key=VERIFY_KEY,
            ctx=CTX,
            keeper=keeper,
            nonce=nonce,
            public_share=sharded.public_share,
            input_share=sharded.input_shares[keeper],
        )
        for nonce, sharded in reports
    ]


def measure(shape: Shape, count: int) -> None:
    """Print the project's sizes and speeds."""
    vdaf = prio3_l1_bound_sum(
        shares=2, length=shape.coordinates, max_value=shape.cap, chunk_length=shape.chunk
    )
    few, values = max(count // 8, 1), shape.measurement
    print(f"leader's share        {vdaf.input_share_bytes(0):8d} bytes")
    print(f"verifier share        {vdaf.verifier_share_bytes:8d} bytes")
    print(f"shard                 {best(lambda: shard(vdaf, values, few)) / few * 1e3:8.2f} ms")
    reports = shard(vdaf, values, count)
    found = []
    for keeper in range(2):
        seconds = best(lambda keeper=keeper: verify_alone(vdaf, reports[:few], keeper))
        print(f"check alone, keeper {keeper} {few / seconds:8.0f} reports/s")
        shares = [
            ReportShare(
                nonce=nonce,
                public_share=sharded.public_share,
                input_share=sharded.input_shares[keeper],
            )
            for nonce, sharded in reports
        ]

        def in_batches(shares: Sequence[ReportShare] = shares, keeper: int = keeper) -> list[Any]:
            return verify_init_batch(vdaf, shares, verify_key=VERIFY_KEY, ctx=CTX, keeper=keeper)

        print(f"check batch, keeper {keeper} {count / best(in_batches):8.0f} reports/s")
        found.append(in_batches())
    pairs = [[one.verifier_share for one in pair] for pair in zip(*found, strict=True)]
    alone = best(lambda: [vdaf.verifier_message(pair, ctx=CTX) for pair in pairs[:few]]) / few
    batch = best(lambda: verifier_messages(vdaf, pairs, ctx=CTX)) / count
    print(f"decide                {alone * 1e6:8.1f} us alone, {batch * 1e6:.1f} us in a batch")


def measure_reference(shape: Shape, folders: Sequence[str]) -> None:
    """Print the drafts' own code's speeds, from its folders."""
    sys.path[:0] = folders
    variant = importlib.import_module("vdaf_prio3_l1_bound_sum").Prio3L1BoundSum
    made = variant(2, shape.coordinates, shape.cap, shape.chunk)
    reports: list[Any] = []

    def split() -> None:
        reports.clear()
        for _ in range(20):
            nonce = os.urandom(16)
            rand = os.urandom(made.RAND_SIZE)
            reports.append((nonce, *made.shard(CTX, shape.measurement, nonce, rand)))

    print(f"reference shard       {best(split) / 20 * 1e3:8.2f} ms")
    for keeper in range(2):

        def verify(keeper: int = keeper) -> None:
            for nonce, public, shares in reports:
                made.verify_init(VERIFY_KEY, CTX, keeper, None, nonce, public, shares[keeper])

        print(f"reference, keeper {keeper}   {20 / best(verify):8.0f} reports/s")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reports", type=int, default=2048)
    parser.add_argument("--reference", nargs="+", default=[], metavar="DIR")
    parser.add_argument("--coordinates", type=int, default=8)
    parser.add_argument("--cap", type=int, default=DEFAULT_CAP_UNITS, help="Q")
    arguments = parser.parse_args()
    shape = Shape(coordinates=arguments.coordinates, cap=arguments.cap)
    measure(shape, arguments.reports)
    if arguments.reference:
        measure_reference(shape, arguments.reference)


if __name__ == "__main__":
    main()
