import base64
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws as joserfc_jws
from joserfc.jwk import OKPKey

from contributions import jws
from contributions.errors import Malformed, ReportMismatch, SignatureRefused, TrustModeNotServed
from contributions.messages import (
    REPORT_TYP,
    Enrolled,
    Enrolment,
    Membership,
    Report,
    check_report,
    read_membership,
    read_report,
    sign_membership,
    sign_report,
)
from contributions.task import TrustMode


def test_the_bytes_of_a_report_round_trip_byte_for_byte(make_report):
    report = make_report()
    assert Report.parse(report.to_bytes()) == report
    assert Report.parse(report.to_bytes()).to_bytes() == report.to_bytes()


def test_a_report_on_the_wire_is_these_fields_and_no_other(make_report, task):
    assert json.loads(make_report().to_bytes()) == {
        "v": 1,
        "report_id": "01" * 16,
        "task_digest": task.digest,
        "zone": "17300",
        "vector": [12, -3400, 0, 987, 5, 6, 7, -8],
        "cid": "02" * 16,
        "n": 3,
        "head": "cd" * 32,
        "pd": "ab" * 32,
        "epsilon_micro": 1_000_000,
        "at": "2026-11-17T00:00:00Z",
    }


def test_a_report_keeps_the_day_and_forgets_the_hour(make_report):
    late_in_paris = datetime(2026, 11, 18, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    assert make_report(at=late_in_paris).at == datetime(2026, 11, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"report_id": "01" * 15}, id="short report id"),
        pytest.param({"report_id": "0A" * 16}, id="uppercase report id"),
        pytest.param({"cid": 2}, id="a number for an id"),
        pytest.param({"task_digest": "x" * 64}, id="not hexadecimal"),
        pytest.param({"head": ""}, id="no head"),
        pytest.param({"pd": "ab" * 33}, id="long digest"),
        pytest.param({"zone": "-1"}, id="a formula for a zone"),
        pytest.param({"zone": "17300\n"}, id="a line break in a zone"),
        pytest.param({"vector": ()}, id="empty vector"),
        pytest.param({"vector": (0,) * 129}, id="long vector"),
        pytest.param({"vector": (2**53,)}, id="beyond RFC 8785"),
        pytest.param({"vector": (-(2**53),)}, id="below RFC 8785"),
        pytest.param({"vector": (1.0,)}, id="a float"),
        pytest.param({"vector": (True,)}, id="a boolean"),
        pytest.param({"n": -1}, id="negative counter"),
        pytest.param({"epsilon_micro": 0}, id="no privacy spent"),
        pytest.param({"at": datetime(2026, 11, 17)}, id="naive"),  # noqa: DTZ001
    ],
)
def test_a_report_out_of_bounds_is_refused(make_report, changes):
    with pytest.raises(Malformed):
        make_report(**changes)


@pytest.mark.parametrize("value", [2**53 - 1, 1 - 2**53])
def test_the_largest_integers_of_rfc_8785_travel(make_report, value):
    report = make_report(vector=(value,))
    assert Report.parse(report.to_bytes()).vector == (value,)


def _changed(report: Report, **changes: object) -> bytes:
    return json.dumps(
        json.loads(report.to_bytes()) | changes, sort_keys=True, separators=(",", ":")
    ).encode()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"extra": 1}, id="unknown key"),
        pytest.param({"v": 0}, id="another version"),
        pytest.param({"vector": "12"}, id="a text for a vector"),
        pytest.param({"vector": [1, None]}, id="a hole in a vector"),
        pytest.param({"at": "2026-11-17T09:30:12Z"}, id="an hour"),
        pytest.param({"at": 1_794_000_000}, id="a number for a time"),
        pytest.param({"n": "3"}, id="a text for a counter"),
    ],
)
def test_report_bytes_out_of_the_format_are_refused(make_report, changes):
    with pytest.raises(Malformed):
        Report.parse(_changed(make_report(), **changes))


def test_a_signed_report_comes_back_with_its_key(make_report, key):
    signed = read_report(sign_report(make_report(), key))
    assert signed.report == make_report()
    assert signed.public_key == key.public_key()
    assert signed.kid == jws.thumbprint(key.public_key())


