"""Step 6, consent events: what enters the log, in which order, and what never does."""

import threading

import pytest

from consents.jws import thumbprint
from consents.records.receipt import EventType, LeafPayload, leaf_sha256, sign_event
from consents.tlog.checkpoint import verify_checkpoint
from coop_aggregator import intake
from coop_aggregator.db.log import SqlLog, leaf_range
from coop_aggregator.errors import EventRefused


def size(coop):
    with coop.leader.database.read() as connection:
        return SqlLog(connection, now=coop.clock.now()).size()


def refused(coop, *, leaf, membership):
    before = size(coop)
    with pytest.raises(EventRefused) as caught:
        intake.receive_event(coop.leader, leaf=leaf, membership=membership)
    assert size(coop) == before
    return caught.value.status


def test_a_given_consent_is_proved_to_stand_in_the_log(coop):
    resident = coop.resident(consents=False)
    receipt = resident.send_event().logged
    assert receipt.verify(coop.leader.who.log_vkey).payload.cid == resident.cid


def test_the_root_of_the_answer_is_the_checkpoint_s(light_coop):
    appended = light_coop.resident(consents=False).send_event()
    checkpoint = verify_checkpoint(appended.logged.checkpoint, light_coop.leader.who.log_vkey)
    assert appended.root == checkpoint.root


def test_the_same_event_twice_is_answered_with_its_first_index(coop):
    resident = coop.resident(consents=False)
    leaf = resident.leaf()
    word = resident.membership(leaf)
    first = intake.receive_event(coop.leader, leaf=leaf, membership=word)
    second = intake.receive_event(coop.leader, leaf=leaf, membership=word)
    assert (first.fresh, second.fresh) == (True, False)
    assert first.logged.index == second.logged.index


def test_a_whole_life_of_a_consent_is_logged(light_coop):
    resident = light_coop.resident()
    for kind in (EventType.LIMITED, EventType.RENEWED, EventType.WITHDRAWN, EventType.GIVEN):
        resident.send_event(kind)
    assert size(light_coop) == 1 + 5  # the purpose comes first


def test_a_refusal_is_logged_like_a_consent(light_coop):
    light_coop.resident(consents=False).send_event(EventType.REFUSED)
    assert size(light_coop) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"o": "elsewhere.example/log"},
        {"pd": "ab" * 32},
        {"n": 1, "p": "ab" * 32},
        {"t": EventType.RENEWED},
        {"t": EventType.BATCH_COMMITTED},
    ],
    ids=["another log", "unknown purpose", "a gap", "renewed before given", "an operator's act"],
)
def test_an_event_that_does_not_fit_is_refused(light_coop, changes):
    """C3: The cooperative MUST append a leaf only where it continues its chain."""
    resident = light_coop.resident(consents=False)
    kind = changes.pop("t", EventType.GIVEN)
    leaf = resident.leaf(kind, **changes)
    assert refused(light_coop, leaf=leaf, membership=resident.membership(leaf)) == 422


def test_bytes_that_are_no_leaf_are_refused(light_coop):
    resident = light_coop.resident(consents=False)
    word = resident.membership(resident.leaf())
    assert refused(light_coop, leaf=b"a.b.c", membership=word) == 422


def test_a_membership_for_another_leaf_is_refused(light_coop):
    resident = light_coop.resident(consents=False)
    word = resident.membership(resident.leaf(c="11" * 32))
    assert refused(light_coop, leaf=resident.leaf(), membership=word) == 422


def test_a_membership_signed_by_another_member_is_refused(light_coop):
    resident, other = light_coop.resident(consents=False), light_coop.resident(consents=False)
    leaf = resident.leaf()
    word = resident.membership(leaf, key=other.member_key)
    assert refused(light_coop, leaf=leaf, membership=word) == 422


def test_a_membership_of_nobody_is_refused(light_coop):
    resident = light_coop.resident(consents=False)
    leaf = resident.leaf()
    word = resident.membership(leaf, member_id="ab" * 16)
    assert refused(light_coop, leaf=leaf, membership=word) == 422


def test_a_member_cannot_continue_the_consent_of_another(light_coop):
    owner, thief = light_coop.resident(), light_coop.resident(consents=False)
    leaf = owner.leaf(EventType.WITHDRAWN)
    assert refused(light_coop, leaf=leaf, membership=thief.membership(leaf)) == 422


def test_a_withdrawal_by_another_key_is_refused(light_coop):
    resident, other = light_coop.resident(), light_coop.resident(consents=False)
    kid = thumbprint(other.consent_key.public_key())
    forged = LeafPayload(
        t=EventType.WITHDRAWN,
        o=light_coop.leader.who.origin,
        cid=resident.cid,
        n=1,
        p=leaf_sha256(resident.leaves[-1]),
        pd=light_coop.purpose_digest,
        c="00" * 32,
        at="2026-11-17T08:00:00Z",
        kid=kid,
    )
    leaf = sign_event(forged, other.consent_key)
    assert refused(light_coop, leaf=leaf, membership=resident.membership(leaf)) == 422


def test_one_consent_key_serves_one_consent_only(light_coop):
    resident = light_coop.resident()
    resident.send_event(EventType.WITHDRAWN)
    leaf = resident.leaf(cid="cd" * 16, n=0, p="")
    assert refused(light_coop, leaf=leaf, membership=resident.membership(leaf)) == 422


def test_a_second_consent_in_force_for_the_same_purpose_is_refused(light_coop):
    resident, spare = light_coop.resident(), light_coop.resident(consents=False)
    spare.member_id, spare.member_key = resident.member_id, resident.member_key
    leaf = spare.leaf()
    assert refused(light_coop, leaf=leaf, membership=spare.membership(leaf)) == 409


def test_a_new_consent_after_a_withdrawal_is_accepted(light_coop):
    resident, spare = light_coop.resident(), light_coop.resident(consents=False)
    resident.send_event(EventType.WITHDRAWN)
    spare.member_id, spare.member_key = resident.member_id, resident.member_key
    spare.send_event()
    assert size(light_coop) == 4


def test_events_posted_at_once_take_positions_without_a_gap(coop):
    residents = [coop.resident(consents=False) for _ in range(6)]
    together = threading.Barrier(len(residents))
    positions = []

    def post(resident):
        together.wait()
        positions.append(resident.send_event().logged.index)

    threads = [threading.Thread(target=post, args=(resident,)) for resident in residents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(positions) == list(range(1, 7))
    with coop.leader.database.read() as connection:
        assert len(leaf_range(connection, start=0, end=100)) == 7
