"""The tree against published vectors and against its own recursive definition."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consents.errors import ProofError
from consents.tlog import merkle

SIZES = range(1, 34)


def entries(size):
    return [f"entry {index}".encode() for index in range(size)]


def hashes_of(size):
    return [merkle.leaf_hash(entry) for entry in entries(size)]


def decoded(text):
    return base64.b64decode(text or "")


def vectors(reference, kind):
    found = sorted((reference / "vectors" / "merkle" / "testdata" / kind).rglob("*.json"))
    return [(path.name, json.loads(path.read_text())) for path in found]


def judge(verify, **arguments):
    try:
        verify(**arguments)
    except ProofError:
        return "refused"
    return "accepted"


def test_every_published_inclusion_vector_is_judged_as_published(reference):
    cases = vectors(reference, "inclusion")
    wrong = [
        name
        for name, case in cases
        if judge(
            merkle.verify_inclusion,
            leaf_hash=decoded(case["leafHash"]),
            index=case["leafIdx"],
            size=case["treeSize"],
            proof=[decoded(node) for node in case["proof"] or []],
            root=decoded(case["root"]),
        )
        != ("refused" if case["wantErr"] else "accepted")
    ]
    assert (len(cases), wrong) == (98, [])


def test_every_published_consistency_vector_is_judged_as_published(reference):
    cases = vectors(reference, "consistency")
    wrong = [
        name
        for name, case in cases
        if judge(
            merkle.verify_consistency,
            old_size=case["size1"],
            new_size=case["size2"],
            old_root=decoded(case["root1"]),
            new_root=decoded(case["root2"]),
            proof=[decoded(node) for node in case["proof"] or []],
        )
        != ("refused" if case["wantErr"] else "accepted")
    ]
    assert (len(cases), wrong) == (98, [])


@given(st.lists(st.binary(max_size=40), max_size=70))
@settings(max_examples=60, deadline=None)
def test_root_equals_the_recursive_definition(naive_root, leaves):
    assert merkle.root(merkle.leaf_hash(leaf) for leaf in leaves) == naive_root(leaves)


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_of_a_tree_is_provable_against_the_naive_root(naive_root, size):
    for index, entry in enumerate(entries(size)):
        merkle.verify_inclusion(
            leaf_hash=merkle.leaf_hash(entry),
            index=index,
            size=size,
            proof=merkle.inclusion_proof(hashes_of(size), index),
            root=naive_root(entries(size)),
        )


@pytest.mark.parametrize("size", SIZES)
def test_every_prefix_of_a_tree_is_provable_against_the_naive_roots(naive_root, size):
    for old_size in range(1, size + 1):
        merkle.verify_consistency(
            old_size=old_size,
            new_size=size,
            old_root=naive_root(entries(old_size)),
            new_root=naive_root(entries(size)),
            proof=merkle.consistency_proof(hashes_of(size), old_size),
        )


def flipped(content, bit):
    changed = bytearray(content)
    changed[bit // 8 % len(changed)] ^= 1 << bit % 8
    return bytes(changed)


@given(st.integers(1, 80), st.data())
@settings(max_examples=150, deadline=None)
def test_one_flipped_bit_spoils_an_inclusion_proof(size, data):
    index = data.draw(st.integers(0, size - 1))
    bit = data.draw(st.integers(0, 255))
    hashes = hashes_of(size)
    proof = merkle.inclusion_proof(hashes, index)
    parts = [hashes[index], merkle.root(hashes), *proof]
    victim = data.draw(st.integers(0, len(parts) - 1))
    parts[victim] = flipped(parts[victim], bit)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(
            leaf_hash=parts[0], index=index, size=size, proof=parts[2:], root=parts[1]
        )


@given(st.integers(2, 80), st.data())
@settings(max_examples=150, deadline=None)
def test_one_flipped_bit_spoils_a_consistency_proof(size, data):
    old_size = data.draw(st.integers(1, size - 1))
    bit = data.draw(st.integers(0, 255))
    hashes = hashes_of(size)
    parts = [
        merkle.root(hashes[:old_size]),
        merkle.root(hashes),
        *merkle.consistency_proof(hashes, old_size),
    ]
    victim = data.draw(st.integers(0, len(parts) - 1))
    parts[victim] = flipped(parts[victim], bit)
    with pytest.raises(ProofError):
        merkle.verify_consistency(
            old_size=old_size,
            new_size=size,
            old_root=parts[0],
            new_root=parts[1],
            proof=parts[2:],
        )


@pytest.mark.parametrize("size", SIZES)
def test_a_proof_holds_for_its_own_index_only(size):
    hashes = hashes_of(size)
    for index in range(size):
        proof = merkle.inclusion_proof(hashes, index)
        accepted = [
            other
            for other in range(-1, size + 2)
            if judge(
                merkle.verify_inclusion,
                leaf_hash=hashes[index],
                index=other,
                size=size,
                proof=proof,
                root=merkle.root(hashes),
            )
            == "accepted"
        ]
        assert accepted == [index]


def test_a_shortened_or_lengthened_consistency_proof_is_refused():
    hashes = hashes_of(11)
    proof = merkle.consistency_proof(hashes, 6)
    spoiled = [[], proof[:-1], proof[1:], [*proof, proof[0]]]
    assert [
        judge(
            merkle.verify_consistency,
            old_size=6,
            new_size=11,
            old_root=merkle.root(hashes[:6]),
            new_root=merkle.root(hashes),
            proof=candidate,
        )
        for candidate in spoiled
    ] == ["refused"] * 4


def test_consistency_from_the_empty_tree_is_not_provable():
    with pytest.raises(ProofError, match="old size"):
        merkle.consistency_proof(hashes_of(3), 0)


def test_consistency_from_a_larger_tree_is_not_provable():
    with pytest.raises(ProofError, match="old size"):
        merkle.consistency_proof(hashes_of(3), 4)


@pytest.mark.parametrize("index", [-1, 3])
def test_a_leaf_outside_the_tree_is_not_provable(index):
    with pytest.raises(ProofError, match="index below 3"):
        merkle.inclusion_proof(hashes_of(3), index)


def test_bytes_moved_between_two_siblings_do_not_make_the_same_node():
    left, right = hashes_of(2)
    with pytest.raises(ProofError, match="32 bytes"):
        merkle.node_hash(left[:-1], left[-1:] + right)


def test_a_leaf_that_looks_like_a_node_does_not_hash_like_one():
    left, right = hashes_of(2)
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


def test_a_leaf_of_a_larger_tree_is_not_the_only_leaf_of_a_small_one():
    left, right = hashes_of(2)
    with pytest.raises(ProofError, match="shorter"):
        merkle.verify_inclusion(
            leaf_hash=right, index=0, size=1, proof=[left], root=merkle.node_hash(left, right)
        )
