"""What no page foresaw: a page of the site for a browser, one line for a client."""

import pytest

HTML = {"Accept": "text/html,application/xhtml+xml"}
FAILURES = {
    "no such page": ("GET", "/fr/nothing", 404, "Page introuvable.", "Page not found."),
    "no such language": ("GET", "/de/import", 404, "Page introuvable.", "Page not found."),
    "another method": ("PUT", "/fr/import", 405, "passez par les pages", "go through the pages"),
    "a form's address": ("GET", "/fr/logout", 405, "passez par les pages", "through the pages"),
    "a door": ("GET", "/pub", 405, "passez par les pages", "go through the pages"),
}


@pytest.mark.parametrize("case", FAILURES.values(), ids=FAILURES)
def test_a_browser_gets_a_page_of_the_site_in_its_language(stranger, case) -> None:
    method, path, status, fr, en = case
    for language, sentence in (("fr", fr), ("en", en)):
        answer = stranger.request(
            method,
            path.replace("/fr/", f"/{language}/"),
            headers=HTML | {"Accept-Language": language},
        )
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        assert f'<html lang="{language}">' in answer.text
        assert sentence in answer.text.replace("&#39;", "'")
        assert "/static/style.css" in answer.text


@pytest.mark.parametrize("case", FAILURES.values(), ids=FAILURES)
def test_a_client_gets_one_line_in_both_languages(stranger, case) -> None:
    method, path, status, fr, en = case
    answer = stranger.request(method, path, headers={"Accept": "*/*"})
    assert (answer.status_code, answer.text.count("\n")) == (status, 1)
    assert answer.headers["content-type"].startswith("text/plain")
    assert fr in answer.text
    assert en in answer.text


def test_a_refused_method_still_names_those_that_are_taken(stranger) -> None:
    assert "GET" in stranger.put("/fr/import", headers=HTML).headers["allow"]


FORGED = {"Origin": "http://evil.example"}
TOO_LONG = {"Content-Length": str(10**12)}
REFUSED = {
    "another name": ({"Host": "evil.example"}, 400, "sous ce nom", "answer to this name"),
    "another site": (FORGED, 403, "d'un autre site", "from another site"),
    "too much": (TOO_LONG, 413, "trop volumineux", "Too much"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_a_browser_that_the_guard_turns_away_gets_a_page_in_its_language(stranger, case) -> None:
    headers, status, fr, en = case
    for language, sentence in (("fr", fr), ("en", en)):
        answer = stranger.post(f"/{language}/login", headers=HTML | headers)
        assert (answer.status_code, answer.headers["x-content-type-options"]) == (status, "nosniff")
        assert f'<html lang="{language}">' in answer.text
        assert sentence in answer.text.replace("&#39;", "'")
        assert "evil" not in answer.text


def test_the_style_of_a_refusal_is_given_under_the_refused_name(stranger) -> None:
    answer = stranger.get("/static/style.css", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (
        200,
        "text/css",
    )


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_a_client_that_the_guard_turns_away_gets_one_line_in_both_languages(stranger, case) -> None:
    headers, status, fr, en = case
    answer = stranger.post("/fr/login", headers={"Accept": "*/*"} | headers)
    assert (answer.status_code, answer.text.count("\n")) == (status, 1)
    assert fr in answer.text
    assert en in answer.text


@pytest.mark.parametrize("headers", [FORGED, TOO_LONG], ids=["another site", "too much"])
@pytest.mark.parametrize("path", ["/pub", "/overland", "/gpslogger", "/traccar"])
def test_an_app_that_the_guard_turns_away_gets_the_status_alone(stranger, path, headers) -> None:
    assert stranger.post(path, headers=HTML | headers).content == b""
