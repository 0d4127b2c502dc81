"""Signatures judged by a program that is not ours: OpenSSL, from raw bytes and a raw key."""

import base64
import shutil
import subprocess
from datetime import UTC, datetime

import pytest

from consents.jws import read_jws
from consents.tlog.checkpoint import cosign

# An Ed25519 SubjectPublicKeyInfo before the 32 bytes of the key (RFC 8410 section 10.1).
SPKI = bytes.fromhex("302a300506032b6570032100")


@pytest.fixture
def openssl(tmp_path):
    """Return whether OpenSSL accepts an Ed25519 signature."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("no OpenSSL on this machine")

    def accepts(message, signature, public_key):
        for name, content in (
            ("key.der", SPKI + public_key),
            ("message", message),
            ("signature", signature),
        ):
            (tmp_path / name).write_bytes(content)
        command = [program, "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER"]
        for option, name in (("-inkey", "key.der"), ("-in", "message"), ("-sigfile", "signature")):
            command += [option, str(tmp_path / name)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    return accepts


def signature_line(note, number):
    text, _, block = note.rpartition("\n\n")
    blob = base64.b64decode(block.split("\n")[number].split(" ")[2])
    return (text + "\n").encode(), blob[4:]


def raw(key):
    return key.public_key().public_bytes_raw()


def test_a_checkpoint_verifies(openssl, operator, leaves):
    text, signature = signature_line(operator.sign(leaves), 0)
    assert openssl(text, signature, raw(operator.key))


def test_two_checkpoints_of_one_size_are_evidence_that_openssl_alone_confirms(
    openssl, operator, leaves
):
    views = [operator.sign(leaves), operator.sign([leaves[1], leaves[0], *leaves[2:]])]
    read = [signature_line(view, 0) for view in views]
    assert all(openssl(*each, raw(operator.key)) for each in read)
    (first, _), (second, _) = read
    assert first.split(b"\n")[:2] == second.split(b"\n")[:2]
    assert first != second


def test_a_cosignature_verifies_over_its_time_and_the_checkpoint(
    openssl, operator, leaves, new_key
):
    key = new_key("steward")
    note = operator.sign(leaves)
    note += cosign(note, "steward.example", key, datetime(2026, 11, 9, 8, tzinfo=UTC))
    text, stamped = signature_line(note, 1)
    time = int.from_bytes(stamped[:8], "big")
    message = b"cosignature/v1\ntime %d\n" % time + text
    assert openssl(message, stamped[8:], raw(key))


def test_a_leaf_verifies(openssl, leaves):
    signed, _, encoded = leaves[0].rpartition(b".")
    signature = base64.urlsafe_b64decode(encoded + b"==")
    assert openssl(signed, signature, read_jws(leaves[0]).public_key.public_bytes_raw())


def test_control_a_changed_checkpoint_does_not_verify(openssl, operator, leaves):
    text, signature = signature_line(operator.sign(leaves), 0)
    assert not openssl(text.replace(b"\n4\n", b"\n3\n"), signature, raw(operator.key))
