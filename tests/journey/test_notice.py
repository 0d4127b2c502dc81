"""The notice of Article 13: shown, signed with the consent, bound by the log, kept as a receipt."""

import json

import pytest

from consents.__main__ import main as consents_main
from consents.receipts.personal_receipt import PersonalReceipt
from consents.receipts.printable import to_html
from consents.records.notice import Notice
from consents.verify.wording import Language
from coop_aggregator.db import log as log_db
from coop_aggregator.db import questions as questions_db
from personal_store.choices import consenting, own_log
from personal_store.errors import StoreError
from personal_store.jobs import catalogue
from personal_store.transport import Answer


@pytest.fixture
def written(resident, tmp_path):
    """Return the files that a resident who consented writes, by the end of their names."""
    resident.give()
    resident.hand_over()
    files = own_log.write_receipts(resident.store, tmp_path / "receipts")
    return {path.name.partition(".")[2]: path for path in files}


def test_the_notice_names_the_cooperative_of_the_installation(leader):
    with leader.database.read() as connection:
        (digest,) = questions_db.purpose_digests(connection)
        notice = Notice.parse(questions_db.notice_body(connection, digest))
    assert notice.controller_name == leader.who.name
    assert notice.controller_address == "https://coop.test/"


def test_what_is_signed_names_the_notice_that_was_shown(resident):
    resident.give()
    asked = catalogue.newest_purpose(resident.store.engine, resident.member)
    shown = catalogue.notice_of(resident.store.engine, asked)
    assert resident.chains()[0][0].body.privacy_notice.sha256 == shown.digest


def test_the_log_binds_the_notice_to_its_purpose(leader):
    with leader.database.read() as connection:
        (digest,) = questions_db.purpose_digests(connection)
        notice = Notice.parse(questions_db.notice_body(connection, digest))
        (published,) = log_db.all_operator_bodies(connection)
    said = json.loads(published.body)
    assert said == {"purpose_digest": digest, "notice_digest": notice.digest}


def test_nothing_can_be_signed_without_a_notice(join, network, monkeypatch, task):
    serve = network.exchange

    def without_notice(method, path, body):
        return Answer(status=404, body=b"{}") if "notice" in path else serve(method, path, body)

    monkeypatch.setattr(type(network), "exchange", lambda _self, *asked: without_notice(*asked))
    newcomer = join()
    assert task.week
    with pytest.raises(StoreError, match="article 13"):
        newcomer.give()
    assert newcomer.chains() == []


def test_the_receipt_verifies_by_the_log_s_key_alone(written, resident):
    arguments = ["verify", "receipt", str(written["receipt.json"])]
    assert consents_main([*arguments, "--vkey", resident.member.log_vkey]) == 0


def test_a_receipt_with_another_notice_is_refused(written, resident, tmp_path):
    content = json.loads(written["receipt.json"].read_bytes())
    notice = json.loads(content["notice"]) | {"recipients": "everybody"}
    content["notice"] = json.dumps(notice, sort_keys=True, separators=(",", ":"))
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(content, sort_keys=True, separators=(",", ":")))
    arguments = ["verify", "receipt", str(forged)]
    assert consents_main([*arguments, "--vkey", resident.member.log_vkey]) != 0


def test_page_and_json_ld_come_from_the_receipt_s_own_bytes(written):
    content = written["receipt.json"].read_bytes()
    kept = PersonalReceipt.parse(content)
    page = written["fr.html"].read_text()
    assert page == to_html(content, Language.FR)
    assert kept.notice.authority in page
    assert json.loads(written["jsonld"].read_bytes())["@context"]


def test_a_withdrawal_has_its_receipt_too(resident, tmp_path):
    resident.give()
    resident.withdraw()
    resident.hand_over()
    files = own_log.write_receipts(resident.store, tmp_path / "receipts")
    assert sum(path.name.endswith(".en.html") for path in files) == 2
    assert consenting.permits(resident.chains()[0]) is False
