"""Pin two keepers after joining: who joined before there were any knows no key of the second one.

The keepers are those of the newest question that the pinned task key and a second key both signed;
each is then asked at its own address who it is, as when joining. Nothing is pinned unless the
resident repeats the second keeper's thumbprint, and pinned keepers are never replaced: a
cooperative that names others is refused, in words.
"""

from contributions import jws
from contributions.errors import ContributionsError
from contributions.keeper import Keeper
from contributions.task import TASK_LIMIT_BYTES, TASK_TYP, Task, TrustMode, read_task
from personal_store import cooperative
from personal_store.db import memberships
from personal_store.db.connection import writing
from personal_store.errors import StoreError
from personal_store.membership import Membership
from personal_store.store import Store
from personal_store.transport import Transport

SHORTEST_THUMBPRINT = 12
"""Characters that must be repeated: 72 bits, beyond making another key to fit."""


def offered(store: Store, member: Membership) -> tuple[Keeper, ...]:
    """Return the two keepers that the cooperative's questions name, once both confirmed it.

    None of them where no question has two. Raises StoreError when they are not those pinned, and
    TransportError when a keeper does not confirm its card.
    """
    named = _named(store.connect(member.url), member)
    if member.keepers and named and named != member.keepers:
        raise StoreError(
            fr="La coopérative annonce d'autres gardiens que ceux que cet espace a épinglés : rien "
            "n'est changé et rien ne leur sera envoyé. Demandez-lui pourquoi, et prévenez l'ancien "
            "gardien.",
            en="The cooperative names other keepers than those that this store pinned: nothing was "
            "changed, and nothing will be sent to them. Ask it why, and tell the former keeper.",
        )
    for keeper in named:
        cooperative.check_keeper(store.connect(keeper.url), keeper)
    return named


def run_once(store: Store, member: Membership, *, thumbprint: str) -> tuple[Keeper, ...]:
    """Pin the keepers offered, if `thumbprint` begins the second one's. Raises StoreError."""
    named = offered(store, member)
    if not named:
        raise StoreError(
            fr="Aucune question de cette coopérative n'a deux gardiens : il n'y a rien à épingler.",
            en="No question of this cooperative has two keepers: there is nothing to pin.",
        )
    if len(thumbprint) < SHORTEST_THUMBPRINT or not named[1].kid.startswith(thumbprint):
        raise StoreError(
            fr="Ce n'est pas l'empreinte du second gardien : rien n'est épinglé. Relisez-la avec "
            "« personal-store keepers », comparez-la à celle qu'il publie, et donnez-en au moins "
            f"{SHORTEST_THUMBPRINT} caractères.",
            en="This is not the second keeper's thumbprint: nothing was pinned. Read it with "
            "“personal-store keepers”, compare it with the one that it publishes, and give at "
            f"least {SHORTEST_THUMBPRINT} characters of it.",
        )
    with writing(store.engine) as connection:
        memberships.pin_keepers(connection, member, named)
    return named


def _named(transport: Transport, member: Membership) -> tuple[Keeper, ...]:
    found: list[Task] = []
    for signed in cooperative.signed_tasks(transport):
        try:
            first = signed.split(b"\n")[0]
            claimed = Task.parse(
                jws.verify(first, typ=TASK_TYP, limit_bytes=2 * TASK_LIMIT_BYTES).payload
            )
            if claimed.trust_mode is TrustMode.TWO_KEEPERS:
                # The second signature is by the key that the first one vouches for.
                found.append(read_task(signed, member.task_key, claimed.keepers[1].sign_key))
        except ContributionsError as error:
            raise StoreError(
                fr="Une question n'est pas signée par les clés attendues : rien n'est épinglé. "
                "Prévenez la coopérative.",
                en="A question is not signed by the expected keys: nothing was pinned. Tell the "
                "cooperative.",
            ) from error
    return max(found, key=lambda task: task.week).keepers if found else ()
