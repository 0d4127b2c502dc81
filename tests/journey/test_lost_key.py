"""A store lost with its code and its sheet: from a steward's word to the next contribution."""

import json
from dataclasses import dataclass, replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.jws import thumbprint
from consents.records.record import EventType
from consents.tlog.checkpoint import NoteKey
from consents.tlog.policy import policy_text
from coop_aggregator.app import create_app
from coop_aggregator.cli import stewards as cli_stewards
from coop_aggregator.cli.program import main
from coop_aggregator.errors import RecoveryRefused
from coop_aggregator.executors import InlineExecutor
from coop_aggregator.jobs import recovery
from coop_aggregator.jobs.recovery import Lost
from coop_aggregator.jobs.witness import Answer
from coop_aggregator.release import publish
from coop_aggregator.settings import Settings
from coop_aggregator.tlog.export import export_log
from personal_store.choices import standing_in
from personal_store.choices.parent_key import write_parent_key
from personal_store.choices.sheets import read_sheet
from personal_store.choices.standing_in import Outside
from personal_store.errors import TransportError
from personal_store.jobs import catalogue
from tests.journey.conftest import URL, Network

AUDITS = ("coverage", "after-withdrawal", "purposes", "budget", "late", "promises", "release")
NEXT_WEEK = "2026-W47"
STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)


class Way:
    """The stewards' way to the cooperative of the journey."""

    def __init__(self, network):
        self.network = network

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def hand_over(self, body):
        answer = self.network.exchange("POST", "/v1/events", body)
        return Answer(status=answer.status, text=answer.body.decode())


@pytest.fixture
def network(leader, stewards, tmp_path):
    """The way to a cooperative that counts the stewards among its witnesses."""
    knowing = replace(leader, steward_kids=(thumbprint(stewards.key.public_key()),))
    return Network(create_app(knowing, Settings(data=tmp_path / "coop")))


