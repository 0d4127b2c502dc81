"""Step 8 for two keepers: each adds its own noise to its own share, once, and gives only that.

In: shares of sums, and the other keeper's word on the set of reports. Out: noised shares. Each
keeper checks by itself, with its own clock and its own rows: the deadline is past, every job is
decided, both hold the same reports, and there are enough. Then one transaction draws the noise for
the territory and for every zone that may be shown, keeps the noised shares, and erases the sealed
shares and the exact sums. A crash before its commit has drawn for nobody; after it nothing is left
to draw for: a bucket has one noised share, for ever.

The leader draws first and commits to what it drew in every question; the helper draws for the first
question and refuses any with another commitment. A leader that was restored from an older copy and
draws again is thus refused, and its second draw never leaves it (ADR 0013).

- Privacy unit: one resident-week. Neighbouring relation: the task's adjacency.
- Sensitivity and loss: see `two_keepers.keeper_noise_scale`. The territory and the zones are two
  draws at two parts of ε, which add up to the task's; zones compose in parallel, because a resident
  answers from one zone.
The noise is OpenDP's (`contributions.noise`); it is never logged and never leaves this module.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from contributions.collection import ReportSet, add_noise, commitment, expect_same_reports
from contributions.envelope import Role
from contributions.errors import ContributionsError
from contributions.keeper_messages import (
    CollectionRequest,
    CollectionShare,
    read_message,
    sign_message,
)
from contributions.noise import NoiseSource
from contributions.prio3.field import FIELD128
from contributions.task import Task
from contributions.two_keepers import Level, keeper_noise_scale
from coop_aggregator.aggregate import due_task
from coop_aggregator.db import collections as db
from coop_aggregator.db import jobs as jobs_db
from coop_aggregator.db import keepers as keepers_db
from coop_aggregator.db import reports as reports_db
from coop_aggregator.db import sealed as sealed_db
from coop_aggregator.db.identity import lock
from coop_aggregator.db.sealed import State
from coop_aggregator.errors import KeeperFailed, ReleaseRefused
from coop_aggregator.installation import Helper, Leader
from coop_aggregator.keepers.aggregation import expect_unexpired
from coop_aggregator.keepers.answers import asked_task, refused_question
from coop_aggregator.keepers.channel import HelperChannel
from coop_aggregator.keepers.checking import add_up
from coop_aggregator.suppression import publishable


@dataclass(frozen=True, slots=True, kw_only=True)
class Buckets:
    """What one keeper holds of a task: the set of reports of each zone, and of the territory."""

    zones: Mapping[str, ReportSet]
    territory: ReportSet

    def of(self, zone: str | None) -> ReportSet:
        """Return the set of one zone (None: the territory); an unknown zone has no report."""
        return self.territory if zone is None else self.zones.get(zone, ReportSet.of([]))


def collect(
    leader: Leader, week: str, channel: HelperChannel, *, noise: NoiseSource
) -> tuple[db.Collected, ...]:
    """Collect every bucket of an aggregated week that may be shown, with both noised shares.

    Nothing is collected, and nothing returned, below the task's minimum. Run again after any
    failure it goes on where it stopped. Raises ReleaseRefused before the week is aggregated,
    KeeperRefused or KeeperFailed when the helper does not hold the same reports or answer.
    """
    with leader.database.read() as connection:
        task = Task.parse(due_task(leader, connection, week).body)
        if reports_db.batch_of(connection, task.digest) is None:
            raise ReleaseRefused(
                fr=f"{week} n'est pas agrégée. Lancez « coop-aggregator aggregate ».",
                en=f"{week} is not aggregated. Run 'coop-aggregator aggregate'.",
            )
    with leader.database.write() as connection:
        lock(connection)
        own = db.collected_of(connection, task.digest)
        if not own:
            expect_unexpired(leader, task)
            if buckets_of(connection, task).territory.count < task.min_batch_size:
                return ()
            _draw(connection, task, said=None, noise=noise, now=leader.clock.now())
            own = db.collected_of(connection, task.digest)
    said = commitment({bucket.zone: bucket.noised_share for bucket in own})
    for bucket in own:
        if bucket.other_share is None:
            share = _ask(leader, task, channel, bucket, said=said)
            with leader.database.write() as connection:
                db.keep_other_share(connection, task.digest, bucket.zone, share.noised_share)
    with leader.database.read() as connection:
        return db.collected_of(connection, task.digest)


def answer_collection(helper: Helper, signed: bytes, *, noise: NoiseSource) -> bytes:
    """Give our noised share of a bucket to the leader who holds the same reports.

    The first question about a task draws for all its buckets; every other one reads, and must be
    about the same draw of the leader's. Raises KeeperRefused, without saying why.
    """
    with helper.database.write() as connection:
        lock(connection)
        leader = keepers_db.load_keeper(connection, Role.LEADER)
        if leader is None:
            raise refused_question()
        try:
            request = read_message(CollectionRequest, signed, leader.sign_key)
            task = Task.parse(asked_task(helper, connection, request.task_digest).body)
            own = db.collected_of(connection, task.digest)
            if not own:
                held = buckets_of(connection, task)
                expect_same_reports(
                    held.of(request.zone), request.reports, min_batch_size=task.min_batch_size
                )
                if request.zone is not None and request.zone not in publishable_zones(task, held):
                    raise refused_question()
                said = request.commitment
                _draw(connection, task, said=said, noise=noise, now=helper.clock.now())
                own = db.collected_of(connection, task.digest)
        except ContributionsError as error:
            raise refused_question() from error
    for bucket in own:
        asked = request.zone, request.reports, request.commitment
        if (bucket.zone, bucket.reports, bucket.commitment) == asked:
            share = CollectionShare(
                task_digest=task.digest,
                zone=bucket.zone,
                reports=bucket.reports,
                noised_share=bucket.noised_share,
            )
            return sign_message(share, helper.keeper.sign)
    raise refused_question()


def buckets_of(connection: Connection, task: Task) -> Buckets:
    """Return the sets of accepted reports that this keeper holds, zone by zone and together."""
    zones = {
        zone: ReportSet.of(ids)
        for zone, ids in sealed_db.ids_by_zone(connection, task.digest, State.ACCEPTED).items()
    }
    territory = ReportSet.of([])
    for held in zones.values():
        territory = territory.merge(held)
    return Buckets(zones=zones, territory=territory)


def publishable_zones(task: Task, held: Buckets) -> tuple[str, ...]:
    """Return the zones that may be shown, by the same rule as in the trust mode `local`."""
    counts = {zone.code: held.of(zone.code).count for zone in task.zones}
    return tuple(sorted(publishable(counts, min_batch_size=task.min_batch_size)))


def _draw(
    connection: Connection,
    task: Task,
    *,
    said: str | None,
    noise: NoiseSource,
    now: datetime,
) -> None:
    """Check, draw, keep and erase, in the caller's transaction. The only place that draws."""
    held = buckets_of(connection, task)
    if held.territory.count < task.min_batch_size:
        raise refused_question()
    jobs = jobs_db.jobs_of(connection, task.digest)
    if any(not job.done or job.share is None for job in jobs):
        raise refused_question()
    buckets = [
        db.Collected(
            task_digest=task.digest,
            zone=zone,
            reports=held.of(zone),
            noised_share=_noised(
                task,
                [job.share for job in jobs if job.share and zone in (None, job.zone)],
                level=Level.TERRITORY if zone is None else Level.ZONE,
                noise=noise,
            ),
            other_share=None,
            collected_at=now,
            commitment=said,
        )
        for zone in (None, *publishable_zones(task, held))
    ]
    db.add_collected(connection, buckets)
    jobs_db.erase_sums(connection, task.digest)
    sealed_db.erase_shares(connection, task.digest)


