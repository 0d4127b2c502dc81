"""The resident's pages: my week, and what I share. Forms post and redirect; nothing needs a script.

It holds no logic of its own: each page is a context made from the jobs by `contexts.py`.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from consents.typography import french_page
from contributions.errors import Malformed
from contributions.weeks import week_of
from personal_store.choices import consenting
from personal_store.errors import StoreError, TooManyTries, TransportError, VaultError
from personal_store.jobs import catalogue, draining, pipeline, sharing
from personal_store.lock import Lock
from personal_store.membership import Membership
from personal_store.settings import Language
from personal_store.store import Store
from personal_store.web import contexts
from personal_store.web.language import Speaker, accepted_language, read_catalogue
from personal_store.web.security import COOKIE, SESSION_LIFETIME, Sessions

TEMPLATES = Path(__file__).parent / "templates"
SEE_OTHER = 303
Back = Annotated[Literal["sharing", "consents"], Form()]
"""The page that a choice was made on, and that its answer leads back to."""


@dataclass(frozen=True, slots=True)
class Pages:
    """Renders a context in a language, for a browser that gave the passphrase."""

    lock: Lock
    sessions: Sessions
    environment: Environment
    speakers: dict[Language, Speaker]

    @property
    def store(self) -> Store:
        """Return the open store. Raises StoreLocked while it is locked."""
        return self.lock.store

    def render(
        self, template: str, language: Language, *, status: int = 200, **values: object
    ) -> HTMLResponse:
        """Render one page."""
        page = self.environment.get_template(template)
        content = page.render(speak=self.speakers[language], language=language, **values)
        if language == "fr":
            content = french_page(content)
        return HTMLResponse(content, status_code=status, headers={"Cache-Control": "no-store"})

    def login(self, language: Language, *, refused: StoreError | None = None) -> HTMLResponse:
        """Render the form that asks for the passphrase, after a refusal with its reason."""
        wait = isinstance(refused, TooManyTries)
        return self.render(
            "login.html",
            language,
            status=200 if refused is None else 429 if wait else 403,
            refused=refused.say(language) if refused else None,
            is_locked=self.lock.is_locked,
        )

    def is_open(self, request: Request) -> bool:
        """Tell whether the request comes from a browser that gave the passphrase."""
        return self.sessions.is_open(request.cookies.get(COOKIE))

    def guarded(
        self, request: Request, language: Language, answer: Callable[[], Response]
    ) -> Response:
        """Answer a browser that gave the passphrase; lead any other to where it is asked for."""
        return answer() if self.is_open(request) else to(f"/{language}/login")


def make_pages(lock: Lock, sessions: Sessions) -> Pages:
    """Put the pages of a store together."""
    speakers: dict[Language, Speaker] = {
        "fr": Speaker(language="fr", catalogue={}),
        "en": Speaker(language="en", catalogue=read_catalogue()),
    }
    return Pages(lock, sessions, _templates(), speakers)


@cache
def _templates() -> Environment:
    """Return the templates, which are read and compiled once a process."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )


def page_routes(pages: Pages) -> APIRouter:
    """Return the routes of every page."""
    router = APIRouter(include_in_schema=False)
    _add_entrance(router, pages)
    _add_week(router, pages)
    _add_sharing(router, pages)
    return router


