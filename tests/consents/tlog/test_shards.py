"""The turn from one year's log to the next: what binds them, and every handover that is refused."""

import hashlib
import json
from dataclasses import replace

import pytest

from consents.canonical import canonical_bytes
from consents.errors import ChainError, ChainFault, HandoverError, HandoverFault, LogError
from consents.jws import thumbprint
from consents.records.chain import extend
from consents.records.decision import Reason, permitted
from consents.records.receipt import EventType, LeafPayload, leaf_sha256, read_event, sign_event
from consents.tlog.checkpoint import NoteKey, read_checkpoint
from consents.tlog.log import ConsentLog, MemoryNodes
from consents.tlog.shards import (
    NO_PURPOSE,
    Handover,
    check_name,
    closing_digest,
    opening_digest,
    shard_origin,
    shard_year,
)

OLD = "coop.example/log/2026"
NEW = "coop.example/log/2027"
AT = "2027-01-01T00:00:00Z"


class Year:
    """One year's log in memory, with the operator's key."""

    def __init__(self, origin, key, *, earlier=()):
        self.origin = origin
        self.key = key
        self.log = ConsentLog(MemoryNodes(), origin, key, earlier=earlier)
        self.leaves = []

    @property
    def vkey(self):
        return self.log.vkey

    def say(self, kind, digest, *, key=None):
        """Log an operator's leaf that commits to `digest`."""
        signer = self.key if key is None else key
        payload = LeafPayload(
            t=kind,
            o=self.origin,
            cid=hashlib.sha256(self.origin.encode()).hexdigest()[:32],
            n=len(self.leaves),
            p=leaf_sha256(self.leaves[-1]) if self.leaves else "",
            pd=NO_PURPOSE,
            c=digest,
            at=AT,
            kid=thumbprint(signer.public_key()),
        )
        self.leaves.append(sign_event(payload, signer))
        return self.log.append(self.leaves[-1])


@pytest.fixture
def old(new_key):
    year = Year(OLD, new_key("2026"))
    for count in range(5):
        year.say(EventType.PURPOSE_PUBLISHED, f"{count:064x}")
    return year


@pytest.fixture
def new(new_key, old):
    return Year(NEW, new_key("2027"), earlier=(old.origin,))


def joined(old, new, *, closing=None, opening=None):
    """Close one log and open the other; return what hands over."""
    last = old.say(EventType.SHARD_CLOSED, closing or closing_digest(new.vkey))
    final = read_checkpoint(old.log.checkpoint())
    first = new.say(EventType.SHARD_OPENED, opening or opening_digest(old.vkey, final))
    return Handover(
        closing=old.log.receipt(last), opening=new.log.receipt(first), successor=new.vkey
    )


def fault_of(handover, vkey):
    with pytest.raises(HandoverError) as caught:
        handover.verify(vkey)
    return caught.value.fault


def test_control_an_honest_handover_gives_the_successor_and_the_final_size(old, new):
    found = joined(old, new).verify(old.vkey)
    assert (found.vkey, found.final.size, found.opened.origin) == (new.vkey, 6, NEW)


def test_a_handover_survives_being_written_and_read(old, new):
    handover = joined(old, new)
    assert Handover.parse(handover.to_bytes()) == handover


def test_a_later_checkpoint_of_the_new_log_may_prove_the_opening(old, new):
    handover = joined(old, new)
    new.say(EventType.PURPOSE_PUBLISHED, "11" * 32)
    grown = replace(handover, opening=new.log.receipt(0))
    assert grown.verify(old.vkey).opened.size == 2


def test_an_opening_that_binds_another_root_is_refused(old, new):
    final = read_checkpoint(old.log.checkpoint())
    handover = joined(old, new, opening=opening_digest(old.vkey, final))
    assert fault_of(handover, old.vkey) is HandoverFault.PREDECESSOR


def test_an_opening_that_binds_another_log_is_refused(old, new, new_key):
    stranger = NoteKey.of_log(OLD, new_key("stranger").public_key()).vkey
    handover = joined(old, new)
    assert fault_of(handover, stranger) is HandoverFault.PROOF


def test_a_closing_that_names_another_successor_is_refused(old, new, new_key):
    other = NoteKey.of_log(NEW, new_key("other").public_key()).vkey
    handover = joined(old, new, closing=closing_digest(other))
    assert fault_of(handover, old.vkey) is HandoverFault.SUCCESSOR


def test_a_log_that_went_on_after_its_closing_hands_nothing_over(old, new):
    handover = joined(old, new)
    old.say(EventType.PURPOSE_PUBLISHED, "22" * 32)
    late = replace(handover, closing=old.log.receipt(handover.closing.index))
    assert fault_of(late, old.vkey) is HandoverFault.NOT_CLOSED


def test_any_other_last_leaf_closes_nothing(old, new):
    handover = joined(old, new)
    old.say(EventType.PURPOSE_PUBLISHED, closing_digest(new.vkey))
    late = replace(handover, closing=old.log.receipt(old.log.receipt(0).size - 1))
    assert fault_of(late, old.vkey) is HandoverFault.NOT_CLOSED


def test_a_closing_by_another_key_closes_nothing(old, new, new_key):
    old.say(EventType.SHARD_CLOSED, closing_digest(new.vkey), key=new_key("stranger"))
    final = read_checkpoint(old.log.checkpoint())
    new.say(EventType.SHARD_OPENED, opening_digest(old.vkey, final))
    handover = Handover(closing=old.log.receipt(5), opening=new.log.receipt(0), successor=new.vkey)
    assert fault_of(handover, old.vkey) is HandoverFault.NOT_CLOSED


