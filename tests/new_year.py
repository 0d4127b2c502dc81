"""The turn of the year in one process: a cooperative, its stewards, and what a store followed."""

from dataclasses import dataclass
from datetime import UTC, datetime

from consents.__main__ import main as verify
from consents.tlog.policy import policy_text
from coop_aggregator.db.shards import load_shards
from coop_aggregator.jobs import witness as witness_job
from coop_aggregator.tlog.export import export_log
from coop_aggregator.tlog.shards import follow, handovers, open_next
from personal_store.db import checkpoints, memberships
from personal_store.db.connection import reading
from tests.coop_aggregator.tlog.test_witness import Direct

OLD, NEW = "coop.test/log", "coop.test/log/2027"
JANUARY = datetime(2027, 1, 1, 9, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Year:
    """The cooperative and its stewards around the turn of the year."""

    leader: object
    stewards: object
    clock: object
    folder: object

    def shards(self):
        with self.leader.database.read() as connection:
            return load_shards(connection)

    def shown(self):
        with self.leader.database.read() as connection:
            return handovers(self.leader.log(connection))

    def cosign(self, number=-1):
        """Have the stewards cosign the log of a number."""
        vkey, shard = self.stewards.who.own_vkey, self.shards().every[number]
        witness_job.run_once(self.leader, Direct(self.stewards), vkey=vkey, shard=shard)

    def turn(self, *, followed=True, at=JANUARY):
        """Turn the year, with or without the stewards."""
        self.clock.at = max(self.clock.at, at)
        open_next(self.leader)
        self.cosign(-2)
        if followed:
            self.follow()

    def follow(self):
        follow(self.stewards, self.shown()[-1].to_bytes())
        self.cosign()

    def audits(self, *subjects):
        """Export everything, and return the exit code of each audit."""
        export_log(self.leader, self.folder / "export")
        *former, newest = self.shards().vkeys
        witness_vkeys = [self.stewards.who.own_vkey]
        policy = self.folder / "policy"
        policy.write_text(
            policy_text(log_vkey=newest, witness_vkeys=witness_vkeys, former_vkeys=former)
        )
        export = str(self.folder / "export")
        return [verify(["audit", each, export, "--policy", str(policy)]) for each in subjects]


def followed(resident):
    with reading(resident.store.engine) as connection:
        return memberships.every(connection)[0]


def forked(resident):
    with reading(resident.store.engine) as connection:
        return checkpoints.fork_of(connection, resident.member.url)
