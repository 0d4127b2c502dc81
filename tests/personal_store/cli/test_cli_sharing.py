"""The commands about sharing, over HTTP on loopback, with the real noise and the real clock."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.tlog.checkpoint import NoteKey
from consents.tlog.policy import policy_text
from contributions.jws import public_jwk
from contributions.messages import Enrolment, read_report
from contributions.weeks import week_of, week_period
from personal_store.transport import Answer

pytestmark = pytest.mark.usefixtures("joined", "asked")
LAST_WEEK = week_of(datetime.now(tz=UTC) - timedelta(days=7))


@pytest.fixture
def address(cooperative) -> Iterator[str]:
    """Serve the cooperative in memory on loopback, enrolment included; return its address."""

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
            answer = cooperative.exchange(self.command, self.path, body)
            self.send_response(answer.status)
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = _handle  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: Any) -> None:
            """Say nothing on stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        enrolled = {
            "member_id": "member-1",
            "log_vkey": cooperative.log.vkey,
            "log_origin": cooperative.origin,
            "task_key_jwk": public_jwk(cooperative.task_key.public_key()),
            "keepers": [],
        }
        body = json.dumps(enrolled).encode()
        cooperative.scripted["/v1/enrolments"] = Answer(status=201, body=body)
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def asked(cooperative):
    """Return the task that the cooperative asks about last week."""
    return cooperative.ask(cooperative.publish(), week=LAST_WEEK)


@pytest.fixture
def joined(run, ready, address) -> None:
    """Join the cooperative from La Rochelle."""
    assert ready.is_dir()
    code, _, err = run("enrol", address + "/", "--code", "ABCD", "--zone", "17300")
    assert code == 0, err


@pytest.fixture
def walked(run, ready, outing) -> None:
    """Import an outing of last week."""
    start = week_period(LAST_WEEK).start + timedelta(hours=9)
    file = ready.with_name("outing.gpx")
    file.write_text(outing(start=start).gpx())
    assert run("import", file)[0] == 0


def test_joining_takes_the_zone_that_was_confirmed_and_asks_for_one_before(
    run, address, cooperative, tmp_path, passphrase
) -> None:
    other = ["--data", str(tmp_path / "other"), "--passphrase-file", str(passphrase)]
    run("init", options=other)
    before = len(cooperative.requests)
    code, _, refused = run("enrol", address, "--code", "EFGH", options=other)
    assert code == 1
    assert "places --confirm-zone" in refused
    assert len(cooperative.requests) == before
    run("places", "--confirm-zone", "17028", options=other)
    assert run("enrol", address, "--code", "EFGH", options=other)[0] == 0
    assert json.loads(cooperative.requests[-1][2])["zone"] == "17028"


def test_enrolling_sends_the_code_and_the_zone(cooperative) -> None:
    ((_, path, body),) = cooperative.requests
    assert path == "/v1/enrolments"
    assert Enrolment.parse(body).code == "ABCD"


def test_enrolling_twice_does_not_use_a_second_code(run, address, cooperative) -> None:
    code, _, err = run("enrol", address, "--code", "EFGH", "--zone", "17300")
    assert code == 1
    assert "déjà adhéré" in err
    assert len(cooperative.requests) == 1


def test_tasks_are_listed_as_documents(asked, answer) -> None:
    (document,) = answer("tasks")
    assert document == {
        "digest": asked.digest,
        "week": LAST_WEEK,
        "title_fr": asked.title_fr,
        "title_en": asked.title_en,
        "trust_mode": "local",
        "epsilon": 4.0,
        "purpose_digest": asked.purpose_digest,
        "report_deadline": asked.report_deadline.isoformat(),
    }


@pytest.mark.usefixtures("walked")
def test_a_preview_without_consent_shows_the_vector_and_why_nothing_leaves(asked, answer) -> None:
    answer("tasks")
    document = answer("preview", asked.digest[:10])
    assert set(document) == {
        *("task", "week", "zone", "figures", "exact_vector", "clipped", "epsilon"),
        *("leaves", "bytes", "sealed", "state", "closed"),
        *("weekdays", "zones", "trips_left_out"),
    }
    assert (document["leaves"], document["bytes"], document["state"]) == (None, None, None)
    assert document["closed"]["en"] == "You have not consented: nothing leaves."
    assert sum(each["value"] for each in document["figures"]) == pytest.approx(4.5, rel=0.1)
    assert sum(document["exact_vector"]) > 0


@pytest.mark.usefixtures("walked")
def test_what_the_preview_shows_is_what_the_cooperative_receives(
    asked, run, answer, cooperative
) -> None:
    answer("tasks")
    assert run("consents", "give", "--purpose", asked.purpose_digest)[0] == 0
    shown = answer("preview", asked.digest)
    assert shown["state"] == "prepared"
    assert shown["bytes"] == len(shown["leaves"])
    sent = answer("contribute", asked.digest)
    assert sent == {
        "task": asked.digest,
        "week": LAST_WEEK,
        "epsilon": 4.0,
        "state": "sent",
        "bytes": shown["bytes"],
    }
    assert [report.decode() for report in cooperative.reports] == [shown["leaves"]]
    report = read_report(cooperative.reports[0]).report
    assert list(report.vector) != shown["exact_vector"]  # the noise has a scale of 500 units
    assert answer("ledger") == {
        "contributions": [sent],
        "presumed": [],
        "epsilon_spent": 4.0,
        "epsilon_52_weeks": 4.0,
        "epsilon_52_weeks_pld": pytest.approx(4.0, abs=0.01),
        "delta_pld": 1e-6,
        "epsilon_cap_52_weeks": 208.0,
    }


