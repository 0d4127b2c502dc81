"""Step 9: what the log says of a release, read back with the auditors' own verifier."""

import hashlib
import json

import pytest

from consents.__main__ import main as verify
from consents.canonical import commitment
from consents.records.receipt import EventType, read_event
from coop_aggregator.errors import AggregatorError
from coop_aggregator.tlog.export import export_log


def lines_of(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture
def exported(coop, tmp_path):
    for zone in "AAB":
        coop.resident(zone).send_report()
    coop.release()
    folder = tmp_path / "export"
    export_log(coop.leader, folder)
    return folder


def test_the_exported_log_passes_the_offline_verifier(coop, exported):
    assert verify(["verify", "log", str(exported), "--vkey", coop.leader.who.log_vkey]) == 0


def test_a_log_with_one_line_missing_fails_the_offline_verifier(coop, exported):
    entries = exported / "entries.jsonl"
    lines = entries.read_text().splitlines(keepends=True)
    entries.write_text("".join(lines[:2] + lines[3:]))
    assert verify(["verify", "log", str(exported), "--vkey", coop.leader.who.log_vkey]) == 2


def test_the_log_tells_purpose_batch_and_release_in_order(exported):
    leaves = [leaf.encode() for leaf in lines_of(exported / "entries.jsonl")]
    kinds = [read_event(leaf).payload.t for leaf in leaves]
    assert kinds == [
        EventType.PURPOSE_PUBLISHED,
        *[EventType.GIVEN] * 3,
        EventType.BATCH_COMMITTED,
        EventType.RELEASE_PUBLISHED,
    ]


def test_the_operator_s_commitments_open_to_what_was_published(coop, exported):
    leaves = [leaf.encode() for leaf in lines_of(exported / "entries.jsonl")]
    bodies = lines_of(exported / "operator.jsonl")
    for body in bodies:
        opened = commitment(
            key=bytes.fromhex(body["commitment_key"]), body=json.loads(body["body"])
        )
        assert read_event(leaves[body["position"]]).payload.c == opened
    released = json.loads(bodies[-1]["body"])["release_sha256"]
    with coop.leader.database.read() as connection:
        from_table = connection.exec_driver_sql("SELECT body FROM releases").scalar_one()
    assert released == hashlib.sha256(bytes(from_table)).hexdigest()


def test_a_folder_that_cannot_be_written_is_one_sentence(light_coop, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AggregatorError):
        export_log(light_coop.leader, tmp_path / "file" / "export")
