"""What an audit finds and concludes: problems, where they stand, and the facts beside them.

The sentences for people are in `consents.audit.wording`; whether a problem is a violation or only
says that nothing can be proved is decided here, once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from consents.tlog.checkpoint import Checkpoint
from consents.verify.verification import Verdict


class Subject(StrEnum):
    """The questions that the auditor answers."""

    MONITOR = "monitor"
    COVERAGE = "coverage"
    AFTER_WITHDRAWAL = "after-withdrawal"
    PURPOSES = "purposes"
    BUDGET = "budget"
    LATE = "late"
    PROMISES = "promises"
    RELEASE = "release"
    ANNUAL = "annual"


class AuditProblem(StrEnum):
    """What an audit can find."""

    NO_FILE = "no-file"
    BAD_FILE = "bad-file"
    BAD_WORKSPACE = "bad-workspace"
    BAD_POLICY = "bad-policy"
    KEYS_BESIDE_LOG = "keys-beside-log"
    NO_QUORUM = "no-quorum"
    NO_BODY = "no-body"
    NO_BATCH = "no-batch"
    NO_TASK = "no-task"
    NO_PURPOSE_TEXT = "no-purpose-text"
    NO_NOTICE = "no-notice"
    NO_RELEASE_FILE = "no-release-file"
    NO_TIMES = "no-times"
    BAD_EVIDENCE = "bad-evidence"
    NO_FORMER_LOG = "no-former-log"
    FORGED_CHECKPOINT = "forged-checkpoint"
    LOG = "log"
    FORK = "fork"
    HANDOVER = "handover"
    STRANGER_ACT = "stranger-act"
    BODY_MISMATCH = "body-mismatch"
    BATCH_MISMATCH = "batch-mismatch"
    EPSILON_SUM = "epsilon-sum"
    EPSILON_OF_TASK = "epsilon-of-task"
    FORGED_CONTRIBUTION = "forged-contribution"
    NEVER_CONSENTED = "never-consented"
    NOT_PERMITTED = "not-permitted"
    WITHDRAWN = "withdrawn"
    WRONG_KEY = "wrong-key"
    WRONG_HEAD = "wrong-head"
    WRONG_PURPOSE = "wrong-purpose"
    WRONG_TASK = "wrong-task"
    EXPIRED = "expired"
    FIELDS_EXCEEDED = "fields-exceeded"
    AREA_EXCEEDED = "area-exceeded"
    DUPLICATE = "duplicate"
    OVER_WEEK = "over-week"
    OVER_TOTAL = "over-total"
    EVIDENCE_IGNORED = "evidence-ignored"
    PURPOSE_UNPUBLISHED = "purpose-unpublished"
    PURPOSE_EDITED = "purpose-edited"
    NOTICE_EDITED = "notice-edited"
    LATE = "late"
    PROMISE_BROKEN = "promise-broken"
    PROMISE_LATE = "promise-late"
    RELEASE_CHANGED = "release-changed"
    RELEASE_WITHOUT_BATCH = "release-without-batch"
    RELEASE_TWICE = "release-twice"
    RELEASE_COUNT = "release-count"
    ERASED_EARLY = "erased-early"
    ERASED_SELECTIVELY = "erased-selectively"
    ERASED_UNFOUNDED = "erased-unfounded"

    @property
    def verdict(self) -> Verdict:
        """Tell a violation from what could not be verified at all."""
        return Verdict.CANNOT_VERIFY if self in _INCONCLUSIVE else Verdict.VIOLATION


_INCONCLUSIVE = frozenset(
    {
        AuditProblem.NO_FILE,
        AuditProblem.BAD_FILE,
        AuditProblem.BAD_WORKSPACE,
        AuditProblem.BAD_POLICY,
        AuditProblem.KEYS_BESIDE_LOG,
        AuditProblem.NO_QUORUM,
        AuditProblem.NO_BODY,
        AuditProblem.NO_BATCH,
        AuditProblem.NO_TASK,
        AuditProblem.NO_PURPOSE_TEXT,
        AuditProblem.NO_NOTICE,
        AuditProblem.NO_RELEASE_FILE,
        AuditProblem.NO_TIMES,
        AuditProblem.BAD_EVIDENCE,
        AuditProblem.NO_FORMER_LOG,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """
    One problem: the log entry and the item of its batch that it concerns, where there are any.

    `detail` is for developers; it names no person, and a consent only by its place.
    """

    problem: AuditProblem
    detail: str
    entry: int | None = None
    item: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditResult:
    """
    The answer to one question: findings, and facts (counts by name) that support it.

    `rows` is a table for people who want to look further, with `columns` as its head.
    """

    subject: Subject
    checkpoint: Checkpoint | None = None
    cosigned_at: Mapping[str, datetime] = field(default_factory=dict)
    facts: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[AuditFinding, ...] = ()
    columns: tuple[str, ...] = ()
    rows: Sequence[tuple[str | int, ...]] = ()

    @property
    def verdict(self) -> Verdict:
        """A violation outweighs a doubt, and either outweighs success."""
        return Verdict.worst(finding.problem.verdict for finding in self.findings)
