"""Delegates and withdrawal codes where the cooperative is down or hostile: by the stewards' box."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.canonical import utc_text
from consents.jws import thumbprint
from consents.records.decision import consent_state
from consents.records.mandate import Mandate
from consents.records.receipt import EventType, read_event, sign_event
from consents.tlog.policy import policy_text
from consents.tlog.promise import read_slip
from coop_aggregator.db import log as log_db
from coop_aggregator.jobs import dropbox
from coop_aggregator.jobs.witness import Answer as BoxAnswer
from coop_aggregator.tlog.dropbox import receive_withdrawal, slips_after
from personal_store import vault
from personal_store.choices import consenting, naming, standing_in
from personal_store.choices.consent_events import sign_keys
from personal_store.choices.sheets import parse_sheet, sheet_for, sheet_state, write_own
from personal_store.choices.standing_in import Outside
from personal_store.db import withdrawal_codes
from personal_store.db.connection import writing
from personal_store.db.consents import Consent
from personal_store.db.trust import Trust
from personal_store.errors import GateClosed, TransportError
from personal_store.keeping import doctor
from personal_store.transport import Answer

BOX_URL = "https://stewards.test"
HELPER = Ed25519PrivateKey.from_private_bytes(b"d" * 32)
KID = thumbprint(HELPER.public_key())


class Box:
    """The way to the stewards' own functions, for residents and for the cooperative."""

    def __init__(self, stewards):
        self.stewards = stewards
        self.down = False

    def exchange(self, method, path, body):
        assert (method, path) == ("POST", "/v1/dropbox")
        if self.down:
            raise TransportError(fr="pas de réseau", en="no network")
        slip = receive_withdrawal(self.stewards, json.loads(body)["leaf"].encode())
        return Answer(status=201, body=json.dumps({"slip": slip.decode()}).encode())

    def fetch_slips(self, body):
        found = slips_after(self.stewards, json.loads(body)["request"].encode())
        slips = [{"sequence": each.sequence, "slip": each.slip.decode()} for each in found]
        return BoxAnswer(status=200, text=json.dumps({"slips": slips}))


@pytest.fixture
def box(stewards):
    return Box(stewards)


@pytest.fixture
def given(resident, stewards):
    """Return a resident who consented, named a delegate for a week, and trusts the stewards."""
    resident.give()
    resident.hand_over()
    text = policy_text(log_vkey=resident.member.log_vkey, witness_vkeys=[stewards.who.own_vkey])
    pinned = Trust(policy_text=text, stewards_url=BOX_URL)
    consenting.pin_trust(resident.store, resident.member, pinned)
    start = resident.store.clock.now().replace(microsecond=0)
    mandate = Mandate(starts_at=start, ends_at=start + timedelta(days=7))
    naming.name_delegate(
        resident.store, resident.member, cid_of(resident)[:8], kid=KID, mandate=mandate
    )
    return resident


@pytest.fixture
def outside(network, box, clock):
    """Return a function that gives the world of somebody without a store, now."""

    def outside(coop=network):
        return Outside(
            connect=lambda url: box if url == BOX_URL else coop,
            now=clock.now(),
            randomness=lambda length: b"a" * length,
            language="fr",
        )

    return outside


class Hostile:
    """A cooperative that hides every consent, or takes no event in."""

    def __init__(self, network, path):
        self.network, self.path = network, path

    def exchange(self, method, path, body):
        if path == self.path:
            return Answer(status=403, body=b'{"detail": "Rien."}')
        return self.network.exchange(method, path, body)


def cid_of(resident):
    return resident.chains()[0][0].signed.payload.cid


def sheet_of(resident):
    made = sheet_for(resident.store, resident.member, [cid_of(resident)])
    return parse_sheet(made.to_bytes())


def logged(leader, cid):
    with leader.database.read() as connection:
        events = [read_event(leaf) for leaf in log_db.leaves_of(connection, cid)]
    return consent_state(events, log_origin=leader.who.origin)


def fetched(leader, box):
    return dropbox.run_once(leader, box, vkey=box.stewards.who.own_vkey)


