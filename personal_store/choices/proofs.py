"""What proves each choice, judged offline from what the store keeps: promised, logged, witnessed.

Nothing here asks anybody. The log's key was pinned at enrolment; the stewards' keys and how many
of them must agree come from a policy file that the resident got from elsewhere. That an event is in
the log does not say that it still holds: the gate reads the whole chain.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from consents.errors import ConsentsError, PromiseError
from consents.jws import thumbprint_of_raw
from consents.tlog.checkpoint import NoteKey
from consents.tlog.policy import WitnessPolicy
from consents.tlog.promise import DropboxSlip, Promise, read_promise, read_slip
from personal_store.db.consents import KeptEvent
from personal_store.membership import Membership


class ProofState(StrEnum):
    """How far an event has come; from `BROKEN` on somebody did not keep their word."""

    SIGNED = "signed"
    LEFT = "left-with-stewards"
    PROMISED = "promised"
    LOGGED = "logged"
    WITNESSED = "witnessed"
    OVERDUE = "overdue"
    FALSE = "false"

    @property
    def broken(self) -> bool:
        """Tell what the stewards should hear of."""
        return self in {ProofState.OVERDUE, ProofState.FALSE}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofStatus:
    """The state of one event, since when (aware UTC), and the stewards who cosigned by name.

    `due` is by when the cooperative promised to log it, where it did.
    """

    state: ProofState
    since: datetime | None = None
    due: datetime | None = None
    witnesses: tuple[str, ...] = ()


def proof_status(
    event: KeptEvent, membership: Membership, policy: WitnessPolicy | None, *, now: datetime
) -> ProofStatus:
    """Judge the proofs kept of one event; a proof that fails is told, never passed over."""
    try:
        if event.receipt is not None:
            return _of_receipt(event, membership, policy)
        if event.promise is not None:
            said = promise_of(event, membership)
            assert said is not None, "a kept promise is one"
            state = ProofState.OVERDUE if now > said.merge_by else ProofState.PROMISED
            return ProofStatus(state=state, since=said.received_at, due=said.merge_by)
        if event.slip is not None and policy is not None:
            slip = slip_of(event.slip, policy)
            if slip is None or slip.event.leaf != event.signed.leaf:
                return ProofStatus(state=ProofState.FALSE)
            return ProofStatus(state=ProofState.LEFT, since=slip.received_at)
    except ConsentsError:
        return ProofStatus(state=ProofState.FALSE)
    return ProofStatus(state=ProofState.SIGNED, since=event.signed_at)


def promise_of(event: KeptEvent, membership: Membership) -> Promise | None:
    """Return what the cooperative promised about an event; raise PromiseError when it is false."""
    if event.promise is None:
        return None
    *former, newest = membership.kids
    for kid in former:
        with suppress(PromiseError):
            return read_promise(event.promise, kid=kid)
    return read_promise(event.promise, kid=newest)


def slip_of(slip: bytes, policy: WitnessPolicy) -> DropboxSlip | None:
    """Return a slip that a steward of the policy signed, None for anybody else's."""
    for vkey in policy.witnesses.values():
        try:
            return read_slip(slip, kid=thumbprint_of_raw(NoteKey.parse(vkey).public_key))
        except ConsentsError:
            continue
    return None


def evidence_lines(events: Sequence[KeptEvent]) -> list[object]:
    """Return what `consents audit --evidence` reads: promises with their events, and slips."""
    lines: list[object] = []
    for event in events:
        if event.promise is not None:
            leaf = event.signed.leaf.decode("ascii")
            lines.append({"leaf": leaf, "promise": event.promise.decode("ascii")})
        if event.slip is not None:
            lines.append(event.slip.decode("ascii"))
    return lines


def _of_receipt(
    event: KeptEvent, membership: Membership, policy: WitnessPolicy | None
) -> ProofStatus:
    receipt = event.receipt
    assert receipt is not None, "asked for an event with a receipt"
    membership.verify(receipt)
    if policy is None:
        return ProofStatus(state=ProofState.LOGGED)
    try:
        attested = policy.attest(receipt.checkpoint)
    except ConsentsError:
        # Not cosigned by enough of them yet; the log's own signature was checked above.
        return ProofStatus(state=ProofState.LOGGED)
    names = tuple(
        sorted(NoteKey.parse(policy.witnesses[name]).name for name in attested.cosigned_at)
    )
    return ProofStatus(state=ProofState.WITNESSED, since=attested.known_by, witnesses=names)
