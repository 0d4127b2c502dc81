"""The time zone of home: read when a store opens, changed by its resident, kept in the database.

Local days, and the times of tables that state no offset, are in it. What is stored is in UTC, so a
change moves the days that are shown and nothing that was measured.
"""

from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import Engine, insert, select

from personal_store.clock import Clock
from personal_store.db.connection import reading, writing
from personal_store.db.tables import home_zone
from personal_store.db.units import to_ms
from personal_store.errors import UnknownZone
from personal_store.local_time import DEFAULT_HOME, live_in


def adopt(engine: Engine) -> None:
    """Have this program live where the store says."""
    query = select(home_zone.c.timezone).order_by(home_zone.c.id.desc()).limit(1)
    with reading(engine) as connection:
        live_in(ZoneInfo(connection.scalar(query) or DEFAULT_HOME))


def change(engine: Engine, name: str, *, clock: Clock) -> None:
    """Keep another zone of home and live in it. Raises UnknownZone."""
    known = {each.lower(): each for each in available_timezones()}
    found = known.get(name.strip().lower())
    if found is None:
        raise UnknownZone(
            fr="Attendu : un fuseau horaire de la base tz, comme Europe/Paris, America/Cayenne ou "
            "Indian/Reunion ; vu : un autre nom. Rien n'a été changé.",
            en="Expected a time zone of the tz database, such as Europe/Paris, America/Cayenne or "
            "Indian/Reunion; this is another name. Nothing was changed.",
        )
    with writing(engine) as connection:
        row = {"timezone": found, "changed_at_ms": to_ms(clock.now())}
        connection.execute(insert(home_zone), row)
    live_in(ZoneInfo(found))