def test_a_delegate_withdraws_while_the_cooperative_is_down(given, network, outside, leader, box):
    sheet = sheet_of(given)
    network.down = True
    (event,) = standing_in.withdraw(sheet, HELPER, outside())
    slip = read_slip(event.slip, kid=thumbprint(box.stewards.key.public_key()))
    assert (slip.event.leaf, event.promise) == (event.signed.leaf, None)
    network.down = False
    assert fetched(leader, box).taken == 1
    assert logged(leader, cid_of(given)).status is EventType.WITHDRAWN


def test_the_code_withdraws_while_the_cooperative_is_down(given, network, outside, leader, box):
    code = naming.prepare_code(given.store, given.member)
    sheet = parse_sheet(write_own(given.store, given.member).to_bytes())
    network.down = True
    (event,) = standing_in.recover(sheet, vault.read_code(code), outside())
    assert event.slip is not None
    assert fetched(leader, box).taken == 1
    state = logged(leader, cid_of(given))
    assert (state.status, state.recovered) == (EventType.WITHDRAWN, True)


@pytest.mark.parametrize("path", ["/v1/chains", "/v1/events"])
def test_a_cooperative_that_hides_or_refuses_is_passed_by(given, network, outside, path):
    (event,) = standing_in.withdraw(sheet_of(given), HELPER, outside(Hostile(network, path)))
    assert event.slip is not None


def test_a_cooperative_that_answers_is_told_and_the_stewards_are_not(given, outside, box):
    box.down = True
    (event,) = standing_in.withdraw(sheet_of(given), HELPER, outside())
    assert event.promise is not None


def test_where_neither_answers_it_is_said(given, network, outside, box):
    network.down = box.down = True
    with pytest.raises(TransportError, match="pas de réseau"):
        list(standing_in.withdraw(sheet_of(given), HELPER, outside()))


def test_a_stranger_s_key_leaves_nothing_with_the_stewards(given, network, outside):
    network.down = True
    stranger = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
    with pytest.raises(TransportError, match="pas de réseau"):
        list(standing_in.withdraw(sheet_of(given), stranger, outside()))


def test_the_proofs_of_what_was_left_are_evidence_for_an_auditor(given, network, outside, tmp_path):
    network.down = True
    events = list(standing_in.withdraw(sheet_of(given), HELPER, outside()))
    standing_in.write_proofs(events, tmp_path / "proofs")
    (line,) = (tmp_path / "proofs" / "evidence.jsonl").read_text().splitlines()
    assert json.loads(line) == events[0].slip.decode()


def test_a_file_of_before_a_change_is_told_to_be_outdated(given):
    naming.prepare_code(given.store, given.member)
    assert sheet_state(given.store, given.member).written_at is None
    write_own(given.store, given.member)
    assert not sheet_state(given.store, given.member).outdated
    naming.revoke_delegate(given.store, given.member, cid_of(given)[:8], kid=KID)
    assert sheet_state(given.store, given.member).outdated
    given.withdraw()
    assert not sheet_state(given.store, given.member).outdated


def sheet_finding(resident):
    (resident.store.folder / "vault.json").touch(mode=0o600)
    return next(each for each in doctor.examine(resident.store) if each.check == "sheet")


def test_the_doctor_says_when_the_sheet_no_longer_serves(given):
    assert sheet_finding(given).en == "No withdrawal code."
    naming.prepare_code(given.store, given.member)
    write_own(given.store, given.member)
    assert sheet_finding(given).ok
    naming.revoke_delegate(given.store, given.member, cid_of(given)[:8], kid=KID)
    assert "refaites le fichier" in sheet_finding(given).fr


def test_the_doctor_says_which_code_names_nothing(given):
    with writing(given.store.engine) as connection:
        withdrawal_codes.keep(connection, b"s" * 20)
    assert "1 de vos accords" in sheet_finding(given).fr


def test_a_code_names_the_consents_of_before_it(given):
    state = sheet_state(given.store, given.member)
    assert (state.made, state.unnamed) == (False, 1)
    naming.prepare_code(given.store, given.member)
    state = sheet_state(given.store, given.member)
    assert (state.made, state.unnamed) == (True, 0)


