"""Step 7: which reports a frozen batch holds, what it commits to, and sums without surprises."""

import hashlib

import pytest

from consents.records.receipt import EventType, read_event
from contributions.errors import ContributionsError
from contributions.messages import read_report
from coop_aggregator.aggregate import freeze, sum_batch
from coop_aggregator.db.log import all_operator_bodies, leaf_range
from coop_aggregator.db.reports import batch_items
from coop_aggregator.errors import ReleaseRefused, ReportRefused
from coop_aggregator.executors import InlineExecutor, executor_for

WEEK = "2026-W46"


def vector(seed):
    return [(seed * factor * 7919) % 2001 - 1000 for factor in range(1, 9)]


def items(coop):
    with coop.leader.database.read() as connection:
        return batch_items(connection, coop.task.digest)


def naive_root(leaves):
    """Return the RFC 9162 root by its recursive definition."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    left, right = naive_root(leaves[:half]), naive_root(leaves[half:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def test_a_batch_cannot_be_frozen_before_the_deadline(light_coop):
    with pytest.raises(ReleaseRefused):
        freeze(light_coop.leader, WEEK)


def test_a_week_without_a_question_cannot_be_frozen(light_coop):
    light_coop.after_deadline()
    with pytest.raises(ReleaseRefused):
        freeze(light_coop.leader, "2026-W40")


def test_a_report_withdrawn_before_the_freeze_is_left_out(coop):
    """R2: Coverage MUST be checked again when the batch is frozen."""
    stays, leaves = coop.resident(), coop.resident()
    stays.send_report()
    leaves.send_report()
    leaves.send_event(EventType.WITHDRAWN)
    coop.after_deadline()
    batch = freeze(coop.leader, WEEK)
    assert (batch.report_count, batch.excluded_count) == (1, 1)
    assert [read_report(item.encode()).report.cid for item in items(coop)] == [stays.cid]


def test_a_withdrawal_after_the_freeze_leaves_the_batch_as_it_is(light_coop):
    resident = light_coop.resident()
    resident.send_report()
    light_coop.after_deadline()
    frozen = freeze(light_coop.leader, WEEK)
    resident.send_event(EventType.WITHDRAWN)
    assert freeze(light_coop.leader, WEEK) == frozen
    assert len(items(light_coop)) == 1


def test_a_consent_changed_after_the_report_no_longer_covers_it(light_coop):
    resident = light_coop.resident()
    resident.send_report()
    resident.send_event(EventType.LIMITED)
    light_coop.after_deadline()
    assert freeze(light_coop.leader, WEEK).report_count == 0


def test_nothing_is_taken_in_after_the_freeze_even_by_a_slow_clock(light_coop):
    resident = light_coop.resident()
    light_coop.after_deadline()
    freeze(light_coop.leader, WEEK)
    light_coop.clock.advance(hours=-1)
    with pytest.raises(ReportRefused) as refused:
        resident.send_report()
    assert refused.value.reason == "late"


def test_the_batch_commits_to_its_reports_in_the_log(coop):
    for seed in range(3):
        coop.resident("AB"[seed % 2]).send_report(vector(seed))
    coop.after_deadline()
    batch = freeze(coop.leader, WEEK)
    assert batch.root == naive_root([item.encode() for item in items(coop)]).hex()
    with coop.leader.database.read() as connection:
        (leaf,) = leaf_range(connection, start=batch.leaf_index, end=batch.leaf_index + 1)
        body = all_operator_bodies(connection)[-1].body
    assert read_event(leaf.encode()).payload.t is EventType.BATCH_COMMITTED
    assert f'"root":"{batch.root}"' in body
    assert '"epsilon_sum_micro":12000000' in body


@pytest.fixture
def signed(light_coop):
    people = [light_coop.resident("ABC"[rank % 3], consents=False) for rank in range(7)]
    return [person.report(vector(rank)).decode() for rank, person in enumerate(people)]


def test_sums_are_those_of_a_plain_addition(light_coop, signed):
    expected = {code: [0] * 8 for code in "ABC"}
    for rank in range(7):
        code = "ABC"[rank % 3]
        expected[code] = [a + b for a, b in zip(expected[code], vector(rank), strict=True)]
    sums = sum_batch(signed, light_coop.task, executor=InlineExecutor())
    assert {zone.zone: list(zone.vector) for zone in sums} == expected
    assert {zone.zone: zone.count for zone in sums} == {"A": 3, "B": 2, "C": 2}


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 100])
def test_sums_do_not_depend_on_the_chunks(light_coop, signed, chunk_size):
    whole = sum_batch(signed, light_coop.task, executor=InlineExecutor(), chunk_size=7)
    parts = sum_batch(signed, light_coop.task, executor=InlineExecutor(), chunk_size=chunk_size)
    assert parts == whole


def test_sums_over_processes_are_the_same(light_coop, signed):
    inline = sum_batch(signed, light_coop.task, executor=InlineExecutor(), chunk_size=2)
    with executor_for(1) as processes:
        assert sum_batch(signed, light_coop.task, executor=processes, chunk_size=2) == inline


def test_sums_beyond_sixty_four_bits_stay_exact(light_coop):
    huge = 2**53 - 1
    people = [light_coop.resident("A", consents=False) for _ in range(3)]
    signed = [person.report([huge] * 8).decode() for person in people]
    (first, *_others) = sum_batch(signed * 400, light_coop.task, executor=InlineExecutor())
    assert first.vector == (1200 * huge,) * 8
    assert 1200 * huge > 2**63


def test_a_kept_report_that_was_altered_stops_the_sum(light_coop, signed):
    broken = [*signed[:-1], signed[-1][:-4] + "AAAA"]
    with pytest.raises(ContributionsError):
        sum_batch(broken, light_coop.task, executor=InlineExecutor())
