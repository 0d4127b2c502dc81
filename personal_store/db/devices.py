"""The devices that may send positions: a token each, kept only as its SHA-256.

`device` is the name under which every positionfix is kept, and never changes; `name` is what pages
show, and may. `door` is a random word that stands for the device outside of the encrypted database
(`personal_store.doors.register`), where its name must not be read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.sqlite import insert

from personal_store.db.tables import device as table
from personal_store.db.units import from_ms, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One device: its names, its door, and what it has sent.

    `positions` counts what was read, `rejected` positions that cannot be, `unreadable` messages
    that are none. Times are aware UTC.
    """

    device: str
    name: str
    door: str
    token_sha256: str
    encryption_key: str | None = field(repr=False)
    created_at: datetime
    revoked_at: datetime | None
    seen_at: datetime | None
    positions: int
    rejected: int
    unreadable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What one device sent in one go, to be added to its counts."""

    door: str
    seen_at: datetime
    positions: int
    rejected: int
    unreadable: int


def authorise(
    connection: Connection,
    *,
    device: str,
    token: str,
    door: str,
    encryption_key: str | None,
    at: datetime,
) -> None:
    """Let `device` send with `token`; its earlier token, key and end no longer hold.

    A device that is known keeps its door, so that what an inbox holds from it is still its own.
    """
    values = {
        "token_sha256": digest(token),
        "encryption_key": encryption_key,
        "created_at_ms": to_ms(at),
        "revoked_at_ms": None,
    }
    counts = {"positions": 0, "rejected": 0, "unreadable": 0}
    connection.execute(
        insert(table)
        .values(device=device, name=device, door=door, **values, **counts)
        .on_conflict_do_update(index_elements=["device"], set_=values)
    )


def every(connection: Connection) -> list[Device]:
    """Return the devices, revoked ones included, in the order of their names."""
    query = select(table).order_by(func.lower(table.c.name), table.c.device)
    return [
        Device(
            device=row.device,
            name=row.name,
            door=row.door,
            token_sha256=row.token_sha256,
            encryption_key=row.encryption_key,
            created_at=from_ms(row.created_at_ms),
            revoked_at=None if row.revoked_at_ms is None else from_ms(row.revoked_at_ms),
            seen_at=None if row.seen_at_ms is None else from_ms(row.seen_at_ms),
            positions=row.positions,
            rejected=row.rejected,
            unreadable=row.unreadable,
        )
        for row in connection.execute(query)
    ]


def names(connection: Connection) -> dict[str, str]:
    """Return the name that each device is shown under, by the one that its positions have."""
    query = select(table.c.device, table.c.name)
    return {row.device: row.name for row in connection.execute(query)}


def set_encryption_key(connection: Connection, *, device: str, encryption_key: str) -> bool:
    """Keep another OwnTracks key; tell whether the device may send."""
    may_send = (table.c.device == device) & table.c.revoked_at_ms.is_(None)
    query = update(table).where(may_send).values(encryption_key=encryption_key)
    return connection.execute(query).rowcount == 1


def rename(connection: Connection, *, device: str, name: str) -> bool:
    """Show another name; tell whether the device is known."""
    query = update(table).where(table.c.device == device).values(name=name)
    return connection.execute(query).rowcount == 1


def revoke(connection: Connection, *, device: str, at: datetime) -> bool:
    """End a device's token; tell whether it opened until now."""
    open_until_now = (table.c.device == device) & table.c.revoked_at_ms.is_(None)
    query = update(table).where(open_until_now).values(revoked_at_ms=to_ms(at))
    return connection.execute(query).rowcount == 1


def note(connection: Connection, visits: Sequence[Visit]) -> None:
    """Add to the counts, and move `seen_at` on; it never goes back."""
    for visit in visits:
        seen_at_ms = to_ms(visit.seen_at)
        connection.execute(
            update(table)
            .where(table.c.door == visit.door)
            .values(
                seen_at_ms=func.max(func.coalesce(table.c.seen_at_ms, seen_at_ms), seen_at_ms),
                positions=table.c.positions + visit.positions,
                rejected=table.c.rejected + visit.rejected,
                unreadable=table.c.unreadable + visit.unreadable,
            )
        )


def digest(token: str) -> str:
    """Return what is kept of a token: 192 random bits need no slower hash."""
    return sha256(token.encode()).hexdigest()
