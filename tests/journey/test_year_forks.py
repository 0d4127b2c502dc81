"""What a cooperative may not show at the turn of the year, and what the store keeps of it."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.jws import thumbprint
from consents.records.receipt import EventType, LeafPayload, sign_event
from consents.tlog.checkpoint import NoteKey, read_checkpoint
from consents.tlog.checkpoint import cosign as line
from consents.tlog.log import ConsentLog, MemoryNodes
from consents.tlog.shards import NO_PURPOSE, Handover, closing_digest, opening_digest
from personal_store.choices import consenting, log_years
from personal_store.db import checkpoints
from personal_store.db.connection import reading
from personal_store.errors import LogForked, TransportError
from personal_store.transport import Answer
from tests.new_year import NEW, OLD, followed, forked

HANDOVERS = "/v1/log/handovers"
SECOND = Ed25519PrivateKey.from_private_bytes(b"2" * 32)


def showing(monkeypatch, network, *shown):
    """Have the cooperative show other handovers than its own."""
    serve = type(network).exchange
    document = {"handovers": [each.to_bytes().decode() for each in shown]}

    def exchange(self, method, path, body):
        if path == HANDOVERS:
            return Answer(status=200, body=json.dumps(document).encode())
        return serve(self, method, path, body)

    monkeypatch.setattr(type(network), "exchange", exchange)


def operators_leaf(kind, digest, *, origin, key, chain=()):
    payload = LeafPayload(
        t=kind,
        o=origin,
        cid="ab" * 16,
        n=len(chain),
        p="",
        pd=NO_PURPOSE,
        c=digest,
        at="2027-01-01T00:00:00Z",
        kid=thumbprint(key.public_key()),
    )
    return sign_event(payload, key)


@pytest.fixture
def second(leader, stewards):
    """Return a maker of another successor, signed and cosigned by everybody's real keys."""

    def second(*, origin=NEW, root=None, base=None, key=SECOND):
        vkey = NoteKey.of_log(origin, key.public_key()).vkey
        old = ConsentLog(MemoryNodes(), OLD, leader.keys.log)
        with leader.database.read() as connection:
            log = leader.log(connection)
            leaves = list(log.of(log.shards.every[0]).leaves())
        for leaf in leaves[:-1] if base is None else base:
            old.append(leaf)
        last = old.append(
            operators_leaf(
                EventType.SHARD_CLOSED, closing_digest(vkey), origin=OLD, key=leader.keys.log
            )
        )
        final = read_checkpoint(old.checkpoint())
        if root is not None:
            final = replace(final, root=root)
        new = ConsentLog(MemoryNodes(), origin, key)
        first = new.append(
            operators_leaf(
                EventType.SHARD_OPENED,
                opening_digest(leader.who.log_vkey, final),
                origin=origin,
                key=key,
            )
        )
        receipts = [old.receipt(last), new.receipt(first)]
        now = stewards.clock.now()
        cosigned = [
            replace(
                each,
                checkpoint=each.checkpoint
                + line(each.checkpoint, stewards.who.name, stewards.key, now),
            )
            for each in receipts
        ]
        return Handover(closing=cosigned[0], opening=cosigned[1], successor=vkey)

    return second


def test_a_successor_of_another_root_is_refused(settled, year, second, network, monkeypatch):
    year.turn()
    showing(monkeypatch, network, second(root=bytes(32)))
    with pytest.raises(TransportError):
        settled.hand_over()
    assert followed(settled).origins == (OLD,)


def test_a_log_of_another_name_is_refused(settled, year, second, network, monkeypatch):
    year.turn()
    showing(monkeypatch, network, second(origin="other.test/log/2027"))
    with pytest.raises(TransportError):
        settled.hand_over()
    assert followed(settled).origins == (OLD,)


def test_a_year_left_out_is_refused(settled, year, network, monkeypatch):
    year.turn()
    year.turn(at=datetime(2028, 1, 2, tzinfo=UTC))
    showing(monkeypatch, network, year.shown()[1])
    with pytest.raises(TransportError):
        settled.hand_over()
    assert followed(settled).origins == (OLD,)


def test_a_second_successor_is_a_fork_with_evidence(settled, year, second, network, monkeypatch):
    year.turn()
    settled.hand_over()
    showing(monkeypatch, network, second())
    with pytest.raises(LogForked):
        log_years.follow(settled.store, followed(settled))
    notes = json.loads(forked(settled))["checkpoints"]
    assert len({read_checkpoint(note).root for note in notes}) == 2


def test_a_closed_log_that_forgot_what_was_seen_is_a_fork(
    settled, year, second, network, monkeypatch
):
    year.turn()
    showing(monkeypatch, network, second(base=[]))
    with pytest.raises(LogForked):
        settled.hand_over()
    assert followed(settled).origins == (OLD,)


def test_a_fork_at_the_turn_does_not_hold_a_withdrawal_back(
    settled, year, second, network, monkeypatch
):
    year.turn()
    settled.hand_over()
    showing(monkeypatch, network, second())
    settled.withdraw()
    with pytest.raises(LogForked):
        consenting.hand_over(settled.store, followed(settled))
    (chain,) = settled.chains()
    assert chain[-1].receipt is not None


def test_a_handover_that_was_followed_cannot_be_taken_back(settled, year, network, monkeypatch):
    year.turn()
    settled.hand_over()
    showing(monkeypatch, network)
    with pytest.raises(TransportError):
        log_years.follow(settled.store, followed(settled))
    assert followed(settled).origins == (OLD, NEW)


@pytest.mark.parametrize("answer", [b"{}", b"[]", b'{"handovers": ["{}"]}', b'{"handovers": 1}'])
def test_an_answer_out_of_protocol_changes_nothing(settled, year, network, monkeypatch, answer):
    year.turn()
    serve = type(network).exchange

    def exchange(self, method, path, body):
        if path == HANDOVERS:
            return Answer(status=200, body=answer)
        return serve(self, method, path, body)

    monkeypatch.setattr(type(network), "exchange", exchange)
    with pytest.raises(TransportError):
        settled.hand_over()
    assert followed(settled).origins == (OLD,)


def test_the_same_successor_of_another_end_is_a_fork_with_evidence(
    settled, year, second, network, monkeypatch
):
    year.turn()
    settled.hand_over()
    showing(monkeypatch, network, second(base=[], key=year.leader.keys.of_log(1)))
    with pytest.raises(LogForked):
        log_years.follow(settled.store, followed(settled))
    notes = json.loads(forked(settled))["checkpoints"]
    assert len({read_checkpoint(note).root for note in notes}) == 2


def test_the_first_checkpoint_of_the_new_log_is_held_to(settled, year):
    year.turn()
    log_years.follow(settled.store, settled.member)
    with reading(settled.store.engine) as connection:
        (seen,) = checkpoints.unlinked(connection, settled.member.url)
    assert read_checkpoint(seen.note).origin == NEW
    settled.hand_over()
    assert forked(settled) is None


def test_a_handover_without_a_checkpoint_is_out_of_protocol(settled, year, network, monkeypatch):
    year.turn()
    settled.hand_over()
    (whole,) = year.shown()
    showing(monkeypatch, network, replace(whole, closing=replace(whole.closing, checkpoint="x")))
    with pytest.raises(TransportError, match="protocole"):
        log_years.follow(settled.store, followed(settled))
