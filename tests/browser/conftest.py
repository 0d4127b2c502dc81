"""A whole demonstration with few residents, and the machine's own Chromium to walk its pages."""

import importlib
import os
import shutil
import sys

import pytest
from playwright.sync_api import sync_playwright

PASSPHRASE = "une semaine de démonstration"
WAIT_MS = 300_000  # a page that has not come by then never will
CHROMIUM_FLAGS = (
    "--no-sandbox",  # tests run as root in CI, on pages of our own
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def demonstration(repository, tmp_path_factory):
    """Run the demonstration of `make demo` with 45 residents and keep its servers up."""
    sys.path.insert(0, str(repository / "demo"))
    try:
        run = importlib.import_module("run")
        folder = tmp_path_factory.mktemp("demonstration") / "data"
        with run.demonstration(folder, residents=45) as demo:
            yield demo
    finally:
        sys.path.remove(str(repository / "demo"))


@pytest.fixture(scope="module")
def chromium():
    """Start the machine's Chromium; in CI its absence is a failure, elsewhere a reason to skip.

    For one module only: Playwright's event loop must have ended when other tests start theirs.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("expected Chromium in CI: .ci/run installs it")
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=list(CHROMIUM_FLAGS), timeout=WAIT_MS
        )
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium):
    """Return a function that opens a page in a window of its own, which ends with the test."""
    windows = []

    def new_page(**options):
        windows.append(chromium.new_context(**options))
        windows[-1].set_default_timeout(WAIT_MS)
        return windows[-1].new_page()

    yield new_page
    for window in windows:
        window.close()


@pytest.fixture(scope="module")
def session(chromium, demonstration):
    """Return what a browser keeps once the store's passphrase was given in it."""
    window = chromium.new_context(java_script_enabled=False)
    window.set_default_timeout(WAIT_MS)
    page = window.new_page()
    page.goto(demonstration.pages["store"] + "/fr/login")
    page.fill("#passphrase", PASSPHRASE)
    with page.expect_navigation():
        page.click("main button")
    assert page.url.endswith("/fr/"), "the passphrase did not open the store"
    kept = window.storage_state()
    window.close()
    return kept


@pytest.fixture
def open_page(new_page, demonstration, session):
    """Return a function that opens a page of the store, of the city or of the stewards."""
    token = demonstration.folder / "steward" / "keys" / "steward-token"
    entrance = {
        "store": {"storage_state": session},
        "city": {},
        "steward": {
            "http_credentials": {"username": "steward", "password": token.read_text().strip()}
        },
    }

    def open_page(who, *, javascript, scheme="light", width=1000):
        return new_page(
            **entrance[who],
            java_script_enabled=javascript,
            color_scheme=scheme,
            viewport={"width": width, "height": 900},
            bypass_csp=javascript,  # axe is injected; the policy itself is tested without it
        )

    return open_page
