"""Promises to merge and drop-box slips."""

from datetime import UTC, datetime, timedelta

import pytest

from consents.canonical import canonical_bytes
from consents.errors import LeafError, PromiseError
from consents.jws import sign_jws, thumbprint
from consents.tlog import merkle
from consents.tlog.promise import (
    MAX_MERGE_DELAY,
    check_promise,
    drop_box_slip,
    promise,
    read_promise,
    read_slip,
)

NOW = datetime(2026, 11, 9, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def key(new_key):
    return new_key("log")


@pytest.fixture
def kid(key):
    return thumbprint(key.public_key())


@pytest.fixture
def leaf(resident):
    return resident.say("consent.given")[0].leaf


def test_a_promise_says_which_leaf_when_received_and_merged_by_when(key, kid, leaf):
    said = read_promise(promise(leaf, key, now=NOW, delay=HOUR), kid=kid)
    assert (said.leaf_hash, said.received_at, said.merge_by) == (
        merkle.leaf_hash(leaf).hex(),
        NOW,
        NOW + HOUR,
    )


def test_a_promise_by_another_key_is_refused(new_key, kid, leaf):
    with pytest.raises(PromiseError):
        read_promise(promise(leaf, new_key("other"), now=NOW, delay=HOUR), kid=kid)


def test_a_promise_of_more_than_an_hour_is_not_made(key, leaf):
    with pytest.raises(PromiseError):
        promise(leaf, key, now=NOW, delay=MAX_MERGE_DELAY + timedelta(seconds=1))


def test_a_store_refuses_a_promise_for_another_leaf(key, kid, leaf, resident):
    other = resident.sign("consent.withdrawn").leaf
    with pytest.raises(PromiseError):
        check_promise(promise(other, key, now=NOW, delay=HOUR), leaf, kid=kid, now=NOW)


def test_a_store_refuses_a_promise_from_last_year(key, kid, leaf):
    with pytest.raises(PromiseError):
        check_promise(
            promise(leaf, key, now=NOW, delay=HOUR), leaf, kid=kid, now=NOW + timedelta(days=365)
        )


def test_an_event_handed_over_again_keeps_its_first_promise(key, kid, leaf):
    token, later = promise(leaf, key, now=NOW, delay=HOUR), NOW + timedelta(days=3)
    assert check_promise(token, leaf, kid=kid, now=later, since=NOW).received_at == NOW
    with pytest.raises(PromiseError):
        check_promise(token, leaf, kid=kid, now=later, since=NOW + timedelta(days=1))


def test_a_store_accepts_the_promise_it_asked_for(key, kid, leaf):
    token = promise(leaf, key, now=NOW, delay=HOUR)
    assert check_promise(token, leaf, kid=kid, now=NOW + timedelta(seconds=3)).merge_by > NOW


def test_a_leaf_is_never_read_as_a_promise(resident, leaf):
    with pytest.raises(PromiseError):
        read_promise(leaf, kid=resident.kid)


def test_a_slip_is_never_read_as_a_promise(key, kid, leaf):
    with pytest.raises(PromiseError):
        read_promise(drop_box_slip(leaf, key, now=NOW), kid=kid)


@pytest.mark.parametrize(
    "content",
    [
        {"v": 2, "leaf_hash": "ab" * 32, "received_at": "x", "merge_by": "x"},
        {"v": 1, "leaf_hash": 7, "received_at": "x", "merge_by": "x"},
        {
            "v": 1,
            "leaf_hash": "AB" * 32,
            "received_at": "2026-11-09T08:00:00Z",
            "merge_by": "2026-11-09T08:00:00Z",
        },
        {
            "v": 1,
            "leaf_hash": "ab" * 32,
            "received_at": "2026-11-09T08:00:00Z",
            "merge_by": "2027-11-09T08:00:00Z",
        },
        {"v": 1, "leaf_hash": "ab" * 32, "received_at": "2026-11-09", "merge_by": "2026-11-09"},
        ["v"],
    ],
)
def test_another_form_of_promise_is_refused(key, kid, content):
    with pytest.raises(PromiseError):
        read_promise(sign_jws(canonical_bytes(content), key), kid=kid)


def test_a_slip_carries_the_event_and_when_the_steward_had_it(new_key, leaf):
    steward = new_key("steward")
    slip = read_slip(drop_box_slip(leaf, steward, now=NOW), kid=thumbprint(steward.public_key()))
    assert (slip.event.leaf, slip.received_at) == (leaf, NOW)


def test_a_slip_for_what_is_no_event_is_not_given(new_key):
    with pytest.raises(LeafError):
        drop_box_slip(b"not a leaf", new_key("steward"), now=NOW)


def test_a_slip_by_a_stranger_is_refused(new_key, leaf, kid):
    with pytest.raises(PromiseError):
        read_slip(drop_box_slip(leaf, new_key("stranger"), now=NOW), kid=kid)
