"""Step 7 for two keepers, at the helper: answer the leader's aggregation jobs.

In: a signed request that names reports of one zone, with the leader's verifier shares. Out: our
verifier shares and verdicts, kept with the answer. A job is answered once and repeated for ever
after; a report is decided in one job; after the first collection of a task nothing is answered any
more. What we add up is our own output share of each report that both halves prove.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from sqlalchemy import Connection

from contributions.envelope import Role
from contributions.errors import ContributionsError
from contributions.keeper_messages import (
    AggregationAnswer,
    AggregationRequest,
    read_message,
    sign_message,
)
from contributions.task import Task, TrustMode
from contributions.two_keepers import Verdict, expires_at, verdicts
from coop_aggregator.db import jobs as jobs_db
from coop_aggregator.db import keepers as keepers_db
from coop_aggregator.db import questions as questions_db
from coop_aggregator.db import sealed as db
from coop_aggregator.db.collections import collected_of
from coop_aggregator.db.identity import lock
from coop_aggregator.db.sealed import State, StoredShare
from coop_aggregator.errors import KeeperRefused
from coop_aggregator.installation import Helper
from coop_aggregator.keepers.checking import Check, Checked, add_up, check_on, open_shares


def answer_job(helper: Helper, signed: bytes, *, executor: Executor) -> bytes:
    """Answer an aggregation request of the leader. Raises KeeperRefused, without saying why.

    1. The task is one that both of us signed, and the leader signed the request. 2. Its deadline is
    past by our own clock, and nothing of it is collected. 3. The same job has the same question.
    """
    with helper.database.read() as connection:
        question = _read(helper, connection, signed)
        request, task = question.request, question.task
        known = _known(connection, request)
        if known is not None:
            return known
        shares = _takeable(request, db.shares_by_id(connection, request.report_ids))
    check = Check.of(task, verify_key=question.verify_key, role=helper.role)
    present = [share for share in shares if share is not None]
    results = check_on(executor, check, open_shares(check, present, helper.keeper.hpke))
    checked = {
        share.report_id: result
        for share, result in zip(present, results, strict=True)
        if result is not None
    }
    answer, accepted = _judge(request, task, shares, checked)
    content = sign_message(answer, helper.keeper.sign)
    total = add_up(len(task.coordinates), [checked[each].out_share for each in accepted])
    with helper.database.write() as connection:
        lock(connection)
        # Another request may have been answered meanwhile: then ours is not counted.
        known = _known(connection, request)
        if known is not None:
            return known
        if shares != _takeable(request, db.shares_by_id(connection, request.report_ids)):
            raise refused_question()
        here = {share.report_id for share in present}
        db.mark(connection, accepted, State.ACCEPTED, job_id=request.job_id)
        db.mark(connection, here - set(accepted), State.REFUSED, job_id=request.job_id)
        job = jobs_db.Job(
            job_id=request.job_id,
            task_digest=request.task_digest,
            zone=request.zone,
            done=True,
            share=total,
            request_sha256=request.sha256,
            answer=content,
        )
        jobs_db.add_jobs(connection, [job])
    return content


def asked_task(helper: Helper, connection: Connection, task_digest: str) -> questions_db.StoredTask:
    """Return a task that both signed, due by our clock and not expired. Raises KeeperRefused."""
    stored = questions_db.task_by_digest(connection, task_digest)
    if stored is None or stored.jws is None or helper.clock.now() < stored.report_deadline:
        raise refused_question()
    task = Task.parse(stored.body)
    if task.trust_mode is not TrustMode.TWO_KEEPERS or helper.clock.now() >= expires_at(task):
        raise refused_question()
    return stored


def refused_question() -> KeeperRefused:
    """Return the whole of what the leader is told about a question that is not answered."""
    return KeeperRefused(
        fr="Question refusée : rien n'a été compté ni publié. Le journal de ce gardien n'en dit "
        "pas plus ; comparez la tâche, l'heure et les lots des deux côtés.",
        en="Question refused: nothing was counted nor published. This keeper says no more; "
        "compare the task, the clock and the batches on both sides.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    request: AggregationRequest
    task: Task
    verify_key: bytes


def _read(helper: Helper, connection: Connection, signed: bytes) -> _Question:
    leader = keepers_db.load_keeper(connection, Role.LEADER)
    if leader is None:
        raise refused_question()
    try:
        request = read_message(AggregationRequest, signed, leader.sign_key)
    except ContributionsError as error:
        raise refused_question() from error
    stored = asked_task(helper, connection, request.task_digest)
    assert stored.verify_key is not None, "a task of two keepers has a verification key"
    return _Question(request=request, task=Task.parse(stored.body), verify_key=stored.verify_key)


def _known(connection: Connection, request: AggregationRequest) -> bytes | None:
    if collected_of(connection, request.task_digest):
        raise refused_question()
    job = jobs_db.job_by_id(connection, request.job_id)
    if job is None:
        return None
    if job.request_sha256 != request.sha256 or job.answer is None:
        raise refused_question()
    return job.answer


def _takeable(
    request: AggregationRequest, here: Mapping[str, StoredShare]
) -> list[StoredShare | None]:
    """Return, in the order asked, the reports that are here, of this bucket and undecided."""
    found: list[StoredShare | None] = []
    for report_id in request.report_ids:
        share = here.get(report_id)
        fits = (
            share is not None
            and (share.task_digest, share.zone) == (request.task_digest, request.zone)
            and share.state is State.RECEIVED
        )
        found.append(share if fits else None)
    return found


def _judge(
    request: AggregationRequest,
    task: Task,
    shares: Sequence[StoredShare | None],
    checked: Mapping[str, Checked],
) -> tuple[AggregationAnswer, list[str]]:
    """Return the answer, and the ids of the reports that both halves prove."""
    rows = [
        (share, checked[share.report_id], theirs)
        for share, theirs in zip(shares, request.verifier_shares, strict=True)
        if share is not None and share.report_id in checked
    ]
    decided = verdicts(
        task,
        public_shares=[share.public_share for share, _own, _theirs in rows],
        leader_shares=[theirs for _share, _own, theirs in rows],
        helper_shares=[own.verifier_share for _share, own, _theirs in rows],
    )
    by_id = {
        share.report_id: verdict
        for (share, _own, _theirs), verdict in zip(rows, decided, strict=True)
    }
    told, verifier_shares = [], []
    for share in shares:
        own = None if share is None else checked.get(share.report_id)
        missing = Verdict.MISSING if share is None else Verdict.REFUSED
        told.append(missing if share is None else by_id.get(share.report_id, missing))
        verifier_shares.append(b"" if own is None else own.verifier_share)
    answer = AggregationAnswer(
        request_sha256=request.sha256,
        verdicts=tuple(told),
        verifier_shares=tuple(verifier_shares),
    )
    return answer, [each for each, verdict in by_id.items() if verdict is Verdict.ACCEPTED]
