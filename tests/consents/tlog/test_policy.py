"""The witness policy: who must have cosigned, and what continues what."""

from datetime import UTC, datetime, timedelta

import pytest

from consents.errors import ForgedNote, PolicyError, ProofError, UntrustedNote
from consents.tlog import merkle
from consents.tlog.checkpoint import Checkpoint, NoteKey, cosign, sign_checkpoint
from consents.tlog.policy import WitnessPolicy, policy_text

NAME = "aggregator.example/consents/2026"
AT = datetime(2026, 11, 9, 8, tzinfo=UTC)
HASHES = [merkle.leaf_hash(b"%d" % i) for i in range(8)]


@pytest.fixture
def party(new_key):
    class Party:
        log_key = new_key("log")
        log_vkey = NoteKey.of_log(NAME, new_key("log").public_key()).vkey
        vkeys = tuple(NoteKey.of_witness(n, new_key(n).public_key()).vkey for n in ("a", "b", "c"))

        def note(self, size, by="", hashes=HASHES, at=AT):
            tree = Checkpoint(origin=NAME, size=size, root=merkle.root(hashes[:size]))
            text = sign_checkpoint(tree, NAME, self.log_key)
            lines = [
                cosign(text, n, new_key(n), at + timedelta(minutes=i)) for i, n in enumerate(by)
            ]
            return text + "".join(lines)

        def policy(self, threshold=None, vkeys=vkeys):
            text = policy_text(log_vkey=self.log_vkey, witness_vkeys=vkeys, threshold=threshold)
            return WitnessPolicy.parse(text.encode())

    return Party()


def test_two_of_three_is_the_default(party):
    assert party.policy().attest(party.note(5, "ab")).checkpoint.size == 5


def test_one_of_three_is_not_enough_by_default(party):
    with pytest.raises(UntrustedNote):
        party.policy().attest(party.note(5, "a"))


def test_one_of_one_can_be_configured(party):
    assert party.policy(vkeys=party.vkeys[:1]).attest(party.note(5, "a")).checkpoint.size == 5


def test_three_of_three_can_be_configured(party):
    with pytest.raises(UntrustedNote):
        party.policy(threshold=3).attest(party.note(5, "ab"))


def test_a_witness_that_cosigns_twice_counts_once(party):
    with pytest.raises(UntrustedNote):
        party.policy().attest(party.note(5, "aa"))


def test_a_false_cosignature_is_an_error_even_beside_a_quorum(party):
    note = party.note(5, "abc")
    lines = note.split("\n")
    lines[-2] = lines[-2][:-8] + ("A" if lines[-2][-8] != "A" else "B") + lines[-2][-7:]
    with pytest.raises(ForgedNote):
        party.policy().attest("\n".join(lines))


def test_the_checkpoint_was_known_when_the_first_witness_cosigned(party):
    assert party.policy().attest(party.note(5, "abc")).known_by == AT


def test_a_log_that_the_policy_does_not_name_is_refused(party, new_key):
    tree = Checkpoint(origin="other.example", size=0, root=merkle.EMPTY_ROOT)
    note = sign_checkpoint(tree, "other.example", new_key("other"))
    with pytest.raises(UntrustedNote):
        party.policy().attest(note)


def test_a_longer_log_is_followed_with_its_proof(party):
    proof = merkle.consistency_proof(HASHES, 5)
    followed = party.policy().follow(party.note(5, "ab"), party.note(8, "bc"), proof=proof)
    assert followed.checkpoint.size == 8


def test_the_same_checkpoint_is_followed_without_a_proof(party):
    assert party.policy().follow(party.note(5, "ab"), party.note(5, "bc")).checkpoint.size == 5


def test_a_fork_at_equal_size_is_refused_though_cosigned(party):
    other = [*HASHES[:4], merkle.leaf_hash(b"x")]
    with pytest.raises(ProofError):
        party.policy().follow(party.note(5, "ab"), party.note(5, "ab", other))


def test_a_rollback_is_refused_though_cosigned(party):
    with pytest.raises(ProofError):
        party.policy().follow(party.note(5, "ab"), party.note(4, "ab"))


def test_another_history_is_refused_whatever_its_proof(party):
    other = [merkle.leaf_hash(b"x"), *HASHES[1:]]
    proof = merkle.consistency_proof(other, 5)
    with pytest.raises(ProofError):
        party.policy().follow(party.note(5, "ab"), party.note(8, "ab", other), proof=proof)


def test_the_example_of_the_specification_is_read_with_its_two_levels(party, new_key):
    names = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
    witnesses = "".join(
        f"witness {n} {NoteKey.of_witness(n, new_key(n).public_key()).vkey}\n" for n in names
    )
    text = (
        f"# a comment\nlog {party.log_vkey}\n\n{witnesses}"
        "group X-witnesses 2 X1 X2 X3\n\t group  Y-witnesses any Y1 Y2 Y3\n"
        "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
    )
    policy = WitnessPolicy.parse(text.encode())
    assert policy.attest(party.note(3, ("X1", "X3", "Y2"))).checkpoint.size == 3
    with pytest.raises(UntrustedNote):
        policy.attest(party.note(3, ("X1", "X2", "X3")))


def test_a_quorum_of_nobody_is_said_aloud(party):
    policy = WitnessPolicy.parse(f"log {party.log_vkey}\nquorum none\n".encode())
    assert policy.attest(party.note(5)).known_by is None


@pytest.mark.parametrize(
    "lines",
    [
        "log {log}",
        "log {log}\nquorum none\nquorum none",
        "log {log}\nlog {log}\nquorum none",
        "log {log}\nwitness a {a}\nwitness b {a}\nquorum a",
        "log {log}\nwitness a {a}\nwitness a {b}\nquorum a",
        "log {log}\nwitness none {a}\nquorum none",
        "log {log}\nwitness a {twin}\nquorum a",
        "log {log}\nwitness a {log}\nquorum a",
        "log {a}\nquorum none",
        "log {log}\nquorum a\nwitness a {a}",
        "log {log}\nwitness a {a}\ngroup g 2 a\nquorum g",
        "log {log}\nwitness a {a}\ngroup g 0 a\nquorum g",
        "log {log}\nwitness a {a}\ngroup g 01 a\nquorum g",
        "log {log}\nwitness a {a}\ngroup g any a a\nquorum g",
        "log {log}\nwitness a {a}\ngroup g any\nquorum g",
        "log {log}\nwitness a {a}\ngroup g any a\ngroup h any a\nquorum g",
        "log {log}\nwitness a {a}\ngroup g any g\nquorum g",
        "log {log}\ntrust everybody\nquorum none",
        "log {log}\rquorum none",
    ],
)
def test_a_policy_that_could_be_read_two_ways_is_refused(party, new_key, lines):
    twin = NoteKey.of_witness("twin", new_key("log").public_key()).vkey
    text = lines.format(log=party.log_vkey, a=party.vkeys[0], b=party.vkeys[1], twin=twin)
    with pytest.raises(PolicyError):
        WitnessPolicy.parse((text + "\n").encode())


def test_names_are_opaque_bytes(party):
    text = b"log %b\nwitness \xff %b\nquorum \xff\n" % (
        party.log_vkey.encode(),
        party.vkeys[0].encode(),
    )
    assert WitnessPolicy.parse(text).attest(party.note(2, "a")).checkpoint.size == 2


@pytest.mark.parametrize("threshold", [0, 4])
def test_a_threshold_that_nobody_can_reach_is_not_written(party, threshold):
    with pytest.raises(PolicyError):
        party.policy(threshold=threshold)
