"""Change the key of a consent: the old key names the new one, which signs from then on.

Not a recovery: whoever lost the old key withdraws through the stewards. Proofs and receipts of
before stay valid, since each leaf carries the key that signed it.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection

from consents.jws import thumbprint
from consents.records.record import EventType
from personal_store import cooperative
from personal_store.choices import consenting
from personal_store.choices.consent_events import sign_keys
from personal_store.choices.erasing import CID_START_LENGTH
from personal_store.db import consents, memberships
from personal_store.db.connection import reading, writing
from personal_store.db.consents import Consent
from personal_store.errors import GateClosed
from personal_store.membership import Membership
from personal_store.store import Store


def rotate(store: Store, membership: Membership, cid_start: str) -> None:
    """Give a consent a new key, and hand the change over; the old key is kept nowhere.

    What waits is handed over before anything is signed, and the cooperative must answer: a
    withdrawal left with the stewards must continue what the log holds. Raises TransportError when
    it does not, GateClosed unless exactly one permission starts like this.
    """
    membership = expect_answer(store, membership)
    now, new, origin = store.clock.now(), Ed25519PrivateKey.generate(), membership.log_origin
    with writing(store.engine) as connection:
        consent = permission(connection, membership, cid_start)
        chain = consents.chain(connection, consent.cid)
        for signer, other in ((consent.key, new), (new, consent.key)):
            event = sign_keys(
                consent,
                chain,
                EventType.KEY_ROTATED,
                names=thumbprint(other.public_key()),
                signer=signer,
                origin=origin,
                at=now,
            )
            consents.add_event(connection, event)
            chain.append(event)
        consents.set_key(connection, consent.cid, new)
    consenting.hand_over(store, membership)


def expect_answer(store: Store, membership: Membership) -> Membership:
    """Hand over what waits, before a key changes or is named; raise TransportError.

    The cooperative must answer: a withdrawal left with the stewards must continue what the log
    holds. Returns the membership with the logs that were followed by now.
    """
    consenting.hand_over(store, membership)
    cooperative.tasks(store.connect(membership.url), membership)
    with reading(store.engine) as connection:
        return memberships.of(connection, membership.url)


def permission(connection: Connection, membership: Membership, cid_start: str) -> Consent:
    """Return the one permission whose id starts so; raise GateClosed unless it is exactly one."""
    named = [
        consent
        for consent in consents.every(connection)
        if consent.url == membership.url and consent.cid.startswith(cid_start)
        if consenting.permits(consents.chain(connection, consent.cid))
    ]
    if len(cid_start) < CID_START_LENGTH or len(named) != 1:
        raise _no_such_permission()
    return named[0]


def _no_such_permission() -> GateClosed:
    return GateClosed(
        fr="Aucun accord en cours ne commence ainsi : rien n'a changé. Attendu : au moins "
        f"{CID_START_LENGTH} caractères du numéro que montre « consents list ».",
        en="No consent in force starts like this: nothing has changed. Expected: at least "
        f"{CID_START_LENGTH} characters of the number that “consents list” shows.",
    )
