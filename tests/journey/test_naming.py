"""Delegates and recovery, end to end: named in a store, used without it, at the cooperative."""

import json
import sys
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.__main__ import main as verify
from consents.jws import thumbprint
from consents.records.decision import consent_state
from consents.records.mandate import Mandate
from consents.records.record import EventType
from personal_store import vault
from personal_store.choices import naming, standing_in
from personal_store.choices.parent_key import read_parent_key
from personal_store.choices.sheets import parse_sheet, read_sheet, sheet_for, write_own
from personal_store.choices.standing_in import Outside
from personal_store.cli import naming as cli_naming
from personal_store.cli import program
from personal_store.cli.console import Session
from personal_store.errors import (
    GateClosed,
    StoreError,
    TransportError,
    WrongPassphrase,
)

STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
HELPER = Ed25519PrivateKey.from_private_bytes(b"d" * 32)
KID = thumbprint(HELPER.public_key())
DAY = timedelta(days=1)


@pytest.fixture
def given(resident):
    """Return a resident who consented and travelled, and whose store has a recovery code."""
    resident.give()
    resident.hand_over()
    resident.travel(train=3.0)
    return resident


@pytest.fixture
def code(given):
    """Return the resident's withdrawal code, named in the consent."""
    return naming.prepare_code(given.store, given.member)


@pytest.fixture
def sheet(given):
    return sheet_for(given.store, given.member, [cid_of(given)])


@pytest.fixture
def outside(network, clock):
    """Return a function that gives the world of somebody without a store, now."""
    return lambda: world(network, clock)


def world(network, clock):
    return Outside(
        connect=lambda _url: network, now=clock.now(), randomness=bytes_of_a, language="fr"
    )


def bytes_of_a(length):
    return b"a" * length


def cid_of(resident):
    return resident.chains()[0][0].signed.payload.cid


def mandate(clock, *, days=7):
    start = clock.now().replace(microsecond=0)
    return Mandate(starts_at=start, ends_at=start + days * DAY)


def name(resident, clock, **terms):
    cid = cid_of(resident)
    naming.name_delegate(
        resident.store, resident.member, cid[:8], kid=KID, mandate=mandate(clock, **terms)
    )


def logged_state(events, resident):
    chain = [each.signed for each in resident.chains()[0]] + [each.signed for each in events]
    return consent_state(chain, log_origin=resident.member.log_origin)


def test_a_delegate_ends_the_consent_without_the_store_and_can_prove_it(
    given, clock, sheet, outside, tmp_path
):
    name(given, clock)
    (event,) = standing_in.withdraw(sheet, HELPER, outside())
    assert logged_state([event], given).status is EventType.WITHDRAWN
    assert event.receipt.index > 0
    written = standing_in.write_proofs([event], tmp_path / "proofs")
    assert sorted(path.name.partition(".")[2] for path in written) == [
        "jsonl",
        "opening.json",
        "tlog-proof",
    ]
    (opening,) = (path for path in written if path.name.endswith("opening.json"))
    assert verify(["verify", "opening", str(opening)]) == 0


def test_the_cooperative_takes_nothing_in_after_a_delegate_withdrew(
    given, task, clock, sheet, outside
):
    name(given, clock)
    shown = given.preview(task)
    list(standing_in.withdraw(sheet, HELPER, outside()))
    assert shown.kept is not None
    with pytest.raises(TransportError, match="refusé"):
        given.send(task)


def test_a_mandate_ends(given, clock, sheet, outside):
    name(given, clock, days=1)
    clock.at += DAY
    with pytest.raises(StoreError, match="pas de mandat en cours"):
        list(standing_in.withdraw(sheet, HELPER, outside()))
    clock.at -= timedelta(seconds=1)
    assert len(list(standing_in.withdraw(sheet, HELPER, outside()))) == 1


def test_a_mandate_taken_back_is_worth_nothing(given, task, clock, sheet, outside):
    name(given, clock)
    naming.revoke_delegate(given.store, given.member, cid_of(given)[:8], kid=KID)
    with pytest.raises(TransportError, match="Rien à montrer"):
        list(standing_in.withdraw(sheet, HELPER, outside()))
    assert given.send(task).report


def test_a_stranger_is_shown_nothing(given, clock, sheet, outside):
    name(given, clock)
    with pytest.raises(TransportError, match="Rien à montrer"):
        list(standing_in.withdraw(sheet, STRANGER, outside()))


def test_nobody_is_revoked_who_has_no_mandate(given):
    with pytest.raises(StoreError, match="Personne n'a de mandat"):
        naming.revoke_delegate(given.store, given.member, cid_of(given)[:8], kid=KID)
    assert len(given.chains()[0]) == 1


