"""The turn of the year at the cooperative and its stewards, on both databases."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from consents.__main__ import main as verify
from consents.errors import HandoverError, UnknownLog, UntrustedLog
from consents.records.erasure import sign_erasure
from consents.records.receipt import EventType, read_event
from consents.tlog.checkpoint import read_checkpoint
from consents.tlog.log import ConsentLog, MemoryNodes
from consents.tlog.merkle import leaf_hash
from consents.tlog.policy import policy_text
from consents.tlog.shards import Handover
from consents.tlog.tlog_proof import TlogProof
from consents.tlog.witness import AddCheckpoint
from coop_aggregator.aggregate import freeze
from coop_aggregator.cli.program import main
from coop_aggregator.db.log import leaves_of
from coop_aggregator.db.shards import load_shards
from coop_aggregator.db.witnessed import latest_witnessed
from coop_aggregator.errors import AggregatorError, EventRefused, HandoverRefused, LogClosed
from coop_aggregator.installation import init_helper
from coop_aggregator.intake import receive_event
from coop_aggregator.jobs import witness as job
from coop_aggregator.jobs.merge import run_once as merge
from coop_aggregator.settings import Settings
from coop_aggregator.tlog import dropbox
from coop_aggregator.tlog.erasure import erase
from coop_aggregator.tlog.export import export_log
from coop_aggregator.tlog.log import LeaderLog
from coop_aggregator.tlog.shards import follow, handovers, open_next
from coop_aggregator.tlog.witness import add_checkpoint
from tests.coop_aggregator.tlog.test_witness import Direct

OLD = "coop.example/log"
NEW = "coop.example/log/2027"


JANUARY = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def coop(make_coop, settings):
    """Return a cooperative on each database in turn, whose question is open over New Year."""
    return make_coop(settings, report_deadline=datetime(2027, 1, 20, tzinfo=UTC))


@pytest.fixture
def helper(coop, clock, settings_in, tmp_path):
    made = init_helper(
        settings_in(tmp_path / "stewards"),
        clock,
        name="stewards.example",
        log_vkey=coop.leader.who.log_vkey,
    )
    yield made
    made.database.close()


def submit(coop, helper, *, number=None):
    shard = None if number is None else shards(coop.leader).every[number]
    return job.run_once(coop.leader, Direct(helper), vkey=helper.who.own_vkey, shard=shard)


def shards(side):
    with side.database.read() as connection:
        return load_shards(connection)


def handover(coop):
    with coop.leader.database.read() as connection:
        return handovers(coop.leader.log(connection))[-1]


def january(coop):
    coop.clock.moment = max(coop.clock.moment, JANUARY)
    return open_next(coop.leader)


def turn(coop, helper):
    """Turn the year as the operator and the stewards do."""
    submit(coop, helper)
    january(coop)
    submit(coop, helper, number=0)
    follow(helper, handover(coop).to_bytes())
    submit(coop, helper)


def audit(coop, helper, folder, *subjects):
    export_log(coop.leader, folder / "export")
    *former, newest = shards(coop.leader).vkeys
    policy = folder / "policy"
    policy.write_text(
        policy_text(log_vkey=newest, witness_vkeys=[helper.who.own_vkey], former_vkeys=former)
    )
    return [
        verify(["audit", subject, str(folder / "export"), "--policy", str(policy)])
        for subject in subjects
    ]


def test_both_leaves_join_the_logs_and_the_handover_verifies(coop, helper):
    coop.resident()
    turn(coop, helper)
    found = handover(coop).verify(coop.leader.who.log_vkey)
    assert (found.final.origin, found.final.size) == (OLD, 3)
    assert (found.opened.origin, found.opened.size) == (NEW, 1)


def test_the_open_log_of_this_year_is_not_closed(coop):
    before = shards(coop.leader)
    with pytest.raises(HandoverRefused):
        open_next(coop.leader)
    assert shards(coop.leader) == before


def test_a_year_is_not_turned_twice(coop):
    january(coop)
    with pytest.raises(HandoverRefused):
        open_next(coop.leader)
    coop.clock.moment = coop.clock.moment.replace(year=2029)
    assert open_next(coop.leader).opened.origin == "coop.example/log/2028"
    assert open_next(coop.leader).opened.origin == "coop.example/log/2029"


def test_a_crash_between_closing_and_opening_leaves_the_old_log_open(coop, helper, monkeypatch):
    """Killed after the closing was written: nothing of it is committed, and the next try holds."""
    person = coop.resident()
    join, asked = LeaderLog.join, []

    def killed(self, kind, digest):
        asked.append(kind)
        if kind is EventType.SHARD_OPENED:
            raise KeyboardInterrupt
        return join(self, kind, digest)

    monkeypatch.setattr(LeaderLog, "join", killed)
    with pytest.raises(KeyboardInterrupt):
        january(coop)
    assert asked == [EventType.SHARD_CLOSED, EventType.SHARD_OPENED]
    assert shards(coop.leader).origins == (OLD,)
    person.send_event(EventType.WITHDRAWN)
    monkeypatch.undo()
    turn(coop, helper)
    assert handover(coop).verify(coop.leader.who.log_vkey).final.size == 4


def test_what_waits_is_merged_before_the_closing(coop, helper):
    coop.leader = replace(coop.leader, merges_at_once=False)
    person = coop.resident()
    turn(coop, helper)
    with coop.leader.database.read() as connection:
        log = coop.leader.log(connection)
        old = [read_event(leaf) for leaf in log.of(log.shards.every[0]).leaves()]
    assert [each.payload.t for each in old[-2:]] == [EventType.GIVEN, EventType.SHARD_CLOSED]
    assert old[-2].leaf == person.leaves[0]
    assert merge(coop.leader).merged == 0


def test_a_closed_log_takes_nothing_in(coop):
    with coop.leader.database.write() as connection:
        stale = coop.leader.log(connection)
        shard = stale.shard
    january(coop)
    with coop.leader.database.write() as connection:
        closed = coop.leader.log(connection).of(replace(shard, end=1))
        with pytest.raises(LogClosed):
            closed.record(EventType.RELEASE_PUBLISHED, purpose_digest="0" * 64, body={})
        with pytest.raises(LogClosed):
            closed.merge()


def test_a_consent_of_december_is_withdrawn_in_january(coop, helper, tmp_path):
    person = coop.resident()
    turn(coop, helper)
    answer = person.send_event(EventType.WITHDRAWN, o=NEW)
    assert read_checkpoint(answer.logged.checkpoint).origin == NEW
    assert answer.logged.index == 1
    submit(coop, helper)
    subjects = ("coverage", "after-withdrawal", "budget", "promises", "late", "purposes")
    assert set(audit(coop, helper, tmp_path, *subjects)) == {0}


def test_an_event_signed_for_the_old_log_is_taken_into_the_new_one(coop, helper):
    person = coop.resident()
    turn(coop, helper)
    answer = person.send_event(EventType.WITHDRAWN, o=OLD)
    assert answer.logged.verify(shards(coop.leader).current.vkey, earlier=(OLD,)).leaf
    again = receive_event(
        coop.leader, leaf=person.leaves[-1], membership=person.membership(person.leaves[-1])
    )
    assert not again.fresh


def test_an_event_for_a_log_that_is_not_ours_is_refused(coop):
    person = coop.resident(consents=False)
    for origin in (NEW, "other.example/log"):
        with pytest.raises(EventRefused):
            person.send_event(o=origin)


def test_a_consent_of_december_covers_a_report_of_january(coop, helper, tmp_path):
    people = [coop.resident(), coop.resident("B")]
    turn(coop, helper)
    for person in people:
        person.send_report()
    coop.release()
    submit(coop, helper)
    subjects = ("coverage", "after-withdrawal", "budget", "release")
    assert audit(coop, helper, tmp_path, *subjects) == [0, 0, 0, 0]


def test_a_release_of_january_over_a_batch_of_december_passes(coop, helper, tmp_path):
    for zone in "AB":
        coop.resident(zone).send_report()
    coop.after_deadline()
    freeze(coop.leader, "2026-W46")
    turn(coop, helper)
    coop.release()
    submit(coop, helper)
    assert audit(coop, helper, tmp_path, "release", "coverage") == [0, 0]
    assert (tmp_path / "export" / "shards" / "0" / "batches").exists()


def test_a_consent_of_december_is_erased_in_january(coop, helper):
    person = coop.resident()
    turn(coop, helper)
    person.send_event(EventType.WITHDRAWN, o=NEW)
    done = erase(coop.leader, sign_erasure(cid=person.cid, origin=NEW, key=person.consent_key))
    assert len(done.shredded) == 2
    assert {read_checkpoint(each.entry.checkpoint).origin for each in done.shredded} == {NEW}


def test_both_logs_are_served_with_their_tiles_and_proofs(coop, helper, serve):
    person = coop.resident()
    turn(coop, helper)
    client = serve(coop.leader)
    old, new = shards(coop.leader).every
    assert read_checkpoint(client.get("/checkpoint").text).origin == NEW
    for number, (shard, size) in enumerate(((old, 3), (new, 1))):
        checkpoint = read_checkpoint(client.get(f"/shards/{number}/checkpoint").text)
        assert (checkpoint.origin, checkpoint.size) == (shard.origin, size)
        tile = client.get(f"/shards/{number}/tile/0/000.p/{size}")
        assert len(tile.content) == 32 * size
    assert client.get("/shards/2/checkpoint").status_code == 404
    proof = client.get(f"/v1/proof/{leaf_hash(person.leaves[0]).hex()}").text
    receipt = TlogProof.parse(proof).receipt(person.leaves[0])
    assert receipt.verify(old.vkey).leaf == person.leaves[0]
    shown = client.get("/v1/log/consistency", params={"old": 2, "origin": OLD}).json()
    assert read_checkpoint(shown["checkpoint"]).size == 3
    shown = client.get("/v1/log/checkpoint", params={"origin": OLD}).text
    assert read_checkpoint(shown).origin == OLD
    assert client.get("/v1/log/checkpoint?origin=other").status_code == 404
    (told,) = client.get("/v1/log/handovers").json()["handovers"]
    assert Handover.parse(told.encode()).verify(old.vkey).vkey == new.vkey
    assert client.get("/v1/log/handovers/1").content == told.encode()
    assert client.get("/v1/log/handovers/2").status_code == 404


def test_a_new_member_is_given_the_open_log(coop, helper, serve):
    turn(coop, helper)
    answer = serve(coop.leader).post(
        "/v1/enrolments",
        json={
            "code": coop.code(),
            "zone": "A",
            "member_jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43},
        },
    )
    assert answer.json()["log_origin"] == NEW


# The stewards.


def test_a_witness_keeps_one_state_for_each_log(coop, helper):
    coop.resident()
    turn(coop, helper)
    coop.resident(consents=False)
    every = shards(helper).every
    with helper.database.read() as connection:
        sizes = [latest_witnessed(connection, each).size for each in every]
    assert sizes == [3, 1]


def test_a_witness_does_not_know_a_log_before_it_follows(coop, helper):
    submit(coop, helper)
    january(coop)
    with coop.leader.database.read() as connection:
        note = coop.leader.log(connection).signed()
    with pytest.raises(UnknownLog):
        add_checkpoint(helper, AddCheckpoint(old_size=0, proof=(), checkpoint=note).to_bytes())


def test_a_witness_cosigns_no_leaf_after_the_closing(coop, helper):
    turn(coop, helper)
    old = shards(coop.leader).every[0]
    with coop.leader.database.read() as connection:
        log = coop.leader.log(connection)
        leaves = list(log.of(old).leaves())
    forged = ConsentLog(MemoryNodes(), OLD, coop.leader.keys.log)
    for leaf in (*leaves, leaves[0]):
        forged.append(leaf)
    proof = tuple(forged.consistency(2))
    request = AddCheckpoint(old_size=2, proof=proof, checkpoint=forged.checkpoint())
    with pytest.raises(UntrustedLog):
        add_checkpoint(helper, request.to_bytes())
    again = AddCheckpoint(old_size=2, proof=(), checkpoint=forged.checkpoint(2))
    assert add_checkpoint(helper, again.to_bytes())


def test_stewards_do_not_follow_a_log_whose_end_they_have_not_cosigned(coop, helper):
    submit(coop, helper)
    january(coop)
    with pytest.raises(HandoverRefused):
        follow(helper, handover(coop).to_bytes())
    submit(coop, helper, number=0)
    assert follow(helper, handover(coop).to_bytes()).origin == NEW


def test_following_again_changes_nothing(coop, helper):
    turn(coop, helper)
    before = shards(helper)
    assert follow(helper, handover(coop).to_bytes()) == before.current
    assert shards(helper) == before


def test_another_end_of_the_log_that_was_followed_is_refused(coop, helper):
    turn(coop, helper)
    shown = handover(coop)
    with pytest.raises(HandoverRefused):
        follow(helper, replace(shown, closing=shown.opening).to_bytes())


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff"])
def test_stewards_follow_no_other_file(light_coop, clock, tmp_path, content):
    settings = Settings(data=tmp_path / "stewards")
    vkey = light_coop.leader.who.log_vkey
    made = init_helper(settings, clock, name="stewards.example", log_vkey=vkey)
    with pytest.raises(HandoverRefused):
        follow(made, content)
    made.database.close()


def test_stewards_follow_no_second_successor(coop, helper, make_leader, tmp_path):
    turn(coop, helper)
    genuine = handover(coop)
    stranger = make_leader(Settings(data=tmp_path / "stranger"))
    coop.clock.moment = coop.clock.moment.replace(year=2028)
    open_next(stranger)
    with stranger.database.read() as connection:
        (other,) = handovers(stranger.log(connection))
    second = replace(genuine, successor=other.successor, opening=other.opening)
    with pytest.raises(HandoverRefused):
        follow(helper, second.to_bytes())
    with pytest.raises(HandoverError):
        second.verify(coop.leader.who.log_vkey)
    assert shards(helper).origins == (OLD, NEW)


def test_the_drop_box_takes_withdrawals_for_either_log(coop, helper):
    person = coop.resident()
    turn(coop, helper)
    for origin in (OLD, NEW):
        assert dropbox.receive_withdrawal(helper, person.leaf(EventType.WITHDRAWN, o=origin))
    with pytest.raises(AggregatorError):
        dropbox.receive_withdrawal(helper, person.leaf(EventType.WITHDRAWN, o="other.example"))
    request = dropbox.fetch_request(coop.leader.keys.of_log(1), after=0, now=coop.clock.now())
    assert len(dropbox.slips_after(helper, request)) == 2


def test_the_tables_number_the_leaves_on(coop, helper):
    person = coop.resident()
    turn(coop, helper)
    person.send_event(EventType.WITHDRAWN, o=NEW)
    with coop.leader.database.read() as connection:
        assert leaves_of(connection, person.cid) == tuple(person.leaves)
        log = coop.leader.log(connection)
        assert (log.shard.first, log.size(), log.end) == (3, 2, 5)


def test_the_command_line_turns_the_year(light_coop, capsys, tmp_path):
    file = tmp_path / "handover.json"
    data = ("--data", str(tmp_path))
    with pytest.raises(SystemExit) as stop:
        main([*data, "shards", "open", str(file)], clock=light_coop.clock)
    assert (stop.value.code, file.exists()) == (1, False)
    light_coop.clock.moment = light_coop.clock.moment.replace(year=2027)
    with pytest.raises(SystemExit) as stop:
        main([*data, "shards", "open", str(file), "--json"], clock=light_coop.clock)
    assert stop.value.code == 0
    assert json.loads(capsys.readouterr().out)["origin"] == NEW
    found = Handover.parse(file.read_bytes()).verify(light_coop.leader.who.log_vkey)
    assert found.opened.origin == NEW
