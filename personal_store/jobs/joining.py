"""Join a cooperative once: an invitation code against a membership, kept with its pinned keys."""

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
    when the cooperative refuses or cannot be reached.
    """
    address = url.rstrip("/")
    with reading(store.engine) as connection:
        known = {each.url for each in memberships.every(connection)}
    if address in known:
        raise StoreError(
            fr="Vous avez déjà adhéré à cette coopérative : votre code n'a pas servi.",
            en="You have already joined this cooperative: your code was not used.",
        )
    joined = cooperative.enrol(
        store.connect(address),
        url=address,
        code=code,
        zone=zone,
        member_key=Ed25519PrivateKey.generate(),
    )
    with writing(store.engine) as connection:
        memberships.add(connection, joined, at=store.clock.now())
    return joined
