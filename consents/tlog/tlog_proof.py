"""The `.tlog-proof` file: one entry, its inclusion and the cosigned checkpoint, as text.

    c2sp.org/tlog-proof@v1
    extra ZXlK...                  (here: the leaf itself, so that the file verifies alone)
    index 73894
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
    (empty line)
    (the checkpoint, verbatim)

Same content as a `LogReceipt`, in the form that verifiers written by others read.
Spec: C2SP tlog-proof.
"""

import re
from dataclasses import dataclass

from consents.canonical import base64_bytes, base64_text
from consents.errors import CanonicalError, MalformedNote, ProofError
from consents.jws import MAX_JWS_BYTES
from consents.tlog.checkpoint import MAX_NOTE_BYTES, read_checkpoint
from consents.tlog.merkle import HASH_BYTES
from consents.tlog.proofs import LogReceipt

HEADER = "c2sp.org/tlog-proof@v1"
"""First line of the file."""

SUFFIX = ".tlog-proof"
"""Extension that the specification asks for."""

MAX_PROOF_LINES = 63
"""Longest inclusion proof of a tree that a checkpoint can describe."""

MAX_FILE_BYTES = MAX_NOTE_BYTES + 2 * MAX_JWS_BYTES + 4_096
"""A checkpoint, a leaf in base64, and 63 hashes."""

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
_EXTRA = "extra "


@dataclass(frozen=True, slots=True, kw_only=True)
class TlogProof:
    """The file's content: nothing of it is trusted before `LogReceipt.verify`."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def to_text(self) -> str:
        """Return the file."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(_EXTRA + base64_text(self.extra))
        lines.append(f"index {self.index}")
        lines += [base64_text(node) for node in self.hashes]
        return "\n".join(lines) + "\n\n" + self.checkpoint

    @classmethod
    def parse(cls, text: str) -> "TlogProof":
        """Read a file; raise ProofError for any other text."""
        if len(text) > MAX_FILE_BYTES:
            raise ProofError(f"expected at most {MAX_FILE_BYTES} characters")
        head, separator, checkpoint = text.partition("\n\n")
        header, *lines = head.split("\n")
        if not separator or header != HEADER:
            raise ProofError(f"expected {HEADER}, proof lines, an empty line and a checkpoint")
        extra = None
        if lines and lines[0].startswith(_EXTRA):
            extra = _bytes(lines.pop(0).removeprefix(_EXTRA))
        match = _INDEX.fullmatch(lines.pop(0)) if lines else None
        if match is None or len(lines) > MAX_PROOF_LINES:
            raise ProofError(f"expected an index line, then at most {MAX_PROOF_LINES} hashes")
        hashes = tuple(_bytes(line) for line in lines)
        if any(len(node) != HASH_BYTES for node in hashes):
            raise ProofError(f"expected {HASH_BYTES} bytes on each proof line")
        return cls(index=int(match[1]), hashes=hashes, checkpoint=checkpoint, extra=extra)

    def receipt(self, leaf: bytes | None = None) -> LogReceipt:
        """Return the receipt to verify; `leaf` where the file does not carry it as extra data."""
        entry = self.extra if leaf is None else leaf
        if entry is None:
            raise ProofError("expected the leaf, in the file or beside it")
        try:
            size = read_checkpoint(self.checkpoint).size
        except MalformedNote as error:
            raise ProofError("expected a signed checkpoint in the proof") from error
        return LogReceipt(
            leaf=entry,
            index=self.index,
            size=size,
            hashes=self.hashes,
            checkpoint=self.checkpoint,
        )


def tlog_proof(receipt: LogReceipt, *, cosignatures: str = "") -> TlogProof:
    """Return the file of a receipt, with the witnesses' lines for its checkpoint appended."""
    return TlogProof(
        index=receipt.index,
        hashes=receipt.hashes,
        checkpoint=receipt.checkpoint + cosignatures,
        extra=receipt.leaf,
    )


def _bytes(text: str) -> bytes:
    try:
        return base64_bytes(text)
    except CanonicalError as error:
        raise ProofError("expected standard base64 in the proof") from error
