"""Leaves: signed once, read strictly, verified on the bytes received."""

import base64
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OKPKey

from consents.canonical import base64url_text, canonical_bytes
from consents.errors import ForgedLeaf, LeafError, MalformedLeaf
from consents.jws import public_jwk, public_key_of, read_jws, sign_jws, thumbprint
from consents.records.receipt import EventType, LeafPayload, leaf_sha256, read_event, sign_event


def parts(leaf):
    return leaf.decode().split(".")


def decoded(segment):
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def signed(resident, header, payload):
    """Sign any header and payload, valid or not, without the package's own signer."""
    start = f"{base64url_text(header)}.{base64url_text(payload)}"
    return f"{start}.{base64url_text(resident.key.sign(start.encode()))}".encode()


@pytest.fixture
def leaf(resident):
    return resident.sign("consent.given").leaf


@pytest.fixture
def header(leaf):
    return json.loads(decoded(parts(leaf)[0]))


@pytest.fixture
def payload(leaf):
    return json.loads(decoded(parts(leaf)[1]))


def test_a_leaf_comes_back_as_it_was_signed(resident):
    payload = resident.payload("consent.given")
    assert read_event(sign_event(payload, resident.key)).payload == payload


def test_a_leaf_verifies_with_another_reader_of_jws(leaf, resident):
    key = OKPKey.import_key(public_jwk(resident.key.public_key()))
    assert jws.deserialize_compact(leaf, key, ["Ed25519"]).headers()["alg"] == "Ed25519"


def test_a_leaf_s_signature_is_plain_ed25519_over_the_first_two_segments(leaf, resident):
    start, _, signature = leaf.decode().rpartition(".")
    resident.key.public_key().verify(decoded(signature), start.encode())


