"""The retention job: erase what a keeper has no more right to hold.

At both keepers, when a task of two keepers expires: sealed reports with their ids, jobs, and exact
sums where a week was never collected. Batches, noised shares and releases stay: they name nobody.
Not the signed statements at the leader, which open a batch to auditors, and not the log.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from contributions.task import Task, TrustMode
from contributions.two_keepers import expires_at
from coop_aggregator.db import jobs as jobs_db
from coop_aggregator.db import questions as questions_db
from coop_aggregator.db import sealed as sealed_db
from coop_aggregator.db.identity import lock
from coop_aggregator.installation import Helper, Leader


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionReport:
    """The weeks of which this run erased something."""

    weeks: tuple[str, ...]


def run_once(side: Leader | Helper) -> RetentionReport:
    """Erase whatever is due, in one transaction. Two runs at once erase each row once."""
    now = side.clock.now()
    with side.database.write() as connection:
        lock(connection)
        erased = [
            task.week
            for task in (Task.parse(each.body) for each in questions_db.all_tasks(connection))
            if _erase_expired(connection, task, now)
        ]
    return RetentionReport(weeks=tuple(erased))


def _erase_expired(connection: Connection, task: Task, now: datetime) -> int:
    if task.trust_mode is not TrustMode.TWO_KEEPERS or now < expires_at(task):
        return 0
    jobs_db.erase_jobs(connection, task.digest)
    return sealed_db.erase_reports(connection, task.digest)
