"""Step 7 for two keepers: who counts, alike at both, whatever stops in between."""

import hashlib
from dataclasses import replace

import pytest

from consents.records.receipt import EventType
from contributions.collection import totals
from contributions.keeper_messages import (
    AggregationAnswer,
    AggregationRequest,
    read_message,
    sign_message,
)
from contributions.prio3.field import FIELD128
from contributions.prio3.variants import prio3_l1_bound_sum
from contributions.sealed_report import seal_shares
from contributions.two_keepers import Verdict, vdaf_for
from coop_aggregator.db import jobs as jobs_db
from coop_aggregator.db import sealed
from coop_aggregator.db.sealed import State
from coop_aggregator.errors import KeeperFailed, KeeperRefused, ReleaseRefused
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.keepers.aggregation import aggregate

WEEK = "2026-W46"


def run(keepers):
    keepers.after_deadline()
    return aggregate(keepers.leader, WEEK, keepers.channel, executor=InlineExecutor())


def states(side, task):
    with side.database.read() as connection:
        return {s: n for s, n in sealed.counts(connection, task.digest).items() if n}


def sums(keepers):
    """Return the exact sum by zone that both keepers' shares hide, for the test alone."""
    shares = {}
    for side in (keepers.leader, keepers.helper):
        with side.database.read() as connection:
            for job in jobs_db.jobs_of(connection, keepers.task.digest):
                shares.setdefault(job.zone, []).append(FIELD128.integers(job.share))
    return {zone: totals(pair, largest=10**6) for zone, pair in shares.items()}


def vector(person):
    return [int(digest) % 100 for digest in hashlib.sha256(person.seed.encode()).digest()[:8]]


def test_both_shares_of_the_sum_add_up_to_what_residents_sent(keepers):
    people = [keepers.resident(zone) for zone in "AAB"]
    for person in people:
        person.send_sealed(vector(person))
    assert run(keepers).report_count == 3
    expected = {}
    for person in people:
        before = expected.get(person.zone, (0,) * 8)
        expected[person.zone] = tuple(map(sum, zip(before, vector(person), strict=True)))
    assert sums(keepers) == expected


def test_a_report_that_only_one_keeper_has_counts_for_neither(keepers):
    both, one = keepers.resident(), keepers.resident()
    both.send_sealed([7] * 8)
    one.send_sealed([9] * 8, to=("leader",))
    batch = run(keepers)
    assert (batch.report_count, batch.excluded_count) == (1, 1)
    assert sums(keepers) == {"A": (7,) * 8}


def test_a_report_withdrawn_before_the_freeze_is_left_out_by_both(keepers):
    """R2: Coverage MUST be checked again when the batch is frozen."""
    stays, leaves = keepers.resident(), keepers.resident()
    stays.send_sealed([1] * 8)
    leaves.send_sealed([2] * 8)
    leaves.send_event(EventType.WITHDRAWN)
    assert run(keepers).report_count == 1
    assert states(keepers.leader, keepers.task) == {State.ACCEPTED: 1, State.EXCLUDED: 1}
    assert states(keepers.helper, keepers.task) == {State.ACCEPTED: 1, State.RECEIVED: 1}


def test_a_report_over_the_cap_is_refused_by_both_and_moves_no_bit(make_pair):
    keepers = make_pair(cap_units=1000)
    honest, cheat = keepers.resident(), keepers.resident()
    honest.send_sealed([5] * 8)
    wider = prio3_l1_bound_sum(
        shares=2, length=8, max_value=1023, chunk_length=vdaf_for(keepers.task).circuit.chunk_length
    )
    cheat.send_sealed(shares=cheat.shares([128] * 7 + [127], vdaf=wider))
    assert run(keepers).report_count == 1
    assert sums(keepers) == {"A": (5,) * 8}
    expected = {State.ACCEPTED: 1, State.REFUSED: 1}
    assert states(keepers.leader, keepers.task) == expected
    assert states(keepers.helper, keepers.task) == expected


def test_a_public_share_that_only_one_keeper_would_believe_is_refused_by_both(keepers):
    """K4: A report MUST count at both keepers or at neither, decided from what both computed."""
    cheat = keepers.resident()
    shares = cheat.shares([1] * 8)
    wrong = bytes(32) + shares.public_share[32:]
    task, report_id = keepers.task, shares.report_id
    vdaf = vdaf_for(task)
    sharded = vdaf.shard(
        [1] * 8,
        ctx=bytes.fromhex(task.digest),
        nonce=bytes.fromhex(report_id),
        rand=hashlib.shake_256(cheat.seed.encode()).digest(vdaf.rand_bytes),
    )
    cheat.send_sealed(
        shares=seal_shares(replace(sharded, public_share=wrong), task, report_id=report_id)
    )
    assert run(keepers).report_count == 0
    assert states(keepers.helper, task) == {State.REFUSED: 1}


def test_nothing_is_aggregated_before_the_deadline_of_either_clock(keepers):
    keepers.resident().send_sealed()
    with pytest.raises(ReleaseRefused):
        aggregate(keepers.leader, WEEK, keepers.channel, executor=InlineExecutor())


def test_a_job_asked_twice_is_answered_with_the_same_bytes_and_counted_once(keepers):
    keepers.resident().send_sealed([3] * 8)
    run(keepers)
    question = keepers.channel.asked[-1]
    first = keepers.channel.answer_job(question)
    assert keepers.channel.answer_job(question) == first
    assert sums(keepers) == {"A": (3,) * 8}


def test_an_answer_lost_on_the_way_changes_nothing(keepers):
    for _ in range(3):
        keepers.resident().send_sealed([3] * 8)
    keepers.after_deadline()

    class Lossy:
        def answer_job(self, request):
            keepers.channel.answer_job(request)
            raise KeeperFailed(fr="perdue", en="lost")

    with pytest.raises(KeeperFailed):
        aggregate(keepers.leader, WEEK, Lossy(), executor=InlineExecutor())
    assert run(keepers).report_count == 3
    assert sums(keepers) == {"A": (9,) * 8}


def test_a_question_that_the_leader_did_not_sign_is_refused(keepers):
    keepers.resident().send_sealed()
    run(keepers)
    question = keepers.channel.asked[-1]
    forged = question[:-1] + (b"A" if question[-1:] != b"A" else b"Q")
    with pytest.raises(KeeperRefused):
        keepers.channel.answer_job(forged)


def test_an_answer_that_does_not_follow_from_both_halves_is_not_believed(keepers):
    keepers.resident().send_sealed()
    keepers.after_deadline()

    class Liar:
        def answer_job(self, request):
            asked = read_message(
                AggregationRequest, request, keepers.leader.keeper.sign.public_key()
            )
            answer = AggregationAnswer(
                request_sha256=asked.sha256,
                verdicts=(Verdict.ACCEPTED,) * len(asked.report_ids),
                verifier_shares=tuple(asked.verifier_shares),
            )
            return sign_message(answer, keepers.helper.keeper.sign)

    with pytest.raises(KeeperFailed):
        aggregate(keepers.leader, WEEK, Liar(), executor=InlineExecutor())
    assert states(keepers.leader, keepers.task) == {State.QUEUED: 1}
