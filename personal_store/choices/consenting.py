"""Give and withdraw consent: signed by the resident, kept here, proved by the cooperative's log.

A choice counts here from the moment it is signed, offline too: the gate reads these events. They
are then handed to the cooperative, and the promise and proof that come back are verified and kept.
A choice that could not be handed over yet is handed over by the next `hand_over`; a withdrawal is
left with the stewards meanwhile.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine

from consents.errors import ConsentsError
from consents.jws import thumbprint
from consents.records.decision import consent_state
from consents.records.record import EventType
from consents.tlog.proofs import LogReceipt
from personal_store import cooperative
from personal_store.answers import LogAnswer
from personal_store.choices import ended_by_others, fork_watch, log_years, withdrawal_code
from personal_store.choices.consent_events import (
    Choice,
    choice_body,
    last_choice,
    sign_choice,
    sign_keys,
)
from personal_store.db import consents, trust
from personal_store.db.connection import reading, writing
from personal_store.db.consents import Consent, KeptEvent
from personal_store.db.trust import Trust
from personal_store.errors import GateClosed, LogForked, StoreError, TransportError
from personal_store.membership import Membership
from personal_store.store import Store

Randomness = Callable[[int], bytes]
CONSENT_ID_LENGTH_BYTES = 16
COMMITMENT_KEY_LENGTH_BYTES = 32
_DECLINED = frozenset({EventType.REFUSED, EventType.DEFERRED})


def permits(chain: Sequence[KeptEvent]) -> bool:
    """Tell whether the last choice of a chain is a permission, expired or not."""
    choice = last_choice(chain)
    return choice is not None and choice.signed.payload.t.permits


def is_active(chain: Sequence[KeptEvent], *, now: datetime) -> bool:
    """Tell whether the consent of a chain (oldest event first) is in force."""
    choice = last_choice(chain)
    if choice is None or choice.body is None or not permits(chain):
        return False
    limits = choice.body.limits
    return limits is not None and now < limits.expires_at


def in_force(events: Iterable[KeptEvent], *, now: datetime) -> list[KeptEvent]:
    """Return the last choice of each consent that is in force, out of the events of several."""
    last = {each.signed.payload.cid: each for each in events if each.signed.payload.t.of_consent}
    return [each for each in last.values() if is_active([each], now=now)]


def give(
    engine: Engine,
    choice: Choice,
    *,
    now: datetime,
    randomness: Randomness,
    parent: Ed25519PrivateKey | None = None,
) -> KeptEvent:
    """Sign a consent and keep it: it holds from now on, whoever can be reached.

    Opens a new consent, with a fresh key and a fresh id; one that has expired is renewed. With the
    key of a `parent`, both sign. Raises GateClosed when one is in force, or to be renewed by others
    than those who gave it. The key of the withdrawal code, where there is one, is named with it.
    """
    origin = choice.membership.log_origin
    with writing(engine) as connection:
        current = consents.newest_for(
            connection, url=choice.membership.url, purpose_digest=choice.purpose.digest
        )
        chain = consents.chain(connection, current.cid) if current else []
        if is_active(chain, now=now):
            raise _already_given()
        if current is None or not permits(chain):
            current, chain = _open(connection, choice, now=now, randomness=randomness), []
        elif _is_joint(chain) != (parent is not None):
            raise _other_signers()
        body = choice_body(choice, current, chain, now=now)
        if parent is not None and not chain:
            _add(connection, chain, _joined(current, parent, origin=origin, at=now))
        for signer in (current.key, parent):
            if signer is not None:
                said = replace(body, record_id=f"{current.cid}-{len(chain)}")
                key = randomness(COMMITMENT_KEY_LENGTH_BYTES)
                signed = sign_choice(current, chain, said, origin=origin, key=key, signer=signer)
                _add(connection, chain, signed)
        given = chain[-1]
        named = withdrawal_code.naming_event(connection, current, chain, choice.membership, at=now)
        if named is not None:
            _add(connection, chain, named)
        _expect_sound(chain, choice.membership)
        return given


def decline(
    engine: Engine, choice: Choice, *, kind: EventType, now: datetime, randomness: Randomness
) -> KeptEvent:
    """Sign a refusal, or that the choice is put off (`kind`), and keep it: nothing is shared.

    On record, so that being asked again soon can be shown. Raises GateClosed while a consent is
    given: that is withdrawn instead.
    """
    with writing(engine) as connection:
        current = consents.newest_for(
            connection, url=choice.membership.url, purpose_digest=choice.purpose.digest
        )
        chain = consents.chain(connection, current.cid) if current else []
        if permits(chain):
            raise _already_given()
        last = last_choice(chain)
        declined = last is not None and last.signed.payload.t in _DECLINED
        if current is None or current.erased_at is not None or not declined:
            current, chain = _open(connection, choice, now=now, randomness=randomness), []
        event = sign_choice(
            current,
            chain,
            replace(choice_body(choice, current, chain, now=now), event_type=kind, limits=None),
            origin=choice.membership.log_origin,
            key=randomness(COMMITMENT_KEY_LENGTH_BYTES),
        )
        consents.add_event(connection, event)
        return event


def withdraw(
    engine: Engine,
    membership: Membership,
    *,
    language: str,
    now: datetime,
    randomness: Randomness,
    parent: Ed25519PrivateKey | None = None,
) -> list[KeptEvent]:
    """Sign the end of every consent given to a cooperative, for whatever purpose, and keep it.

    With the key of a `parent`, the end of those that this parent signed. Needs no answer from
    anybody. Raises GateClosed when there is none.
    """
    with writing(engine) as connection:
        events = []
        for consent in consents.every(connection):
            chain = consents.chain(connection, consent.cid)
            choice = last_choice(chain)
            if consent.url != membership.url or choice is None or not permits(chain):
                continue
            if parent is not None and not _signed_by(chain, parent):
                continue
            assert choice.body is not None, "only an ended consent is erased"
            body = replace(
                choice.body,
                record_id=f"{consent.cid}-{len(chain)}",
                language=language,
                event_time=now,
                event_type=EventType.WITHDRAWN,
                limits=None,
            )
            key = randomness(COMMITMENT_KEY_LENGTH_BYTES)
            origin = membership.log_origin
            event = sign_choice(consent, chain, body, origin=origin, key=key, signer=parent)
            consents.add_event(connection, event)
            events.append(event)
        if not events:
            raise _nothing_to_withdraw()
        return events


def hand_over(store: Store, membership: Membership) -> int:
    """Hand the events that the log does not hold yet to the cooperative, in order.

    Returns how many it answered for, with a proof or a promise. A withdrawal that it does not
    answer for is left with the stewards, where the resident named some. Raises TransportError when
    the cooperative cannot be reached; what was handed over before stays so. Raises LogForked when
    its log does not continue what it showed before.
    """
    transport = store.connect(membership.url)
    handed = 0
    # What is wrong here holds no withdrawal back; a fork is said by `watch`, after.
    refused: TransportError | None = None
    try:
        membership = log_years.follow(store, membership)
    except LogForked:
        pass
    except TransportError as error:
        refused = error
    with suppress(TransportError):
        ended_by_others.take_in(store, membership)
    # In the order of each chain, never of the clock, which may have been set back in between.
    waiting = _events(store, membership, logged=False)
    try:
        for event in waiting:
            answer = cooperative.log_event(
                transport,
                membership,
                event.signed.leaf,
                signed_at=event.signed_at,
                now=store.clock.now(),
            )
            _keep(store, event, answer)
            handed += 1
    except TransportError:
        _leave_with_stewards(store, membership, waiting[handed:])
        raise
    if refused is not None:
        raise refused
    refresh_proofs(store, membership)
    proved = _events(store, membership, logged=True)
    notes = [each.receipt.checkpoint for each in proved if each.receipt is not None]
    fork_watch.watch(store, membership, notes)
    return handed


def refresh_proofs(store: Store, membership: Membership) -> int:
    """Fetch the proofs of logged events that the pinned stewards had not cosigned; count those now.

    Does nothing without a policy. Raises TransportError.
    """
    with reading(store.engine) as connection:
        pinned = trust.pinned_for(connection, membership.url)
    if pinned is None:
        return 0
    transport, witnessed = store.connect(membership.url), 0
    for event in _events(store, membership, logged=True):
        if event.receipt is not None and _attested(pinned, event.receipt.checkpoint):
            continue
        receipt = cooperative.logged_proof(transport, membership, event.signed.leaf)
        if receipt is not None and _attested(pinned, receipt.checkpoint):
            _keep_receipt(store, event, receipt)
            witnessed += 1
    return witnessed


def pin_trust(store: Store, membership: Membership, pinned: Trust) -> None:
    """Keep whom to believe about a cooperative. Raises StoreError for another log's policy."""
    try:
        named = set(membership.log_vkeys) & set(pinned.policy.logs)
        known = bool(named) and bool(pinned.policy.witnesses)
    except ConsentsError as error:
        raise _bad_policy() from error
    if not known:
        raise _bad_policy()
    with writing(store.engine) as connection:
        trust.pin(connection, membership.url, pinned)


