"""Step 7 for two keepers, at the leader: freeze, check every report with the helper, commit.

In: kept sealed shares. Out: a committed batch, and our share of each job's sum. Freezing queues the
reports that a consent covers at that instant, in jobs of one zone each. A job is one question to
the helper and one transaction here: whatever stops in between is asked again, in the same bytes,
and answered alike. A report that only one keeper has counts for neither.
The helper's side is `answers`; nothing is added up with anybody's share but our own.
"""

from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from hashlib import sha256

from sqlalchemy import Connection

from contributions import jws
from contributions.errors import ContributionsError
from contributions.keeper_messages import (
    AggregationAnswer,
    AggregationRequest,
    job_reports,
    read_message,
    sign_message,
)
from contributions.sealed_report import (
    SEALED_REPORT_TYP,
    STATEMENT_LIMIT_BYTES,
    SealedReport,
)
from contributions.task import Task, TrustMode
from contributions.two_keepers import Verdict, expires_at, vdaf_for, verdicts
from coop_aggregator.aggregate import commit_batch, covered_reports, due_task, expect_mode
from coop_aggregator.db import jobs as jobs_db
from coop_aggregator.db import reports as reports_db
from coop_aggregator.db import sealed as db
from coop_aggregator.db.identity import lock
from coop_aggregator.db.sealed import State, StoredShare
from coop_aggregator.errors import KeeperFailed, ReleaseRefused
from coop_aggregator.installation import Leader
from coop_aggregator.keepers.channel import HelperChannel
from coop_aggregator.keepers.checking import (
    Check,
    Checked,
    add_up,
    check_on,
    open_shares,
)

QUESTIONS_AT_ONCE = 4
"""Jobs asked at the same time: while the helper checks one, we check the next."""


def aggregate(
    leader: Leader, week: str, channel: HelperChannel, *, executor: Executor
) -> reports_db.Batch:
    """Close `week`, check its reports with the helper and commit to those that count.

    Run again after any failure, it goes on where it stopped; a committed batch stays as it is.
    Raises ReleaseRefused while reports may still come in, KeeperFailed or KeeperRefused.
    """
    known = _queue(leader, week)
    if known is not None:
        return known
    with leader.database.read() as connection:
        stored = due_task(leader, connection, week)
        pending = [job for job in jobs_db.jobs_of(connection, stored.digest) if not job.done]
    task = Task.parse(stored.body)
    assert stored.verify_key is not None, "a task of two keepers has a verification key"
    check = Check.of(task, verify_key=stored.verify_key, role=leader.role)
    with ThreadPoolExecutor(QUESTIONS_AT_ONCE) as questions:
        asked = [
            questions.submit(
                _run_job, leader, task, job, check=check, channel=channel, executor=executor
            )
            for job in pending
        ]
        try:
            for question in asked:
                question.result()
        finally:
            questions.shutdown(cancel_futures=True)
    return _commit(leader, week)


def expect_unexpired(leader: Leader, task: Task) -> None:
    """Raise ReleaseRefused once nobody may check or collect the task any more."""
    if leader.clock.now() >= expires_at(task):
        raise ReleaseRefused(
            fr=f"{task.week} n'a pas été publiée à temps : ses réponses sont périmées, et effacées "
            "sans avoir été lues.",
            en=f"{task.week} was not published in time: its answers have expired, and are erased "
            "without having been read.",
        )


def _queue(leader: Leader, week: str) -> reports_db.Batch | None:
    """Freeze the week's reports into jobs, once; return the batch if it is committed already."""
    with leader.database.write() as connection:
        lock(connection)
        stored = due_task(leader, connection, week)
        task = Task.parse(stored.body)
        expect_mode(task, TrustMode.TWO_KEEPERS)
        known = reports_db.batch_of(connection, task.digest)
        if known is not None:
            return known
        expect_unexpired(leader, task)
        if jobs_db.jobs_of(connection, task.digest):
            return None
        received = reports_db.reports_of(connection, task.digest)
        covered = {
            item.report_id
            for item in covered_reports(leader, connection, task, received, read=_statement)
        }
        by_zone = db.ids_by_zone(connection, task.digest, State.RECEIVED)
        every = [report_id for ids in by_zone.values() for report_id in ids]
        db.mark(
            connection,
            [report_id for report_id in every if report_id not in covered],
            State.EXCLUDED,
            job_id=None,
        )
        for zone, ids in by_zone.items():
            _queue_zone(connection, task, zone, [each for each in ids if each in covered])
    return None


def _queue_zone(connection: Connection, task: Task, zone: str, report_ids: Sequence[str]) -> None:
    size = job_reports(vdaf_for(task).verifier_share_bytes)
    for start in range(0, len(report_ids), size):
        chunk = report_ids[start : start + size]
        job_id = _job_id(task.digest, zone, chunk)
        jobs_db.add_jobs(
            connection, [jobs_db.Job(job_id=job_id, task_digest=task.digest, zone=zone)]
        )
        db.mark(connection, chunk, State.QUEUED, job_id=job_id)


