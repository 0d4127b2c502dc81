"""What a personal store asks of the cooperative, and what it checks in the answers.

Enrolment, tasks, purposes, consent events and reports: each function sends one message of the
protocol and verifies what comes back against the keys pinned at enrolment. It keeps nothing; the
callers store.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NoReturn

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consents.checkpoint import NoteKey, verify_checkpoint
from consents.errors import ConsentsError
from consents.merkle import leaf_hash, verify_inclusion
from consents.record import Purpose
from contributions.errors import ContributionsError
from contributions.jws import public_jwk
from contributions.keeper import Keeper
from contributions.messages import Enrolled, Enrolment, sign_membership
from contributions.messages import Membership as MembershipStatement
from contributions.sealed_report import Upload
from contributions.task import Task, read_task
from personal_store.errors import StoreError, TransportError
from personal_store.transport import Answer, Transport

HTTP_OK = range(200, 300)
MAX_WORDS_LENGTH = 300  # of a refusal, which is shown as it came


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What enrolment gave: who we are to the cooperative, and the keys that we hold it to."""

    url: str
    member_id: str
    member_key: Ed25519PrivateKey
    zone: str
    log_origin: str
    log_vkey: str
    task_key: Ed25519PublicKey
    keepers: tuple[Keeper, ...] = ()

    @property
    def helper_key(self) -> Ed25519PublicKey | None:
        """The key of the second keeper, pinned at enrolment; None where there is none."""
        return self.keepers[1].sign_key if self.keepers else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTask:
    """A task and the bytes that the cooperative signed."""

    task: Task
    jws: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReceipt:
    """The proof that a leaf is in the log under a signed checkpoint."""

    index: int
    size: int
    hashes: tuple[str, ...]
    checkpoint: str


def enrol(
    transport: Transport, *, url: str, code: str, zone: str, member_key: Ed25519PrivateKey
) -> Membership:
    """Trade an invitation code for a membership.

    Raises StoreError when code or zone cannot be one, TransportError when the cooperative refuses
    or answers out of protocol.
    """
    try:
        request = Enrolment(code=code, member_x=public_jwk(member_key.public_key())["x"], zone=zone)
    except ContributionsError as error:
        raise StoreError(
            fr="Le code d'invitation ou la commune n'a pas la forme attendue : une commune "
            "s'écrit par son code, par exemple 17300.",
            en="The invitation code or the home zone is not of the expected form: a zone is "
            "written by its code, such as 17300.",
        ) from error
    answer = transport.exchange("POST", "/v1/enrolments", request.to_bytes())
    _accepted(answer)
    try:
        enrolled = Enrolled.parse(answer.body)
        NoteKey.parse(enrolled.log_vkey)
    except (ContributionsError, ConsentsError) as error:
        _out_of_protocol("enrolments", error)
    return Membership(
        url=url,
        member_id=enrolled.member_id,
        member_key=member_key,
        zone=zone,
        log_origin=enrolled.log_origin,
        log_vkey=enrolled.log_vkey,
        task_key=enrolled.task_key,
        keepers=enrolled.keepers,
    )


def check_keeper(transport: Transport, pinned: Keeper) -> None:
    """Ask a keeper itself who it is: the cooperative's word alone could name keys of its own.

    Raises TransportError when the keeper cannot be reached or says another key, name or address.
    """
    answer = transport.exchange("GET", "/v1/keeper", None)
    try:
        seen = Keeper.parse(answer.body) if answer.status in HTTP_OK else None
    except ContributionsError:
        seen = None
    if seen != pinned:
        raise TransportError(
            fr=f"« {pinned.name} » ne confirme pas la clé que la coopérative annonce pour lui : "
            "rien n'a été enregistré. Prévenez les deux.",
            en=f"“{pinned.name}” does not confirm the key that the cooperative gives for it: "
            "nothing was stored. Tell both of them.",
        )


def tasks(transport: Transport, membership: Membership) -> list[SignedTask]:
    """Return the tasks that the cooperative asks, each with a verified signature."""
    document = _accepted(transport.exchange("GET", "/v1/tasks", None))
    try:
        signed = [str(each["jws"]).encode() for each in document["tasks"]]
        keys = membership.task_key, membership.helper_key
        return [SignedTask(task=read_task(jws, *keys), jws=jws) for jws in signed]
    except (KeyError, TypeError, ValueError, ContributionsError) as error:
        _out_of_protocol("tasks", error)


