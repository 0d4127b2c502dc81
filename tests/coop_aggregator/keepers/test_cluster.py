"""The real command over a whole week, on processes and on a cluster: the same bytes at both.

Reports are put into both databases as intake keeps them: members, consents and statements that the
freeze checks, halves that are sealed. One consent signs them all, which intake would refuse and
which the command does not look at; splitting and sealing are what they are for any store.
"""

import hashlib
import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contributions.envelope import Role
from contributions.jws import public_jwk
from coop_aggregator.db import jobs as jobs_db
from coop_aggregator.db import members as members_db
from coop_aggregator.db import reports as reports_db
from coop_aggregator.db import sealed as sealed_db

WEEK = "2026-W46"


@pytest.fixture
def kind():
    """Return one kind of database: copies of it are files."""
    return "sqlite"


def fill(keepers, count):
    """Keep so many answers at both, from three zones in turn."""
    people = [keepers.resident(zone) for zone in "ABC"]
    kept = {Role.LEADER: [], Role.HELPER: []}
    reports, members = [], []
    for number in range(count):
        person = people[number % 3]
        report_id = hashlib.sha256(f"answer {number}".encode()).hexdigest()[:32]
        vector = [number % 50, 1, 2, number % 7, 0, 0, 3, 4]
        shares = person.shares(vector, report_id=report_id)
        statement = person.statement(shares)
        for role, half in zip(Role, (shares.leader, shares.helper), strict=True):
            kept[role].append(
                sealed_db.StoredShare(
                    report_id=report_id,
                    task_digest=keepers.task.digest,
                    zone=person.zone,
                    cid=report_id,
                    upload_sha256="00" * 32,
                    public_share=shares.public_share,
                    sealed=half,
                )
            )
        key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(report_id.encode()).digest())
        members.append(
            members_db.Member(
                member_id=report_id, key_x=public_jwk(key.public_key())["x"], zone=person.zone
            )
        )
        reports.append(
            reports_db.StoredReport(
                report_id=report_id,
                task_digest=keepers.task.digest,
                member_id=report_id,
                cid=person.cid,
                jws=statement.decode("ascii"),
            )
        )
    for role, side in ((Role.LEADER, keepers.leader), (Role.HELPER, keepers.helper)):
        with side.database.write() as connection:
            for share in kept[role]:
                sealed_db.add_share(connection, share)
            if role is Role.LEADER:
                for member, report in zip(members, reports, strict=True):
                    members_db.add_member(connection, member)
                    reports_db.add_report(connection, report)


def shares_of(keepers):
    """Return both keepers' shares of every job's sum, encoded."""
    found = []
    for side in (keepers.leader, keepers.helper):
        with side.database.read() as connection:
            jobs = jobs_db.jobs_of(connection, keepers.task.digest)
        found.append([(job.job_id, job.done, job.share) for job in jobs])
    return found


def aggregated(world, *options, both, **environment):
    """Run the command on copies of both folders as they are, then put these back."""
    sides = world.leader, world.helper
    for side in (world.keepers.leader, world.keepers.helper):
        side.database.close()
    for side in sides:
        shutil.copytree(side.folder, side.folder.with_suffix(".before"))
    world.helper.start(**(environment if both else {}))
    code = world.leader.run("cli", "aggregate", "--week", WEEK, *options, **environment)
    world.helper.stop()
    assert code == 0, world.leader.log.read_text()[-2000:]
    found = shares_of(world.keepers)
    for side in (world.keepers.leader, world.keepers.helper):
        side.database.close()
    for side in sides:
        shutil.rmtree(side.folder)
        side.folder.with_suffix(".before").rename(side.folder)
    return found


@pytest.mark.parametrize(
    ("count", "both"), [(300, False), pytest.param(20_000, True, marks=pytest.mark.slow)]
)
def test_a_week_is_summed_alike_on_processes_and_on_a_cluster(make_processes, count, both):
    """The leader, or both, on two processes, then on a cluster of two worker processes."""
    distributed = pytest.importorskip("distributed")
    world = make_processes(min_batch_size=2)
    fill(world.keepers, count)
    world.after_deadline()
    on_processes = aggregated(world, both=both, COOP_AGGREGATOR_WORKERS="2")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        address = cluster.scheduler_address
        on_cluster = aggregated(
            world, "--cluster", address, both=both, COOP_AGGREGATOR_CLUSTER=address
        )
    assert on_processes == on_cluster
    assert all(done and share for jobs in on_processes for _job, done, share in jobs)
    assert sum(len(jobs) for jobs in on_processes) >= 6
