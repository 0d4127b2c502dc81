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


def open_page(chromium, demonstration, who, *, javascript, scheme="light", width=1000):
    """Return a page of a fresh browser; for the store, one that gave the passphrase."""
    token = demonstration.folder / "steward" / "keys" / "steward-token"
    credentials = {"username": "steward", "password": token.read_text().strip()}
    context = chromium.new_context(
        http_credentials=credentials if who == "steward" else None,
        java_script_enabled=javascript,
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
        bypass_csp=javascript,  # axe is injected; the policy itself is tested without it
    )
    page = context.new_page()
    if who == "store":
        page.goto(demonstration.pages["store"] + "/fr/login")
        page.fill("#passphrase", "une semaine de démonstration")
        page.click("main button")
        assert page.url.endswith("/fr/"), "the passphrase did not open the store"
    return page


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_page_says_what_it_is_for_without_javascript(chromium, demonstration, name, language):
    who, path, expected = PAGES[name]
    page = open_page(chromium, demonstration, who, javascript=False)
    answer = page.goto(f"{demonstration.pages[who]}/{language}{path}")
    assert answer.status == 200
    assert page.locator("html").get_attribute("lang") == language
    assert expected[language] in page.locator("main").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_accessibility_violation(chromium, demonstration, name, language, scheme):
    who, path, _ = PAGES[name]
    page = open_page(chromium, demonstration, who, javascript=True, scheme=scheme)
    page.goto(f"{demonstration.pages[who]}/{language}{path}")
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": AXE_TAGS}})
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", PAGES)
def test_page_keeps_within_its_budget_and_calls_nobody(chromium, demonstration, name):
    who, path, _ = PAGES[name]
    page = open_page(chromium, demonstration, who, javascript=False)
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
def test_page_does_not_scroll_sideways_on_a_narrow_screen(chromium, demonstration, name):
    who, path, _ = PAGES[name]
    page = open_page(chromium, demonstration, who, javascript=True, width=NARROW_PX)
    page.goto(f"{demonstration.pages[who]}/fr{path}")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW_PX


@pytest.mark.parametrize("name", PAGES)
def test_every_control_is_reached_and_shown_by_the_keyboard(chromium, demonstration, name):
    who, path, _ = PAGES[name]
    page = open_page(chromium, demonstration, who, javascript=True)
    page.goto(f"{demonstration.pages[who]}/fr{path}")
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.getAttribute('href')")
    assert first is not None
    assert first.startswith("#"), "the first stop is the link that skips to the content"


def clicks(page, name, until):
    """Press the button of this name until the page says so; return how often it took."""
    for count in range(1, 4):
        page.get_by_role("button", name=name).click()
        if until in page.locator("main").inner_text():
            return count
    return None


@pytest.mark.parametrize("path", ["/sharing", "/consents"])
def test_withdrawing_takes_no_more_clicks_than_giving(chromium, demonstration, path):
    page = open_page(chromium, demonstration, "store", javascript=False)
    page.goto(demonstration.pages["store"] + "/fr" + path)
    withdrawing = clicks(page, "Retirer mon accord", "Vous ne partagez rien")
    page.get_by_role("button", name="Choisir et donner mon accord").click()
    page.get_by_label("J'ai 15 ans ou plus").check()
    giving = 2 + clicks(page, "Donner mon accord", "votre accord est en cours")
    assert withdrawing <= giving
    assert page.url.endswith(path)


def test_a_consent_is_limited_to_days_and_zones_without_a_script(chromium, demonstration):
    page = open_page(chromium, demonstration, "store", javascript=False, width=NARROW_PX)
    page.goto(demonstration.pages["store"] + "/fr/consents")
    page.get_by_role("button", name="Retirer mon accord").click()
    page.get_by_role("button", name="Choisir et donner mon accord").click()
    page.get_by_label("J'ai 15 ans ou plus").check()
    page.get_by_label("samedi").uncheck()
    page.get_by_label("dimanche").uncheck()
    page.get_by_label("Seulement dans ces zones, ma commune comprise").check()
    page.get_by_role("button", name="Donner mon accord").click()
    said = page.locator("main").inner_text()
    assert "lundi, mardi, mercredi, jeudi, vendredi." in said
    assert "commence et finit dans ces zones" in said
    page.get_by_role("button", name="Retirer mon accord").click()
    page.get_by_role("button", name="Choisir et donner mon accord").click()
    page.get_by_label("J'ai 15 ans ou plus").check()
    page.get_by_role("button", name="Donner mon accord").click()
