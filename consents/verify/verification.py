"""The offline checks of an auditor or a resident: bytes and a trusted key in, a verdict out.

Nothing is believed that comes with the log: the root is recomputed from the entries alone, every
signature and every chain is checked again, and the keys are the caller's. Nothing is read from
disk here (`consents.__main__` does). A log that was rewritten and signed again passes alone; only
an older checkpoint, kept by somebody else, shows it: pass every one that you have.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from consents.errors import (
    ForgedLeaf,
    LeafError,
    LogError,
    MalformedNote,
    NoteError,
    NotOpened,
    ProofError,
    RecordError,
    UntrustedNote,
)
from consents.receipts.personal_receipt import PersonalReceipt
from consents.records.erasure import Opening
from consents.records.receipt import SignedEvent
from consents.tlog import merkle
from consents.tlog.checkpoint import (
    NoteKey,
    SignatureType,
    read_checkpoint,
    verify_checkpoint,
    verify_cosignature,
)
from consents.tlog.proofs import LogReceipt
from consents.tlog.tlog_proof import HEADER, TlogProof
from consents.verify.replay import Known, Observer, Replay
from consents.verify.verdicts import Finding, Problem, Verdict, Verification, note_problem

__all__ = [
    "Finding",
    "LogFiles",
    "Problem",
    "Verdict",
    "Verification",
    "verify_log",
    "verify_opening",
    "verify_receipt",
    "verify_signed_checkpoint",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFiles:
    """One whole log as it was handed over: all leaves in order, its signed note, its trusted key.

    `entries` may raise LogError for a leaf that cannot be read, which ends the check; a log that
    grew is read twice (`consents.audit.grown`).
    """

    entries: Iterable[bytes]
    checkpoint: str
    vkey: str


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
        return _stopped(note_problem(error, forged=Problem.FORGED_CHECKPOINT), error)
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
    log: LogFiles,
    *,
    former: Sequence[LogFiles] = (),
    older: Sequence[str] = (),
    witness_vkeys: Sequence[str] = (),
    operator_kids: Collection[str] = (),
    steward_kids: Collection[str] = (),
    observe: Observer | None = None,
    known: Known | None = None,
) -> Verification:
    """
    Check a whole log from its leaves: signatures, chains, root, and every older checkpoint.

    `former` are the logs of the years before, oldest first: each must name and bind the next, and
    chains go on through them; entries are then counted from the oldest log's first. `older` are
    signed notes of any of these logs. `operator_kids` are the keys that may log an expiry in a
    resident's chain, `steward_kids` those that may recover one. `observe` sees each leaf as it is
    read, but those that were verified before, as `known` says.
    """
    replay = Replay(
        operator_kids=operator_kids, steward_kids=steward_kids, observe=observe, known=known
    )
    head = Verification()
    findings: list[Finding] = []
    for each in (*former, log):
        head = verify_signed_checkpoint(
            each.checkpoint, vkey=each.vkey, witness_vkeys=witness_vkeys
        )
        if head.checkpoint is None:
            return head
        findings += head.findings
        if not replay.read(each.entries, checkpoint=head.checkpoint, vkey=each.vkey):
            break
    else:
        replay.findings += [found for text in older for found in _older_findings(replay, text)]
    return Verification(
        checkpoint=head.checkpoint,
        vkeys=() if replay.findings else tuple(each.vkey for each in replay.logs),
        entries=replay.count,
        consents=len(replay.states),
        witnesses=head.witnesses,
        older=len(older),
        findings=(*findings, *replay.findings),
    )


def verify_receipt(
    content: bytes,
    *,
    vkey: str,
    earlier: Collection[str] = (),
    witness_vkeys: Sequence[str] = (),
) -> Verification:
    """
    Check a receipt file: leaf, inclusion, checkpoint, and each witness's cosignature.

    `content` is a `LogReceipt`, a `.tlog-proof` that carries the leaf as its extra data, or a
    whole `PersonalReceipt`, whose body, purpose and notice are then checked against the leaf.

    `earlier` names the logs of the years before, for which its leaf may have been signed. It shows
    that the event was logged, not that it still holds.
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
        event = receipt.verify(vkey, earlier=earlier)
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


def _older_findings(replay: Replay, text: str) -> list[Finding]:
    try:
        log = replay.log_of(read_checkpoint(text).origin)
        if log is None:
            raise UntrustedNote("expected a checkpoint of a log that was read")
        older = verify_checkpoint(text, log.vkey)
    except NoteError as error:
        problem = note_problem(error, forged=Problem.FORGED_CHECKPOINT)
        return [Finding(problem=problem, detail=f"older checkpoint: {error}")]
    prefix = log.hashes[: older.size]
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
        problem = note_problem(error, forged=Problem.FORGED_COSIGNATURE)
        return [Finding(problem=problem, detail=str(error))]
    return []


def _receipt_problem(error: Exception) -> Problem:
    if isinstance(error, ProofError):
        return Problem.NOT_INCLUDED
    if isinstance(error, LogError):
        return Problem.OTHER_LOG
    return Problem.FORGED_ENTRY if isinstance(error, ForgedLeaf) else Problem.MALFORMED_ENTRY


def _stopped(problem: Problem, error: Exception) -> Verification:
    return Verification(findings=(Finding(problem=problem, detail=str(error)),))
