"""The pages of a store, through the application as it is served."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx
import pytest
from fastapi import FastAPI

from personal_store.app import create_app
from personal_store.jobs import catalogue
from personal_store.store import Store
from tests.in_process import InProcess

PASSPHRASE = "trois mots au hasard"
VOID = {"meta", "link", "br", "input", "rect", "path"}


@dataclass(slots=True)
class Page(HTMLParser):
    """What a browser would make of a page: elements, attributes and text."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def attributes(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.elements if name in attributes]


@pytest.fixture
def read() -> Callable[[str], Page]:
    """Return a function that parses a page and checks that every element is closed."""

    def read(html: str) -> Page:
        page = Page()
        page.feed(html)
        page.close()
        assert page.open == []
        return page

    return read


@pytest.fixture
def new_browser(app: FastAPI) -> Iterator[Callable[..., httpx.Client]]:
    """Return a function that opens a browser, which follows no redirect."""
    opened = []

    def new(**options: bool) -> httpx.Client:
        transport = InProcess(app, **options)
        opened.append(httpx.Client(transport=transport, base_url="http://127.0.0.1"))
        return opened[-1]

    yield new
    for client in opened:
        client.close()


@pytest.fixture
def browse() -> Iterator[Callable[[FastAPI], httpx.Client]]:
    """Return a function that opens a browser on an application of the test's own."""
    opened = []

    def browse(app: FastAPI) -> httpx.Client:
        opened.append(httpx.Client(transport=InProcess(app), base_url="http://127.0.0.1"))
        return opened[-1]

    yield browse
    for client in opened:
        client.close()


@pytest.fixture
def app(joined: Store, write_vault) -> FastAPI:
    """Return the application of a store that joined the cooperative in memory."""
    write_vault(joined.folder, PASSPHRASE)
    return create_app(joined)


@pytest.fixture
def stranger(new_browser) -> httpx.Client:
    """Return a browser that did not give the passphrase."""
    return new_browser()


@pytest.fixture
def browser(new_browser) -> httpx.Client:
    """Return a browser that gave the passphrase."""
    client = new_browser()
    assert client.post("/fr/login", data={"passphrase": PASSPHRASE}).status_code == 303
    return client


@pytest.fixture
def give(browser) -> Callable[..., httpx.Response]:
    """Return a function that reads the page of what is shared and consents to what it shows."""

    def give(language: str = "fr") -> httpx.Response:
        html = browser.get(f"/{language}/consents/choose").text
        shown = re.search(r'name="purpose" value="(\w+)"', html)
        read = {"purpose": shown[1]} if shown else {}
        data = read | {"age": "15", "days": list("1234567"), "where": "everywhere"}
        return browser.post(f"/{language}/sharing/give", data=data)

    return give


@pytest.fixture
def ask(joined, member, cooperative):
    """Return a function that has the cooperative ask, and the store learn, a task."""

    def ask(wording=None, **terms):
        task = cooperative.ask(cooperative.publish(**(wording or {})), **terms)
        catalogue.run_once(joined.engine, member, cooperative)
        return task

    return ask


@pytest.fixture
def asked(ask):
    """Return the task about 2026-W46."""
    return ask()


@pytest.fixture
def given(asked, give) -> None:
    """Consent to what the task about 2026-W46 is for."""
    assert asked.week == "2026-W46"
    assert give().status_code == 303