def test_an_independent_library_verifies_our_signature(make_report, key):
    jwk = OKPKey.import_key(key.public_key())
    verified = joserfc_jws.deserialize_compact(
        sign_report(make_report(), key), jwk, algorithms=["Ed25519"]
    )
    assert verified.payload == make_report().to_bytes()
    assert verified.headers()["kid"] == jwk.thumbprint()


def test_we_verify_the_signature_of_an_independent_library(make_report, key):
    private = OKPKey.import_key(key)
    header = {
        "alg": "Ed25519",
        "jwk": jws.public_jwk(key.public_key()),
        "kid": private.thumbprint(),
        "typ": REPORT_TYP,
    }
    signed = joserfc_jws.serialize_compact(
        header, make_report().to_bytes(), private, algorithms=["Ed25519"]
    )
    assert read_report(signed.encode()).report == make_report()


def test_the_thumbprint_is_the_one_of_rfc_8037_appendix_a3():
    x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    public_key = jws.key_from_jwk({"kty": "OKP", "crv": "Ed25519", "x": x})
    assert jws.thumbprint(public_key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_no_flipped_bit_of_a_signed_report_is_accepted(make_report, key):
    signed = sign_report(make_report(), key)
    for place in range(0, len(signed), 7):
        for bit in (1, 4):
            forged = bytearray(signed)
            forged[place] ^= bit
            with pytest.raises((Malformed, SignatureRefused)):
                read_report(bytes(forged))


def _jws(header: dict[str, object], payload: bytes, key) -> bytes:
    def encode(data: bytes) -> bytes:
        return base64.urlsafe_b64encode(data).rstrip(b"=")

    head = encode(json.dumps(header, sort_keys=True, separators=(",", ":")).encode())
    signing_input = head + b"." + encode(payload)
    return signing_input + b"." + encode(key.sign(signing_input))


def _header(key, **changes: object) -> dict[str, object]:
    public = key.public_key()
    return {
        "alg": "Ed25519",
        "jwk": jws.public_jwk(public),
        "kid": jws.thumbprint(public),
        "typ": REPORT_TYP,
    } | changes


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"alg": "none"}, id="no algorithm"),
        pytest.param({"alg": "EdDSA"}, id="the deprecated name"),
        pytest.param({"typ": "mec-task+jws"}, id="another kind of message"),
        pytest.param({"crit": ["b64"], "b64": False}, id="critical extension"),
        pytest.param({"kid": "A" * 43}, id="a kid of another key"),
        pytest.param({"jwk": {"kty": "OKP", "crv": "Ed25519"}}, id="no key"),
        pytest.param({"jwk": {"kty": "OKP", "crv": "X25519", "x": "A" * 43}}, id="another curve"),
        pytest.param({"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 42}}, id="short key"),
        pytest.param({"jwk": "A" * 43}, id="a text for a key"),
    ],
)
def test_a_header_that_is_not_ours_is_refused(make_report, key, changes):
    assert read_report(_jws(_header(key), make_report().to_bytes(), key))
    with pytest.raises((Malformed, SignatureRefused)):
        read_report(_jws(_header(key, **changes), make_report().to_bytes(), key))


def test_a_signature_by_a_key_that_the_header_does_not_name_is_refused(make_report, key, other_key):
    with pytest.raises(SignatureRefused):
        read_report(_jws(_header(key), make_report().to_bytes(), other_key))


@pytest.mark.parametrize(
    "spelling",
    [
        pytest.param(lambda data: data + b"=", id="padding"),
        pytest.param(lambda data: data + b"\n", id="a line break after"),
        pytest.param(lambda data: data + b".x", id="a fourth part"),
        pytest.param(lambda data: data[: data.rindex(b".")], id="no signature"),
        pytest.param(lambda data: data[: data.rindex(b".") + 1], id="an empty signature"),
        pytest.param(lambda data: data[:-1], id="truncated"),
        pytest.param(lambda data: data[:-2] + b"AA", id="another ending"),
        pytest.param(lambda _data: b"", id="nothing"),
        pytest.param(lambda _data: b"A" * 40_000, id="too long"),
    ],
)
def test_a_second_spelling_of_a_signed_report_is_refused(make_report, key, spelling):
    with pytest.raises((Malformed, SignatureRefused)):
        read_report(spelling(sign_report(make_report(), key)))


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_a_report_or_malformed(data):
    with pytest.raises(Malformed):
        read_report(data)
    with pytest.raises(Malformed):
        Report.parse(data)


