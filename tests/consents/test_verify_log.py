"""`consents verify log`: what a steward finds in an export, and what only an older checkpoint can.

The operator of these tests holds the log's key and signs whatever suits.
"""

import json
import os

import pytest

from consents.jws import thumbprint
from consents.records.chain import key_digest
from consents.tlog.checkpoint import Checkpoint, sign_checkpoint
from consents.tlog.merkle import leaf_hash, root

SOUND, VIOLATION, CANNOT_VERIFY = 0, 2, 3


def test_a_sound_log_exits_with_0(operator, leaves, verify):
    """W2: An auditor MUST be able to verify the log from files and a public key."""
    assert verify("log", operator.export(leaves)) == (SOUND, [])


def test_an_empty_log_is_sound(operator, verify):
    assert verify("log", operator.export([])) == (SOUND, [])


def test_the_document_says_what_was_checked(operator, leaves, run, origin):
    folder = operator.export(leaves)
    document = json.loads(run("verify", "log", folder, "--vkey", operator.vkey, "--json")[1])
    assert document == {
        "subject": "log",
        "verdict": "ok",
        "origin": origin,
        "size": 4,
        "root": root(map(leaf_hash, leaves)).hex(),
        "vkeys": [operator.vkey],
        "entries": 4,
        "consents": 2,
        "witnesses": 0,
        "older_checkpoints": 0,
        "event_type": None,
        "findings": [],
    }


def test_a_withdrawal_replaced_in_the_entries_is_a_violation(operator, leaves, verify):
    folder = operator.export([*leaves[:3], leaves[2]], operator.sign(leaves))
    assert verify("log", folder) == (VIOLATION, ["root", "broken-chain"])


def test_a_changed_character_in_an_entry_is_a_violation(operator, leaves, verify):
    signed = operator.sign(leaves)
    middle = len(leaves[1]) // 2
    changed = b"B" if leaves[1][middle : middle + 1] == b"A" else b"A"
    leaves[1] = leaves[1][:middle] + changed + leaves[1][middle + 1 :]
    code, problems = verify("log", operator.export(leaves, signed))
    assert (code, problems[0]) == (VIOLATION, "root")


def test_a_false_signature_is_a_violation_even_when_the_log_signs_it(operator, leaves, verify):
    header, payload, _ = leaves[3].split(b".")
    leaves[3] = b".".join([header, payload, leaves[2].split(b".")[2]])
    assert verify("log", operator.export(leaves)) == (VIOLATION, ["forged-entry"])


def test_an_entry_that_is_no_event_is_a_violation(operator, leaves, verify):
    leaves[3] = b"not an event"
    assert verify("log", operator.export(leaves)) == (VIOLATION, ["malformed-entry"])


def test_an_event_of_another_log_is_a_violation(operator, leaves, verify, new_resident):
    leaves.append(new_resident("third", origin="other.example/log").sign("consent.given").leaf)
    assert verify("log", operator.export(leaves)) == (VIOLATION, ["other-log"])


def test_a_replay_after_withdrawal_is_a_violation(operator, leaves, verify):
    leaves.append(leaves[0])
    assert verify("log", operator.export(leaves)) == (VIOLATION, ["broken-chain"])


def test_a_truncated_log_is_a_violation(operator, leaves, verify):
    folder = operator.export(leaves[:3], operator.sign(leaves))
    assert verify("log", folder) == (VIOLATION, ["entry-count"])


def test_entries_beyond_the_checkpoint_are_a_violation(operator, leaves, verify):
    folder = operator.export(leaves, operator.sign(leaves[:3]))
    assert verify("log", folder) == (VIOLATION, ["entry-count"])


@pytest.fixture
def kept(tmp_path, operator, leaves):
    """The checkpoint that a steward kept before the operator rewrote the log."""
    path = tmp_path / "kept"
    path.write_text(operator.sign(leaves), "utf-8")
    return path


@pytest.fixture
def newcomers(new_resident):
    return [new_resident(name).sign("consent.given").leaf for name in ("third", "fourth")]


def test_an_older_checkpoint_of_the_same_history_agrees(operator, leaves, verify, kept, newcomers):
    folder = operator.export([*leaves, *newcomers])
    assert verify("log", folder, "--older", kept) == (SOUND, [])


def test_a_deleted_withdrawal_passes_alone(operator, leaves, verify):
    """The honest limit: a log signed again from scratch contradicts nothing by itself."""
    del leaves[2]
    assert verify("log", operator.export(leaves)) == (SOUND, [])


def test_a_deleted_withdrawal_contradicts_an_older_checkpoint(
    operator, leaves, verify, kept, newcomers
):
    del leaves[2]
    folder = operator.export([*leaves, *newcomers])
    assert verify("log", folder, "--older", kept) == (VIOLATION, ["rewritten"])


def test_two_exchanged_entries_contradict_an_older_checkpoint(operator, leaves, verify, kept):
    leaves[0], leaves[1] = leaves[1], leaves[0]
    folder = operator.export(leaves)
    assert verify("log", folder, "--older", kept) == (VIOLATION, ["rewritten"])


def test_a_log_shorter_than_an_older_checkpoint_is_a_violation(operator, leaves, verify, kept):
    folder = operator.export(leaves[:2])
    assert verify("log", folder, "--older", kept) == (VIOLATION, ["rewritten"])


