"""A keeper that departs from the protocol, or a message of another moment: what the other does.

The sensitivity of a sum rests on each report being in it once, and noise drawn for it: no question
may bring a report into a second job, or into the sum of a zone that its resident is not of.
"""

from dataclasses import replace

import pytest

from contributions.collection import ReportSet
from contributions.keeper_messages import (
    AggregationAnswer,
    AggregationRequest,
    read_message,
    sign_message,
)
from contributions.prio3.field import FIELD128
from contributions.two_keepers import Verdict
from coop_aggregator.db import jobs as jobs_db
from coop_aggregator.db import sealed
from coop_aggregator.db.collections import Collected, add_collected
from coop_aggregator.db.sealed import State
from coop_aggregator.errors import KeeperFailed, KeeperRefused
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.keepers.aggregation import aggregate
from coop_aggregator.keepers.answers import answer_job

WEEK = "2026-W46"


class Overheard:
    """The way to the helper, where the first question is kept and gets no answer."""

    def __init__(self, keepers):
        self.keepers, self.question = keepers, None

    def answer_job(self, request):
        self.question = self.question or request
        raise KeeperFailed(fr="perdue", en="lost")


def asked_of(keepers, signed):
    return read_message(AggregationRequest, signed, keepers.leader.keeper.sign.public_key())


def answer_to(keepers, request):
    """Ask the helper as its leader would; return the helper's answer."""
    signed = keepers.channel.answer_job(sign_message(request, keepers.leader.keeper.sign))
    return read_message(AggregationAnswer, signed, keepers.helper.keeper.sign.public_key())


def honest_question(keepers):
    """Return the question that an honest leader asks first, which the helper has not seen."""
    keepers.after_deadline()
    way = Overheard(keepers)
    with pytest.raises(KeeperFailed):
        aggregate(keepers.leader, WEEK, way, executor=InlineExecutor())
    return asked_of(keepers, way.question)


def helper_sums(keepers):
    """Return what the helper holds of each job's sum."""
    with keepers.helper.database.read() as connection:
        jobs = jobs_db.jobs_of(connection, keepers.task.digest)
    return {job.job_id: tuple(FIELD128.integers(job.share)) for job in jobs}


def helper_states(keepers):
    with keepers.helper.database.read() as connection:
        counted = sealed.counts(connection, keepers.task.digest)
    return {state: number for state, number in counted.items() if number}


def test_a_report_that_one_job_decided_is_in_no_other_job(keepers):
    """K4: otherwise a leader that asks twice counts a resident twice, beyond what noise covers."""
    keepers.resident("A").send_sealed([3] * 8)
    request = honest_question(keepers)
    assert answer_to(keepers, request).verdicts == (Verdict.ACCEPTED,)
    again = replace(request, job_id="ab" * 16)
    assert answer_to(keepers, again).verdicts == (Verdict.MISSING,)
    assert helper_sums(keepers)[again.job_id] == (0,) * 8
    assert any(helper_sums(keepers)[request.job_id])
    assert helper_states(keepers) == {State.ACCEPTED: 1}


def test_a_report_is_in_the_sum_of_its_own_zone_only(keepers):
    """Zones compose in parallel because a resident answers from one."""
    keepers.resident("A").send_sealed([3] * 8)
    request = honest_question(keepers)
    elsewhere = replace(request, zone="B", job_id="ab" * 16)
    assert answer_to(keepers, elsewhere).verdicts == (Verdict.MISSING,)
    assert helper_sums(keepers) == {elsewhere.job_id: (0,) * 8}
    assert helper_states(keepers) == {State.RECEIVED: 1}


def test_a_week_is_not_over_for_the_helper_because_the_leader_says_so(keepers):
    """K8: from its own deadline on. A leader that closes early could see who answers after it."""
    keepers.resident("A").send_sealed([3] * 8)
    request = honest_question(keepers)
    keepers.clock.advance(seconds=-1)
    with pytest.raises(KeeperRefused):
        answer_to(keepers, request)
    assert helper_states(keepers) == {State.RECEIVED: 1}
    keepers.clock.advance(seconds=1)
    assert answer_to(keepers, request).verdicts == (Verdict.ACCEPTED,)


def test_an_answer_to_an_older_question_is_not_taken_for_this_one(keepers):
    """An answer that somebody overheard would otherwise leave reports out without a trace."""
    keepers.resident("A").send_sealed([3] * 8)
    request = honest_question(keepers)
    unknown = replace(request, report_ids=("cd" * 16,), job_id="ab" * 16)
    old = keepers.channel.answer_job(sign_message(unknown, keepers.leader.keeper.sign))

    class Replaying:
        def answer_job(self, _request):
            return old

    with pytest.raises(KeeperFailed):
        aggregate(keepers.leader, WEEK, Replaying(), executor=InlineExecutor())
    batch = aggregate(keepers.leader, WEEK, keepers.channel, executor=InlineExecutor())
    assert batch.report_count == 1


def test_a_job_of_the_same_name_that_asks_something_else_is_refused(keepers):
    for _ in range(2):
        keepers.resident("A").send_sealed([3] * 8)
    request = honest_question(keepers)
    answer_to(keepers, request)
    first = replace(
        request, report_ids=request.report_ids[:1], verifier_shares=request.verifier_shares[:1]
    )
    with pytest.raises(KeeperRefused):
        answer_to(keepers, first)


def test_a_new_job_about_what_was_left_out_is_refused_after_the_collection(keepers):
    """K8: after the first collection, each keeper MUST refuse its jobs too."""
    for _ in range(2):
        keepers.resident("A").send_sealed([3] * 8)
    request = honest_question(keepers)
    one, other = (
        replace(request, report_ids=(report_id,), verifier_shares=(share,), job_id=f"{number:032x}")
        for number, (report_id, share) in enumerate(
            zip(request.report_ids, request.verifier_shares, strict=True)
        )
    )
    answer_to(keepers, one)
    with keepers.helper.database.write() as connection:
        bucket = Collected(
            task_digest=request.task_digest,
            zone=None,
            reports=ReportSet.of(one.report_ids),
            noised_share=(0,) * 8,
            other_share=None,
            collected_at=keepers.clock.now(),
        )
        add_collected(connection, [bucket])
    with pytest.raises(KeeperRefused):
        answer_to(keepers, other)
    assert helper_states(keepers) == {State.ACCEPTED: 1, State.RECEIVED: 1}


class Meanwhile(InlineExecutor):
    """Answers another question, once, while the first one is being checked."""

    def __init__(self, act):
        self.act = act

    def submit(self, *arguments, **named):
        act, self.act = self.act, lambda: None
        act()
        return super().submit(*arguments, **named)


def test_two_jobs_that_are_asked_at_once_do_not_both_count_a_report(keepers):
    keepers.resident("A").send_sealed([3] * 8)
    request = honest_question(keepers)
    other = replace(request, job_id="ab" * 16)
    signed = sign_message(request, keepers.leader.keeper.sign)
    executor = Meanwhile(lambda: answer_to(keepers, other))
    with pytest.raises(KeeperRefused):
        answer_job(keepers.helper, signed, executor=executor)
    assert set(helper_sums(keepers)) == {other.job_id}
    assert helper_states(keepers) == {State.ACCEPTED: 1}
