"""Step 6 of 9 — intake. In: signed consent events and reports. Out: kept leaves, kept reports.
Next: aggregate.

Everything that a store sends is checked here, in numbered steps, before one byte of it is kept. A
refused report gets a reason code out of four and nothing else: an answer that told a wrong zone
from a withdrawn consent would let a stranger ask about a member. No address of a sender is seen or
kept. Not the protocol's own reading rules (`contributions`, `consents`), which it calls.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import NoReturn

from sqlalchemy import Connection

from consents.errors import ConsentsError
from consents.records.decision import (
    CLOCK_TOLERANCE,
    ConsentState,
    Decision,
    extend,
    permitted,
)
from consents.records.receipt import EventType, Purpose, SignedEvent, leaf_sha256, read_event
from contributions.errors import ContributionsError
from contributions.jws import public_jwk
from contributions.messages import Report, check_report, read_membership, read_report
from contributions.sealed_report import SealedReport
from contributions.task import Task
from coop_aggregator.db import log as leaves_db
from coop_aggregator.db import members as members_db
from coop_aggregator.db import questions as questions_db
from coop_aggregator.db import reports as reports_db
from coop_aggregator.db.identity import lock
from coop_aggregator.db.shards import Shards, load_shards
from coop_aggregator.errors import EventRefused, ReportRefused
from coop_aggregator.installation import Leader
from coop_aggregator.tlog.log import Received
from coop_aggregator.tlog.standing import standing

NOISE_TAIL = 60
"""An honest report exceeds Q by more than 60 times the noise's scale with probability e⁻⁶⁰."""


_ENDING = frozenset({EventType.WITHDRAWN, EventType.KEY_RECOVERED})


class Refusal(StrEnum):
    """All that a store learns about a refused report."""

    MALFORMED = "malformed"
    UNCOVERED = "uncovered"
    LATE = "late"
    DUPLICATE = "duplicate"


def receive_event(leader: Leader, *, leaf: bytes, membership: bytes | None) -> Received:
    """Check a resident's event and promise to merge it; the same leaf twice changes nothing.

    It counts from now on, merged or not. Without `membership`, only what takes rights away from a
    known consent: a delegate, or who lost their store, has none to show. Raises EventRefused.
    """
    # 1. The leaf is well formed and signed by the key in its own header.
    event = _event(leaf)
    with leader.database.write() as connection:
        lock(connection)
        log = leader.log(connection)
        # 2. It is a resident's event, for this log or that of a year before.
        if not event.payload.t.of_resident or event.payload.o not in log.shards.origins:
            _refuse_event(
                "un événement de consentement pour ce journal", "a consent event for this log"
            )
        # 3. A member with a known key says that the leaf is theirs, or a key of its chain ends it.
        if membership is None:
            member_id = _holder_of_ended(connection, event)
        else:
            member_id = _member(connection, leaf=leaf, membership=membership).member_id
        if log.knows(leaf_sha256(leaf)):
            holder = members_db.consent_holder(connection, event.payload.cid)
            if holder is None or holder.member_id != member_id:
                _refuse_event("un consentement de ce membre", "this member's consent")
        else:
            # 4. The purpose is one that this cooperative published.
            if questions_db.purpose_body(connection, event.payload.pd) is None:
                _refuse_event("une finalité publiée ici", "a purpose published here")
            # 5. The consent is this member's, and continues its chain as its keys may.
            now = leader.clock.now()
            state = _continued(leader, connection, event, member_id, heard_at=now)
            # 6. No other consent of this member for this purpose is in force. Step 5 wrote the
            # consent's holder by now: a refusal here undoes it, with the whole transaction.
            if state.status.permits and member_id is not None:
                _refuse_second(connection, event, member_id)
        return log.receive(leaf, cid=event.payload.cid, at_once=leader.merges_at_once)


def receive_slip(
    leader: Leader, connection: Connection, leaf: bytes, *, received_at: datetime
) -> bool:
    """Take in a withdrawal that a resident left with the stewards; return whether it fits here.

    Nobody vouches for it but a key of its own chain: only a consent that is known here can end.
    `received_at` is when the stewards had it.
    """
    event = read_event(leaf)
    payload = event.payload
    log = leader.log(connection)
    if log.knows(leaf_sha256(leaf)):
        return True
    holder = members_db.consent_holder(connection, payload.cid)
    if holder is None or payload.t is not EventType.WITHDRAWN:
        return False
    try:
        _continued(leader, connection, event, holder.member_id, heard_at=received_at)
    except EventRefused:
        return False
    log.receive(leaf, cid=payload.cid, at_once=leader.merges_at_once)
    return True


