"""Step 6, events about keys: rotation, recovery by stewards, children with a parent, delegates."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from consents.canonical import utc_text
from consents.jws import thumbprint
from consents.records.chain import key_digest
from consents.records.chain_request import sign_chain_request
from consents.records.mandate import Mandate
from consents.records.receipt import EventType, read_event, sign_event
from coop_aggregator import intake
from coop_aggregator.errors import EventRefused, ReportRefused
from coop_aggregator.tlog import showing

MANDATE = Mandate(
    starts_at=datetime(2026, 1, 1, tzinfo=UTC), ends_at=datetime(2030, 1, 1, tzinfo=UTC)
)


@pytest.fixture
def coop(light_coop, private_key):
    """Return a cooperative that knows its stewards' key."""
    kid = thumbprint(private_key("steward").public_key())
    light_coop.leader = replace(light_coop.leader, steward_kids=(kid,))
    return light_coop


@pytest.fixture
def say():
    """Return a function that signs a resident's next event with any key and sends it."""

    def say(person, kind, *, key=None, names=None, m=None, member=True, **changed):
        signer = person.consent_key if key is None else key
        changes = changed | {"kid": thumbprint(signer.public_key())}
        if names is not None:
            changes["c"] = key_digest(thumbprint(names.public_key()))
        mandate = {"m": m or MANDATE} if kind is EventType.DELEGATE_NAMED else {}
        payload = read_event(person.leaf(kind, **mandate)).payload
        leaf = sign_event(replace(payload, **changes), signer)
        received = intake.receive_event(
            person.coop.leader,
            leaf=leaf,
            membership=person.membership(leaf) if member else None,
        )
        person.leaves.append(leaf)
        return received

    return say


def test_a_rotated_key_signs_the_reports_from_its_confirmation_on(coop, say, private_key):
    person, new = coop.resident(), private_key("new")
    old = person.consent_key
    say(person, EventType.KEY_ROTATED, names=new)
    say(person, EventType.KEY_ROTATED, key=new, names=old)
    with pytest.raises(ReportRefused):
        intake.receive_report(coop.leader, person.report(key=old))
    assert intake.receive_report(coop.leader, person.report(key=new)).cid == person.cid


def test_a_key_of_another_consent_cannot_take_over(coop, say):
    person, other = coop.resident(), coop.resident()
    say(person, EventType.KEY_ROTATED, names=other.consent_key)
    with pytest.raises(EventRefused):
        say(person, EventType.KEY_ROTATED, key=other.consent_key, names=person.consent_key)


def test_a_recovered_key_can_only_withdraw(coop, say, private_key):
    person, new = coop.resident(), private_key("new")
    say(person, EventType.KEY_RECOVERED, key=private_key("steward"), names=new)
    with pytest.raises(ReportRefused):
        intake.receive_report(coop.leader, person.report(key=new))
    with pytest.raises(EventRefused):
        say(person, EventType.RENEWED, key=new)
    say(person, EventType.WITHDRAWN, key=new)


def test_nobody_but_the_known_stewards_recovers_a_consent(coop, say, private_key):
    person = coop.resident()
    with pytest.raises(EventRefused):
        say(person, EventType.KEY_RECOVERED, key=private_key("false"), names=private_key("new"))


def test_13_a_child_s_report_counts_once_both_have_signed_and_until_either_withdraws(
    coop, say, private_key
):
    child, parent = coop.resident(consents=False), private_key("parent")
    say(child, EventType.SIGNER_JOINED, names=parent)
    say(child, EventType.GIVEN)
    with pytest.raises(ReportRefused):
        child.send_report()
    say(child, EventType.GIVEN, key=parent)
    assert child.send_report().cid == child.cid
    say(child, EventType.WITHDRAWN, key=parent)
    with pytest.raises(ReportRefused):
        child.send_report(report_id="ab" * 16)


def test_a_delegate_may_withdraw_and_nothing_else(coop, say, private_key):
    person, delegate = coop.resident(), private_key("delegate")
    say(person, EventType.DELEGATE_NAMED, names=delegate)
    with pytest.raises(EventRefused):
        say(person, EventType.LIMITED, key=delegate)
    say(person, EventType.WITHDRAWN, key=delegate)
    with pytest.raises(ReportRefused):
        person.send_report()


def test_a_delegate_needs_no_membership_to_withdraw(coop, say, private_key):
    person, delegate = coop.resident(), private_key("delegate")
    say(person, EventType.DELEGATE_NAMED, names=delegate)
    say(person, EventType.WITHDRAWN, key=delegate, member=False)
    with pytest.raises(ReportRefused):
        person.send_report()


@pytest.mark.parametrize("kind", [EventType.DELEGATE_NAMED, EventType.LIMITED])
def test_without_a_membership_nothing_but_an_end_is_taken_in(coop, say, private_key, kind):
    person = coop.resident()
    with pytest.raises(EventRefused):
        say(person, kind, names=private_key("delegate"), member=False)
    assert say(person, kind, names=private_key("delegate")).promise


