"""Step 6, events about keys: rotation, recovery by stewards, children with a parent, delegates."""

from dataclasses import replace

import pytest

from consents.chain import key_digest
from consents.jws import thumbprint
from consents.receipt import EventType, read_event, sign_event
from coop_aggregator import intake
from coop_aggregator.errors import EventRefused, ReportRefused


@pytest.fixture
def coop(light_coop, private_key):
    """Return a cooperative that knows its stewards' key."""
    kid = thumbprint(private_key("steward").public_key())
    light_coop.leader = replace(light_coop.leader, steward_kids=(kid,))
    return light_coop


@pytest.fixture
def say():
    """Return a function that signs a resident's next event with any key and sends it."""

    def say(person, kind, *, key=None, names=None):
        signer = person.consent_key if key is None else key
        changes = {"kid": thumbprint(signer.public_key())}
        if names is not None:
            changes["c"] = key_digest(thumbprint(names.public_key()))
        payload = read_event(person.leaf(kind)).payload
        leaf = sign_event(replace(payload, **changes), signer)
        received = intake.receive_event(
            person.coop.leader, leaf=leaf, membership=person.membership(leaf)
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
