"""An append-only log of leaves over any storage, and the proofs that leave it.

Storage is the caller's: `LeafStorage` keeps leaves only, and every root reads them all;
`NodeStorage` keeps the tree's nodes too, and every root and proof reads O(log n) of them. The log
keeps no state of its own, so a rolled back transaction leaves nothing behind. It checks that a
leaf verifies and was signed for this log; whether it continues its consent's chain is checked
before, by `consents.records.decision.extend`.
Specs: RFC 9162 section 2.1, C2SP tlog-checkpoint, entry bound of tlog-tiles.
"""

import json
import re
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Protocol, runtime_checkable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.canonical import parse_json
from consents.errors import CanonicalError, LogError, ProofError
from consents.records.receipt import read_event
from consents.tlog import merkle, nodes
from consents.tlog.checkpoint import Checkpoint, NoteKey, sign_checkpoint
from consents.tlog.proofs import InclusionProof, LogReceipt

_PLAIN_LINE = re.compile(rb'"[A-Za-z0-9._-]*"\n')
"""A JSON string that is spelt as itself: every line of an export that was written as usual."""

__all__ = [
    "ConsentLog",
    "InclusionProof",
    "LeafReader",
    "LeafStorage",
    "LogReceipt",
    "MemoryLeaves",
    "MemoryNodes",
    "NodeStorage",
    "export_line",
    "read_export_line",
]


class LeafReader(Protocol):
    """Where leaves can be read, in order."""

    def leaf(self, index: int) -> bytes:
        """Return the bytes at an index that exists."""

    def leaves(self) -> Iterator[bytes]:
        """Return all leaves in order, as one snapshot."""

    def size(self) -> int:
        """Return how many leaves there are."""


class LeafStorage(LeafReader, Protocol):
    """Where leaves are kept, in order, once and for all."""

    def append(self, leaf: bytes) -> int:
        """Store a leaf durably and return its index from 0."""


@runtime_checkable
class NodeStorage(LeafReader, nodes.NodeReader, Protocol):
    """
    Where leaves are kept together with the tree's complete nodes (`consents.tlog.nodes`).

    To move a `LeafStorage` here, store `nodes.Frontier().grow(map(merkle.leaf_hash, leaves()))`
    once, in order, in the transaction that creates the nodes.
    """

    def extend(self, leaves: Sequence[bytes], hashes: Sequence[bytes]) -> int:
        """Store leaves and the nodes that they complete, durably together; return the first index.

        `hashes` are 32 bytes each and go to the next free positions, in order.
        """


class _InMemory:
    """Leaves in a list, read in order."""

    def __init__(self) -> None:
        self._leaves: list[bytes] = []

    def leaf(self, index: int) -> bytes:
        """Return the bytes at `index`."""
        return self._leaves[index]

    def leaves(self) -> Iterator[bytes]:
        """Return all leaves of this moment, in order."""
        return iter(tuple(self._leaves))

    def size(self) -> int:
        """Return how many leaves there are."""
        return len(self._leaves)


class MemoryLeaves(_InMemory):
    """Leaves in memory, for offline checks and for trying things out."""

    def append(self, leaf: bytes) -> int:
        """Store a leaf and return its index."""
        self._leaves.append(leaf)
        return len(self._leaves) - 1


class MemoryNodes(_InMemory):
    """Leaves and nodes in memory: what a storage that scales has to do, in a few lines."""

    def __init__(self) -> None:
        """Start empty."""
        super().__init__()
        self._hashes: list[bytes] = []

    def extend(self, leaves: Sequence[bytes], hashes: Sequence[bytes]) -> int:
        """Store leaves and nodes and return the first leaf's index."""
        first = len(self._leaves)
        self._leaves += leaves
        self._hashes += hashes
        return first

    def nodes(self, positions: Sequence[int]) -> list[bytes]:
        """Return the hashes at these positions."""
        return [self._hashes[position] for position in positions]


def export_line(leaf: bytes) -> bytes:
    """Return the line of `entries.jsonl` for a leaf: one JSON string and a newline."""
    return json.dumps(leaf.decode("ascii")).encode("ascii") + b"\n"


