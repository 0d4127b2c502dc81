"""What an operator's Prometheus may watch: is it ready, is anything overdue, is the log cosigned.

On a port of its own, on loopback only. Nothing here counts members, answers, requests, processor
time or memory: sampled every few seconds, each would tell when somebody acted. What is told is
public already (the published checkpoint), or moves with deadlines and operators alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from consents.tlog.checkpoint import read_checkpoint
from contributions.two_keepers import COLLECTED_WITHIN
from coop_aggregator.db import questions, releases
from coop_aggregator.db.log import cosignatures_of
from coop_aggregator.installation import Helper, Leader

LOOPBACK = "127.0.0.1"


@contextmanager
def metrics_served(side: Leader | Helper, *, port: int) -> Iterator[None]:
    """Serve the metrics on loopback while the context lasts; port 0 serves none. Raises OSError."""
    if port == 0:
        yield
        return
    server, thread = start_http_server(port, addr=LOOPBACK, registry=registry_of(side))
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def registry_of(side: Leader | Helper) -> CollectorRegistry:
    """Return a registry of this installation's metrics, and of nothing about the process."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Watched(side))
    return registry


class _Watched(Collector):
    """Reads the database anew at each scrape."""

    def __init__(self, side: Leader | Helper) -> None:
        self._side = side

    def describe(self) -> list[Metric]:
        """Tell nothing beforehand: registering must not read the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield each metric; only that the database does not answer when it does not."""
        try:
            with self._side.database.read() as connection:
                found = list(self._found(connection))
        except SQLAlchemyError:
            found = []
        yield _gauge("ready", "1 when the database answers", 1 if found else 0)
        yield from found

    def _found(self, connection: Connection) -> Iterator[Metric]:
        tasks = questions.all_tasks(connection)
        unsigned = sum(1 for task in tasks if task.jws is None)
        yield _gauge("questions_unsigned", "Questions that wait for a signature", unsigned)
        if not isinstance(self._side, Leader):
            return
        done, now = set(releases.release_weeks(connection)), self._side.clock.now()
        overdue = sum(
            1
            for task in tasks
            if task.jws is not None
            and task.week not in done
            and task.report_deadline <= now < task.report_deadline + COLLECTED_WITHIN
        )
        yield _gauge("weeks_overdue", "Weeks that can be published and are not", overdue)
        size = read_checkpoint(self._side.log(connection).published()).size
        yield _gauge("checkpoint_entries", "Entries of the checkpoint that is public", size)
        lines = len(cosignatures_of(connection, size=size))
        yield _gauge("checkpoint_cosignatures", "Witnesses that cosigned it", lines)


def _gauge(name: str, documentation: str, value: int) -> Metric:
    return GaugeMetricFamily(f"coop_aggregator_{name}", documentation, value=value)
