"""The offline checks of an auditor or a resident: bytes and a trusted key in, a verdict out.

Nothing is believed that comes with the log: the root is recomputed from the entries alone, every
signature and every chain is checked again, and the keys are the caller's. Nothing is read from
disk here (`consents.__main__` does). A log that was rewritten and signed again passes alone; only
an older checkpoint, kept by somebody else, shows it: pass every one that you have.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from consents import merkle
from consents.chain import ConsentState, extend
from consents.checkpoint import (
    Checkpoint,
    NoteKey,
    SignatureType,
    verify_checkpoint,
    verify_cosignature,
)
from consents.erasure import Opening
from consents.errors import (
    ChainError,
    ChainFault,
    ForgedLeaf,
    ForgedNote,
    LeafError,
    LogError,
    MalformedNote,
    NoteError,
    NotOpened,
    ProofError,
    RecordError,
    UntrustedNote,
)
from consents.personal_receipt import PersonalReceipt
from consents.proofs import LogReceipt
from consents.receipt import SignedEvent, read_event
from consents.tlog_proof import HEADER, TlogProof

Observer = Callable[[bytes, SignedEvent | None, ConsentState | None], None]
"""What sees each leaf: its Merkle hash, its event, and where its chain then stands (or None)."""


class Verdict(StrEnum):
    """What a check ends with; the exit codes are 0, 2 and 3."""

    OK = "ok"
    VIOLATION = "violation"
    CANNOT_VERIFY = "cannot-verify"

    @property
    def exit_code(self) -> int:
        """The code by which a shell script tells them apart."""
        return {Verdict.OK: 0, Verdict.VIOLATION: 2, Verdict.CANNOT_VERIFY: 3}[self]


class Problem(StrEnum):
    """What was found; the first six say that nothing could be verified."""

    NO_FILE = "no-file"
    UNREADABLE = "unreadable"
    BAD_KEY = "bad-key"
    MALFORMED = "malformed"
    UNTRUSTED = "untrusted"
    WITNESS_MISSING = "witness-missing"
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
    """

    checkpoint: Checkpoint | None = None
    entries: int = 0
    consents: int = 0
    witnesses: int = 0
    older: int = 0
    event: SignedEvent | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """A violation outweighs a doubt, and either outweighs success."""
        verdicts = {finding.problem.verdict for finding in self.findings}
        if Verdict.VIOLATION in verdicts:
            return Verdict.VIOLATION
        return Verdict.CANNOT_VERIFY if verdicts else Verdict.OK


def verify_signed_checkpoint(
    text: str, *, vkey: str, witness_vkeys: Sequence[str] = ()
) -> Verification:
    """
    Check the log's signature and one cosignature by each of `witness_vkeys`.

    A witness that signs with the log's own key counts for nothing: it is the same party.
    """
    try:
        log_key = NoteKey.parse(vkey)
    except NoteError as error:
        return _stopped(Problem.BAD_KEY, error)
    if log_key.type is not SignatureType.ED25519:
        return _stopped(Problem.BAD_KEY, MalformedNote("expected a log's key, seen a witness's"))
    try:
        checkpoint = verify_checkpoint(text, vkey)
    except NoteError as error:
        return _stopped(_note_problem(error, forged=Problem.FORGED_CHECKPOINT), error)
    findings: list[Finding] = []
    seen = {log_key.public_key}
    for witness_vkey in witness_vkeys:
        findings.extend(_witness_findings(text, witness_vkey, seen))
    return Verification(
        checkpoint=checkpoint,
        witnesses=len(witness_vkeys) - len(findings),
        findings=tuple(findings),
    )


