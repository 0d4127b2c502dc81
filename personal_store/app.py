"""The resident's web server: pages for its owner, one door for live positions.

`create_app` composes it from an unlocked `Store`; nothing happens at import. It listens on this
machine only unless told otherwise, and sends no request of its own but those the owner asks for.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse

from personal_store.console import Session
from personal_store.jobs import incoming
from personal_store.jobs.background import Background
from personal_store.store import Store
from personal_store.web.failures import install_handlers
from personal_store.web.live import live_routes
from personal_store.web.pages import TEMPLATES, make_pages, page_routes
from personal_store.web.security import MAX_UPLOAD_BYTES, Guard, Sessions
from personal_store.web.uploads import upload_routes

STATIC = TEMPLATES.parent / "static"


def create_app(
    store: Store,
    *,
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost"),
    background: Background | None = None,
) -> FastAPI:
    """Compose the application of an unlocked store; it runs `background` while it serves.

    `hosts` are the names it answers to: another name in a request is refused, so that a hostile
    page cannot reach it under its own name (DNS rebinding).
    """
    jobs = background or Background(())
    app = FastAPI(
        title="personal-store",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lambda _: _running(jobs),
    )
    # The one added last sees a request first: the guard's headers are on every refusal too.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    app.add_middleware(Guard)
    install_handlers(app)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_api_route("/healthz", lambda: PlainTextResponse("ok"), include_in_schema=False)
    app.include_router(live_routes(store))
    pages = make_pages(store, Sessions(store.folder, store.clock))
    # Before the pages: "/fr/import" must not be taken for one of theirs.
    app.include_router(upload_routes(pages, limit_bytes=MAX_UPLOAD_BYTES, wake=jobs.wake))
    app.include_router(page_routes(pages))
    return app


@asynccontextmanager
async def _running(background: Background) -> AsyncIterator[None]:
    background.start()
    try:
        yield
    finally:
        background.stop()


def run_server(session: Session, *, host: str, port: int, hosts: tuple[str, ...]) -> None:
    """Unlock the store and serve until Ctrl-C; access logs would tell who came when, so none."""
    store = session.open()
    watched = session.settings.watch

    def take_in_files() -> object:
        return incoming.run_once(
            store.engine, data=store.folder, watched=watched, clock=store.clock
        )

    app = create_app(
        store,
        hosts=(*hosts, "127.0.0.1", "localhost", host),
        background=Background((take_in_files,)),
    )
    session.say(
        fr=f"Pages : http://{host}:{port}/fr/ (Ctrl-C pour arrêter).",
        en=f"Pages: http://{host}:{port}/en/ (Ctrl-C to stop).",
    )
    uvicorn.run(app, host=host, port=port, access_log=False, log_level="warning")
