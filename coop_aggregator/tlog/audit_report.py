"""What the stewards' last audit found, as one file beside what it verified: written and read back.

Counts, places in the log and public texts only. A missing file means that nothing was audited yet;
a damaged one is told as such and never taken for "all is well".
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from consents.audit.files import Workspace
from consents.audit.findings import AuditFinding, AuditProblem, Subject
from consents.audit.kept import Kept, kept_file
from consents.audit.logs import trusted_keys
from consents.audit.timeline import Timeline
from consents.canonical import utc_text, utc_time
from consents.errors import ConsentsError
from consents.records.receipt import EventType, Purpose
from consents.tlog.policy import WitnessPolicy, policy_text
from consents.verify.verification import Verdict
from coop_aggregator.db.shards import load_shards
from coop_aggregator.errors import AggregatorError
from coop_aggregator.installation import Helper

REPORT_FILE = "report.json"
MAX_FINDINGS = 40
"""Findings kept for each question, violations first; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One question of the auditor and its answer; `count` counts the findings, kept or not."""

    subject: Subject
    verdict: Verdict
    findings: tuple[AuditFinding, ...]
    count: int

    @classmethod
    def of(cls, subject: Subject, verdict: Verdict, found: Sequence[AuditFinding]) -> "Answered":
        """Keep the first MAX_FINDINGS findings."""
        kept = tuple(found[:MAX_FINDINGS])
        return cls(subject=subject, verdict=verdict, findings=kept, count=len(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCount:
    """How many entries of a kind claim a calendar day (ISO, Europe/Paris)."""

    day: str
    kind: EventType
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPurpose:
    """A purpose, and the entry that published it."""

    entry: int
    purpose: Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """The answers of one audit; `readable` is False when the export gave no case at all."""

    audited_at: datetime
    size: int | None
    root: str | None
    answers: tuple[Answered, ...]
    days: tuple[DayCount, ...]
    purposes: tuple[PublishedPurpose, ...]
    readable: bool

    @property
    def verdict(self) -> Verdict:
        """Return the worst answer."""
        return Verdict.worst(each.verdict for each in self.answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundEntry:
    """An entry of a consent: its position, its kind and the second (since 1970) that it claims."""

    entry: int
    kind: EventType
    at_s: int


def write_report(folder: Path, report: AuditReport) -> None:
    """Keep the report in place of the last one, whole or not at all."""
    document = {
        "audited_at": utc_text(report.audited_at),
        "size": report.size,
        "root": report.root,
        "readable": report.readable,
        "answers": [
            {
                "subject": each.subject.value,
                "verdict": each.verdict.value,
                "count": each.count,
                "findings": [[one.problem.value, one.entry, one.item] for one in each.findings],
            }
            for each in report.answers
        ],
        "days": [[each.day, each.kind.value, each.count] for each in report.days],
        "purposes": [[each.entry, each.purpose.to_bytes().decode()] for each in report.purposes],
    }
    Workspace(folder=folder).write(REPORT_FILE, json.dumps(document).encode())


def forget_report(folder: Path) -> None:
    """Remove the last report, if there is one."""
    (folder / REPORT_FILE).unlink(missing_ok=True)


def read_report(folder: Path) -> AuditReport | None:
    """Return the last report, None before the first audit. Raises AggregatorError if damaged."""
    content = Workspace(folder=folder).read(REPORT_FILE)
    if content is None:
        return None
    try:
        return _parse(json.loads(content))
    except (ValueError, KeyError, TypeError, ConsentsError) as error:
        raise _damaged() from error


def own_policy(helper: Helper) -> WitnessPolicy:
    """Return whose word counts here: the logs that are followed, and these stewards.

    Their cosignature alone makes the quorum; the other stewards only replace lost keys.
    """
    return WitnessPolicy.parse(own_policy_text(helper).encode())


def own_policy_text(helper: Helper) -> str:
    """Return the same as a C2SP policy."""
    *former, newest = followed_logs(helper)
    own = policy_text(log_vkey=newest, witness_vkeys=[helper.who.own_vkey], former_vkeys=former)
    others = (f"witness fellow-{each} {vkey}\n" for each, vkey in enumerate(helper.fellows, 1))
    return own + "".join(others)


def entries_of(helper: Helper, report: AuditReport, *, cid: str) -> list[FoundEntry]:
    """Return the entries of a consent id (32 hex digits) in the log that was audited, in order.

    Raises AggregatorError when what the audit kept is damaged.
    """
    if report.root is None:
        return []
    timeline = _kept_timeline(helper, root=bytes.fromhex(report.root))
    if timeline is None:
        return []
    asked = bytes.fromhex(cid)
    return [
        FoundEntry(entry=entry, kind=step.kind, at_s=step.at_s)
        for entry, step in enumerate(timeline.steps())
        if step.cid == asked and step.kind is not None
    ]


def _kept_timeline(helper: Helper, *, root: bytes) -> Timeline | None:
    """Return what the last audit verified, None where it is of another root than its report."""
    policy, vkeys = own_policy(helper), followed_logs(helper)
    content = Workspace(folder=helper.audits).read(kept_file(trusted_keys(policy, vkeys)))
    if content is None:
        return None
    try:
        kept = Kept.parse(content, policy=policy)
    except ConsentsError as error:
        raise _damaged() from error
    return None if kept is None or kept.timeline.checkpoint.root != root else kept.timeline


def followed_logs(helper: Helper) -> tuple[str, ...]:
    """Return the verifier keys of the logs that are followed, one for each year, oldest first."""
    with helper.database.read() as connection:
        return load_shards(connection).vkeys


def _damaged() -> AggregatorError:
    return AggregatorError(
        fr="Le rapport d'audit gardé est abîmé. Attendu : celui du dernier audit. Relancez "
        "« coop-aggregator audit ».",
        en="The kept audit report is damaged. Expected: the last audit's. Run "
        "'coop-aggregator audit' again.",
    )


def _parse(document: Mapping[str, Any]) -> AuditReport:
    return AuditReport(
        audited_at=utc_time(document["audited_at"]),
        size=document["size"],
        root=document["root"],
        readable=document["readable"],
        answers=tuple(
            Answered(
                subject=Subject(each["subject"]),
                verdict=Verdict(each["verdict"]),
                count=each["count"],
                findings=tuple(
                    AuditFinding(problem=AuditProblem(problem), detail="", entry=entry, item=item)
                    for problem, entry, item in each["findings"]
                ),
            )
            for each in document["answers"]
        ),
        days=tuple(
            DayCount(day=day, kind=EventType(kind), count=count)
            for day, kind, count in document["days"]
        ),
        purposes=tuple(
            PublishedPurpose(entry=entry, purpose=Purpose.parse(text.encode()))
            for entry, text in document["purposes"]
        ),
    )
