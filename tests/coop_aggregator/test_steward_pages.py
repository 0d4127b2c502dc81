"""The stewards' pages: an audit with one's own keys, shown to those who hold the token."""

import json
import re
from dataclasses import replace

import pytest

from consents.audit.findings import AuditProblem, Subject
from consents.canonical import canonical_bytes
from consents.records.receipt import EventType, Purpose
from consents.tlog.checkpoint import Checkpoint, sign_checkpoint
from consents.verify.verification import Verdict
from coop_aggregator import keys
from coop_aggregator.asking.purposes import publish_purpose
from coop_aggregator.cli.program import main
from coop_aggregator.db.questions import purpose_body
from coop_aggregator.db.shards import load_shards
from coop_aggregator.db.witnessed import Witnessed, save_witnessed
from coop_aggregator.errors import AggregatorError
from coop_aggregator.installation import open_helper
from coop_aggregator.jobs import audit
from coop_aggregator.settings import Settings
from coop_aggregator.tlog import dropbox
from coop_aggregator.tlog.audit_report import read_report

PAGES = ("/fr/journal", "/fr/journal/accord", "/fr/journal/finalites", "/en/journal")


@pytest.fixture
def coop(light_coop):
    return light_coop


@pytest.fixture
def week(coop, auditor):
    """A week as it should be, handed over; return its people."""
    people = [coop.resident(zone) for zone in "AABBC"]
    auditor.cosign()
    for person in people:
        person.send_report()
    people[0].send_event(EventType.WITHDRAWN)
    auditor.cosign()
    coop.release()
    auditor.hand_over()
    return people


@pytest.fixture
def run_audit(helper, auditor):
    return lambda: audit.run_once(helper, auditor.export)


@pytest.fixture
def stranger(helper, serve, tmp_path):
    return serve(helper, Settings(data=tmp_path / "stewards"))


@pytest.fixture
def read(stranger, helper):
    """Return a function that reads a page as a steward does."""

    def read(path):
        answer = stranger.get(path, auth=("stewards", helper.steward_token))
        assert answer.status_code == 200
        return re.sub(r"\s+", " ", answer.text)

    return read


def found(report):
    return {one.problem for each in report.answers for one in each.findings}


@pytest.mark.usefixtures("week")
def test_a_sound_week_has_nothing_to_report(run_audit, read):
    report = run_audit()
    assert (report.verdict, found(report)) == (Verdict.OK, set())
    assert {each.subject for each in report.answers} == set(Subject) - {Subject.ANNUAL}
    assert "Rien à signaler." in read("/fr/journal")
    assert "Nothing to report." in read("/en/journal")


@pytest.mark.usefixtures("week")
def test_the_report_reads_back_as_it_was_written(run_audit, helper):
    report = run_audit()
    assert read_report(helper.audits) == report


@pytest.mark.usefixtures("week")
def test_events_are_counted_by_day_and_kind(run_audit, read):
    run_audit()
    page = read("/fr/journal")
    assert "accord donné 5" in page
    assert "accord retiré 1" in page
    assert "17 novembre 2026" in page


@pytest.mark.usefixtures("week")
def test_an_uncovered_contribution_is_an_alert(run_audit, read, auditor):
    """A batch whose contributions are not those that the log commits to."""
    (batch,) = (auditor.export / "batches").iterdir()
    batch.write_bytes(b"".join(batch.read_bytes().splitlines(keepends=True)[1:]))
    report = run_audit()
    assert AuditProblem.BATCH_MISMATCH in found(report)
    page = read("/fr/journal")
    assert "À regarder de près" in page
    assert "✗" in page


@pytest.mark.usefixtures("week")
def test_a_log_that_contradicts_what_we_cosigned_is_a_fork(run_audit, helper, read, coop):
    """The operator signs another history for somebody, and we come to see both."""
    origin, at = helper.who.origin, helper.clock.now()
    other = Checkpoint(origin=origin, size=1, root=b"r" * 32)
    note = sign_checkpoint(other, origin, coop.leader.keys.log)
    with helper.database.write() as connection:
        seen = Witnessed(size=1, root=other.root, note=note, cosigned_at=at)
        save_witnessed(connection, seen, load_shards(connection).current)
    report = run_audit()
    assert AuditProblem.FORK in found(report)
    assert report.verdict is Verdict.VIOLATION
    assert "À regarder de près" in read("/fr/journal")


def test_a_withdrawal_left_with_us_and_never_logged_is_an_alert(coop, auditor, helper, run_audit):
    person = coop.resident("A")
    leaf = person.leaf(EventType.WITHDRAWN)
    dropbox.receive_withdrawal(helper, leaf)
    coop.clock.advance(hours=26)
    auditor.hand_over()
    assert AuditProblem.PROMISE_BROKEN in found(run_audit())


