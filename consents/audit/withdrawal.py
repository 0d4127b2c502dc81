"""Whether anything flowed after a withdrawal, the withheld ones included.

A withdrawal counts from the earliest that anybody can prove: its entry in the log, the operator's
own promise, or the stewards' drop-box slip. One that was provably received before a batch was
frozen must keep that consent out of the batch, merged or not. One received after the freeze is
counted and reported: what was summed cannot be taken out again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from consents.audit.case import Batch, Case
from consents.audit.coverage import Standing, standings_at_batches, uncovered
from consents.audit.findings import AuditFinding, AuditProblem, AuditResult, Subject
from consents.audit.timeline import seconds
from consents.audit.times import known_after_s
from consents.canonical import base64url_bytes, utc_text
from consents.records.receipt import EventType, SignedEvent
from consents.tlog.merkle import leaf_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedWithdrawal:
    """That the withdrawal numbered `n` of a consent was received at `at_s`, by this key."""

    cid: bytes
    n: int
    kid: bytes
    at_s: int


def audit_after_withdrawal(case: Case) -> AuditResult:
    """Answer: did a contribution count although its consent had been withdrawn?"""
    evidence = withdrawal_evidence(case)
    findings = list(case.problems)
    after = 0
    for batch, standings in standings_at_batches(case):
        findings += ignored_withdrawals(case, batch, standings, evidence)
        after += sum(1 for item in batch.items if item.cid in evidence)
    withdrawals = sum(1 for step in case.timeline.steps() if step.kind is EventType.WITHDRAWN)
    ignored = sum(1 for each in findings if each.problem is AuditProblem.EVIDENCE_IGNORED)
    return AuditResult(
        subject=Subject.AFTER_WITHDRAWAL,
        checkpoint=case.attested.checkpoint,
        cosigned_at=case.attested.cosigned_at,
        facts={
            "withdrawals": withdrawals,
            "slips": len(case.slips),
            "strangers": case.strangers,
            "promises": len(case.promises),
            **case.erased_counts,
            "after_freeze": after - ignored,
        },
        findings=tuple(findings),
        columns=("consent", "received"),
        rows=[
            (cid.hex(), utc_text(datetime.fromtimestamp(each.at_s, UTC)))
            for cid, several in sorted(evidence.items())
            for each in several
        ],
    )


def withdrawal_evidence(case: Case) -> Mapping[bytes, Sequence[ProvedWithdrawal]]:
    """Return, by consent, each withdrawal that a promise or a slip proves to have been received."""
    promised = {bytes.fromhex(each.leaf_hash): each.received_at for each in case.promises}
    found: dict[bytes, list[ProvedWithdrawal]] = {}
    counts: dict[bytes, int] = {}
    for step in case.timeline.steps() if promised else ():
        if step.status is None:
            continue
        counts[step.cid] = n = counts.get(step.cid, -1) + 1
        at = promised.get(step.leaf_hash)
        if step.kind is EventType.WITHDRAWN and at is not None:
            found.setdefault(step.cid, []).append(
                ProvedWithdrawal(cid=step.cid, n=n, kid=step.kid, at_s=int(at.timestamp()))
            )
    for event, received_at in _held(case, promised):
        payload = event.payload
        if payload.t is EventType.WITHDRAWN and payload.o in case.timeline.origins:
            cid = bytes.fromhex(payload.cid)
            found.setdefault(cid, []).append(
                ProvedWithdrawal(
                    cid=cid,
                    n=payload.n,
                    kid=base64url_bytes(payload.kid),
                    at_s=int(received_at.timestamp()),
                )
            )
    return found


def _held(case: Case, promised: Mapping[bytes, datetime]) -> Iterator[tuple[SignedEvent, datetime]]:
    """Yield each event that somebody outside the operator holds, and when it was received."""
    for slip in case.slips:
        yield slip.event, slip.received_at
    for event in case.promised_events:
        at = promised.get(leaf_hash(event.leaf))
        if at is not None:
            yield event, at


def ignored_withdrawals(
    case: Case,
    batch: Batch,
    standings: Mapping[bytes, Standing],
    evidence: Mapping[bytes, Sequence[ProvedWithdrawal]],
) -> Iterator[AuditFinding]:
    """Find the items of a batch whose consent was withdrawn, in the log or by evidence, before it.

    The freeze is no earlier than the last checkpoint that witnesses saw before it, whatever time
    its entry claims.
    """
    frozen_s = max(seconds(batch.act.leaf.at), known_after_s(case.seen, batch.position))
    for rank, item in enumerate(batch.items):
        standing = standings.get(item.cid)
        if uncovered(item, standing, batch) is AuditProblem.WITHDRAWN:
            problem = AuditProblem.WITHDRAWN
        elif standing is not None and any(
            each.n > standing.n and each.at_s < frozen_s and _may_end(case, batch, standing, each)
            for each in evidence.get(item.cid, ())
        ):
            problem = AuditProblem.EVIDENCE_IGNORED
        else:
            continue
        yield AuditFinding(
            problem=problem,
            detail="expected no item of a consent that was withdrawn before its batch",
            entry=batch.position,
            item=rank,
        )


def _may_end(case: Case, batch: Batch, standing: Standing, evidence: ProvedWithdrawal) -> bool:
    """Tell whether the withdrawal was by a key that could end the consent at its batch."""
    helpers = case.timeline.helpers_at(evidence.cid.hex(), batch.position)
    return evidence.kid == standing.kid or evidence.kid in map(base64url_bytes, helpers.kids)
