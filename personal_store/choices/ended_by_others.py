"""Take in that somebody else ended a consent: a delegate, a parent elsewhere, or one's own code.

The cooperative shows a consent to the key that signs it; what comes after the events kept here is
verified like them and kept, if it ends the consent and gives nothing. It is asked about consents
alone that another key may end. A cooperative that hides an end has reports refused or thrown out.
"""

import json

from consents.errors import ConsentsError
from consents.records.chain_request import sign_chain_request
from consents.records.decision import consent_state
from consents.records.receipt import EventType, SignedEvent, read_event
from personal_store.answers import HTTP_OK
from personal_store.choices.consent_events import kept_event
from personal_store.db import consents
from personal_store.db.connection import reading, writing
from personal_store.db.consents import Consent, KeptEvent
from personal_store.membership import Membership
from personal_store.store import Store


def take_in(store: Store, membership: Membership) -> int:
    """Keep what others signed to end consents given here; return how many ended.

    An event of this store that nobody has answered for gives way to one that the log holds in its
    place: it could never be logged. A withdrawal gives way to a withdrawal alone: the cooperative
    could sign an expiry, and log neither. Raises TransportError.
    """
    ended = 0
    for consent, chain in _shared(store, membership):
        shown = _shown(store, membership, consent)
        new = _news(chain, shown, membership)
        if new:
            with writing(store.engine) as connection:
                consents.drop_from(connection, consent.cid, new[0].payload.n)
                for event in new:
                    consents.add_event(connection, kept_event(event))
            ended += 1
    return ended


def _shared(store: Store, membership: Membership) -> list[tuple[Consent, list[KeptEvent]]]:
    """Return the consents in force, or ended here unanswered, that another key may end."""
    with reading(store.engine) as connection:
        kept = [
            (each, consents.chain(connection, each.cid))
            for each in consents.every(connection)
            if each.url == membership.url
        ]
    found = []
    for consent, chain in kept:
        state = consent_state(
            [each.signed for each in chain],
            log_origin=membership.log_origin,
            earlier=membership.origins,
            operator_kids=membership.kids,
        )
        assert state is not None, "a consent begins with its first event"
        open_still = state.status.permits or _unanswered(chain[-1])
        if open_still and state.ending_kids != {state.kid}:
            found.append((consent, chain))
    return found


def _shown(store: Store, membership: Membership, consent: Consent) -> list[SignedEvent]:
    request = sign_chain_request(
        origin=membership.log_origin, key=consent.key, now=store.clock.now()
    )
    body = json.dumps({"request": request.decode()}).encode()
    answer = store.connect(membership.url).exchange("POST", "/v1/chains", body)
    if answer.status not in HTTP_OK:
        return []
    try:
        chains = [
            [read_event(str(leaf).encode("ascii")) for leaf in leaves]
            for leaves in answer.document["chains"]
        ]
    except (KeyError, TypeError, ValueError, ConsentsError):
        return []
    return next((each for each in chains if each and each[0].payload.cid == consent.cid), [])


def _news(
    chain: list[KeptEvent], shown: list[SignedEvent], membership: Membership
) -> list[SignedEvent]:
    """Return the events after those that both know, where they end the consent soundly."""
    both = 0
    while both < min(len(chain), len(shown)) and chain[both].signed.leaf == shown[both].leaf:
        both += 1
    new = shown[both:]
    if not new or both == 0 or not all(map(_unanswered, chain[both:])):
        return []
    try:
        state = consent_state(
            shown,
            log_origin=membership.log_origin,
            earlier=membership.origins,
            operator_kids=membership.kids,
        )
    except ConsentsError:
        return []
    if state is None or state.status.permits:
        return []
    withdrawn = any(each.signed.payload.t is EventType.WITHDRAWN for each in chain[both:])
    return [] if withdrawn and state.status is not EventType.WITHDRAWN else new


def _unanswered(event: KeptEvent) -> bool:
    return event.receipt is None and event.promise is None and event.slip is None
