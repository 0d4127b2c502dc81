"""The resident's web server: pages for its owner, doors for live positions.

It is composed from an open `Store`, or from a `Lock` that is still closed; nothing happens at
import. It listens on this machine only unless told otherwise, and sends no request of its own but
those the owner asks for.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from functools import partial

import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.responses import PlainTextResponse

from personal_store import home_zone
from personal_store.cli.console import Session
from personal_store.jobs import draining, incoming, overlapping, pipeline
from personal_store.jobs.background import Background
from personal_store.jobs.incoming import Watched
from personal_store.lock import Lock, open_lock
from personal_store.serving import announced, first_in, no_longer_locked
from personal_store.store import Store
from personal_store.web.budget_page import budget_routes
from personal_store.web.choosing_page import choosing_routes
from personal_store.web.consents_page import consent_routes
from personal_store.web.devices_page import device_routes
from personal_store.web.failures import install_handlers, refused
from personal_store.web.for_another_page import for_another_routes
from personal_store.web.live import live_routes
from personal_store.web.others_page import others_routes
from personal_store.web.pages import TEMPLATES, make_pages, page_routes
from personal_store.web.security import MAX_UPLOAD_BYTES, Guard, Sessions
from personal_store.web.trips import trip_routes
from personal_store.web.uploads import upload_routes

STATIC = TEMPLATES.parent / "static"
LOCAL_NAMES = ("127.0.0.1", "localhost")


def create_app(
    store: Store, *, hosts: tuple[str, ...] = LOCAL_NAMES, background: Background | None = None
) -> FastAPI:
    """Compose the application of an unlocked store; the rest as in `create_lockable_app`."""
    return create_lockable_app(open_lock(store), hosts=hosts, background=background)


def create_lockable_app(
    lock: Lock, *, hosts: tuple[str, ...] = LOCAL_NAMES, background: Background | None = None
) -> FastAPI:
    """Compose the application of a store that may be locked; it runs `background` meanwhile.

    `hosts` are the names it answers to: another name in a request is refused, so that a hostile
    page cannot reach it under its own name (DNS rebinding).
    """
    jobs = background or Background(())
    pages = make_pages(lock, Sessions(lock))
    app = FastAPI(
        title="personal-store",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lambda _: _running(jobs),
    )
    app.add_middleware(Guard, hosts=hosts, refuse=partial(refused, pages))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_api_route("/healthz", lambda: PlainTextResponse("ok"), include_in_schema=False)
    app.include_router(live_routes(lock.reception, lock.clock))
    install_handlers(app, pages)
    # Before the pages: "/fr/import" must not be taken for one of theirs.
    app.include_router(upload_routes(pages, limit_bytes=MAX_UPLOAD_BYTES, wake=jobs.wake))
    app.include_router(device_routes(pages))
    # Before the consents: "/fr/consents/others/sheet" must not be taken for one of them.
    app.include_router(others_routes(pages))
    app.include_router(for_another_routes(pages))
    app.include_router(consent_routes(pages))
    app.include_router(choosing_routes(pages))
    app.include_router(trip_routes(pages))
    app.include_router(budget_routes(pages))
    app.include_router(page_routes(pages))
    return app


@asynccontextmanager
async def _running(background: Background) -> AsyncIterator[None]:
    background.start()
    try:
        yield
    finally:
        background.stop()


def run_server(
    session: Session,
    *,
    host: str,
    port: int,
    hosts: tuple[str, ...],
    locked: bool,
    local_times: bool = False,
) -> None:
    """Serve until Ctrl-C, `locked` or not; access logs would tell who came when, so none.

    `local_times`: those without an offset in the watched folder's files are those of home.
    """
    lock = session.locked() if locked else open_lock(session.open())
    settings = session.settings
    with first_in(settings.data) as is_first, first_in(settings.watch) as is_watcher:
        if is_first:
            # Another server's browsers may be sending.
            incoming.drop_unfinished(settings.data)
        _say_of_folders(session, is_first=is_first, is_watcher=is_watcher)
        watched = None
        if settings.watch is not None and is_watcher:
            watched = Watched(folder=settings.watch, has_local_times=local_times)
        _serve(session, lock, host=host, port=port, hosts=hosts, watched=watched)


def _serve(
    session: Session,
    lock: Lock,
    *,
    host: str,
    port: int,
    hosts: tuple[str, ...],
    watched: Watched | None,
) -> None:
    locked = lock.is_locked
    background = Background(jobs_of(lock, watched=watched))

    def opened() -> None:
        no_longer_locked(lock.folder)
        background.wake()

    lock.on_open = opened
    app = create_lockable_app(lock, hosts=(*hosts, *LOCAL_NAMES, host), background=background)
    if locked:
        session.say(
            fr="L'espace est verrouillé : les positions reçues sont scellées jusqu'à ce que la "
            "page reçoive la phrase de passe.",
            en="The store is locked: positions that come in are sealed until the page is given "
            "the passphrase.",
        )
    session.say(
        fr=f"Pages : http://{host}:{port}/fr/ (Ctrl-C pour arrêter).",
        en=f"Pages: http://{host}:{port}/en/ (Ctrl-C to stop).",
    )
    with announced(lock.folder, f"http://{host}:{port}/") if locked else nullcontext():
        uvicorn.run(app, host=host, port=port, access_log=False, log_level="warning")


def _say_of_folders(session: Session, *, is_first: bool, is_watcher: bool) -> None:
    """Warn of another server, and of what the watched folder holds that is not taken in."""
    if not is_first:
        session.say(
            fr="Un autre serveur tourne déjà sur cet espace : un seul suffit, arrêtez l'un d'eux.",
            en="Another server already runs on this store: one is enough, stop either.",
        )
    if not is_watcher:
        session.say(
            fr="Un autre serveur surveille déjà ce dossier : celui-ci n'y prendra aucun fichier.",
            en="Another server already watches this folder: this one will take no file from it.",
        )
        return
    for name in incoming.left_aside(session.settings.watch):
        session.say(
            fr=f"Dossier surveillé : « {name} » est un dossier ou un lien, il reste où il est ; "
            "prenez-le avec « import ».",
            en=f"Watched folder: “{name}” is a folder or a link and stays where it is; take it in "
            "with “import”.",
        )


def jobs_of(lock: Lock, *, watched: Watched | None) -> tuple[Callable[[], None], ...]:
    """Return what a server does beside its pages; nothing while `lock` is locked."""

    def empty_the_inbox() -> None:
        if not lock.is_locked and draining.run_once(lock.store).positions:
            pipeline.take_news(lock.store.engine)

    def take_in_files() -> None:
        if lock.is_locked:
            return
        store = lock.store
        home_zone.adopt(store.engine)  # a command may have changed it
        incoming.run_once(store.engine, data=store.folder, watched=watched, clock=store.clock)
        overlapping.run_once(store.engine)

    def read_again() -> None:
        # A slice a round, so that what phones send does not wait for the end of a long history.
        if not lock.is_locked:
            pipeline.read_again(lock.store.engine)

    return empty_the_inbox, take_in_files, read_again
