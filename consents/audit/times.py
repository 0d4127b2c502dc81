"""What the cosignatures say about time: between which moments an entry came into the log.

An entry stood in no checkpoint seen before, and in the first one seen after. A claimed time outside
these bounds, with ten minutes for clocks, is late: an entry dated back or ahead. It stays in the
log and covers nothing that came before it there; the auditor only says so.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from consents.audit.case import Case, Seen
from consents.audit.findings import AuditFinding, AuditProblem, AuditResult, Subject
from consents.audit.timeline import Step, Timeline
from consents.records.decision import CLOCK_TOLERANCE
from consents.records.receipt import EventType
from consents.tlog.policy import Attested

TOLERANCE_S = int(CLOCK_TOLERANCE.total_seconds())
"""How far clocks may differ, in seconds."""

_MAY_BE_OLD = frozenset(
    {EventType.WITHDRAWN, EventType.REFUSED, EventType.DEFERRED, EventType.EXPIRED}
)


def seen_times(known: Iterable[Attested], timeline: Timeline) -> tuple[Seen, ...]:
    """Return the cosigned checkpoints by size, each with when it was first and last cosigned."""
    times: dict[int, list[datetime]] = {}
    for each in known:
        origin = each.checkpoint.origin
        if each.known_by is not None and origin in timeline.origins:
            size = timeline.start(origin) + each.checkpoint.size
            times.setdefault(size, []).append(each.known_by)
    return tuple(
        Seen(size=size, first_at=min(several), last_at=max(several))
        for size, several in sorted(times.items())
    )


def known_after_s(seen: Sequence[Seen], position: int) -> int:
    """Return when the last checkpoint without this entry was seen, in seconds since 1970; or 0."""
    after = bisect_right(seen, position, key=lambda each: each.size)
    return int(seen[after - 1].last_at.timestamp()) if after else 0


def audit_late(case: Case) -> AuditResult:
    """Answer: does an entry claim a time at which it cannot have come into the log?"""
    findings = list(case.problems)
    if not case.seen:
        detail = "expected at least one cosigned checkpoint"
        findings.append(AuditFinding(problem=AuditProblem.NO_TIMES, detail=detail))
    rows: list[tuple[str | int, ...]] = []
    delayed = 0
    for position, kind, early_s in _out_of_bounds(case):
        if kind in _MAY_BE_OLD and early_s > 0:
            # Written offline and sent later: it only takes rights away, from its evidenced receipt.
            delayed += 1
            continue
        rows.append((position, "" if kind is None else kind.value, early_s))
        findings.append(
            AuditFinding(
                problem=AuditProblem.LATE,
                detail="expected a claimed time within the bounds of the witnesses",
                entry=position,
            )
        )
    return AuditResult(
        subject=Subject.LATE,
        checkpoint=case.attested.checkpoint,
        cosigned_at=case.attested.cosigned_at,
        facts={"entries": len(case.timeline), "cosigned": len(case.seen), "delayed": delayed},
        findings=tuple(findings),
        columns=("entry", "event", "seconds_early"),
        rows=rows,
    )


def _out_of_bounds(case: Case) -> Iterator[tuple[int, EventType | None, int]]:
    """Yield (position, kind, seconds early; negative for ahead) of each entry out of bounds."""
    if not case.seen:
        return
    bounds = _Bounds(case.seen)
    for position, step in enumerate(case.timeline.steps()):
        early_s = bounds.early_s(position, step)
        if early_s:
            yield position, step.kind, early_s


class _Bounds:
    """The two checkpoints around a position, moved along with it."""

    def __init__(self, seen: Sequence[Seen]) -> None:
        self._seen = seen
        self._next = 0

    def early_s(self, position: int, step: Step) -> int:
        """Return by how many seconds a step's claim is too early, negative for too late, or 0.

        Positions must be asked in order: the bounds only move on.
        """
        seen = self._seen
        while self._next < len(seen) and seen[self._next].size <= position:
            self._next += 1
        if self._next:
            early_s = int(seen[self._next - 1].last_at.timestamp()) - step.at_s
            if early_s > TOLERANCE_S:
                return early_s
        if self._next < len(seen):
            ahead_s = step.at_s - int(seen[self._next].first_at.timestamp())
            if ahead_s > TOLERANCE_S:
                return -ahead_s
        return 0
