"""What a keeper holds of a week ends: with the task, or with the days that the purpose states."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from contributions.two_keepers import COLLECTED_WITHIN
from coop_aggregator.db.releases import release_by_week
from coop_aggregator.errors import KeeperRefused, ReleaseRefused, ReportRefused
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.jobs import retention
from coop_aggregator.keepers.aggregation import aggregate
from coop_aggregator.keepers.collection import collect
from coop_aggregator.release import publish

WEEK = "2026-W46"
TABLES = "sealed_reports", "aggregation_jobs", "reports"


def rows(side):
    with side.database.read() as connection:
        return {
            table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in TABLES
        }


def sides(keepers):
    return keepers.leader, keepers.helper


@pytest.fixture
def released(keepers):
    for zone in "AABB":
        keepers.resident(zone).send_sealed()
    keepers.after_deadline()
    return publish(keepers.leader, WEEK, executor=InlineExecutor(), channel=keepers.channel)


@pytest.mark.usefixtures("released")
def test_nothing_is_erased_before_the_task_expires(keepers):
    keepers.clock.moment = keepers.task.report_deadline + COLLECTED_WITHIN - timedelta(seconds=1)
    for side in sides(keepers):
        before = rows(side)
        assert retention.run_once(side).weeks == ()
        assert rows(side) == before


@pytest.mark.usefixtures("released")
def test_sealed_reports_ids_and_jobs_are_erased_at_both_when_the_task_expires(keepers):
    """K11: An expired task MUST NOT be checked or collected, and its reports MUST be erased."""
    keepers.clock.moment = keepers.task.report_deadline + COLLECTED_WITHIN
    for side in sides(keepers):
        assert retention.run_once(side).weeks == (WEEK,)
        assert (rows(side)["sealed_reports"], rows(side)["aggregation_jobs"]) == (0, 0)
        assert retention.run_once(side).weeks == ()


def test_a_release_outlives_its_reports(keepers, released):
    keepers.clock.moment = keepers.task.report_deadline + timedelta(days=2_000)
    retention.run_once(keepers.leader)
    with keepers.leader.database.read() as connection:
        assert release_by_week(connection, WEEK) == released


@pytest.mark.parametrize("aggregated", [False, True])
def test_a_week_that_nobody_collected_in_time_is_never_read(keepers, aggregated):
    for zone in "AABB":
        keepers.resident(zone).send_sealed()
    keepers.after_deadline()
    if aggregated:
        aggregate(keepers.leader, WEEK, keepers.channel, executor=InlineExecutor())
    keepers.clock.moment = keepers.task.report_deadline + COLLECTED_WITHIN
    with pytest.raises(ReleaseRefused, match=r"p.rim"):
        publish(keepers.leader, WEEK, executor=InlineExecutor(), channel=keepers.channel)
    for side in sides(keepers):
        retention.run_once(side)
        assert rows(side)["sealed_reports"] == 0


@pytest.mark.usefixtures("released")
def test_a_helper_answers_nothing_about_an_expired_task(keepers):
    questions = keepers.channel.asked[-3:]
    keepers.clock.moment = keepers.task.report_deadline + COLLECTED_WITHIN
    for question in questions:
        for door in (keepers.channel.answer_job, keepers.channel.collect):
            with pytest.raises(KeeperRefused):
                door(question)


def test_an_erased_report_sent_again_is_late(keepers):
    person = keepers.resident()
    shares = person.shares()
    person.send_sealed(shares=shares)
    keepers.clock.moment = keepers.task.report_deadline + COLLECTED_WITHIN
    for side in sides(keepers):
        retention.run_once(side)
    with pytest.raises(ReportRefused, match="close"):
        person.send_sealed(shares=shares)


def test_a_week_is_collected_to_the_last_second(keepers):
    for zone in "AABB":
        keepers.resident(zone).send_sealed()
    keepers.clock.moment = keepers.task.report_deadline + COLLECTED_WITHIN - timedelta(seconds=1)
    aggregate(keepers.leader, WEEK, keepers.channel, executor=InlineExecutor())
    assert collect(keepers.leader, WEEK, keepers.channel, noise=keepers.channel.noise)
