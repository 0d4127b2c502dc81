"""The `.tlog-proof` file, held to its specification."""

import base64
from datetime import UTC, datetime

import pytest

from consents.errors import ProofError
from consents.tlog.checkpoint import NoteKey, cosign
from consents.tlog.log import ConsentLog, MemoryNodes
from consents.tlog.tlog_proof import TlogProof, tlog_proof


@pytest.fixture
def log(leaves, new_key, origin):
    log = ConsentLog(MemoryNodes(), origin, new_key("log"))
    log.append_batch(leaves)
    return log


@pytest.fixture
def text(log):
    return tlog_proof(log.receipt(1)).to_text()


def test_a_proof_is_written_line_by_line_as_specified(log, leaves):
    receipt = log.receipt(1)
    expected = "c2sp.org/tlog-proof@v1\n"
    expected += f"extra {base64.b64encode(leaves[1]).decode()}\nindex 1\n"
    for node in receipt.hashes:
        expected += base64.b64encode(node).decode() + "\n"
    assert tlog_proof(receipt).to_text() == expected + "\n" + log.checkpoint()


def test_a_proof_without_extra_data_has_no_extra_line(log):
    text = TlogProof(index=0, hashes=(), checkpoint=log.checkpoint()).to_text()
    assert text.split("\n")[1] == "index 0"


def test_a_proof_reads_back_as_it_was_written(text):
    assert TlogProof.parse(text).to_text() == text


def test_a_proof_verifies_against_the_logs_key(log, leaves, text):
    assert TlogProof.parse(text).receipt().verify(log.vkey).leaf == leaves[1]


def test_a_proof_of_another_leaf_does_not_verify(log, leaves, text):
    with pytest.raises(ProofError):
        TlogProof.parse(text).receipt(leaves[0]).verify(log.vkey)


def test_a_proof_verifies_on_the_command_line_with_its_witness(log, verify, new_key, tmp_path):
    key = new_key("steward")
    receipt = log.receipt(2)
    line = cosign(receipt.checkpoint, "steward.example", key, datetime(2026, 11, 9, tzinfo=UTC))
    file = tmp_path / "event.tlog-proof"
    file.write_text(tlog_proof(receipt, cosignatures=line).to_text(), "utf-8")
    witness = NoteKey.of_witness("steward.example", key.public_key()).vkey
    assert verify("receipt", file, "--witness", witness, vkey=log.vkey) == (0, [])


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("@v1", "@v2", 1),
        lambda text: text.replace("index 1", "index 01", 1),
        lambda text: text.replace("index 1\n", "", 1),
        lambda text: text.replace("\n\n", "\n", 1),
        lambda text: text.replace("extra ", "extra !", 1),
        lambda text: text.replace("index 1\n", "index 1\nAAAA\n", 1),
        lambda text: "\n" + text,
    ],
)
def test_another_spelling_of_a_proof_is_refused(text, change):
    with pytest.raises(ProofError):
        TlogProof.parse(change(text))
