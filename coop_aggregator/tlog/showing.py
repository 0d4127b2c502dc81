"""Show a consent's events to whoever its chain names: a delegate, a recovery key, a signer.

They need the newest event to sign the next one. Leaves hold no clear text, but they tell when
somebody chose: nobody else gets them, and a refusal is the same whatever is missing.
"""

from collections.abc import Sequence
from datetime import timedelta

from consents.errors import ConsentsError
from consents.records.chain_request import read_chain_request
from consents.records.decision import consent_state
from consents.records.receipt import read_event
from coop_aggregator.db import log as log_db
from coop_aggregator.db.shards import load_shards
from coop_aggregator.errors import EventRefused
from coop_aggregator.installation import Leader

REQUEST_TOLERANCE = timedelta(minutes=10)
"""How old or early a request may be: a copied one is worth nothing later."""


def chain_for(leader: Leader, token: bytes) -> Sequence[bytes]:
    """Return the leaves of a consent, oldest first, to a key that they name.

    Raises EventRefused.
    """
    try:
        request = read_chain_request(token)
    except ConsentsError as error:
        raise _refused() from error
    early = abs(request.at - leader.clock.now()) > REQUEST_TOLERANCE
    with leader.database.read() as connection:
        shards = load_shards(connection)
        leaves = log_db.leaves_of(connection, request.cid)
    if early or request.origin not in shards.origins:
        raise _refused()
    try:
        state = consent_state(
            [read_event(leaf) for leaf in leaves],
            log_origin=shards.current.origin,
            earlier=shards.origins,
            operator_kids=shards.kids,
            steward_kids=leader.steward_kids,
        )
    except ConsentsError as error:
        raise _refused() from error
    if state is None or request.kid not in state.known_kids:
        raise _refused()
    return leaves


def _refused() -> EventRefused:
    return EventRefused(
        fr="Rien à montrer. Attendu : une demande signée à l'instant par une clé que cet accord "
        "nomme. Vérifiez le fichier, et l'heure de cet ordinateur.",
        en="Nothing to show. Expected: a request signed just now by a key that this consent names. "
        "Check the file, and this computer's time.",
        status=403,
    )
