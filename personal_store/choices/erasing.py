"""Erase what the resident's choices said in clear: bodies and the keys of their commitments.

Here at once, offline too; then the cooperative is asked to erase its link to the member and to log
that it was done, which is verified and kept. Leaves, proofs and promises stay: without its key a
commitment says nothing. Not a withdrawal: a consent in force must be withdrawn first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from consents.records.erasure import sign_erasure
from personal_store import cooperative
from personal_store.choices import consenting
from personal_store.db import consents, memberships
from personal_store.db.connection import overwrite_journal, reading, writing
from personal_store.db.consents import Consent
from personal_store.errors import GateClosed, StoreError
from personal_store.membership import Membership
from personal_store.store import Store

CID_START_LENGTH = 8
"""Letters of a consent's id that name it: 32 bits, enough that no two start alike by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """How many erasures the log now states, and how many counted reports stay without sender."""

    consents: int
    reports_kept: int


def erase(store: Store, cid_start: str | None = None) -> int:
    """Erase the bodies and keys of one consent, or of every one; return how many consents.

    0 where only the cooperative's word is missing still: `confirm` asks for it. Raises GateClosed
    while one of them is in force, StoreError where there is none to erase.
    """
    now = store.clock.now()
    with writing(store.engine) as connection:
        chosen = [each for each in consents.every(connection) if _is_named(each, cid_start)]
        for each in chosen:
            if consenting.permits(consents.chain(connection, each.cid)):
                raise _still_in_force()
        waiting = [each for each in chosen if each.erased_at is None]
        if all(each.erasure is not None for each in chosen):
            raise _nothing_to_erase()
        for each in waiting:
            consents.shred(connection, each.cid, at=now)
    if not overwrite_journal(store.engine):
        raise _read_meanwhile()
    return len(waiting)


def confirm(store: Store, membership: Membership) -> Confirmed:
    """Hand over what waits, then have the cooperative erase and log each erasure not logged yet.

    Raises TransportError; what was confirmed before stays so.
    """
    with reading(store.engine) as connection:
        waiting = [
            (each, [event.signed.leaf for event in consents.chain(connection, each.cid)])
            for each in consents.every(connection)
            if each.url == membership.url and each.erased_at and each.erasure is None
        ]
        choices = {
            event.signed.leaf
            for each, _ in waiting
            for event in consents.chain(connection, each.cid)
            if event.signed.payload.t.of_consent
        }
    if not waiting:
        return Confirmed(consents=0, reports_kept=0)
    consenting.hand_over(store, membership)
    with reading(store.engine) as connection:
        membership = memberships.of(connection, membership.url)
    kept = 0
    for each, leaves in waiting:
        kept += _confirm_one(store, membership, each, [leaf for leaf in leaves if leaf in choices])
    return Confirmed(consents=len(waiting), reports_kept=kept)


def _confirm_one(
    store: Store, membership: Membership, consent: Consent, leaves: Sequence[bytes]
) -> int:
    request = sign_erasure(cid=consent.cid, origin=membership.log_origin, key=consent.key)
    said = cooperative.erase(
        store.connect(membership.url), membership, request=request, leaves=leaves
    )
    with writing(store.engine) as connection:
        consents.keep_erasure(connection, consent.cid, said.entries)
    return said.reports_kept


def _is_named(consent: Consent, cid_start: str | None) -> bool:
    if cid_start is None:
        return True
    return len(cid_start) >= CID_START_LENGTH and consent.cid.startswith(cid_start)


def _still_in_force() -> GateClosed:
    return GateClosed(
        fr="Un accord en cours ne s'efface pas : retirez-le d'abord. Rien n'a été effacé.",
        en="A consent in force is not erased: withdraw it first. Nothing was erased.",
    )


def _nothing_to_erase() -> StoreError:
    return StoreError(
        fr="Rien à effacer : aucun accord ne commence ainsi, ou c'est déjà fait. « consents list » "
        "montre leurs numéros.",
        en="Nothing to erase: no consent starts like this, or it is done already. “consents list” "
        "shows their numbers.",
    )


def _read_meanwhile() -> StoreError:
    return StoreError(
        fr="Effacé de la base, mais un autre programme la lit : le journal de la base sera vidé "
        "quand le dernier programme la fermera. Arrêtez-les pour que ce soit fait.",
        en="Erased from the database, but another program reads it: the database's own journal is "
        "emptied when the last program closes it. Stop them to have it done.",
    )
