"""Whether a chain of consent events permits a use, now, and why not.

It sees the events of one consent, oldest first, and answers; it neither fetches nor stores. The
chain is what makes a replay visible: each event counts up by one and names the hash of the one
before, under the same key, log and purpose. Rules: ISO/IEC TS 27560 states in DPV terms, of
which only Given, Renewed (and our Limited) permit anything.

    decision = permitted(events, log_origin=..., purpose_digest=..., epsilon_micro=..., now=...)
"""

import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from consents.errors import ChainError, ChainFault
from consents.records.chain import ConsentState, extend
from consents.records.limits import ConsentLimits
from consents.records.receipt import ConsentBody, EventType, Purpose, SignedEvent

__all__ = [
    "CLOCK_TOLERANCE",
    "ConsentState",
    "Decision",
    "Reason",
    "consent_state",
    "extend",
    "permitted",
]

CLOCK_TOLERANCE = timedelta(minutes=10)
"""How far a claimed time may lie ahead of the reader's clock (design of the log, rule 11)."""


class Reason(StrEnum):
    """Why a use is permitted or not; `COVERED` is the only permission."""

    COVERED = "covered"
    NEVER_GIVEN = "never-given"
    REFUSED = "refused"
    DEFERRED = "deferred"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    KEY_LOST = "key-lost"
    NOT_ALL_SIGNED = "not-all-signed"
    NOT_YET = "not-yet"
    WRONG_LOG = "wrong-log"
    WRONG_PURPOSE = "wrong-purpose"
    BROKEN_CHAIN = "broken-chain"
    BODY_MISMATCH = "body-mismatch"
    FIELDS_EXCEEDED = "fields-exceeded"
    AREA_EXCEEDED = "area-exceeded"
    EPSILON_EXCEEDED = "epsilon-exceeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """
    The answer and its reason; `head`, `n`, `cid` and `kid` name the event that it rests on.

    They are None where the chain itself is not sound. A contribution must name the same.
    """

    permitted: bool
    reason: Reason
    head: str | None = None
    n: int | None = None
    cid: str | None = None
    kid: str | None = None


def consent_state(
    events: Sequence[SignedEvent],
    *,
    log_origin: str,
    earlier: Collection[str] = (),
    operator_kids: Collection[str] = (),
    steward_kids: Collection[str] = (),
) -> ConsentState | None:
    """
    Return where a whole chain stands, None without events; raise ChainError.

    `log_origin` is the newest log that the chain may stand in, `earlier` those before it.
    """
    state: ConsentState | None = None
    for event in events:
        state = extend(
            state,
            event,
            log_origin=log_origin,
            earlier=earlier,
            operator_kids=operator_kids,
            steward_kids=steward_kids,
        )
    return state


def permitted(
    events: Sequence[SignedEvent],
    *,
    log_origin: str,
    purpose_digest: str,
    epsilon_micro: int,
    now: datetime,
    body: ConsentBody | None = None,
    body_key: bytes | None = None,
    purpose: Purpose | None = None,
    fields: Collection[str] = (),
    zone: str | None = None,
    spent_week_micro: int = 0,
    spent_total_micro: int = 0,
    earlier: Collection[str] = (),
    operator_kids: Collection[str] = (),
    steward_kids: Collection[str] = (),
) -> Decision:
    """Decide whether a use of `epsilon_micro` for a purpose is covered at `now` (aware).

    `events` is the whole chain of one consent, in the log `log_origin` and the `earlier` ones that
    it succeeds. With the clear `body` of its last event (the resident's store), expiry, fields,
    area and epsilon caps count: an area must hold `zone`, the home zone that a use tells. With
    `body_key` the body must open the leaf's commitment. With the published `purpose` (the
    operator), its fields and weekly epsilon count. Raises ValueError for a time without offset or a
    negative amount.
    """
    if now.utcoffset() is None or min(epsilon_micro, spent_week_micro, spent_total_micro) < 0:
        raise ValueError("expected an aware time and amounts of 0 or more")
    state = _state_or_reason(
        events,
        log_origin=log_origin,
        earlier=earlier,
        operator_kids=operator_kids,
        steward_kids=steward_kids,
    )
    if isinstance(state, Reason):
        return Decision(permitted=False, reason=state)
    use = _Use(
        purpose_digest=purpose_digest,
        fields=frozenset(fields),
        zone=zone,
        week_micro=spent_week_micro + epsilon_micro,
        total_micro=spent_total_micro + epsilon_micro,
        now=now,
    )
    refusal = _refused_by_body(body, body_key, _choice(events), use)
    refusal = refusal or _refused_by_purpose(purpose, use)
    return _decision(state, _refused_by_state(state, use) or refusal)


def _choice(events: Sequence[SignedEvent]) -> SignedEvent:
    """Return the event that a body belongs to: events about keys carry none."""
    choices = (event for event in reversed(events) if not event.payload.t.of_keys)
    return next(choices, events[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """What somebody wants to do, with the privacy loss that it would bring the sums to."""

    purpose_digest: str
    fields: frozenset[str]
    zone: str | None
    week_micro: int
    total_micro: int
    now: datetime


_ENDED: Mapping[EventType, Reason] = {
    EventType.REFUSED: Reason.REFUSED,
    EventType.DEFERRED: Reason.DEFERRED,
    EventType.WITHDRAWN: Reason.WITHDRAWN,
    EventType.EXPIRED: Reason.EXPIRED,
    EventType.KEY_RECOVERED: Reason.KEY_LOST,
    EventType.SIGNER_JOINED: Reason.NOT_ALL_SIGNED,
}


def _state_or_reason(
    events: Sequence[SignedEvent],
    *,
    log_origin: str,
    earlier: Collection[str],
    operator_kids: Collection[str],
    steward_kids: Collection[str],
) -> ConsentState | Reason:
    try:
        state = consent_state(
            events,
            log_origin=log_origin,
            earlier=earlier,
            operator_kids=operator_kids,
            steward_kids=steward_kids,
        )
    except ChainError as error:
        return Reason.WRONG_LOG if error.fault is ChainFault.ORIGIN else Reason.BROKEN_CHAIN
    return Reason.NEVER_GIVEN if state is None else state


def _decision(state: ConsentState, refusal: Reason | None) -> Decision:
    return Decision(
        permitted=refusal is None,
        reason=refusal or Reason.COVERED,
        head=state.head,
        n=state.n,
        cid=state.cid,
        kid=state.kid,
    )


def _refused_by_state(state: ConsentState, use: _Use) -> Reason | None:
    if state.purpose_digest != use.purpose_digest:
        return Reason.WRONG_PURPOSE
    if not state.status.permits:
        return _ENDED.get(state.status, Reason.NEVER_GIVEN)
    if state.at > use.now + CLOCK_TOLERANCE:
        return Reason.NOT_YET
    return None


def _refused_by_body(
    body: ConsentBody | None, body_key: bytes | None, event: SignedEvent, use: _Use
) -> Reason | None:
    if body is None:
        return None
    limits = body.limits
    consented = {purpose.purpose_digest for purpose in body.purposes}
    if (
        limits is None
        or body.event_type is not event.payload.t
        or use.purpose_digest not in consented
        or not _opens(body, body_key, event)
    ):
        return Reason.BODY_MISMATCH
    return _beyond_limits(limits, use)


def _beyond_limits(limits: ConsentLimits, use: _Use) -> Reason | None:
    if use.now >= limits.expires_at:
        return Reason.EXPIRED
    if not use.fields <= set(limits.fields):
        return Reason.FIELDS_EXCEEDED
    if limits.area is not None and use.zone not in limits.area.zones:
        return Reason.AREA_EXCEEDED
    if use.week_micro > limits.epsilon_week_micro or use.total_micro > limits.epsilon_total_micro:
        return Reason.EPSILON_EXCEEDED
    return None


def _opens(body: ConsentBody, body_key: bytes | None, event: SignedEvent) -> bool:
    if body_key is None:
        return True
    return hmac.compare_digest(body.commitment(key=body_key), event.payload.c)


def _refused_by_purpose(purpose: Purpose | None, use: _Use) -> Reason | None:
    if purpose is None:
        return None
    if purpose.digest != use.purpose_digest:
        return Reason.WRONG_PURPOSE
    if not use.fields <= set(purpose.fields):
        return Reason.FIELDS_EXCEEDED
    if use.week_micro > purpose.epsilon_week_micro:
        return Reason.EPSILON_EXCEEDED
    return None
