"""A whole demonstration with few residents, and the machine's own Chromium to walk its pages."""

import importlib
import os
import shutil
import sys

import pytest
from playwright.sync_api import sync_playwright

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
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()
