"""The HTTP interface: shapes, statuses, and one form of error."""

import json
from hashlib import sha256

import pytest

from consents.records.receipt import EventType
from consents.tlog.checkpoint import verify_checkpoint
from consents.tlog.log import InclusionProof
from contributions.jws import key_from_jwk, public_jwk
from contributions.release import Release
from contributions.task import read_task

PROBLEM_FIELDS = {"type", "title", "title_en", "status", "detail", "detail_en"}


@pytest.fixture
def enrolment(light_coop, private_key):
    jwk = public_jwk(private_key("ada").public_key())
    return {"code": light_coop.code(), "member_jwk": jwk, "zone": "A"}


def event_body(resident, kind=EventType.GIVEN):
    leaf = resident.leaf(kind)
    return {"leaf": leaf.decode(), "membership": resident.membership(leaf).decode()}


def test_an_enrolment_answers_with_the_keys_to_trust(client, enrolment, light_coop):
    answer = client.post("/v1/enrolments", json=enrolment)
    assert answer.status_code == 201
    body = answer.json()
    assert set(body) == {"member_id", "log_vkey", "task_key_jwk", "log_origin", "keepers"}
    key = key_from_jwk(body["task_key_jwk"])
    (served,) = client.get("/v1/tasks").json()["tasks"]
    assert read_task(served["jws"].encode(), key) == light_coop.task


def test_a_draft_task_is_not_served(client, light_coop):
    with light_coop.leader.database.write() as connection:
        connection.exec_driver_sql("UPDATE tasks SET jws = NULL")
    assert client.get("/v1/tasks").json() == {"tasks": []}


def test_a_purpose_is_served_as_its_exact_bytes(client, light_coop):
    body = client.get(f"/v1/purposes/{light_coop.purpose_digest}").content
    assert sha256(body).hexdigest() == light_coop.purpose_digest


def test_an_event_is_answered_with_a_proof_that_holds(client, light_coop):
    resident = light_coop.resident(consents=False)
    body = event_body(resident)
    answer = client.post("/v1/events", json=body)
    assert answer.status_code == 201
    proof = InclusionProof.parse(answer.json()["proof"])
    proof.verify(body["leaf"].encode())
    checkpoint = verify_checkpoint(answer.json()["checkpoint"], light_coop.leader.who.log_vkey)
    assert (proof.root, proof.size) == (checkpoint.root, checkpoint.size)
    assert client.post("/v1/events", json=body).status_code == 200


def test_a_report_is_answered_with_its_id(client, light_coop):
    resident = light_coop.resident()
    body = {"report": resident.report().decode()}
    answer = client.post("/v1/reports", json=body)
    assert answer.status_code == 201
    assert list(answer.json()) == ["report_id"]
    assert client.post("/v1/reports", json=body).status_code == 409


def test_a_refused_report_says_a_reason_code_and_no_more(client, light_coop):
    resident = light_coop.resident()
    resident.send_event(EventType.WITHDRAWN)
    answer = client.post("/v1/reports", json={"report": resident.report().decode()})
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == PROBLEM_FIELDS
    assert answer.json()["type"] == "urn:mobilites-en-commun:report-refused:uncovered"


BAD_REQUESTS = {
    "an enrolment with an unknown code": (
        "/v1/enrolments",
        {
            "code": "0000",
            "member_jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43},
            "zone": "A",
        },
        403,
    ),
    "an enrolment with another curve": (
        "/v1/enrolments",
        {"code": "0000", "member_jwk": {"kty": "OKP", "crv": "X25519", "x": "A"}, "zone": "A"},
        422,
    ),
    "an enrolment with a field too many": (
        "/v1/enrolments",
        {
            "code": "0000",
            "member_jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 43},
            "zone": "A",
            "name": "Ada",
        },
        422,
    ),
    "an event without membership": ("/v1/events", {"leaf": "a.b.c"}, 422),
    "an event that is no leaf": ("/v1/events", {"leaf": "a.b.c", "membership": "a.b.c"}, 422),
    "a report that is a number": ("/v1/reports", {"report": 7}, 422),
    "a report with a non-ASCII letter": ("/v1/reports", {"report": "é.b.c"}, 422),
    "a body that is a list": ("/v1/reports", [1], 422),
}


@pytest.mark.parametrize("case", BAD_REQUESTS)
def test_a_bad_request_is_a_problem_in_both_languages(client, case):
    path, body, status = BAD_REQUESTS[case]
    answer = client.post(path, json=body)
    assert answer.status_code == status
    assert set(answer.json()) == PROBLEM_FIELDS
    assert answer.json()["status"] == status


def test_a_refusal_does_not_repeat_what_was_sent(client):
    answer = client.post("/v1/reports", json={"report": "canary.canary", "canary": "canary"})
    assert "canary" not in answer.text


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/purposes/ab", "/v1/releases/2026-W01.json"])
def test_what_does_not_exist_is_a_problem(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert set(answer.json()) == PROBLEM_FIELDS


def test_log_entries_are_for_who_holds_the_stewards_token(client, light_coop):
    light_coop.resident()
    asked = {"start": 0, "end": 10}
    assert client.get("/v1/log/entries", params=asked).status_code == 401
    wrong = {"Authorization": "Bearer nonsense"}
    assert client.get("/v1/log/entries", params=asked, headers=wrong).status_code == 401
    right = {"Authorization": f"Bearer {light_coop.leader.keys.steward_token}"}
    answer = client.get("/v1/log/entries", params=asked, headers=right)
    assert len(answer.json()["entries"]) == 2


@pytest.mark.parametrize("old", ["0", "-1", "99", "x"])
def test_consistency_with_a_size_that_never_was_is_refused(client, old):
    assert client.get("/v1/log/consistency", params={"old": old}).status_code in {404, 422}


def test_a_release_is_served_as_json_and_csv(client, light_coop):
    for zone in "AAB":
        light_coop.resident(zone).send_report()
    body = light_coop.release().body
    assert client.get("/v1/releases/2026-W46.json").content == body
    table = client.get("/v1/releases/2026-W46.csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert table.content == Release.parse(body).to_csv()
    assert client.get("/v1/releases").json() == {"weeks": ["2026-W46"]}


def test_the_zones_are_listed_for_stores(client):
    assert client.get("/v1/zones").json()["zones"][0] == {"code": "A", "name": "Zone A"}


def test_ready_means_that_the_database_answers(coop, serve):
    client = serve(coop.leader)
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json()["database"] == coop.leader.database.dialect


def test_not_ready_is_a_503(client, light_coop):
    with light_coop.leader.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE identity")
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_the_whole_interface_is_described(client):
    paths = json.loads(client.get("/openapi.json").text)["paths"]
    assert {"/v1/enrolments", "/v1/events", "/v1/reports", "/v1/tasks"} <= set(paths)


@pytest.mark.parametrize(
    "path", ["/v1/purposes/%00", "/v1/releases/%00.json", "/v1/releases/2026-W46%00.csv"]
)
def test_a_name_that_no_database_can_hold_is_not_found(client, path):
    assert client.get(path).status_code == 404


def test_a_position_beyond_every_log_is_a_problem_and_not_a_failure(client, light_coop):
    right = {"Authorization": f"Bearer {light_coop.leader.keys.steward_token}"}
    far = "/v1/log/entries?start=99999999999999999999&end=1"
    assert client.get(far, headers=right).status_code == 422
    assert client.get("/v1/log/consistency?old=99999999999999999999").status_code == 422
