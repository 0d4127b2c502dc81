"""A week of reports at both keepers: opened, checked, decided and added up, on each executor.

    python benchmarks/keepers_week.py [--reports 200000] [--workers 2] [--distinct 2048]

The question is a task's default: 8 coordinates, Q = 16 383. Splitting 200,000 different reports
would take longer than checking them, so `--distinct` reports are split and asked about again and
again: the work a report is the same. Opening the sealed share is timed with the check of the
leader's half; the helper's half is checked the same way, then every verdict is computed and both
sums are kept. The same sums must come out of one process, of a pool and of a `dask.distributed`
cluster that this script starts on this machine: for each, the SHA-256 of both sums is printed, the
time, and the most memory that this process and any worker have held so far. It ends with exit code
1 if a digest differs. `--without-one-process` leaves out the longest of the three. Wall-clock
times: say what else ran.
"""

import argparse
import hashlib
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contributions.envelope import Role
from contributions.keeper import Keeper
from contributions.keeper_messages import MAX_JOB_REPORTS
from contributions.sealed_report import seal_shares
from contributions.task import Adjacency, Task, TrustMode, Zone
from contributions.two_keepers import Verdict, shard, vdaf_for, verdicts
from coop_aggregator.asking.questions import DEFAULT_CAP_UNITS
from coop_aggregator.db.sealed import StoredShare
from coop_aggregator.executors import executor_for
from coop_aggregator.keepers.checking import (
    Check,
    Checked,
    add_up,
    check_chunk,
    open_shares,
)

VERIFY_KEY = bytes(range(32))
CHUNKS_AHEAD = 8


def make_task(keys: Sequence[X25519PrivateKey]) -> Task:
    """Return a task of two keepers with these keys."""
    keepers = tuple(
        Keeper.of(
            name=role.value,
            url=f"http://{role.value}.example",
            hpke_key=key.public_key(),
            sign_key=Ed25519PrivateKey.generate().public_key(),
        )
        for role, key in zip(Role, keys, strict=True)
    )
    return Task(
        title_fr="Mesure",
        title_en="Benchmark",
        week="2026-W46",
        zones=(Zone(code="A", name="A"),),
        scale=Fraction(3, 4),
        cap_units=DEFAULT_CAP_UNITS,
        epsilon_micro=1_000_000,
        epsilon_territory_micro=500_000,
        adjacency=Adjacency.ZERO_OUT,
        trust_mode=TrustMode.TWO_KEEPERS,
        min_batch_size=30,
        purpose_digest="00" * 32,
        log_origin="bench.example/log",
        aggregator_name="Bench",
        report_deadline=datetime(2026, 11, 23, tzinfo=UTC),
        keepers=keepers,
        verify_key_sha256=hashlib.sha256(VERIFY_KEY).hexdigest(),
    )


def make_reports(task: Task, count: int) -> dict[Role, list[StoredShare]]:
    """Split and seal so many reports."""
    made: dict[Role, list[StoredShare]] = {role: [] for role in Role}
    digest = task.digest
    for number in range(count):
        report_id = os.urandom(16).hex()
        rand = os.urandom(vdaf_for(task).rand_bytes)
        vector = [number % 100, 30, 0, 400, 5, 6, 7, 8]
        sharded = shard(vector, task, report_id=report_id, randomness=rand)
        sealed = seal_shares(sharded, task, report_id=report_id)
        for role, share in zip(Role, (sealed.leader, sealed.helper), strict=True):
            made[role].append(
                StoredShare(
                    report_id=report_id,
                    task_digest=digest,
                    zone="A",
                    cid=report_id,
                    upload_sha256="",
                    public_share=sealed.public_share,
                    sealed=share,
                )
            )
    return made


def checked(
    executor: Executor, check: Check, key: X25519PrivateKey, chunks: Iterator[list[StoredShare]]
) -> Iterator[list[Checked]]:
    """Open each chunk here and check it on the executor, a few chunks ahead, in order."""
    waiting: list[Any] = []
    for chunk in chunks:
        opened = [share for share in open_shares(check, chunk, key) if share is not None]
        waiting.append(executor.submit(check_chunk, check, opened))
        if len(waiting) > CHUNKS_AHEAD:
            yield [one for one in waiting.pop(0).result() if one is not None]
    for future in waiting:
        yield [one for one in future.result() if one is not None]


