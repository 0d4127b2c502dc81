"""The three pages as a person meets them: French and English, without JavaScript, with axe."""

import gzip
import re
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

pytestmark = pytest.mark.browser

LANGUAGES = ("fr", "en")
MAX_GZIPPED_BYTES = 30_000
MAX_REQUESTS = 4
MAX_NODES = 300
NARROW_PX = 320
SMALLEST_WORDS_PX = 11
CLIPPED = """[...document.querySelectorAll('.scroll')]
    .filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.innerText)"""
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

# Who, page after the language, and what a person must find there, in each language.
PAGES = {
    "my week": ("store", "/", {"fr": "kgCO₂e", "en": "kgCO₂e"}),
    "my budget": ("store", "/budget", {"fr": "À côté d'autres", "en": "Beside other figures"}),
    "what I share": ("store", "/sharing", {"fr": "octet pour octet", "en": "byte for byte"}),
    "my choice": ("store", "/consents/choose", {"fr": "15 ans ou plus", "en": "15 or older"}),
    "my consents": ("store", "/consents", {"fr": "Mon journal", "en": "My log"}),
    "my places": ("store", "/places", {"fr": "Mes lieux", "en": "My places"}),
    "who may withdraw": ("store", "/consents/others", {"fr": "Un code", "en": "A code"}),
    "for another": ("store", "/consents/for-another", {"fr": "mandat", "en": "mandate"}),
    "published figures": ("city", "/", {"fr": "95 %", "en": "95"}),
    "how it protects": ("city", "/protection", {"fr": "journal", "en": "log"}),
    "stewards' audit": ("steward", "/journal", {"fr": "audit", "en": "audit"}),
    "witnessed checkpoints": ("steward", "/", {"fr": "journal", "en": "log"}),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_page_says_what_it_is_for_without_javascript(open_page, demonstration, name, language):
    who, path, expected = PAGES[name]
    page = open_page(who, javascript=False)
    answer = page.goto(f"{demonstration.pages[who]}/{language}{path}")
    assert answer.status == 200
    assert page.locator("html").get_attribute("lang") == language
    assert expected[language] in page.locator("main").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_accessibility_violation(open_page, demonstration, name, language, scheme):
    who, path, _ = PAGES[name]
    page = open_page(who, javascript=True, scheme=scheme)
    page.goto(f"{demonstration.pages[who]}/{language}{path}")
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": AXE_TAGS}})
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", PAGES)
def test_page_keeps_within_its_budget_and_calls_nobody(open_page, demonstration, name):
    who, path, _ = PAGES[name]
    page = open_page(who, javascript=False)
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    address = f"{demonstration.pages[who]}/fr{path}"
    body = page.goto(address).body()
    assert {urlsplit(url).netloc for url in requests} == {urlsplit(address).netloc}
    assert len(requests) <= MAX_REQUESTS
    assert len(gzip.compress(body)) <= MAX_GZIPPED_BYTES
    # EcoIndex counts nodes without the inside of drawings.
    outside_drawings = re.sub(r"<svg.*?</svg>", "<svg>", body.decode(), flags=re.DOTALL)
    assert len(re.findall(r"<[a-z]", outside_drawings)) <= MAX_NODES


@pytest.mark.parametrize("name", PAGES)
def test_page_does_not_scroll_sideways_on_a_narrow_screen(open_page, demonstration, name):
    who, path, _ = PAGES[name]
    page = open_page(who, javascript=True, width=NARROW_PX)
    for language in LANGUAGES:
        page.goto(f"{demonstration.pages[who]}/{language}{path}")
        page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW_PX
        assert page.evaluate(CLIPPED) == [], "a table hides columns beyond its edge"


@pytest.mark.parametrize("name", ["my week", "my budget", "published figures"])
def test_the_words_of_a_drawing_are_large_enough_on_a_narrow_screen(open_page, demonstration, name):
    who, path, _ = PAGES[name]
    page = open_page(who, javascript=True, width=NARROW_PX)
    page.goto(f"{demonstration.pages[who]}/fr{path}")
    heights = page.evaluate(
        "[...document.querySelectorAll('svg text')].map((e) => e.getBoundingClientRect().height)"
    )
    assert heights
    assert min(heights) >= SMALLEST_WORDS_PX


@pytest.mark.parametrize("name", PAGES)
def test_every_control_is_reached_and_shown_by_the_keyboard(open_page, demonstration, name):
    who, path, _ = PAGES[name]
    page = open_page(who, javascript=True)
    page.goto(f"{demonstration.pages[who]}/fr{path}")
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.getAttribute('href')")
    assert first is not None
    assert first.startswith("#"), "the first stop is the link that skips to the content"


def press(page, name):
    """Press the button of this name, and wait until the page that it leads to is there."""
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


def clicks(page, name, until):
    """Press the button of this name until the page says so; return how often it took."""
    for count in range(1, 4):
        press(page, name)
        if until in page.locator("main").inner_text():
            return count
    return None


@pytest.mark.parametrize("path", ["/sharing", "/consents"])
def test_withdrawing_takes_no_more_clicks_than_giving(open_page, demonstration, path):
    page = open_page("store", javascript=False)
    page.goto(demonstration.pages["store"] + "/fr" + path)
    withdrawing = clicks(page, "Retirer mon accord", "Vous ne partagez rien")
    press(page, "Choisir et donner mon accord")
    page.get_by_label("J'ai 15 ans ou plus").check()
    giving = 2 + clicks(page, "Donner mon accord", "votre accord est en cours")
    assert withdrawing <= giving
    assert page.url.endswith(path)


def test_a_consent_is_limited_to_days_and_zones_without_a_script(open_page, demonstration):
    page = open_page("store", javascript=False, width=NARROW_PX)
    page.goto(demonstration.pages["store"] + "/fr/consents")
    press(page, "Retirer mon accord")
    press(page, "Choisir et donner mon accord")
    page.get_by_label("J'ai 15 ans ou plus").check()
    page.get_by_label("samedi").uncheck()
    page.get_by_label("dimanche").uncheck()
    page.get_by_label("Seulement dans ces zones, ma commune comprise").check()
    press(page, "Donner mon accord")
    said = page.locator("main").inner_text()
    assert "lundi, mardi, mercredi, jeudi, vendredi." in said
    assert "commence et finit dans ces zones" in said
    press(page, "Retirer mon accord")
    press(page, "Choisir et donner mon accord")
    page.get_by_label("J'ai 15 ans ou plus").check()
    press(page, "Donner mon accord")
