"""What an audit works on: the verified timeline, and the files that open what it commits to.

Everything here was read from files by `consents.audit.files`; nothing here reads any. An act is the
operator's entry together with the body that opens its commitment, so that no check can look at a
body that the log does not hold.
"""

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from consents.audit.contribution import MAX_EPSILON_MICRO, Contribution
from consents.audit.findings import AuditFinding, AuditProblem
from consents.audit.timeline import ActLeaf, Timeline
from consents.canonical import commitment, parse_json, sha256_hex, utc_time
from consents.errors import CanonicalError, ConsentsError, ExportError
from consents.records.erasure import Opening
from consents.records.receipt import ConsentBody, EventType, Purpose, SignedEvent
from consents.tlog.policy import Attested
from consents.tlog.promise import DropboxSlip, Promise

_HEX_32_BYTES = re.compile(r"[0-9a-f]{64}")
_WEEK = re.compile(r"[0-9]{4}-W[0-5][0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedBody:
    """A line of `operator.jsonl` or `bodies.jsonl`: an entry's body and its commitment key."""

    position: int
    body: Mapping[str, object]
    key: bytes = field(repr=False)

    @classmethod
    def parse(cls, line: bytes, *, start: int = 0) -> "OpenedBody":
        """
        Read a line `{"body", "commitment_key", "position"}`; raise ExportError.

        `start` is where the log begins that the position is of.
        """
        try:
            value = parse_json(line)
            if not isinstance(value, dict) or set(value) != {"body", "commitment_key", "position"}:
                raise ExportError("expected exactly body, commitment_key and position")
            body = parse_json(str(value["body"]).encode())
            key = bytes.fromhex(str(value["commitment_key"]))
        except (CanonicalError, ValueError) as error:
            raise ExportError("expected a body as JSON text and its key in hex") from error
        position = value["position"]
        if (
            not isinstance(position, int)
            or isinstance(position, bool)
            or not isinstance(body, dict)
        ):
            raise ExportError("expected an entry's position and a JSON object as its body")
        return cls(position=start + position, body=body, key=key)

    def opens(self, c: str) -> bool:
        """Tell whether this body and key give the commitment `c`."""
        try:
            return hmac.compare_digest(commitment(key=self.key, body=self.body), c)
        except CanonicalError:
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An operator's entry whose body opens its commitment."""

    leaf: ActLeaf
    body: Mapping[str, object]

    def digest(self, name: str) -> str:
        """Return a member that is a SHA-256 in hex; raise ExportError otherwise."""
        value = self.body.get(name)
        if not isinstance(value, str) or _HEX_32_BYTES.fullmatch(value) is None:
            raise ExportError(f"expected {name} as 64 hexadecimal digits in the operator's body")
        return value

    def text(self, name: str) -> str:
        """Return a member that is a text, "" for anything else: an operator signs what it likes."""
        value = self.body.get(name)
        return value if isinstance(value, str) else ""

    def count(self, name: str) -> int:
        """Return a member that is an integer of 0 or more; raise ExportError otherwise."""
        value = self.body.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ExportError(f"expected {name} as a number in the operator's body")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an auditor needs of a task: its digest, week, purpose, privacy loss, and when it closes.

    `report_deadline` is aware UTC.
    """

    digest: str
    week: str
    purpose_digest: str
    epsilon_micro: int
    report_deadline: datetime

    @classmethod
    def parse(cls, content: bytes) -> "Question":
        """Read a task's exact bytes; raise ExportError."""
        try:
            value = parse_json(content)
        except CanonicalError as error:
            raise ExportError("expected a task as JSON") from error
        members = value if isinstance(value, dict) else {}
        week, purpose = members.get("week"), members.get("purpose_digest")
        epsilon_micro = members.get("epsilon_micro")
        if (
            not isinstance(week, str)
            or _WEEK.fullmatch(week) is None
            or not isinstance(purpose, str)
            or _HEX_32_BYTES.fullmatch(purpose) is None
            or not isinstance(epsilon_micro, int)
            or isinstance(epsilon_micro, bool)
            or not 0 < epsilon_micro <= MAX_EPSILON_MICRO
        ):
            raise ExportError("expected a task with week, purpose_digest and epsilon_micro")
        try:
            report_deadline = utc_time(str(members.get("report_deadline")))
        except CanonicalError as error:
            raise ExportError("expected a task with report_deadline as a time in UTC") from error
        return cls(
            digest=sha256_hex(content),
            week=week,
            purpose_digest=purpose,
            epsilon_micro=epsilon_micro,
            report_deadline=report_deadline,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedBatch:
    """A batch whose contributions are gone, lawfully: what the log still commits to.

    `item_count` is how many there were, `epsilon_sum_micro` what they spent together, as declared.
    """

    act: Act
    question: Question
    item_count: int
    epsilon_sum_micro: int

    @classmethod
    def of(cls, act: Act, question: Question) -> "ErasedBatch":
        """Read what the log commits to; raise ExportError where the operator signed no number."""
        return cls(
            act=act,
            question=question,
            item_count=act.count("report_count"),
            epsilon_sum_micro=act.count("epsilon_sum_micro"),
        )

    @property
    def position(self) -> int:
        """Where the log committed to it."""
        return self.act.leaf.position


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A committed batch: its act, its question, and its items in rank order."""

    act: Act
    question: Question
    items: Sequence[Contribution]

    @property
    def position(self) -> int:
        """Where the log committed to it: what happened before that, it had to honour."""
        return self.act.leaf.position

    @property
    def item_count(self) -> int:
        """How many contributions it has."""
        return len(self.items)

    @property
    def epsilon_sum_micro(self) -> int:
        """What they spend together."""
        return sum(item.epsilon_micro for item in self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """That a checkpoint of `size` entries was cosigned, first and last at these times (UTC)."""

    size: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """
    Everything that the checks look at.

    `attested` is the newest log's checkpoint; positions and sizes count from the oldest log's
    first entry. `purpose_texts` and `notice_texts` are the digests of the texts that were handed
    over; `seen` holds the cosigned checkpoints by size; `promises` (with `promised_events`, where
    their holders gave the leaves) and `slips` the evidence that residents and stewards kept,
    `strangers` the number of slips that no key of these logs signed; `bodies` the clear bodies by
    head of their entry, where handed over; `withheld` the entries of batches that stay closed and
    of which nothing was published; `erased` the batches whose contributions are gone at the end of
    their days; `problems` what was already wrong while reading.
    """

    attested: Attested
    timeline: Timeline
    acts: tuple[Act, ...] = ()
    batches: tuple[Batch, ...] = ()
    purposes: Mapping[str, Purpose] = field(default_factory=dict)
    purpose_texts: tuple[str, ...] = ()
    notice_texts: tuple[str, ...] = ()
    questions: Mapping[str, Question] = field(default_factory=dict)
    releases: Mapping[int, bytes] = field(default_factory=dict)
    seen: tuple[Seen, ...] = ()
    promises: tuple[Promise, ...] = ()
    promised_events: tuple[SignedEvent, ...] = ()
    slips: tuple[DropboxSlip, ...] = ()
    strangers: int = 0
    bodies: Mapping[bytes, ConsentBody] = field(default_factory=dict)
    withheld: frozenset[int] = frozenset()
    erased: tuple[ErasedBatch, ...] = ()
    problems: tuple[AuditFinding, ...] = ()

    def acts_of(self, kind: EventType) -> tuple[Act, ...]:
        """Return the operator's acts of one kind, in log order."""
        return tuple(act for act in self.acts if act.leaf.kind is kind)

    @property
    def erased_counts(self) -> Mapping[str, int]:
        """How many batches were erased lawfully, and how many contributions of theirs are gone."""
        return {
            "erased": len(self.erased),
            "erased_items": sum(each.item_count for each in self.erased),
        }


def open_acts(
    leaves: Iterable[ActLeaf], bodies: Iterable[OpenedBody], *, operator_kid: str
) -> tuple[list[Act], list[AuditFinding]]:
    """
    Match the operator's entries with the bodies that open them; report each that does not.

    The leaves that join two years' logs commit to public values and were checked with the logs.
    Raises ExportError for two bodies of one entry: which of them is believed must not depend on
    their order.
    """
    by_position: dict[int, OpenedBody] = {}
    for each in bodies:
        if by_position.setdefault(each.position, each) is not each:
            raise ExportError("expected one body for an entry, seen two")
    acts: list[Act] = []
    findings: list[AuditFinding] = []
    for leaf in leaves:
        opened = by_position.pop(leaf.position, None)
        if leaf.kind.of_shards and leaf.kid == operator_kid:
            continue
        if leaf.kid != operator_kid:
            detail = "expected the operator's key on an operator's entry"
            problem = AuditProblem.STRANGER_ACT
        elif opened is None:
            detail = "expected the body of an operator's entry"
            problem = AuditProblem.NO_BODY
        elif not opened.opens(leaf.c):
            detail = "expected a body that opens the entry's commitment"
            problem = AuditProblem.BODY_MISMATCH
        else:
            acts.append(Act(leaf=leaf, body=opened.body))
            continue
        findings.append(AuditFinding(problem=problem, detail=detail, entry=leaf.position))
    if by_position:
        detail = "expected bodies of the operator's entries, seen one of another place"
        findings.append(AuditFinding(problem=AuditProblem.BAD_FILE, detail=detail))
    return acts, findings


def open_body(line: bytes) -> tuple[bytes, ConsentBody]:
    """
    Read a line `{"body", "commitment_key", "leaf"}` that somebody chose to show to the auditor.

    Returns the head (SHA-256 of the leaf) and the clear body that opens the leaf's commitment.
    Raises ExportError when it does not.
    """
    try:
        opening = Opening.parse(line)
    except ConsentsError as error:
        raise ExportError("expected a body that opens its leaf's commitment") from error
    return bytes.fromhex(opening.event.head), opening.body