def _statement(signed: bytes) -> SealedReport:
    """Read a kept statement; intake verified these very bytes."""
    verified = jws.verify(signed, typ=SEALED_REPORT_TYP, limit_bytes=2 * STATEMENT_LIMIT_BYTES)
    return SealedReport.parse(verified.payload)


def _job_id(task_digest: str, zone: str, report_ids: Sequence[str]) -> str:
    """Return the name of a job: the same reports have the same one."""
    return sha256("\n".join([task_digest, zone, *report_ids]).encode()).hexdigest()[:32]


def _run_job(
    leader: Leader,
    task: Task,
    job: jobs_db.Job,
    *,
    check: Check,
    channel: HelperChannel,
    executor: Executor,
) -> None:
    with leader.database.read() as connection:
        shares = db.shares_of_job(connection, job.job_id)
    checked = check_on(executor, check, open_shares(check, shares, leader.keeper.hpke))
    # A share that is refused by itself is not even asked about: the helper never adds its own.
    asked = [(share, own) for share, own in zip(shares, checked, strict=True) if own is not None]
    found = _ask(leader, task, job, asked, channel) if asked else {}
    accepted = [share.report_id for share, _own in asked if found[share.report_id]]
    refused = [share.report_id for share in shares if share.report_id not in set(accepted)]
    total = add_up(
        len(task.coordinates), [own.out_share for share, own in asked if found[share.report_id]]
    )
    with leader.database.write() as connection:
        lock(connection)
        now = jobs_db.job_by_id(connection, job.job_id)
        if now is None or now.done:
            # Another process was faster; what it decided from the same halves stands.
            return
        db.mark(connection, accepted, State.ACCEPTED, job_id=job.job_id)
        db.mark(connection, refused, State.REFUSED, job_id=job.job_id)
        jobs_db.finish_job(connection, job.job_id, share=total)


def _ask(
    leader: Leader,
    task: Task,
    job: jobs_db.Job,
    asked: Sequence[tuple[StoredShare, Checked]],
    channel: HelperChannel,
) -> dict[str, bool]:
    """Return by report id whether both keepers accept the report."""
    request = AggregationRequest(
        task_digest=task.digest,
        zone=job.zone,
        job_id=job.job_id,
        report_ids=tuple(share.report_id for share, _own in asked),
        verifier_shares=tuple(own.verifier_share for _share, own in asked),
    )
    signed = channel.answer_job(sign_message(request, leader.keeper.sign))
    try:
        answer = read_message(AggregationAnswer, signed, task.keepers[1].sign_key)
    except ContributionsError as error:
        raise _unexpected() from error
    if answer.request_sha256 != request.sha256 or len(answer.verdicts) != len(asked):
        raise _unexpected()
    # What the helper could not check at all has no verifier share, and no verdict to compute.
    present = [
        (share, own, other)
        for (share, own), other in zip(asked, answer.verifier_shares, strict=True)
        if other
    ]
    ours = verdicts(
        task,
        public_shares=[share.public_share for share, _own, _other in present],
        leader_shares=[own.verifier_share for _share, own, _other in present],
        helper_shares=[other for _share, _own, other in present],
    )
    accepted = {
        share.report_id
        for (share, _own, _other), verdict in zip(present, ours, strict=True)
        if verdict is Verdict.ACCEPTED
    }
    for (share, _own), told in zip(asked, answer.verdicts, strict=True):
        if (share.report_id in accepted) != (told is Verdict.ACCEPTED):
            raise _unexpected()
    return {share.report_id: share.report_id in accepted for share, _own in asked}


def _commit(leader: Leader, week: str) -> reports_db.Batch:
    with leader.database.write() as connection:
        lock(connection)
        stored = due_task(leader, connection, week)
        task = Task.parse(stored.body)
        known = reports_db.batch_of(connection, task.digest)
        if known is not None:
            return known
        received = reports_db.reports_of(connection, task.digest)
        accepted = {
            report_id
            for ids in db.ids_by_zone(connection, task.digest, State.ACCEPTED).values()
            for report_id in ids
        }
        return commit_batch(
            leader,
            connection,
            task,
            received=received,
            counted=[item for item in received if item.report_id in accepted],
        )


def _unexpected() -> KeeperFailed:
    return KeeperFailed(
        fr="L'autre gardien n'a pas répondu à la question posée, ou pas comme nos deux moitiés le "
        "donnent. Rien n'a été additionné ; vérifiez que les deux ont la même version.",
        en="The other keeper did not answer the question asked, or not what both halves give. "
        "Nothing was added up; check that both run the same version.",
    )
