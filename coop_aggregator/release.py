"""Step 8 of 9 — release. In: a frozen batch. Out: published figures with intervals. Next: audit.

What the task asks, for the territory and each zone, with 95 % intervals that include the noise;
negative values are kept, since clamping them would bias every sum. A place with fewer reports than
the task's minimum is held back. A release is made once: its bytes are kept and served for ever.
Not the estimate of one place (`contributions.estimate`), which has no opinion on its neighbours.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from importlib.metadata import version

from sqlalchemy import Connection

from contributions.estimate import local_release, local_rows
from contributions.noise import OpenDPLaplace
from contributions.release import Release
from contributions.release_row import ReleaseRow
from contributions.task import Task, TrustMode
from coop_aggregator.aggregate import ZoneSum, due_task, freeze, sum_batch
from coop_aggregator.audit import record_release
from coop_aggregator.db import releases as db
from coop_aggregator.db import reports as reports_db
from coop_aggregator.db.identity import lock
from coop_aggregator.errors import ReleaseRefused
from coop_aggregator.installation import Leader
from coop_aggregator.keepers.aggregation import aggregate
from coop_aggregator.keepers.channel import HelperChannel
from coop_aggregator.keepers.collection import collect
from coop_aggregator.keepers.publication import build_release as build_two_keepers_release
from coop_aggregator.suppression import publishable

DISTRIBUTION = "mobilites-en-commun"


def publish(
    leader: Leader, week: str, *, executor: Executor, channel: HelperChannel | None = None
) -> db.StoredRelease:
    """Release `week`: freeze its batch if that is not done, sum, estimate, publish, log.

    A week of two keepers is aggregated and collected with the helper at the other end of
    `channel`. Raises ReleaseRefused while the batch is open, and when the week is released already.
    """
    with leader.database.read() as connection:
        task = Task.parse(due_task(leader, connection, week).body)
        _expect_unreleased(connection, week)
    if task.trust_mode is TrustMode.TWO_KEEPERS:
        if channel is None:
            raise ReleaseRefused(
                fr="Cette question a deux gardiens, et le second n'a pas d'adresse ici.",
                en="This question has two keepers, and the second has no address here.",
            )
        batch = aggregate(leader, week, channel, executor=executor)
        buckets = collect(leader, week, channel, noise=OpenDPLaplace())
        return _keep(
            leader,
            batch,
            build_two_keepers_release(task, buckets, software_version=software_version()),
        )
    batch = freeze(leader, week)
    with leader.database.read() as connection:
        items = reports_db.batch_items(connection, task.digest)
    return _keep(leader, batch, build_release(task, sum_batch(items, task, executor=executor)))


def software_version() -> str:
    """Return the name and version that a release states."""
    return f"{DISTRIBUTION} {version(DISTRIBUTION)}"


def _keep(leader: Leader, batch: reports_db.Batch, release: Release) -> db.StoredRelease:
    """Log and keep a release, unless another process was faster."""
    with leader.database.write() as connection:
        lock(connection)
        _expect_unreleased(connection, release.week)
        task = Task.parse(due_task(leader, connection, release.week).body)
        position = record_release(
            leader,
            connection,
            release=release,
            batch=batch,
            purpose_digest=task.purpose_digest,
        )
        stored = db.StoredRelease(
            task_digest=release.task_digest,
            week=release.week,
            body=release.to_bytes(),
            leaf_index=position,
            published_at=leader.clock.now(),
        )
        db.add_release(connection, stored)
    return stored


def _expect_unreleased(connection: Connection, week: str) -> None:
    if db.release_by_week(connection, week) is not None:
        raise ReleaseRefused(
            fr=f"{week} est déjà publiée, une fois pour toutes ; ses octets restent servis.",
            en=f"{week} is released already, once and for all: the same bytes stay served.",
        )


def build_release(task: Task, sums: Sequence[ZoneSum]) -> Release:
    """Turn exact sums by zone into the release of `task`. Pure arithmetic, no state."""
    n = sum(zone.count for zone in sums)
    totals = tuple(sum(column) for column in zip(*(zone.vector for zone in sums), strict=True))
    rows: list[ReleaseRow] = list(local_rows(totals, task, zone=None, n=n))
    shown = (
        publishable({zone.zone: zone.count for zone in sums}, min_batch_size=task.min_batch_size)
        if n >= task.min_batch_size
        else frozenset[str]()
    )
    for zone in sums:
        # A count of 0 makes every row of the zone a suppressed one.
        count = zone.count if zone.zone in shown else 0
        rows.extend(local_rows(zone.vector, task, zone=zone.zone, n=count))
    # An estimate is of one report at least; below the minimum the count is held back like the
    # figures, and the same stand-in keeps every such release alike: 0 says that nothing is shown.
    release = local_release(
        rows,
        task,
        n=n if n >= task.min_batch_size else 1,
        epsilon_week_micro=task.epsilon_micro,
        software_version=software_version(),
    )
    return release if n >= task.min_batch_size else replace(release, n=0)
