"""What leaves a log for one entry: an inclusion proof, and the receipt that a resident keeps.

Both are values: they say where a leaf stands and can be checked with nothing but the log's key.
Making them is `consents.tlog.log`'s; the text form that other programs read is
`consents.tlog.tlog_proof`. Specs: RFC 9162 section 2.1.3; C2SP tlog-checkpoint for the note inside
a receipt.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from consents.canonical import canonical_bytes, parse_json
from consents.errors import CanonicalError, LogError, ProofError
from consents.records.receipt import SignedEvent, read_event
from consents.tlog import merkle
from consents.tlog.checkpoint import verify_checkpoint

_HEX_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionProof:
    """That a leaf stands at `index` of the tree of `size` leaves; hashes of 32 bytes."""

    index: int
    size: int
    root: bytes
    hashes: tuple[bytes, ...]

    def verify(self, leaf: bytes) -> None:
        """Check the proof for these leaf bytes; raise ProofError."""
        merkle.verify_inclusion(
            leaf_hash=merkle.leaf_hash(leaf),
            index=self.index,
            size=self.size,
            proof=self.hashes,
            root=self.root,
        )

    def to_mapping(self) -> dict[str, object]:
        """Return `{"index", "size", "root", "hashes"}` for JSON, hashes in lowercase hex."""
        return {
            "index": self.index,
            "size": self.size,
            "root": self.root.hex(),
            "hashes": [node.hex() for node in self.hashes],
        }

    @classmethod
    def parse(cls, value: object) -> "InclusionProof":
        """Read what `to_mapping` wrote; raise ProofError."""
        if not isinstance(value, dict) or set(value) != {"index", "size", "root", "hashes"}:
            raise ProofError("expected a proof with exactly index, size, root and hashes")
        return cls(
            index=_index(value["index"]),
            size=_index(value["size"]),
            root=_hash(value["root"]),
            hashes=_hashes(value["hashes"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReceipt:
    """
    What a resident keeps: a leaf, its inclusion proof and the checkpoint that it leads to.

    As a file it is `{"leaf", "index", "size", "hashes", "checkpoint"}`: no key, because who is
    trusted never comes with what is to be trusted, and no root but the checkpoint's.
    """

    leaf: bytes
    index: int
    size: int
    hashes: tuple[bytes, ...]
    checkpoint: str

    def verify(self, vkey: str, *, earlier: Collection[str] = ()) -> SignedEvent:
        """
        Check signature, inclusion and checkpoint against the log's `vkey`.

        `earlier` names the logs of which it is the successor, whose late leaves it may hold. Raises
        LeafError, ProofError, NoteError, or LogError when the leaf is another log's.
        That the event was logged does not say that it still holds: see `consents.records.decision`.
        """
        checkpoint = verify_checkpoint(self.checkpoint, vkey)
        event = read_event(self.leaf)
        if event.payload.o not in {checkpoint.origin, *earlier}:
            raise LogError("expected a leaf signed for this log, seen another log's origin")
        if self.size != checkpoint.size:
            raise ProofError(f"expected the proof's size {checkpoint.size}, seen {self.size}")
        merkle.verify_inclusion(
            leaf_hash=merkle.leaf_hash(self.leaf),
            index=self.index,
            size=self.size,
            proof=self.hashes,
            root=checkpoint.root,
        )
        return event

    def to_bytes(self) -> bytes:
        """Return the JSON file to keep, hashes in lowercase hex."""
        return canonical_bytes(
            {
                "leaf": self.leaf.decode("ascii"),
                "index": self.index,
                "size": self.size,
                "hashes": [node.hex() for node in self.hashes],
                "checkpoint": self.checkpoint,
            }
        )

    @classmethod
    def parse(cls, content: bytes) -> "LogReceipt":
        """Read a receipt file; raise ProofError when it is not one. Verifies nothing."""
        try:
            value = parse_json(content)
        except CanonicalError as error:
            raise ProofError("expected a receipt as UTF-8 JSON") from error
        members = {"leaf", "index", "size", "hashes", "checkpoint"}
        if not isinstance(value, dict) or set(value) != members:
            raise ProofError(f"expected a receipt with exactly {', '.join(sorted(members))}")
        leaf, checkpoint = value["leaf"], value["checkpoint"]
        if not (isinstance(leaf, str) and leaf.isascii() and isinstance(checkpoint, str)):
            raise ProofError("expected the receipt's leaf and checkpoint as texts")
        return cls(
            leaf=leaf.encode("ascii"),
            index=_index(value["index"]),
            size=_index(value["size"]),
            hashes=_hashes(value["hashes"]),
            checkpoint=checkpoint,
        )


def _index(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ProofError("expected an integer of 0 or more in a proof")
    return value


def _hash(value: object) -> bytes:
    if not isinstance(value, str) or _HEX_HASH.fullmatch(value) is None:
        raise ProofError("expected a hash as 64 lowercase hexadecimal digits")
    return bytes.fromhex(value)


def _hashes(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list):
        raise ProofError("expected a list of hashes in a proof")
    return tuple(_hash(member) for member in value)
