"""Keys of a consent, end to end: rotation, and a child with a parent, against the cooperative."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete

from consents.jws import thumbprint
from consents.records.decision import consent_state
from consents.records.record import EventType
from contributions.messages import read_report
from personal_store.choices import consenting, rekeying
from personal_store.choices.consent_events import VALIDITY
from personal_store.db import consents
from personal_store.db.connection import reading, writing
from personal_store.db.tables import consent_event
from personal_store.errors import GateClosed, TransportError


def state_of(resident):
    chain = resident.chains()[-1]
    return consent_state([event.signed for event in chain], log_origin=resident.member.log_origin)


def key_of(resident):
    with reading(resident.store.engine) as connection:
        return consents.every(connection)[-1].key


def types_of(resident):
    return [event.signed.payload.t for event in resident.chains()[-1]]


@pytest.fixture
def given(resident):
    """Return a resident who consented and travelled."""
    resident.give()
    resident.hand_over()
    resident.travel(train=3.0)
    return resident


def rotate(resident):
    cid = resident.chains()[-1][0].signed.payload.cid
    rekeying.rotate(resident.store, resident.member, cid[:8])


def test_the_new_key_signs_what_the_cooperative_takes_in_from_then_on(given, task):
    old = thumbprint(key_of(given).public_key())
    rotate(given)
    sent = read_report(given.send(task).report)
    assert sent.kid == state_of(given).kid != old


def test_the_old_key_is_kept_nowhere_and_the_new_one_withdraws(given):
    old = key_of(given)
    rotate(given)
    assert key_of(given).private_bytes_raw() != old.private_bytes_raw()
    given.withdraw()
    assert given.hand_over() == 1
    assert state_of(given).status is EventType.WITHDRAWN


def test_a_proof_of_before_verifies_after_a_change_of_key(given):
    before = given.chains()[-1][0].receipt
    rotate(given)
    first, *changes = given.chains()[-1]
    assert first.receipt == before
    for event in (first, *changes):
        event.receipt.verify(given.member.log_vkey)
    assert types_of(given) == [EventType.GIVEN, EventType.KEY_ROTATED, EventType.KEY_ROTATED]


def test_a_consent_renewed_after_a_change_of_key_is_signed_by_the_new_key(given, clock):
    rotate(given)
    clock.at += VALIDITY
    given.give()
    given.hand_over()
    assert given.chains()[-1][-1].signed.payload.kid == state_of(given).kid
    assert state_of(given).status is EventType.RENEWED


def test_no_key_changes_while_the_cooperative_does_not_answer(given, network):
    before, network.down = key_of(given), True
    with pytest.raises(TransportError):
        rotate(given)
    assert types_of(given) == [EventType.GIVEN]
    assert key_of(given).private_bytes_raw() == before.private_bytes_raw()


@pytest.mark.parametrize("start", ["", "zzzzzzzz"])
def test_a_number_that_names_no_consent_in_force_changes_nothing(given, start):
    with pytest.raises(GateClosed, match="rien n'a changé"):
        rekeying.rotate(given.store, given.member, start)
    assert types_of(given) == [EventType.GIVEN]


@pytest.fixture
def parent():
    return Ed25519PrivateKey.from_private_bytes(b"p" * 32)


def give_with(resident, parent):
    consenting.give(
        resident.store.engine,
        resident.asked(),
        now=resident.store.clock.now(),
        randomness=resident.store.randomness,
        parent=parent,
    )


def withdraw_with(resident, parent):
    return consenting.withdraw(
        resident.store.engine,
        resident.member,
        language="fr",
        now=resident.store.clock.now(),
        randomness=resident.store.randomness,
        parent=parent,
    )


@pytest.fixture
def child(resident, parent):
    """Return a child who consented with a parent, and travelled."""
    give_with(resident, parent)
    resident.hand_over()
    resident.travel(train=3.0)
    return resident


def test_13_a_child_s_contribution_is_taken_in_once_both_have_signed(child, task, parent):
    read = read_report(child.send(task).report)
    assert state_of(child).signers == {read.kid, thumbprint(parent.public_key())}


def test_13_without_the_parent_s_signature_nothing_leaves(child, task):
    with writing(child.store.engine) as connection:
        last = child.chains()[-1][-1].signed.payload
        rows = consent_event.c
        connection.execute(delete(consent_event).where(rows.cid == last.cid, rows.n == last.n))
    assert isinstance(child.preview(task).closed, GateClosed)


@pytest.mark.parametrize("by_parent", [True, False], ids=["parent", "child"])
def test_13_either_ends_it(child, task, parent, by_parent):
    withdraw_with(child, parent if by_parent else None)
    assert child.hand_over() == 1
    assert state_of(child).status is EventType.WITHDRAWN
    with pytest.raises(GateClosed):
        child.send(task)


def test_a_stranger_s_key_withdraws_nothing(child):
    with pytest.raises(GateClosed, match="Aucun accord"):
        withdraw_with(child, Ed25519PrivateKey.from_private_bytes(b"s" * 32))


def test_both_sign_a_renewal(child, clock, parent):
    clock.at += VALIDITY
    with pytest.raises(GateClosed, match="mêmes clés"):
        child.give()
    with pytest.raises(GateClosed, match="mêmes clés"):
        give_with(child, Ed25519PrivateKey.from_private_bytes(b"s" * 32))
    give_with(child, parent)
    child.hand_over()
    assert state_of(child).status is EventType.RENEWED


def test_a_child_s_key_changes_and_the_parent_s_still_counts(child, task, parent):
    rotate(child)
    assert read_report(child.send(task).report).kid == state_of(child).kid
    withdraw_with(child, parent)
    assert child.hand_over() == 1


# `Resident.travel` leaves a week before the clock's Wednesday.
@pytest.mark.parametrize(("weekdays", "km"), [((3,), 3), ((1, 2, 4, 5, 6, 7), 0), (None, 3)])
def test_only_trips_of_the_days_agreed_to_are_counted(resident, task, weekdays, km):
    choice = replace(resident.asked(), weekdays=weekdays)
    now, randomness = resident.store.clock.now(), resident.store.randomness
    consenting.give(resident.store.engine, choice, now=now, randomness=randomness)
    resident.hand_over()
    resident.travel(train=3.0)
    assert sum(resident.preview(task).week.figures.values()) == km
    assert resident.send(task).head == state_of(resident).head
