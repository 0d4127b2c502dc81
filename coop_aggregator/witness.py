"""The stewards' role: cosign a checkpoint only when the log appends to what was cosigned before.

Not the rule itself (`consents.witness`): here are the transaction that makes one request follow
another, and what the stewards remember. Spec: C2SP tlog-witness.
"""

from hashlib import sha256

from consents.checkpoint import cosign
from consents.witness import AddCheckpoint, WitnessState, witness_step
from coop_aggregator.db import witnessed as db
from coop_aggregator.db.identity import lock
from coop_aggregator.installation import Helper


def add_checkpoint(helper: Helper, content: bytes) -> str:
    """Judge a request, remember it, and return our cosignature line. Raises WitnessRefusal.

    The new state is committed before the line is given out: a crash in between can only withhold a
    cosignature, never let the log go back.
    """
    request = AddCheckpoint.parse(content)
    with helper.database.write() as connection:
        lock(connection)
        last = db.latest_witnessed(connection)
        state = witness_step(
            None
            if last is None
            else WitnessState(origin=helper.who.origin, size=last.size, root=last.root),
            request,
            origin_vkey=helper.who.log_vkey,
        )
        now = helper.clock.now()
        line = cosign(request.checkpoint, helper.who.name, helper.key, now)
        db.save_witnessed(
            connection,
            db.Witnessed(
                size=state.size,
                root=state.root,
                note=request.checkpoint + line,
                cosigned_at=now,
            ),
        )
    return line


def origin_path(origin: str) -> str:
    """Return the path segment under which a witness serves a log: hex SHA-256 of its origin."""
    return sha256(origin.encode()).hexdigest()
