"""Following a log from one export to the next, with everything that was ever seen of it kept.

The auditor's folder holds the last checkpoint that was accepted and every one before. An export
that does not continue them is refused, and both notes are the evidence: each is signed by the
operator, and together they show two histories.
"""

from collections import Counter

from consents.audit.case import Case
from consents.audit.findings import AuditResult, Subject
from consents.records.receipt import EventType


def monitor(case: Case, *, since: int) -> AuditResult:
    """Return what the log holds since the size that was accepted last."""
    kinds: Counter[str] = Counter()
    rows: list[tuple[str | int, ...]] = []
    for position, step in enumerate(case.timeline.steps()):
        if position < since or step.kind is None:
            continue
        kinds[step.kind.value] += 1
        if not step.kind.of_resident:
            rows.append((position, step.kind.value))
    facts = {"entries": len(case.timeline), "new": len(case.timeline) - since}
    facts |= {kind.value: kinds[kind.value] for kind in EventType if kinds[kind.value]}
    return AuditResult(
        subject=Subject.MONITOR,
        checkpoint=case.attested.checkpoint,
        cosigned_at=case.attested.cosigned_at,
        facts=facts,
        findings=case.problems,
        columns=("entry", "event"),
        rows=rows,
    )