def receive_report(leader: Leader, signed: bytes) -> Report:
    """Check a report in eleven steps and keep it as received. Raises ReportRefused."""
    # 1. Size, 2. form, 3. signature by the key in its own header (`contributions.jws.verify`).
    try:
        read = read_report(signed)
    except ContributionsError as error:
        raise refused(Refusal.MALFORMED) from error
    with leader.database.write() as connection:
        lock(connection)
        now = leader.clock.now()
        stored = questions_db.task_by_digest(connection, read.report.task_digest)
        # 4. The task is one that was asked here and signed.
        if stored is None or stored.jws is None:
            raise refused(Refusal.MALFORMED)
        # 5. In time, and before the batch was frozen.
        if now >= stored.report_deadline or reports_db.batch_of(connection, stored.digest):
            raise refused(Refusal.LATE)
        # 6. It answers this task: zone, length, ε, purpose; 7. each number is one that noise makes.
        _check_answer(read.report, Task.parse(stored.body))
        # 8. The key is the consent's own; 9. the consent covers it now; 10. the zone is home.
        member = covered_member(leader, connection, read.report, kid=read.kid, now=now)
        # 11. One report a member and task, each report once.
        if reports_db.report_exists(
            connection,
            report_id=read.report.report_id,
            task_digest=stored.digest,
            member_id=member.member_id,
        ):
            raise refused(Refusal.DUPLICATE)
        reports_db.add_report(
            connection,
            reports_db.StoredReport(
                report_id=read.report.report_id,
                task_digest=stored.digest,
                member_id=member.member_id,
                cid=read.report.cid,
                jws=signed.decode("ascii"),
            ),
        )
    return read.report


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What decides whether a report is covered, wherever the leaves come from."""

    shards: Shards
    steward_kids: tuple[str, ...]
    purpose: Purpose

    def covers(
        self, report: Report | SealedReport, leaves: tuple[bytes, ...], *, now: datetime
    ) -> bool:
        """Tell whether the chain `leaves` covers `report` at `now`: permitted, and same head."""
        decision: Decision = permitted(
            [read_event(leaf) for leaf in leaves],
            log_origin=self.shards.current.origin,
            earlier=self.shards.origins,
            purpose_digest=report.pd,
            epsilon_micro=report.epsilon_micro,
            now=now,
            purpose=self.purpose,
            operator_kids=self.shards.kids,
            steward_kids=self.steward_kids,
        )
        return decision.permitted and decision.head == report.head


def coverage_for(leader: Leader, connection: Connection, purpose_digest: str) -> Coverage | None:
    """Return the rule for reports under this purpose, None when it was never published here."""
    body = questions_db.purpose_body(connection, purpose_digest)
    if body is None:
        return None
    return Coverage(
        shards=load_shards(connection),
        steward_kids=leader.steward_kids,
        purpose=Purpose.parse(body),
    )


def covered_member(
    leader: Leader,
    connection: Connection,
    report: Report | SealedReport,
    *,
    kid: str,
    now: datetime,
) -> members_db.Member:
    """Return the member whose consent, signed with the key `kid`, covers a report at `now`.

    Raises ReportRefused, in the same words whatever is missing.
    """
    holder = members_db.consent_holder(connection, report.cid)
    coverage = coverage_for(leader, connection, report.pd)
    if holder is None or coverage is None or holder.kid != kid:
        raise refused(Refusal.UNCOVERED)
    if not coverage.covers(report, leaves_db.leaves_of(connection, report.cid), now=now):
        raise refused(Refusal.UNCOVERED)
    member = holder.member_id and members_db.member_by_id(connection, holder.member_id)
    if not member or member.zone != report.zone:
        raise refused(Refusal.UNCOVERED)
    return member


def refused(refusal: Refusal) -> ReportRefused:
    """Return the whole of what a store is told about a refused report."""
    status, fr, en = _ANSWERS[refusal]
    return ReportRefused(fr=fr, en=en, status=status, reason=refusal.value)


def _event(leaf: bytes) -> SignedEvent:
    try:
        return read_event(leaf)
    except ConsentsError:
        _refuse_event("une feuille bien formée et signée", "a well-formed, signed leaf")


def _member(connection: Connection, *, leaf: bytes, membership: bytes) -> members_db.Member:
    try:
        word = read_membership(membership)
    except ContributionsError:
        _refuse_event("une adhésion signée", "a signed membership")
    member = members_db.member_by_id(connection, word.membership.member_id)
    if (
        member is None
        or public_jwk(word.public_key)["x"] != member.key_x
        or word.membership.leaf_sha256 != leaf_sha256(leaf)
    ):
        _refuse_event("l'adhésion d'un membre à cette feuille", "a member's word for this leaf")
    return member


def _holder_of_ended(connection: Connection, event: SignedEvent) -> str | None:
    """Return who holds the consent that an event takes away from, None once erased."""
    holder = members_db.consent_holder(connection, event.payload.cid)
    if holder is None or event.payload.t not in _ENDING:
        _refuse_event("une adhésion signée", "a signed membership")
    return holder.member_id


def _continued(
    leader: Leader,
    connection: Connection,
    event: SignedEvent,
    member_id: str | None,
    *,
    heard_at: datetime,
) -> ConsentState:
    payload = event.payload
    holder = members_db.consent_holder(connection, payload.cid)
    if holder is not None and holder.member_id != member_id:
        _refuse_event("un consentement de ce membre", "this member's consent")
    shards = load_shards(connection)
    before = _state(connection, payload.cid)
    mandate = None if before is None else before.mandate_of(payload.kid)
    # The leaf claims its own time: what a delegate dates back is refused by the clock here.
    if mandate is not None and heard_at >= mandate.ends_at + CLOCK_TOLERANCE:
        _refuse_event("un mandat encore valable", "a mandate that has not ended")
    try:
        state = extend(
            before,
            event,
            log_origin=shards.current.origin,
            earlier=shards.origins,
            steward_kids=leader.steward_kids,
        )
    except ConsentsError:
        _refuse_event("la suite de la chaîne de ce consentement", "the next event of its chain")
    if holder is None or holder.kid != state.kid:
        # One key under two consents would link them, and count one person twice.
        if members_db.consent_key_known(connection, state.kid):
            _refuse_event("une clé qui ne sert qu'à ce consentement", "a key of this consent alone")
        _hold(connection, holder, state, member_id)
    for kid in sorted(state.known_kids - (before.known_kids if before else frozenset())):
        members_db.add_named_key(connection, kid=kid, cid=state.cid)
    return state


def _hold(
    connection: Connection,
    holder: members_db.ConsentHolder | None,
    state: ConsentState,
    member_id: str | None,
) -> None:
    if holder is not None:
        members_db.set_consent_key(connection, cid=state.cid, kid=state.kid)
        return
    members_db.add_consent(
        connection,
        members_db.ConsentHolder(
            cid=state.cid,
            member_id=member_id,
            purpose_digest=state.purpose_digest,
            kid=state.kid,
        ),
    )


def _refuse_second(connection: Connection, event: SignedEvent, member_id: str) -> None:
    for cid in members_db.consents_of(
        connection, member_id=member_id, purpose_digest=event.payload.pd
    ):
        state = None if cid == event.payload.cid else _state(connection, cid)
        if state is not None and state.status.permits:
            raise EventRefused(
                fr="Un consentement de ce membre est déjà en vigueur pour cette finalité. "
                "Retirez-le avant d'en donner un autre.",
                en="A consent of this member is in force for this purpose already. "
                "Withdraw it before giving another.",
                status=409,
            )


def _state(connection: Connection, cid: str) -> ConsentState | None:
    return standing(leaves_db.leaves_of(connection, cid), load_shards(connection))


def _check_answer(report: Report, task: Task) -> None:
    try:
        check_report(report, task)
    except ContributionsError as error:
        raise refused(Refusal.MALFORMED) from error
    scale = Fraction(2 * task.cap_units * 1_000_000, task.epsilon_micro)
    bound = task.cap_units + math.ceil(NOISE_TAIL * scale)
    if any(abs(units) > bound for units in report.vector):
        raise refused(Refusal.MALFORMED)


_ANSWERS = {
    Refusal.MALFORMED: (
        422,
        "Ce rapport ne répond pas à une question posée ici. Mettez votre espace à jour.",
        "This report does not answer a question asked here. Update your store.",
    ),
    Refusal.UNCOVERED: (
        403,
        "Aucun consentement en vigueur ne couvre ce rapport. Vérifiez vos choix dans votre espace.",
        "No consent in force covers this report. Check your choices in your store.",
    ),
    Refusal.LATE: (
        410,
        "Cette question est close. Rien à faire : votre espace répondra à la suivante.",
        "This question is closed. Nothing to do: your store will answer the next one.",
    ),
    Refusal.DUPLICATE: (
        409,
        "Un rapport est déjà là. Rien à faire.",
        "There is a report already. Nothing to do.",
    ),
}


def _refuse_event(fr: str, en: str) -> NoReturn:
    raise EventRefused(
        fr=f"Événement refusé. Attendu : {fr}. Rien n'a été inscrit au journal.",
        en=f"Event refused. Expected: {en}. Nothing was written to the log.",
    )
