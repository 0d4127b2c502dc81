"""Step 9 of 9 — audit. In: a release. Out: its digest in the consent log.
Next: nobody of ours; stewards verify what `export` hands them, with tools that need nothing of the
cooperative.

The log says, in an order that nobody can change later: which purpose was asked for, who consented
(by a random id), which batch was committed to, and what was published from it.
"""

from hashlib import sha256

from sqlalchemy import Connection

from consents.records.record import EventType
from contributions.release import Release
from coop_aggregator.db.reports import Batch
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