@pytest.mark.parametrize("kid", ["", "x", "A" * 42, "A" * 44, "é" * 43])
def test_what_is_no_key_is_named_nowhere(given, clock, kid):
    with pytest.raises(StoreError, match="43 lettres"):
        naming.name_delegate(
            given.store, given.member, cid_of(given)[:8], kid=kid, mandate=mandate(clock)
        )
    assert len(given.chains()[0]) == 1


def test_the_consent_s_own_key_is_no_delegate(given, clock):
    own = given.chains()[0][0].signed.payload.kid
    with pytest.raises(GateClosed, match="signe déjà"):
        naming.name_delegate(
            given.store, given.member, cid_of(given)[:8], kid=own, mandate=mandate(clock)
        )


def ended_with(code, sheet, outside):
    return list(standing_in.recover(sheet, vault.read_code(code), outside()))


def test_the_code_alone_ends_the_consents_of_a_lost_store(given, task, code, outside):
    shown = given.preview(task)
    paper = parse_sheet(json.dumps(on_paper(given)).encode())
    (event,) = ended_with(code, paper, outside)
    state = logged_state([event], given)
    assert (state.status, state.recovered) == (EventType.WITHDRAWN, True)
    # Whoever found the store: its gate is open, and the cooperative's is not.
    assert shown.kept is not None
    with pytest.raises(TransportError, match="refusé"):
        given.send(task)


def on_paper(resident):
    """Return what a sheet of paper says: where to go, and under which key the logs began."""
    return {
        "v": 2,
        "cooperative": resident.member.url,
        "log_vkeys": [resident.member.log_vkeys[0]],
        "stewards": None,
        "consents": [],
    }


def test_a_paper_written_before_a_later_consent_ends_it_too(given, code, outside):
    paper = parse_sheet(json.dumps(on_paper(given)).encode())
    given.withdraw()
    given.give()
    given.hand_over()
    (event,) = ended_with(code, paper, outside)
    first, second = given.chains()
    assert event.signed.payload.cid == second[0].signed.payload.cid
    # Nothing links the two: the keys that they name are unlike.
    named = [
        each.signed.payload.c
        for each in (*first, *second)
        if each.signed.payload.t is EventType.RECOVERY_NAMED
    ]
    assert len(set(named)) == len(named) == 2


def test_recovering_twice_changes_nothing_the_second_time(code, sheet, outside):
    assert len(ended_with(code, sheet, outside)) == 1
    assert ended_with(code, sheet, outside) == []


def test_what_the_code_ended_stays_ended_and_what_is_given_anew_it_ends_too(
    given, code, sheet, outside
):
    (end,) = ended_with(code, sheet, outside)
    given.withdraw()
    given.give()
    given.hand_over()
    first, second = given.chains()
    # The log's end of the consent takes the place of the one signed here, which came later.
    assert first[-1].signed.leaf == end.signed.leaf
    (again,) = ended_with(code, sheet, outside)
    assert again.signed.payload.cid == second[0].signed.payload.cid != end.signed.payload.cid


@pytest.mark.usefixtures("code")
def test_another_code_ends_nothing(given, task, sheet, outside):
    with pytest.raises(TransportError, match="Rien à montrer"):
        ended_with(vault.write_code(b"x" * 20), sheet, outside)
    assert given.send(task).report


def test_a_new_code_takes_the_place_of_the_old_one(given, code, outside):
    newer = naming.prepare_code(given.store, given.member, anew=True)
    sheet = write_own(given.store, given.member)
    assert newer != code
    with pytest.raises(TransportError, match="Rien à montrer"):
        ended_with(code, sheet, outside)
    assert len(ended_with(newer, sheet, outside)) == 1


def test_preparing_again_signs_nothing_more_and_says_the_same_code(given, code):
    assert (
        naming.prepare_code(given.store, given.member) == code == naming.code_letters(given.store)
    )
    assert [each.signed.payload.t for each in given.chains()[0]] == [
        EventType.GIVEN,
        EventType.RECOVERY_NAMED,
    ]


def test_the_code_does_not_open_the_store(given, code, tmp_path):
    folder = tmp_path / "made"
    vault.create_vault(folder, "trois mots au hasard", randomness=given.store.randomness)
    with pytest.raises(WrongPassphrase):
        vault.recover(folder, code, "une autre phrase", randomness=given.store.randomness)


def test_a_chain_that_the_cooperative_cut_short_is_signed_on_by_nobody(
    given, clock, sheet, outside, network
):
    name(given, clock)

    class Cutting:
        def exchange(self, method, path, body):
            answer = network.exchange(method, path, body)
            if path != "/v1/chains":
                return answer
            chains = [leaves[1:] for leaves in json.loads(answer.body)["chains"]]
            return type(answer)(status=200, body=json.dumps({"chains": chains}).encode())

    with pytest.raises(TransportError, match="protocole"):
        list(standing_in.withdraw(sheet, HELPER, world(Cutting(), clock)))
    assert len(list(standing_in.withdraw(sheet, HELPER, outside()))) == 1


