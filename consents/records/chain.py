"""The chain of one consent: which event may follow which, and who may sign it.

Each event counts up by one and names the hash of the one before, under the same purpose and the
same log: that is what makes a replay visible. Where a log is the yearly successor of others, a
chain goes on from one to the next, and an event may have been signed for the log in which it
stands or for one before it, never for a later one. One key signs a whole chain, with these
exceptions:

- `key.rotated`: the old key names the new one, which confirms in the next leaf by naming the old.
  Until then the old key is the chain's, and any other event of it abandons the change.
- `key.recovered`: a steward's key names a new key after a loss. From then on nothing is permitted,
  and the new key can only withdraw.
- `signer.joined`, at the beginning only: a child's key names a parent's, or the reverse. From then
  on a permission counts once every signer has signed it; any one of them ends it.
- `delegate.named`: the resident names a key that may only withdraw, within the time of its mandate,
  until `delegate.revoked` names that key again.
- `recovery.named`: the resident names the key of their withdrawal code, the newest counts. It may
  withdraw at any time, and nothing else; the consent then stays ended, whoever has the lost store.
- `consent.expired` may be the operator's, who can take rights away but never give any.

In a leaf about keys, `c` is the thumbprint of the key that it names, in hex. This module keeps
nothing and asks nobody; whether a state permits a use is `consents.records.decision`'s question.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from consents.canonical import base64url_bytes, base64url_text
from consents.errors import ChainError, ChainFault
from consents.records.mandate import Mandate
from consents.records.receipt import EventType, LeafPayload, SignedEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegate:
    """A key that may act within a mandate."""

    kid: str
    mandate: Mandate


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentState:
    """
    Where the chain of one consent stands: what the next event must continue.

    `status` is the last consent event that counts (an unfinished joint one does not), `kid` the
    key of the chain. `signers` are the keys that must all agree, where there are several, and
    `agreed` those that have signed `proposal`. `successor` is a key that has yet to confirm,
    `predecessor` the one that named it, `recovery` the key that may withdraw after a loss, and
    `recovered` tells that the consent ended, or can only end, by a loss.
    """

    cid: str
    log_origin: str
    purpose_digest: str
    kid: str
    status: EventType
    n: int
    head: str
    at: datetime
    signers: frozenset[str] = frozenset()
    agreed: frozenset[str] = frozenset()
    proposal: EventType | None = None
    delegates: tuple[Delegate, ...] = ()
    recovery: str | None = None
    successor: str | None = None
    predecessor: str | None = None
    recovered: bool = False

    @property
    def next_n(self) -> int:
        """The counter of the event that follows; its `p` is `head`."""
        return self.n + 1

    @property
    def kids(self) -> frozenset[str]:
        """The keys that may sign a contribution: any signer's."""
        return self.signers or frozenset({self.kid})

    @property
    def ending_kids(self) -> frozenset[str]:
        """The keys that may withdraw, a delegate's within its mandate."""
        helpers = {self.recovery, *(each.kid for each in self.delegates)}
        return self.kids | frozenset(kid for kid in helpers if kid is not None)

    @property
    def known_kids(self) -> frozenset[str]:
        """The keys that the chain names, in whatever part: their holders may read it."""
        return self.ending_kids | frozenset({self.successor} if self.successor else ())

    def mandate_of(self, kid: str) -> Mandate | None:
        """Return the mandate of a delegate's key, None for any other."""
        return next((each.mandate for each in self.delegates if each.kid == kid), None)


def key_digest(kid: str) -> str:
    """Return the `c` of a leaf that names the key with this thumbprint."""
    return base64url_bytes(kid).hex()


