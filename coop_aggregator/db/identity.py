"""Who this installation is; written once by `init`.

It names the first of its logs; those of later years are in `db.shards`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, insert, select

from consents.canonical import utc_text
from coop_aggregator.db.shards import add_shard
from coop_aggregator.db.tables import identity
from coop_aggregator.errors import NotInitialised


class Role(StrEnum):
    """The two roles of the program: the cooperative itself, and its stewards."""

    LEADER = "leader"
    HELPER = "helper"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Role, shown name, origin of the first consent log, and the verifier keys that go with it.

    `own_vkey` is what this role signs with: for the leader that log's key itself, for the helper
    the cosigning key.
    """

    role: Role
    name: str
    origin: str
    log_vkey: str
    own_vkey: str


def save_identity(connection: Connection, who: Identity, *, now: datetime) -> None:
    """Write the identity of a fresh installation, and the log that it begins with."""
    add_shard(connection, number=0, origin=who.origin, vkey=who.log_vkey, first=0, now=now)
    connection.execute(
        insert(identity).values(
            id=1,
            role=who.role.value,
            name=who.name,
            origin=who.origin,
            log_vkey=who.log_vkey,
            own_vkey=who.own_vkey,
            created_at=utc_text(now),
        )
    )


def load_identity(connection: Connection) -> Identity:
    """Read the identity. Raises NotInitialised when `init` did not finish."""
    row = connection.execute(select(identity)).one_or_none()
    if row is None:
        raise NotInitialised(
            fr="La base est vide. Lancez « coop-aggregator init ».",
            en="The database is empty. Run 'coop-aggregator init'.",
        )
    return Identity(
        role=Role(row.role),
        name=row.name,
        origin=row.origin,
        log_vkey=row.log_vkey,
        own_vkey=row.own_vkey,
    )


def has_identity(connection: Connection) -> bool:
    """Tell whether `init` was run on this database."""
    return connection.execute(select(identity.c.id)).first() is not None


def lock(connection: Connection) -> None:
    """Wait until no other writer of the log, of members or of batches is at work.

    On PostgreSQL the row lock lasts until the transaction ends; on SQLite BEGIN IMMEDIATE already
    gave the same promise and FOR UPDATE is not written.
    """
    connection.execute(select(identity.c.id).with_for_update()).one()