def test_without_a_membership_a_stranger_ends_nothing(coop, say, private_key):
    person = coop.resident()
    with pytest.raises(EventRefused):
        say(person, EventType.WITHDRAWN, key=private_key("stranger"), member=False)
    assert person.send_report().cid == person.cid


def test_a_mandate_that_ended_is_refused_whatever_time_its_holder_claims(coop, say, private_key):
    person, delegate = coop.resident(), private_key("delegate")
    start = coop.clock.now().replace(microsecond=0)
    mandate = Mandate(starts_at=start, ends_at=start + timedelta(hours=1))
    say(person, EventType.DELEGATE_NAMED, names=delegate, m=mandate)
    coop.clock.advance(hours=2)
    back_dated = utc_text(start + timedelta(minutes=30))
    with pytest.raises(EventRefused, match="mandat"):
        say(person, EventType.WITHDRAWN, key=delegate, member=False, at=back_dated)
    coop.clock.advance(hours=-2)
    assert say(person, EventType.WITHDRAWN, key=delegate, member=False).promise


def test_a_revoked_delegate_ends_nothing(coop, say, private_key):
    person, delegate = coop.resident(), private_key("delegate")
    say(person, EventType.DELEGATE_NAMED, names=delegate)
    say(person, EventType.DELEGATE_REVOKED, names=delegate)
    with pytest.raises(EventRefused):
        say(person, EventType.WITHDRAWN, key=delegate, member=False)
    assert person.send_report().cid == person.cid


def test_a_lost_store_is_ended_by_its_recovery_key_without_a_membership(coop, say, private_key):
    person, paper = coop.resident(), private_key("paper")
    say(person, EventType.RECOVERY_NAMED, names=paper)
    assert person.send_report().cid == person.cid
    say(person, EventType.WITHDRAWN, key=paper, member=False)
    with pytest.raises(ReportRefused):
        person.send_report(report_id="ab" * 16)
    with pytest.raises(EventRefused):
        say(person, EventType.GIVEN)


def asked(coop, key, **changes):
    terms = {"origin": coop.leader.who.origin, "now": coop.clock.now()}
    return showing.chains_for(coop.leader, sign_chain_request(**(terms | changes), key=key))


def test_a_chain_is_shown_to_the_keys_that_it_names(coop, say, private_key):
    coop.resident()
    person = coop.resident()
    say(person, EventType.DELEGATE_NAMED, names=private_key("delegate"))
    say(person, EventType.RECOVERY_NAMED, names=private_key("paper"))
    for key in (private_key("delegate"), private_key("paper"), person.consent_key):
        assert [list(each) for each in asked(coop, key)] == [person.leaves]


def test_every_consent_that_names_a_key_is_shown_to_it(coop, say, private_key):
    people = [coop.resident(), coop.resident()]
    for person in people:
        say(person, EventType.DELEGATE_NAMED, names=private_key("delegate"))
    shown = [list(each) for each in asked(coop, private_key("delegate"))]
    assert sorted(shown) == sorted(person.leaves for person in people)


def test_a_chain_is_shown_to_nobody_else(coop, say, private_key):
    person, delegate = coop.resident(), private_key("delegate")
    say(person, EventType.DELEGATE_NAMED, names=delegate)
    old = coop.clock.now() - showing.REQUEST_TOLERANCE - timedelta(seconds=1)
    requests = [
        (private_key("stranger"), {}),
        (delegate, {"origin": "elsewhere.example/log"}),
        (delegate, {"now": old}),
    ]
    for key, changes in requests:
        with pytest.raises(EventRefused):
            asked(coop, key, **changes)
    with pytest.raises(EventRefused):
        showing.chains_for(coop.leader, person.leaves[0])
    assert asked(coop, delegate)
    say(person, EventType.DELEGATE_REVOKED, names=delegate)
    with pytest.raises(EventRefused):
        asked(coop, delegate)


def test_no_member_hides_a_consent_by_naming_its_key_in_many_of_their_own(coop, say, private_key):
    """A delegate, or who reads the log, sees which key a consent names, and may be a member."""
    paper, person, other = private_key("paper"), coop.resident(), coop.resident()
    say(person, EventType.RECOVERY_NAMED, names=paper)
    for number in range(showing.MAX_CHAINS):
        other.leaves, other.cid = [], f"{number:032x}"
        other.consent_key = private_key(f"other {number}")
        say(other, EventType.REFUSED)
        say(other, EventType.RECOVERY_NAMED, names=paper)
    shown = [list(each) for each in asked(coop, paper)]
    assert person.leaves in shown
    assert len(shown) == showing.MAX_CHAINS


def test_who_was_helped_by_a_steward_who_has_left_since_still_withdraws(coop, say, private_key):
    person, new = coop.resident(), private_key("new")
    say(person, EventType.KEY_RECOVERED, key=private_key("steward"), names=new, member=False)
    coop.leader = replace(coop.leader, steward_kids=())
    assert [list(each) for each in asked(coop, new)] == [person.leaves]
    assert say(person, EventType.WITHDRAWN, key=new, member=False).logged
    other = coop.resident()
    with pytest.raises(EventRefused):
        say(other, EventType.KEY_RECOVERED, key=private_key("steward"), names=new, member=False)
