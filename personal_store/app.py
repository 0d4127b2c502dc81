"""The resident's web server: pages for its owner, one door for live positions.

`create_app` composes it from an unlocked `Store`; nothing happens at import. It listens on this
machine only unless told otherwise, and sends no request of its own but those the owner asks for.
"""

import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse

from personal_store.console import Session
from personal_store.store import Store
from personal_store.web.failures import install_handlers
from personal_store.web.live import live_routes
from personal_store.web.pages import TEMPLATES, make_pages, page_routes
from personal_store.web.security import Guard, Sessions

STATIC = TEMPLATES.parent / "static"


def create_app(store: Store, *, hosts: tuple[str, ...] = ("127.0.0.1", "localhost")) -> FastAPI:
    """Compose the application of an unlocked store.

    `hosts` are the names it answers to: another name in a request is refused, so that a hostile
    page cannot reach it under its own name (DNS rebinding).
    """
    app = FastAPI(title="personal-store", docs_url=None, redoc_url=None, openapi_url=None)
    # The one added last sees a request first: the guard's headers are on every refusal too.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    app.add_middleware(Guard)
    install_handlers(app)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_api_route("/healthz", lambda: PlainTextResponse("ok"), include_in_schema=False)
    app.include_router(live_routes(store))
    pages = make_pages(store, Sessions(store.folder, store.clock))
    app.include_router(page_routes(pages))
    return app


def run_server(session: Session, *, host: str, port: int, hosts: tuple[str, ...]) -> None:
    """Unlock the store and serve until Ctrl-C; access logs would tell who came when, so none."""
    app = create_app(session.open(), hosts=(*hosts, "127.0.0.1", "localhost", host))
    session.say(
        fr=f"Pages : http://{host}:{port}/fr/ (Ctrl-C pour arrêter).",
        en=f"Pages: http://{host}:{port}/en/ (Ctrl-C to stop).",
    )
    uvicorn.run(app, host=host, port=port, access_log=False, log_level="warning")
