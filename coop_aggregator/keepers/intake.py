"""Step 6 for two keepers: each takes in its own sealed share of a report, and refuses alike.

In: uploads from stores. Out: kept sealed shares. What is refused gets one of the four reason codes
of `coop_aggregator.intake` and nothing else, the same at both keepers. The helper knows no member:
it asks for the leader's admission of that very statement. Nothing finer than the task's week is
kept about when a report came, and nothing about where from. A share is opened here only to see
that it opens; what is kept is what was received.
"""

from hashlib import sha256

from sqlalchemy import Connection

from contributions.admission import Admission, check_admission, sign_admission
from contributions.errors import ContributionsError
from contributions.sealed_report import (
    ReadUpload,
    check_sealed_report,
    open_input_share,
    read_upload,
)
from contributions.task import Task
from coop_aggregator.db import jobs as jobs_db
from coop_aggregator.db import questions as questions_db
from coop_aggregator.db import reports as reports_db
from coop_aggregator.db import sealed as db
from coop_aggregator.db.collections import collected_of
from coop_aggregator.db.identity import lock
from coop_aggregator.installation import Helper, Leader
from coop_aggregator.intake import Refusal, covered_member, refused


def receive_share(side: Leader | Helper, upload: bytes) -> dict[str, str]:
    """Check an upload in nine steps and keep it; return the answer for the store.

    The same upload again has the same answer, as long as the task is open. The leader's answer
    holds its `admission` of the statement, which the store shows to the helper. Raises
    ReportRefused.
    """
    # 1. Size, form and signature; 2. the sealed share is the one that was signed for this keeper.
    try:
        read = read_upload(upload, role=side.role)
    except ContributionsError as error:
        raise refused(Refusal.MALFORMED) from error
    with side.database.write() as connection:
        lock(connection)
        # 3. Both keepers signed the task; 4. it is open; 5. the report answers it.
        task = _open_task(side, connection, read)
        # 6. The share is sealed for this keeper, this task and this report.
        _expect_ours(side, task, read)
        # 7. The report is a member's, from home and covered, or the leader says so.
        member_id = _admitted(side, connection, task, read)
        # 8. One report an id, and one a consent and task; 9. one a member and task.
        if _is_new(connection, read, member_id=member_id):
            _keep(connection, read, member_id=member_id)
    answer = {"report_id": read.report.report_id}
    if isinstance(side, Leader):
        admission = Admission(
            task_digest=task.digest, statement_sha256=sha256(read.statement).hexdigest()
        )
        answer["admission"] = sign_admission(admission, side.keeper.sign).decode("ascii")
    return answer


def _open_task(side: Leader | Helper, connection: Connection, read: ReadUpload) -> Task:
    stored = questions_db.task_by_digest(connection, read.report.task_digest)
    if stored is None or stored.jws is None:
        raise refused(Refusal.MALFORMED)
    if (
        side.clock.now() >= stored.report_deadline
        or jobs_db.jobs_of(connection, stored.digest)
        or collected_of(connection, stored.digest)
        or reports_db.batch_of(connection, stored.digest)
    ):
        raise refused(Refusal.LATE)
    task = Task.parse(stored.body)
    try:
        check_sealed_report(read.report, task)
    except ContributionsError as error:
        raise refused(Refusal.MALFORMED) from error
    return task


def _expect_ours(side: Leader | Helper, task: Task, read: ReadUpload) -> None:
    try:
        open_input_share(
            read.report, read.sealed, task=task, role=side.role, keeper_key=side.keeper.hpke
        )
    except ContributionsError as error:
        raise refused(Refusal.MALFORMED) from error


def _admitted(
    side: Leader | Helper, connection: Connection, task: Task, read: ReadUpload
) -> str | None:
    """Return the member whom the report counts for, None at the helper, who knows none."""
    if isinstance(side, Leader):
        now = side.clock.now()
        return covered_member(side, connection, read.report, kid=read.kid, now=now).member_id
    try:
        check_admission(read.admission or b"", statement=read.statement, task=task)
    except ContributionsError as error:
        raise refused(Refusal.UNCOVERED) from error
    return None


def _is_new(connection: Connection, read: ReadUpload, *, member_id: str | None) -> bool:
    report = read.report
    known = db.known_uploads(
        connection, report_id=report.report_id, task_digest=report.task_digest, cid=report.cid
    )
    if known == (_upload_sha256(read),):
        return False
    if known or (
        member_id is not None
        and reports_db.report_exists(
            connection,
            report_id=report.report_id,
            task_digest=report.task_digest,
            member_id=member_id,
        )
    ):
        raise refused(Refusal.DUPLICATE)
    return True


def _keep(connection: Connection, read: ReadUpload, *, member_id: str | None) -> None:
    report = read.report
    db.add_share(
        connection,
        db.StoredShare(
            report_id=report.report_id,
            task_digest=report.task_digest,
            zone=report.zone,
            cid=report.cid,
            upload_sha256=_upload_sha256(read),
            public_share=report.public_share,
            sealed=read.sealed,
        ),
    )
    if member_id is not None:
        reports_db.add_report(
            connection,
            reports_db.StoredReport(
                report_id=report.report_id,
                task_digest=report.task_digest,
                member_id=member_id,
                cid=report.cid,
                jws=read.statement.decode("ascii"),
            ),
        )


def _upload_sha256(read: ReadUpload) -> str:
    return sha256(read.statement + read.sealed).hexdigest()
