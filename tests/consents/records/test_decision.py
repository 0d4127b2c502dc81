"""Decision tables: who may use what, when, and what stops them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from consents.errors import ChainError, ChainFault
from consents.records.decision import Reason, consent_state, extend, permitted
from consents.records.limits import ConsentArea
from consents.records.receipt import EventType, Purpose

NOW = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)


@pytest.fixture
def decide(resident, origin):
    def decide(events, **changes):
        question = {
            "log_origin": origin,
            "purpose_digest": resident.purpose_digest,
            "epsilon_micro": 1_000_000,
            "now": NOW,
        }
        return permitted(events, **{**question, **changes})

    return decide


HISTORIES = {
    "nothing was ever said": ([], Reason.NEVER_GIVEN),
    "given": (["given"], Reason.COVERED),
    "refused": (["refused"], Reason.REFUSED),
    "deferred": (["deferred"], Reason.DEFERRED),
    "deferred, then given": (["deferred", "given"], Reason.COVERED),
    "refused, then given": (["refused", "given"], Reason.COVERED),
    "given, then limited": (["given", "limited"], Reason.COVERED),
    "given, then renewed": (["given", "renewed"], Reason.COVERED),
    "given, then withdrawn": (["given", "withdrawn"], Reason.WITHDRAWN),
    "given, limited, then withdrawn": (["given", "limited", "withdrawn"], Reason.WITHDRAWN),
    "given, then expired": (["given", "expired"], Reason.EXPIRED),
    "expired, then renewed": (["given", "expired", "renewed"], Reason.COVERED),
    "withdrawn, then given anew": (["given", "withdrawn", "given"], Reason.COVERED),
    "withdrawn, then renewed as if nothing was": (
        ["given", "withdrawn", "renewed"],
        Reason.BROKEN_CHAIN,
    ),
    "withdrawn, then limited": (["given", "withdrawn", "limited"], Reason.BROKEN_CHAIN),
    "refused, then renewed": (["refused", "renewed"], Reason.BROKEN_CHAIN),
    "renewed without ever being given": (["renewed"], Reason.BROKEN_CHAIN),
    "withdrawn without ever being given": (["withdrawn"], Reason.BROKEN_CHAIN),
}


@pytest.mark.parametrize(("history", "reason"), HISTORIES.values(), ids=HISTORIES)
def test_only_a_standing_consent_permits(resident, decide, history, reason):
    events = resident.say(*(f"consent.{word}" for word in history))
    decision = decide(events)
    assert (decision.reason, decision.permitted) == (reason, reason is Reason.COVERED)


@pytest.mark.parametrize("kind", ["purpose.published", "batch.committed", "release.published"])
def test_an_act_of_the_operator_permits_nothing(resident, decide, kind):
    assert decide(resident.say(kind)).reason is Reason.NEVER_GIVEN


def test_operator_acts_follow_each_other_whatever_their_purpose(resident, origin):
    events = resident.say("purpose.published")
    later = resident.sign("batch.committed", pd="ee" * 32)
    assert consent_state([*events, later], log_origin=origin).n == 1


def test_an_act_of_the_operator_cannot_continue_a_consent(resident, decide):
    assert decide(resident.say("consent.given", "batch.committed")).reason is Reason.BROKEN_CHAIN


def test_a_consent_cannot_continue_an_act_of_the_operator(resident, decide):
    assert decide(resident.say("batch.committed", "consent.given")).reason is Reason.BROKEN_CHAIN


def test_a_decision_names_the_event_that_it_rests_on(resident, decide):
    events = resident.say("consent.given", "consent.limited")
    decision = decide(events)
    assert (decision.cid, decision.n, decision.head, decision.kid) == (
        resident.cid,
        1,
        events[-1].head,
        resident.kid,
    )


def test_another_purpose_is_not_covered(resident, decide):
    decision = decide(resident.say("consent.given"), purpose_digest="ee" * 32)
    assert decision.reason is Reason.WRONG_PURPOSE


def test_a_consent_for_another_log_is_not_covered(resident, decide):
    decision = decide(resident.say("consent.given"), log_origin="other.example/log")
    assert decision.reason is Reason.WRONG_LOG


def test_an_old_consent_replayed_after_withdrawal_is_refused(resident, decide):
    given, withdrawn = resident.say("consent.given", "consent.withdrawn")
    assert decide([given, withdrawn, given]).reason is Reason.BROKEN_CHAIN


def test_a_chain_without_its_first_event_is_refused(resident, decide):
    _, limited = resident.say("consent.given", "consent.limited")
    assert decide([limited]).reason is Reason.BROKEN_CHAIN


def test_another_resident_s_event_in_the_chain_is_refused(resident, new_resident, decide):
    other = new_resident("other")
    other.say("consent.given", "consent.limited")
    events = resident.say("consent.given")
    assert decide([*events, other.events[-1]]).reason is Reason.BROKEN_CHAIN


SPOILED_LINKS = {
    "a counter that skips": ({"n": 2}, ChainFault.COUNTER),
    "a previous that is another leaf": ({"p": "ee" * 32}, ChainFault.PREVIOUS),
    "a consent id that changes": ({"cid": "ee" * 16}, ChainFault.CONSENT_ID),
    "a purpose that changes on the way": ({"pd": "ee" * 32}, ChainFault.PURPOSE),
    "a log that changes": ({"o": "other.example/log"}, ChainFault.ORIGIN),
}


@pytest.mark.parametrize(("change", "fault"), SPOILED_LINKS.values(), ids=SPOILED_LINKS)
def test_an_event_that_does_not_continue_the_chain_is_refused(resident, origin, change, fault):
    state = consent_state(resident.say("consent.given"), log_origin=origin)
    with pytest.raises(ChainError) as caught:
        extend(state, resident.sign("consent.renewed", **change), log_origin=origin)
    assert caught.value.fault is fault


def test_another_key_cannot_speak_for_the_resident(resident, origin, new_key):
    state = consent_state(resident.say("consent.given"), log_origin=origin)
    with pytest.raises(ChainError) as caught:
        extend(state, resident.sign("consent.renewed", key=new_key("thief")), log_origin=origin)
    assert caught.value.fault is ChainFault.KEY


def by_operator(resident, new_key, kind):
    return resident.sign(kind, key=new_key("operator"))


def test_the_operator_may_log_an_expiry(resident, new_key, decide):
    events = resident.say("consent.given")
    expired = by_operator(resident, new_key, "consent.expired")
    decision = decide([*events, expired], operator_kids={expired.payload.kid})
    assert decision.reason is Reason.EXPIRED


def test_after_the_operator_s_expiry_only_the_resident_can_renew(resident, new_key, decide):
    resident.say("consent.given")
    expired = by_operator(resident, new_key, "consent.expired")
    resident.events.append(expired)
    renewed = by_operator(resident, new_key, "consent.renewed")
    decision = decide([*resident.events, renewed], operator_kids={expired.payload.kid})
    assert decision.reason is Reason.BROKEN_CHAIN


@pytest.mark.parametrize("kind", ["consent.renewed", "consent.limited", "consent.withdrawn"])
def test_the_operator_may_log_nothing_else(resident, new_key, decide, kind):
    events = resident.say("consent.given")
    forged = by_operator(resident, new_key, kind)
    decision = decide([*events, forged], operator_kids={forged.payload.kid})
    assert decision.reason is Reason.BROKEN_CHAIN


def test_a_stranger_cannot_log_an_expiry(resident, new_key, decide):
    events = resident.say("consent.given")
    assert decide([*events, by_operator(resident, new_key, "consent.expired")]).reason is (
        Reason.BROKEN_CHAIN
    )


def test_a_consent_dated_in_the_future_does_not_permit_yet(resident, decide):
    event = resident.sign("consent.given", at="2026-11-16T08:10:01Z")
    assert decide([event]).reason is Reason.NOT_YET


def test_clocks_may_differ_by_ten_minutes(resident, decide):
    event = resident.sign("consent.given", at="2026-11-16T08:10:00Z")
    assert decide([event]).reason is Reason.COVERED


def test_a_withdrawal_dated_in_the_future_counts_at_once(resident, decide):
    events = resident.say("consent.given")
    later = resident.sign("consent.withdrawn", at="2027-01-01T00:00:00Z")
    assert decide([*events, later]).reason is Reason.WITHDRAWN


@pytest.mark.parametrize(
    "change",
    [{"now": NOW.replace(tzinfo=None)}, {"epsilon_micro": -1}, {"spent_week_micro": -1}],
    ids=["a time without zone", "a negative epsilon", "a negative past"],
)
def test_a_question_without_sense_is_an_error(resident, decide, change):
    with pytest.raises(ValueError, match="aware time"):
        decide(resident.say("consent.given"), **change)


# With the clear body: the resident's own store.


@pytest.fixture
def key():
    return bytes(range(32))


@pytest.fixture
def bound(resident, purpose, body, key):
    """A given consent whose leaf commits to the body."""
    resident.purpose_digest = purpose.digest
    resident.events.append(resident.sign("consent.given", c=body.commitment(key=key)))
    return resident.events


def test_a_body_that_opens_the_commitment_permits(bound, body, key, decide):
    assert decide(bound, body=body, body_key=key).reason is Reason.COVERED


def test_a_body_with_other_limits_than_were_signed_is_refused(bound, body, key, decide):
    wider = replace(body, limits=replace(body.limits, epsilon_total_micro=10**9))
    assert decide(bound, body=wider, body_key=key).reason is Reason.BODY_MISMATCH


def test_a_body_under_another_key_is_refused(bound, body, decide):
    assert decide(bound, body=body, body_key=bytes(32)).reason is Reason.BODY_MISMATCH


def test_a_body_of_another_kind_of_event_is_refused(bound, body, decide):
    renewed = replace(body, event_type=EventType.RENEWED)
    assert decide(bound, body=renewed).reason is Reason.BODY_MISMATCH


def test_a_body_for_another_purpose_is_refused(bound, body, decide):
    other = replace(body, purposes=(replace(body.purposes[0], purpose_digest="ee" * 32),))
    assert decide(bound, body=other).reason is Reason.BODY_MISMATCH


EXPIRY = datetime(2027, 11, 9, 7, 0, tzinfo=UTC)
USES = {
    "one second before expiry": ({"now": EXPIRY - timedelta(seconds=1)}, Reason.COVERED),
    "at the very expiry": ({"now": EXPIRY}, Reason.EXPIRED),
    "a field within the limits": ({"fields": {"kilometres_by_mode"}}, Reason.COVERED),
    "a field beyond the limits": ({"fields": {"home_zone"}}, Reason.FIELDS_EXCEEDED),
    "all of a week's epsilon": ({"epsilon_micro": 1_000_000}, Reason.COVERED),
    "more than a week's epsilon": ({"epsilon_micro": 1_000_001}, Reason.EPSILON_EXCEEDED),
    "a week partly spent": ({"spent_week_micro": 1}, Reason.EPSILON_EXCEEDED),
    "the last of the total": ({"spent_total_micro": 51_000_000}, Reason.COVERED),
    "beyond the total": ({"spent_total_micro": 51_000_001}, Reason.EPSILON_EXCEEDED),
}


@pytest.mark.parametrize(("use", "reason"), USES.values(), ids=USES)
def test_a_consent_covers_no_more_than_its_limits(bound, body, decide, use, reason):
    assert decide(bound, body=body, **use).reason is reason


# With the published purpose only: the operator.

PUBLISHED_USES = {
    "within it": ({}, Reason.COVERED),
    "a field that it names": ({"fields": {"home_zone"}}, Reason.COVERED),
    "a field that it does not name": ({"fields": {"positions"}}, Reason.FIELDS_EXCEEDED),
    "more than its weekly epsilon": ({"epsilon_micro": 1_000_001}, Reason.EPSILON_EXCEEDED),
}


@pytest.mark.parametrize(("use", "reason"), PUBLISHED_USES.values(), ids=PUBLISHED_USES)
def test_a_consent_covers_no_more_than_its_purpose(bound, purpose, decide, use, reason):
    assert decide(bound, purpose=purpose, **use).reason is reason


def test_the_text_of_another_purpose_is_refused(bound, purpose, decide):
    other: Purpose = replace(purpose, version="2")
    assert decide(bound, purpose=other).reason is Reason.WRONG_PURPOSE


HOMES = {"among the zones": ("17300", Reason.COVERED), "elsewhere": ("17028", Reason.AREA_EXCEEDED)}


@pytest.mark.parametrize(("zone", "reason"), HOMES.values(), ids=HOMES)
def test_a_consent_limited_to_an_area_covers_a_home_in_it_alone(bound, body, decide, zone, reason):
    area = ConsentArea(outlines_sha256="ab" * 32, zones=("17300",))
    limited = replace(body, limits=replace(body.limits, area=area))
    assert decide(bound, body=limited, zone=zone).reason is reason


def test_a_use_that_tells_no_zone_is_outside_of_every_area(bound, body, decide):
    area = ConsentArea(outlines_sha256="ab" * 32, zones=("17300",))
    limited = replace(body, limits=replace(body.limits, area=area))
    assert decide(bound, body=limited).reason is Reason.AREA_EXCEEDED