def _events(store: Store, membership: Membership, *, logged: bool) -> list[KeptEvent]:
    with reading(store.engine) as connection:
        return [
            event
            for consent in consents.every(connection)
            if consent.url == membership.url
            for event in consents.chain(connection, consent.cid)
            if (event.receipt is not None) is logged
        ]


def _keep(store: Store, event: KeptEvent, answer: LogAnswer) -> None:
    payload = event.signed.payload
    with writing(store.engine) as connection:
        consents.keep_promise(connection, cid=payload.cid, n=payload.n, promise=answer.promise)
    if answer.receipt is not None:
        _keep_receipt(store, event, answer.receipt)


def _keep_receipt(store: Store, event: KeptEvent, receipt: LogReceipt) -> None:
    payload = event.signed.payload
    with writing(store.engine) as connection:
        consents.keep_receipt(connection, cid=payload.cid, n=payload.n, receipt=receipt)


def _leave_with_stewards(
    store: Store, membership: Membership, unanswered: Sequence[KeptEvent]
) -> None:
    with reading(store.engine) as connection:
        pinned = trust.pinned_for(connection, membership.url)
    if pinned is None or pinned.stewards_url is None:
        return
    stewards = store.connect(pinned.stewards_url)
    for event in unanswered:
        payload = event.signed.payload
        if payload.t is not EventType.WITHDRAWN or event.promise or event.slip:
            continue
        try:
            slip = cooperative.leave_withdrawal(stewards, event.signed.leaf, pinned.policy)
        except TransportError:
            # Neither answers: the next command tries both again, and the gate is closed anyway.
            return
        with writing(store.engine) as connection:
            consents.keep_slip(connection, cid=payload.cid, n=payload.n, slip=slip)


