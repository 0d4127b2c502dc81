"""The tree with its inner nodes kept: roots and proofs in O(log n) reads, also after a restart.

Only perfect subtrees are kept: once complete, they never change, so that storing is appending.
Node (level, index) is the root of the 2^level leaves from index · 2^level on. Nodes are numbered
in the order in which appending completes them, without gaps: a table keyed by an integer or a
flat file of 32-byte records holds them all. It stores nothing and trusts its storage: who reads
a log that somebody else keeps uses `consents.tlog.merkle` or `consents.tlog.tiles`.
Spec: RFC 9162 section 2.1.

    >>> [node_position(level, index) for level, index in ((0, 0), (0, 1), (1, 0), (0, 2))]
    [0, 1, 2, 3]
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from consents.errors import ProofError
from consents.tlog import merkle


class NodeReader(Protocol):
    """Where the nodes of a tree can be read."""

    def nodes(self, positions: Sequence[int]) -> Sequence[bytes]:
        """Return the hashes at these positions, in this order; raise LogError where one misses."""


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """A perfect subtree: the root of the leaves [index · 2^level, (index + 1) · 2^level)."""

    level: int
    index: int

    @property
    def position(self) -> int:
        """Where it is stored."""
        return node_position(self.level, self.index)


def node_count(size: int) -> int:
    """Return how many nodes are complete, leaf hashes included, in a tree of `size` leaves."""
    return 2 * size - size.bit_count()


def node_position(level: int, index: int) -> int:
    """Return the storage position of a node: those completed before it come first."""
    last_leaf = ((index + 1) << level) - 1
    return node_count(last_leaf) + level


def cover(start: int, end: int) -> tuple[Node, ...]:
    """
    Return the perfect subtrees of the leaves [start, end), from the left.

    `start` must be a multiple of the smallest power of two that is not below `end - start`, as in
    every range that the definition of the tree splits off.
    """
    found: list[Node] = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append(Node(level, start >> level))
        start += 1 << level
    return tuple(found)


@dataclass(slots=True, kw_only=True)
class Frontier:
    """
    The right edge of a tree while it grows: its `size`, and the hashes of `cover(0, size)`.

    One pass of `grow` over an old log gives every node of it: the migration of a storage that
    kept leaves only.
    """

    size: int = 0
    hashes: list[bytes] = field(default_factory=list)

    def grow(self, leaf_hashes: Iterable[bytes]) -> Iterator[bytes]:
        """Yield each node that these leaves complete, in storage order."""
        for leaf in leaf_hashes:
            node, size = leaf, self.size
            yield node
            while size & 1:
                node = merkle.node_hash(self.hashes.pop(), node)
                size >>= 1
                yield node
            self.hashes.append(node)
            self.size += 1

    def root(self) -> bytes:
        """Return the root of the leaves so far."""
        return _fold(self.hashes) if self.hashes else merkle.EMPTY_ROOT


def read_frontier(reader: NodeReader, size: int) -> Frontier:
    """Return the right edge of the first `size` leaves, in one read."""
    positions = [node.position for node in cover(0, size)]
    return Frontier(size=size, hashes=list(reader.nodes(positions)))


def root(reader: NodeReader, size: int) -> bytes:
    """Return the root of the first `size` leaves."""
    return read_frontier(reader, size).root()


def inclusion_proof(reader: NodeReader, index: int, size: int) -> list[bytes]:
    """Return the audit path of leaf `index`, as `merkle.inclusion_proof`; raise ProofError."""
    if not 0 <= index < size:
        raise ProofError(f"expected an index below {size}, seen {index}")
    ranges: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return _roots(reader, ranges[::-1])


def consistency_proof(reader: NodeReader, old_size: int, size: int) -> list[bytes]:
    """
    Return the proof that `size` leaves continue `old_size`, as `merkle.consistency_proof`.

    Raises ProofError unless 0 < old_size <= size.
    """
    if not 0 < old_size <= size:
        raise ProofError(f"expected an old size in 1..{size}, seen {old_size}")
    ranges: list[tuple[int, int]] = []
    start, end = 0, size
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start > 0:
        ranges.append((start, end))
    return _roots(reader, ranges[::-1])


def _roots(reader: NodeReader, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
    """Return the root of each range of leaves, from one read of the storage."""
    covers = [cover(start, end) for start, end in ranges]
    hashes = iter(reader.nodes([node.position for nodes in covers for node in nodes]))
    return [_fold(list(islice(hashes, len(nodes)))) for nodes in covers]


def _fold(hashes: Sequence[bytes]) -> bytes:
    node = hashes[-1]
    for left in reversed(hashes[:-1]):
        node = merkle.node_hash(left, node)
    return node


def _split(size: int) -> int:
    """Return the largest power of two below `size` (size > 1)."""
    return 1 << ((size - 1).bit_length() - 1)
