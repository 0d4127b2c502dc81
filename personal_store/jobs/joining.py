"""Join a cooperative: an invitation code against a membership, kept with its pinned keys.

One store, one cooperative: consents, previews and withdrawals are then about one and the same.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from personal_store import cooperative
from personal_store.cooperative import Membership
from personal_store.db import memberships
from personal_store.db.connection import reading, writing
from personal_store.errors import StoreError
from personal_store.store import Store


def run_once(store: Store, *, url: str, code: str, zone: str) -> Membership:
    """Join the cooperative at `url` from the home zone `zone`.

    Raises StoreError, before the code is used, when the store is a member already; TransportError
    when the cooperative refuses or cannot be reached, or when a keeper does not confirm its keys.
    """
    address = url.rstrip("/")
    with reading(store.engine) as connection:
        known = memberships.every(connection)
    if known:
        raise StoreError(
            fr=f"Cet espace a déjà adhéré à {known[-1].url} et n'en sert qu'une à la fois : votre "
            "code n'a pas servi. Pour une autre coopérative, créez un autre espace (--data).",
            en=f"This store has joined {known[-1].url} already and serves one at a time: your code "
            "was not used. For another cooperative, make another store (--data).",
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
