"""The stewards: what they cosign, what they refuse, and how the leader has it done."""

import threading
from base64 import b64decode

import httpx
import pytest

from consents.errors import SizeConflict, UntrustedLog, WitnessRefusal
from consents.tlog.checkpoint import (
    Checkpoint,
    cosign,
    read_checkpoint,
    sign_checkpoint,
    verify_checkpoint,
    verify_cosignature,
)
from consents.tlog.log import ConsentLog, MemoryLeaves
from consents.tlog.merkle import verify_consistency
from consents.tlog.witness import AddCheckpoint
from coop_aggregator.db.log import last_cosigned_size
from coop_aggregator.db.shards import load_shards
from coop_aggregator.db.witnessed import latest_witnessed
from coop_aggregator.errors import AggregatorError, WitnessFailed
from coop_aggregator.installation import init_helper, open_helper
from coop_aggregator.jobs import witness as job
from coop_aggregator.settings import Settings
from coop_aggregator.tlog.witness import add_checkpoint, origin_path
from coop_aggregator.transport import HttpWitness


class Direct:
    """A transport that asks the stewards' own function, as their HTTP handler does."""

    def __init__(self, helper):
        self.helper = helper

    def add_checkpoint(self, body):
        try:
            return job.Answer(status=200, text=add_checkpoint(self.helper, body))
        except SizeConflict as conflict:
            return job.Answer(status=409, text=f"{conflict.size}\n")
        except WitnessRefusal as refusal:
            return job.Answer(status=int(refusal.status), text=str(refusal))


def submit(coop, helper):
    return job.run_once(coop.leader, Direct(helper), vkey=helper.who.own_vkey)


def note(coop):
    with coop.leader.database.read() as connection:
        return coop.leader.log(connection).checkpoint()


def test_the_leader_keeps_a_cosignature_that_verifies(coop, helper):
    assert submit(coop, helper).size == 1
    assert verify_cosignature(note(coop), helper.who.own_vkey) == coop.clock.now()


def test_a_log_that_grew_is_cosigned_with_a_proof(coop, helper):
    submit(coop, helper)
    coop.resident()
    coop.resident()
    assert submit(coop, helper).size == 3
    with helper.database.read() as connection:
        assert latest_witnessed(connection, load_shards(connection).current).size == 3


def test_a_log_that_did_not_grow_is_not_submitted_again(coop, helper):
    submit(coop, helper)
    assert not submit(coop, helper).fresh


def test_a_lost_answer_is_made_up_for(coop, helper):
    Direct(helper).add_checkpoint(
        AddCheckpoint(old_size=0, proof=(), checkpoint=note(coop)).to_bytes()
    )
    coop.resident()
    assert submit(coop, helper) == job.WitnessReport(size=2, fresh=True)


def test_a_log_that_lost_a_line_is_not_cosigned(coop, helper):
    coop.resident()
    submit(coop, helper)
    with coop.leader.database.read() as connection:
        (purpose_leaf, *_rest) = (
            leaf.encode()
            for leaf in connection.exec_driver_sql(
                "SELECT leaf FROM leaves ORDER BY position"
            ).scalars()
        )
    other = MemoryLeaves()
    forked = ConsentLog(other, coop.leader.who.origin, coop.leader.keys.log)
    forked.append(purpose_leaf)
    forked.append(coop.resident(consents=False).leaf())
    forked.append(coop.resident(consents=False).leaf())
    request = AddCheckpoint(
        old_size=2, proof=tuple(forked.consistency(2)), checkpoint=forked.checkpoint()
    )
    with pytest.raises(WitnessRefusal) as refused:
        add_checkpoint(helper, request.to_bytes())
    assert refused.value.status == 422
    with helper.database.read() as connection:
        assert latest_witnessed(connection, load_shards(connection).current).size == 2


def test_a_checkpoint_by_another_key_is_not_cosigned(coop, helper, private_key):
    forged = ConsentLog(MemoryLeaves(), coop.leader.who.origin, private_key("forger")).checkpoint()
    with pytest.raises(UntrustedLog):
        add_checkpoint(helper, AddCheckpoint(old_size=0, proof=(), checkpoint=forged).to_bytes())


