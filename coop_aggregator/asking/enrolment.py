"""Let residents in: one-time invitation codes, and a member who is a key, a zone and a random id.

No name, address or mail is asked. A code is stored as its digest and is not linked to the member
who used it, so that the cooperative cannot tell later who was invited by which letter.
"""

import secrets
from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import Connection

from contributions.messages import Enrolment
from coop_aggregator.db import members as db
from coop_aggregator.db.identity import lock
from coop_aggregator.db.territories import zone_exists
from coop_aggregator.errors import EnrolmentRefused

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that is read as a digit (I, L, O) and no U."""
_GROUPS, _GROUP = 4, 4
"""4 groups of 4 letters: 80 bits, beyond guessing through a door that answers in milliseconds."""


def make_codes(connection: Connection, count: int) -> Sequence[str]:
    """Make `count` invitation codes; this is the only moment when they can be read."""
    codes = [
        "-".join(
            "".join(secrets.choice(_ALPHABET) for _letter in range(_GROUP))
            for _group in range(_GROUPS)
        )
        for _code in range(count)
    ]
    db.add_invitations(connection, [_digest(code) for code in codes])
    return codes


def enrol(connection: Connection, request: Enrolment) -> db.Member:
    """Consume a code and admit a member.

    A store that lost the answer may ask again with the same code, key and zone: it gets the same
    member. Raises EnrolmentRefused: 403 for a code unknown or used, 422 for an unknown zone.
    """
    lock(connection)
    if not zone_exists(connection, request.zone):
        raise EnrolmentRefused(
            fr="Cette zone n'est pas dans le territoire. Choisissez-en une de la liste publiée.",
            en="This zone is not in the territory. Choose one of the published list.",
            status=422,
        )
    known = db.member_by_key(connection, request.member_x)
    if known is not None:
        if known.zone == request.zone and db.invitation_exists(connection, _digest(request.code)):
            return known
        raise _refused()
    if not db.use_invitation(connection, _digest(request.code)):
        raise _refused()
    member = db.Member(member_id=secrets.token_hex(16), key_x=request.member_x, zone=request.zone)
    db.add_member(connection, member)
    return member


def _digest(code: str) -> str:
    # Read aloud or copied by hand, a code may lose its dashes or its capitals.
    return sha256(code.replace("-", "").replace(" ", "").upper().encode()).hexdigest()


def _refused() -> EnrolmentRefused:
    return EnrolmentRefused(
        fr="Ce code d'invitation est inconnu ou a déjà servi. Demandez-en un à la coopérative.",
        en="This invitation code is unknown or was used. Ask the cooperative for another.",
    )
