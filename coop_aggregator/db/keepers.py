"""The two keepers' cards: our own, and the other's as its operator handed it over."""

from sqlalchemy import Connection, delete, insert, select

from contributions.envelope import Role
from contributions.keeper import Keeper
from coop_aggregator.db.tables import keepers


def save_keeper(connection: Connection, role: Role, card: Keeper) -> None:
    """Keep the card of a keeper, in place of an older one; signed tasks name the older for ever."""
    connection.execute(delete(keepers).where(keepers.c.role == role.value))
    connection.execute(
        insert(keepers).values(role=role.value, card=card.to_bytes().decode("utf-8"))
    )


def load_keeper(connection: Connection, role: Role) -> Keeper | None:
    """Return the card of the keeper in this role, or None."""
    text = connection.scalar(select(keepers.c.card).where(keepers.c.role == role.value))
    return None if text is None else Keeper.parse(text.encode("utf-8"))


def both_keepers(connection: Connection) -> tuple[Keeper, ...]:
    """Return the leader's card and the helper's, or nothing unless both are known."""
    known = [load_keeper(connection, role) for role in Role]
    cards = tuple(card for card in known if card is not None)
    return cards if len(cards) == len(Role) else ()
