"""What a personal store asks of the cooperative, and what it checks in the answers.

Enrolment, tasks, purposes, consent events and reports: each function sends one message of the
protocol and verifies what comes back against the keys pinned at enrolment. It keeps nothing; the
callers store.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consents.canonical import base64_bytes
from consents.errors import ConsentsError, PromiseError
from consents.jws import thumbprint_of_raw
from consents.records.erasure import check_shredded
from consents.records.notice import Notice
from consents.records.record import Purpose
from consents.tlog.checkpoint import NoteKey, verify_checkpoint
from consents.tlog.merkle import leaf_hash
from consents.tlog.policy import WitnessPolicy
from consents.tlog.promise import read_slip
from consents.tlog.proofs import LogReceipt
from consents.tlog.shards import Handover
from consents.tlog.tlog_proof import TlogProof
from contributions.errors import ContributionsError
from contributions.jws import public_jwk
from contributions.keeper import Keeper
from contributions.messages import Enrolled, Enrolment, sign_membership
from contributions.messages import Membership as MembershipStatement
from contributions.sealed_report import Upload
from contributions.task import Task, read_task
from personal_store.answers import HTTP_OK, LogAnswer, accepted, out_of_protocol, read_log_answer
from personal_store.errors import StoreError, TransportError
from personal_store.membership import Membership
from personal_store.transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTask:
    """A task and the bytes that the cooperative signed."""

    task: Task
    jws: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """The newest checkpoint, and the hashes that show what it continues."""

    note: str
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """The answer to an erasure: the log's entries as JSON, and how many counted reports stay."""

    entries: str
    reports_kept: int


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
    accepted(answer)
    try:
        enrolled = Enrolled.parse(answer.body)
        NoteKey.parse(enrolled.log_vkey)
    except (ContributionsError, ConsentsError) as error:
        out_of_protocol("enrolments", error)
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
    """Return the tasks that the cooperative asks, each with a verified signature.

    Questions signed by two keepers are left out for a member who joined before there were any:
    no helper's key was pinned, so that nobody's word for one would do.
    """
    keys = membership.task_key, membership.helper_key
    try:
        return [
            SignedTask(task=read_task(jws, *keys), jws=jws)
            for jws in signed_tasks(transport)
            if membership.keepers or b"\n" not in jws
        ]
    except ContributionsError as error:
        out_of_protocol("tasks", error)


def signed_tasks(transport: Transport) -> list[bytes]:
    """Return the signed tasks that the cooperative serves, of which nothing is verified yet."""
    document = accepted(transport.exchange("GET", "/v1/tasks", None))
    try:
        return [str(each["jws"]).encode() for each in document["tasks"]]
    except (KeyError, TypeError, ValueError) as error:
        out_of_protocol("tasks", error)


def purpose(transport: Transport, digest: str) -> bytes:
    """Return the bytes of a purpose, checked against the digest that names it."""
    answer = transport.exchange("GET", f"/v1/purposes/{digest}", None)
    if answer.status not in HTTP_OK or sha256(answer.body).hexdigest() != digest:
        out_of_protocol("purposes", None)
    try:
        Purpose.parse(answer.body)
    except ConsentsError as error:
        out_of_protocol("purposes", error)
    return answer.body


def notice(transport: Transport, purpose_digest: str) -> bytes | None:
    """Return the bytes of a purpose's notice, None where the cooperative published none.

    Its digest is what a consent will name; a cooperative that shows two is found out by it.
    """
    answer = transport.exchange("GET", f"/v1/purposes/{purpose_digest}/notice", None)
    if answer.status == HTTPStatus.NOT_FOUND:
        return None
    accepted(answer)
    try:
        Notice.parse(answer.body)
    except ConsentsError as error:
        out_of_protocol("notice", error)
    return answer.body


def territory(transport: Transport, digest: str) -> bytes:
    """Return the bytes of a territory's outlines, checked against the digest that names them."""
    answer = transport.exchange("GET", f"/v1/territories/{digest}", None)
    if answer.status not in HTTP_OK or sha256(answer.body).hexdigest() != digest:
        out_of_protocol("territories", None)
    return answer.body


def territory_now(transport: Transport) -> bytes:
    """Return the bytes of the present territory's outlines, which consents name by digest."""
    answer = transport.exchange("GET", "/v1/territory", None)
    accepted(answer)
    return answer.body


def log_event(
    transport: Transport, membership: Membership, leaf: bytes, *, signed_at: datetime, now: datetime
) -> LogAnswer:
    """Hand a consent event over, and verify the promise and the proof that come back.

    Raises TransportError when the cooperative cannot be reached, refuses or answers otherwise.
    """
    statement = sign_membership(
        MembershipStatement(member_id=membership.member_id, leaf_sha256=sha256(leaf).hexdigest()),
        membership.member_key,
    )
    document = accepted(
        transport.exchange(
            "POST",
            "/v1/events",
            _json({"leaf": leaf.decode(), "membership": statement.decode()}),
        )
    )
    return read_log_answer(
        document, leaf, log_vkeys=membership.log_vkeys, signed_at=signed_at, now=now
    )