def purpose(transport: Transport, digest: str) -> bytes:
    """Return the bytes of a purpose, checked against the digest that names it."""
    answer = transport.exchange("GET", f"/v1/purposes/{digest}", None)
    if answer.status not in HTTP_OK or sha256(answer.body).hexdigest() != digest:
        _out_of_protocol("purposes", None)
    try:
        Purpose.parse(answer.body)
    except ConsentsError as error:
        _out_of_protocol("purposes", error)
    return answer.body


def log_event(transport: Transport, membership: Membership, leaf: bytes) -> LogReceipt:
    """Have a consent event appended to the log, and verify its inclusion proof."""
    statement = sign_membership(
        MembershipStatement(member_id=membership.member_id, leaf_sha256=sha256(leaf).hexdigest()),
        membership.member_key,
    )
    document = _accepted(
        transport.exchange(
            "POST",
            "/v1/events",
            _json({"leaf": leaf.decode(), "membership": statement.decode()}),
        )
    )
    try:
        proof = document["proof"]
        receipt = LogReceipt(
            index=int(proof["index"]),
            size=int(proof["size"]),
            hashes=tuple(str(each) for each in proof["hashes"]),
            checkpoint=str(document["checkpoint"]),
        )
        verify_receipt(receipt, leaf=leaf, membership=membership)
    except (KeyError, TypeError, ValueError, ConsentsError) as error:
        _out_of_protocol("events", error)
    return receipt


def verify_receipt(receipt: LogReceipt, *, leaf: bytes, membership: Membership) -> None:
    """Check that the leaf is in the log that we pinned.

    Raises ConsentsError when signature, origin, size or proof do not fit.
    """
    checkpoint = verify_checkpoint(receipt.checkpoint, membership.log_vkey)
    if checkpoint.origin != membership.log_origin or checkpoint.size != receipt.size:
        raise ConsentsError("expected the checkpoint of the proof, from the pinned log")
    verify_inclusion(
        leaf_hash=leaf_hash(leaf),
        index=receipt.index,
        size=receipt.size,
        proof=[bytes.fromhex(each) for each in receipt.hashes],
        root=checkpoint.root,
    )


def send_report(transport: Transport, report: bytes) -> None:
    """Send the bytes of a report, as they were previewed.

    A report that the cooperative holds already counts as sent: an earlier answer was lost.
    """
    answer = transport.exchange("POST", "/v1/reports", _json({"report": report.decode()}))
    if str(answer.document.get("type", "")).endswith(":duplicate"):
        return
    _accepted(answer)


def send_to_leader(transport: Transport, upload: Upload) -> bytes:
    """Send the leader its share; return the admission that the helper asks for.

    The same bytes sent again get the same admission: an earlier answer may have been lost.
    """
    document = _accepted(transport.exchange("POST", "/v1/sealed-reports", upload.to_bytes()))
    admission = document.get("admission")
    if not isinstance(admission, str):
        _out_of_protocol("sealed-reports", None)
    return admission.encode()


def send_to_helper(transport: Transport, upload: Upload) -> None:
    """Send the helper its share with the leader's admission; sending it again changes nothing."""
    _accepted(transport.exchange("POST", "/v1/sealed-reports", upload.to_bytes()))


def _json(document: Mapping[str, str]) -> bytes:
    return json.dumps(document).encode()


def _accepted(answer: Answer) -> Mapping[str, Any]:
    if answer.status in HTTP_OK:
        return answer.document
    raise TransportError(
        fr=f"La coopérative a refusé : {_words(answer, 'detail')}",
        en=f"The cooperative refused: {_words(answer, 'detail_en')}",
    )


def _words(answer: Answer, member: str) -> str:
    """Return what the cooperative says, or its status; without what would steer a terminal."""
    words = answer.document.get(member)
    if not isinstance(words, str) or not words:
        return str(answer.status)
    return "".join(letter if letter.isprintable() else " " for letter in words[:MAX_WORDS_LENGTH])


def _out_of_protocol(where: str, cause: Exception | None) -> NoReturn:
    raise TransportError(
        fr=f"La réponse de la coopérative ({where}) n'est pas celle du protocole : rien n'a été "
        "enregistré. Prévenez-la.",
        en=f"The cooperative's answer ({where}) is not what the protocol says: nothing was "
        "stored. Tell them.",
    ) from cause
