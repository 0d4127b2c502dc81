"""The stewards' role: cosign a checkpoint only when the log appends to what was cosigned before.

One state for each log that is followed: the open one, and those of the years before, which may show
their last checkpoint again and never a larger one.

Not the rule itself (`consents.tlog.witness`): here are the transaction that makes one request
follow another, and what the stewards remember. Spec: C2SP tlog-witness.
"""

from hashlib import sha256

from consents.errors import UnknownLog, UntrustedLog
from consents.tlog.checkpoint import cosign
from consents.tlog.witness import AddCheckpoint, WitnessState, witness_step
from coop_aggregator.db import witnessed as db
from coop_aggregator.db.identity import lock
from coop_aggregator.db.shards import load_shards
from coop_aggregator.installation import Helper


def add_checkpoint(helper: Helper, content: bytes) -> str:
    """Judge a request, remember it, and return our cosignature line. Raises WitnessRefusal.

    The new state is committed before the line is given out: a crash in between can only withhold a
    cosignature, never let the log go back.
    """
    request = AddCheckpoint.parse(content)
    with helper.database.write() as connection:
        lock(connection)
        shard = load_shards(connection).named(request.origin)
        if shard is None:
            raise UnknownLog("expected the checkpoint of a log that this witness follows")
        last = db.latest_witnessed(connection, shard)
        state = witness_step(
            None
            if last is None
            else WitnessState(origin=shard.origin, size=last.size, root=last.root),
            request,
            origin_vkey=shard.vkey,
        )
        if shard.end is not None and state.size > shard.end - shard.first:
            raise UntrustedLog("expected a log that is closed to stay at its last size")
        now = helper.clock.now()
        line = cosign(request.checkpoint, helper.who.name, helper.key, now)
        if state.size == 0:
            # Nothing to remember: any log continues the empty one.
            return line
        db.save_witnessed(
            connection,
            db.Witnessed(
                size=state.size,
                root=state.root,
                note=request.checkpoint + line,
                cosigned_at=now,
            ),
            shard,
        )
    return line


def origin_path(origin: str) -> str:
    """Return the path segment under which a witness serves a log: hex SHA-256 of its origin."""
    return sha256(origin.encode()).hexdigest()
