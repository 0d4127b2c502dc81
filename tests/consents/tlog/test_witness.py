"""The witness's step, status by status, in the order that the specification gives."""

import base64
import hashlib
from http import HTTPStatus

import pytest

from consents.errors import (
    Inconsistent,
    MalformedRequest,
    RootConflict,
    SizeConflict,
    UnknownLog,
    UntrustedLog,
    WitnessRefusal,
)
from consents.tlog import merkle
from consents.tlog.checkpoint import Checkpoint, sign_checkpoint
from consents.tlog.log import ConsentLog, MemoryLeaves
from consents.tlog.witness import AddCheckpoint, WitnessState, witness_step


def build(origin, key, names, new_resident):
    log = ConsentLog(MemoryLeaves(), origin, key)
    for name in names:
        log.append(new_resident(name, origin=origin).sign("consent.given").leaf)
    return log


@pytest.fixture
def log(origin, new_key, new_resident):
    return build(origin, new_key("log"), "abcdefg", new_resident)


def request_for(log, old_size, size=None):
    proof = tuple(log.consistency(old_size, size)) if old_size else ()
    return AddCheckpoint(old_size=old_size, proof=proof, checkpoint=log.checkpoint(size))


def state_at(log, size):
    return witness_step(None, request_for(log, 0, size), origin_vkey=log.vkey)


def refusal(state, request, vkey):
    with pytest.raises(WitnessRefusal) as caught:
        witness_step(state, request, origin_vkey=vkey)
    return caught.value


def test_the_first_checkpoint_of_a_log_is_accepted_without_proof(log, origin):
    state = state_at(log, 3)
    assert state == WitnessState(origin=origin, size=3, root=log.inclusion(0, 3).root)


@pytest.mark.parametrize("old_size", range(1, 7))
def test_a_log_that_only_appends_is_followed(log, old_size):
    state = witness_step(state_at(log, old_size), request_for(log, old_size), origin_vkey=log.vkey)
    assert state.size == 7


def test_the_same_checkpoint_again_is_accepted(log):
    state = state_at(log, 7)
    assert witness_step(state, request_for(log, 7), origin_vkey=log.vkey) == state


def test_an_empty_log_is_accepted(origin, new_key):
    log = ConsentLog(MemoryLeaves(), origin, new_key("log"))
    assert state_at(log, 0).root == merkle.EMPTY_ROOT


def test_a_log_is_followed_from_its_empty_tree(log):
    state = state_at(log, 0)
    assert witness_step(state, request_for(log, 0), origin_vkey=log.vkey).size == 7


def test_another_old_size_is_a_conflict_that_tells_the_right_one(log):
    found = refusal(state_at(log, 5), request_for(log, 3), log.vkey)
    assert isinstance(found, SizeConflict)
    assert (found.status, found.size) == (HTTPStatus.CONFLICT, 5)


def test_a_log_never_seen_conflicts_with_any_old_size_but_zero(log):
    found = refusal(None, request_for(log, 3), log.vkey)
    assert isinstance(found, SizeConflict)
    assert found.size == 0


def test_a_rollback_to_a_smaller_tree_is_refused(log):
    smaller = AddCheckpoint(old_size=5, proof=(), checkpoint=log.checkpoint(3))
    found = refusal(state_at(log, 5), smaller, log.vkey)
    assert isinstance(found, MalformedRequest)
    assert found.status == HTTPStatus.BAD_REQUEST


def test_a_rewritten_log_is_refused(log, origin, new_key, new_resident):
    """W1: A witness MUST cosign only what extends the last one it cosigned."""
    forged = build(origin, new_key("log"), "abXdefg", new_resident)
    found = refusal(state_at(log, 5), request_for(forged, 5), log.vkey)
    assert isinstance(found, Inconsistent)
    assert found.status == HTTPStatus.UNPROCESSABLE_ENTITY


def test_a_fork_at_the_same_size_is_refused(log, origin, new_key, new_resident):
    forged = build(origin, new_key("log"), "abcdefX", new_resident)
    found = refusal(state_at(log, 7), request_for(forged, 7), log.vkey)
    assert isinstance(found, RootConflict)
    assert found.status == HTTPStatus.CONFLICT


def test_a_proof_between_trees_of_one_size_is_refused(log):
    request = AddCheckpoint(old_size=7, proof=(bytes(32),), checkpoint=log.checkpoint())
    assert isinstance(refusal(state_at(log, 7), request, log.vkey), Inconsistent)


def test_a_proof_from_the_empty_tree_is_refused(log):
    request = AddCheckpoint(old_size=0, proof=(bytes(32),), checkpoint=log.checkpoint())
    assert isinstance(refusal(None, request, log.vkey), Inconsistent)


def test_an_empty_tree_with_another_root_is_refused(origin, log):
    text = sign_checkpoint(Checkpoint(origin=origin, size=0, root=bytes(32)), origin, log._key)
    request = AddCheckpoint(old_size=0, proof=(), checkpoint=text)
    assert isinstance(refusal(None, request, log.vkey), Inconsistent)


