"""The stewards' drop-box, and how the cooperative honours what was left there."""

import json
from datetime import UTC, datetime

import pytest

from consents.canonical import utc_text
from consents.jws import thumbprint, thumbprint_of_raw
from consents.records.receipt import EventType, read_event
from consents.tlog.checkpoint import NoteKey
from consents.tlog.promise import read_slip
from coop_aggregator.aggregate import freeze
from coop_aggregator.db import slips as db
from coop_aggregator.db.log import leaf_range
from coop_aggregator.errors import AggregatorError, DropboxRefused, EventRefused, WitnessFailed
from coop_aggregator.jobs import dropbox as job
from coop_aggregator.jobs.witness import Answer
from coop_aggregator.settings import Settings
from coop_aggregator.tlog.dropbox import fetch_request, receive_withdrawal, slips_after
from coop_aggregator.tlog.shards import open_next
from coop_aggregator.transport import HttpWitness


class Direct:
    """The way to the stewards' own function, as their HTTP handler takes it."""

    def __init__(self, helper):
        self.helper = helper

    def fetch_slips(self, body):
        try:
            found = slips_after(self.helper, json.loads(body)["request"].encode())
        except AggregatorError as error:
            return Answer(status=error.status, text="")
        slips = [{"sequence": each.sequence, "slip": each.slip.decode()} for each in found]
        return Answer(status=200, text=json.dumps({"slips": slips}))


def fetch(coop, helper):
    return job.run_once(coop.leader, Direct(helper), vkey=helper.who.own_vkey)


def kid(helper):
    return thumbprint_of_raw(NoteKey.parse(helper.who.own_vkey).public_key)


def kinds(coop):
    with coop.leader.database.read() as connection:
        leaves = leaf_range(connection, start=0, end=100)
    return [read_event(leaf.encode()).payload.t for leaf in leaves]


def test_a_withdrawal_is_answered_with_a_slip_that_says_when(coop, helper):
    """W3: The stewards' drop-box MUST answer a withdrawal with a signed slip."""
    leaf = coop.resident().leaf(EventType.WITHDRAWN)
    slip = read_slip(receive_withdrawal(helper, leaf), kid=kid(helper))
    assert slip.event.leaf == leaf
    assert slip.received_at == coop.clock.now()


def test_the_same_withdrawal_keeps_the_time_of_its_first_receipt(coop, helper):
    leaf = coop.resident().leaf(EventType.WITHDRAWN)
    first = receive_withdrawal(helper, leaf)
    coop.clock.advance(hours=5)
    assert receive_withdrawal(helper, leaf) == first


@pytest.mark.parametrize(
    "changes",
    [{"kind": EventType.GIVEN}, {"kind": EventType.WITHDRAWN, "o": "other.example/log"}],
    ids=["not a withdrawal", "another log"],
)
def test_anything_else_is_refused(coop, helper, changes):
    leaf = coop.resident(consents=False).leaf(**changes)
    with pytest.raises(EventRefused):
        receive_withdrawal(helper, leaf)


def test_what_is_no_leaf_is_refused(helper):
    with pytest.raises(EventRefused):
        receive_withdrawal(helper, b"a.b.c")


def test_a_withdrawal_left_with_the_stewards_reaches_the_log(coop, helper):
    resident = coop.resident()
    receive_withdrawal(helper, resident.leaf(EventType.WITHDRAWN))
    assert fetch(coop, helper) == job.DropboxReport(fetched=1, taken=1, waiting=0)
    assert kinds(coop)[-1] is EventType.WITHDRAWN
    assert fetch(coop, helper) == job.DropboxReport(fetched=0, taken=0, waiting=0)


def test_it_excludes_the_report_that_came_before_it_was_fetched(coop, helper):
    staying, leaving = coop.resident(), coop.resident()
    receive_withdrawal(helper, leaving.leaf(EventType.WITHDRAWN))
    staying.send_report()
    leaving.send_report()
    coop.after_deadline()
    fetch(coop, helper)
    batch = freeze(coop.leader, coop.task.week)
    assert (batch.report_count, batch.excluded_count) == (1, 1)


def test_a_withdrawal_by_a_stranger_ends_nothing(coop, helper):
    resident, stranger = coop.resident(), coop.resident(consents=False)
    stranger.leaves, stranger.cid = list(resident.leaves), resident.cid
    receive_withdrawal(helper, stranger.leaf(EventType.WITHDRAWN))
    assert fetch(coop, helper) == job.DropboxReport(fetched=1, taken=0, waiting=1)
    assert EventType.WITHDRAWN not in kinds(coop)
    resident.send_report()


def test_a_withdrawal_that_came_before_its_consent_is_tried_again(coop, helper):
    resident = coop.resident(consents=False)
    given = resident.leaf()
    resident.leaves.append(given)
    receive_withdrawal(helper, resident.leaf(EventType.WITHDRAWN))
    assert fetch(coop, helper).waiting == 1
    resident.leaves.clear()
    resident.send_event(at=utc_text(coop.clock.now()))
    assert fetch(coop, helper).taken == 1


class OneByOne(Direct):
    """A drop-box that answers with one slip at a time."""

    def fetch_slips(self, body):
        answer = json.loads(super().fetch_slips(body).text)
        return Answer(status=200, text=json.dumps({"slips": answer["slips"][:1]}))