@pytest.fixture
def given(resident, task):
    """Somebody who consented and answered a first question, before their store was lost."""
    resident.travel(car=3.0)
    resident.give()
    resident.hand_over()
    resident.send(task)
    return resident


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A lost key, the key that the person makes on another machine, and the steward they ask."""

    key: Ed25519PrivateKey
    lost: Lost
    leader: object
    stewards: object
    way: Way
    clock: object
    folder: object

    @property
    def export(self):
        """What the cooperative hands over at this moment."""
        export_log(self.leader, self.folder / "export")
        return self.folder / "export"

    def recover(self, *, way=None, **changes):
        lost = replace(self.lost, **changes)
        return recovery.run_once(self.stewards, way or self.way, self.export, lost)

    def withdraw(self, key=None):
        path = self.folder / "sheet.json"
        path.write_bytes(recovery.sheet_for(self.stewards, url=URL))
        return self.withdraw_with(path, key)

    def withdraw_with(self, path, key=None):
        outside = Outside(
            connect=lambda _url: self.way.network,
            now=self.clock.now(),
            randomness=lambda length: b"a" * length,
            language="fr",
        )
        return list(standing_in.withdraw(read_sheet(path), key or self.key, outside))


@pytest.fixture
def loss(given, year, network, tmp_path):
    key = write_parent_key(tmp_path / "new.pem")
    return Loss(
        key=key,
        lost=Lost(cid=given.chains()[0][0].signed.payload.cid, kid=thumbprint(key.public_key())),
        leader=year.leader,
        stewards=year.stewards,
        way=Way(network),
        clock=year.clock,
        folder=tmp_path,
    )


def answering(join, zone="17300"):
    person = join(zone)
    catalogue.run_once(person.store.engine, person.member, person.network)
    person.travel(walk=2.0)
    person.give()
    person.hand_over()
    return person


@pytest.fixture
def published(leader, clock):
    """Return a function that closes a question at its time, and publishes its week."""

    def published(task):
        clock.at = task.report_deadline
        publish(leader, task.week, executor=InlineExecutor())

    return published


@pytest.fixture
def other(join, task, published, year):
    """Somebody else, who answered the first question as well, now that its week is published."""
    person = answering(join)
    person.send(task)
    year.cosign()
    published(task)
    return person


@pytest.fixture
def answered(ask, published, year):
    """Return a function that asks about the next week, has people answer, and publishes it."""

    def answered(people):
        asked = ask(NEXT_WEEK)
        year.cosign()
        for person in people:
            catalogue.run_once(person.store.engine, person.member, person.network)
            person.send(asked)
        published(asked)
        year.cosign()

    return answered


def test_from_the_loss_of_a_key_to_the_next_contribution(loss, other, join, answered, year):
    loss.recover()
    (withdrawal,) = loss.withdraw()
    assert withdrawal.signed.payload.t is EventType.WITHDRAWN
    again = answering(join)
    answered([other, again])
    assert len(again.ledger()) == 1
    assert year.audits(*AUDITS) == [0] * len(AUDITS)


def test_the_lost_store_can_send_nothing_more(loss, given, ask, task, published):
    published(task)
    asked = ask(NEXT_WEEK)
    loss.recover()
    catalogue.run_once(given.store.engine, given.member, given.network)
    with pytest.raises(TransportError, match="refusé"):
        given.send(asked)


def test_asking_again_after_a_lost_answer_signs_nothing_more(loss, network):
    network.losing_answers = True
    with pytest.raises(TransportError, match="perdue"):
        loss.recover()
    network.losing_answers = False
    once = loss.recover()
    assert loss.recover().leaf == once.leaf


def test_a_second_key_may_be_named_when_the_first_is_lost_too(loss):
    loss.recover()
    assert loss.recover(kid=thumbprint(STRANGER.public_key())).leaf


def test_a_consent_that_has_ended_is_recovered_by_nobody(loss):
    loss.recover()
    loss.withdraw()
    assert loss.withdraw() == []
    with pytest.raises(RecoveryRefused, match="rien à retirer"):
        loss.recover(kid="A" * 43)


def test_nobody_withdraws_with_a_key_that_no_steward_named(loss):
    with pytest.raises(TransportError, match="Rien à montrer"):
        loss.withdraw()
    loss.recover()
    with pytest.raises(TransportError, match="Rien à montrer"):
        loss.withdraw(STRANGER)


def test_another_steward_s_word_is_not_taken_for_this_one_s(loss, tmp_path):
    """The sheet names who vouched: a chain that somebody else recovered is not signed on."""
    loss.recover()
    sheet = json.loads(recovery.sheet_for(loss.stewards, url=URL))
    other = NoteKey.of_witness("other.test", STRANGER.public_key()).vkey
    policy = policy_text(log_vkey=sheet["log_vkeys"][0], witness_vkeys=[other])
    path = tmp_path / "other.json"
    path.write_text(json.dumps({**sheet, "stewards": {"url": None, "policy": policy}}))
    with pytest.raises(TransportError, match="protocole"):
        loss.withdraw_with(path)


def test_whoever_is_no_steward_of_this_cooperative_recovers_nothing(loss):
    stranger = replace(loss, stewards=replace(loss.stewards, key=STRANGER))
    with pytest.raises(RecoveryRefused, match="COOP_AGGREGATOR_WITNESSES"):
        stranger.recover()


@pytest.mark.parametrize("kid", ["", "x", "A" * 42, "é" * 43])
def test_what_is_no_thumbprint_is_refused_before_anything_is_signed(loss, kid):
    with pytest.raises(RecoveryRefused, match="43 lettres"):
        loss.recover(kid=kid)


def test_the_lost_key_itself_is_not_named_again(loss, given):
    with pytest.raises(RecoveryRefused, match="connaît déjà"):
        loss.recover(kid=given.chains()[0][0].signed.payload.kid)


@pytest.mark.parametrize("cid", ["", "ab" * 16, "../..", "é"])
def test_a_consent_that_nobody_knows_is_refused(loss, cid):
    with pytest.raises(RecoveryRefused, match="ne contient pas"):
        loss.recover(cid=cid)


def test_an_export_that_is_behind_is_refused_in_words(loss, given):
    behind = loss.export
    given.withdraw()
    given.hand_over()
    with pytest.raises(RecoveryRefused, match="nouvel export"):
        recovery.run_once(loss.stewards, loss.way, behind, loss.lost)


def test_a_folder_that_is_no_export_is_refused_in_words(loss, tmp_path):
    with pytest.raises(RecoveryRefused, match="ne se lit pas"):
        recovery.run_once(loss.stewards, loss.way, tmp_path, loss.lost)


class Answering(Way):
    """A cooperative that answers something else."""

    def __init__(self, network, text):
        super().__init__(network)
        self.text = text

    def hand_over(self, _body):
        return Answer(status=200, text=self.text)


def test_an_answer_out_of_protocol_is_never_taken_for_a_recovery(loss, network):
    for text in ("", "[]", "{}", '{"promise": "a.b.c"}', "\u00e9"):
        with pytest.raises(RecoveryRefused):
            loss.recover(way=Answering(network, text))


@pytest.fixture
def command(loss, monkeypatch, capsys):
    """Return a function that runs the stewards' command; it answers with code, document, words."""
    monkeypatch.setattr(cli_stewards, "HttpCooperative", lambda _url: loss.way)
    monkeypatch.setattr(cli_stewards, "open_helper", lambda _settings, _clock: loss.stewards)

    def command(sheet):
        argv = ["--lang", "en", "recover", loss.lost.cid, str(loss.export), "--url", URL]
        with pytest.raises(SystemExit) as end:
            main([*argv, "--key", loss.lost.kid, "--sheet", str(sheet), "--json"])
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return command


def test_the_stewards_command_writes_the_sheet_that_the_store_reads(loss, command, tmp_path):
    sheet = tmp_path / "for the person.json"
    code, out, err = command(sheet)
    assert (code, '"promise"' in out) == (0, True)
    assert "can withdraw this consent, nothing else" in err
    assert sheet.stat().st_mode & 0o777 == 0o600
    assert len(loss.withdraw_with(sheet)) == 1


def test_a_sheet_that_cannot_be_written_is_said_in_words(command, tmp_path):
    code, _, err = command(tmp_path / "nowhere" / "sheet.json")
    assert (code, "cannot be written" in err) == (1, True)
