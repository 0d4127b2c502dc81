"""What every answer carries, how much a request may send, and what is not logged."""

import httpx
import pytest
from structlog.testing import capture_logs

from coop_aggregator.settings import Settings

PATHS = ["/fr/", "/v1/tasks", "/static/style.css", "/nothing", "/healthz", "/v1/log/entries"]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_forbids_scripts_and_other_origins(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'self'")
    assert "script-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/fr/", "/v1/tasks"])
def test_no_answer_sets_a_cookie(client, path):
    assert "set-cookie" not in client.get(path).headers


def test_a_body_beyond_the_limit_is_not_read(light_coop, serve, light_settings):
    small = serve(light_coop.leader, Settings(data=light_settings.data, max_body_bytes=2048))
    answer = small.post("/v1/reports", json={"report": "a" * 4000})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-security-policy"]


def test_a_body_of_unannounced_length_is_cut_at_the_limit(light_coop, serve, light_settings):
    small = serve(light_coop.leader, Settings(data=light_settings.data, max_body_bytes=2048))
    request = httpx.Request("POST", "http://coop.example/v1/reports", content=b"a" * 4000)
    del request.headers["content-length"]
    assert small.send(request).status_code == 413


def test_a_length_that_is_no_number_is_refused(client):
    request = httpx.Request("POST", "http://coop.example/v1/reports", content=b"{}")
    request.headers["content-length"] = "-1"
    assert client.send(request).status_code == 413


def test_the_access_log_knows_no_address_no_agent_and_no_query(client):
    with capture_logs() as lines:
        client.get("/v1/log/entries", params={"start": 0, "end": 1, "canary": "canary"})
    (line,) = [line for line in lines if line["event"] == "request"]
    assert set(line) == {"event", "log_level", "method", "path", "status", "duration_ms"}
    assert "canary" not in str(line)
    assert "127.0.0.1" not in str(line)


DOORS = ["dropbox", "erasures", "events", "reports", "sealed-reports"]


@pytest.mark.parametrize("door", DOORS)
def test_what_a_store_sends_leaves_no_line(client, door):
    with capture_logs() as lines:
        client.post(f"/v1/{door}", json={"x": "canary"})
        client.post(f"/v1/{door}/", json={"x": "canary"})
    assert [line for line in lines if line["event"] == "request"] == []


def test_tries_at_enrolment_are_seen_without_their_codes(client):
    with capture_logs() as lines:
        client.post("/v1/enrolments", json={"code": "canary"})
    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["path"], line["status"]) == ("/v1/enrolments", 422)
    assert "canary" not in str(lines)


def test_who_asks_for_the_proof_of_an_entry_leaves_no_line(client):
    with capture_logs() as lines:
        assert client.get("/v1/proof/" + "ab" * 32).status_code == 404
    assert lines == []


def test_a_fault_of_ours_is_logged_without_the_entry_that_was_asked_for(light_coop, serve):
    client = serve(light_coop.leader)
    with light_coop.leader.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE leaves RENAME TO gone")
    with capture_logs() as lines:
        assert client.get("/v1/proof/" + "ab" * 32).status_code == 500
    (line,) = [line for line in lines if line["event"] == "request"]
    assert line["path"] == "/v1/proof/"
    assert "abab" not in str(line)


def test_an_unforeseen_error_is_a_problem_without_details(light_coop, serve):
    client = serve(light_coop.leader)
    with light_coop.leader.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE tasks")
    with capture_logs():
        answer = client.get("/v1/tasks")
    assert answer.status_code == 500
    assert "tasks" not in answer.text
    assert answer.headers["content-security-policy"]


def test_there_is_no_page_that_would_load_scripts_from_elsewhere(client):
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404