def chunks_of(shares: list[StoredShare], total: int) -> Iterator[list[StoredShare]]:
    """Yield so many reports in chunks, the same ones again and again."""
    for start in range(0, total, MAX_JOB_REPORTS):
        size = min(MAX_JOB_REPORTS, total - start)
        yield [shares[(start + offset) % len(shares)] for offset in range(size)]


def week(
    executor: Executor,
    task: Task,
    reports: dict[Role, list[StoredShare]],
    keys: Sequence[X25519PrivateKey],
    total: int,
) -> tuple[bytes, bytes]:
    """Return both keepers' shares of the sum of a week, printing how fast each half went."""
    halves: list[list[list[Checked]]] = []
    for role, key in zip(Role, keys, strict=True):
        check = Check.of(task, verify_key=VERIFY_KEY, role=role)
        start = time.monotonic()
        halves.append(list(checked(executor, check, key, chunks_of(reports[role], total))))
        seconds = time.monotonic() - start
        print(f"  {role.value:7} opened and checked {total / seconds:8.0f} reports/s")
    start = time.monotonic()
    sums = [bytes(128), bytes(128)]
    sources = chunks_of(reports[Role.LEADER], total)
    for leader, helper, shares in zip(*halves, sources, strict=True):
        decided = verdicts(
            task,
            public_shares=[share.public_share for share in shares],
            leader_shares=[one.verifier_share for one in leader],
            helper_shares=[one.verifier_share for one in helper],
        )
        assert all(verdict is Verdict.ACCEPTED for verdict in decided)
        for at, half in enumerate((leader, helper)):
            sums[at] = add_up(8, [sums[at], *(one.out_share for one in half)])
    print(f"  decided and added up {total / (time.monotonic() - start):15.0f} reports/s")
    return sums[0], sums[1]


def peak_mib(who: int) -> float:
    """Return the most memory that was resident, in MiB; Linux counts it in kibibytes."""
    return resource.getrusage(who).ru_maxrss / 1_024


def main() -> None:
    """Read the arguments and measure one process, a pool and a cluster."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--reports", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--distinct", type=int, default=2_048)
    parser.add_argument("--without-one-process", action="store_true")
    given = parser.parse_args()
    keys = [X25519PrivateKey.generate() for _ in Role]
    task = make_task(keys)
    start = time.monotonic()
    reports = make_reports(task, given.distinct)
    each_ms = 1_000 * (time.monotonic() - start) / given.distinct
    print(f"{given.distinct} reports split and sealed, {each_ms:.1f} ms each")
    found = []
    from distributed import LocalCluster  # noqa: PLC0415 (an extra of the distribution)

    with LocalCluster(
        n_workers=given.workers, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        kinds = {
            "one process": executor_for(0),
            f"{given.workers} processes": executor_for(given.workers),
            f"cluster of {given.workers} workers": executor_for(
                0, cluster=cluster.scheduler_address
            ),
        }
        if given.without_one_process:
            del kinds["one process"]
        for name, opening in kinds.items():
            print(name)
            with opening as executor:
                begin = time.monotonic()
                found.append(week(executor, task, reports, keys, given.reports))
                seconds = time.monotonic() - begin
            print(f"  both keepers, {given.reports} reports: {seconds:.1f} s")
            digest = hashlib.sha256(b"".join(found[-1])).hexdigest()
            print(f"  SHA-256 of both sums: {digest}")
            print(f"  most memory of this process so far: {peak_mib(resource.RUSAGE_SELF):.0f} MiB")
    # Workers are counted once they have ended.
    print(f"most memory of any worker: {peak_mib(resource.RUSAGE_CHILDREN):.0f} MiB")
    if len(set(found)) > 1:
        sys.exit("DIFFERENT SUMS")
    print("bit-identical")


if __name__ == "__main__":
    main()
