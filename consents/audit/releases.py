"""Whether what was published follows from what was committed to, and only from covered items.

A release is valid when its exact bytes have the logged digest, it comes after its batch in the log
and answers the batch's task, once; when every item of the batch was covered and unique; and when no
withdrawal had been received before the freeze. The figures themselves (sums, noise, intervals) are
not recomputed here: that needs the reports, not the log.
"""

from collections.abc import Iterator, Mapping

from consents.audit.case import Act, Batch, Case, ErasedBatch
from consents.audit.coverage import audit_coverage
from consents.audit.findings import AuditFinding, AuditProblem, AuditResult, Subject
from consents.audit.withdrawal import audit_after_withdrawal
from consents.audit.withheld import answers, publishes_nothing, release_count
from consents.canonical import sha256_hex
from consents.errors import ExportError
from consents.records.receipt import EventType


def audit_release(case: Case) -> AuditResult:
    """Answer: is every release the one that was logged, over a covered batch?"""
    releases = case.acts_of(EventType.RELEASE_PUBLISHED)
    findings = list(audit_coverage(case).findings)
    # Both audits may say the same of an item, in other words for developers.
    known = {(each.problem, each.entry, each.item) for each in findings}
    findings += [
        each
        for each in audit_after_withdrawal(case).findings
        if (each.problem, each.entry, each.item) not in known
    ]
    whole: tuple[Batch | ErasedBatch, ...] = (*case.batches, *case.erased)
    batches = {batch.position: batch for batch in whole}
    tasks: set[str] = set()
    rows: list[tuple[str | int, ...]] = []
    for act in releases:
        try:
            findings += _release_findings(case, act, batches, tasks)
            where = (act.leaf.position, act.count("batch_position"))
            rows.append((*where, act.digest("release_sha256")))
        except ExportError as error:
            findings.append(
                AuditFinding(
                    problem=AuditProblem.BAD_FILE, detail=str(error), entry=act.leaf.position
                )
            )
    return AuditResult(
        subject=Subject.RELEASE,
        checkpoint=case.attested.checkpoint,
        cosigned_at=case.attested.cosigned_at,
        facts={
            "releases": len(releases),
            "batches": len(case.batches),
            "withheld": len(case.withheld),
            "erased": len(case.erased),
        },
        findings=tuple(findings),
        columns=("entry", "batch", "release_sha256"),
        rows=rows,
    )


def _release_findings(
    case: Case, act: Act, batches: Mapping[int, Batch | ErasedBatch], tasks: set[str]
) -> Iterator[AuditFinding]:
    position = act.leaf.position
    content = case.releases.get(position)
    if content is None:
        yield _finding(AuditProblem.NO_RELEASE_FILE, position, "expected the published release")
    elif sha256_hex(content) != act.digest("release_sha256"):
        yield _finding(AuditProblem.RELEASE_CHANGED, position, "expected the logged release")
    task = act.digest("task_digest")
    if task in tasks:
        yield _finding(AuditProblem.RELEASE_TWICE, position, "expected one release for a task")
    tasks.add(task)
    if act.count("batch_position") in case.withheld and content and publishes_nothing(content):
        return
    batch = batches.get(act.count("batch_position"))
    if batch is None or batch.position > position or batch.question.digest != task:
        yield _finding(
            AuditProblem.RELEASE_WITHOUT_BATCH, position, "expected a batch of the same task before"
        )
        return
    if content is None or sha256_hex(content) != act.digest("release_sha256"):
        return
    if not answers(content, batch.question):
        yield _finding(
            AuditProblem.RELEASE_WITHOUT_BATCH, position, "expected the task of the batch, stated"
        )
    # A release below its task's minimum states 0, and then no figure either.
    if release_count(content) != batch.item_count and not publishes_nothing(content):
        yield _finding(
            AuditProblem.RELEASE_COUNT, position, "expected the count of the committed batch"
        )


def _finding(problem: AuditProblem, position: int, detail: str) -> AuditFinding:
    return AuditFinding(problem=problem, detail=detail, entry=position)
