"""The Merkle tree of the log: hashes, proofs and their verification.

It works on leaf hashes, keeps nothing and reads nothing. The verifying half shares no code with
the proving half. Spec: RFC 9162 section 2.1 (the tree of RFC 6962, SHA-256).

    >>> hashes = [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")]
    >>> verify_inclusion(leaf_hash=hashes[2], index=2, size=3,
    ...     proof=inclusion_proof(hashes, 2), root=root(hashes))
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence

from consents.errors import ProofError

HASH_BYTES = 32
"""Length of a SHA-256 hash."""

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without leaves (RFC 9162 section 2.1.1)."""

_LEAF_PREFIX = b"\x00"
_NODE_PREFIX = b"\x01"


def leaf_hash(leaf: bytes) -> bytes:
    """Return SHA-256(0x00 || leaf)."""
    return hashlib.sha256(_LEAF_PREFIX + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return SHA-256(0x01 || left || right); raise ProofError unless both are 32 bytes."""
    if len(left) != HASH_BYTES or len(right) != HASH_BYTES:
        # Without this check 31 + 33 bytes would hash like 32 + 32.
        raise ProofError(f"expected hashes of {HASH_BYTES} bytes")
    return hashlib.sha256(_NODE_PREFIX + left + right).digest()


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the Merkle tree hash of the leaves, in one pass and logarithmic memory."""
    perfect: list[tuple[int, bytes]] = []
    for leaf in leaf_hashes:
        height, node = 0, leaf
        while perfect and perfect[-1][0] == height:
            node = node_hash(perfect.pop()[1], node)
            height += 1
        perfect.append((height, node))
    if not perfect:
        return EMPTY_ROOT
    node = perfect.pop()[1]
    while perfect:
        node = node_hash(perfect.pop()[1], node)
    return node


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """
    Return the audit path of leaf `index`, from its sibling up to the root's child.

    Raises ProofError when the index is outside the tree. Source: RFC 9162 section 2.1.3.1.
    """
    if not 0 <= index < len(leaf_hashes):
        raise ProofError(f"expected an index below {len(leaf_hashes)}, seen {index}")
    path: list[bytes] = []
    start, end = 0, len(leaf_hashes)
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(root(leaf_hashes[middle:end]))
            end = middle
        else:
            path.append(root(leaf_hashes[start:middle]))
            start = middle
    return path[::-1]


def consistency_proof(leaf_hashes: Sequence[bytes], old_size: int) -> list[bytes]:
    """
    Return the proof that the tree of `old_size` leaves is a prefix of this one.

    Raises ProofError unless 0 < old_size <= number of leaves: anything continues the empty tree,
    so a proof from it would prove nothing. Source: RFC 9162 section 2.1.4.1.
    """
    if not 0 < old_size <= len(leaf_hashes):
        raise ProofError(f"expected an old size in 1..{len(leaf_hashes)}, seen {old_size}")
    path: list[bytes] = []
    start, end, old_end = 0, len(leaf_hashes), old_size
    while old_end != end:
        middle = start + _split(end - start)
        if old_end <= middle:
            path.append(root(leaf_hashes[middle:end]))
            end = middle
        else:
            path.append(root(leaf_hashes[start:middle]))
            start = middle
    if start > 0:
        # The verifier holds the old root itself only while the old tree is one left subtree.
        path.append(root(leaf_hashes[start:end]))
    return path[::-1]


def verify_inclusion(
    *, leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """
    Check that the leaf stands at `index` of the tree of `size` leaves with this `root`.

    Raises ProofError. Source: RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:
        raise ProofError(f"expected an index below {size}, seen {index}")
    if len(leaf_hash) != HASH_BYTES:
        raise ProofError(f"expected a leaf hash of {HASH_BYTES} bytes, seen {len(leaf_hash)}")
    position, last = index, size - 1
    node = leaf_hash
    for sibling in proof:
        if last == 0:
            raise ProofError("expected a shorter inclusion proof for this index and size")
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        position >>= 1
        last >>= 1
    if last != 0:
        raise ProofError("expected a longer inclusion proof for this index and size")
    if not hmac.compare_digest(node, root):
        raise ProofError("expected the inclusion proof to lead to the root, seen another root")


def verify_consistency(
    *, old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """
    Check that the tree of `new_size` leaves only appends to the tree of `old_size` leaves.

    Raises ProofError, also for an old size of zero. Source: RFC 9162 section 2.1.4.2.
    """
    if not 0 < old_size <= new_size:
        raise ProofError(f"expected 0 < old size <= new size, seen {old_size} and {new_size}")
    if old_size == new_size:
        if proof or not hmac.compare_digest(old_root, new_root):
            raise ProofError("expected equal roots and no proof for trees of equal size")
        return
    if not proof:
        raise ProofError("expected a consistency proof between trees of different sizes")
    # An old tree that is perfect has its root as the first node, left out of the proof.
    nodes = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    _climb_consistency(old_size, new_size, old_root, new_root, nodes)


def _climb_consistency(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, nodes: list[bytes]
) -> None:
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position >>= 1
        last >>= 1
    old_node = new_node = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            raise ProofError("expected a shorter consistency proof for these sizes")
        if position & 1 or position == last:
            old_node = node_hash(node, old_node)
            new_node = node_hash(node, new_node)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            new_node = node_hash(new_node, node)
        position >>= 1
        last >>= 1
    if last != 0:
        raise ProofError("expected a longer consistency proof for these sizes")
    if not hmac.compare_digest(old_node, old_root):
        raise ProofError("expected the consistency proof to lead to the old root")
    if not hmac.compare_digest(new_node, new_root):
        raise ProofError("expected the consistency proof to lead to the new root")


def _split(size: int) -> int:
    """Return the largest power of two below `size` (size > 1)."""
    return 1 << ((size - 1).bit_length() - 1)