def test_a_sheet_comes_back_from_its_file_and_anything_else_is_refused(sheet, tmp_path):
    file = tmp_path / "sheet.json"
    file.write_bytes(sheet.to_bytes())
    assert read_sheet(file) == sheet
    whole = json.loads(sheet.to_bytes())
    for change in (
        {"v": 1},
        {"consents": ["ab"]},
        {"consents": 7},
        {"log_vkeys": ["x"]},
        {"cooperative": "x"},
    ):
        file.write_text(json.dumps(whole | change))
        with pytest.raises(StoreError, match="ne dit pas où"):
            read_sheet(file)
    file.write_text("[")
    with pytest.raises(StoreError):
        read_sheet(file)


@pytest.fixture
def run(given, network, clock, monkeypatch, capsys):
    """Return a function that runs a command of the resident, or of who stands in for them."""
    monkeypatch.setattr(Session, "open", lambda _: given.store)
    monkeypatch.setattr(Session, "connect", lambda _, _url: network)
    monkeypatch.setattr(cli_naming, "SystemClock", lambda: clock)

    def run(*arguments):
        argv = ["personal-store", "--lang", "fr", "consents", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", argv)
        code = 0
        try:
            program.main()
        except SystemExit as end:
            code = int(end.code or 0)
        return code, *capsys.readouterr()

    return run


def test_the_commands_of_a_mandate(given, run, tmp_path):
    key, sheet, proofs = (tmp_path / each for each in ("key.pem", "sheet.json", "proofs"))
    cid = cid_of(given)[:8]
    code, _, err = run("mandate", "key", key)
    assert code == 0, err
    kid = thumbprint(read_parent_key(key).public_key())
    assert kid in err
    code, _, err = run(
        "delegates", "name", cid, "--key", kid, "--until", "2026-11-20", "--sheet", sheet
    )
    assert code == 0, err
    assert "du 18/11/2026 au 20/11/2026 compris" in err
    code, out, err = run("delegates", "list", "--json")
    assert (code, json.loads(out)[0]["key"]) == (0, kid)
    # Until the end of its last day, on the clock of home.
    assert json.loads(out)[0]["until"] == "2026-11-20T23:00:00Z"
    code, _, err = run("mandate", "withdraw", sheet, "--key", key, "--proofs", proofs)
    assert code == 0, err
    assert "1 accord(s) retiré(s)" in err
    assert (proofs / "evidence.jsonl").stat().st_mode & 0o777 == 0o600
    code, _, err = run("mandate", "withdraw", sheet, "--key", key, "--proofs", proofs)
    assert (code, "c'est déjà fait" in err) == (0, True)


def test_the_command_that_takes_a_mandate_back(given, run, tmp_path):
    cid, sheet = cid_of(given)[:8], tmp_path / "sheet.json"
    assert (
        run("delegates", "name", cid, "--key", KID, "--until", "2026-11-20", "--sheet", sheet)[0]
        == 0
    )
    assert run("delegates", "revoke", cid, "--key", KID)[0] == 0
    assert "Aucun mandat." in run("delegates", "list")[2]


@pytest.mark.parametrize("days", [("2026-11-17",), ("hier",), ("2300-01-01",)])
def test_days_that_no_mandate_has_are_a_usage_error(given, run, tmp_path, days):
    cid, sheet = cid_of(given)[:8], tmp_path / "sheet.json"
    assert run("delegates", "name", cid, "--key", KID, "--until", *days, "--sheet", sheet)[0] == 2
    assert len(given.chains()[0]) == 1


def test_the_commands_of_a_recovery(given, run, tmp_path):
    paper, sheet, proofs = (tmp_path / each for each in ("code.txt", "sheet.json", "proofs"))
    status, _, err = run("recovery", "prepare", "--sheet", sheet)
    assert status == 0, err
    code = naming.code_letters(given.store)
    assert code in err
    assert [each.cid for each in read_sheet(sheet).known] == [cid_of(given)]
    assert code.replace("-", "") not in sheet.read_text().replace("-", "")
    paper.write_text(code + "\n")
    options = ("--code-file", paper)
    status, _, err = run("recover", sheet, *options, "--proofs", proofs)
    assert status == 0, err
    assert "1 accord(s) retiré(s)" in err
    paper.write_text("AAAA-BBBB\n")
    status, _, err = run("recover", sheet, *options, "--proofs", proofs)
    assert (status, "huit groupes" in err) == (1, True)
