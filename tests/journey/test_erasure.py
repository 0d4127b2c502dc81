"""Erasure, end to end: what was said in clear is nowhere, and every old proof still verifies."""

import hmac
import json
import random
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature
from sqlcipher_pages import clear_bytes

from consents.canonical import base64url_bytes
from consents.records.erasure import sign_erasure
from consents.records.receipt import EventType, read_event
from coop_aggregator.db import log as log_db
from coop_aggregator.db import members as members_db
from coop_aggregator.db import reports as reports_db
from personal_store import cooperative as protocol
from personal_store.choices import erasing
from personal_store.db import consents
from personal_store.db.connection import reading
from personal_store.errors import GateClosed, StoreError, TransportError
from personal_store.vault import DATABASE_FILE


def store_bytes(resident) -> bytes:
    """Return everything in a store's folder in clear, free pages and journals included."""
    folder = resident.store.folder
    key = random.Random(int(folder.name.removeprefix("store-"))).randbytes(32)
    others = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    return clear_bytes(folder / DATABASE_FILE, key) + others


def coop_bytes(tmp_path) -> bytes:
    files = (path for path in (tmp_path / "coop").rglob("*") if path.is_file())
    return b"".join(path.read_bytes() for path in files)


@pytest.fixture
def said(resident):
    """Return the events of a resident who consented and withdrew, both logged."""
    resident.give()
    resident.hand_over()
    resident.withdraw()
    resident.hand_over()
    (chain,) = resident.chains()
    return chain


def erase(resident):
    erasing.erase(resident.store)
    return erasing.confirm(resident.store, resident.member)


def secrets_of(events):
    for event in events:
        yield event.body.to_bytes()
        yield event.body.record_id.encode()
        yield event.commitment_key


def test_12_neither_body_nor_key_nor_record_id_is_left_in_any_file(resident, said, tmp_path):
    planted = list(secrets_of(said))
    before = store_bytes(resident)
    assert all(secret in before for secret in planted)
    erase(resident)
    after, theirs = store_bytes(resident), coop_bytes(tmp_path)
    assert not any(secret in after or secret in theirs for secret in planted)
    assert not any(secret.hex().encode() in theirs for secret in planted)


def test_the_oracle_reads_the_database_itself_and_not_only_its_journal(resident, said):
    with resident.store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    assert said[0].commitment_key in store_bytes(resident)


def test_12_every_old_proof_still_verifies(resident, said):
    erase(resident)
    (after,) = resident.chains()
    for before, event in zip(said, after, strict=True):
        assert event.signed.leaf == before.signed.leaf
        event.receipt.verify(resident.member.log_vkey)
        assert event.body is None


def test_12_the_log_says_which_leaves_were_emptied(resident, said, leader):
    erase(resident)
    with leader.database.read() as connection:
        kept = log_db.all_operator_bodies(connection)
        leaves = log_db.leaf_range(connection, start=0, end=100)
    shredded = [
        json.loads(each.body)["target"]
        for each in kept
        if read_event(leaves[each.position].encode()).payload.t is EventType.BODY_SHREDDED
    ]
    assert shredded == [sha256(event.signed.leaf).hexdigest() for event in said]


def test_the_cooperative_no_longer_knows_whose_consent_it_was(resident, said, leader):
    erase(resident)
    with leader.database.read() as connection:
        holder = members_db.consent_holder(connection, said[0].signed.payload.cid)
    assert holder.member_id is None


def test_a_report_that_was_not_counted_is_erased_with_its_consent(resident, task, leader):
    resident.give()
    resident.travel(train=3.0)
    resident.hand_over()
    resident.send(task)
    resident.withdraw()
    erase(resident)
    with leader.database.read() as connection:
        assert reports_db.report_count(connection, task.digest) == 0


def test_a_consent_in_force_is_not_erased(resident):
    resident.give()
    with pytest.raises(GateClosed, match="retirez"):
        erasing.erase(resident.store)
    assert resident.chains()[0][0].body is not None


def test_a_stranger_s_request_erases_nothing(resident, said):
    request = sign_erasure(
        cid=said[0].signed.payload.cid,
        origin=resident.member.log_origin,
        key=resident.member.member_key,
    )
    with pytest.raises(TransportError, match="clé de cet accord"):
        protocol.erase(resident.network, resident.member, request=request, leaves=[])


def test_what_was_erased_without_network_is_logged_later_and_once(resident, said, leader):
    erasing.erase(resident.store)
    resident.network.losing_answers = True
    with pytest.raises(TransportError):
        erasing.confirm(resident.store, resident.member)
    resident.network.losing_answers = False
    assert erasing.confirm(resident.store, resident.member).consents == 1
    with leader.database.read() as connection:
        assert leader.log(connection).size() == 1 + len(said) + len(said)
    with reading(resident.store.engine) as connection:
        assert consents.every(connection)[0].erasure is not None


@pytest.mark.usefixtures("said")
def test_erasing_again_has_nothing_to_do(resident):
    erase(resident)
    with pytest.raises(StoreError, match="Rien à effacer"):
        erasing.erase(resident.store)


def guessed(event, guesses):
    """Tell whether a guess at the body, without its key, agrees with leaf or signature."""
    signature = base64url_bytes(event.signed.leaf.split(b".")[2].decode())
    for key, body in guesses:
        if hmac.new(key, body, sha256).hexdigest() == event.signed.payload.c:
            return True
        try:
            if key == b"":
                event.signed.public_key.verify(signature, body)
                return True
        except InvalidSignature:
            continue
    return False


def dictionary(event, count):
    """Yield the very body under guessed keys: the hardest case, where only the key is unknown."""
    body = event.body.to_bytes()
    yield b"", body
    rng = random.Random(7)
    for number in range(count):
        yield (number.to_bytes(32, "big") if number % 2 else rng.randbytes(32)), body


@pytest.mark.parametrize(
    "count", [1_000, pytest.param(1_000_000, marks=pytest.mark.slow)], ids=["sample", "million"]
)
def test_12_who_guesses_the_very_body_cannot_tell_that_it_is_the_one(said, count):
    assert guessed(said[0], [(said[0].commitment_key, said[0].body.to_bytes())])
    assert not guessed(said[0], dictionary(said[0], count))
