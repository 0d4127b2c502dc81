"""The merge job: append what was received to the log before its promises fall due."""

from dataclasses import dataclass

from coop_aggregator.db import events
from coop_aggregator.db.identity import lock
from coop_aggregator.installation import Leader


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeReport:
    """How many events this run merged, and how many promises it kept too late."""

    merged: int
    late: int


def run_once(leader: Leader) -> MergeReport:
    """Merge whatever waits. Two runs at once merge each event once."""
    with leader.database.write() as connection:
        late = events.broken_promises(connection, now=leader.clock.now())
        lock(connection)
        merged = leader.log(connection).merge()
    return MergeReport(merged=merged, late=late)
