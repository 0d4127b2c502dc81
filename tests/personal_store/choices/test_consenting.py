"""Consent: a choice holds at once, reaches the log in order, and only real proofs are kept."""

import json
from datetime import timedelta

import pytest

from consents.records.decision import consent_state
from consents.records.receipt import read_event
from consents.records.record import EventType
from personal_store.choices import consenting
from personal_store.choices.consent_events import VALIDITY, Choice
from personal_store.db import consents
from personal_store.db.connection import reading
from personal_store.errors import GateClosed, TransportError


@pytest.fixture
def purpose(cooperative):
    return cooperative.publish()


@pytest.fixture
def give(joined, member, purpose, cooperative):
    """Return a function that consents to a purpose, the published one unless another is given."""

    def give(to=purpose):
        told = cooperative.notice(to)
        choice = Choice(membership=member, purpose=to, notice=told, language="fr")
        return consenting.give(
            joined.engine, choice, now=joined.clock.now(), randomness=joined.randomness
        )

    return give


@pytest.fixture
def withdraw(joined, member):
    """Return a function that withdraws every consent."""

    def withdraw():
        return consenting.withdraw(
            joined.engine,
            member,
            language="en",
            now=joined.clock.now(),
            randomness=joined.randomness,
        )

    return withdraw


@pytest.fixture
def hand_over(joined, member):
    """Return a function that hands the waiting events over."""
    return lambda: consenting.hand_over(joined, member)


def chains(store):
    with reading(store.engine) as connection:
        return [consents.chain(connection, each.cid) for each in consents.every(connection)]


def types(chain):
    return [event.signed.payload.t for event in chain]


def test_a_consent_holds_as_soon_as_it_is_signed_whoever_can_be_reached(
    joined, give, cooperative
) -> None:
    cooperative.offline = True
    event = give()
    (chain,) = chains(joined)
    assert chain == [event]
    assert consenting.is_active(chain, now=joined.clock.now())
    assert cooperative.requests == []


def test_the_leaf_commits_to_the_body_that_is_kept(give) -> None:
    """C2: A leaf MUST carry no clear personal data; a fresh key binds the body."""
    event = give()
    assert event.signed.payload.c == event.body.commitment(key=event.commitment_key)
    assert "17300" not in event.signed.leaf.decode()


def test_the_body_says_what_was_consented_to(give, purpose, member, cooperative) -> None:
    body = give().body
    assert [each.purpose_digest for each in body.purposes] == [purpose.digest]
    assert body.privacy_notice.sha256 == cooperative.notice(purpose).digest
    assert body.limits.fields == purpose.fields
    assert body.limits.epsilon_week_micro == purpose.epsilon_week_micro
    assert body.party_identification[0].party_id == member.log_origin
    assert body.language == "fr"


def test_consenting_twice_is_refused_and_signs_nothing(joined, give) -> None:
    give()
    with pytest.raises(GateClosed, match="déjà"):
        give()
    assert [len(chain) for chain in chains(joined)] == [1]


def test_withdrawing_ends_the_chain_of_the_consent(joined, give, withdraw) -> None:
    give()
    withdraw()
    (chain,) = chains(joined)
    assert types(chain) == [EventType.GIVEN, EventType.WITHDRAWN]
    assert not consenting.is_active(chain, now=joined.clock.now())
    state = consent_state([each.signed for each in chain], log_origin=chain[0].signed.payload.o)
    assert state.status is EventType.WITHDRAWN


def test_withdrawing_without_a_consent_is_refused(joined, withdraw) -> None:
    with pytest.raises(GateClosed, match="Aucun accord"):
        withdraw()
    assert chains(joined) == []


def test_withdrawing_twice_is_refused(give, withdraw) -> None:
    give()
    withdraw()
    with pytest.raises(GateClosed):
        withdraw()


def test_withdrawing_ends_a_consent_to_an_earlier_wording_too(
    joined, give, withdraw, cooperative
) -> None:
    give()
    give(cooperative.publish(version="2"))
    assert len(withdraw()) == 2
    assert [types(chain)[-1] for chain in chains(joined)] == [EventType.WITHDRAWN] * 2


def test_consenting_again_opens_a_new_consent_under_a_new_key(joined, give, withdraw) -> None:
    """C1: Every consent event MUST be signed by a key made for that consent alone."""
    # At the same time of the clock: the order of choices must not depend on it.
    give()
    withdraw()
    give()
    first, second = chains(joined)
    assert types(second) == [EventType.GIVEN]
    assert first[0].signed.payload.cid != second[0].signed.payload.cid
    assert first[0].signed.payload.kid != second[0].signed.payload.kid
    with pytest.raises(GateClosed, match="déjà"):
        give()


def test_a_consent_runs_out_after_a_year(joined, give, clock) -> None:
    give()
    (chain,) = chains(joined)
    clock.advance(VALIDITY - timedelta(seconds=1))
    assert consenting.is_active(chain, now=clock.now())
    clock.advance(timedelta(seconds=1))
    assert not consenting.is_active(chain, now=clock.now())


