"""What the cooperative promises when it receives an event, and how the merge job keeps it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from consents.jws import thumbprint
from consents.records.receipt import EventType, read_event
from consents.tlog.promise import MAX_MERGE_DELAY, check_promise
from coop_aggregator import intake
from coop_aggregator.aggregate import freeze
from coop_aggregator.db.log import leaf_range
from coop_aggregator.errors import EventRefused, ReportRefused
from coop_aggregator.jobs import merge


@pytest.fixture
def patient_coop(coop):
    """Return a cooperative whose events wait for the merge job."""
    coop.leader = replace(coop.leader, merges_at_once=False)
    return coop


def logged(coop):
    with coop.leader.database.read() as connection:
        return [
            read_event(leaf.encode()).payload.t for leaf in leaf_range(connection, start=0, end=100)
        ]


def operator_kid(coop):
    return thumbprint(coop.leader.keys.log.public_key())


def test_an_event_is_answered_with_a_promise_for_that_very_leaf(coop):
    resident = coop.resident(consents=False)
    received = resident.send_event()
    now = coop.clock.now()
    said = check_promise(received.promise, resident.leaves[0], kid=operator_kid(coop), now=now)
    assert said.received_at == now
    assert said.merge_by <= now + MAX_MERGE_DELAY


def test_an_event_that_waits_has_a_promise_and_no_proof(patient_coop):
    received = patient_coop.resident(consents=False).send_event()
    assert received.logged is None
    assert logged(patient_coop) == [EventType.PURPOSE_PUBLISHED]


def test_the_merge_job_keeps_the_promises_in_order_of_receipt(patient_coop):
    first, second = patient_coop.resident(), patient_coop.resident()
    first.send_event(EventType.WITHDRAWN)
    assert merge.run_once(patient_coop.leader) == merge.MergeReport(merged=3, late=0)
    with patient_coop.leader.database.read() as connection:
        kept = leaf_range(connection, start=1, end=10)
    assert [leaf.encode() for leaf in kept] == [
        first.leaves[0],
        second.leaves[0],
        first.leaves[1],
    ]
    assert merge.run_once(patient_coop.leader).merged == 0


def test_the_same_event_again_is_given_the_same_promise(patient_coop):
    resident = patient_coop.resident(consents=False)
    leaf = resident.leaf()
    word = resident.membership(leaf)
    first = intake.receive_event(patient_coop.leader, leaf=leaf, membership=word)
    patient_coop.clock.advance(minutes=5)
    again = intake.receive_event(patient_coop.leader, leaf=leaf, membership=word)
    assert (first.fresh, again.fresh) == (True, False)
    assert again.promise == first.promise


def test_an_event_that_waits_is_continued_like_a_logged_one(patient_coop):
    resident = patient_coop.resident()
    resident.send_event(EventType.WITHDRAWN)
    with pytest.raises(EventRefused):
        resident.send_event(EventType.LIMITED)


def test_a_withdrawal_stops_reports_from_its_receipt_on(patient_coop):
    """C6: The cooperative MUST refuse reports from a withdrawal's receipt on, merged or not."""
    resident = patient_coop.resident()
    merge.run_once(patient_coop.leader)
    report = resident.report()
    resident.send_event(EventType.WITHDRAWN)
    with pytest.raises(ReportRefused) as refused:
        intake.receive_report(patient_coop.leader, report)
    assert refused.value.reason == "uncovered"


def test_a_batch_is_committed_to_after_everything_that_was_received(patient_coop):
    staying, leaving = patient_coop.resident(), patient_coop.resident()
    staying.send_report()
    leaving.send_report()
    patient_coop.after_deadline()
    leaving.send_event(EventType.WITHDRAWN)
    batch = freeze(patient_coop.leader, patient_coop.task.week)
    assert (batch.report_count, batch.excluded_count) == (1, 1)
    assert logged(patient_coop)[-2:] == [EventType.WITHDRAWN, EventType.BATCH_COMMITTED]


def test_a_promise_that_was_not_kept_in_time_is_counted(patient_coop):
    patient_coop.resident()
    patient_coop.clock.moment += MAX_MERGE_DELAY + timedelta(seconds=1)
    assert merge.run_once(patient_coop.leader).late == 1


def test_over_http_a_waiting_event_is_accepted_and_proved_later(patient_coop, serve):
    client = serve(patient_coop.leader)
    resident = patient_coop.resident(consents=False)
    leaf = resident.leaf()
    body = {"leaf": leaf.decode(), "membership": resident.membership(leaf).decode()}
    waiting = client.post("/v1/events", json=body)
    assert waiting.status_code == 202
    assert set(waiting.json()) == {"promise"}
    merge.run_once(patient_coop.leader)
    proved = client.post("/v1/events", json=body)
    assert proved.status_code == 200
    assert set(proved.json()) == {"promise", "index", "proof", "checkpoint"}
    assert proved.json()["promise"] == waiting.json()["promise"]
