"""Who may sign what in a consent's chain: rotation, recovery, joint signers, delegates."""

from datetime import UTC, datetime

import pytest

from consents.errors import ChainError, ChainFault, MalformedLeaf
from consents.jws import thumbprint
from consents.records.chain import key_digest
from consents.records.decision import Reason, consent_state, permitted
from consents.records.mandate import Mandate
from consents.records.receipt import EventType, read_event

NOW = datetime(2026, 12, 1, tzinfo=UTC)
MANDATE = Mandate(
    starts_at=datetime(2026, 1, 1, tzinfo=UTC), ends_at=datetime(2027, 1, 1, tzinfo=UTC)
)


class Chain:
    """A chain of events written by whoever, judged as an auditor would."""

    def __init__(self, resident, new_key):
        self.resident = resident
        self.new_key = new_key
        self.stewards = ()

    def kid(self, name):
        return thumbprint(self.key(name).public_key())

    def key(self, name):
        return self.resident.key if name == "resident" else self.new_key(name)

    def add(self, kind, by="resident", names=None, **changes):
        if names is not None:
            changes["c"] = key_digest(self.kid(names))
        if kind == "delegate.named":
            changes.setdefault("m", MANDATE)
        event = self.resident.sign(kind, key=self.key(by), **changes)
        self.resident.events.append(event)
        return self

    @property
    def state(self):
        return consent_state(
            self.resident.events,
            log_origin=self.resident.origin,
            steward_kids=[self.kid(name) for name in self.stewards],
        )

    @property
    def reason(self):
        return permitted(
            self.resident.events,
            log_origin=self.resident.origin,
            purpose_digest=self.resident.purpose_digest,
            epsilon_micro=1,
            now=NOW,
            steward_kids=[self.kid(name) for name in self.stewards],
        ).reason

    def fault(self):
        with pytest.raises(ChainError) as caught:
            _ = self.state
        return caught.value.fault


@pytest.fixture
def chain(resident, new_key):
    return Chain(resident, new_key)


def rotated(chain):
    chain.add("consent.given").add("key.rotated", names="second")
    return chain.add("key.rotated", by="second", names="resident")


def test_a_rotated_key_continues_the_consent(chain):
    assert rotated(chain).state.kid == chain.kid("second")


def test_a_rotation_leaves_the_permission_as_it_was(chain):
    assert rotated(chain).reason is Reason.COVERED


def test_the_new_key_withdraws(chain):
    assert rotated(chain).add("consent.withdrawn", by="second").reason is Reason.WITHDRAWN


def test_the_old_key_is_worth_nothing_after_a_rotation(chain):
    assert rotated(chain).add("consent.withdrawn").fault() is ChainFault.KEY


def test_a_rotation_counts_only_once_the_new_key_confirms(chain):
    chain.add("consent.given").add("key.rotated", names="second")
    assert chain.state.kid == chain.resident.kid


def test_a_resident_can_withdraw_before_the_new_key_confirms(chain):
    chain.add("consent.given").add("key.rotated", names="second").add("consent.withdrawn")
    assert chain.reason is Reason.WITHDRAWN


def test_an_abandoned_rotation_cannot_be_confirmed_later(chain):
    chain.add("consent.given").add("key.rotated", names="second").add("consent.withdrawn")
    assert chain.add("key.rotated", by="second", names="resident").fault() is ChainFault.KEY


def test_a_key_that_nobody_named_cannot_take_a_consent_over(chain):
    chain.add("consent.given").add("key.rotated", by="thief", names="resident")
    assert chain.fault() is ChainFault.KEY


def test_the_new_key_must_name_the_one_that_it_follows(chain):
    chain.add("consent.given").add("key.rotated", names="second")
    assert chain.add("key.rotated", by="second", names="other").fault() is ChainFault.KEY


def test_a_key_does_not_rotate_to_itself(chain):
    chain.add("consent.given").add("key.rotated", names="resident")
    assert chain.fault() is ChainFault.KEY


def recovered(chain):
    chain.stewards = ("steward",)
    return chain.add("consent.given").add("key.recovered", by="steward", names="second")


def test_a_recovery_permits_nothing(chain):
    assert recovered(chain).reason is Reason.KEY_LOST


def test_a_recovered_key_withdraws(chain):
    chain = recovered(chain).add("consent.withdrawn", by="second")
    assert chain.reason is Reason.WITHDRAWN


@pytest.mark.parametrize("kind", ["consent.renewed", "consent.limited", "consent.given"])
def test_a_recovered_key_cannot_permit_anything(chain, kind):
    assert recovered(chain).add(kind, by="second").fault() is ChainFault.TRANSITION


def test_a_recovered_key_cannot_give_again_after_withdrawing(chain):
    chain = recovered(chain).add("consent.withdrawn", by="second")
    assert chain.add("consent.given", by="second").fault() is ChainFault.TRANSITION


def test_a_recovered_key_cannot_rotate_the_limit_away(chain):
    chain = recovered(chain).add("key.rotated", by="second", names="third")
    assert chain.fault() is ChainFault.TRANSITION


