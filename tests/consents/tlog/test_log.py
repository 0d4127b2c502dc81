"""The append-only log over its in-memory storage, and the receipts that leave it."""

import json
from dataclasses import replace

import pytest

from consents.errors import LogError, MalformedLeaf, MalformedNote, ProofError
from consents.tlog import merkle
from consents.tlog.checkpoint import verify_checkpoint
from consents.tlog.log import ConsentLog, InclusionProof, LogReceipt, MemoryLeaves


@pytest.fixture
def leaves(resident):
    events = resident.say("consent.given", "consent.limited", "consent.withdrawn")
    return [event.leaf for event in events]


@pytest.fixture
def log(origin, new_key, leaves):
    log = ConsentLog(MemoryLeaves(), origin, new_key("log"))
    for leaf in leaves:
        log.append(leaf)
    return log


def test_an_empty_log_signs_the_empty_root(origin, new_key):
    log = ConsentLog(MemoryLeaves(), origin, new_key("log"))
    checkpoint = verify_checkpoint(log.checkpoint(), log.vkey)
    assert (checkpoint.size, checkpoint.root) == (0, merkle.EMPTY_ROOT)


def test_the_checkpoint_commits_to_every_leaf_in_order(log, leaves, naive_root):
    checkpoint = verify_checkpoint(log.checkpoint(), log.vkey)
    assert (checkpoint.size, checkpoint.root) == (3, naive_root(leaves))


def test_leaves_are_numbered_from_zero(origin, new_key, leaves):
    log = ConsentLog(MemoryLeaves(), origin, new_key("log"))
    assert [log.append(leaf) for leaf in leaves] == [0, 1, 2]


def test_a_log_refuses_a_leaf_signed_for_another_log(log, new_resident):
    stranger = new_resident(origin="other.example/log").sign("consent.given")
    with pytest.raises(LogError, match="another log"):
        log.append(stranger.leaf)


def test_a_log_refuses_what_is_not_a_leaf(log):
    with pytest.raises(MalformedLeaf):
        log.append(b"not a leaf")


def test_a_log_refuses_a_name_that_a_note_cannot_carry(new_key):
    with pytest.raises(MalformedNote):
        ConsentLog(MemoryLeaves(), "a name with spaces", new_key("log"))


def test_every_inclusion_proof_holds_for_its_leaf(log, leaves):
    for index, leaf in enumerate(leaves):
        log.inclusion(index).verify(leaf)


def test_an_inclusion_proof_fails_for_another_leaf(log, leaves):
    with pytest.raises(ProofError):
        log.inclusion(0).verify(leaves[1])


def test_a_proof_travels_through_json_unchanged(log):
    proof = log.inclusion(1)
    assert InclusionProof.parse(json.loads(json.dumps(proof.to_mapping()))) == proof


def test_a_proof_can_be_made_for_an_older_size(log, naive_root, leaves):
    proof = log.inclusion(1, size=2)
    assert (proof.size, proof.root) == (2, naive_root(leaves[:2]))


def test_an_older_checkpoint_is_consistent_with_the_log(log):
    older, newer = (verify_checkpoint(log.checkpoint(size), log.vkey) for size in (2, None))
    merkle.verify_consistency(
        old_size=2,
        new_size=3,
        old_root=older.root,
        new_root=newer.root,
        proof=log.consistency(2),
    )


def rewritten(log, leaves):
    other = ConsentLog(MemoryLeaves(), log.origin, log._key)
    for leaf in leaves:
        other.append(leaf)
    return other


REWRITES = {
    "a deleted leaf": lambda old, _: [old[0], old[2]],
    "two leaves in another order": lambda old, _: [old[1], old[0], old[2]],
    "a replaced leaf": lambda old, extra: [old[0], extra, old[2]],
}


@pytest.mark.parametrize("rewrite", REWRITES.values(), ids=REWRITES)
def test_a_rewritten_log_contradicts_an_older_checkpoint(log, leaves, new_resident, rewrite):
    extra = new_resident("other").sign("consent.given").leaf
    older = verify_checkpoint(log.checkpoint(), log.vkey)
    forged = rewritten(log, [*rewrite(leaves, extra), extra, extra])
    newer = verify_checkpoint(forged.checkpoint(), log.vkey)  # signed all the same
    with pytest.raises(ProofError):
        merkle.verify_consistency(
            old_size=older.size,
            new_size=newer.size,
            old_root=older.root,
            new_root=newer.root,
            proof=forged.consistency(older.size),
        )


@pytest.mark.parametrize("size", [-1, 4])
def test_a_size_that_the_log_never_had_is_refused(log, size):
    with pytest.raises(LogError):
        log.checkpoint(size)


def test_a_receipt_verifies_with_the_log_s_key_alone(log, leaves):
    assert log.receipt(1).verify(log.vkey).leaf == leaves[1]


def test_a_receipt_comes_back_from_its_file(log):
    receipt = log.receipt(1)
    assert LogReceipt.parse(receipt.to_bytes()) == receipt


def test_a_receipt_under_another_checkpoint_is_refused(log):
    with pytest.raises(ProofError, match="size"):
        replace(log.receipt(1), checkpoint=log.checkpoint(2)).verify(log.vkey)


def test_a_receipt_for_another_index_is_refused(log):
    with pytest.raises(ProofError):
        replace(log.receipt(1), index=0).verify(log.vkey)


def test_a_receipt_whose_leaf_names_another_log_is_refused(log, new_resident):
    """An operator that logs a stranger's leaf cannot make it count here."""
    storage = MemoryLeaves()
    storage.append(new_resident(origin="other.example/log").sign("consent.given").leaf)
    careless = ConsentLog(storage, log.origin, log._key)
    with pytest.raises(LogError, match="another log"):
        careless.receipt(0).verify(log.vkey)


def spoil(content, **changes):
    return json.dumps({**json.loads(content), **changes}).encode()


SPOILED = {
    "not JSON": lambda content: content[:-1],
    "not an object": lambda _: b"[]",
    "an unknown member": lambda content: spoil(content, vkey="log+00000000+AAAA"),
    "a negative index": lambda content: spoil(content, index=-1),
    "an index that is a truth value": lambda content: spoil(content, index=True),
    "a size that is a text": lambda content: spoil(content, size="3"),
    "hashes that are not a list": lambda content: spoil(content, hashes={}),
    "a short hash": lambda content: spoil(content, hashes=["00"]),
    "a hash in capitals": lambda content: spoil(content, hashes=["AB" * 32]),
    "a leaf that is not ASCII": lambda content: spoil(content, leaf="é"),
    "a checkpoint that is not a text": lambda content: spoil(content, checkpoint=None),
}


@pytest.mark.parametrize("change", SPOILED.values(), ids=SPOILED)
def test_a_receipt_file_that_breaks_the_format_is_refused(log, change):
    with pytest.raises(ProofError):
        LogReceipt.parse(change(log.receipt(1).to_bytes()))


@pytest.mark.parametrize("value", [None, {"index": 0}, []])
def test_a_proof_that_breaks_the_format_is_refused(value):
    with pytest.raises(ProofError):
        InclusionProof.parse(value)


def test_leaves_in_memory_know_how_many_they_are(leaves):
    storage = MemoryLeaves()
    for leaf in leaves:
        storage.append(leaf)
    assert (storage.size(), storage.leaf(2)) == (3, leaves[2])
