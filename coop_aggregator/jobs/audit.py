"""The stewards' audit: every question to the export that they were handed, kept for their pages.

Whose word counts comes from this installation, never from the export: the log's key pinned at
`init`, the stewards' own cosigning key, the checkpoints that they cosigned (a fork shows) and the
slips that they gave (a broken word shows). The report holds counts, places in the log and public
texts; nothing of a resident. It decides nothing: `consents.audit` does.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from consents.audit.budget import audit_budget
from consents.audit.case import Case
from consents.audit.coverage import audit_coverage
from consents.audit.evidence import Held
from consents.audit.files import Export, Workspace
from consents.audit.findings import AuditFinding, AuditResult, Subject
from consents.audit.monitor import monitor
from consents.audit.opening import Refused, open_case
from consents.audit.promises import audit_promises
from consents.audit.purposes import audit_purposes
from consents.audit.releases import audit_release
from consents.audit.timeline import Timeline
from consents.audit.times import audit_late
from consents.audit.withdrawal import audit_after_withdrawal
from consents.jws import thumbprint
from consents.records.receipt import EventType
from consents.tlog.promise import read_slip
from consents.verify.verification import Verdict
from contributions.weeks import TIME_ZONE_NAME
from coop_aggregator.db.slips import (
    NumberedSlip,
    forget_given,
    given_before,
    slips_after,
)
from coop_aggregator.db.witnessed import recent_witnessed
from coop_aggregator.installation import Helper
from coop_aggregator.tlog.audit_report import (
    Answered,
    AuditReport,
    DayCount,
    PublishedPurpose,
    forget_report,
    own_policy,
    write_report,
)

MAX_KEPT_NOTES = 100_000
STRANGERS_KEPT = timedelta(days=400)
"""How long a slip of a consent that no log holds is kept: no consent lasts longer than a year."""

SLIPS_AT_ONCE = 1_000
"""Slips read in one go: all of them count, however many strangers left theirs before."""


def run_once(helper: Helper, export: Path) -> AuditReport:
    """Audit an export folder, keep the report for the pages, and return it."""
    with Workspace(folder=helper.audits).alone():
        return _audited(helper, export)


def _audited(helper: Helper, export: Path) -> AuditReport:
    with helper.database.read() as connection:
        notes = [entry.note for entry in recent_witnessed(connection, count=MAX_KEPT_NOTES)]
    # Should this audit end in no answer, the last one's must not be taken for it.
    forget_report(helper.audits)
    opened = open_case(
        Export(folder=export),
        own_policy(helper),
        older=notes,
        evidence=_given(helper),
        workspace=Workspace(folder=helper.audits),
    )
    now = helper.clock.now()
    if isinstance(opened, Refused):
        report = _refused(opened, now)
    else:
        report = _answered(opened, now)
        if not opened.problems:
            _forget_strangers(helper, opened.timeline, now)
    write_report(helper.audits, report)
    return report


def _given(helper: Helper) -> Iterator[Held]:
    """Yield every slip that we gave, whatever their number, without holding more than some."""
    after = 0
    while True:
        with helper.database.read() as connection:
            page = slips_after(connection, after=after, limit=SLIPS_AT_ONCE)
        if not page:
            return
        for each in page:
            yield Held(token=each.slip)
        after = page[-1].sequence


def _forget_strangers(helper: Helper, timeline: Timeline, now: datetime) -> None:
    """Delete old slips of consents that are in none of the logs: anybody may leave any number."""
    known: set[bytes] = set()
    after = 0
    while True:
        with helper.database.read() as connection:
            page = given_before(connection, now - STRANGERS_KEPT, after=after, limit=SLIPS_AT_ONCE)
        if not page:
            return
        known = known or {row[0] for row in timeline.rows()}
        with helper.database.write() as connection:
            strange = [each.sequence for each in page if _cid(helper, each) not in known]
            forget_given(connection, strange)
        after = page[-1].sequence


def _cid(helper: Helper, slip: NumberedSlip) -> bytes:
    ours = thumbprint(helper.key.public_key())
    return bytes.fromhex(read_slip(slip.slip, kid=ours).event.payload.cid)


def _refused(refused: Refused, now: datetime) -> AuditReport:
    checkpoint = None if refused.attested is None else refused.attested.checkpoint
    found = AuditResult(subject=Subject.MONITOR, checkpoint=checkpoint, findings=refused.findings)
    return AuditReport(
        audited_at=now,
        size=None if checkpoint is None else checkpoint.size,
        root=None if checkpoint is None else checkpoint.root.hex(),
        answers=(_answer(found),),
        days=(),
        purposes=(),
        readable=False,
    )


def _answered(case: Case, now: datetime) -> AuditReport:
    results = [
        monitor(case, since=0),
        audit_coverage(case),
        audit_after_withdrawal(case),
        audit_purposes(case),
        audit_budget(case),
        audit_late(case),
        audit_promises(case, now=now),
        audit_release(case),
    ]
    return AuditReport(
        audited_at=now,
        size=case.attested.checkpoint.size,
        root=case.attested.checkpoint.root.hex(),
        answers=tuple(_answer(each) for each in results),
        days=tuple(_days(case)),
        purposes=tuple(_purposes(case)),
        readable=True,
    )


def _answer(result: AuditResult) -> Answered:
    worst: Sequence[AuditFinding] = sorted(
        result.findings, key=lambda each: each.problem.verdict is not Verdict.VIOLATION
    )
    return Answered.of(result.subject, result.verdict, worst)


def _days(case: Case) -> list[DayCount]:
    counts: Counter[tuple[str, EventType]] = Counter()
    zone = ZoneInfo(TIME_ZONE_NAME)
    for step in case.timeline.steps():
        if step.kind is not None:
            day = datetime.fromtimestamp(step.at_s, UTC).astimezone(zone).date().isoformat()
            counts[day, step.kind] += 1
    return [
        DayCount(day=day, kind=kind, count=count) for (day, kind), count in sorted(counts.items())
    ]


def _purposes(case: Case) -> list[PublishedPurpose]:
    first: dict[str, int] = {}
    for act in case.acts_of(EventType.PURPOSE_PUBLISHED):
        first.setdefault(act.leaf.pd, act.leaf.position)
    return [
        PublishedPurpose(entry=entry, purpose=case.purposes[digest])
        for digest, entry in first.items()
        if digest in case.purposes
    ]