def test_the_thumbprint_is_that_of_the_published_example():
    """RFC 8037 appendix A.3."""
    key = public_key_of(
        {"crv": "Ed25519", "kty": "OKP", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    )
    assert thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_leaf_holds_the_members_of_the_design_and_no_other(payload):
    assert set(payload) == {"v", "t", "o", "cid", "n", "p", "pd", "c", "at", "kid"}


def test_a_leaf_is_not_signed_with_a_key_that_it_does_not_name(resident, new_key):
    with pytest.raises(ForgedLeaf, match="thumbprint"):
        sign_event(resident.payload("consent.given"), new_key("other"))


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_one_flipped_bit_spoils_a_leaf(new_resident, data):
    leaf = bytearray(new_resident().sign("consent.given").leaf)
    bit = data.draw(st.integers(0, len(leaf) * 8 - 1))
    leaf[bit // 8] ^= 1 << bit % 8
    with pytest.raises(LeafError):
        read_event(bytes(leaf))


def test_stray_bits_in_the_last_character_do_not_make_a_second_leaf(leaf):
    """86 characters carry 516 bits, a signature 512: the last four must be zero."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(chr(leaf[-1]))
    with pytest.raises(MalformedLeaf, match="signature"):
        read_event(leaf[:-1] + alphabet[last | 1].encode())


def test_a_key_swapped_under_the_signature_is_refused(leaf, new_key, header):
    other = new_key("other").public_key()
    swapped = canonical_bytes({**header, "jwk": public_jwk(other), "kid": thumbprint(other)})
    _, *rest = parts(leaf)
    with pytest.raises(ForgedLeaf, match="signature"):
        read_event(".".join([base64url_text(swapped), *rest]).encode())


def test_a_header_kid_that_is_not_the_key_s_thumbprint_is_refused(resident, header, payload):
    forged = signed(resident, canonical_bytes({**header, "kid": "x" * 43}), json_bytes(payload))
    with pytest.raises(ForgedLeaf, match="thumbprint"):
        read_event(forged)


def test_a_payload_that_names_another_key_is_refused(resident, header, payload):
    forged = signed(resident, json_bytes(header), json_bytes({**payload, "kid": "x" * 43}))
    with pytest.raises(ForgedLeaf, match="payload's kid"):
        read_event(forged)


def json_bytes(value):
    return json.dumps(value).encode()


def test_a_payload_in_another_json_spelling_is_read_alike(resident, header, payload):
    spaced = signed(resident, json_bytes(header), json.dumps(payload, indent=1).encode())
    assert read_event(spaced).payload == resident.payload("consent.given")


SPOILED_HEADERS = {
    "the deprecated name": {"alg": "EdDSA"},
    "no algorithm": {"alg": "none"},
    "a symmetric algorithm": {"alg": "HS256"},
    "an extension": {"crit": ["exp"]},
    "a private key": {"jwk": {"crv": "Ed25519", "kty": "OKP", "x": "AA", "d": "AA"}},
    "another curve": {"jwk": {"crv": "X25519", "kty": "OKP", "x": "AA"}},
    "a short key": {"jwk": {"crv": "Ed25519", "kty": "OKP", "x": "AA"}},
    "a key that is not base64": {"jwk": {"crv": "Ed25519", "kty": "OKP", "x": "!"}},
    "a key that is no object": {"jwk": "AA"},
}


@pytest.mark.parametrize("change", SPOILED_HEADERS.values(), ids=SPOILED_HEADERS)
def test_a_header_that_is_not_ours_is_malformed(resident, header, payload, change):
    with pytest.raises(MalformedLeaf):
        read_event(signed(resident, json_bytes({**header, **change}), json_bytes(payload)))


@pytest.mark.parametrize("header", [b"", b"[]", b'"text"', b'{"alg":"Ed25519","alg":"none"}'])
def test_a_header_that_is_no_plain_object_is_malformed(resident, header):
    with pytest.raises(MalformedLeaf):
        read_event(signed(resident, header, b"{}"))


SPOILED_PAYLOADS = {
    "another version": {"v": 2},
    "a version that is a truth value": {"v": True},
    "an unknown type": {"t": "consent.assumed"},
    "a type that is no text": {"t": ["consent.given"]},
    "an empty origin": {"o": ""},
    "an origin over two lines": {"o": "a\nb"},
    "a short consent id": {"cid": "00"},
    "a consent id in capitals": {"cid": "AB" * 16},
    "a consent id that is a number": {"cid": 1},
    "a negative counter": {"n": -1},
    "a counter that is a truth value": {"n": False},
    "a counter with a fraction": {"n": 0.0},
    "a counter beyond 53 bits": {"n": 2**53, "p": "00" * 32},
    "a first event with a previous": {"p": "00" * 32},
    "a later event without previous": {"n": 1},
    "a short purpose digest": {"pd": "00"},
    "a missing commitment": {"c": ""},
    "a time with an offset": {"at": "2026-11-09T07:30:00+00:00"},
    "a time that is a number": {"at": 0},
    "a short kid": {"kid": "x"},
    "a member too many": {"name": "somebody"},
}


@pytest.mark.parametrize("change", SPOILED_PAYLOADS.values(), ids=SPOILED_PAYLOADS)
def test_a_payload_that_breaks_the_schema_is_malformed(resident, header, payload, change):
    with pytest.raises(MalformedLeaf):
        read_event(signed(resident, json_bytes(header), json_bytes({**payload, **change})))


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"[" * 40_000])
def test_a_payload_that_is_no_payload_is_malformed(resident, header, content):
    with pytest.raises(MalformedLeaf):
        read_event(signed(resident, json_bytes(header), content))


@pytest.mark.parametrize("token", [b"", b"a.b", b"a.b.c.d", b"\xff.b.c", b"A" * 65_536])
def test_bytes_that_are_no_token_are_malformed(token):
    with pytest.raises(MalformedLeaf):
        read_event(token)


def test_a_leaf_longer_than_a_tile_entry_is_not_signed(resident):
    with pytest.raises(MalformedLeaf, match="65535"):
        sign_jws(bytes(50_000), resident.key)


def test_any_payload_can_be_signed_and_read_back(resident):
    assert read_jws(sign_jws(b"anything", resident.key)).payload == b"anything"


def test_the_next_event_refers_to_the_bytes_of_this_one(resident):
    event = resident.sign("consent.given")
    assert event.head == leaf_sha256(event.leaf)


def test_the_claimed_time_is_aware(resident):
    assert resident.payload("consent.given").at_time.utcoffset() is not None


def test_a_payload_type_must_be_an_event_type(resident):
    with pytest.raises(MalformedLeaf, match="event type"):
        replace(resident.payload("consent.given"), t="consent.given")


def test_the_operator_s_events_are_told_from_the_resident_s():
    assert [kind.value for kind in EventType if not kind.of_resident] == [
        "purpose.published",
        "batch.committed",
        "release.published",
        "body.shredded",
        "shard.closed",
        "shard.opened",
        "batch.erased",
    ]


def test_a_payload_is_signed_in_its_canonical_form(leaf):
    content = decoded(parts(leaf)[1])
    assert content == canonical_bytes(json.loads(content))


def test_payload_bytes_come_back(resident):
    payload = resident.payload("consent.given")
    assert LeafPayload.parse(payload.to_bytes()) == payload
