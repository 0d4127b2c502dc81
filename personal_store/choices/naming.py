"""Name who may end a consent beside its own key: a delegate for a time, or one's withdrawal code.

The key that is named is in the log, not whose it is. A delegate makes their own key and shows only
its public part; the code's keys are derived (`withdrawal_code`). Acting with them: `standing_in`.
"""

import binascii
from dataclasses import dataclass
from datetime import UTC, date, datetime

from consents.canonical import base64url_bytes
from consents.errors import CanonicalError, LeafError
from consents.records.chain import ConsentState, Delegate, key_digest
from consents.records.decision import consent_state
from consents.records.mandate import Mandate
from consents.records.record import EventType
from personal_store import vault
from personal_store.choices import consenting, rekeying, withdrawal_code
from personal_store.choices.consent_events import sign_keys
from personal_store.db import consents, memberships, withdrawal_codes
from personal_store.db.connection import reading, writing
from personal_store.db.consents import Consent
from personal_store.errors import GateClosed, StoreError
from personal_store.local_time import FIRST_DAY, LAST_DAY, day_after, day_start
from personal_store.membership import Membership
from personal_store.store import Store

KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedDelegate:
    """A mandate that was not taken back, with the consent that it is for.

    `outdated`: the consent has changed since it was given, so that the file handed over then
    serves only while the cooperative answers.
    """

    consent: Consent
    delegate: Delegate
    outdated: bool


def mandate_of_days(first: date, last: date) -> Mandate:
    """Return the mandate from one day to another, both included, on the clock of home.

    Raises StoreError for days that no mandate has.
    """
    if not FIRST_DAY <= first <= last < LAST_DAY:
        raise StoreError(
            fr="Le dernier jour d'un mandat ne vient pas avant le premier : rien n'a été signé. "
            "Donnez deux jours dans l'ordre.",
            en="The last day of a mandate does not come before its first: nothing was signed. Give "
            "two days in order.",
        )
    return Mandate(
        starts_at=day_start(first).astimezone(UTC),
        ends_at=day_start(day_after(last)).astimezone(UTC),
    )


def delegates(store: Store, membership: Membership) -> list[NamedDelegate]:
    """Return the mandates at a cooperative that were not taken back, oldest consent first."""
    with reading(store.engine) as connection:
        own = [each for each in consents.every(connection) if each.url == membership.url]
        chains = {each.cid: consents.chain(connection, each.cid) for each in own}
    found = []
    for consent in own:
        newest = {
            each.signed.payload.c: each.signed.payload.n
            for each in chains[consent.cid]
            if each.signed.payload.t is EventType.DELEGATE_NAMED
        }
        for each in state_of(store, consent).delegates:
            outdated = len(chains[consent.cid]) > newest[key_digest(each.kid)] + 1
            found.append(NamedDelegate(consent=consent, delegate=each, outdated=outdated))
    return found


def name_delegate(
    store: Store, membership: Membership, cid_start: str, *, kid: str, mandate: Mandate
) -> Consent:
    """Name a delegate's key (its thumbprint) in a permission, for the time of the mandate.

    Raises TransportError, GateClosed, StoreError for what is no key or one of the resident's own.
    """
    _expect_key(kid)
    return _say(store, membership, cid_start, EventType.DELEGATE_NAMED, kid, mandate=mandate)


def revoke_delegate(store: Store, membership: Membership, cid_start: str, *, kid: str) -> Consent:
    """Take a mandate back; raise StoreError where that key has none, else as `name_delegate`."""
    with reading(store.engine) as connection:
        consent = rekeying.permission(connection, membership, cid_start)
    if state_of(store, consent).mandate_of(kid) is None:
        raise _no_mandate()
    return _say(store, membership, cid_start, EventType.DELEGATE_REVOKED, kid)


def prepare_code(store: Store, membership: Membership, *, anew: bool = False) -> str:
    """Name the withdrawal code in each permission without it; return the code, in letters.

    Makes one where there is none; `anew` makes another, after which the earlier one ends nothing.
    Raises TransportError; what was signed by then is handed over by the next visit.
    """
    membership = rekeying.expect_answer(store, membership)
    with writing(store.engine) as connection:
        code = withdrawal_codes.kept(connection)
        secret = None if code is None or anew else code.secret
        if secret is None:
            secret = store.randomness(withdrawal_code.SECRET_LENGTH_BYTES)
            withdrawal_codes.keep(connection, secret)
        for each in consents.every(connection):
            chain = consents.chain(connection, each.cid)
            if each.url != membership.url or not consenting.permits(chain):
                continue
            event = withdrawal_code.naming_event(
                connection, each, chain, membership, at=store.clock.now()
            )
            if event is not None:
                consents.add_event(connection, event)
    consenting.hand_over(store, membership)
    return vault.write_code(secret)


def code_letters(store: Store) -> str | None:
    """Return the withdrawal code in letters, None before one was made."""
    with reading(store.engine) as connection:
        code = withdrawal_codes.kept(connection)
    return None if code is None else vault.write_code(code.secret)


def state_of(store: Store, consent: Consent) -> ConsentState:
    """Return where a consent's chain stands by what this store keeps of it."""
    with reading(store.engine) as connection:
        chain = consents.chain(connection, consent.cid)
        membership = memberships.of(connection, consent.url)
    state = consent_state(
        [each.signed for each in chain],
        log_origin=membership.log_origin,
        earlier=membership.origins,
    )
    assert state is not None, "a consent begins with its first event"
    return state


def _say(
    store: Store,
    membership: Membership,
    cid_start: str,
    kind: EventType,
    kid: str,
    *,
    mandate: Mandate | None = None,
) -> Consent:
    membership = rekeying.expect_answer(store, membership)
    now: datetime = store.clock.now()
    with writing(store.engine) as connection:
        consent = rekeying.permission(connection, membership, cid_start)
        chain = consents.chain(connection, consent.cid)
        if any(each.signed.payload.kid == kid for each in chain):
            raise _own_key()
        event = sign_keys(
            consent,
            chain,
            kind,
            names=kid,
            signer=consent.key,
            origin=membership.log_origin,
            at=now,
            mandate=mandate,
        )
        consents.add_event(connection, event)
    consenting.hand_over(store, membership)
    return consent


def _expect_key(kid: str) -> None:
    try:
        whole = len(base64url_bytes(kid)) == KEY_BYTES
    except (CanonicalError, LeafError, ValueError, binascii.Error):
        whole = False
    if not whole:
        raise StoreError(
            fr="Ce n'est pas l'empreinte d'une clé : rien n'a été signé. Attendu : les 43 lettres "
            "que montre « mandate key » chez la personne.",
            en="This is no thumbprint of a key: nothing was signed. Expected: the 43 letters that "
            "“mandate key” shows to that person.",
        )


def _own_key() -> GateClosed:
    return GateClosed(
        fr="Cette clé signe déjà pour cet accord : rien n'a changé. Attendu : celle de quelqu'un "
        "d'autre.",
        en="This key signs for this consent already: nothing has changed. Expected: somebody "
        "else's.",
    )


def _no_mandate() -> StoreError:
    return StoreError(
        fr="Personne n'a de mandat avec cette clé : rien n'a changé. « consents delegates list » "
        "montre les mandats.",
        en="Nobody has a mandate with this key: nothing has changed. “consents delegates list” "
        "shows the mandates.",
    )
