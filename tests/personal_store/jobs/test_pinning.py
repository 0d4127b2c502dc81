"""Keepers that came after the member: shown, confirmed by both, pinned once, never replaced."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contributions.task import TrustMode, join_signatures, sign_task
from personal_store.db import memberships
from personal_store.db.connection import reading, writing
from personal_store.errors import StoreError, TransportError
from personal_store.jobs import catalogue, pinning

STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)


@pytest.fixture
def early(resident, request):
    """Return a member of before the keepers, whose cooperative has asked with two since."""
    assert resident.member.keepers == ()
    keepers = request.getfixturevalue("keepers")
    task = resident.cooperative.ask(resident.purpose, trust_mode=TrustMode.TWO_KEEPERS)
    return resident, keepers, task


def kept(resident):
    return catalogue.the_membership(resident.store.engine)


def pin(resident, keepers):
    return pinning.run_once(resident.store, kept(resident), thumbprint=keepers.helper.card.kid)


def strangers(resident, keepers):
    """Have the cooperative name another second keeper, and ask with it."""
    other = type(keepers)(resident.cooperative.task_key, helper_key=STRANGER)
    resident.cooperative.keepers = other
    resident.cooperative.ask(resident.purpose, trust_mode=TrustMode.TWO_KEEPERS, week="2026-W47")
    return other


def test_the_keepers_of_the_newest_question_are_shown_and_not_pinned(early):
    resident, keepers, _ = early
    assert pinning.offered(resident.store, resident.member) == keepers.cards
    assert kept(resident).keepers == ()


def test_once_pinned_their_questions_are_answered(early):
    resident, keepers, task = early
    catalogue.run_once(resident.store.engine, kept(resident), resident.cooperative)
    with reading(resident.store.engine) as connection:
        assert memberships.tasks(connection, kept(resident)) == []
    pin(resident, keepers)
    resident.give()
    catalogue.run_once(resident.store.engine, kept(resident), resident.cooperative)
    sent = replace(resident, member=kept(resident)).send(task)
    assert [each.sealed for each in keepers.helper.read] == [sent.sealed_helper]


@pytest.mark.parametrize("said", ["", "short", "the leader's", "another"])
def test_nothing_is_pinned_without_the_second_keeper_s_thumbprint(early, said):
    resident, keepers, _ = early
    words = {
        "": "",
        "short": keepers.helper.card.kid[:11],
        "the leader's": keepers.leader.card.kid,
        "another": "A" * 43,
    }
    with pytest.raises(StoreError, match="empreinte"):
        pinning.run_once(resident.store, resident.member, thumbprint=words[said])
    assert kept(resident).keepers == ()


def test_pinned_keepers_stay_known_where_no_question_names_them(early):
    resident, keepers, _ = early
    pin(resident, keepers)
    resident.cooperative.asked.clear()
    assert pinning.offered(resident.store, kept(resident)) == ()
    assert kept(resident).keepers == keepers.cards


def test_changed_keepers_are_refused_and_the_pinned_ones_stay(early):
    """J4: pinned keepers MUST NOT be replaced."""
    resident, keepers, _ = early
    before = pin(resident, keepers)
    other = strangers(resident, keepers)
    with pytest.raises(StoreError, match="d'autres gardiens"):
        pinning.offered(resident.store, kept(resident))
    with pytest.raises(StoreError, match="d'autres gardiens"):
        pin(resident, other)
    assert kept(resident).keepers == before == keepers.cards


def test_pinned_keepers_are_never_written_over(early):
    resident, keepers, _ = early
    before = pin(resident, keepers)
    other = strangers(resident, keepers)
    with writing(resident.store.engine) as connection:
        memberships.pin_keepers(connection, resident.member, other.cards)
    assert kept(resident).keepers == before


def test_a_keeper_that_does_not_confirm_is_not_pinned(early):
    resident, keepers, _ = early
    helper = keepers.helper
    helper.card = replace(helper.card, name="autre")
    with pytest.raises(TransportError, match="ne confirme pas"):
        pinning.offered(resident.store, kept(resident))
    assert kept(resident).keepers == ()


@pytest.mark.parametrize("forged", ["leader", "helper"])
def test_a_question_that_a_stranger_signed_pins_nothing(early, forged):
    resident, keepers, task = early
    first = STRANGER if forged == "leader" else resident.cooperative.task_key
    second = STRANGER if forged == "helper" else keepers.helper_key
    resident.cooperative.asked[:] = [
        join_signatures(sign_task(task, first), sign_task(task, second))
    ]
    with pytest.raises(StoreError, match="clés attendues"):
        pinning.offered(resident.store, resident.member)


def test_without_a_question_of_two_keepers_there_is_nothing_to_pin(resident):
    resident.cooperative.ask(resident.purpose)
    assert pinning.offered(resident.store, resident.member) == ()
    with pytest.raises(StoreError, match="rien à épingler"):
        pinning.run_once(resident.store, resident.member, thumbprint="A" * 43)