def test_a_consent_that_ran_out_can_be_renewed_under_the_same_key(joined, give, clock) -> None:
    give()
    clock.advance(VALIDITY)
    give()
    (chain,) = chains(joined)
    assert types(chain) == [EventType.GIVEN, EventType.RENEWED]
    assert consenting.is_active(chain, now=clock.now())
    consent_state([each.signed for each in chain], log_origin=chain[0].signed.payload.o)


def test_a_renewal_allows_as_much_again_as_the_first_year(give, clock) -> None:
    first = give().body.limits
    clock.advance(VALIDITY)
    renewed = give().body.limits
    assert renewed.epsilon_total_micro == 2 * first.epsilon_total_micro
    assert renewed.epsilon_week_micro == first.epsilon_week_micro


def test_choices_reach_the_log_in_the_order_in_which_they_were_made(
    joined, give, withdraw, hand_over, cooperative
) -> None:
    give()
    withdraw()
    give()
    assert hand_over() == 3
    logged = [read_event(leaf) for leaf in cooperative.leaves.leaves()]
    kept = [event.signed for chain in chains(joined) for event in chain]
    assert logged == kept


def test_a_clock_set_back_between_two_choices_does_not_turn_them_round(
    give, withdraw, hand_over, cooperative, clock
) -> None:
    give()
    clock.advance(timedelta(hours=-3))
    withdraw()
    hand_over()
    logged = [read_event(leaf).payload.n for leaf in cooperative.leaves.leaves()]
    assert logged == [0, 1]


def test_what_was_handed_over_is_not_handed_over_again(give, hand_over, cooperative) -> None:
    give()
    hand_over()
    assert hand_over() == 0
    assert cooperative.leaves.size() == 1


def test_a_choice_made_offline_is_handed_over_later(
    joined, give, withdraw, hand_over, cooperative
) -> None:
    cooperative.offline = True
    give()
    withdraw()
    with pytest.raises(TransportError):
        hand_over()
    assert cooperative.leaves.size() == 0
    cooperative.offline = False
    assert hand_over() == 2
    assert [event.receipt.index for event in chains(joined)[0]] == [0, 1]


def test_an_answer_lost_after_the_log_took_the_leaf_adds_no_second_leaf(
    joined, give, hand_over, cooperative
) -> None:
    give()
    cooperative.lose_answers = True
    with pytest.raises(TransportError):
        hand_over()
    assert cooperative.leaves.size() == 1
    cooperative.lose_answers = False
    assert hand_over() == 1
    assert cooperative.leaves.size() == 1
    assert chains(joined)[0][0].receipt.index == 0


def test_the_proof_that_is_kept_verifies_against_the_pinned_key(
    joined, give, withdraw, hand_over, member
) -> None:
    give()
    withdraw()
    hand_over()
    for event in chains(joined)[0]:
        event.receipt.verify(member.log_vkey)


def test_the_membership_goes_beside_the_leaf_and_not_into_it(
    give, hand_over, cooperative, member
) -> None:
    give()
    hand_over()
    assert member.member_id not in next(cooperative.leaves.leaves()).decode()
    (body,) = [body for _, path, body in cooperative.requests if path == "/v1/events"]
    assert b"membership" in body


def _change(path, value):
    """Return an answer's change: put `value` at the dotted path of the document."""

    def change(body: bytes) -> bytes:
        document = json.loads(body)
        *parents, last = path.split(".")
        inner = document
        for name in parents:
            inner = inner[name]
        inner[last] = value(inner[last]) if callable(value) else value
        return json.dumps(document).encode()

    return change


LIES = {
    "no JSON": lambda _: b"<html>",
    "no object": lambda _: b"[]",
    "no proof": _change("proof", None),
    "proof of another index": _change("proof.index", lambda index: index + 1),
    "negative index": _change("proof.index", -1),
    "index as text": _change("proof.index", "zero"),
    "another size": _change("proof.size", lambda size: size + 1),
    "a hash turned round": _change("proof.hashes", lambda hashes: [each[::-1] for each in hashes]),
    "hashes that are none": _change("proof.hashes", ["xyz"]),
    "one hash too many": _change("proof.hashes", lambda hashes: [*hashes, "00" * 32]),
    "no checkpoint": _change("checkpoint", ""),
    "a checkpoint without signature": _change("checkpoint", lambda note: note.split("\n\n")[0]),
    "another root": _change("checkpoint", lambda note: note.replace(note.split("\n")[2], "A" * 44)),
    "text that cannot be encoded": _change("checkpoint", "\ud800"),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_a_receipt_that_does_not_verify_is_refused_and_nothing_of_it_is_kept(
    joined, give, hand_over, cooperative, lie
) -> None:
    """C4: A store MUST keep an answer only when its proof verifies."""
    give()
    hand_over()
    give(cooperative.publish(version="2"))
    cooperative.tamper["/v1/events"] = lie
    with pytest.raises(TransportError, match="protocole"):
        hand_over()
    assert chains(joined)[1][0].receipt is None


def test_a_receipt_of_another_log_with_the_same_name_is_refused(
    joined, give, hand_over, cooperative
) -> None:
    give()
    cooperative.log_key = cooperative.task_key
    with pytest.raises(TransportError, match="protocole"):
        hand_over()
    assert chains(joined)[0][0].receipt is None
