"""Show consents' events to the key that they name: a delegate's, a withdrawal code's, a signer's.

They need the newest event to sign the next one. Leaves hold no clear text, but they tell when
somebody chose: nobody else gets them, and a refusal is the same whatever is missing.
"""

from collections.abc import Sequence
from datetime import timedelta

from consents.errors import ConsentsError
from consents.records.chain_request import read_chain_request
from coop_aggregator.db import log as log_db
from coop_aggregator.db import members as members_db
from coop_aggregator.db.shards import Shards, load_shards
from coop_aggregator.errors import EventRefused
from coop_aggregator.installation import Leader
from coop_aggregator.tlog.standing import standing

REQUEST_TOLERANCE = timedelta(minutes=10)
"""How old or early a request may be: a copied one is worth nothing later."""

MAX_CHAINS = 32
"""Consents shown at once: a member could name somebody's key in many, which hides no other's."""


def chains_for(leader: Leader, token: bytes) -> Sequence[Sequence[bytes]]:
    """Return the consents that name the key of a request, each as its leaves, oldest first.

    Raises EventRefused, also where there is none.
    """
    try:
        request = read_chain_request(token)
    except ConsentsError as error:
        raise _refused() from error
    if abs(request.at - leader.clock.now()) > REQUEST_TOLERANCE:
        raise _refused()
    with leader.database.read() as connection:
        shards = load_shards(connection)
        if request.origin not in shards.origins:
            raise _refused()
        named = members_db.consents_naming(connection, request.kid, limit=MAX_CHAINS)
        chains = [log_db.leaves_of(connection, cid) for cid in named]
    shown = [each for each in chains if _names(shards, each, request.kid)]
    if not shown:
        raise _refused()
    return shown


def _names(shards: Shards, leaves: Sequence[bytes], kid: str) -> bool:
    """Tell whether a consent still names a key: a mandate may have been taken back."""
    state = standing(leaves, shards)
    return state is not None and kid in state.known_kids


def _refused() -> EventRefused:
    return EventRefused(
        fr="Rien à montrer. Attendu : une demande signée à l'instant par une clé qu'un accord "
        "nomme. Vérifiez le fichier, et l'heure de cet ordinateur.",
        en="Nothing to show. Expected: a request signed just now by a key that a consent names. "
        "Check the file, and this computer's time.",
        status=403,
    )
