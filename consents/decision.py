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
from consents.receipt import ConsentBody, EventType, Purpose, SignedEvent

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
    NOT_YET = "not-yet"
    WRONG_LOG = "wrong-log"
    WRONG_PURPOSE = "wrong-purpose"
    BROKEN_CHAIN = "broken-chain"
    BODY_MISMATCH = "body-mismatch"
    FIELDS_EXCEEDED = "fields-exceeded"
    EPSILON_EXCEEDED = "epsilon-exceeded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentState:
    """Where the chain of one consent stands: its last event and what the next must continue."""

    cid: str
    log_origin: str
    purpose_digest: str
    kid: str
    status: EventType
    n: int
    head: str
    at: datetime

    @property
    def next_n(self) -> int:
        """The counter of the event that follows; its `p` is `head`."""
        return self.n + 1


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


def extend(
    state: ConsentState | None,
    event: SignedEvent,
    *,
    log_origin: str,
    operator_kids: Collection[str] = (),
) -> ConsentState:
    """
    Return the state after `event`, or raise ChainError with the rule that it breaks.

    `state` is None for the first event. The resident's key signs the whole chain; a key of
    `operator_kids` may only add `consent.expired`, which takes rights away. The purpose stays
    the same through a consent: a new version of it asks for a new consent.
    """
    payload = event.payload
    if payload.o != log_origin:
        raise ChainError(ChainFault.ORIGIN, "expected an event signed for this log")
    if state is None:
        _check_first(event)
        kid = payload.kid
    else:
        _check_next(state, event, operator_kids)
        kid = state.kid
    return ConsentState(
        cid=payload.cid,
        log_origin=payload.o,
        purpose_digest=payload.pd,
        kid=kid,
        status=payload.t,
        n=payload.n,
        head=event.head,
        at=payload.at_time,
    )


def consent_state(
    events: Sequence[SignedEvent], *, log_origin: str, operator_kids: Collection[str] = ()
) -> ConsentState | None:
    """Return where a whole chain stands, None without events; raise ChainError."""
    state: ConsentState | None = None
    for event in events:
        state = extend(state, event, log_origin=log_origin, operator_kids=operator_kids)
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
    spent_week_micro: int = 0,
    spent_total_micro: int = 0,
    operator_kids: Collection[str] = (),
) -> Decision:
    """
    Decide whether a use of `epsilon_micro` for a purpose is covered at `now` (aware).

    `events` is the whole chain of one consent. With the clear `body` of its last event (the
    resident's store), expiry, fields and epsilon caps count, and with `body_key` it must open the
    leaf's commitment. With the published `purpose` (the operator), its fields and weekly epsilon
    count. Raises ValueError for a time without offset or a negative amount.
    """
    if now.utcoffset() is None or min(epsilon_micro, spent_week_micro, spent_total_micro) < 0:
        raise ValueError("expected an aware time and amounts of 0 or more")
    state = _state_or_reason(events, log_origin, operator_kids)
    if isinstance(state, Reason):
        return Decision(permitted=False, reason=state)
    use = _Use(
        purpose_digest=purpose_digest,
        fields=frozenset(fields),
        week_micro=spent_week_micro + epsilon_micro,
        total_micro=spent_total_micro + epsilon_micro,
        now=now,
    )
    refusal = _refused_by_body(body, body_key, events[-1], use) or _refused_by_purpose(purpose, use)
    return _decision(state, _refused_by_state(state, use) or refusal)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Use:
    """What somebody wants to do, with the privacy loss that it would bring the sums to."""

    purpose_digest: str
    fields: frozenset[str]
    week_micro: int
    total_micro: int
    now: datetime


_OPENING = frozenset({EventType.GIVEN, EventType.REFUSED, EventType.DEFERRED})
_WHILE_PERMITTED = frozenset(
    {EventType.LIMITED, EventType.RENEWED, EventType.WITHDRAWN, EventType.EXPIRED}
)
_FOLLOWING: Mapping[EventType, frozenset[EventType]] = {
    EventType.REFUSED: _OPENING,
    EventType.DEFERRED: _OPENING,
    EventType.GIVEN: _WHILE_PERMITTED,
    EventType.LIMITED: _WHILE_PERMITTED,
    EventType.RENEWED: _WHILE_PERMITTED,
    # Only a new, whole consent undoes a withdrawal: a renewal would hide that it was one.
    EventType.WITHDRAWN: frozenset({EventType.GIVEN}),
    EventType.EXPIRED: frozenset({EventType.GIVEN, EventType.RENEWED, EventType.WITHDRAWN}),
}

_ENDED: Mapping[EventType, Reason] = {
    EventType.REFUSED: Reason.REFUSED,
    EventType.DEFERRED: Reason.DEFERRED,
    EventType.WITHDRAWN: Reason.WITHDRAWN,
    EventType.EXPIRED: Reason.EXPIRED,
}


def _check_first(event: SignedEvent) -> None:
    payload = event.payload
    if payload.n != 0:
        raise ChainError(ChainFault.COUNTER, f"expected a chain to begin at 0, seen {payload.n}")
    if payload.t.of_consent and payload.t not in _OPENING:
        raise ChainError(ChainFault.TRANSITION, f"expected a first choice, seen {payload.t}")


def _check_next(state: ConsentState, event: SignedEvent, operator_kids: Collection[str]) -> None:
    payload = event.payload
    if payload.cid != state.cid:
        raise ChainError(ChainFault.CONSENT_ID, "expected the same consent, seen another")
    if payload.n != state.next_n:
        raise ChainError(ChainFault.COUNTER, f"expected n = {state.next_n}, seen {payload.n}")
    if payload.p != state.head:
        raise ChainError(ChainFault.PREVIOUS, "expected p to be the hash of the last event")
    by_operator = payload.t is EventType.EXPIRED and payload.kid in operator_kids
    if payload.kid != state.kid and not by_operator:
        raise ChainError(ChainFault.KEY, "expected the key that began this consent")
    if not state.status.of_consent and not payload.t.of_consent:
        return  # the operator's own acts follow each other freely
    if payload.t not in _FOLLOWING.get(state.status, frozenset()):
        raise ChainError(
            ChainFault.TRANSITION, f"expected no {payload.t} after {state.status}, seen one"
        )
    if payload.pd != state.purpose_digest:
        raise ChainError(ChainFault.PURPOSE, "expected the purpose that this consent began with")


def _state_or_reason(
    events: Sequence[SignedEvent], log_origin: str, operator_kids: Collection[str]
) -> ConsentState | Reason:
    try:
        state = consent_state(events, log_origin=log_origin, operator_kids=operator_kids)
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
    if use.now >= limits.expires_at:
        return Reason.EXPIRED
    if not use.fields <= set(limits.fields):
        return Reason.FIELDS_EXCEEDED
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