def test_a_report_that_answers_the_task_passes(make_report, task):
    check_report(make_report(), task)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"task_digest": "00" * 32}, id="another task"),
        pytest.param({"zone": "99999"}, id="a zone not asked about"),
        pytest.param({"vector": (0,) * 7}, id="a short vector"),
        pytest.param({"epsilon_micro": 999_999}, id="another epsilon"),
        pytest.param({"pd": "00" * 32}, id="another purpose"),
    ],
)
def test_a_report_that_answers_another_question_is_refused(make_report, task, changes):
    with pytest.raises(ReportMismatch):
        check_report(make_report(**changes), task)


def test_a_clear_report_to_a_two_keepers_task_is_refused(make_report, make_task):
    sealed = make_task(trust_mode=TrustMode.TWO_KEEPERS)
    with pytest.raises(TrustModeNotServed):
        check_report(make_report(task_digest=sealed.digest), sealed)


def test_a_signed_membership_comes_back_with_its_key(key):
    membership = Membership(member_id="m-1_a", leaf_sha256="ab" * 32)
    signed = read_membership(sign_membership(membership, key))
    assert signed.membership == membership
    assert signed.kid == jws.thumbprint(key.public_key())


def test_a_report_is_not_taken_for_a_membership(make_report, key):
    with pytest.raises(Malformed):
        read_membership(sign_report(make_report(), key))


@pytest.mark.parametrize(
    "fields",
    [
        {"member_id": "", "leaf_sha256": "ab" * 32},
        {"member_id": "a b", "leaf_sha256": "ab" * 32},
        {"member_id": "a" * 65, "leaf_sha256": "ab" * 32},
        {"member_id": "a", "leaf_sha256": "ab"},
    ],
)
def test_a_membership_out_of_bounds_is_refused(fields):
    with pytest.raises(Malformed):
        Membership(**fields)


def _enrolment(key) -> Enrolment:
    x = jws.public_jwk(key.public_key())["x"]
    return Enrolment(code="sésame-12", member_x=x, zone="17300")


def test_an_enrolment_round_trips(key):
    assert Enrolment.parse(_enrolment(key).to_bytes()) == _enrolment(key)
    spaced = json.dumps(json.loads(_enrolment(key).to_bytes()), indent=1).encode()
    assert Enrolment.parse(spaced) == _enrolment(key)


def test_an_enrolment_hides_its_code_in_its_repr(key):
    assert "sésame" not in repr(_enrolment(key))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"code": ""}, id="no code"),
        pytest.param({"code": "a" * 129}, id="long code"),
        pytest.param({"zone": "a b"}, id="no such zone code"),
        pytest.param({"member_jwk": {"kty": "RSA", "crv": "Ed25519", "x": "A" * 43}}, id="RSA"),
        pytest.param({"member_jwk": None}, id="no key"),
        pytest.param({"member_jwk": {"kty": "OKP", "crv": "Ed25519", "x": "A" * 42 + "B"}}, id="2"),
        pytest.param({"extra": 1}, id="unknown key"),
    ],
)
def test_an_enrolment_out_of_the_format_is_refused(key, changes):
    value = json.loads(_enrolment(key).to_bytes()) | changes
    with pytest.raises(Malformed):
        Enrolment.parse(json.dumps(value).encode())


def test_the_answer_to_an_enrolment_round_trips_with_its_task_key(key):
    enrolled = Enrolled(
        member_id="m1",
        log_vkey="log.example+01234567+AAAA",
        task_x=jws.public_jwk(key.public_key())["x"],
        log_origin="consents.example/2026",
    )
    assert Enrolled.parse(enrolled.to_bytes()) == enrolled
    assert enrolled.task_key == key.public_key()
