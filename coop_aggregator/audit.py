"""Step 9 of 9 — audit. In: a release. Out: its digest in the consent log, and the log for auditors.
Next: nobody of ours; stewards verify with tools that need nothing of the cooperative.

The log says, in an order that nobody can change later: which purpose was asked for, who consented
(by a random id), which batch was committed to, and what was published from it.
"""

from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection

from consents.record import EventType
from contributions.release import Release
from contributions.task import Task
from coop_aggregator.db.questions import all_tasks
from coop_aggregator.db.reports import Batch, batch_of
from coop_aggregator.errors import AggregatorError
from coop_aggregator.installation import Leader


def record_release(
    leader: Leader, connection: Connection, *, release: Release, batch: Batch, purpose_digest: str
) -> int:
    """Append the `release.published` leaf over the release's exact bytes; return its position."""
    return leader.log(connection).record(
        EventType.RELEASE_PUBLISHED,
        purpose_digest=purpose_digest,
        body={
            "task_digest": release.task_digest,
            "release_sha256": sha256(release.to_bytes()).hexdigest(),
            "batch_position": batch.leaf_index,
        },
    )


def export_log(leader: Leader, folder: Path) -> int:
    """Write the log into `folder`, as `consents verify log` reads it; return the leaf count.

    A batch below its task's minimum stays closed: its leaf is there, without the opening.
    """
    try:
        with leader.database.read() as connection:
            closed = _suppressed_positions(connection)
            return leader.log(connection).export(folder, closed=closed)
    except OSError as error:
        raise AggregatorError(
            fr="Le dossier d'export ne peut pas être écrit. Vérifiez le chemin et les droits.",
            en="The export folder cannot be written. Check the path and its permissions.",
        ) from error


def _suppressed_positions(connection: Connection) -> frozenset[int]:
    # The root tells the size as well: of no report it is a constant, and of one report its sender
    # can recompute it. Hence the whole opening is held back and not the count alone.
    tasks = [Task.parse(stored.body) for stored in all_tasks(connection)]
    frozen = [(task, batch_of(connection, task.digest)) for task in tasks]
    return frozenset(
        batch.leaf_index
        for task, batch in frozen
        if batch is not None and batch.report_count < task.min_batch_size
    )
