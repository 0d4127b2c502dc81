"""Join a cooperative: an invitation code against a membership, kept with its pinned keys.

One store, one cooperative: consents, previews and withdrawals are then about one and the same.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from personal_store import cooperative
from personal_store.db import communes, memberships
from personal_store.db.connection import reading, writing
from personal_store.errors import StoreError
from personal_store.membership import Membership
from personal_store.store import Store


def run_once(store: Store, *, url: str, code: str, zone: str | None = None) -> Membership:
    """Join the cooperative at `url` from a home zone, by default the one that was confirmed.

    Raises StoreError, before the code is used, when the store is a member already or no zone is
    given nor confirmed; TransportError
    when the cooperative refuses or cannot be reached, or when a keeper does not confirm its keys.
    """
    address = url.rstrip("/")
    with reading(store.engine) as connection:
        known = memberships.every(connection)
        confirmed = communes.confirmed(connection)
    if known:
        raise StoreError(
            fr=f"Cet espace a déjà adhéré à {known[-1].url} et n'en sert qu'une à la fois : votre "
            "code n'a pas servi. Pour une autre coopérative, créez un autre espace (--data).",
            en=f"This store has joined {known[-1].url} already and serves one at a time: your code "
            "was not used. For another cooperative, make another store (--data).",
        )
    if zone is None and confirmed is not None:
        zone = confirmed.code
    if zone is None:
        raise StoreError(
            fr="Votre commune n'est pas encore confirmée : donnez --zone et son code, ou "
            "confirmez-la sur la page « Mes lieux » ou par « places --confirm-zone ».",
            en="Your zone is not confirmed yet: give --zone and its code, or confirm it on the "
            "page “My places” or by “places --confirm-zone”.",
        )
    joined = cooperative.enrol(
        store.connect(address),
        url=address,
        code=code,
        zone=zone,
        member_key=Ed25519PrivateKey.generate(),
    )
    for keeper in joined.keepers:
        cooperative.check_keeper(store.connect(keeper.url), keeper)
    with writing(store.engine) as connection:
        memberships.add(connection, joined, at=store.clock.now())
    return joined
