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
