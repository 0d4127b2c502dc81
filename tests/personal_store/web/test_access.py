"""Who gets in, and what is refused before any page is made."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from fastapi.routing import APIRoute

from personal_store import lock
from personal_store.vault import VAULT_FILE
from personal_store.web import contexts
from personal_store.web.security import COOKIE, MAX_BODY_BYTES, SESSION_LIFETIME, Sessions

PASSPHRASE = "trois mots au hasard"
DOORS = {"/pub", "/overland", "/gpslogger", "/traccar"}
OPEN_TO_ALL = {"/", "/healthz", *DOORS, "/{language}/login", "/{language}/logout"}
EXPECTED_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


def _routes(app):
    """Return (method, path) of every route, those of included routers too."""
    found = set()
    for context in app.routes:
        route = getattr(context, "route", context)
        nested = getattr(getattr(context, "original_router", None), "routes", [])
        for each in (route, *nested):
            if isinstance(each, APIRoute):
                found |= {(method, each.path) for method in each.methods}
    return found


def test_the_scan_sees_the_routes(app) -> None:
    found = _routes(app)
    assert ("GET", "/{language}/sharing") in found
    assert ("POST", "/pub") in found
    assert len(found) >= 12


def test_every_page_but_the_entrance_asks_for_the_passphrase(app, stranger) -> None:
    forms = {"task": "abc", "shown_sha256": "abc", "kind": "home", "place": "0", "what": "mode"}
    for method, path in _routes(app):
        if path in OPEN_TO_ALL:
            continue
        address = path.replace("{language}", "fr").replace("{week}", "2026-W46")
        address = address.replace("{day}", "2026-11-09")
        answer = stranger.request(method, address, data=forms if method == "POST" else None)
        assert (answer.status_code, answer.headers["location"]) == (303, "/fr/login"), path
        assert answer.text == ""


def test_a_forged_or_empty_session_is_no_session(stranger) -> None:
    for token in ("", "x", "None", "a" * 43):
        stranger.cookies.set(COOKIE, token)
        assert stranger.get("/fr/").status_code == 303


def test_the_passphrase_opens_a_session(stranger) -> None:
    answer = stranger.post("/en/login", data={"passphrase": PASSPHRASE})
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/")
    assert stranger.get("/en/").status_code == 200


def test_the_cookie_is_for_this_site_and_no_script(stranger) -> None:
    answer = stranger.post("/fr/login", data={"passphrase": PASSPHRASE})
    attributes = {each.strip().lower() for each in answer.headers["set-cookie"].split(";")}
    assert {"httponly", "samesite=strict", "path=/", "max-age=43200"} <= attributes


def test_a_wrong_passphrase_is_403_and_opens_nothing(stranger) -> None:
    answer = stranger.post("/fr/login", data={"passphrase": "quatre mots mal choisis"})
    assert answer.status_code == 403
    assert "La phrase de passe n'est pas la bonne." in answer.text.replace("&#39;", "'")
    assert "quatre mots" not in answer.text
    assert "set-cookie" not in answer.headers
    assert stranger.get("/fr/").status_code == 303


def test_a_damaged_vault_lets_nobody_in_and_says_why(stranger, joined) -> None:
    (joined.folder / VAULT_FILE).write_text("{")
    answer = stranger.post("/en/login", data={"passphrase": PASSPHRASE})
    assert answer.status_code == 403
    assert "restore it from a backup" in answer.text


@pytest.mark.parametrize(
    "form", [{}, {"passphrase": ""}, {"passphrase": "secret" * 1000}], ids=["none", "empty", "long"]
)
def test_a_form_without_a_usable_passphrase_is_refused_and_not_repeated(stranger, form) -> None:
    answer = stranger.post("/fr/login", data=form)
    assert answer.status_code in {400, 403}
    assert "secretsecret" not in answer.text


def test_leaving_ends_the_session(browser) -> None:
    assert browser.post("/fr/logout").headers["location"] == "/fr/login"
    assert browser.get("/fr/").status_code == 303


def test_a_session_ends_after_twelve_hours(browser, clock) -> None:
    clock.advance(SESSION_LIFETIME - timedelta(seconds=1))
    assert browser.get("/fr/").status_code == 200
    clock.advance(timedelta(seconds=1))
    assert browser.get("/fr/").status_code == 303


def test_passphrases_are_tried_one_at_a_time(joined, monkeypatch) -> None:
    # Each try costs 64 MiB by design: forty at once would be a small machine's whole memory.
    trying, most = 0, 0
    guard = threading.Lock()
    overlap = threading.Event()

    def unlock(_folder, _passphrase) -> None:
        nonlocal trying, most
        with guard:
            trying += 1
            most = max(most, trying)
        overlap.wait(0.01)
        with guard:
            trying -= 1

    monkeypatch.setattr(lock, "unlock", unlock)
    sessions = Sessions(lock.open_lock(joined))
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(sessions.open, ["x"] * 8))
    assert len(tokens) == 8
    assert most == 1


def test_every_answer_carries_the_security_headers(stranger, browser) -> None:
    answers = {
        "page": browser.get("/fr/"),
        "login": stranger.get("/fr/login"),
        "redirect": stranger.get("/fr/"),
        "static": stranger.get("/static/style.css"),
        "health": stranger.get("/healthz"),
        "not found": stranger.get("/nowhere"),
        "unknown week": browser.get("/fr/weeks/x"),
        "unknown language": browser.get("/de/"),
        "wrong method": stranger.delete("/fr/login"),
        "wrong passphrase": stranger.post("/fr/login", data={"passphrase": "wrong, too"}),
        "wrong form": stranger.post("/fr/login"),
        "no token": stranger.post("/pub", content=b"{}"),
        "foreign host": stranger.get("/fr/", headers={"Host": "evil.example"}),
        "foreign origin": stranger.post("/fr/login", headers={"Origin": "http://evil.example"}),
        "too large": stranger.post("/pub", content=b"x" * (MAX_BODY_BYTES + 1)),
    }
    for name, answer in answers.items():
        seen = {header: answer.headers.get(header) for header in EXPECTED_HEADERS}
        assert seen == EXPECTED_HEADERS, name


def test_a_page_is_not_kept_by_the_browser(browser) -> None:
    for address in ("/fr/", "/fr/sharing", "/fr/login", "/fr/weeks/2026-W46"):
        assert browser.get(address).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://127.0.0.1.evil.example",
        "http://127.0.0.1:9999",
        "null",
        "",
        "evil",
    ],
)
def test_a_form_of_another_site_is_refused(browser, cooperative, origin) -> None:
    for address in ("/fr/login", "/fr/logout", "/fr/sharing/give", "/fr/sharing/withdraw"):
        assert browser.post(address, headers={"Origin": origin}).status_code == 403
    assert browser.get("/fr/").status_code == 200  # still logged in
    assert cooperative.requests == []


def test_a_form_of_our_own_is_accepted(browser) -> None:
    answer = browser.post("/fr/logout", headers={"Origin": "http://127.0.0.1"})
    assert answer.status_code == 303


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "example:80"])
def test_another_name_of_this_machine_is_refused(browser, host) -> None:
    assert browser.get("/fr/", headers={"Host": host}).status_code == 400


def test_a_hostile_page_under_its_own_name_is_refused(stranger) -> None:
    # DNS rebinding: name and origin agree, but it is not our name.
    forged = {"Host": "evil.example", "Origin": "http://evil.example"}
    assert stranger.post("/fr/login", headers=forged).status_code == 400


def test_localhost_is_this_machine_too(stranger) -> None:
    assert stranger.get("/fr/login", headers={"Host": "localhost:8640"}).status_code == 200


@pytest.mark.parametrize("path", ["/pub", "/fr/login", "/fr/sharing/contribute", "/nowhere"])
def test_a_body_over_the_limit_is_413(stranger, path) -> None:
    assert stranger.post(path, content=b"x" * (MAX_BODY_BYTES + 1)).status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e9", "x", ""])
def test_a_length_that_is_no_number_is_413(stranger, length) -> None:
    answer = stranger.post("/pub", content=b"", headers={"Content-Length": length})
    assert answer.status_code == 413


def test_a_stream_without_length_is_cut_off_at_the_limit(stranger) -> None:
    sent = []

    def endless():
        for _ in range(64):
            sent.append(1)
            yield b"x" * (MAX_BODY_BYTES // 16)

    assert stranger.post("/pub", content=endless()).status_code == 413


def test_the_largest_body_is_taken(stranger) -> None:
    assert stranger.post("/pub", content=b" " * MAX_BODY_BYTES).status_code == 401


def test_a_failure_of_ours_says_nothing_of_what_failed(new_browser, monkeypatch) -> None:
    def fail(*_):
        raise RuntimeError("canary-of-a-failure")

    monkeypatch.setattr(contexts, "week_page", fail)
    client = new_browser(raise_app_exceptions=False)
    client.post("/fr/login", data={"passphrase": PASSPHRASE})
    answer = client.get("/fr/weeks/2026-W46")
    assert answer.status_code == 500
    assert "canary" not in answer.text
    assert {each: answer.headers.get(each) for each in EXPECTED_HEADERS} == EXPECTED_HEADERS
