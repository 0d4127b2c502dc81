"""The tree with its nodes kept: the same roots and proofs as the tree without."""

import random

import pytest

from consents.errors import LogError, ProofError
from consents.tlog import merkle, nodes
from consents.tlog.checkpoint import verify_checkpoint
from consents.tlog.log import ConsentLog, MemoryLeaves, MemoryNodes


def tree(count, *, seed=1):
    hashes = [random.Random(f"{seed}/{i}").randbytes(32) for i in range(count)]
    storage = MemoryNodes()
    storage.extend(hashes, list(nodes.Frontier().grow(hashes)))
    return hashes, storage


@pytest.fixture(scope="module")
def grown():
    return tree(300)


class Recording(MemoryNodes):
    """A storage that counts the nodes read from it."""

    def __init__(self):
        super().__init__()
        self.read = 0

    def nodes(self, positions):
        self.read += len(positions)
        return super().nodes(positions)


def test_node_positions_have_no_gap_and_no_repetition():
    size = 1000
    positions = [
        nodes.node_position(level, index)
        for level in range(size.bit_length())
        for index in range(size >> level)
    ]
    assert sorted(positions) == list(range(nodes.node_count(size)))


def test_every_root_is_that_of_the_recursive_definition(naive_root):
    leaves = [bytes([i % 256, i // 256]) for i in range(130)]
    storage = MemoryNodes()
    storage.extend(leaves, list(nodes.Frontier().grow(map(merkle.leaf_hash, leaves))))
    for size in range(131):
        assert nodes.root(storage, size) == naive_root(leaves[:size])


def test_every_inclusion_proof_verifies_and_equals_the_one_from_leaves(grown):
    hashes, storage = grown
    for size in (1, 2, 3, 7, 8, 9, 255, 256, 257, 300):
        for index in range(size):
            proof = nodes.inclusion_proof(storage, index, size)
            assert proof == merkle.inclusion_proof(hashes[:size], index)


def test_every_consistency_proof_equals_the_one_from_leaves(grown):
    hashes, storage = grown
    for size in (1, 2, 5, 64, 65, 127, 200, 300):
        for old_size in range(1, size + 1):
            proof = nodes.consistency_proof(storage, old_size, size)
            assert proof == merkle.consistency_proof(hashes[:size], old_size)


def test_growing_in_batches_stores_the_same_nodes_as_growing_at_once(grown):
    hashes, storage = grown
    batched = MemoryNodes()
    for start, end in ((0, 1), (1, 8), (8, 77), (77, 300)):
        frontier = nodes.read_frontier(batched, start)
        batched.extend(hashes[start:end], list(frontier.grow(hashes[start:end])))
    positions = range(nodes.node_count(300))
    assert batched.nodes(positions) == storage.nodes(positions)


def test_a_proof_outside_the_tree_is_refused(grown):
    with pytest.raises(ProofError):
        nodes.inclusion_proof(grown[1], 5, 5)


@pytest.mark.parametrize("old_size", [0, 6])
def test_consistency_from_nothing_or_from_more_is_refused(grown, old_size):
    with pytest.raises(ProofError):
        nodes.consistency_proof(grown[1], old_size, 5)


def test_a_proof_reads_only_logarithmically_many_nodes():
    hashes, _ = tree(3000, seed=2)
    storage = Recording()
    storage.extend(hashes, list(nodes.Frontier().grow(hashes)))
    nodes.inclusion_proof(storage, 1234, 2999)
    assert storage.read < 2 * (3000).bit_length()


def log_over(storage, leaves, new_key, origin):
    log = ConsentLog(storage, origin, new_key("log"))
    log.append_batch(leaves[:3])
    log.append(leaves[3])
    return log


def test_a_log_over_nodes_signs_the_same_checkpoints_as_one_over_leaves(leaves, new_key, origin):
    over_leaves = log_over(MemoryLeaves(), leaves, new_key, origin)
    over_nodes = log_over(MemoryNodes(), leaves, new_key, origin)
    for size in (0, 1, 2, 3, 4, None):
        assert over_nodes.checkpoint(size) == over_leaves.checkpoint(size)


def test_a_receipt_from_a_log_over_nodes_verifies(leaves, new_key, origin):
    log = log_over(MemoryNodes(), leaves, new_key, origin)
    for index, leaf in enumerate(leaves):
        assert log.receipt(index).verify(log.vkey).leaf == leaf


def test_consistency_of_a_log_over_nodes_verifies(leaves, new_key, origin):
    log = log_over(MemoryNodes(), leaves, new_key, origin)
    old, new = (verify_checkpoint(log.checkpoint(size), log.vkey) for size in (3, 4))
    merkle.verify_consistency(
        old_size=3, new_size=4, old_root=old.root, new_root=new.root, proof=log.consistency(3)
    )


def test_a_batch_with_one_foreign_leaf_is_not_appended(leaves, new_key, new_resident, origin):
    storage = MemoryNodes()
    foreign = new_resident("x", origin="other.example/log").say("consent.given")[0].leaf
    with pytest.raises(LogError):
        ConsentLog(storage, origin, new_key("log")).append_batch([*leaves, foreign])
    assert storage.size() == 0
