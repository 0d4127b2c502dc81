"""An append-only log of leaves over any storage, and the proofs that leave it.

Storage is the caller's (`LeafStorage`); the log keeps no state of its own, so a rolled back
transaction leaves nothing behind. It checks that a leaf verifies and was signed for this log;
whether it continues its consent's chain is checked before, by `consents.decision.extend`.
Specs: RFC 9162 section 2.1, C2SP tlog-checkpoint, entry bound of tlog-tiles.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents import merkle
from consents.canonical import canonical_bytes, parse_json
from consents.checkpoint import Checkpoint, NoteKey, sign_checkpoint, verify_checkpoint
from consents.errors import CanonicalError, LogError, ProofError
from consents.receipt import SignedEvent, read_event

_HEX_HASH = re.compile(r"[0-9a-f]{64}")


class LeafStorage(Protocol):
    """Where leaves are kept, in order, once and for all."""

    def append(self, leaf: bytes) -> int:
        """Store a leaf durably and return its index from 0."""

    def leaf(self, index: int) -> bytes:
        """Return the bytes at an index that exists."""

    def leaves(self) -> Iterator[bytes]:
        """Return all leaves in order, as one snapshot."""

    def size(self) -> int:
        """Return how many leaves there are."""


class MemoryLeaves:
    """Leaves in memory, for offline checks and for trying things out."""

    def __init__(self) -> None:
        """Start empty."""
        self._leaves: list[bytes] = []

    def append(self, leaf: bytes) -> int:
        """Store a leaf and return its index."""
        self._leaves.append(leaf)
        return len(self._leaves) - 1

    def leaf(self, index: int) -> bytes:
        """Return the bytes at `index`."""
        return self._leaves[index]

    def leaves(self) -> Iterator[bytes]:
        """Return all leaves of this moment, in order."""
        return iter(tuple(self._leaves))

    def size(self) -> int:
        """Return how many leaves there are."""
        return len(self._leaves)


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

    def verify(self, vkey: str) -> SignedEvent:
        """
        Check signature, inclusion and checkpoint against the log's `vkey`.

        Raises LeafError, ProofError, NoteError, or LogError when the leaf is another log's.
        That the event was logged does not say that it still holds: see `consents.decision`.
        """
        checkpoint = verify_checkpoint(self.checkpoint, vkey)
        event = read_event(self.leaf)
        if event.payload.o != checkpoint.origin:
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


def export_line(leaf: bytes) -> bytes:
    """Return the line of `entries.jsonl` for a leaf: one JSON string and a newline."""
    return json.dumps(leaf.decode("ascii")).encode("ascii") + b"\n"


def read_export_line(line: bytes) -> bytes:
    """Return the leaf of one line of `entries.jsonl`; raise LogError when it is not a string."""
    try:
        value = parse_json(line)
    except CanonicalError as error:
        raise LogError("expected one JSON string on each line of the entries") from error
    if not isinstance(value, str) or not value.isascii():
        raise LogError("expected one ASCII JSON string on each line of the entries")
    return value.encode("ascii")


class ConsentLog:
    """The log named `origin` over a storage, signing with `key`."""

    def __init__(self, storage: LeafStorage, origin: str, key: Ed25519PrivateKey) -> None:
        """Take the storage, the name and the key; refuse a name that a note cannot carry."""
        self._storage = storage
        self._key = key
        self.origin = origin
        self.vkey = NoteKey.of_log(origin, key.public_key()).vkey

    def append(self, leaf: bytes) -> int:
        """
        Append a leaf that verifies and names this log, and return its index.

        The caller has checked the chain and looked the leaf up (same bytes, same index).
        Raises LeafError or LogError.
        """
        if read_event(leaf).payload.o != self.origin:
            raise LogError("expected a leaf signed for this log, seen another log's origin")
        return self._storage.append(leaf)

    def checkpoint(self, size: int | None = None) -> str:
        """Return the signed checkpoint of the first `size` leaves (default: all)."""
        return self._sign(self._hashes(size))

    def inclusion(self, index: int, size: int | None = None) -> InclusionProof:
        """Prove leaf `index` in the tree of the first `size` leaves; raise ProofError."""
        hashes = self._hashes(size)
        return InclusionProof(
            index=index,
            size=len(hashes),
            root=merkle.root(hashes),
            hashes=tuple(merkle.inclusion_proof(hashes, index)),
        )

    def receipt(self, index: int) -> LogReceipt:
        """Return leaf, proof and checkpoint of one and the same snapshot."""
        hashes = self._hashes(None)
        path = merkle.inclusion_proof(hashes, index)
        return LogReceipt(
            leaf=self._storage.leaf(index),
            index=index,
            size=len(hashes),
            hashes=tuple(path),
            checkpoint=self._sign(hashes),
        )

    def consistency(self, old_size: int, size: int | None = None) -> list[bytes]:
        """Prove that the first `size` leaves (default: all) continue the first `old_size`."""
        return merkle.consistency_proof(self._hashes(size), old_size)

    def _hashes(self, size: int | None) -> list[bytes]:
        if size is not None and size < 0:
            raise LogError("expected a size of 0 or more")
        hashes = [merkle.leaf_hash(leaf) for leaf in islice(self._storage.leaves(), size)]
        if size is not None and len(hashes) != size:
            raise LogError(f"expected a size up to {len(hashes)}, seen {size}")
        return hashes

    def _sign(self, hashes: list[bytes]) -> str:
        tree = Checkpoint(origin=self.origin, size=len(hashes), root=merkle.root(hashes))
        return sign_checkpoint(tree, self.origin, self._key)


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
