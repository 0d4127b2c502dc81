"""The server's own loop: the same jobs as the CLI's, every `release_interval_s` seconds.

Off by default: one process of a city runs it, the others leave it at 0. A failing run is logged and
the next one tries again.
"""

import asyncio
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from coop_aggregator.aggregate import executor_for
from coop_aggregator.errors import AggregatorError
from coop_aggregator.installation import Leader
from coop_aggregator.jobs import release, witness
from coop_aggregator.settings import Settings
from coop_aggregator.transport import HttpWitness


@asynccontextmanager
async def background_jobs(leader: Leader, settings: Settings) -> AsyncIterator[None]:
    """Run the jobs beside the server for as long as the context lasts."""
    if settings.release_interval_s == 0:
        yield
        return
    loop = asyncio.create_task(_loop(leader, settings))
    try:
        yield
    finally:
        loop.cancel()
        with suppress(asyncio.CancelledError):
            await loop


def run_jobs(leader: Leader, settings: Settings) -> None:
    """Publish what is due, then have the log's newest checkpoint cosigned."""
    with executor_for(settings.workers) as executor:
        release.run_once(leader, executor=executor)
    if settings.witness_url is not None and settings.witness_vkey is not None:
        with HttpWitness(settings.witness_url) as transport:
            witness.run_once(leader, transport, vkey=settings.witness_vkey)


async def _loop(leader: Leader, settings: Settings) -> None:
    log = structlog.get_logger("jobs")
    while True:
        try:
            await asyncio.to_thread(run_jobs, leader, settings)
        except AggregatorError as error:
            log.warning("job refused", kind=type(error).__name__, detail=error.en)
        except Exception as error:  # noqa: BLE001 - the loop outlives whatever a run meets
            trace = "".join(traceback.format_exception(error))
            log.critical("job failed", kind=type(error).__name__, trace=trace)
        await asyncio.sleep(settings.release_interval_s)
