"""The devices that may send positions: a token each, kept only as its SHA-256."""

from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from personal_store.db.tables import device_token
from personal_store.db.units import to_ms


def authorise(connection: Connection, *, device: str, token: str, at: datetime) -> None:
    """Let `device` send with `token`; an earlier token of the device no longer opens."""
    values = {"token_sha256": _digest(token), "created_at_ms": to_ms(at)}
    connection.execute(
        insert(device_token)
        .values(device=device, **values)
        .on_conflict_do_update(index_elements=["device"], set_=values)
    )


def device_of(connection: Connection, token: str) -> str | None:
    """Return the device that a token belongs to, None when it is unknown."""
    # Found by digest: the time it takes says nothing about the token.
    query = select(device_token.c.device).where(device_token.c.token_sha256 == _digest(token))
    device: str | None = connection.scalar(query)
    return device


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()