def test_before_the_first_audit_it_says_what_to_run(read):
    assert "coop-aggregator audit DOSSIER" in read("/fr/journal")


def test_an_audit_that_ends_in_no_answer_leaves_no_older_one(run_audit, helper, monkeypatch):
    run_audit()

    def broken(*_, **__):
        raise RuntimeError

    monkeypatch.setattr("coop_aggregator.jobs.audit.open_case", broken)
    with pytest.raises(RuntimeError):
        run_audit()
    assert read_report(helper.audits) is None


def test_an_export_without_our_cosignature_proves_nothing(coop, auditor, run_audit, read):
    coop.resident("A")
    auditor.export_uncosigned()
    report = run_audit()
    assert (report.verdict, report.readable) == (Verdict.CANNOT_VERIFY, False)
    assert "l'export n'a pas pu être lu jusqu'au bout" in read("/fr/journal")


@pytest.mark.usefixtures("week")
def test_a_damaged_report_is_never_taken_for_all_is_well(run_audit, helper, read):
    run_audit()
    (helper.audits / "report.json").write_text("{}")
    with pytest.raises(AggregatorError):
        read_report(helper.audits)
    page = read("/fr/journal")
    assert "abîmé" in page
    assert "Rien à signaler." not in page


def test_a_consent_is_found_by_its_id_with_kinds_and_days_only(week, run_audit, read):
    run_audit()
    page = read(f"/fr/journal/accord?cid={week[0].cid}")
    assert "accord donné" in page
    assert "accord retiré" in page
    assert page.count("<tr>") == 3
    assert "Aucune ligne" in read("/fr/journal/accord?cid=" + "0" * 32)
    assert "Recopiez le numéro entier" in read("/fr/journal/accord?cid=%3Cscript%3E")
    assert "<script" not in read("/fr/journal/accord?cid=%3Cscript%3E")


@pytest.mark.usefixtures("week")
def test_what_changed_between_two_versions_is_shown_word_by_word(coop, auditor, run_audit, read):
    leader = coop.leader
    with leader.database.write() as connection:
        first = Purpose.parse(purpose_body(connection, coop.purpose_digest))
        text = first.text_fr.replace("400 jours", "800 jours")
        second = replace(first, text_fr=text, retention_days=800, version="2")
        publish_purpose(connection, leader.log(connection), second)
    auditor.hand_over()
    run_audit()
    page = read("/fr/journal/finalites")
    assert re.search(r"<del>400</del>\s*<ins>800</ins> jours après la clôture", page)
    assert "Conservation, en jours" in page
    assert "Titre, en français" not in page, "what did not change is not shown"


@pytest.mark.parametrize("path", PAGES)
def test_without_the_token_nothing_is_shown(stranger, helper, path):
    for auth in (None, ("stewards", "x"), ("stewards", ""), (helper.steward_token, "")):
        answer = stranger.get(path, auth=auth)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic ")
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("header", ["Basic", "Basic é", "Basic !!!!", "Bearer x", "Basic Og=="])
def test_a_malformed_header_is_refused(stranger, header):
    answer = stranger.get("/fr/journal", headers={"Authorization": header.encode()})
    assert answer.status_code == 401


@pytest.mark.usefixtures("helper")
@pytest.mark.parametrize("content", [None, "", "\n"])
def test_an_installation_without_a_token_stays_closed(serve, tmp_path, clock, content):
    settings = Settings(data=tmp_path / "stewards")
    path = settings.keys / keys.STEWARD_TOKEN
    path.unlink()
    if content is not None:
        path.write_text(content)
    reopened = open_helper(settings, clock)
    client = serve(reopened, settings)
    for password in ("", "None"):
        assert client.get("/fr/journal", auth=("stewards", password)).status_code == 401
    reopened.database.close()


def test_a_page_for_stewards_is_kept_by_no_cache(stranger, helper):
    answer = stranger.get("/fr/journal", auth=("", helper.steward_token))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.usefixtures("week")
def test_the_command_fails_when_an_audit_finds_something(tmp_path, auditor, capsys, clock):
    def run():
        capsys.readouterr()
        data = ["--data", str(tmp_path / "stewards"), "--lang", "fr"]
        with pytest.raises(SystemExit) as stop:
            main([*data, "audit", str(auditor.export), "--json"], clock=clock)
        out, err = capsys.readouterr()
        return stop.value.code, json.loads(out)["verdict"], err

    assert run()[:2] == (0, "ok")
    (auditor.export / "operator.jsonl").write_bytes(b"")
    code, verdict, err = run()
    assert (code, verdict == "ok") == (1, False)
    assert "Chaque contribution repose-t-elle" in err


@pytest.mark.usefixtures("week")
def test_the_report_names_nobody(run_audit, helper, week):
    run_audit()
    report = (helper.audits / "report.json").read_text()
    assert not [person.cid for person in week if person.cid in report]
    assert canonical_bytes(json.loads(report))
