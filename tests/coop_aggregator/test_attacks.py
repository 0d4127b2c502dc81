"""An operator with its own keys, code and database, against files, stewards and residents.

Numbers are those of the acceptance checks of the consent log. The honest control of each is in
`test_export`, or the first half of the test itself.
"""

import pytest
from dishonest_operator import look_away, plant_report, problems

from consents.errors import WitnessRefusal
from consents.records.receipt import EventType, read_event
from consents.tlog import merkle
from consents.tlog.nodes import Frontier
from consents.tlog.witness import AddCheckpoint
from coop_aggregator import aggregate, intake
from coop_aggregator.db import log as log_db
from coop_aggregator.db.log import SqlLog
from coop_aggregator.errors import EventRefused, ReportRefused
from coop_aggregator.tlog.witness import add_checkpoint


@pytest.fixture
def coop(light_coop):
    """Return a cooperative on SQLite: the attacks are the operator's own statements."""
    return light_coop


def rewrite(coop, change):
    """Replace the log by `change` of its leaves, tree and bodies included, as an operator can."""
    with coop.leader.database.write() as connection:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        storage = SqlLog(connection, now=coop.clock.now())
        before = list(storage.leaves())
        bodies = {before[each.position]: each for each in log_db.all_operator_bodies(connection)}
        for table in ("operator_bodies", "cosignatures", "nodes", "leaves"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        after = change(before)
        storage.extend(after, list(Frontier().grow(map(merkle.leaf_hash, after))))
        for position, leaf in enumerate(after):
            if leaf in bodies:
                body = bodies[leaf]
                log_db.add_operator_body(
                    connection,
                    log_db.OperatorBody(
                        position=position, body=body.body, commitment_key=body.commitment_key
                    ),
                )


def kept_note(auditor, name="kept"):
    """Return a file with the cosigned checkpoint that the stewards keep."""
    with auditor.coop.leader.database.read() as connection:
        note = auditor.coop.leader.log(connection).checkpoint()
    path = auditor.policy.with_name(name)
    path.write_text(note, newline="\n")
    return path


def request_of(coop, old_size):
    with coop.leader.database.read() as connection:
        log = coop.leader.log(connection)
        proof = tuple(log.consistency(old_size)) if old_size <= log.size() else ()
        note = log.signed()
    return AddCheckpoint(old_size=old_size, proof=proof, checkpoint=note).to_bytes()


def evidence(leaf, received):
    return {"leaf": leaf.decode(), "promise": received.promise.decode()}


REWRITES = {
    "2 a withdrawal deleted": lambda leaves: [leaf for leaf in leaves if not is_withdrawal(leaf)],
    "9 cut short": lambda leaves: leaves[:-1],
    "9 two leaves swapped": lambda leaves: [leaves[0], leaves[2], leaves[1], *leaves[3:]],
}


def is_withdrawal(leaf):
    return read_event(leaf).payload.t is EventType.WITHDRAWN


@pytest.mark.parametrize("attack", REWRITES)
def test_a_log_that_was_rewritten_contradicts_what_stewards_hold(coop, auditor, helper, attack):
    coop.resident()
    coop.resident().send_event(EventType.WITHDRAWN)
    auditor.cosign()
    older = kept_note(auditor)
    rewrite(coop, REWRITES[attack])
    with pytest.raises(WitnessRefusal) as refused:
        add_checkpoint(helper, request_of(coop, 4))
    assert int(refused.value.status) in {400, 409, 422}
    coop.resident()
    coop.resident()
    with pytest.raises(WitnessRefusal):
        add_checkpoint(helper, request_of(coop, 4))
    auditor.export_uncosigned()
    assert auditor.ask("audit", "coverage")[0] == 3  # no steward signs such a log
    code, document = auditor.ask("verify", "log", "--older", older)
    assert (code, problems(document)) == (2, {"rewritten"})


def test_4_a_second_history_of_the_same_size_is_not_cosigned(coop, auditor, helper):
    first, second = coop.resident(), coop.resident()
    auditor.cosign()
    rewrite(coop, lambda leaves: [leaves[0], leaves[2], leaves[1]])
    with pytest.raises(WitnessRefusal) as refused:
        add_checkpoint(helper, request_of(coop, 3))
    assert int(refused.value.status) == 409
    assert first.cid != second.cid


def test_5_a_report_of_an_invented_consent_is_seen(coop, auditor, monkeypatch):
    for _ in range(2):
        coop.resident().send_report()
    invented = coop.resident(consents=False)
    plant_report(coop, invented, invents_consent=True)
    look_away(monkeypatch)
    coop.release()
    auditor.hand_over()
    code, document = auditor.ask("audit", "coverage")
    assert (code, problems(document)) == (2, {"never-consented"})


def test_6_a_given_consent_cannot_be_replayed_after_its_withdrawal(coop):
    resident = coop.resident()
    given = resident.leaves[0]
    resident.send_event(EventType.WITHDRAWN)
    again = intake.receive_event(coop.leader, leaf=given, membership=resident.membership(given))
    assert not again.fresh  # the same leaf stands where it stood, before the withdrawal
    with pytest.raises(ReportRefused):
        resident.send_report()
    other = coop.resident(consents=False)
    with pytest.raises(EventRefused):
        intake.receive_event(coop.leader, leaf=given, membership=other.membership(given))


def test_8_a_promised_withdrawal_that_is_never_merged_is_seen(coop, auditor, monkeypatch):
    people = [coop.resident() for _ in range(3)]
    for person in people:
        person.send_report()
    auditor.cosign()
    object.__setattr__(coop.leader, "merges_at_once", False)
    received = people[0].send_event(EventType.WITHDRAWN)
    with coop.leader.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM pending_events")
    look_away(monkeypatch)
    coop.release()
    auditor.hand_over()
    held = [evidence(people[0].leaves[-1], received)]
    code, document = auditor.ask("audit", "promises", evidence=held)
    assert (code, problems(document)) == (2, {"promise-broken"})
    code, document = auditor.ask("audit", "release", evidence=held)
    assert (code, problems(document)) == (2, {"evidence-ignored"})


@pytest.mark.parametrize(("seconds", "counted"), [(-1, 1), (1, 2)])
def test_10_a_second_decides_on_which_side_of_the_freeze_a_withdrawal_falls(
    coop, auditor, seconds, counted
):
    staying, leaving = coop.resident(), coop.resident()
    staying.send_report()
    leaving.send_report()
    auditor.cosign()
    coop.after_deadline()
    coop.clock.advance(minutes=1)
    if seconds < 0:
        leaving.send_event(EventType.WITHDRAWN)
        coop.clock.advance(seconds=1)
    batch = aggregate.freeze(coop.leader, coop.task.week)
    if seconds > 0:
        coop.clock.advance(seconds=1)
        leaving.send_event(EventType.WITHDRAWN)
    assert batch.report_count == counted
    auditor.hand_over()
    code, document = auditor.ask("audit", "after-withdrawal")
    if counted == 2:  # one item is below the minimum of two: that batch stays closed
        assert (code, document["facts"]["withdrawals"]) == (0, 1)


def test_11_a_second_report_for_a_week_is_refused(coop):
    resident = coop.resident()
    resident.send_report()
    with pytest.raises(ReportRefused) as refused:
        resident.send_report(report_id="ab" * 16)
    assert refused.value.reason == "duplicate"
