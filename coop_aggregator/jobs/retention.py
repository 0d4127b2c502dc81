"""The retention job: erase what a keeper has no more right to hold.

At both keepers, when a task of two keepers expires: sealed reports with their ids, jobs, and exact
sums where a week was never collected. At the leader, when the days that the purpose states are
over: every signed report and statement to a question, whole, and an entry in the log for each batch
that held some, so that auditors can tell it from a loss (`consents.audit.retention`). Batches,
noised shares and releases stay: they name nobody. Not the log.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from consents.records.record import EventType
from contributions.task import Task, TrustMode
from contributions.two_keepers import expires_at
from coop_aggregator.aggregate import answers_end
from coop_aggregator.db import jobs as jobs_db
from coop_aggregator.db import questions as questions_db
from coop_aggregator.db import reports as reports_db
from coop_aggregator.db import sealed as sealed_db
from coop_aggregator.db.identity import lock
from coop_aggregator.installation import Helper, Leader


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionReport:
    """The weeks of which this run erased sealed reports, and signed ones."""

    weeks: tuple[str, ...]
    signed: tuple[str, ...]


def run_once(side: Leader | Helper) -> RetentionReport:
    """Erase whatever is due, in one transaction. Two runs at once erase each row once."""
    now = side.clock.now()
    with side.database.write() as connection:
        lock(connection)
        tasks = [Task.parse(each.body) for each in questions_db.all_tasks(connection)]
        sealed = [task.week for task in tasks if _erase_expired(connection, task, now)]
        signed = (
            [task.week for task in tasks if _erase_signed(side, connection, task, now)]
            if isinstance(side, Leader)
            else []
        )
    return RetentionReport(weeks=tuple(sealed), signed=tuple(signed))


def _erase_expired(connection: Connection, task: Task, now: datetime) -> int:
    if task.trust_mode is not TrustMode.TWO_KEEPERS or now < expires_at(task):
        return 0
    jobs_db.erase_jobs(connection, task.digest)
    return sealed_db.erase_reports(connection, task.digest)


def _erase_signed(leader: Leader, connection: Connection, task: Task, now: datetime) -> bool:
    """Erase the reports to a task once its days are over; return whether anything was erased.

    A batch has its entry even where it held no report: one that had none would tell so.
    """
    if now < answers_end(connection, task):
        return False
    erased = reports_db.erase_reports(connection, task.digest) > 0
    batch = reports_db.batch_of(connection, task.digest)
    if batch is None or batch.erased_leaf is not None:
        return erased
    position = leader.log(connection).record(
        EventType.BATCH_ERASED,
        purpose_digest=task.purpose_digest,
        body={"task_digest": task.digest, "batch_position": batch.leaf_index},
    )
    reports_db.mark_erased(connection, task.digest, leaf=position)
    return True
