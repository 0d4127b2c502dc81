"""Which batches were erased at the end of the days that their purpose states, and which otherwise.

An operator erases the contributions of a whole batch and says so in the log: `batch.erased` names
the batch by its entry, which goes on committing to their Merkle root and number. That is lawful
when the entry came no earlier than the retention allows, by its own word and by the witnesses', and
when nothing is kept that was due by then: whoever could choose what to erase could erase what
accuses. A batch that is missing without such an entry stays unproved.

It does not say that copies or backups are gone: no file can.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from consents.audit.case import Act, Question, Seen
from consents.audit.findings import AuditFinding, AuditProblem
from consents.audit.times import TOLERANCE_S, known_after_s
from consents.canonical import utc_time
from consents.records.receipt import EventType, Purpose
from consents.records.retention import erased_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasures:
    """The erasures of a log: the batch's entry to the operator's act, and what is wrong."""

    acts: Mapping[int, Act]
    findings: tuple[AuditFinding, ...]


def check_erasures(
    acts: Sequence[Act],
    *,
    questions: Mapping[str, Question],
    purposes: Mapping[str, Purpose],
    seen: Sequence[Seen],
    batches: Mapping[int, bool],
) -> Erasures:
    """Judge every erasure of a log.

    `batches` are the entries of its batches, opened or not, and whether contributions were handed
    over for them. Raises ExportError.
    """
    committed = {
        act.leaf.position: act for act in acts if act.leaf.kind is EventType.BATCH_COMMITTED
    }
    found: dict[int, Act] = {}
    findings: list[AuditFinding] = []
    newest: datetime | None = None
    for act in (each for each in acts if each.leaf.kind is EventType.BATCH_ERASED):
        position, task = act.count("batch_position"), act.digest("task_digest")
        batch = committed.get(position)
        question = questions.get(task)
        if batch is not None and batch.digest("task_digest") != task:
            batch = question = None
        due = None if question is None else due_at(question, purposes)
        if question is None or position > act.leaf.position or batches.get(position, True):
            findings.append(_finding(AuditProblem.ERASED_UNFOUNDED, act.leaf.position))
        elif due is None:
            findings.append(_finding(AuditProblem.NO_PURPOSE_TEXT, act.leaf.position))
        elif no_later_than(act, seen) < due:
            findings.append(_finding(AuditProblem.ERASED_EARLY, act.leaf.position))
        newest = max(filter(None, (newest, no_earlier_than(act, seen))))
        found.setdefault(position, act)
    kept = (act for position, act in committed.items() if position not in found)
    if newest is not None:
        findings += _overdue(kept, newest, questions, purposes)
    return Erasures(acts=found, findings=tuple(findings))


def due_at(question: Question, purposes: Mapping[str, Purpose]) -> datetime | None:
    """Return from when a question's answers may no more be kept; None without its purpose."""
    purpose = purposes.get(question.purpose_digest)
    return None if purpose is None else erased_from(purpose, closed_at=question.report_deadline)


def no_later_than(act: Act, seen: Sequence[Seen]) -> datetime:
    """Return the latest time at which an entry can have come in: its own, or the witnesses'."""
    claimed = utc_time(act.leaf.at)
    after = bisect_right(seen, act.leaf.position, key=lambda each: each.size)
    if after == len(seen):
        return claimed
    return min(claimed, seen[after].first_at.astimezone(UTC) + timedelta(seconds=TOLERANCE_S))


def no_earlier_than(act: Act, seen: Sequence[Seen]) -> datetime:
    """Return the earliest time at which an entry can have come in: its own, or the witnesses'.

    One that is dated back would say that a batch which was kept was not due yet.
    """
    after_s = known_after_s(seen, act.leaf.position) - TOLERANCE_S
    return max(utc_time(act.leaf.at), datetime.fromtimestamp(max(after_s, 0), UTC))


def _overdue(
    kept: Iterable[Act],
    newest: datetime,
    questions: Mapping[str, Question],
    purposes: Mapping[str, Purpose],
) -> Iterator[AuditFinding]:
    for act in kept:
        question = questions.get(act.digest("task_digest"))
        due = None if question is None else due_at(question, purposes)
        if due is not None and due <= newest:
            yield _finding(AuditProblem.ERASED_SELECTIVELY, act.leaf.position)


def _finding(problem: AuditProblem, entry: int) -> AuditFinding:
    detail = "expected whole batches erased, all that were due, none before its time"
    return AuditFinding(problem=problem, detail=detail, entry=entry)
