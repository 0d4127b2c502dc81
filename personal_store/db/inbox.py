"""What the encrypted database keeps for the sealed inbox: its private key, and how far it is read.

The mark is written in the transaction that inserts what was read up to it, so that a crash before
the inbox's file is removed neither loses a letter nor reads one twice.
"""

from dataclasses import asdict, dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from personal_store.db.tables import inbox_key, inbox_mark
from personal_store.vault import Randomness

_KEY_LENGTH_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far one inbox has been read, and how many of its letters did not open."""

    generation: bytes
    drained_bytes: int
    unopened: int


def private_key(connection: Connection, *, randomness: Randomness) -> X25519PrivateKey:
    """Return the key that opens the inbox; drawn the first time, so `connection` may write."""
    raw = connection.scalar(select(inbox_key.c.private_key))
    if raw is None:
        raw = randomness(_KEY_LENGTH_BYTES)
        connection.execute(insert(inbox_key).values(id=1, private_key=raw))
    return X25519PrivateKey.from_private_bytes(raw)


def mark(connection: Connection, *, generation: bytes) -> Mark:
    """Return how far an inbox has been read; a new one has not been."""
    query = select(inbox_mark).where(inbox_mark.c.generation == generation)
    row = connection.execute(query).one_or_none()
    if row is None:
        return Mark(generation=generation, drained_bytes=0, unopened=0)
    return Mark(generation=generation, drained_bytes=row.drained_bytes, unopened=row.unopened)


def newest_mark(connection: Connection) -> Mark:
    """Return how far the last inbox that was begun has been read; of none, that of no inbox."""
    row = connection.execute(select(inbox_mark)).first()
    if row is None:
        return Mark(generation=b"", drained_bytes=0, unopened=0)
    return Mark(generation=row.generation, drained_bytes=row.drained_bytes, unopened=row.unopened)


def move_mark(connection: Connection, to: Mark) -> None:
    """Say how far an inbox has been read; of those before it nothing need be known any more."""
    connection.execute(delete(inbox_mark))
    connection.execute(insert(inbox_mark).values(asdict(to)))
