"""`consents verify receipt` and `verify checkpoint`: what a resident can check alone."""

import json
from datetime import UTC, datetime

import pytest

from consents.tlog.checkpoint import NoteKey, cosign

SOUND, VIOLATION, CANNOT_VERIFY = 0, 2, 3
AT = datetime(2026, 11, 9, 7, 30, tzinfo=UTC)
WITNESS = "steward.example/w1"


@pytest.fixture
def receipt(tmp_path, operator, leaves):
    path = tmp_path / "receipt.json"
    path.write_bytes(operator.log(leaves).receipt(2).to_bytes())
    return path


def change(receipt, **changes):
    receipt.write_text(json.dumps({**json.loads(receipt.read_bytes()), **changes}))
    return receipt


def test_a_receipt_verifies_offline(verify, receipt):
    assert verify("receipt", receipt) == (SOUND, [])


def test_the_document_says_what_the_receipt_is_for(run, receipt, operator):
    out = run("verify", "receipt", receipt, "--vkey", operator.vkey, "--json")[1]
    assert json.loads(out)["event_type"] == "consent.withdrawn"


SPOILED_RECEIPTS = {
    "another index": ({"index": 1}, (VIOLATION, ["not-included"])),
    "another size": ({"size": 3}, (VIOLATION, ["not-included"])),
    "no hashes": ({"hashes": []}, (VIOLATION, ["not-included"])),
    "a leaf that is no event": ({"leaf": "x"}, (VIOLATION, ["malformed-entry"])),
    "no checkpoint": ({"checkpoint": ""}, (CANNOT_VERIFY, ["malformed"])),
    "a key of its own": ({"vkey": "x"}, (CANNOT_VERIFY, ["malformed"])),
}


@pytest.mark.parametrize(("changes", "found"), SPOILED_RECEIPTS.values(), ids=SPOILED_RECEIPTS)
def test_a_spoiled_receipt_is_not_believed(verify, receipt, changes, found):
    assert verify("receipt", change(receipt, **changes)) == found


def test_a_receipt_with_a_false_signature_is_a_violation(verify, receipt, leaves):
    header, payload, _ = leaves[2].split(b".")
    forged = b".".join([header, payload, leaves[0].split(b".")[2]])
    found = verify("receipt", change(receipt, leaf=forged.decode()))
    assert found == (VIOLATION, ["forged-entry"])


def test_a_receipt_of_a_stranger_s_event_is_a_violation(verify, receipt, operator, new_resident):
    stranger = new_resident("third", origin="other.example/log").sign("consent.given").leaf
    receipt.write_bytes(operator.log([stranger]).receipt(0).to_bytes())
    assert verify("receipt", receipt) == (VIOLATION, ["other-log"])


def test_a_receipt_without_the_required_witness_proves_nothing(verify, receipt, witness_vkey):
    found = verify("receipt", receipt, "--witness", witness_vkey)
    assert found == (CANNOT_VERIFY, ["witness-missing"])


# Checkpoints and their witnesses


@pytest.fixture
def checkpoint(operator, leaves):
    return operator.sign(leaves)


@pytest.fixture
def witness_vkey(new_key):
    return NoteKey.of_witness(WITNESS, new_key("witness").public_key()).vkey


@pytest.fixture
def cosigned(checkpoint, new_key):
    return checkpoint + cosign(checkpoint, WITNESS, new_key("witness"), AT)


@pytest.fixture
def verify_text(tmp_path, verify):
    def verify_text(text, *arguments, **options):
        path = tmp_path / "a-checkpoint"
        path.write_text(text, "utf-8")
        return verify("checkpoint", path, *arguments, **options)

    return verify_text


def test_a_signed_checkpoint_is_sound(checkpoint, verify_text):
    assert verify_text(checkpoint) == (SOUND, [])


def test_a_cosigned_checkpoint_is_sound(cosigned, witness_vkey, verify_text):
    assert verify_text(cosigned, "--witness", witness_vkey) == (SOUND, [])


def test_a_missing_witness_proves_nothing(checkpoint, witness_vkey, verify_text):
    found = verify_text(checkpoint, "--witness", witness_vkey)
    assert found == (CANNOT_VERIFY, ["witness-missing"])


def test_a_witness_with_the_log_s_own_key_proves_nothing(checkpoint, operator, verify_text):
    text = checkpoint + cosign(checkpoint, WITNESS, operator.key, AT)
    vkey = NoteKey.of_witness(WITNESS, operator.key.public_key()).vkey
    assert verify_text(text, "--witness", vkey) == (CANNOT_VERIFY, ["witness-missing"])


def test_one_witness_named_twice_counts_once(cosigned, witness_vkey, verify_text):
    asked = ("--witness", witness_vkey, "--witness", witness_vkey)
    assert verify_text(cosigned, *asked) == (CANNOT_VERIFY, ["witness-missing"])


def test_a_cosignature_of_another_checkpoint_is_a_violation(
    cosigned, witness_vkey, verify_text, operator, leaves
):
    moved = operator.sign(leaves[:3]) + cosigned.splitlines()[-1] + "\n"
    found = verify_text(moved, "--witness", witness_vkey)
    assert found == (VIOLATION, ["forged-cosignature"])


def test_a_checkpoint_of_another_log_proves_nothing(checkpoint, operator, verify_text):
    other = NoteKey.of_log("other.example/log", operator.key.public_key()).vkey
    assert verify_text(checkpoint, vkey=other) == (CANNOT_VERIFY, ["untrusted"])


@pytest.mark.parametrize("vkey", ["nonsense", ""])
def test_a_key_that_is_no_key_proves_nothing(checkpoint, verify_text, vkey):
    assert verify_text(checkpoint, vkey=vkey) == (CANNOT_VERIFY, ["bad-key"])


def test_a_witness_s_key_in_place_of_the_log_s_proves_nothing(cosigned, witness_vkey, verify_text):
    assert verify_text(cosigned, vkey=witness_vkey) == (CANNOT_VERIFY, ["bad-key"])


def test_a_log_s_key_in_place_of_a_witness_s_proves_nothing(cosigned, operator, verify_text):
    assert verify_text(cosigned, "--witness", operator.vkey) == (CANNOT_VERIFY, ["bad-key"])


def test_a_witness_s_key_that_is_no_key_proves_nothing(cosigned, verify_text):
    assert verify_text(cosigned, "--witness", "nonsense") == (CANNOT_VERIFY, ["bad-key"])


def test_a_receipt_too_long_to_read_proves_nothing(verify, receipt):
    receipt.write_bytes(b" " * 1_048_577)
    assert verify("receipt", receipt) == (CANNOT_VERIFY, ["no-file"])
