"""What a check ends with: a verdict, and the problems that led to it. Values only.

The checks are `consents.verify.verification`, the sentences `consents.verify.wording`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from consents.errors import ForgedNote, MalformedNote, NoteError
from consents.records.receipt import SignedEvent
from consents.tlog.checkpoint import Checkpoint


class Verdict(StrEnum):
    """What a check ends with; the exit codes are 0, 2 and 3."""

    OK = "ok"
    VIOLATION = "violation"
    CANNOT_VERIFY = "cannot-verify"

    @classmethod
    def worst(cls, verdicts: Iterable["Verdict"]) -> "Verdict":
        """Return what several come to: a violation outweighs a doubt, either outweighs success."""
        found = set(verdicts)
        return next((each for each in (cls.VIOLATION, cls.CANNOT_VERIFY) if each in found), cls.OK)

    @property
    def exit_code(self) -> int:
        """The code by which a shell script tells them apart."""
        return {Verdict.OK: 0, Verdict.VIOLATION: 2, Verdict.CANNOT_VERIFY: 3}[self]


class Problem(StrEnum):
    """What was found; some of it says only that nothing could be verified."""

    NO_FILE = "no-file"
    UNREADABLE = "unreadable"
    BAD_KEY = "bad-key"
    MALFORMED = "malformed"
    UNTRUSTED = "untrusted"
    WITNESS_MISSING = "witness-missing"
    NO_FORMER_LOG = "no-former-log"
    KEY_COUNT = "key-count"
    FORGED_CHECKPOINT = "forged-checkpoint"
    FORGED_COSIGNATURE = "forged-cosignature"
    ENTRY_COUNT = "entry-count"
    ROOT = "root"
    MALFORMED_ENTRY = "malformed-entry"
    FORGED_ENTRY = "forged-entry"
    OTHER_LOG = "other-log"
    BROKEN_CHAIN = "broken-chain"
    REWRITTEN = "rewritten"
    NOT_INCLUDED = "not-included"
    NOT_OPENED = "not-opened"
    HANDOVER = "handover"

    @property
    def verdict(self) -> Verdict:
        """Tell a violation from what could not be verified at all."""
        return Verdict.CANNOT_VERIFY if self in _INCONCLUSIVE else Verdict.VIOLATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem: the entry it concerns, where there is one, and a sentence for developers."""

    problem: Problem
    detail: str
    index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """
    What was checked and found.

    `entries` and `consents` count what was read; `witnesses` and `older` what was compared.
    `vkeys` are the keys of the logs that were read, oldest first, each handed over to the next.
    """

    checkpoint: Checkpoint | None = None
    vkeys: tuple[str, ...] = ()
    entries: int = 0
    consents: int = 0
    witnesses: int = 0
    older: int = 0
    event: SignedEvent | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """A violation outweighs a doubt, and either outweighs success."""
        return Verdict.worst(finding.problem.verdict for finding in self.findings)


def note_problem(error: NoteError, *, forged: Problem) -> Problem:
    """Return what a note that failed comes to: forged, malformed, or only not signed as asked."""
    if isinstance(error, ForgedNote):
        return forged
    return Problem.MALFORMED if isinstance(error, MalformedNote) else Problem.UNTRUSTED


_INCONCLUSIVE = frozenset(
    {
        Problem.NO_FILE,
        Problem.UNREADABLE,
        Problem.BAD_KEY,
        Problem.MALFORMED,
        Problem.UNTRUSTED,
        Problem.WITNESS_MISSING,
        Problem.NO_FORMER_LOG,
        Problem.KEY_COUNT,
    }
)