def test_only_a_steward_recovers(chain):
    chain.add("consent.given").add("key.recovered", by="stranger", names="second")
    assert chain.fault() is ChainFault.KEY


def test_a_resident_cannot_play_the_steward(chain):
    chain.add("consent.given").add("key.recovered", names="second")
    assert chain.fault() is ChainFault.KEY


def joint(chain):
    return chain.add("signer.joined", names="parent")


def test_a_child_alone_permits_nothing(chain):
    assert joint(chain).add("consent.given").reason is Reason.NOT_ALL_SIGNED


def test_a_parent_alone_permits_nothing(chain):
    assert joint(chain).add("consent.given", by="parent").reason is Reason.NOT_ALL_SIGNED


def test_child_and_parent_together_permit(chain):
    assert joint(chain).add("consent.given").add("consent.given", by="parent").reason is (
        Reason.COVERED
    )


@pytest.mark.parametrize("who", ["resident", "parent"])
def test_either_ends_a_joint_consent(chain, who):
    joint(chain).add("consent.given").add("consent.given", by="parent")
    assert chain.add("consent.withdrawn", by=who).reason is Reason.WITHDRAWN


def test_a_child_signing_twice_is_not_two_signers(chain):
    joint(chain).add("consent.given").add("consent.given")
    assert chain.fault() is ChainFault.KEY


def test_one_refusal_undoes_the_other_s_agreement(chain):
    joint(chain).add("consent.given").add("consent.refused", by="parent")
    assert chain.reason is Reason.REFUSED


def test_after_a_refusal_one_signer_does_not_suffice(chain):
    joint(chain).add("consent.refused").add("consent.given")
    assert chain.reason is Reason.REFUSED


def test_two_parents_must_both_sign(chain):
    chain.add("signer.joined", names="mother").add("signer.joined", names="father")
    chain.add("consent.given").add("consent.given", by="mother")
    assert chain.reason is Reason.NOT_ALL_SIGNED
    assert chain.add("consent.given", by="father").reason is Reason.COVERED


def test_no_signer_joins_after_the_first_choice(chain):
    chain.add("consent.given").add("signer.joined", names="parent")
    assert chain.fault() is ChainFault.TRANSITION


def test_a_stranger_does_not_sign_in_a_joint_consent(chain):
    joint(chain).add("consent.given").add("consent.given", by="stranger")
    assert chain.fault() is ChainFault.KEY


def test_a_joint_signer_s_new_key_takes_the_place_of_the_old(chain):
    joint(chain).add("key.rotated", by="parent", names="new")
    chain.add("key.rotated", by="new", names="parent")
    chain.add("consent.given").add("consent.given", by="new")
    assert chain.reason is Reason.COVERED


def test_a_signer_s_new_key_does_not_take_the_other_signer_s_place(chain):
    joint(chain).add("key.rotated", names="second")
    assert chain.add("key.rotated", by="second", names="parent").fault() is ChainFault.KEY


@pytest.mark.parametrize("known", ["parent", "helper", "paper"])
def test_no_key_that_the_consent_knows_is_named_as_a_new_one(chain, known):
    joint(chain).add("consent.given").add("consent.given", by="parent")
    chain.add("delegate.named", names="helper").add("recovery.named", names="paper")
    assert chain.add("key.rotated", names=known).fault() is ChainFault.KEY


def test_a_delegate_withdraws(chain):
    chain.add("consent.given").add("delegate.named", names="helper")
    assert chain.add("consent.withdrawn", by="helper").reason is Reason.WITHDRAWN


@pytest.mark.parametrize("kind", ["consent.renewed", "consent.limited", "key.rotated"])
def test_a_delegate_does_nothing_else(chain, kind):
    chain.add("consent.given").add("delegate.named", names="helper")
    assert chain.add(kind, by="helper", names="other").fault() is ChainFault.KEY


def test_a_delegate_does_not_give_again(chain):
    chain.add("consent.given").add("delegate.named", names="helper").add("consent.withdrawn")
    assert chain.add("consent.given", by="helper").fault() is ChainFault.KEY


def test_naming_a_delegate_leaves_the_permission_as_it_was(chain):
    chain.add("consent.given").add("delegate.named", names="helper")
    assert chain.reason is Reason.COVERED


STARTS, ENDS = "2026-11-20T00:00:00Z", "2026-11-30T00:00:00Z"
TIMES = {
    "a second before": ("2026-11-19T23:59:59Z", False),
    "at its start": (STARTS, True),
    "in its last second": ("2026-11-29T23:59:59Z", True),
    "at its end": (ENDS, False),
}


@pytest.mark.parametrize(("at", "counts"), TIMES.values(), ids=TIMES)
def test_a_delegate_withdraws_within_the_time_of_the_mandate_alone(chain, at, counts):
    mandate = Mandate.from_value({"acts": ["consent.withdrawn"], "from": STARTS, "until": ENDS})
    chain.add("consent.given").add("delegate.named", names="helper", m=mandate)
    chain.add("consent.withdrawn", by="helper", at=at)
    if counts:
        assert chain.reason is Reason.WITHDRAWN
    else:
        assert chain.fault() is ChainFault.KEY


