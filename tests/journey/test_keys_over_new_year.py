"""Delegates, recovery and a new key, over New Year: named in one year's log, used in the next."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.jws import thumbprint
from consents.records.mandate import Mandate
from consents.records.record import EventType
from consents.tlog.checkpoint import NoteKey, read_checkpoint
from coop_aggregator.tlog.shards import open_next
from personal_store import vault
from personal_store.choices import erasing, log_years, naming, rekeying, standing_in
from personal_store.choices.sheets import paper_sheet, parse_sheet, sheet_for
from personal_store.choices.standing_in import Outside
from personal_store.db.connection import reading
from personal_store.errors import TransportError
from tests.new_year import JANUARY, NEW, OLD

HELPER = Ed25519PrivateKey.from_private_bytes(b"d" * 32)
KID = thumbprint(HELPER.public_key())


@pytest.fixture
def given(resident):
    """Return a resident whose consent is in the log of the old year."""
    resident.give()
    resident.hand_over()
    return resident


@pytest.fixture
def turn(leader, clock):
    """Return a function that turns the year."""

    def turn(at=JANUARY):
        clock.at = at
        open_next(leader)

    return turn


@pytest.fixture
def sheet(given):
    """Return the file that was written in the old year."""
    return sheet_for(given.store, given.member, [cid_of(given)])


@pytest.fixture
def outside(network, clock):
    """Return a function that gives the world of somebody without a store, now."""
    return lambda: Outside(
        connect=lambda _url: network,
        now=clock.now(),
        randomness=lambda length: b"a" * length,
        language="fr",
    )


def cid_of(resident):
    return resident.chains()[0][0].signed.payload.cid


def name(resident, clock):
    start = clock.now().replace(microsecond=0)
    mandate = Mandate(starts_at=start, ends_at=start + timedelta(days=90))
    naming.name_delegate(
        resident.store, resident.member, cid_of(resident)[:8], kid=KID, mandate=mandate
    )


def kinds(resident):
    return [each.signed.payload.t for each in resident.chains()[0]]


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What was signed outside of the store, and the logs that prove it."""

    kinds: list
    logs: list

    @classmethod
    def of(cls, events):
        return cls(
            kinds=[each.signed.payload.t for each in events],
            logs=[read_checkpoint(each.receipt.checkpoint).origin for each in events],
        )


def test_a_consent_of_december_has_its_key_changed_in_january(given, turn):
    turn()
    rekeying.rotate(given.store, given.member, cid_of(given)[:8])
    assert kinds(given) == [EventType.GIVEN, EventType.KEY_ROTATED, EventType.KEY_ROTATED]
    assert all(each.receipt is not None for each in given.chains()[0])


def test_a_delegate_is_named_and_revoked_in_january_under_a_consent_of_december(given, clock, turn):
    turn()
    name(given, clock)
    naming.revoke_delegate(given.store, given.member, cid_of(given)[:8], kid=KID)
    assert kinds(given)[1:] == [EventType.DELEGATE_NAMED, EventType.DELEGATE_REVOKED]


def test_the_withdrawal_code_is_named_in_january_under_a_consent_of_december(given, turn):
    turn()
    naming.prepare_code(given.store, given.member)
    assert kinds(given)[1:] == [EventType.RECOVERY_NAMED]


def test_the_mandates_of_december_are_read_in_january(given, clock, turn):
    name(given, clock)
    turn()
    given.hand_over()
    state = naming.state_of(given.store, _consent(given))
    assert [each.kid for each in state.delegates] == [KID]


def _consent(resident):
    with reading(resident.store.engine) as connection:
        return rekeying.permission(connection, resident.member, cid_of(resident))


def test_a_delegate_named_in_december_withdraws_in_january(given, clock, sheet, outside, turn):
    name(given, clock)
    turn()
    ended = Ended.of(list(standing_in.withdraw(sheet, HELPER, outside())))
    assert (ended.kinds, ended.logs) == ([EventType.WITHDRAWN], [NEW])
    assert list(standing_in.withdraw(sheet, HELPER, outside())) == []


def test_a_withdrawal_code_named_in_december_withdraws_two_years_later(given, outside, turn):
    code = naming.prepare_code(given.store, given.member)
    paper = paper_sheet(given.member.url, given.member.log_vkeys[0])
    turn()
    turn(datetime(2028, 1, 2, tzinfo=UTC))
    secret = vault.read_code(code)
    ended = Ended.of(list(standing_in.recover(paper, secret, outside())))
    assert ended.kinds == [EventType.WITHDRAWN]
    assert set(ended.logs) == {"coop.test/log/2028"}
    assert list(standing_in.recover(paper, secret, outside())) == []


def test_a_sheet_written_in_january_ends_a_consent_of_december(given, clock, outside, turn):
    name(given, clock)
    turn()
    given.hand_over()
    followed = log_years.follow(given.store, given.member)
    sheet = parse_sheet(sheet_for(given.store, followed, [cid_of(given)]).to_bytes())
    assert len(list(standing_in.withdraw(sheet, HELPER, outside()))) == 1


def test_a_delegate_follows_no_log_that_the_one_of_the_file_did_not_name(
    given, clock, sheet, outside, turn
):
    name(given, clock)
    turn()
    stranger = NoteKey.of_log(OLD, HELPER.public_key()).vkey
    with pytest.raises(TransportError, match="protocole"):
        list(standing_in.withdraw(replace(sheet, log_vkeys=(stranger,)), HELPER, outside()))
    assert kinds(given)[-1] is EventType.DELEGATE_NAMED


def test_an_erasure_is_confirmed_in_the_very_visit_that_follows_the_new_log(given, turn):
    given.withdraw()
    given.hand_over()
    erasing.erase(given.store)
    turn()
    assert erasing.confirm(given.store, given.member).consents == 1


def test_a_log_is_followed_again_without_harm_by_who_did_not_know(given, turn):
    turn()
    for _ in range(2):
        assert log_years.follow(given.store, given.member).origins == (OLD, NEW)