def test_an_older_checkpoint_of_more_entries_than_there_are_is_a_violation(
    operator, leaves, verify, kept, origin
):
    claimed = Checkpoint(origin=origin, size=9, root=root(map(leaf_hash, leaves)))
    kept.write_text(sign_checkpoint(claimed, origin, operator.key), "utf-8")
    folder = operator.export(leaves)
    assert verify("log", folder, "--older", kept) == (VIOLATION, ["rewritten"])


def test_an_older_checkpoint_of_another_log_proves_nothing(operator, leaves, verify, kept, origin):
    kept.write_text(kept.read_text("utf-8").replace(origin, "other.example/log"), "utf-8")
    folder = operator.export(leaves)
    assert verify("log", folder, "--older", kept) == (CANNOT_VERIFY, ["untrusted"])


def test_a_key_shipped_beside_the_log_is_not_trusted(operator, leaves, verify, new_key):
    """A hostile server signs with a key of its own and adds that key to the folder."""
    trusted = operator.vkey
    hostile = type(operator)(new_key("hostile"), operator.folder)
    folder = hostile.export(leaves)
    (folder / "vkey").write_text(hostile.vkey)
    assert verify("log", folder, vkey=trusted) == (CANNOT_VERIFY, ["untrusted"])


def test_a_forged_checkpoint_is_a_violation(operator, leaves, verify):
    forged = operator.sign(leaves).replace("\n4\n", "\n3\n", 1)
    folder = operator.export(leaves[:3], forged)
    assert verify("log", folder) == (VIOLATION, ["forged-checkpoint"])


@pytest.fixture
def expired_by_operator(new_resident, new_key):
    resident = new_resident("first")
    resident.say("consent.given")
    return [*resident.events, resident.sign("consent.expired", key=new_key("operator"))]


def test_an_expiry_by_an_unnamed_key_is_a_violation(operator, verify, expired_by_operator):
    folder = operator.export([event.leaf for event in expired_by_operator])
    assert verify("log", folder) == (VIOLATION, ["broken-chain"])


def test_an_expiry_by_the_operator_s_named_key_is_sound(operator, verify, expired_by_operator):
    folder = operator.export([event.leaf for event in expired_by_operator])
    kid = expired_by_operator[-1].payload.kid
    assert verify("log", folder, "--operator-kid", kid) == (SOUND, [])


def test_a_lost_key_is_replaced_by_a_steward_who_is_named_and_by_nobody_else(
    operator, verify, new_resident, new_key
):
    person, steward, new = new_resident("lost"), new_key("steward"), new_key("new")
    person.say("consent.given")
    named = key_digest(thumbprint(new.public_key()))
    for kind, key, changes in (
        ("key.recovered", steward, {"c": named}),
        ("consent.withdrawn", new, {}),
    ):
        person.events.append(person.sign(kind, key=key, **changes))
    folder = operator.export([event.leaf for event in person.events])
    kid = thumbprint(steward.public_key())
    assert verify("log", folder, "--steward-kid", kid) == (SOUND, [])
    assert verify("log", folder)[0] == VIOLATION


UNREADABLE = {
    "a line that is no JSON": b"nonsense\n",
    "a line that is no string": b"[]\n",
    "a string that is not ASCII": '"é"\n'.encode(),
    "an empty line": b"\n",
    "a line without end": b'"' + b"A" * 400_000,
}


@pytest.mark.parametrize("line", UNREADABLE.values(), ids=UNREADABLE)
def test_entries_that_cannot_be_read_prove_nothing(operator, leaves, verify, line):
    folder = operator.export(leaves)
    (folder / "entries.jsonl").write_bytes(line)
    assert verify("log", folder) == (CANNOT_VERIFY, ["unreadable"])


def test_a_violation_before_an_unreadable_line_is_still_told(operator, leaves, verify):
    folder = operator.export([*leaves, leaves[0]])
    with (folder / "entries.jsonl").open("ab") as entries:
        entries.write(b"nonsense\n")
    assert verify("log", folder) == (VIOLATION, ["broken-chain", "unreadable"])


@pytest.mark.parametrize("name", ["checkpoint", "entries.jsonl"])
def test_a_missing_file_proves_nothing(operator, leaves, verify, name):
    folder = operator.export(leaves)
    (folder / name).unlink()
    assert verify("log", folder) == (CANNOT_VERIFY, ["no-file"])


@pytest.mark.parametrize("name", ["checkpoint", "entries.jsonl"])
def test_a_pipe_in_the_place_of_a_file_proves_nothing(operator, leaves, verify, name):
    folder = operator.export(leaves)
    (folder / name).unlink()
    os.mkfifo(folder / name)
    code, _findings = verify("log", folder)
    assert code == CANNOT_VERIFY


def test_a_checkpoint_in_another_encoding_proves_nothing(operator, leaves, verify):
    folder = operator.export(leaves)
    (folder / "checkpoint").write_bytes(b"\xff\xfe")
    assert verify("log", folder) == (CANNOT_VERIFY, ["no-file"])


def test_a_checkpoint_too_long_to_read_proves_nothing(operator, leaves, verify):
    assert verify("log", operator.export(leaves, "x" * 300_000)) == (CANNOT_VERIFY, ["no-file"])


def test_a_checkpoint_that_is_no_note_proves_nothing(operator, leaves, verify):
    assert verify("log", operator.export(leaves, "nonsense")) == (CANNOT_VERIFY, ["malformed"])
