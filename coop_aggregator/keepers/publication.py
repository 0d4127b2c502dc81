"""Step 8 for two keepers, the end: both noised shares of each bucket become published figures.

In: collected buckets. Out: a release, in the same form as any other. A zone that was not collected
is held back; a week below the minimum is released with nothing in it. Combining is subtraction-free
arithmetic on what is noised already: it costs no privacy, and gives the same bytes each time.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from contributions.collection import totals
from contributions.errors import ContributionsError
from contributions.estimate import suppressed_rows, two_keepers_release, two_keepers_rows
from contributions.release import Release
from contributions.release_row import ReleaseRow
from contributions.task import Task
from contributions.two_keepers import Level, keeper_noise_scale
from coop_aggregator.db.collections import Collected
from coop_aggregator.errors import KeeperFailed, ReleaseRefused

NOISE_TAIL = 120
"""The sum of both noises exceeds 120 times the scale with probability below e⁻¹¹⁵."""


def build_release(task: Task, buckets: Sequence[Collected], *, software_version: str) -> Release:
    """Turn collected buckets into the release of `task`. Pure arithmetic, no state.

    Raises ReleaseRefused when a bucket lacks the helper's share, KeeperFailed when two shares do
    not add up to what so many reports can give.
    """
    by_zone = {bucket.zone: bucket for bucket in buckets}
    whole = by_zone.get(None)
    rows = list(_rows(task, None, whole))
    for zone in task.zones:
        rows.extend(_rows(task, zone.code, by_zone.get(zone.code)))
    n = 0 if whole is None else whole.reports.count
    release = two_keepers_release(
        rows,
        task,
        n=max(n, 1),
        epsilon_week_micro=task.epsilon_micro,
        software_version=software_version,
    )
    return replace(release, n=n)


def _rows(task: Task, zone: str | None, bucket: Collected | None) -> Sequence[ReleaseRow]:
    if bucket is None:
        return suppressed_rows(task, zone=zone)
    if bucket.other_share is None:
        raise ReleaseRefused(
            fr=f"{task.week} n'est pas collectée en entier. Lancez « coop-aggregator collect ».",
            en=f"{task.week} is not wholly collected. Run 'coop-aggregator collect'.",
        )
    level = Level.TERRITORY if zone is None else Level.ZONE
    tail = math.ceil(NOISE_TAIL * keeper_noise_scale(task, level))
    try:
        units = totals(
            [bucket.noised_share, bucket.other_share],
            largest=bucket.reports.count * task.cap_units + tail,
        )
    except ContributionsError as error:
        raise KeeperFailed(
            fr="Les deux moitiés d'une somme ne vont pas ensemble. Rien n'est publié ; comparez "
            "les versions et les bases des deux gardiens.",
            en="The two halves of a sum do not belong together. Nothing is published; compare the "
            "versions and the databases of both keepers.",
        ) from error
    return two_keepers_rows(units, task, zone=zone, n=bucket.reports.count)