def logged_proof(transport: Transport, membership: Membership, leaf: bytes) -> LogReceipt | None:
    """Fetch the newest proof of a leaf, with its witnesses' lines; None while it is not logged."""
    answer = transport.exchange("GET", f"/v1/proof/{leaf_hash(leaf).hex()}", None)
    if answer.status == HTTPStatus.NOT_FOUND:
        return None
    if answer.status not in HTTP_OK:
        accepted(answer)
    try:
        receipt = TlogProof.parse(answer.body.decode("utf-8")).receipt(leaf)
        membership.verify(receipt)
    except (UnicodeDecodeError, ConsentsError) as error:
        out_of_protocol("proof", error)
    return receipt


def erase(
    transport: Transport, membership: Membership, *, request: bytes, leaves: Sequence[bytes]
) -> Erased:
    """Ask that a consent be erased, and verify what the log says of each of its `leaves`.

    Raises TransportError when the cooperative cannot be reached, refuses or answers otherwise.
    """
    document = accepted(
        transport.exchange("POST", "/v1/erasures", _json({"request": request.decode()}))
    )
    try:
        said = {str(each["target"]): each for each in document["shredded"]}
        for leaf in leaves:
            entry = LogReceipt.parse(str(said[sha256(leaf).hexdigest()]["entry"]).encode())
            key = bytes.fromhex(said[sha256(leaf).hexdigest()]["commitment_key"])
            membership.verify(entry)
            kid = membership.kids[membership.number_of(entry.checkpoint)]
            check_shredded(entry.leaf, target=leaf, key=key, operator_kid=kid)
        kept = int(document["reports_kept"])
    except (KeyError, TypeError, ValueError, ConsentsError) as error:
        out_of_protocol("erasures", error)
    return Erased(entries=json.dumps(list(said.values())), reports_kept=kept)


def continuation(
    transport: Transport, membership: Membership, *, old: int, number: int
) -> Continuation:
    """Ask for the log of this number and the proof that it continues its first `old` leaves.

    A log that has fewer by now answers its checkpoint alone. The note is verified, the proof is for
    the caller. Raises TransportError.
    """
    which = urlencode({"origin": membership.origins[number]})
    answer = transport.exchange("GET", f"/v1/log/consistency?old={old}&{which}", None)
    if answer.status == HTTPStatus.NOT_FOUND:
        shown = transport.exchange("GET", f"/v1/log/checkpoint?{which}", None)
        document: Mapping[str, Any] = {"checkpoint": shown.body.decode(errors="replace")}
    else:
        document = accepted(answer)
    try:
        note = str(document["checkpoint"])
        verify_checkpoint(note, membership.log_vkeys[number])
        hashes = tuple(base64_bytes(str(each)) for each in document.get("hashes", ()))
    except (KeyError, TypeError, ValueError, ConsentsError) as error:
        out_of_protocol("log/consistency", error)
    return Continuation(note=note, hashes=hashes)


def handovers(transport: Transport, *, after: str) -> list[Handover]:
    """Return what the cooperative shows of its logs' turns, oldest first; nothing is verified.

    Without those that led to the log of the key `after`: they were before the reader's time.
    """
    answer = transport.exchange("GET", "/v1/log/handovers", None)
    if answer.status == HTTPStatus.NOT_FOUND:
        return []
    try:
        shown = [Handover.parse(str(each).encode()) for each in accepted(answer)["handovers"]]
    except (KeyError, TypeError, ValueError, ConsentsError) as error:
        out_of_protocol("log/handovers", error)
    successors = [each.successor for each in shown]
    return shown[successors.index(after) + 1 :] if after in successors else shown


def leave_withdrawal(transport: Transport, leaf: bytes, policy: WitnessPolicy) -> bytes:
    """Leave a withdrawal in the stewards' drop-box; return their slip, signed by a pinned key."""
    answer = transport.exchange("POST", "/v1/dropbox", _json({"leaf": leaf.decode()}))
    document = accepted(answer)
    try:
        slip = str(document["slip"]).encode("ascii")
    except (KeyError, ValueError) as error:
        out_of_protocol("dropbox", error)
    if not any(_is_slip_for(slip, leaf, vkey) for vkey in policy.witnesses.values()):
        out_of_protocol("dropbox", None)
    return slip


def _is_slip_for(slip: bytes, leaf: bytes, vkey: str) -> bool:
    kid = thumbprint_of_raw(NoteKey.parse(vkey).public_key)
    with suppress(PromiseError):
        return read_slip(slip, kid=kid).event.leaf == leaf
    return False


def send_report(transport: Transport, report: bytes) -> None:
    """Send the bytes of a report, as they were previewed.

    A report that the cooperative holds already counts as sent: an earlier answer was lost.
    """
    answer = transport.exchange("POST", "/v1/reports", _json({"report": report.decode()}))
    if str(answer.document.get("type", "")).endswith(":duplicate"):
        return
    accepted(answer)


def send_to_leader(transport: Transport, upload: Upload) -> bytes:
    """Send the leader its share; return the admission that the helper asks for.

    The same bytes sent again get the same admission: an earlier answer may have been lost.
    """
    document = accepted(transport.exchange("POST", "/v1/sealed-reports", upload.to_bytes()))
    admission = document.get("admission")
    if not isinstance(admission, str):
        out_of_protocol("sealed-reports", None)
    return admission.encode()


def send_to_helper(transport: Transport, upload: Upload) -> None:
    """Send the helper its share with the leader's admission; sending it again changes nothing."""
    accepted(transport.exchange("POST", "/v1/sealed-reports", upload.to_bytes()))


def _json(document: Mapping[str, str]) -> bytes:
    return json.dumps(document).encode()