def test_an_opening_in_the_middle_opens_nothing(old, new):
    new.say(EventType.PURPOSE_PUBLISHED, "33" * 32)
    assert fault_of(joined(old, new), old.vkey) is HandoverFault.NOT_OPENED


def test_a_proof_that_does_not_lead_to_the_root_is_refused(old, new):
    handover = joined(old, new)
    broken = replace(handover.closing, hashes=(bytes(32), *handover.closing.hashes[1:]))
    assert fault_of(replace(handover, closing=broken), old.vkey) is HandoverFault.PROOF


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("coop.example/log/2028", HandoverFault.NAME),
        ("coop.example/log/2026", HandoverFault.NAME),
        ("coop.example/log/2025", HandoverFault.NAME),
        ("other.example/log/2027", HandoverFault.NAME),
        ("coop.example/log", HandoverFault.NAME),
        ("coop.example/log/27", HandoverFault.NAME),
    ],
)
def test_a_successor_of_another_name_or_year_is_refused(old, new_key, name, fault):
    new = Year(name, new_key("2027"))
    assert fault_of(joined(old, new), old.vkey) is fault


def test_the_old_logs_key_cannot_sign_the_new_one(old):
    new = Year(NEW, old.key)
    assert fault_of(joined(old, new), old.vkey) is HandoverFault.SUCCESSOR


def test_a_witnesses_key_is_no_log(old, new_key):
    witness = NoteKey.of_witness(NEW, new_key("w").public_key()).vkey
    with pytest.raises(HandoverError):
        check_name(old.vkey, witness)


def test_a_first_log_without_a_year_may_begin_a_sequence(new_key):
    old = Year("coop.example/log", new_key("2026"))
    old.say(EventType.PURPOSE_PUBLISHED, "44" * 32)
    new = Year("coop.example/log/2031", new_key("2031"))
    assert joined(old, new).verify(old.vkey).vkey == new.vkey


@pytest.mark.parametrize(
    ("origin", "year", "name"),
    [
        ("coop.example/log", 2027, "coop.example/log/2027"),
        ("coop.example/log/2026", 2027, "coop.example/log/2027"),
        ("coop.example/log/9999", 2027, "coop.example/log/9999/2027"),
    ],
)
def test_a_yearly_log_is_named_by_its_year(origin, year, name):
    assert shard_origin(origin, year) == name
    assert shard_year(name) == year


@pytest.mark.parametrize(
    "change",
    [{"v": 2}, {"closing": ""}, {"opening": 1}, {"more": 1}, {"successor": None, "v": None}],
)
def test_another_file_is_no_handover(old, new, change):
    value = json.loads(joined(old, new).to_bytes())
    with pytest.raises(HandoverError):
        Handover.parse(canonical_bytes({**value, **change}))


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"x" * 1_048_577])
def test_what_is_not_json_is_no_handover(content):
    with pytest.raises(HandoverError):
        Handover.parse(content)


# What a chain may do across the years.


def given(key, origin, *, kind=EventType.GIVEN, before=None):
    payload = LeafPayload(
        t=kind,
        o=origin,
        cid="ab" * 16,
        n=0 if before is None else before.payload.n + 1,
        p="" if before is None else before.head,
        pd="cd" * 32,
        c="ef" * 32,
        at=AT,
        kid=thumbprint(key.public_key()),
    )
    return read_event(sign_event(payload, key))


def test_a_consent_goes_on_in_the_next_log(new_key):
    first = given(new_key("resident"), OLD)
    last = given(new_key("resident"), NEW, kind=EventType.WITHDRAWN, before=first)
    state = extend(None, first, log_origin=OLD)
    assert extend(state, last, log_origin=NEW, earlier=(OLD,)).status is EventType.WITHDRAWN


def test_a_log_that_is_nobodys_successor_takes_no_other_logs_event(new_key):
    with pytest.raises(ChainError) as caught:
        extend(None, given(new_key("resident"), OLD), log_origin=NEW)
    assert caught.value.fault is ChainFault.ORIGIN


def test_an_event_for_the_next_log_does_not_stand_in_this_one(new_key):
    with pytest.raises(ChainError) as caught:
        extend(None, given(new_key("resident"), NEW), log_origin=OLD)
    assert caught.value.fault is ChainFault.ORIGIN


def test_a_replayed_first_event_does_not_begin_again_in_the_next_log(new_key):
    first = given(new_key("resident"), OLD)
    state = extend(None, first, log_origin=OLD)
    with pytest.raises(ChainError) as caught:
        extend(state, first, log_origin=NEW, earlier=(OLD,))
    assert caught.value.fault is ChainFault.COUNTER


@pytest.mark.parametrize(("earlier", "reason"), [((OLD,), Reason.COVERED), ((), Reason.WRONG_LOG)])
def test_a_use_is_covered_by_a_consent_of_the_year_before(new_key, earlier, reason):
    first = given(new_key("resident"), OLD)
    decision = permitted(
        [first],
        log_origin=NEW,
        earlier=earlier,
        purpose_digest="cd" * 32,
        epsilon_micro=1,
        now=first.payload.at_time,
    )
    assert decision.reason is reason


def test_a_late_leaf_comes_into_the_successors_tree_and_its_receipt_verifies(new, new_key):
    leaf = given(new_key("resident"), OLD).leaf
    receipt = new.log.receipt(new.log.append(leaf))
    assert receipt.verify(new.vkey, earlier=(OLD,)).leaf == leaf
    with pytest.raises(LogError):
        receipt.verify(new.vkey)


def test_a_leaf_of_a_stranger_s_log_comes_into_no_tree(new, new_key):
    with pytest.raises(LogError):
        new.log.append(given(new_key("resident"), "other.example/log").leaf)