def test_a_revoked_delegate_is_a_stranger(chain):
    chain.add("consent.given").add("delegate.named", names="helper")
    chain.add("delegate.revoked", names="helper")
    assert chain.reason is Reason.COVERED
    assert chain.add("consent.withdrawn", by="helper").fault() is ChainFault.KEY


def test_revoking_one_delegate_leaves_the_other(chain):
    chain.add("consent.given").add("delegate.named", names="helper")
    chain.add("delegate.named", names="other").add("delegate.revoked", names="helper")
    assert chain.add("consent.withdrawn", by="other").reason is Reason.WITHDRAWN


def test_a_mandate_given_anew_replaces_the_one_of_before(chain):
    ended = Mandate.from_value({"acts": ["consent.withdrawn"], "from": STARTS, "until": ENDS})
    chain.add("consent.given").add("delegate.named", names="helper")
    chain.add("delegate.named", names="helper", m=ended)
    assert chain.add("consent.withdrawn", by="helper", at=ENDS).fault() is ChainFault.KEY


@pytest.mark.parametrize("kind", ["delegate.named", "delegate.revoked", "recovery.named"])
def test_a_delegate_names_and_revokes_nobody(chain, kind):
    chain.add("consent.given").add("delegate.named", names="helper")
    assert chain.add(kind, by="helper", names="other").fault() is ChainFault.KEY


def test_nobody_is_revoked_who_was_not_named(chain):
    chain.add("consent.given").add("delegate.revoked", names="helper")
    assert chain.fault() is ChainFault.KEY


def lost(chain):
    return chain.add("consent.given").add("recovery.named", names="paper")


def test_naming_a_recovery_key_leaves_the_permission_as_it_was(chain):
    assert lost(chain).reason is Reason.COVERED


def test_the_recovery_key_withdraws_and_nobody_gives_again_under_that_consent(chain):
    assert lost(chain).add("consent.withdrawn", by="paper").reason is Reason.WITHDRAWN
    assert chain.add("consent.given").fault() is ChainFault.TRANSITION


def test_the_recovery_key_ends_a_joint_consent_too(chain):
    joint(chain).add("consent.given").add("consent.given", by="parent")
    chain.add("recovery.named", names="paper")
    assert chain.add("consent.withdrawn", by="paper").reason is Reason.WITHDRAWN


@pytest.mark.parametrize(
    "kind", ["consent.renewed", "consent.limited", "recovery.named", "key.recovered", "key.rotated"]
)
def test_the_recovery_key_does_nothing_but_withdraw(chain, kind):
    assert lost(chain).add(kind, by="paper", names="other").fault() is ChainFault.KEY


def test_the_newest_recovery_key_counts(chain):
    lost(chain).add("recovery.named", names="newer")
    assert chain.add("consent.withdrawn", by="paper").fault() is ChainFault.KEY


def test_the_recovery_key_of_another_purpose_is_refused(chain):
    chain.add("consent.given").add("recovery.named", names="paper", pd="ef" * 32)
    assert chain.fault() is ChainFault.PURPOSE


def test_a_mandate_stands_in_the_leaf_that_names_a_delegate_and_in_no_other(chain):
    chain.add("consent.given").add("delegate.named", names="helper")
    assert read_event(chain.resident.events[-1].leaf).payload.m == MANDATE
    assert b'"m"' not in chain.resident.events[0].payload.to_bytes()
    for kind, mandate in (("delegate.named", None), ("delegate.revoked", MANDATE)):
        with pytest.raises(MalformedLeaf, match="mandate"):
            chain.add(kind, names="helper", m=mandate)


BAD_MANDATES = {
    "for more than withdrawing": {"acts": ["consent.given"]},
    "for nothing": {"acts": []},
    "of acts that are a text": {"acts": "consent.withdrawn"},
    "that ends as it starts": {"until": STARTS},
    "without an end": {"until": ""},
    "of half a second": {"from": "2026-11-20T00:00:00.5Z"},
    "with a member too many": {"name": "Marie"},
}


@pytest.mark.parametrize("change", BAD_MANDATES.values(), ids=BAD_MANDATES)
def test_a_mandate_that_breaks_its_form_is_refused(change):
    honest = {"acts": ["consent.withdrawn"], "from": STARTS, "until": ENDS}
    assert Mandate.from_value(honest).to_mapping() == honest
    with pytest.raises(MalformedLeaf):
        Mandate.from_value(honest | change)


def test_a_withdrawal_of_one_chain_does_not_take_keys_into_another(chain):
    chain.add("consent.given")
    other = chain.resident.sign("key.rotated", c=key_digest(chain.kid("x")), cid="ab" * 16)
    chain.resident.events.append(other)
    assert chain.fault() is ChainFault.CONSENT_ID


def test_every_resident_s_event_but_those_about_keys_is_a_consent_event():
    assert all(kind.of_consent != kind.of_keys for kind in EventType if kind.of_resident)