def verify_log(
    entries: Iterable[bytes],
    *,
    checkpoint: str,
    vkey: str,
    older: Sequence[str] = (),
    witness_vkeys: Sequence[str] = (),
    operator_kids: Collection[str] = (),
    steward_kids: Collection[str] = (),
    observe: Observer | None = None,
) -> Verification:
    """
    Check a whole log from its leaves: signatures, chains, root, and every older checkpoint.

    `entries` are all leaves in order; it may raise LogError for one that cannot be read, which
    ends the check. `checkpoint` and `older` are signed notes by `vkey`.
    `operator_kids` are the keys that may log an expiry in a resident's chain, `steward_kids` those
    that may recover one. `observe` sees each leaf as it is read.
    """
    head = verify_signed_checkpoint(checkpoint, vkey=vkey, witness_vkeys=witness_vkeys)
    if head.checkpoint is None:
        return head
    replay = _Replay(
        origin=head.checkpoint.origin,
        operator_kids=operator_kids,
        steward_kids=steward_kids,
        observe=observe,
    )
    findings = (*head.findings, *_replayed(replay, entries, head.checkpoint))
    if all(each.problem is not Problem.UNREADABLE for each in findings):
        findings += tuple(each for text in older for each in _older_findings(replay, text, vkey))
    return Verification(
        checkpoint=head.checkpoint,
        entries=len(replay.hashes),
        consents=len(replay.states),
        witnesses=head.witnesses,
        older=len(older),
        findings=findings,
    )


def verify_receipt(content: bytes, *, vkey: str, witness_vkeys: Sequence[str] = ()) -> Verification:
    """
    Check a receipt file: leaf, inclusion, checkpoint, and each witness's cosignature.

    `content` is a `LogReceipt`, a `.tlog-proof` that carries the leaf as its extra data, or a
    whole `PersonalReceipt`, whose body, purpose and notice are then checked against the leaf.

    It shows that the event was logged, not that it still holds.
    """
    try:
        receipt = _read_receipt(content)
    except NotOpened as error:
        return _stopped(Problem.NOT_OPENED, error)
    except (ProofError, RecordError) as error:
        return _stopped(Problem.MALFORMED, error)
    head = verify_signed_checkpoint(receipt.checkpoint, vkey=vkey, witness_vkeys=witness_vkeys)
    if head.checkpoint is None:
        return head
    event: SignedEvent | None = None
    findings = list(head.findings)
    try:
        event = receipt.verify(vkey)
    except (LeafError, ProofError, LogError) as error:
        findings.append(
            Finding(problem=_receipt_problem(error), detail=str(error), index=receipt.index)
        )
    return Verification(
        checkpoint=head.checkpoint,
        entries=1,
        witnesses=head.witnesses,
        event=event,
        findings=tuple(findings),
    )


def verify_opening(content: bytes) -> Verification:
    """
    Check a file that shows a leaf with the body and key of its commitment.

    It shows what the signer of the leaf meant; that the leaf was logged is another question.
    """
    try:
        opening = Opening.parse(content)
    except NotOpened as error:
        return _stopped(Problem.NOT_OPENED, error)
    except RecordError as error:
        return _stopped(Problem.MALFORMED, error)
    return Verification(entries=1, event=opening.event)


_INCONCLUSIVE = frozenset(
    {
        Problem.NO_FILE,
        Problem.UNREADABLE,
        Problem.BAD_KEY,
        Problem.MALFORMED,
        Problem.UNTRUSTED,
        Problem.WITNESS_MISSING,
    }
)


@dataclass(slots=True, kw_only=True)
class _Replay:
    """The log read from its first leaf: hashes, where each chain stands, and what is wrong."""

    origin: str
    operator_kids: Collection[str]
    steward_kids: Collection[str]
    observe: Observer | None
    hashes: list[bytes] = field(default_factory=list)
    states: dict[str, ConsentState] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def take(self, leaf: bytes) -> None:
        """Read the next leaf; a bad one still counts in the tree, as its bytes stand there."""
        index = len(self.hashes)
        self.hashes.append(merkle.leaf_hash(leaf))
        event = self._event(leaf, index)
        state = None if event is None else self._extended(event, index)
        if self.observe is not None:
            self.observe(self.hashes[-1], event, state)

    def _event(self, leaf: bytes, index: int) -> SignedEvent | None:
        try:
            return read_event(leaf)
        except LeafError as error:
            forged = isinstance(error, ForgedLeaf)
            self.find(Problem.FORGED_ENTRY if forged else Problem.MALFORMED_ENTRY, error, index)
            return None

    def _extended(self, event: SignedEvent, index: int) -> ConsentState | None:
        cid = event.payload.cid
        try:
            state = extend(
                self.states.get(cid),
                event,
                log_origin=self.origin,
                operator_kids=self.operator_kids,
                steward_kids=self.steward_kids,
            )
        except ChainError as error:
            stranger = error.fault is ChainFault.ORIGIN
            self.find(Problem.OTHER_LOG if stranger else Problem.BROKEN_CHAIN, error, index)
            return None
        self.states[cid] = state
        return state

    def find(self, problem: Problem, error: Exception, index: int) -> None:
        """Note what is wrong with the entry at `index`."""
        self.findings.append(Finding(problem=problem, detail=str(error), index=index))


