"""Attacks 1 and 16 on the cooperative's own database: every proof, every flipped bit, every read.

The oracle is RFC 9162's definition (section 2.1), written out here over the leaves: it shares no
code with the log.
"""

import random
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.canonical import utc_text
from consents.errors import ProofError
from consents.jws import thumbprint
from consents.records.receipt import EventType, LeafPayload, sign_event
from consents.tlog import merkle
from consents.tlog.log import ConsentLog
from coop_aggregator.db.log import SqlLog

SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 31, 64, 100, 255, 257)
SCALE = 2_048


class Counting(SqlLog):
    """The cooperative's storage, which counts what a proof reads."""

    read = 0

    def nodes(self, positions):
        self.read += len(positions)
        return super().nodes(positions)

    def leaf(self, index):
        raise AssertionError(f"a proof needs no leaf, seen one read at {index}")

    def leaves(self):
        raise AssertionError("a proof needs no leaf, seen all of them read")


def refusals(numbers, origin, moment):
    """Return a signed first leaf for each number, of different consents."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    first = LeafPayload(
        t=EventType.REFUSED,
        o=origin,
        cid="0" * 32,
        n=0,
        p="",
        pd="ab" * 32,
        c="cd" * 32,
        at=utc_text(moment),
        kid=thumbprint(key.public_key()),
    )
    return [sign_event(replace(first, cid=f"{number:032x}"), key) for number in numbers]


def grow(coop, connection, size, *, kind=SqlLog):
    """Grow the cooperative's log to `size` leaves; return its storage, read through `kind`."""
    now, who = coop.clock.now(), coop.leader.who
    storage = kind(connection, now=now)
    made = refusals(range(storage.size(), size), who.origin, now)
    log_over(coop, SqlLog(connection, now=now)).append_batch(made)
    return storage


def log_over(coop, storage):
    return ConsentLog(storage, coop.leader.who.origin, coop.leader.keys.log)


def expected_root(leaves):
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    cut = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\1" + expected_root(leaves[:cut]) + expected_root(leaves[cut:])).digest()


def expected_path(index, leaves):
    if len(leaves) == 1:
        return ()
    cut = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < cut:
        return (*expected_path(index, leaves[:cut]), expected_root(leaves[cut:]))
    return (*expected_path(index - cut, leaves[cut:]), expected_root(leaves[:cut]))


def expected_subproof(old, leaves, *, whole):
    if old == len(leaves):
        return () if whole else (expected_root(leaves),)
    cut = 1 << ((len(leaves) - 1).bit_length() - 1)
    if old <= cut:
        rest = expected_subproof(old, leaves[:cut], whole=whole)
        return (*rest, expected_root(leaves[cut:]))
    rest = expected_subproof(old - cut, leaves[cut:], whole=False)
    return (*rest, expected_root(leaves[:cut]))


def flipped(content, rng):
    bit = rng.randrange(len(content) * 8)
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)


def inclusion_of(log, index, size, leaf):
    proof = log.inclusion(index, size)
    return {
        "index": index,
        "size": size,
        "leaf_hash": merkle.leaf_hash(leaf),
        "proof": list(proof.hashes),
        "root": proof.root,
    }


def inclusion_mutants(valid, rng):
    yield valid | {"leaf_hash": flipped(valid["leaf_hash"], rng)}
    yield valid | {"root": flipped(valid["root"], rng)}
    yield valid | {"index": valid["index"] ^ 1}
    yield valid | {"proof": [*valid["proof"], valid["root"]]}
    if valid["proof"]:
        place = rng.randrange(len(valid["proof"]))
        changed = list(valid["proof"])
        changed[place] = flipped(changed[place], rng)
        yield valid | {"proof": changed}
        yield valid | {"proof": valid["proof"][:-1]}


def test_1_every_proof_out_of_the_database_is_the_one_of_the_definition(coop):
    rng = random.Random(20261122)
    with coop.leader.database.write() as connection:
        storage = grow(coop, connection, max(SIZES))
        log = log_over(coop, storage)
        leaves = list(storage.leaves())
        for size in SIZES:
            root = expected_root(leaves[:size])
            for index in {0, size - 1, rng.randrange(size), rng.randrange(size)}:
                proof = log.inclusion(index, size)
                assert proof.root == root
                assert proof.hashes == expected_path(index, leaves[:size])
            for old in {1, size, rng.randint(1, size)}:
                expected = expected_subproof(old, leaves[:size], whole=True)
                assert tuple(log.consistency(old, size)) == expected


def test_1_an_inclusion_proof_with_anything_changed_is_refused(light_coop):
    rng = random.Random(9162)
    with light_coop.leader.database.write() as connection:
        storage = grow(light_coop, connection, max(SIZES))
        log = log_over(light_coop, storage)
        leaves = list(storage.leaves())
        for size in SIZES:
            index = rng.randrange(size)
            valid = inclusion_of(log, index, size, leaves[index])
            merkle.verify_inclusion(**valid)
            for mutant in inclusion_mutants(valid, rng):
                with pytest.raises(ProofError):
                    merkle.verify_inclusion(**mutant)


def test_1_a_consistency_proof_with_anything_changed_is_refused(light_coop):
    rng = random.Random(6962)
    with light_coop.leader.database.write() as connection:
        storage = grow(light_coop, connection, max(SIZES))
        log = log_over(light_coop, storage)
        leaves = list(storage.leaves())
        for size in SIZES[2:]:
            old = rng.randint(1, size - 1)
            valid = {
                "old_size": old,
                "new_size": size,
                "old_root": expected_root(leaves[:old]),
                "new_root": expected_root(leaves[:size]),
                "proof": log.consistency(old, size),
            }
            merkle.verify_consistency(**valid)
            changed = [flipped(each, rng) for each in valid["proof"]]
            for mutant in (
                valid | {"old_root": flipped(valid["old_root"], rng)},
                valid | {"new_root": flipped(valid["new_root"], rng)},
                valid | {"old_size": 0},
                valid | {"proof": changed},
                valid | {"proof": valid["proof"][:-1]},
                valid | {"proof": [*valid["proof"], valid["new_root"]]},
            ):
                with pytest.raises(ProofError):
                    merkle.verify_consistency(**mutant)


@pytest.mark.parametrize("size", [SCALE, SCALE - 1])
def test_16_roots_and_proofs_read_a_few_nodes_and_no_leaf(light_coop, size):
    """Path, incomplete right edge and root: each at most a node for each binary digit."""
    binary_digits = size.bit_length()
    with light_coop.leader.database.write() as connection:
        storage = grow(light_coop, connection, size, kind=Counting)
        log = log_over(light_coop, storage)
        asked = {
            "root": log.checkpoint,
            "inclusion": lambda: log.inclusion(size // 3),
            "consistency": lambda: log.consistency(size // 3),
        }
        for name, ask in asked.items():
            storage.read = 0
            ask()
            assert (name, storage.read) <= (name, 3 * binary_digits)
            assert storage.read > 0


def test_16_doubling_the_log_adds_a_constant_number_of_reads(light_coop):
    reads = []
    with light_coop.leader.database.write() as connection:
        for size in (SCALE // 4, SCALE // 2, SCALE):
            storage = grow(light_coop, connection, size, kind=Counting)
            log_over(light_coop, storage).inclusion(0)
            reads.append(storage.read)
    assert [after - before for before, after in pairwise(reads)] == [1, 1]
