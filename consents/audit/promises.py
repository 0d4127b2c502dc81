"""Whether the operator merged what it promised to merge, when it promised to.

Promises come from those who were given them, residents and stewards, never from the operator. A
slip is owed like a promise; one whose event no key of its consent's chain signed is no evidence
(`consents.audit.evidence`): a stranger who leaves an invented withdrawal accuses nobody. "Now" is
the moment that the caller names, or else when the newest checkpoint was cosigned: with an operator
that lets its log stand still, name the moment.
"""

from datetime import datetime, timedelta

from consents.audit.case import Case
from consents.audit.findings import AuditFinding, AuditProblem, AuditResult, Subject
from consents.audit.times import TOLERANCE_S, known_after_s
from consents.canonical import utc_text
from consents.tlog.merkle import leaf_hash
from consents.tlog.promise import MAX_MERGE_DELAY

DROP_BOX_DELAY = timedelta(hours=24)
"""Time for stewards to hand a slip's event on to the operator, before its own delay begins."""


def audit_promises(case: Case, *, now: datetime | None = None) -> AuditResult:
    """Answer: is every promised event in the log, and in time? `now` is aware."""
    findings = list(case.problems)
    moment = now or max((each.last_at for each in case.seen), default=None)
    positions: dict[bytes, int] = {}
    wanted = {bytes.fromhex(each.leaf_hash) for each in case.promises}
    wanted |= {leaf_hash(slip.event.leaf) for slip in case.slips}
    for position, row in enumerate(case.timeline.rows()):
        if row[6] in wanted:
            positions[row[6]] = position
    if moment is None and wanted:
        detail = "expected a moment, or a cosigned checkpoint, to judge promises by"
        findings.append(AuditFinding(problem=AuditProblem.NO_TIMES, detail=detail))
    rows: list[tuple[str | int, ...]] = []
    pending = 0
    for hashed, received, due in _owed(case):
        found = positions.get(hashed)
        overdue = moment is not None and moment > due
        if found is not None and known_after_s(case.seen, found) > due.timestamp() + TOLERANCE_S:
            detail = "expected the promised entry in the log in time"
            findings.append(
                AuditFinding(problem=AuditProblem.PROMISE_LATE, detail=detail, entry=found)
            )
        elif found is None and overdue:
            detail = "expected the promised entry in the log by now"
            findings.append(AuditFinding(problem=AuditProblem.PROMISE_BROKEN, detail=detail))
        elif found is None:
            pending += 1
        where = "" if found is None else found
        rows.append((hashed.hex(), utc_text(received), utc_text(due), where))
    return AuditResult(
        subject=Subject.PROMISES,
        checkpoint=case.attested.checkpoint,
        cosigned_at=case.attested.cosigned_at,
        facts={
            "promises": len(case.promises),
            "slips": len(case.slips),
            "strangers": case.strangers,
            "pending": pending,
        },
        findings=tuple(findings),
        columns=("leaf_hash", "received_at", "merge_by", "entry"),
        rows=rows,
    )


def _owed(case: Case) -> list[tuple[bytes, datetime, datetime]]:
    """Return (leaf hash, received, due): a slip is owed like a promise of the longest delay."""
    promised = [
        (bytes.fromhex(each.leaf_hash), each.received_at, each.merge_by) for each in case.promises
    ]
    return promised + [
        (
            leaf_hash(slip.event.leaf),
            slip.received_at,
            slip.received_at + MAX_MERGE_DELAY + DROP_BOX_DELAY,
        )
        for slip in case.slips
        if slip.event.payload.o in case.timeline.origins
    ]