def _noised(
    task: Task, shares: Sequence[bytes], *, level: Level, noise: NoiseSource
) -> tuple[int, ...]:
    length = len(task.coordinates)
    exact = FIELD128.integers(add_up(length, shares))
    drawn = noise.laplace((0,) * length, keeper_noise_scale(task, level))
    return add_noise(exact, drawn)


def _ask(
    leader: Leader, task: Task, channel: HelperChannel, bucket: db.Collected, *, said: str
) -> CollectionShare:
    zone, reports = bucket.zone, bucket.reports
    request = CollectionRequest(
        task_digest=task.digest, zone=zone, reports=reports, commitment=said
    )
    signed = channel.collect(sign_message(request, leader.keeper.sign))
    try:
        share = read_message(CollectionShare, signed, task.keepers[1].sign_key)
    except ContributionsError as error:
        raise _unexpected() from error
    told = (share.task_digest, share.zone, share.reports, len(share.noised_share))
    if told != (task.digest, zone, reports, len(task.coordinates)):
        raise _unexpected()
    return share


def _unexpected() -> KeeperFailed:
    return KeeperFailed(
        fr="L'autre gardien n'a pas rendu la somme demandée. Rien n'est publié ; vérifiez que les "
        "deux ont la même version.",
        en="The other keeper did not return the sum asked for. Nothing is published; check that "
        "both run the same version.",
    )
