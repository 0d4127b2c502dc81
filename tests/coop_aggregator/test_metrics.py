"""Metrics tell an operator what is wrong, and nobody when a member acted."""

import urllib.request

import pytest
from loopback import port_of, reserve_port
from sqlalchemy import text

from consents.tlog.checkpoint import read_checkpoint
from coop_aggregator.metrics import metrics_served, registry_of

LEADER = {"ready", "questions_unsigned", "weeks_overdue", "checkpoint_entries"} | {
    "checkpoint_cosignatures"
}


def told(side):
    """Return every sample by name, without the prefix."""
    return {
        sample.name.removeprefix("coop_aggregator_"): sample.value
        for family in registry_of(side).collect()
        for sample in family.samples
    }


def test_nothing_is_told_but_what_is_listed(coop, helper):
    assert set(told(coop.leader)) == LEADER
    assert set(told(helper)) == {"ready", "questions_unsigned"}


def test_an_enrolment_and_an_answer_change_no_metric(light_coop):
    person = light_coop.resident()
    before = told(light_coop.leader)
    light_coop.resident(consents=False)
    person.send_report()
    assert told(light_coop.leader) == before


def test_what_is_told_of_the_log_is_what_anybody_may_read(coop, auditor, serve):
    coop.resident()
    auditor.cosign()
    public = serve(coop.leader).get("/checkpoint").text
    shown = told(coop.leader)
    assert shown["checkpoint_entries"] == read_checkpoint(public).size
    assert shown["checkpoint_cosignatures"] == 1


def test_a_week_is_overdue_from_its_deadline_until_it_is_published(light_coop):
    assert told(light_coop.leader)["weeks_overdue"] == 0
    light_coop.after_deadline()
    assert told(light_coop.leader)["weeks_overdue"] == 1
    light_coop.release()
    assert told(light_coop.leader)["weeks_overdue"] == 0


def test_a_database_that_does_not_answer_is_told_and_nothing_else(light_coop):
    with light_coop.leader.database.write() as connection:
        connection.execute(text("ALTER TABLE tasks RENAME TO gone"))
    assert told(light_coop.leader) == {"ready": 0}


@pytest.fixture
def port():
    with reserve_port() as held:
        yield port_of(held)


def test_they_are_served_on_loopback_and_only_while_asked(light_coop, port):
    with metrics_served(light_coop.leader, port=port):
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
        with pytest.raises(OSError, match="in use"), metrics_served(light_coop.leader, port=port):
            pass
    assert "coop_aggregator_ready 1.0" in page
    assert "process_" not in page
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics")


def test_without_a_port_nothing_listens(light_coop):
    with metrics_served(light_coop.leader, port=0):
        pass