def test_two_requests_from_the_same_state_are_answered_one_after_the_other(coop, helper):
    first = AddCheckpoint(old_size=0, proof=(), checkpoint=note(coop))
    together = threading.Barrier(2)
    outcomes = []

    def post():
        together.wait()
        outcomes.append(Direct(helper).add_checkpoint(first.to_bytes()).status)

    threads = [threading.Thread(target=post) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [200, 409]


ANSWERS = {
    "a refusal": job.Answer(status=403, text=""),
    "a cosignature by somebody else": job.Answer(status=200, text="— x.example AAAAAAAA\n"),
    "nothing": job.Answer(status=200, text=""),
    "a size that our log does not reach": job.Answer(status=409, text="9"),
    "a size that is not a number": job.Answer(status=409, text="<html>"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_an_answer_that_is_no_cosignature_is_not_kept(light_coop, case):
    class Fixed:
        def add_checkpoint(self, _body):
            return ANSWERS[case]

    with pytest.raises(WitnessFailed):
        job.run_once(light_coop.leader, Fixed(), vkey=light_coop.leader.who.log_vkey)
    with light_coop.leader.database.read() as connection:
        assert last_cosigned_size(connection) == 0


def test_lines_by_keys_that_are_not_pinned_are_dropped(coop, helper, private_key):
    class Chatty(Direct):
        def add_checkpoint(self, body):
            answer = super().add_checkpoint(body)
            note = AddCheckpoint.parse(body).checkpoint
            other = cosign(note, "other.example", private_key("other"), coop.clock.now())
            return job.Answer(status=answer.status, text=other + answer.text)

    job.run_once(coop.leader, Chatty(helper), vkey=helper.who.own_vkey)
    assert "other.example" not in note(coop)
    verify_cosignature(note(coop), helper.who.own_vkey)


def test_a_witness_that_restarts_remembers_what_it_cosigned(coop, helper, tmp_path):
    coop.resident()
    submit(coop, helper)
    again = open_helper(Settings(data=tmp_path / "stewards"), coop.clock)
    request = AddCheckpoint(old_size=0, proof=(), checkpoint=note(coop))
    assert Direct(again).add_checkpoint(request.to_bytes()) == job.Answer(status=409, text="2\n")
    again.database.close()


def test_over_http_the_answers_are_those_of_the_specification(coop, helper, serve):
    stewards = serve(helper, Settings(data=helper_data(helper)))
    url = f"/{origin_path(coop.leader.who.origin)}/checkpoint"
    assert stewards.get(url).status_code == 404
    body = AddCheckpoint(old_size=0, proof=(), checkpoint=note(coop)).to_bytes()
    assert stewards.post("/add-checkpoint", content=body).status_code == 200
    conflict = stewards.post("/add-checkpoint", content=body)
    assert (conflict.status_code, conflict.text) == (409, "1\n")
    assert conflict.headers["content-type"] == "text/x.tlog.size"
    assert stewards.post("/add-checkpoint", content=b"nonsense").status_code == 400
    kept = stewards.get(url).text
    assert verify_checkpoint(kept, coop.leader.who.log_vkey).size == 1
    verify_cosignature(kept, helper.who.own_vkey)


def test_another_root_at_the_same_size_is_a_conflict_without_a_size(coop, helper, serve):
    """With the size in it, the answer would have a client try the same again, for ever."""
    stewards = serve(helper, Settings(data=helper_data(helper)))
    shown = note(coop)
    first = AddCheckpoint(old_size=0, proof=(), checkpoint=shown)
    assert stewards.post("/add-checkpoint", content=first.to_bytes()).status_code == 200
    who, size = coop.leader.who, read_checkpoint(shown).size
    forked = sign_checkpoint(
        Checkpoint(origin=who.origin, size=size, root=bytes(32)), who.origin, coop.leader.keys.log
    )
    other = AddCheckpoint(old_size=size, proof=(), checkpoint=forked)
    conflict = stewards.post("/add-checkpoint", content=other.to_bytes())
    assert conflict.status_code == 409
    assert conflict.headers["content-type"] == "text/plain; charset=utf-8"
    assert not conflict.text.strip().isdecimal()


def helper_data(helper):
    return helper.database._engine.url.database.rpartition("/")[0]


def test_the_http_transport_carries_the_job(coop, helper, serve):
    stewards = serve(helper, Settings(data=helper_data(helper)))
    with HttpWitness("http://stewards.example/", transport=stewards._transport) as transport:
        report = job.run_once(coop.leader, transport, vkey=helper.who.own_vkey)
    assert report.size == 1


def test_a_witness_that_does_not_answer_is_one_sentence(light_coop):
    def broken(_request):
        raise httpx.ConnectError("refused")

    with (
        HttpWitness("http://stewards.example", transport=httpx.MockTransport(broken)) as transport,
        pytest.raises(WitnessFailed),
    ):
        job.run_once(light_coop.leader, transport, vkey="x")


def test_an_endless_answer_is_cut_short(light_coop):
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, content=b"a" * 100_000))
    with (
        HttpWitness("http://stewards.example", transport=transport) as witness,
        pytest.raises(WitnessFailed),
    ):
        job.run_once(light_coop.leader, witness, vkey="x")


def test_stewards_need_a_log_s_key_and_not_a_witness_s(tmp_path, clock, helper):
    for wrong in ("nonsense", helper.who.own_vkey):
        with pytest.raises(AggregatorError):
            init_helper(Settings(data=tmp_path / "other"), clock, name="w.example", log_vkey=wrong)
    assert not (tmp_path / "other").exists()


def test_the_consistency_that_the_leader_serves_verifies(coop, serve):
    client = serve(coop.leader)
    old = verify_checkpoint(client.get("/v1/log/checkpoint").text, coop.leader.who.log_vkey)
    coop.resident()
    coop.resident()
    served = client.get("/v1/log/consistency", params={"old": old.size}).json()
    new = verify_checkpoint(served["checkpoint"], coop.leader.who.log_vkey)
    verify_consistency(
        old_size=old.size,
        new_size=new.size,
        old_root=old.root,
        new_root=new.root,
        proof=[b64decode(node) for node in served["hashes"]],
    )