_PERSONAL = b'{"log_receipt":'
"""How the canonical bytes of a personal receipt begin."""


def _read_receipt(content: bytes) -> LogReceipt:
    if content.startswith(_PERSONAL):
        kept = PersonalReceipt.parse(content)
        if kept.log_receipt is None:
            raise ProofError("expected a receipt of an event that was logged")
        return kept.log_receipt
    if not content.startswith(HEADER.encode()):
        return LogReceipt.parse(content)
    try:
        return TlogProof.parse(content.decode("utf-8")).receipt()
    except UnicodeDecodeError as error:
        raise ProofError("expected a proof in UTF-8") from error


def _replayed(replay: _Replay, entries: Iterable[bytes], checkpoint: Checkpoint) -> list[Finding]:
    """Read every entry; return what is wrong with the tree, then with single entries."""
    try:
        for leaf in entries:
            replay.take(leaf)
    except LogError as error:
        replay.find(Problem.UNREADABLE, error, len(replay.hashes))
        return replay.findings
    return _tree_findings(replay, checkpoint) + replay.findings


def _tree_findings(replay: _Replay, checkpoint: Checkpoint) -> list[Finding]:
    if len(replay.hashes) != checkpoint.size:
        detail = f"expected {checkpoint.size} entries, seen {len(replay.hashes)}"
        return [Finding(problem=Problem.ENTRY_COUNT, detail=detail)]
    if merkle.root(replay.hashes) != checkpoint.root:
        detail = "expected the signed root, recomputed another from the entries"
        return [Finding(problem=Problem.ROOT, detail=detail)]
    return []


def _older_findings(replay: _Replay, text: str, vkey: str) -> list[Finding]:
    try:
        older = verify_checkpoint(text, vkey)
    except NoteError as error:
        problem = _note_problem(error, forged=Problem.FORGED_CHECKPOINT)
        return [Finding(problem=problem, detail=f"older checkpoint: {error}")]
    prefix = replay.hashes[: older.size]
    if len(prefix) < older.size or merkle.root(prefix) != older.root:
        detail = f"expected the first {older.size} entries to be those of the older checkpoint"
        return [Finding(problem=Problem.REWRITTEN, detail=detail)]
    return []


def _witness_findings(text: str, vkey: str, seen: set[bytes]) -> list[Finding]:
    """Return what is wrong with one witness; `seen` collects the parties already counted."""
    try:
        key = NoteKey.parse(vkey)
    except NoteError as error:
        return [Finding(problem=Problem.BAD_KEY, detail=str(error))]
    if key.type is not SignatureType.COSIGNATURE:
        detail = "expected a witness's key, seen a log's"
        return [Finding(problem=Problem.BAD_KEY, detail=detail)]
    if key.public_key in seen:
        detail = "expected a witness with a key of its own, seen the log's or another witness's"
        return [Finding(problem=Problem.WITNESS_MISSING, detail=detail)]
    seen.add(key.public_key)
    try:
        verify_cosignature(text, vkey)
    except UntrustedNote as error:
        return [Finding(problem=Problem.WITNESS_MISSING, detail=str(error))]
    except NoteError as error:
        problem = _note_problem(error, forged=Problem.FORGED_COSIGNATURE)
        return [Finding(problem=problem, detail=str(error))]
    return []


def _note_problem(error: NoteError, *, forged: Problem) -> Problem:
    if isinstance(error, ForgedNote):
        return forged
    return Problem.MALFORMED if isinstance(error, MalformedNote) else Problem.UNTRUSTED


def _receipt_problem(error: Exception) -> Problem:
    if isinstance(error, ProofError):
        return Problem.NOT_INCLUDED
    if isinstance(error, LogError):
        return Problem.OTHER_LOG
    return Problem.FORGED_ENTRY if isinstance(error, ForgedLeaf) else Problem.MALFORMED_ENTRY


def _stopped(problem: Problem, error: Exception) -> Verification:
    return Verification(findings=(Finding(problem=problem, detail=str(error)),))
