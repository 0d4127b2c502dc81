"""The places that the resident named, hid, or drew a privacy zone around."""

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from personal_store.db.tables import place
from personal_store.db.units import to_ms
from personal_store.trips.locations import Place, PlaceKind, PrivacyZone


def add(connection: Connection, of: Place, *, at: datetime) -> int:
    """Keep a place; return its number.

    There is one home and one work: an earlier one becomes another place.
    """
    if of.kind is not PlaceKind.OTHER:
        earlier = update(place).where(place.c.kind == of.kind.value)
        connection.execute(earlier.values(kind=PlaceKind.OTHER.value))
    row = {
        "kind": of.kind.value,
        "name": of.name,
        "lon": of.lon,
        "lat": of.lat,
        "hidden": of.hidden,
        "zone_lon": of.zone.lon if of.zone else None,
        "zone_lat": of.zone.lat if of.zone else None,
        "zone_radius_m": of.zone.radius_m if of.zone else None,
        "made_at_ms": to_ms(at),
    }
    inserted = connection.execute(insert(place).values(row)).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def rename(connection: Connection, number: int, *, name: str, hidden: bool) -> None:
    """Give a place another name, or an empty one, and say whether pages may name it."""
    change = update(place).where(place.c.id == number)
    connection.execute(change.values(name=name, hidden=hidden))


def remove(connection: Connection, number: int) -> bool:
    """Forget a place and its zone; tell whether there was one."""
    return bool(connection.execute(delete(place).where(place.c.id == number)).rowcount)


def every(connection: Connection) -> list[Place]:
    """Return the places, first named first."""
    return [
        Place(
            number=row.id,
            kind=PlaceKind(row.kind),
            name=row.name,
            lon=row.lon,
            lat=row.lat,
            hidden=row.hidden,
            zone=None
            if row.zone_radius_m is None
            else PrivacyZone(lon=row.zone_lon, lat=row.zone_lat, radius_m=row.zone_radius_m),
        )
        for row in connection.execute(select(place).order_by(place.c.id))
    ]