def extend(
    state: ConsentState | None,
    event: SignedEvent,
    *,
    log_origin: str,
    earlier: Collection[str] = (),
    operator_kids: Collection[str] = (),
    steward_kids: Collection[str] = (),
) -> ConsentState:
    """
    Return the state after `event`, or raise ChainError with the rule that it breaks.

    `log_origin` names the log in which the event stands, `earlier` those of which it is the
    successor (`consents.tlog.shards`). `state` is None for the first event. A key of
    `operator_kids` may only add `consent.expired`, one of `steward_kids` only `key.recovered`. The
    purpose stays the same through a consent: a new version of it asks for a new consent.
    """
    payload = event.payload
    if payload.o != log_origin and payload.o not in earlier:
        raise ChainError(ChainFault.ORIGIN, "expected an event signed for this log")
    if state is None:
        return _first(event, log_origin)
    _check_link(state, payload)
    step = replace(
        state,
        log_origin=log_origin,
        n=payload.n,
        head=event.head,
        at=payload.at_time,
        successor=None,
        predecessor=None,
    )
    if state.successor is not None and payload.kid == state.successor:
        return _succeeded(step, payload, state.predecessor)
    if payload.t.of_keys:
        return _about_keys(step, payload, steward_kids)
    _check_signer(state, payload, operator_kids)
    if not state.status.of_resident and not payload.t.of_resident:
        return replace(step, status=payload.t, purpose_digest=payload.pd)
    if payload.pd != state.purpose_digest:
        raise ChainError(ChainFault.PURPOSE, "expected the purpose that this consent began with")
    _check_transition(state, payload.t)
    # Whoever holds the lost store must not give again what the code ended.
    step = replace(step, recovered=state.recovered or _by_recovery(state, payload))
    return _agreed(step, payload) if state.signers else replace(step, status=payload.t)


_OPENING = frozenset({EventType.GIVEN, EventType.REFUSED, EventType.DEFERRED})
_WHILE_PERMITTED = frozenset(
    {EventType.LIMITED, EventType.RENEWED, EventType.WITHDRAWN, EventType.EXPIRED}
)
_FOLLOWING: Mapping[EventType, frozenset[EventType]] = {
    EventType.SIGNER_JOINED: _OPENING | {EventType.WITHDRAWN},
    EventType.REFUSED: _OPENING,
    EventType.DEFERRED: _OPENING,
    EventType.GIVEN: _WHILE_PERMITTED,
    EventType.LIMITED: _WHILE_PERMITTED,
    EventType.RENEWED: _WHILE_PERMITTED,
    # Only a new, whole consent undoes a withdrawal: a renewal would hide that it was one.
    EventType.WITHDRAWN: frozenset({EventType.GIVEN}),
    EventType.EXPIRED: frozenset({EventType.GIVEN, EventType.RENEWED, EventType.WITHDRAWN}),
    EventType.KEY_RECOVERED: frozenset({EventType.WITHDRAWN}),
}


def _first(event: SignedEvent, log_origin: str) -> ConsentState:
    payload = event.payload
    if payload.n != 0:
        raise ChainError(ChainFault.COUNTER, f"expected a chain to begin at 0, seen {payload.n}")
    joint = payload.t is EventType.SIGNER_JOINED
    if payload.t.of_resident and payload.t not in _OPENING and not joint:
        raise ChainError(ChainFault.TRANSITION, f"expected a first choice, seen {payload.t}")
    return ConsentState(
        cid=payload.cid,
        log_origin=log_origin,
        purpose_digest=payload.pd,
        kid=payload.kid,
        status=payload.t,
        n=payload.n,
        head=event.head,
        at=payload.at_time,
        signers=frozenset({payload.kid, _named(payload)}) if joint else frozenset(),
    )


def _check_link(state: ConsentState, payload: LeafPayload) -> None:
    if payload.cid != state.cid:
        raise ChainError(ChainFault.CONSENT_ID, "expected the same consent, seen another")
    if payload.n != state.next_n:
        raise ChainError(ChainFault.COUNTER, f"expected n = {state.next_n}, seen {payload.n}")
    if payload.p != state.head:
        raise ChainError(ChainFault.PREVIOUS, "expected p to be the hash of the last event")


def _check_signer(
    state: ConsentState, payload: LeafPayload, operator_kids: Collection[str]
) -> None:
    by_operator = payload.t is EventType.EXPIRED and payload.kid in operator_kids
    mandate = state.mandate_of(payload.kid)
    by_delegate = mandate is not None and mandate.covers(payload.t, at=payload.at_time)
    by_other = by_operator or by_delegate or _by_recovery(state, payload)
    if payload.kid not in state.kids and not by_other:
        raise ChainError(ChainFault.KEY, "expected the consent's key, or a mandate in force")