def test_a_missing_proof_is_refused(log):
    request = AddCheckpoint(old_size=5, proof=(), checkpoint=log.checkpoint())
    assert isinstance(refusal(state_at(log, 5), request, log.vkey), Inconsistent)


def test_an_unknown_origin_is_not_found(log, new_resident, new_key):
    other = build("other.example/log", new_key("log"), "abc", new_resident)
    found = refusal(None, request_for(other, 0), log.vkey)
    assert isinstance(found, UnknownLog)
    assert found.status == HTTPStatus.NOT_FOUND


def test_the_state_of_another_log_is_not_used(log):
    state = WitnessState(origin="other.example/log", size=0, root=merkle.EMPTY_ROOT)
    assert isinstance(refusal(state, request_for(log, 0), log.vkey), UnknownLog)


def test_a_checkpoint_by_an_unknown_key_is_forbidden(log, origin, new_key, new_resident):
    impostor = build(origin, new_key("impostor"), "abc", new_resident)
    found = refusal(None, request_for(impostor, 0), log.vkey)
    assert isinstance(found, UntrustedLog)
    assert found.status == HTTPStatus.FORBIDDEN


def test_a_false_signature_in_the_log_s_name_is_forbidden(log):
    request = request_for(log, 0)
    size_changed = request.checkpoint.replace("\n7\n", "\n8\n", 1)
    forged = AddCheckpoint(old_size=0, proof=(), checkpoint=size_changed)
    assert isinstance(refusal(None, forged, log.vkey), UntrustedLog)


def test_a_key_name_unlike_the_origin_is_configured_explicitly(new_key, origin):
    text = sign_checkpoint(
        Checkpoint(origin=origin, size=1, root=bytes(32)), "key.example", new_key("log")
    )
    vkey = "+".join(["key.example", *text_key(new_key("log"), "key.example")])
    request = AddCheckpoint(old_size=0, proof=(), checkpoint=text)
    assert witness_step(None, request, origin_vkey=vkey, origin=origin).size == 1


def text_key(key, name):
    """Write a vkey's id and key out once more, by hand."""
    material = b"\x01" + key.public_key().public_bytes_raw()
    key_id = hashlib.sha256(name.encode() + b"\n" + material).hexdigest()[:8]
    return key_id, base64.b64encode(material).decode()


def test_a_request_comes_back_from_its_bytes(log):
    request = request_for(log, 3)
    assert AddCheckpoint.parse(request.to_bytes()) == request


def test_a_request_tells_the_origin_it_claims(log, origin):
    assert request_for(log, 3).origin == origin


def test_a_request_is_written_as_the_specification_shows(log):
    request = request_for(log, 4, 5)
    encoded = base64.b64encode(request.proof[0]).decode()
    assert len(request.proof) == 1
    assert request.to_bytes().decode() == f"old 4\n{encoded}\n\n{request.checkpoint}"


NODE = base64.b64encode(bytes(32)).decode()
SPOILED = {
    "nothing": lambda _: b"",
    "no old size": lambda body: body.removeprefix(b"old 0\n"),
    "an old size with a leading zero": lambda body: body.replace(b"old 0", b"old 00", 1),
    "a negative old size": lambda body: body.replace(b"old 0", b"old -1", 1),
    "an old size beyond 63 bits": lambda body: body.replace(b"old 0", b"old " + b"9" * 19, 1),
    "two spaces": lambda body: body.replace(b"old 0", b"old  0", 1),
    "a short hash": lambda body: body.replace(b"old 0\n", b"old 0\nAAAA\n", 1),
    "a hash that is not base64": lambda body: body.replace(b"old 0\n", b"old 0\n!!\n", 1),
    "64 hashes": lambda body: body.replace(b"old 0\n", b"old 0\n" + f"{NODE}\n".encode() * 64, 1),
    "no empty line": lambda body: body.replace(b"\n\n", b"\n"),
    "no checkpoint": lambda _: b"old 0\n\n",
    "a checkpoint without signature": lambda body: body.rpartition(b"\n\n")[0],
    "another encoding": lambda body: body.decode().encode("utf-16"),
    "more than can be read": lambda body: body + b"x" * 300_000,
}


@pytest.mark.parametrize("change", SPOILED.values(), ids=SPOILED)
def test_a_request_that_breaks_the_format_is_malformed(log, change):
    with pytest.raises(MalformedRequest):
        AddCheckpoint.parse(change(request_for(log, 0).to_bytes()))


def test_63_hashes_can_be_read(log):
    body = request_for(log, 0).to_bytes()
    longest = body.replace(b"old 0\n", b"old 0\n" + f"{NODE}\n".encode() * 63, 1)
    assert len(AddCheckpoint.parse(longest).proof) == 63


def test_a_signature_line_that_breaks_the_format_is_malformed(log):
    broken = AddCheckpoint(old_size=0, proof=(), checkpoint=log.checkpoint() + "no line\n")
    assert isinstance(refusal(None, broken, log.vkey), MalformedRequest)