def _add_entrance(router: APIRouter, pages: Pages) -> None:
    @router.get("/")
    def choose_language(request: Request) -> Response:
        language = accepted_language(request.headers.get("accept-language"))
        return RedirectResponse(f"/{language}/", status_code=SEE_OTHER)

    @router.get("/{language}/login")
    def login(language: Language) -> Response:
        return pages.login(language)

    @router.post("/{language}/login")
    def open_session(
        language: Language, request: Request, passphrase: Annotated[str, Form(max_length=1024)]
    ) -> Response:
        try:
            token = pages.sessions.open(passphrase)
        except VaultError as error:
            return pages.login(language, refused=error)
        answer = RedirectResponse(f"/{language}/", status_code=SEE_OTHER)
        answer.set_cookie(
            COOKIE,
            token,
            max_age=int(SESSION_LIFETIME.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    @router.post("/{language}/logout")
    def close_session(language: Language, request: Request) -> Response:
        pages.sessions.close(request.cookies.get(COOKIE))
        return to(f"/{language}/login")


def _add_week(router: APIRouter, pages: Pages) -> None:
    @router.get("/{language}/")
    def newest_week(language: Language, request: Request) -> Response:
        if not pages.is_open(request):
            return to(f"/{language}/login")
        return _week(pages, language, None)

    @router.get("/{language}/weeks/{week}")
    def one_week(language: Language, request: Request, week: str) -> Response:
        if not pages.is_open(request):
            return to(f"/{language}/login")
        return _week(pages, language, week)


def _add_sharing(router: APIRouter, pages: Pages) -> None:
    @router.get("/{language}/sharing")
    def sharing_page(language: Language, request: Request) -> Response:
        if not pages.is_open(request):
            return to(f"/{language}/login")
        return _sharing(pages, language)

    @router.post("/{language}/sharing/withdraw")
    def withdraw(language: Language, request: Request, back: Back = "sharing") -> Response:
        if not pages.is_open(request):
            return to(f"/{language}/login")
        return _act(pages, language, lambda: _withdraw(pages.store, language), back=back)

    @router.post("/{language}/sharing/contribute")
    def send(
        language: Language,
        request: Request,
        task: Annotated[str, Form()],
        shown_sha256: Annotated[str, Form()],
    ) -> Response:
        if not pages.is_open(request):
            return to(f"/{language}/login")
        return _act(pages, language, lambda: _contribute(pages.store, task, shown_sha256))


def _week(pages: Pages, language: Language, week: str | None) -> Response:
    store = pages.store
    waiting = draining.count_waiting(store)
    try:
        # What a phone has sent since the last look becomes trips now; what the inbox held may be
        # months, which are emptied beside the pages.
        if not waiting:
            pipeline.take_news(store.engine)
        context = contexts.week_page(store, week or contexts.newest_week(store))
    except (Malformed, OverflowError):
        now = week_of(store.clock.now())
        return pages.render("error.html", language, status=404, week=now, trouble=None)
    except StoreError as error:
        return pages.render(
            "error.html", language, status=409, week=None, trouble=error.say(language)
        )
    return pages.render("week.html", language, page=context, waiting=waiting)


def _sharing(pages: Pages, language: Language, *, trouble: str | None = None) -> Response:
    pipeline.take_news(pages.store.engine)
    context = contexts.sharing_page(pages.store)
    status = 200 if trouble is None else 409
    return pages.render(
        "sharing.html",
        language,
        status=status,
        page=context,
        trouble=trouble,
    )


def _act(
    pages: Pages, language: Language, action: Callable[[], None], *, back: str = "sharing"
) -> Response:
    try:
        action()
    except StoreError as error:
        return _sharing(pages, language, trouble=error.say(language))
    return to(f"/{language}/{back}")


def _withdraw(store: Store, language: Language) -> None:
    member = catalogue.the_membership(store.engine)
    consenting.withdraw(
        store.engine,
        member,
        language=language,
        now=store.clock.now(),
        randomness=store.randomness,
    )
    hand_over(store, member)


def hand_over(store: Store, member: Membership) -> None:
    """Hand fresh choices over where the cooperative answers; they hold in any case."""
    # Signed and kept: it holds even when the cooperative cannot be told before the next visit.
    with suppress(TransportError):
        consenting.hand_over(store, member)


def _contribute(store: Store, task_digest: str, shown_sha256: str) -> None:
    member = catalogue.the_membership(store.engine)
    task = catalogue.find_task(store.engine, member, task_digest)
    pipeline.take_news(store.engine)
    consenting.hand_over(store, member)
    member = catalogue.the_membership(store.engine)
    sharing.run_once(store, member, task, shown_sha256=shown_sha256)


def to(path: str) -> RedirectResponse:
    """Redirect after a form, or to the entrance."""
    return RedirectResponse(path, status_code=SEE_OTHER)
