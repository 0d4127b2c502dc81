"""The other side of the wire may lie, ramble or break: a store believes keys, not answers."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contributions.jws import public_jwk
from contributions.messages import Enrolment, read_membership
from contributions.task import TrustMode, sign_task
from personal_store import cooperative as protocol
from personal_store.errors import TransportError
from personal_store.transport import Answer

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


def answer(status, document) -> Answer:
    return Answer(status=status, body=json.dumps(document).encode())


@pytest.fixture
def enrolled(cooperative):
    """Return the honest answer to an enrolment."""
    return {
        "member_id": "member-1",
        "log_vkey": cooperative.log.vkey,
        "log_origin": cooperative.origin,
        "task_key_jwk": public_jwk(cooperative.task_key.public_key()),
        "keepers": [],
    }


def enrol(cooperative):
    return protocol.enrol(
        cooperative, url=cooperative.url, code="ABCD", zone="17300", member_key=KEY
    )


def test_enrolling_pins_the_keys_of_the_answer(cooperative, enrolled) -> None:
    cooperative.scripted["/v1/enrolments"] = answer(201, enrolled)
    membership = enrol(cooperative)
    assert membership.log_vkey == cooperative.log.vkey
    assert membership.task_key == cooperative.task_key.public_key()
    assert membership.zone == "17300"


def test_enrolling_tells_code_public_key_and_zone_and_nothing_else(cooperative, enrolled) -> None:
    cooperative.scripted["/v1/enrolments"] = answer(201, enrolled)
    enrol(cooperative)
    ((_, _, body),) = cooperative.requests
    expected = {"code": "ABCD", "member_jwk": public_jwk(KEY.public_key()), "zone": "17300"}
    assert json.loads(body) == expected
    assert Enrolment.parse(body).code == "ABCD"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("member_id", "../etc"),
        ("member_id", None),
        ("member_id", "\ud800"),
        ("log_vkey", "no key"),
        ("log_vkey", "cooperative.example+00000000+AAAA"),
        ("log_origin", "with spaces"),
        ("task_key_jwk", {"kty": "RSA"}),
        ("task_key_jwk", None),
    ],
)
def test_an_enrolment_answered_out_of_protocol_is_refused(
    cooperative, enrolled, member, value
) -> None:
    cooperative.scripted["/v1/enrolments"] = answer(201, enrolled | {member: value})
    with pytest.raises(TransportError, match="protocole"):
        enrol(cooperative)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"\xff", b"{", b"[" * 10_000],
    ids=["nothing", "a list", "no text", "cut", "too deep"],
)
def test_an_enrolment_answered_with_no_object_is_refused(cooperative, body) -> None:
    cooperative.scripted["/v1/enrolments"] = Answer(status=201, body=body)
    with pytest.raises(TransportError, match="protocole"):
        enrol(cooperative)


@pytest.mark.parametrize("status", [301, 400, 403, 422, 500, 503])
def test_a_refusal_is_told_in_the_words_of_the_cooperative(cooperative, status) -> None:
    problem = {"detail": "Code inconnu.", "detail_en": "Unknown code."}
    cooperative.scripted["/v1/enrolments"] = answer(status, problem)
    with pytest.raises(TransportError) as refusal:
        enrol(cooperative)
    assert refusal.value.fr.endswith("Code inconnu.")
    assert refusal.value.en.endswith("Unknown code.")


def test_a_refusal_without_words_gives_its_status(cooperative) -> None:
    cooperative.scripted["/v1/enrolments"] = Answer(status=502, body=b"<html>")
    with pytest.raises(TransportError, match="502"):
        enrol(cooperative)


@pytest.mark.parametrize(
    "hostile",
    ["\x1b[2J\x1b[31mlogin:", "a\nb\rc", "\u202etxt.exe", "x" * 10_000],
    ids=["escape", "lines", "right to left", "long"],
)
def test_the_words_of_a_refusal_can_neither_steer_a_terminal_nor_fill_it(
    cooperative, hostile
) -> None:
    problem = {"detail": hostile, "detail_en": hostile}
    cooperative.scripted["/v1/enrolments"] = answer(403, problem)
    with pytest.raises(TransportError) as refusal:
        enrol(cooperative)
    for said in (refusal.value.fr, refusal.value.en):
        assert said.isprintable()
        assert len(said) < 500


def test_a_refusal_whose_words_are_no_text_gives_its_status(cooperative) -> None:
    problem = {"detail": {"a": 1}, "detail_en": ["b"]}
    cooperative.scripted["/v1/enrolments"] = answer(403, problem)
    with pytest.raises(TransportError) as refusal:
        enrol(cooperative)
    assert refusal.value.fr.endswith("403")
    assert refusal.value.en.endswith("403")


def test_tasks_come_with_the_bytes_that_were_signed(cooperative) -> None:
    task = cooperative.ask(cooperative.publish())
    (signed,) = protocol.tasks(cooperative, cooperative.membership())
    assert signed.task == task
    assert signed.jws == cooperative.asked[0]


def test_a_task_that_another_key_signed_is_refused(cooperative) -> None:
    """J2: A store MUST refuse whatever the pinned keys do not sign."""
    task = cooperative.ask(cooperative.publish())
    cooperative.asked = [sign_task(task, KEY)]
    with pytest.raises(TransportError, match="protocole"):
        protocol.tasks(cooperative, cooperative.membership())


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"tasks": None},
        {"tasks": [1]},
        {"tasks": ["x"]},
        {"tasks": [{}]},
        {"tasks": {"jws": "x"}},
        {"tasks": [{"jws": "a.b.c"}]},
        {"tasks": [{"jws": "\ud800"}]},
    ],
    ids=str,
)
def test_a_list_of_tasks_out_of_protocol_is_refused(cooperative, document) -> None:
    cooperative.scripted["/v1/tasks"] = answer(200, document)
    with pytest.raises(TransportError, match="protocole"):
        protocol.tasks(cooperative, cooperative.membership())


def test_a_purpose_is_the_bytes_of_its_digest(cooperative) -> None:
    purpose = cooperative.publish()
    assert protocol.purpose(cooperative, purpose.digest) == purpose.to_bytes()


def test_a_purpose_with_other_words_than_its_digest_is_refused(cooperative) -> None:
    purpose, other = cooperative.publish(), cooperative.publish(text_fr="Tout, toujours.")
    cooperative.purposes[purpose.digest] = other.to_bytes()
    with pytest.raises(TransportError, match="protocole"):
        protocol.purpose(cooperative, purpose.digest)


def test_bytes_that_have_the_digest_but_are_no_purpose_are_refused(cooperative) -> None:
    digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # of nothing
    cooperative.scripted[f"/v1/purposes/{digest}"] = Answer(status=200, body=b"")
    with pytest.raises(TransportError, match="protocole"):
        protocol.purpose(cooperative, digest)


def test_an_event_goes_with_the_word_of_the_member_key_for_it(cooperative) -> None:
    cooperative.scripted["/v1/events"] = answer(500, {})
    member = cooperative.membership()
    with pytest.raises(TransportError):
        protocol.log_event(cooperative, member, b"leaf", signed_at=NOW, now=NOW)
    ((_, _, body),) = cooperative.requests
    word = read_membership(json.loads(body)["membership"].encode())
    assert word.public_key == member.member_key.public_key()
    assert set(json.loads(body)) == {"leaf", "membership"}


@pytest.mark.parametrize("status", [403, 410, 422, 500])
def test_a_refused_report_is_no_sent_report(cooperative, status) -> None:
    cooperative.scripted["/v1/reports"] = answer(status, {"detail": "Non.", "detail_en": "No."})
    with pytest.raises(TransportError):
        protocol.send_report(cooperative, b"report")


def test_a_report_that_is_there_already_was_sent(cooperative) -> None:
    kind = "urn:mobilites-en-commun:report-refused:duplicate"
    cooperative.scripted["/v1/reports"] = answer(409, {"type": kind})
    protocol.send_report(cooperative, b"report")


def test_a_member_from_before_the_keepers_is_still_asked_local_questions(cooperative, keepers):
    """The other questions are signed by a helper whose key was never pinned: they are left out."""
    member = replace(cooperative.membership(), keepers=())
    purpose = cooperative.publish()
    cooperative.ask(purpose, trust_mode=TrustMode.TWO_KEEPERS)
    local = cooperative.ask(purpose, week="2026-W45")
    assert [each.task for each in protocol.tasks(cooperative, member)] == [local]
    assert len(protocol.tasks(cooperative, replace(member, keepers=keepers.cards))) == 2
