"""Checking and adding up: the same bytes in this thread, on processes and on a cluster."""

import hashlib
from dataclasses import replace
from functools import partial

import pytest

from contributions.envelope import Role
from contributions.prio3.batch import ReportShare
from contributions.prio3.field import FIELD128
from contributions.two_keepers import context, vdaf_for
from coop_aggregator.errors import AggregatorError
from coop_aggregator.executors import executor_for
from coop_aggregator.keepers.checking import Check, add_up, check_chunk, check_on

KEY = bytes(range(32))


@pytest.fixture
def kind():
    """Return one kind of database: nothing here depends on it."""
    return "sqlite"


@pytest.fixture
def reports(keepers):
    """Return both keepers' opened shares of sixty reports, one of them broken."""
    task, vdaf = keepers.task, vdaf_for(keepers.task)
    made = {role: [] for role in Role}
    for number in range(60):
        nonce = hashlib.sha256(str(number).encode()).digest()[:16]
        rand = hashlib.shake_256(nonce).digest(vdaf.rand_bytes)
        vector = [number, 1, 0, 0, 2, 0, 0, 3]
        sharded = vdaf.shard(vector, ctx=context(task), nonce=nonce, rand=rand)
        for role, share in zip(Role, sharded.input_shares, strict=True):
            made[role].append(
                ReportShare(nonce=nonce, public_share=sharded.public_share, input_share=share)
            )
    made[Role.LEADER][7] = replace(made[Role.LEADER][7], input_share=b"\xff" * 2256)
    return made


def summed(task, reports, executor, *, chunk_size):
    """Return each keeper's sum, and every verifier share, as one run over an executor gives."""
    found = []
    for role in Role:
        check = Check.of(task, verify_key=KEY, role=role)
        starts = range(0, len(reports[role]), chunk_size)
        chunks = [reports[role][start : start + chunk_size] for start in starts]
        answers = [
            each for part in executor.map(partial(check_chunk, check), chunks) for each in part
        ]
        good = [each for each in answers if each is not None]
        found.append(add_up(8, [each.out_share for each in good]))
        found.append(b"".join(each.verifier_share for each in good))
    return found


@pytest.fixture
def inline(keepers, reports):
    with executor_for(0) as executor:
        return summed(keepers.task, reports, executor, chunk_size=60)


def test_a_share_that_is_refused_by_itself_stops_no_other(keepers, reports):
    check = Check.of(keepers.task, verify_key=KEY, role=Role.LEADER)
    answers = check_chunk(check, reports[Role.LEADER])
    assert [number for number, each in enumerate(answers) if each is None] == [7]


@pytest.mark.parametrize("chunk_size", [1, 7, 59])
def test_the_sum_does_not_depend_on_the_chunks(keepers, reports, inline, chunk_size):
    with executor_for(0) as executor:
        assert summed(keepers.task, reports, executor, chunk_size=chunk_size) == inline


def test_processes_give_the_same_bytes(keepers, reports, inline):
    with executor_for(2) as executor:
        assert summed(keepers.task, reports, executor, chunk_size=16) == inline


def test_a_cluster_gives_the_same_bytes(keepers, reports, inline):
    """A scheduler and a worker of the test's own, on loopback."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
        ) as cluster,
        executor_for(0, cluster=cluster.scheduler_address) as executor,
    ):
        assert summed(keepers.task, reports, executor, chunk_size=16) == inline


def test_a_cluster_that_does_not_answer_is_one_sentence():
    with pytest.raises(AggregatorError), executor_for(0, cluster="nonsense://x"):
        pass


def test_shares_that_did_not_open_keep_their_places(keepers, reports):
    check = Check.of(keepers.task, verify_key=KEY, role=Role.HELPER)
    with executor_for(0) as executor:
        answers = check_on(executor, check, [None, reports[Role.HELPER][0], None])
    assert [each is None for each in answers] == [True, False, True]


@pytest.mark.parametrize("role", list(Role))
def test_one_keeper_s_shares_of_two_different_inputs_look_alike(keepers, role):
    """Chi-squared over 16 values of four bits, at error rate 2e-6 each; the seed is fixed.

    The helper's share of the input is a seed: what it stands for is what the leader's leaves over.
    """
    limit = 55.0  # 15 degrees of freedom: P(χ² > 55) = 1.8e-6
    task, vdaf = keepers.task, vdaf_for(keepers.task)
    for vector in ([0] * 8, [125] * 8):
        bits = vdaf.circuit.encode(vector)
        counts = [0] * 16
        for number in range(200):
            nonce = hashlib.sha256(f"{vector} {number}".encode()).digest()[:16]
            rand = hashlib.shake_256(nonce).digest(vdaf.rand_bytes)
            sharded = vdaf.shard(vector, ctx=context(task), nonce=nonce, rand=rand)
            leader = FIELD128.integers(sharded.input_shares[0][: 16 * len(bits)])
            helper = [(bit - own) % FIELD128.modulus for bit, own in zip(bits, leader, strict=True)]
            for element in leader if role is Role.LEADER else helper:
                counts[(element >> 5) % 16] += 1
        expected = sum(counts) / 16
        assert sum((count - expected) ** 2 / expected for count in counts) < limit
