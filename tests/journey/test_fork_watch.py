"""A store holds the cooperative to one log, alone: it keeps what proves two, and stops sharing."""

import json

import pytest

from consents.canonical import base64_text
from consents.tlog.checkpoint import verify_checkpoint
from consents.tlog.log import ConsentLog, MemoryNodes
from coop_aggregator.db import log as log_db
from personal_store.choices import fork_watch, own_log
from personal_store.db import checkpoints
from personal_store.db.connection import reading
from personal_store.errors import LogForked
from personal_store.transport import Answer


@pytest.fixture
def settled(resident):
    """Return a resident whose consent is logged, and whose store has seen the log."""
    resident.give()
    resident.hand_over()
    return resident


@pytest.fixture
def rewritten(leader):
    """Return a log signed with the operator's own key, without its first entry."""
    with leader.database.read() as connection:
        leaves = log_db.leaf_range(connection, start=0, end=1000)
    log = ConsentLog(MemoryNodes(), leader.who.origin, leader.keys.log)
    for leaf in leaves[1:] + leaves[:1] + leaves[1:]:
        log.append(leaf.encode())
    return log


def showing(network, log, monkeypatch):
    """Have the cooperative answer from another log of its own, proofs included."""
    serve = type(network).exchange

    def exchange(self, method, path, body):
        if not path.startswith("/v1/log/consistency"):
            return serve(self, method, path, body)
        old = int(path.partition("=")[2].partition("&")[0])
        document = {"checkpoint": log.checkpoint(), "hashes": _proof(log, old)}
        return Answer(status=200, body=json.dumps(document).encode())

    monkeypatch.setattr(type(network), "exchange", exchange)


def _proof(log, old):
    return [base64_text(node) for node in log.consistency(old)]


def kept_fork(resident):
    with reading(resident.store.engine) as connection:
        return checkpoints.fork_of(connection, resident.member.url)


def test_a_log_that_grows_honestly_is_never_accused(settled, join):
    for _ in range(3):
        other = join()
        other.give()
        other.hand_over()
        settled.withdraw()
        settled.hand_over()
        settled.give()
        settled.hand_over()
    assert kept_fork(settled) is None


def test_4_a_rewritten_log_is_found_out_with_evidence_that_its_own_key_signed(
    settled, rewritten, network, monkeypatch
):
    showing(network, rewritten, monkeypatch)
    with pytest.raises(LogForked):
        settled.hand_over()
    notes = json.loads(kept_fork(settled))["checkpoints"]
    roots = [verify_checkpoint(note, settled.member.log_vkey).root for note in notes]
    assert len(set(roots)) == 2


def test_4_nothing_is_contributed_after_a_fork(settled, rewritten, network, monkeypatch, task):
    settled.travel(train=3.0)
    settled.preview(task)
    showing(network, rewritten, monkeypatch)
    with pytest.raises(LogForked):
        settled.hand_over()
    with pytest.raises(LogForked):
        settled.send(task)


def test_withdrawing_still_works_after_a_fork(settled, rewritten, network, monkeypatch):
    showing(network, rewritten, monkeypatch)
    with pytest.raises(LogForked):
        settled.hand_over()
    settled.withdraw()
    with pytest.raises(LogForked):
        settled.hand_over()
    assert settled.chains()[0][-1].promise is not None


def test_9_a_log_that_lost_entries_is_found_out(settled, leader, network, monkeypatch):
    short = ConsentLog(MemoryNodes(), leader.who.origin, leader.keys.log)
    with leader.database.read() as connection:
        short.append(log_db.leaf_range(connection, start=0, end=1)[0].encode())
    serve = type(network).exchange

    def exchange(self, method, path, body):
        if path.startswith("/v1/log/consistency"):
            return Answer(status=404, body=b"{}")
        if path.startswith("/v1/log/checkpoint"):
            return Answer(status=200, body=short.checkpoint().encode())
        return serve(self, method, path, body)

    monkeypatch.setattr(type(network), "exchange", exchange)
    with pytest.raises(LogForked):
        settled.hand_over()


def test_a_silent_cooperative_is_not_accused(settled):
    settled.network.down = True
    fork_watch.watch(settled.store, settled.member, [])
    assert kept_fork(settled) is None


def test_a_note_of_another_key_is_no_evidence(settled, rewritten):
    size = str(verify_checkpoint(rewritten.checkpoint(), settled.member.log_vkey).size)
    forged = rewritten.checkpoint().replace(f"\n{size}\n", "\n2\n", 1)
    fork_watch.watch(settled.store, settled.member, [forged])
    assert kept_fork(settled) is None


def test_the_evidence_is_written_beside_the_receipts(
    settled, rewritten, network, monkeypatch, tmp_path
):
    showing(network, rewritten, monkeypatch)
    with pytest.raises(LogForked):
        settled.hand_over()
    names = {path.name for path in own_log.write_receipts(settled.store, tmp_path / "kept")}
    assert {"fork.json", "fork-1.checkpoint", "fork-2.checkpoint"} <= names
