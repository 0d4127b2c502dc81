"""The one step of a witness: may it cosign this checkpoint, given the last one it cosigned?

The caller runs the step, stores the new state and only then cosigns (`consents.tlog.checkpoint`),
all under one lock or transaction: two requests judged against the same state could roll the log
back. No HTTP here, but each refusal carries its status. Spec: C2SP tlog-witness, add-checkpoint.
"""

import hmac
import re
from dataclasses import dataclass

from consents.canonical import base64_bytes, base64_text
from consents.errors import (
    CanonicalError,
    ForgedNote,
    Inconsistent,
    MalformedNote,
    MalformedRequest,
    ProofError,
    RootConflict,
    SizeConflict,
    UnknownLog,
    UntrustedLog,
    UntrustedNote,
)
from consents.tlog.checkpoint import (
    MAX_NOTE_BYTES,
    MAX_TREE_SIZE,
    Checkpoint,
    NoteKey,
    read_checkpoint,
    verify_checkpoint,
)
from consents.tlog.merkle import EMPTY_ROOT, HASH_BYTES, verify_consistency

MAX_PROOF_LINES = 63
"""Longest consistency proof that a client may send (tlog-witness)."""

MAX_REQUEST_BYTES = MAX_NOTE_BYTES + 4_096
"""A checkpoint, and 64 lines of at most 45 bytes before it."""

SIZE_CONTENT_TYPE = "text/x.tlog.size"
"""Media type of the 409 answer, whose body is the last cosigned size and a newline."""

_OLD_SIZE = re.compile(r"old (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessState:
    """The latest checkpoint that a witness cosigned for one origin; root of 32 bytes."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCheckpoint:
    """A request to cosign: the size to continue from, the proof, and the signed checkpoint."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: str

    @property
    def origin(self) -> str:
        """The origin that the checkpoint claims, to look up its key and state; not trusted yet."""
        return _claimed(self.checkpoint).origin

    def to_bytes(self) -> bytes:
        """Return the body to POST to `add-checkpoint`."""
        lines = [f"old {self.old_size}", *(base64_text(node) for node in self.proof), ""]
        return ("\n".join(lines) + "\n" + self.checkpoint).encode()

    @classmethod
    def parse(cls, content: bytes) -> "AddCheckpoint":
        """Read a request body; raise MalformedRequest. Verifies no signature and no proof."""
        if len(content) > MAX_REQUEST_BYTES:
            raise MalformedRequest(f"expected at most {MAX_REQUEST_BYTES} bytes")
        try:
            head, separator, checkpoint = content.decode("utf-8").partition("\n\n")
        except UnicodeDecodeError as error:
            raise MalformedRequest("expected a request in UTF-8") from error
        first, *lines = head.split("\n")
        match = _OLD_SIZE.fullmatch(first)
        if not separator or match is None or int(match[1]) > MAX_TREE_SIZE:
            raise MalformedRequest("expected an old size line, proof lines and an empty line")
        if len(lines) > MAX_PROOF_LINES:
            raise MalformedRequest(f"expected at most {MAX_PROOF_LINES} proof lines")
        _claimed(checkpoint)
        return cls(
            old_size=int(match[1]),
            proof=tuple(_proof_hash(line) for line in lines),
            checkpoint=checkpoint,
        )


def witness_step(
    state: WitnessState | None,
    request: AddCheckpoint,
    *,
    origin_vkey: str,
    origin: str | None = None,
) -> WitnessState:
    """
    Return the state to store before cosigning `request.checkpoint`, or raise WitnessRefusal.

    `state` is None for a log never cosigned. `origin_vkey` is the key trusted for the log, whose
    name is its origin unless `origin` says otherwise. The refusals, in the order of the checks:
    MalformedRequest (400), UnknownLog (404), UntrustedLog (403), MalformedRequest (400, old size
    above the new), SizeConflict (409), Inconsistent (422), RootConflict (409, the same size again
    with another root).
    """
    trusted = NoteKey.parse(origin_vkey).name if origin is None else origin
    if request.origin != trusted or (state is not None and state.origin != trusted):
        raise UnknownLog("expected the checkpoint of a log that this witness follows")
    try:
        checkpoint = verify_checkpoint(request.checkpoint, origin_vkey, origin=trusted)
    except MalformedNote as error:
        raise MalformedRequest("expected a signed checkpoint") from error
    except (UntrustedNote, ForgedNote) as error:
        raise UntrustedLog("expected a valid signature by the log's trusted key") from error
    if request.old_size > checkpoint.size:
        raise MalformedRequest("expected an old size up to the checkpoint's")
    latest = 0 if state is None else state.size
    if request.old_size != latest:
        raise SizeConflict(f"expected old {latest}, seen {request.old_size}", size=latest)
    _check_continues(state, request, checkpoint)
    return WitnessState(origin=checkpoint.origin, size=checkpoint.size, root=checkpoint.root)


def _check_continues(
    state: WitnessState | None, request: AddCheckpoint, checkpoint: Checkpoint
) -> None:
    if checkpoint.size == 0 and not hmac.compare_digest(checkpoint.root, EMPTY_ROOT):
        raise Inconsistent("expected the root of the empty tree for size 0")
    if state is None or state.size == 0:
        if request.proof:
            raise Inconsistent("expected no proof from the empty tree")
        return
    same = hmac.compare_digest(checkpoint.root, state.root)
    if checkpoint.size == state.size and not request.proof and not same:
        raise RootConflict("expected the root that was cosigned at this size, seen another")
    try:
        verify_consistency(
            old_size=state.size,
            new_size=checkpoint.size,
            old_root=state.root,
            new_root=checkpoint.root,
            proof=request.proof,
        )
    except ProofError as error:
        raise Inconsistent("expected a log that only appends to what was cosigned") from error


def _claimed(checkpoint: str) -> Checkpoint:
    try:
        return read_checkpoint(checkpoint)
    except MalformedNote as error:
        raise MalformedRequest("expected a signed checkpoint") from error


def _proof_hash(line: str) -> bytes:
    try:
        node = base64_bytes(line)
    except CanonicalError as error:
        raise MalformedRequest("expected each proof line in standard base64") from error
    if len(node) != HASH_BYTES:
        raise MalformedRequest(f"expected {HASH_BYTES} bytes on each proof line")
    return node