def read_export_line(line: bytes) -> bytes:
    """Return the leaf of one line of `entries.jsonl`; raise LogError when it is not a string."""
    if _PLAIN_LINE.fullmatch(line):
        return line[1:-2]
    try:
        value = parse_json(line)
    except CanonicalError as error:
        raise LogError("expected one JSON string on each line of the entries") from error
    if not isinstance(value, str) or not value.isascii():
        raise LogError("expected one ASCII JSON string on each line of the entries")
    return value.encode("ascii")


class ConsentLog:
    """The log named `origin` over a storage, signing with `key`."""

    def __init__(
        self,
        storage: LeafStorage | NodeStorage,
        origin: str,
        key: Ed25519PrivateKey,
        *,
        earlier: Collection[str] = (),
    ) -> None:
        """Take the storage, the name and the key; refuse a name that a note cannot carry.

        `earlier` names the logs of which this one is the successor: their late leaves belong here.
        """
        self._storage = storage
        self._origins = {origin, *earlier}
        self._key = key
        self.origin = origin
        self.vkey = NoteKey.of_log(origin, key.public_key()).vkey

    def append(self, leaf: bytes) -> int:
        """
        Append a leaf that verifies and names this log or an earlier one, and return its index.

        The caller has checked the chain and looked the leaf up (same bytes, same index).
        Raises LeafError or LogError.
        """
        return self.append_batch([leaf])

    def append_batch(self, leaves: Sequence[bytes]) -> int:
        """
        Append leaves that all verify and name this log, or none; return the first one's index.

        A leaf may also name one of the `earlier` logs.

        Over a `NodeStorage` they are stored in one step. Raises LeafError or LogError.
        """
        for leaf in leaves:
            if read_event(leaf).payload.o not in self._origins:
                raise LogError("expected a leaf signed for this log, seen another log's origin")
        storage = self._storage
        first = storage.size()
        if isinstance(storage, NodeStorage):
            frontier = nodes.read_frontier(storage, first)
            storage.extend(leaves, list(frontier.grow(map(merkle.leaf_hash, leaves))))
        else:
            for leaf in leaves:
                storage.append(leaf)
        return first

    def checkpoint(self, size: int | None = None) -> str:
        """Return the signed checkpoint of the first `size` leaves (default: all)."""
        end = self._size(size)
        return self._sign(end, self._root(end))

    def inclusion(self, index: int, size: int | None = None) -> InclusionProof:
        """Prove leaf `index` in the tree of the first `size` leaves; raise ProofError."""
        end = self._size(size)
        if isinstance(self._storage, NodeStorage):
            root = nodes.root(self._storage, end)
            path = nodes.inclusion_proof(self._storage, index, end)
        else:
            hashes = self._hashes(self._storage, end)
            root, path = merkle.root(hashes), merkle.inclusion_proof(hashes, index)
        return InclusionProof(index=index, size=end, root=root, hashes=tuple(path))

    def receipt(self, index: int) -> LogReceipt:
        """Return leaf, proof and checkpoint of one and the same snapshot."""
        proof = self.inclusion(index)
        return LogReceipt(
            leaf=self._storage.leaf(index),
            index=index,
            size=proof.size,
            hashes=proof.hashes,
            checkpoint=self._sign(proof.size, proof.root),
        )

    def consistency(self, old_size: int, size: int | None = None) -> list[bytes]:
        """Prove that the first `size` leaves (default: all) continue the first `old_size`."""
        end = self._size(size)
        if isinstance(self._storage, NodeStorage):
            return nodes.consistency_proof(self._storage, old_size, end)
        return merkle.consistency_proof(self._hashes(self._storage, end), old_size)

    def _size(self, size: int | None) -> int:
        known = self._storage.size()
        if size is None:
            return known
        if not 0 <= size <= known:
            raise LogError(f"expected a size in 0..{known}, seen {size}")
        return size

    def _root(self, size: int) -> bytes:
        if isinstance(self._storage, NodeStorage):
            return nodes.root(self._storage, size)
        return merkle.root(self._hashes(self._storage, size))

    def _hashes(self, storage: LeafReader, size: int) -> list[bytes]:
        hashes = [merkle.leaf_hash(leaf) for leaf in islice(storage.leaves(), size)]
        if len(hashes) != size:
            raise ProofError(f"expected {size} leaves in the storage, seen {len(hashes)}")
        return hashes

    def _sign(self, size: int, root: bytes) -> str:
        tree = Checkpoint(origin=self.origin, size=size, root=root)
        return sign_checkpoint(tree, self.origin, self._key)
