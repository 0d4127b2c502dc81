"""Signed answers go at the end of their stated days, whole, and the audits find nothing wrong."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from consents.records.receipt import EventType, read_event
from coop_aggregator.aggregate import freeze
from coop_aggregator.asking.purposes import DEFAULT_RETENTION_DAYS
from coop_aggregator.db import log as log_db
from coop_aggregator.db.releases import release_by_week
from coop_aggregator.db.reports import batch_of, report_count
from coop_aggregator.errors import ReleaseRefused
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.jobs import retention
from coop_aggregator.release import publish

WEEK = "2026-W46"
DAYS = timedelta(days=DEFAULT_RETENTION_DAYS)
SUBJECTS = ("coverage", "after-withdrawal", "purposes", "budget", "late", "promises", "release")


@pytest.fixture
def released(coop):
    for zone in "AAB":
        coop.resident(zone).send_report()
    coop.release()
    return coop


def due(coop):
    coop.clock.moment = coop.task.report_deadline + DAYS


def kept(coop):
    with coop.leader.database.read() as connection:
        return report_count(connection, coop.task.digest)


def logged(coop):
    with coop.leader.database.read() as connection:
        leaves = log_db.leaf_range(connection, start=0, end=10**6)
    return [read_event(leaf.encode()).payload.t for leaf in leaves]


def test_signed_answers_stay_until_the_last_second(released):
    due(released)
    released.clock.moment -= timedelta(seconds=1)
    assert retention.run_once(released.leader).signed == ()
    assert kept(released) == 3


def test_signed_answers_go_when_their_days_are_over_and_the_log_says_so_once(released):
    due(released)
    assert retention.run_once(released.leader).signed == (WEEK,)
    assert kept(released) == 0
    assert retention.run_once(released.leader).signed == ()
    assert logged(released).count(EventType.BATCH_ERASED) == 1


def test_no_byte_of_a_signed_answer_is_left_in_the_file(light_coop, tmp_path):
    person = light_coop.resident()
    report = person.report()
    light_coop.resident("B").send_report()
    person.send_report()
    light_coop.release()
    signature = report.rsplit(b".", 1)[1]

    def found():
        light_coop.leader.database.close()
        return any(signature in path.read_bytes() for path in tmp_path.glob("aggregator.db*"))

    assert found()
    due(light_coop)
    retention.run_once(light_coop.leader)
    assert not found()


def test_what_was_published_outlives_its_answers(released):
    with released.leader.database.read() as connection:
        before = release_by_week(connection, WEEK)
    due(released)
    retention.run_once(released.leader)
    with released.leader.database.read() as connection:
        assert release_by_week(connection, WEEK) == before
        assert batch_of(connection, released.task.digest).report_count == 3


def test_answers_that_were_never_summed_go_too_and_are_never_read(coop):
    coop.resident().send_report()
    due(coop)
    for late in (freeze, lambda *words: publish(*words, executor=InlineExecutor())):
        with pytest.raises(ReleaseRefused, match="conservation"):
            late(coop.leader, WEEK)
    assert retention.run_once(coop.leader).signed == (WEEK,)
    assert kept(coop) == 0
    assert EventType.BATCH_ERASED not in logged(coop)


def test_a_batch_too_small_to_publish_is_erased_like_any_other(coop, auditor):
    coop.resident().send_report()
    coop.release()
    due(coop)
    assert retention.run_once(coop.leader).signed == (WEEK,)
    auditor.hand_over()
    assert [auditor.ask("audit", subject)[0] for subject in SUBJECTS] == [0] * len(SUBJECTS)


def test_every_audit_finds_a_lawful_erasure_sound_and_counts_it(released, auditor):
    auditor.hand_over()
    due(released)
    retention.run_once(released.leader)
    auditor.hand_over()
    assert not list((auditor.export / "batches").iterdir())
    assert [auditor.ask("audit", subject)[0] for subject in SUBJECTS] == [0] * len(SUBJECTS)
    assert auditor.ask("audit", "coverage")[1]["facts"]["erased"] == 1


def test_an_operator_that_erases_early_is_caught(released, auditor):
    with released.leader.database.read() as connection:
        batch = batch_of(connection, released.task.digest)
    with released.leader.database.write() as connection:
        connection.execute(text("DELETE FROM reports"))
        released.leader.log(connection).record(
            EventType.BATCH_ERASED,
            purpose_digest=released.task.purpose_digest,
            body={"task_digest": released.task.digest, "batch_position": batch.leaf_index},
        )
        connection.execute(text("UPDATE batches SET erased_leaf = 1"))
    auditor.hand_over()
    code, document = auditor.ask("audit", "coverage")
    assert code == 2
    assert {each["problem"] for each in document["findings"]} == {"erased-early"}


def test_an_operator_that_erases_some_answers_only_is_caught(released, auditor):
    due(released)
    with released.leader.database.write() as connection:
        connection.execute(text("DELETE FROM reports WHERE batch_position = 0"))
    auditor.hand_over()
    code, document = auditor.ask("audit", "coverage")
    assert code == 2
    assert {each["problem"] for each in document["findings"]} == {"batch-mismatch"}
