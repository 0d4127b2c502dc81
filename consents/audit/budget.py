"""Whether privacy was spent within what was said: by week, by consent, and as declared.

Amounts are integers, millionths of epsilon. A consent and a key count once; that two consents with
different keys are one person is known to the operator alone, who must refuse it at intake.
"""

from collections import defaultdict
from collections.abc import Iterator

from consents.audit.case import Batch, Case
from consents.audit.findings import AuditFinding, AuditProblem, AuditResult, Subject

WEEKS = 52
"""Weeks over which the yearly cap of a purpose counts."""


def audit_budget(case: Case) -> AuditResult:
    """Answer: did anybody's contributions spend more than the purpose and their limits allow?"""
    findings = list(case.problems)
    for batch in case.batches:
        findings += _declared(batch)
    week_micro: dict[tuple[str, str, bytes], int] = defaultdict(int)
    total_micro: dict[tuple[str, bytes], int] = defaultdict(int)
    for batch in sorted(case.batches, key=lambda each: each.position):
        findings += _spent(case, batch, week_micro, total_micro)
    return AuditResult(
        subject=Subject.BUDGET,
        checkpoint=case.attested.checkpoint,
        cosigned_at=case.attested.cosigned_at,
        facts={
            "batches": len(case.batches),
            "withheld": len(case.withheld),
            **case.erased_counts,
            "items": sum(len(batch.items) for batch in case.batches),
            "most_week_micro": max(week_micro.values(), default=0),
            "most_total_micro": max(total_micro.values(), default=0),
        },
        findings=tuple(findings),
        columns=("batch", "week", "items", "epsilon_sum_micro"),
        rows=[
            (
                batch.position,
                batch.question.week,
                len(batch.items),
                sum(item.epsilon_micro for item in batch.items),
            )
            for batch in case.batches
        ],
    )


def _declared(batch: Batch) -> Iterator[AuditFinding]:
    """Hold the amounts that are declared to the task's, item by item, and to their sum."""
    for rank, item in enumerate(batch.items):
        if item.epsilon_micro != batch.question.epsilon_micro:
            detail = "expected the epsilon of the task"
            problem = AuditProblem.EPSILON_OF_TASK
            yield AuditFinding(problem=problem, detail=detail, entry=batch.position, item=rank)
    total = sum(item.epsilon_micro for item in batch.items)
    if batch.act.body.get("epsilon_sum_micro") != total:
        detail = "expected the sum of epsilon that the batch declares"
        yield AuditFinding(problem=AuditProblem.EPSILON_SUM, detail=detail, entry=batch.position)


def _spent(
    case: Case,
    batch: Batch,
    week_micro: dict[tuple[str, str, bytes], int],
    total_micro: dict[tuple[str, bytes], int],
) -> Iterator[AuditFinding]:
    purpose = case.purposes.get(batch.question.purpose_digest)
    if purpose is None:
        detail = "expected the text of the batch's purpose"
        yield AuditFinding(
            problem=AuditProblem.NO_PURPOSE_TEXT, detail=detail, entry=batch.position
        )
        return
    for rank, item in enumerate(batch.items):
        body = case.bodies.get(item.head)
        limits = None if body is None else body.limits
        week_cap = purpose.epsilon_week_micro
        total_cap = WEEKS * purpose.epsilon_week_micro
        if limits is not None:
            week_cap = min(week_cap, limits.epsilon_week_micro)
            total_cap = min(total_cap, limits.epsilon_total_micro)
        problem = None
        for who in {item.cid, item.kid}:
            week = (purpose.digest, batch.question.week, who)
            week_micro[week] += item.epsilon_micro
            total_micro[purpose.digest, who] += item.epsilon_micro
            if week_micro[week] > week_cap:
                problem = AuditProblem.OVER_WEEK
            elif total_micro[purpose.digest, who] > total_cap:
                problem = problem or AuditProblem.OVER_TOTAL
        if problem is not None:
            detail = "expected epsilon within the purpose and the consent's limits"
            yield AuditFinding(problem=problem, detail=detail, entry=batch.position, item=rank)
