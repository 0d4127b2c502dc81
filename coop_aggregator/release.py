"""Step 8 of 9 — release. In: a frozen batch. Out: published figures with intervals. Next: audit.

Kilometres by mode for the territory and each zone, with 95 % intervals that include the noise;
negative values are kept, since clamping them would bias every sum. A place with fewer reports than
the task's minimum is held back. A release is made once: its bytes are kept and served for ever.
Not the estimate of one place (`contributions.estimate`), which has no opinion on its neighbours.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from importlib.metadata import version

from contributions.estimate import local_release, local_rows
from contributions.release import Release, ReleaseRow
from contributions.task import Task
from coop_aggregator.aggregate import ZoneSum, due_task, freeze, sum_batch
from coop_aggregator.audit import record_release
from coop_aggregator.db import releases as db
from coop_aggregator.db import reports as reports_db
from coop_aggregator.db.identity import lock
from coop_aggregator.errors import ReleaseRefused
from coop_aggregator.installation import Leader

DISTRIBUTION = "mobilites-en-commun"


def publish(leader: Leader, week: str, *, executor: Executor) -> db.StoredRelease:
    """Release `week`: freeze its batch if that is not done, sum, estimate, publish, log.

    Raises ReleaseRefused while the batch is open, and when the week is released already.
    """
    batch = freeze(leader, week)
    with leader.database.read() as connection:
        task = Task.parse(due_task(leader, connection, week).body)
        items = reports_db.batch_items(connection, task.digest)
    release = build_release(task, sum_batch(items, task, executor=executor))
    with leader.database.write() as connection:
        lock(connection)
        if db.release_by_week(connection, week) is not None:
            raise ReleaseRefused(
                fr=f"{week} est déjà publiée, une fois pour toutes ; ses octets restent servis.",
                en=f"{week} is released already, once and for all: the same bytes stay served.",
            )
        position = record_release(
            leader,
            connection,
            release=release,
            batch=batch,
            purpose_digest=task.purpose_digest,
        )
        stored = db.StoredRelease(
            task_digest=task.digest,
            week=week,
            body=release.to_bytes(),
            leaf_index=position,
            published_at=leader.clock.now(),
        )
        db.add_release(connection, stored)
    return stored


def build_release(task: Task, sums: Sequence[ZoneSum]) -> Release:
    """Turn exact sums by zone into the release of `task`. Pure arithmetic, no state."""
    n = sum(zone.count for zone in sums)
    totals = tuple(sum(column) for column in zip(*(zone.vector for zone in sums), strict=True))
    rows: list[ReleaseRow] = list(local_rows(totals, task, zone=None, n=n))
    shown = _publishable(task, sums) if n >= task.min_batch_size else frozenset()
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
        software_version=f"{DISTRIBUTION} {version(DISTRIBUTION)}",
    )
    return release if n >= task.min_batch_size else replace(release, n=0)


def _publishable(task: Task, sums: Sequence[ZoneSum]) -> frozenset[str]:
    """Return the zones to show: large enough, and giving no smaller group away by subtraction.

    The territory minus the published zones is a group that any reader can compute. When it holds
    some reports but fewer than the minimum, the smallest published zone is held back as well, until
    what can be subtracted is a lawful group of its own.
    """
    shown = {zone.zone: zone.count for zone in sums if zone.count >= task.min_batch_size}
    hidden = sum(zone.count for zone in sums) - sum(shown.values())
    while shown and 0 < hidden < task.min_batch_size:
        smallest = min(shown, key=lambda code: (shown[code], code))
        hidden += shown.pop(smallest)
    return frozenset(shown)
