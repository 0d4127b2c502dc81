"""The server's own loops: the same jobs as the CLI's, each at its interval.

Off by default: one process of a city runs them, the others leave the intervals at 0. A failing run
is logged and the next one tries again. Nothing is published while the stewards' drop-box cannot be
read: it may hold a withdrawal that counts from before the freeze.
"""

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import structlog

from coop_aggregator.errors import AggregatorError, WitnessFailed
from coop_aggregator.executors import executor_for
from coop_aggregator.installation import Helper, Leader
from coop_aggregator.jobs import dropbox, merge, release, retention, witness
from coop_aggregator.settings import Settings
from coop_aggregator.transport import HttpWitness, Reach, helper_channel, witness_ways


@asynccontextmanager
async def background_jobs(side: Leader | Helper, settings: Settings) -> AsyncIterator[None]:
    """Run the jobs beside the server for as long as the context lasts.

    A helper has one: it erases what it may no more hold.
    """
    jobs: list[tuple[Callable[[], object], int]] = [
        (partial(retention.run_once, side), settings.retention_interval_s)
    ]
    if isinstance(side, Leader):
        jobs += [
            (partial(run_jobs, side, settings), settings.release_interval_s),
            (partial(merge.run_once, side), settings.merge_interval_s),
        ]
    loops = [asyncio.create_task(_loop(job, interval_s)) for job, interval_s in jobs if interval_s]
    try:
        yield
    finally:
        for loop in loops:
            loop.cancel()
            with suppress(asyncio.CancelledError):
                await loop


def run_jobs(leader: Leader, settings: Settings, *, reach: Reach = HttpWitness) -> None:
    """Honour the drop-boxes, publish what is due, have the log's newest checkpoint cosigned.

    `reach` opens the way to a witness's address.
    """
    with witness_ways(leader, reach) as ways:
        try:
            _expect_all(dropbox.run_round(leader, ways))
            with (
                executor_for(settings.workers, cluster=settings.cluster) as executor,
                helper_channel(leader) as channel,
            ):
                release.run_once(leader, executor=executor, channel=channel)
        finally:
            # A keeper or drop-box that does not answer holds back weeks, and no cosignature.
            missing = witness.run_round(leader, ways).missing
    if missing:
        structlog.get_logger("jobs").warning("witnesses missing", names=list(missing))


def _expect_all(read: dropbox.RoundReport) -> None:
    if read.missing:
        names = ", ".join(read.missing)
        raise WitnessFailed(
            fr=f"Boîtes de dépôt non lues : {names}. Rien n'est publié avant.",
            en=f"Drop-boxes not read: {names}. Nothing is published before.",
        )


async def _loop(job: Callable[[], object], interval_s: int) -> None:
    log = structlog.get_logger("jobs")
    while True:
        try:
            await asyncio.to_thread(job)
        except AggregatorError as error:
            log.warning("job refused", kind=type(error).__name__, detail=error.en)
        except Exception as error:  # noqa: BLE001 - the loop outlives whatever a run meets
            trace = "".join(traceback.format_exception(error))
            log.critical("job failed", kind=type(error).__name__, trace=trace)
        await asyncio.sleep(interval_s)