def test_the_store_learns_that_a_delegate_ended_its_consent(given, task, outside):
    standing_in_events = list(standing_in.withdraw(sheet_of(given), HELPER, outside()))
    given.hand_over()
    (chain,) = given.chains()
    assert chain[-1].signed == standing_in_events[0].signed
    assert chain[-1].receipt is not None
    assert not consenting.permits(chain)
    with pytest.raises(GateClosed):
        given.send(task)


def test_a_withdrawal_of_one_s_own_gives_way_to_a_delegate_s_that_came_first(given, outside):
    list(standing_in.withdraw(sheet_of(given), HELPER, outside()))
    given.withdraw()
    given.hand_over()
    (chain,) = given.chains()
    assert [each.signed.payload.kid for each in chain][-1] == KID
    assert all(each.receipt is not None for each in chain)
    given.give()
    assert given.hand_over() == 1


class Forging:
    """A cooperative that shows a chain of its own making."""

    def __init__(self, network, leaves):
        self.network, self.chains = network, [leaves]

    def exchange(self, method, path, body):
        if path != "/v1/chains":
            return self.network.exchange(method, path, body)
        return Answer(status=200, body=json.dumps({"chains": self.chains}).encode())


class Showing(Forging):
    """A cooperative that shows these chains."""

    def __init__(self, network, chains):
        super().__init__(network, [])
        self.chains = chains


@pytest.mark.parametrize("by_code", [True, False])
def test_a_cooperative_that_shows_no_consent_at_all_is_not_believed(
    given, network, outside, by_code
):
    """An answer without one is no answer: nobody is told that everything has ended already."""
    code = vault.read_code(naming.prepare_code(given.store, given.member))
    sheet, nothing = parse_sheet(write_own(given.store, given.member).to_bytes()), []
    way = outside(Showing(network, nothing))

    def ended(known):
        if by_code:
            return list(standing_in.recover(known, code, way))
        return list(standing_in.withdraw(known, HELPER, way))

    with pytest.raises(TransportError, match="protocole"):
        ended(replace(sheet, trust=None, known=()))
    (event,) = ended(sheet)
    assert event.slip is not None


def test_a_cooperative_that_shows_another_chain_changes_nothing_here(given, network):
    (before,) = given.chains()
    stranger = sign_keys(
        Consent(
            cid=cid_of(given),
            url=given.member.url,
            purpose_digest=before[0].signed.payload.pd,
            key=HELPER,
            opened_at=before[0].signed_at,
        ),
        before,
        EventType.DELEGATE_REVOKED,
        names=KID,
        signer=HELPER,
        origin=given.member.log_origin,
        at=before[0].signed_at,
    )
    leaves = [each.signed.leaf.decode() for each in (*before, stranger)]
    for shown in (leaves, leaves[:1], [*leaves[:-1], "e30.e30.e30"]):
        way = Forging(network, shown)
        store = replace(given.store, connect=lambda _url, way=way: way)
        consenting.hand_over(store, given.member)
        assert len(given.chains()[0]) == len(before)


def test_an_operator_s_expiry_does_not_take_the_place_of_a_withdrawal(
    given, network, leader, box, clock
):
    """It may never log it: the withdrawal must still reach the log, or the stewards."""
    (before,) = given.chains()
    last, key = before[-1].signed, leader.keys.of_log(0)
    expiry = replace(
        last.payload,
        t=EventType.EXPIRED,
        n=len(before),
        p=last.head,
        c="00" * 32,
        at=utc_text(clock.now()),
        kid=thumbprint(key.public_key()),
        m=None,
    )
    shown = [*(each.signed.leaf.decode() for each in before), sign_event(expiry, key).decode()]
    given.withdraw()
    way = Forging(Hostile(network, "/v1/events"), shown)
    store = replace(given.store, connect=lambda url: box if url == BOX_URL else way)
    with pytest.raises(TransportError):
        consenting.hand_over(store, given.member)
    (chain,) = given.chains()
    assert chain[-1].signed.payload.t is EventType.WITHDRAWN
    assert chain[-1].slip is not None
    assert fetched(leader, box).taken == 1