def test_consents_are_listed_with_their_proof(asked, run, answer, cooperative) -> None:
    assert run("consents", "give", "--purpose", asked.purpose_digest)[0] == 0
    assert run("consents", "withdraw")[0] == 0
    events = answer("consents", "list")
    assert [event["type"] for event in events] == ["consent.given", "consent.withdrawn"]
    assert [event["proof"]["index"] for event in events] == [0, 1]
    assert [event["leaf"].encode() for event in events] == list(cooperative.leaves.leaves())
    for event in events:
        assert set(event) == {
            *("cid", "n", "type", "at", "purpose_digest", "leaf", "proof", "checkpoint"),
            *("state", "witnesses", "promise", "slip"),
        }


def test_a_withdrawal_needs_nobody_and_is_handed_over_by_the_next_command(
    asked, run, answer, cooperative
) -> None:
    run("consents", "give", "--purpose", asked.purpose_digest)
    cooperative.scripted["/v1/events"] = Answer(status=503, body=b"")
    code, _, err = run("consents", "withdraw")
    assert code == 0
    assert "vaut dès maintenant" in err
    assert "sera transmis" in err
    assert [event["proof"] is None for event in answer("consents", "list")] == [False, True]
    del cooperative.scripted["/v1/events"]
    run("contribute", asked.digest)  # refused: there is no consent any more
    assert [event["proof"] is None for event in answer("consents", "list")] == [False, False]
    assert cooperative.reports == []


@pytest.mark.usefixtures("walked")
def test_every_sharing_command_speaks_both_languages(asked, run, options) -> None:
    commands = [
        ["tasks"],
        ["consents", "show"],
        ["consents", "give", "--purpose", asked.purpose_digest[:8]],
        ["preview", asked.digest],
        ["contribute", asked.digest],
        ["ledger"],
        ["consents", "list"],
        ["consents", "withdraw"],
    ]
    for command in commands:
        language = ["--lang", "en"]
        code, out, err = run(*command, options=[*options, *language])
        assert (code, out) == (0, ""), err
        assert not {"Semaine", "accord", "choix", "Contribution de"} & set(err.split()), err


def test_a_digest_that_names_no_task_is_refused(run, answer) -> None:
    answer("tasks")
    code, _, err = run("preview", "zzzz")
    assert code == 1
    assert "tasks" in err
    assert err.count("\n") == 1


def test_due_weeks_are_sent_quiet_or_not_once(asked, run, answer, cooperative) -> None:
    run("consents", "give", "--purpose", asked.purpose_digest)
    (attempt,) = answer("contribute-due")
    assert (attempt["week"], attempt["refusal"]) == (LAST_WEEK, None)
    assert attempt["sent"]["state"] == "sent"
    assert len(cooperative.reports) == 1
    assert answer("contribute-due") == []
    assert len(cooperative.reports) == 1


@pytest.mark.usefixtures("asked")
def test_a_due_week_without_consent_says_why_and_fails(run, cooperative) -> None:
    code, _, err = run("contribute-due")
    assert code == 1
    assert "rien ne part" in err
    assert cooperative.reports == []


@pytest.fixture
def policy_file(cooperative, tmp_path):
    key = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
    vkey = NoteKey.of_witness("stewards.example", key.public_key()).vkey
    path = tmp_path / "stewards.policy"
    path.write_text(policy_text(log_vkey=cooperative.log.vkey, witness_vkeys=[vkey]))
    return path


def test_proofs_that_no_trusted_steward_cosigned_are_told_as_unproved(
    asked, run, policy_file
) -> None:
    run("consents", "give", "--purpose", asked.purpose_digest)
    code, _, err = run("consents", "trust", policy_file)
    assert (code, "1 témoin" in err) == (0, True)
    code, _, err = run("consents", "verify")
    assert (code, "inscrit, rang 0" in err) == (3, True)


def test_a_trust_file_that_cannot_be_read_is_one_sentence(asked, run, tmp_path) -> None:
    assert asked
    code, _, err = run("consents", "trust", tmp_path / "nowhere")
    assert (code, "Traceback" in err) == (1, False)


def test_receipts_are_written_and_named(asked, run, answer, tmp_path) -> None:
    run("consents", "give", "--purpose", asked.purpose_digest)
    folder = tmp_path / "receipts"
    names = answer("consents", "receipts", folder)["files"]
    assert sorted(names) == sorted(path.name for path in folder.iterdir())
    assert "evidence.jsonl" in names


def test_without_two_keepers_there_is_nothing_to_show_or_pin(run, answer) -> None:
    assert answer("keepers") == {"pinned": False, "keepers": []}
    code, _, err = run("keepers", "--pin", "A" * 43)
    assert code == 1
    assert "rien à épingler" in err
