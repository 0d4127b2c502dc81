"""The composition root: everything that a running server is made of, put together here only.

Not a place for behaviour. `create_app` takes an opened installation; the CLI opens it, tests hand
over one with a clock of their own.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from coop_aggregator.executors import InlineExecutor, executor_for
from coop_aggregator.installation import Helper, Leader
from coop_aggregator.jobs.background import background_jobs
from coop_aggregator.settings import Settings
from coop_aggregator.web import api, keeper_api, log_api, pages
from coop_aggregator.web.problems import UnforeseenErrors, install_handlers
from coop_aggregator.web.security import AccessLog, BodyLimit, SecurityHeaders

STATIC = Path(__file__).parent / "web" / "static"
HELPER_MAX_BODY_BYTES = 4_194_304
"""Above any aggregation job, which `job_reports` cuts; a witness's note is far smaller."""


def create_app(installation: Leader | Helper, settings: Settings) -> FastAPI:
    """Build the web application of a leader or of a helper."""
    leads = isinstance(installation, Leader)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with background_jobs(installation, settings):
            if leads:
                yield
                return
            with executor_for(settings.workers, cluster=settings.cluster) as executor:
                app.state.executor = executor
                yield

    app = FastAPI(
        title=installation.who.name,
        # The interactive documentation would load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        middleware=[
            Middleware(AccessLog),
            Middleware(SecurityHeaders),
            Middleware(
                BodyLimit,
                max_bytes=settings.max_body_bytes if leads else HELPER_MAX_BODY_BYTES,
            ),
            Middleware(GZipMiddleware, minimum_size=500),
            Middleware(UnforeseenErrors),
        ],
    )
    app.state.executor = InlineExecutor()
    install_handlers(app)
    app.include_router(api.health_router(installation))
    app.include_router(keeper_api.keeper_router(installation))
    if isinstance(installation, Leader):
        app.include_router(api.leader_router(installation))
        app.include_router(log_api.log_router(installation))
        app.include_router(pages.leader_pages(installation))
    else:
        app.include_router(api.helper_router(installation))
        app.include_router(pages.helper_pages(installation))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app
