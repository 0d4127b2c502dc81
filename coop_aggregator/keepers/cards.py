"""Who the two keepers are: each makes its card, and its operator carries it to the other's.

A card is public (name, address, public keys). The other keeper's is taken from a file that its
operator handed over, never from the network: whoever answers at an address is not thereby known.
"""

from pathlib import Path

from contributions.envelope import Role
from contributions.errors import ContributionsError
from contributions.keeper import KEEPER_LIMIT_BYTES, Keeper
from coop_aggregator.db import keepers as db
from coop_aggregator.errors import KeeperRefused
from coop_aggregator.installation import Helper, Leader


def make_card(side: Leader | Helper, *, url: str) -> Keeper:
    """Make this keeper's card for the address under which stores and the other keeper reach it."""
    try:
        card = Keeper.of(
            name=side.who.name,
            url=url.rstrip("/"),
            hpke_key=side.keeper.hpke.public_key(),
            sign_key=side.keeper.sign.public_key(),
        )
    except ContributionsError as error:
        raise KeeperRefused(
            fr="--url doit être l'adresse publique de ce gardien : https://gardien.example.org",
            en="--url must be the public address of this keeper: https://keeper.example.org",
        ) from error
    with side.database.write() as connection:
        db.save_keeper(connection, side.role, card)
    return card


def own_card(side: Leader | Helper) -> Keeper | None:
    """Return this keeper's card, or None before its operator made one."""
    with side.database.read() as connection:
        return db.load_keeper(connection, side.role)


def pair(side: Leader | Helper, file: Path) -> Keeper:
    """Trust the card in `file` as the other keeper's. Raises KeeperRefused."""
    try:
        with file.open("rb") as opened:
            card = Keeper.parse(opened.read(KEEPER_LIMIT_BYTES + 1).strip())
    except (OSError, ContributionsError) as error:
        raise KeeperRefused(
            fr="Ce fichier n'est pas la fiche d'un gardien. Demandez à l'autre organisation celle "
            "que « coop-aggregator keeper card --json » écrit chez elle.",
            en="This file is no keeper's card. Ask the other organisation for the one that "
            "'coop-aggregator keeper card --json' writes there.",
        ) from error
    own = (side.keeper.sign.public_key(), side.keeper.hpke.public_key())
    if card.sign_key == own[0] or card.hpke_key == own[1]:
        raise KeeperRefused(
            fr="Cette fiche porte nos propres clés : deux gardiens sont deux organisations.",
            en="This card has our own keys: two keepers are two organisations.",
        )
    with side.database.write() as connection:
        db.save_keeper(connection, other_role(side.role), card)
    return card


def other_role(role: Role) -> Role:
    """Return the role that is not this one."""
    return Role.HELPER if role is Role.LEADER else Role.LEADER
