"""Whether every contribution of every batch rested on a consent that was in force.

The log is replayed once, from its first entry. At the entry that commits to a batch, the last entry
of each item's consent must permit (given, limited, renewed), and the item must name that very
entry, its purpose, its key, and the batch's task. What comes later in the log covers nothing
before it, whatever time it claims: back-dating gains nothing.
Invented residents stay invisible to anybody but the operator: the log shows consents, not people.
A batch that was erased lawfully is told apart, with the number that the log still commits to.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from consents.audit.case import Batch, Case
from consents.audit.contribution import Contribution, zone_sha256
from consents.audit.findings import AuditFinding, AuditProblem, AuditResult, Subject
from consents.audit.timeline import event_type, seconds, type_code
from consents.records.receipt import EventType


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a consent stands at a batch: count of its last entry, status, purpose, key, entry."""

    n: int
    status: EventType | None
    pd: bytes
    kid: bytes
    head: bytes


def audit_coverage(case: Case) -> AuditResult:
    """Answer: was every contribution covered when its batch was frozen?"""
    findings = list(case.problems)
    items = 0
    for batch, standings in standings_at_batches(case):
        items += len(batch.items)
        findings += _batch_findings(case, batch, standings)
    findings += _duplicates(case.batches)
    return AuditResult(
        subject=Subject.COVERAGE,
        checkpoint=case.attested.checkpoint,
        cosigned_at=case.attested.cosigned_at,
        facts={
            "entries": len(case.timeline),
            "batches": len(case.batches),
            "withheld": len(case.withheld),
            **case.erased_counts,
            "items": items,
        },
        findings=tuple(findings),
        columns=("batch", "week", "items", "uncovered", "state"),
        rows=sorted(_rows(case, findings)),
    )


class BatchState(StrEnum):
    """What an audit could do with a batch."""

    CHECKED = "checked"
    ERASED = "erased"
    WITHHELD = "withheld"


def _rows(case: Case, findings: Sequence[AuditFinding]) -> Iterator[tuple[int, str, int, int, str]]:
    """Yield each batch with its week, contributions, those not covered, and its state."""
    uncovered_at = Counter(finding.entry for finding in findings)
    for batch in case.batches:
        count = uncovered_at[batch.position]
        yield batch.position, batch.question.week, len(batch.items), count, BatchState.CHECKED
    for erased in case.erased:
        week = erased.question.week
        yield erased.position, week, erased.item_count, 0, BatchState.ERASED
    for position in case.withheld:
        yield position, "", 0, 0, BatchState.WITHHELD


def standings_at_batches(case: Case) -> Iterator[tuple[Batch, Mapping[bytes, Standing]]]:
    """Yield each batch with where its items' consents stand just before it, in one pass."""
    wanted = {item.cid for batch in case.batches for item in batch.items}
    pending = sorted(case.batches, key=lambda batch: batch.position, reverse=True)
    latest: dict[bytes, tuple[int, int, bytes, bytes, bytes]] = {}
    nothing = type_code(None)
    for position, (cid, _, status, pd, kid, head, _, _) in enumerate(case.timeline.rows()):
        while pending and pending[-1].position == position:
            batch = pending.pop()
            yield batch, _standings(batch, latest)
        if not pending:
            return
        if cid in wanted and status != nothing:
            before = latest.get(cid)
            latest[cid] = (0 if before is None else before[0] + 1, status, pd, kid, head)


def _standings(
    batch: Batch, latest: Mapping[bytes, tuple[int, int, bytes, bytes, bytes]]
) -> dict[bytes, Standing]:
    found: dict[bytes, Standing] = {}
    for item in batch.items:
        last = latest.get(item.cid)
        if last is not None:
            n, status, pd, kid, head = last
            found[item.cid] = Standing(n, event_type(status), pd, kid, head)
    return found


def uncovered(item: Contribution, standing: Standing | None, batch: Batch) -> AuditProblem | None:
    """Return why an item is not covered, None when it is."""
    if standing is None:
        return AuditProblem.NEVER_CONSENTED
    if standing.status is EventType.WITHDRAWN:
        return AuditProblem.WITHDRAWN
    if standing.status is None or not standing.status.permits:
        return AuditProblem.NOT_PERMITTED
    purpose = bytes.fromhex(batch.question.purpose_digest)
    rules = (
        (item.kid == standing.kid, AuditProblem.WRONG_KEY),
        (item.head == standing.head, AuditProblem.WRONG_HEAD),
        (
            item.pd == standing.pd == purpose == bytes.fromhex(batch.act.leaf.pd),
            AuditProblem.WRONG_PURPOSE,
        ),
        (item.task_digest == bytes.fromhex(batch.question.digest), AuditProblem.WRONG_TASK),
    )
    return next((problem for holds, problem in rules if not holds), None)


def _batch_findings(
    case: Case, batch: Batch, standings: Mapping[bytes, Standing]
) -> Iterator[AuditFinding]:
    for rank, item in enumerate(batch.items):
        problem = uncovered(item, standings.get(item.cid), batch)
        if problem is None:
            problem = _over_limits(case, item, batch)
        if problem is not None:
            detail = "expected an item that rests on a consent in force at its batch"
            yield AuditFinding(problem=problem, detail=detail, entry=batch.position, item=rank)


def _over_limits(case: Case, item: Contribution, batch: Batch) -> AuditProblem | None:
    """Check the limits of a body that somebody opened for the auditor; nothing without one."""
    body = case.bodies.get(item.head)
    if body is None or body.limits is None:
        return None
    if seconds(batch.act.leaf.at) >= int(body.limits.expires_at.timestamp()):
        return AuditProblem.EXPIRED
    purpose = case.purposes.get(batch.question.purpose_digest)
    if purpose is not None and not set(purpose.fields) <= set(body.limits.fields):
        return AuditProblem.FIELDS_EXCEEDED
    area = body.limits.area
    if area is not None and item.zone_sha256 not in {zone_sha256(code) for code in area.zones}:
        return AuditProblem.AREA_EXCEEDED
    return None


def _duplicates(batches: Sequence[Batch]) -> Iterator[AuditFinding]:
    """Find a consent, or a key under two consents, that counts twice in one week."""
    seen: set[tuple[str, bytes]] = set()
    for batch in sorted(batches, key=lambda batch: batch.position):
        week = batch.question.week
        for rank, item in enumerate(batch.items):
            keys = {(week, item.cid), (week, item.kid)}
            if keys & seen:
                yield AuditFinding(
                    problem=AuditProblem.DUPLICATE,
                    detail="expected one contribution a week for each consent and key",
                    entry=batch.position,
                    item=rank,
                )
            seen |= keys
