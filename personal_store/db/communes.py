"""The commune that the resident confirmed as their home's: what joining a cooperative proposes.

Nothing is confirmed by itself: what nights and outlines tell is a proposal (`zones.py`).
"""

from datetime import datetime

from sqlalchemy import Connection, insert, select

from personal_store.db.tables import home_commune
from personal_store.db.units import to_ms
from personal_store.zones import Zone


def confirm(connection: Connection, zone: Zone, *, at: datetime) -> None:
    """Keep a commune as the home's, in place of the one before."""
    row = {"code": zone.code, "name": zone.name, "confirmed_at_ms": to_ms(at)}
    connection.execute(insert(home_commune).values(row))


def confirmed(connection: Connection) -> Zone | None:
    """Return the commune that was confirmed last, None before any was."""
    query = select(home_commune).order_by(home_commune.c.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else Zone(code=row.code, name=row.name)