def _by_recovery(state: ConsentState, payload: LeafPayload) -> bool:
    withdraws = payload.t is EventType.WITHDRAWN
    return withdraws and payload.kid == state.recovery and payload.kid not in state.kids


def _check_transition(state: ConsentState, kind: EventType) -> None:
    ended = state.recovered and state.status is EventType.WITHDRAWN
    if ended or kind not in _FOLLOWING.get(state.status, frozenset()):
        raise ChainError(ChainFault.TRANSITION, f"expected no {kind} after {state.status}")


def _agreed(step: ConsentState, payload: LeafPayload) -> ConsentState:
    """Count one signer's choice: a permission needs all of them, anything else only one."""
    kind = payload.t
    if not kind.permits:
        return replace(step, status=kind, proposal=None, agreed=frozenset())
    before = step.agreed if step.proposal is kind else frozenset()
    if payload.kid in before:
        raise ChainError(ChainFault.KEY, "expected the other signer, seen the same one again")
    agreed = before | {payload.kid}
    if agreed == step.signers:
        return replace(step, status=kind, proposal=None, agreed=frozenset())
    return replace(step, proposal=kind, agreed=agreed)


def _about_keys(
    step: ConsentState, payload: LeafPayload, steward_kids: Collection[str]
) -> ConsentState:
    named = _named(payload)
    if not step.status.of_resident:
        raise ChainError(ChainFault.TRANSITION, "expected no change of keys in this chain")
    if payload.pd != step.purpose_digest:
        raise ChainError(ChainFault.PURPOSE, "expected the purpose that this consent began with")
    if payload.t is EventType.KEY_RECOVERED:
        if payload.kid not in steward_kids:
            raise ChainError(ChainFault.KEY, "expected a steward's key to name it")
        return replace(
            step,
            status=EventType.KEY_RECOVERED,
            kid=named,
            signers=frozenset(),
            agreed=frozenset(),
            proposal=None,
            recovered=True,
        )
    if payload.kid not in step.kids:
        raise ChainError(ChainFault.KEY, "expected the key that began this consent")
    if payload.t in {EventType.DELEGATE_NAMED, EventType.DELEGATE_REVOKED}:
        return _about_delegates(step, payload, named)
    if payload.t is EventType.RECOVERY_NAMED:
        return replace(step, recovery=named)
    return _about_signers(step, payload, named)


def _about_signers(step: ConsentState, payload: LeafPayload, named: str) -> ConsentState:
    joins = payload.t is EventType.SIGNER_JOINED
    if step.recovered or (joins and step.status is not EventType.SIGNER_JOINED):
        raise ChainError(ChainFault.TRANSITION, f"expected no {payload.t} after {step.status}")
    if joins:
        return replace(step, signers=step.signers | {named})
    if named in step.known_kids:
        # Whoever is named must confirm next: a signer's own withdrawal would be refused for it.
        raise ChainError(ChainFault.KEY, "expected a key that this consent does not know yet")
    return replace(step, successor=named, predecessor=payload.kid)


def _about_delegates(step: ConsentState, payload: LeafPayload, named: str) -> ConsentState:
    others = tuple(each for each in step.delegates if each.kid != named)
    if payload.m is not None:
        return replace(step, delegates=(*others, Delegate(kid=named, mandate=payload.m)))
    if len(others) == len(step.delegates):
        raise ChainError(ChainFault.KEY, "expected a delegate of this consent to be revoked")
    return replace(step, delegates=others)


def _succeeded(step: ConsentState, payload: LeafPayload, predecessor: str | None) -> ConsentState:
    """Take in the leaf by which a new key accepts: it names the key that named it, no other."""
    named = _named(payload)
    if payload.t is not EventType.KEY_ROTATED or named != predecessor:
        raise ChainError(ChainFault.KEY, "expected the new key to confirm, naming the old one")
    signers = frozenset(payload.kid if kid == named else kid for kid in step.signers)
    kid = payload.kid if named == step.kid else step.kid
    return replace(step, kid=kid, signers=signers, agreed=frozenset(), proposal=None)


def _named(payload: LeafPayload) -> str:
    """Return the thumbprint of the key that a leaf about keys names."""
    named = base64url_text(bytes.fromhex(payload.c))
    if named == payload.kid:
        raise ChainError(ChainFault.KEY, "expected a leaf about keys to name another key")
    return named
