"""Step 9 as an auditor sees it: real stores, the real cooperative's export, and nothing else.

The auditor has files, a policy of their own and, where a resident shows it, what their store kept.
"""

import json

import pytest
from dishonest_operator import look_away, problems

from consents.__main__ import main as consents_main
from consents.tlog.policy import policy_text
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.installation import init_helper
from coop_aggregator.jobs import witness
from coop_aggregator.release import publish
from coop_aggregator.settings import Settings
from coop_aggregator.tlog.export import export_log
from coop_aggregator.tlog.witness import add_checkpoint
from personal_store.choices.own_log import EVIDENCE_FILE, write_receipts
from personal_store.jobs import catalogue

WEEK = "2026-W46"
AUDITS = ("coverage", "after-withdrawal", "purposes", "budget", "late", "promises", "release")


class DirectWitness:
    """The way to the stewards' own function."""

    def __init__(self, stewards):
        self.stewards = stewards

    def add_checkpoint(self, body):
        return witness.Answer(status=200, text=add_checkpoint(self.stewards, body))


class Judge:
    """Stewards who cosign the journey's log, are handed its export, and ask."""

    def __init__(self, leader, stewards, folder, capsys):
        self.leader, self.stewards, self.capsys = leader, stewards, capsys
        self.export, self.policy = folder / "export", folder / "stewards.policy"
        vkeys = [stewards.who.own_vkey]
        self.policy.write_text(policy_text(log_vkey=leader.who.log_vkey, witness_vkeys=vkeys))

    def cosign(self):
        vkey = self.stewards.who.own_vkey
        witness.run_once(self.leader, DirectWitness(self.stewards), vkey=vkey)

    def hand_over(self):
        self.cosign()
        export_log(self.leader, self.export)

    def ask(self, *words):
        arguments = [*words[:2], self.export, *words[2:], "--policy", self.policy, "--json"]
        self.capsys.readouterr()
        code = consents_main([str(each) for each in arguments])
        return code, json.loads(self.capsys.readouterr().out)


@pytest.fixture
def judge(leader, clock, tmp_path, capsys):
    (tmp_path / "judge").mkdir()
    stewards = init_helper(
        Settings(data=tmp_path / "stewards"),
        clock,
        name="stewards.test",
        log_vkey=leader.who.log_vkey,
    )
    yield Judge(leader, stewards, tmp_path / "judge", capsys)
    stewards.database.close()


@pytest.fixture
def contributors(join, task, judge):
    """Return three residents who consented, were witnessed, and contributed a week."""
    people = [join() for _ in range(3)]
    for kilometres, person in enumerate(people, start=1):
        catalogue.run_once(person.store.engine, person.member, person.network)
        person.travel(car=10.0 * kilometres)
        person.give()
        person.hand_over()
    judge.cosign()
    for person in people:
        person.send(task)
    return people


@pytest.fixture
def release(leader, clock, task):
    """Return a function that closes and publishes the week."""

    def release():
        clock.at = task.report_deadline
        publish(leader, WEEK, executor=InlineExecutor())

    return release


@pytest.fixture
def shown_by(tmp_path):
    """Return a function that writes what a resident's store kept, and returns the evidence."""

    def shown_by(person):
        write_receipts(person.store, tmp_path / "kept")
        return tmp_path / "kept" / EVIDENCE_FILE

    return shown_by


def test_an_honest_journey_passes_every_audit_and_its_year_is_recorded(
    contributors, judge, release, shown_by
):
    """W2: An auditor MUST be able to verify the log from its files and a public key alone."""
    contributors[0].withdraw()
    contributors[0].hand_over()
    judge.cosign()
    release()
    contributors[1].withdraw()
    contributors[1].hand_over()
    judge.hand_over()
    shown = shown_by(contributors[0])
    assert shown.read_text()
    for subject in AUDITS:
        code, document = judge.ask("audit", subject, "--evidence", shown)
        assert (subject, code, problems(document)) == (subject, 0, set())
    assert judge.ask("monitor")[0] == 0
    code, document = judge.ask("report", "annual", "--year", "2026")
    assert code == 0
    assert document["facts"]["items"] == 2
    assert document["facts"]["consent.withdrawn"] == 2


def test_an_operator_that_counts_whom_it_may_not_is_seen_by_coverage(
    contributors, judge, release, monkeypatch
):
    contributors[0].withdraw()
    contributors[0].hand_over()
    judge.cosign()
    look_away(monkeypatch)
    release()
    judge.hand_over()
    code, document = judge.ask("audit", "coverage")
    assert (code, problems(document)) == (2, {"withdrawn"})


def test_an_operator_that_loses_a_promised_withdrawal_is_seen_by_promises(
    contributors, judge, release, shown_by, monkeypatch
):
    """The store's own evidence file is what shows it: the export says nothing of that event."""
    object.__setattr__(judge.leader, "merges_at_once", False)
    contributors[0].withdraw()
    contributors[0].hand_over()
    with judge.leader.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM pending_events")
    look_away(monkeypatch)
    release()
    judge.hand_over()
    assert judge.ask("audit", "promises")[0] == 0
    shown = shown_by(contributors[0])
    code, document = judge.ask("audit", "promises", "--evidence", shown)
    assert (code, problems(document)) == (2, {"promise-broken"})
