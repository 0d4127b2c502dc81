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
from coop_aggregator.db.reports import Batch
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
    """Write the log into `folder`, as `consents verify log` reads it; return the leaf count."""
    try:
        with leader.database.read() as connection:
            return leader.log(connection).export(folder)
    except OSError as error:
        raise AggregatorError(
            fr="Le dossier d'export ne peut pas être écrit. Vérifiez le chemin et les droits.",
            en="The export folder cannot be written. Check the path and its permissions.",
        ) from error
