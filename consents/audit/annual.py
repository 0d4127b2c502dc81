"""The yearly record of a data intermediary: what was asked, agreed to, used and published.

It counts from the log and the operator's opened entries, for one calendar year (UTC), and names
the privacy techniques of each question. Counts are of the whole territory: withdrawals by small
area would tell of people. Revenue, cost and staff are not in a log: the operator adds them.
Source: Regulation (EU) 2022/868, articles 12(o), 20 and 25 (their numbering may move to the Data
Act; see docs/consents.md).
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from consents.audit.case import Batch, Case, ErasedBatch
from consents.audit.findings import AuditFinding, AuditProblem, AuditResult, Subject
from consents.records.receipt import EventType


def annual_report(case: Case, *, year: int) -> AuditResult:
    """Return the counts of the events and batches of a year."""
    start_s = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    end_s = int(datetime(year + 1, 1, 1, tzinfo=UTC).timestamp())
    kinds: Counter[str] = Counter()
    months: Counter[tuple[int, str]] = Counter()
    consents: set[bytes] = set()
    for step in case.timeline.steps():
        if step.kind is not None and start_s <= step.at_s < end_s:
            kinds[step.kind.value] += 1
            months[datetime.fromtimestamp(step.at_s, UTC).month, step.kind.value] += 1
            if step.kind.of_consent:
                consents.add(step.cid)
    whole: tuple[Batch | ErasedBatch, ...] = (*case.batches, *case.erased)
    batches = [each for each in whole if each.act.leaf.at.startswith(f"{year:04d}-")]
    facts = {"year": year, "consents": len(consents), "batches": len(batches)}
    facts["items"] = sum(batch.item_count for batch in batches)
    facts["epsilon_sum_micro"] = sum(batch.epsilon_sum_micro for batch in batches)
    facts |= {kind.value: kinds[kind.value] for kind in EventType if kinds[kind.value]}
    rows: list[tuple[str | int, ...]] = [
        (f"{year:04d}-{month:02d}", kind, count, "", "", "")
        for (month, kind), count in sorted(months.items())
    ]
    rows += [_asked(case, batch) for batch in batches]
    return AuditResult(
        subject=Subject.ANNUAL,
        checkpoint=case.attested.checkpoint,
        cosigned_at=case.attested.cosigned_at,
        facts=facts,
        findings=(*case.problems, *_untold(case, batches)),
        columns=("period", "what", "count", "data_user", "contact", "epsilon_micro"),
        rows=rows,
    )


def _asked(case: Case, batch: Batch | ErasedBatch) -> tuple[str | int, ...]:
    purpose = case.purposes.get(batch.question.purpose_digest)
    return (
        batch.question.week,
        batch.question.purpose_digest if purpose is None else purpose.title_fr,
        batch.item_count,
        "" if purpose is None else purpose.controller_name,
        "" if purpose is None else purpose.controller_contact,
        batch.question.epsilon_micro,
    )


def _untold(case: Case, batches: Sequence[Batch | ErasedBatch]) -> list[AuditFinding]:
    """Report the batches whose data user cannot be named: article 20 asks for them."""
    return [
        AuditFinding(
            problem=AuditProblem.NO_PURPOSE_TEXT,
            detail="expected the text of a purpose, to name the data user",
            entry=batch.position,
        )
        for batch in batches
        if batch.question.purpose_digest not in case.purposes
    ]