@pytest.fixture
def flooded(coop, helper):
    """A resident's withdrawal behind five of strangers whom nobody knows."""
    for _ in range(5):
        receive_withdrawal(helper, coop.resident(consents=False).leaf(EventType.WITHDRAWN))
    receive_withdrawal(helper, coop.resident().leaf(EventType.WITHDRAWN))


@pytest.mark.usefixtures("flooded")
def test_a_flood_ends_a_run_with_an_error_and_the_next_run_goes_on(coop, helper):
    """W3: A run that did not see the end of a drop-box MUST fail."""
    way, vkey = OneByOne(helper), helper.who.own_vkey
    with pytest.raises(WitnessFailed, match="plus de reçus"):
        job.run_once(coop.leader, way, vkey=vkey, answers=4)
    assert EventType.WITHDRAWN not in kinds(coop)
    report = job.run_once(coop.leader, way, vkey=vkey, answers=4)
    assert report == job.DropboxReport(fetched=2, taken=1, waiting=5)
    assert kinds(coop)[-1] is EventType.WITHDRAWN


@pytest.mark.usefixtures("flooded")
def test_what_a_run_read_counts_though_more_waits_behind_it(coop, helper):
    with pytest.raises(WitnessFailed):
        job.run_once(coop.leader, OneByOne(helper), vkey=helper.who.own_vkey, answers=6)
    assert kinds(coop)[-1] is EventType.WITHDRAWN


@pytest.mark.usefixtures("flooded")
def test_slips_of_unknown_consents_are_not_tried_again(coop, helper):
    fetch(coop, helper)
    with coop.leader.database.read() as connection:
        tried = db.waiting_slips(
            connection,
            witness=helper.who.own_vkey,
            since=coop.clock.now() - job.RETRIED,
            after=0,
            limit=10,
        )
    assert tried == ()


def test_slips_are_handed_to_the_log_s_key_only(coop, helper, private_key):
    """W3: Slips MUST be handed to nobody but the log's key."""
    receive_withdrawal(helper, coop.resident().leaf(EventType.WITHDRAWN))
    now = coop.clock.now()
    assert len(slips_after(helper, fetch_request(coop.leader.keys.log, after=0, now=now))) == 1
    for key in (private_key("stranger"), helper.key):
        with pytest.raises(DropboxRefused):
            slips_after(helper, fetch_request(key, after=0, now=now))


def test_a_copied_request_is_worth_nothing_later(coop, helper):
    copied = fetch_request(coop.leader.keys.log, after=0, now=coop.clock.now())
    coop.clock.advance(minutes=11)
    with pytest.raises(DropboxRefused):
        slips_after(helper, copied)


def test_a_slip_that_the_pinned_key_did_not_sign_is_not_kept(coop, helper, private_key):
    leaf = coop.resident().leaf(EventType.WITHDRAWN)
    receive_withdrawal(helper, leaf)
    other = NoteKey.of_witness("other.example", private_key("other").public_key()).vkey
    with pytest.raises(WitnessFailed):
        job.run_once(coop.leader, Direct(helper), vkey=other)
    assert fetch(coop, helper).taken == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=503, text=""),
        Answer(status=200, text="<html>"),
        Answer(status=200, text='{"slips": [{"sequence": 0, "slip": "a.b.c"}]}'),
        Answer(status=200, text='{"slips": [{"sequence": 1, "slip": "a.b.c"}]}'),
    ],
    ids=["down", "not JSON", "no new number", "no slip"],
)
def test_an_answer_out_of_protocol_is_one_sentence(light_coop, private_key, answer):
    class Fixed:
        def fetch_slips(self, _body):
            return answer

    vkey = NoteKey.of_witness("w.example", private_key("w").public_key()).vkey
    with pytest.raises(WitnessFailed):
        job.run_once(light_coop.leader, Fixed(), vkey=vkey)


def test_over_http_from_the_resident_to_the_log(coop, helper, serve):
    stewards = serve(helper, Settings(data=coop_data(helper)))
    leaf = coop.resident().leaf(EventType.WITHDRAWN)
    left = stewards.post("/v1/dropbox", json={"leaf": leaf.decode()})
    assert left.status_code == 201
    read_slip(left.json()["slip"].encode(), kid=kid(helper))
    with HttpWitness("http://stewards.example/", transport=stewards._transport) as transport:
        assert job.run_once(coop.leader, transport, vkey=helper.who.own_vkey).taken == 1
    refused = stewards.post("/v1/dropbox/slips", json={"request": "a.b.c"})
    assert refused.status_code == 403


def coop_data(helper):
    return helper.database._engine.url.database.rpartition("/")[0]


def test_the_stewards_key_is_a_thumbprint_like_any_other(helper):
    assert kid(helper) == thumbprint(helper.key.public_key())


def test_slips_are_read_at_new_year_before_the_stewards_follow_the_new_log(coop, helper):
    coop.clock.moment = datetime(2026, 12, 31, 22, tzinfo=UTC)
    receive_withdrawal(helper, coop.resident().leaf(EventType.WITHDRAWN))
    coop.clock.advance(hours=2)
    open_next(coop.leader)
    report = fetch(coop, helper)
    assert (report.fetched, report.taken) == (1, 1)


def test_a_slip_that_waited_long_with_the_stewards_is_taken_in_when_it_is_read(coop, helper):
    receive_withdrawal(helper, coop.resident().leaf(EventType.WITHDRAWN))
    coop.clock.advance(hours=24 * 30)
    report = fetch(coop, helper)
    assert (report.fetched, report.taken, report.waiting) == (1, 1, 0)
    assert kinds(coop)[-1] is EventType.WITHDRAWN