def _attested(pinned: Trust, checkpoint: str) -> bool:
    try:
        pinned.policy.attest(checkpoint)
    except ConsentsError:
        return False
    return True


def _open(
    connection: Connection, choice: Choice, *, now: datetime, randomness: Randomness
) -> Consent:
    opened = Consent(
        cid=randomness(CONSENT_ID_LENGTH_BYTES).hex(),
        url=choice.membership.url,
        purpose_digest=choice.purpose.digest,
        key=Ed25519PrivateKey.generate(),
        opened_at=now,
    )
    consents.add(connection, opened)
    return opened


def _add(connection: Connection, chain: list[KeptEvent], event: KeptEvent) -> None:
    consents.add_event(connection, event)
    chain.append(event)


def _joined(consent: Consent, parent: Ed25519PrivateKey, *, origin: str, at: datetime) -> KeptEvent:
    return sign_keys(
        consent,
        [],
        EventType.SIGNER_JOINED,
        names=thumbprint(parent.public_key()),
        signer=consent.key,
        origin=origin,
        at=at,
    )


def _is_joint(chain: Sequence[KeptEvent]) -> bool:
    return any(each.signed.payload.t is EventType.SIGNER_JOINED for each in chain)


def _signed_by(chain: Sequence[KeptEvent], parent: Ed25519PrivateKey) -> bool:
    kid = thumbprint(parent.public_key())
    return any(each.signed.payload.kid == kid for each in chain)


def _expect_sound(chain: Sequence[KeptEvent], membership: Membership) -> None:
    try:
        consent_state(
            [each.signed for each in chain],
            log_origin=membership.log_origin,
            earlier=membership.origins,
        )
    except ConsentsError as error:
        raise _other_signers() from error


def _other_signers() -> GateClosed:
    return GateClosed(
        fr="Cet accord se renouvelle avec les mêmes clés qu'au début : celle d'un parent s'il en "
        "avait une, aucune sinon. Sinon, retirez-le, puis donnez-en un nouveau.",
        en="This consent is renewed with the keys that it began with: a parent's where it had one, "
        "none otherwise. Failing that, withdraw it, then consent anew.",
    )


def _bad_policy() -> StoreError:
    return StoreError(
        fr="Ce fichier ne dit pas qui croire à propos de cette coopérative. Attendu : un fichier "
        "de confiance (format C2SP) avec la clé de son journal et celles des témoins.",
        en="This file does not say whom to believe about this cooperative. Expected: a C2SP "
        "policy with the key of its log and those of its stewards.",
    )


def _nothing_to_withdraw() -> GateClosed:
    return GateClosed(
        fr="Aucun accord en cours à retirer : rien n'est partagé.",
        en="There is no consent to withdraw: nothing is shared.",
    )


def _already_given() -> GateClosed:
    return GateClosed(
        fr="Vous avez déjà donné votre accord ; retirez-le pour changer d'avis.",
        en="You have already consented; withdraw to change your mind.",
    )
