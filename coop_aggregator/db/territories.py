"""The zones of the territory, and the outlines that questions name by digest."""

from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, delete, insert, select

from consents.canonical import utc_text
from coop_aggregator.asking.territory import Territory, ZoneOutline
from coop_aggregator.db.tables import members, outlines, territory, zones
from coop_aggregator.errors import TerritoryRefused


def replace_territory(connection: Connection, new: Territory, *, now: datetime) -> None:
    """Put the zones of `new` in place of the present ones.

    Raises TerritoryRefused when members live in a zone that `new` does not have.
    """
    inhabited = set(connection.scalars(select(members.c.zone).distinct()))
    missing = sorted(inhabited - {zone.code for zone in new.zones})
    if missing:
        raise TerritoryRefused(
            fr=f"Territoire refusé. Des membres habitent {len(missing)} zone(s) absentes du "
            f"fichier, dont « {missing[0]} ». Rien n'a été modifié.",
            en=f"Territory refused. Members live in {len(missing)} zone(s) that the file does not "
            f"have, '{missing[0]}' among them. Nothing was changed.",
        )
    kept = inhabited
    connection.execute(delete(zones).where(zones.c.code.not_in(kept)))
    for zone in new.zones:
        values = {"name": zone.name, "outline": zone.outline}
        if zone.code in kept:
            connection.execute(zones.update().where(zones.c.code == zone.code).values(**values))
        else:
            connection.execute(insert(zones).values(code=zone.code, **values))
    connection.execute(delete(territory))
    connection.execute(
        insert(territory).values(id=1, source_sha256=new.source_sha256, imported_at=utc_text(now))
    )


def load_zones(connection: Connection) -> tuple[ZoneOutline, ...]:
    """Return every zone in order of code; empty before the first import."""
    rows = connection.execute(select(zones).order_by(zones.c.code))
    return tuple(ZoneOutline(code=row.code, name=row.name, outline=row.outline) for row in rows)


def zone_exists(connection: Connection, code: str) -> bool:
    """Tell whether the territory has a zone of this code."""
    return connection.scalar(select(zones.c.code).where(zones.c.code == code)) is not None


def keep_outlines(connection: Connection, document: bytes) -> str:
    """Keep outlines that a question is about to name; return their digest, in hexadecimal.

    They stay, whatever is imported afterwards: stores ask for them until the question closes, and
    whoever reads its release later may too.
    """
    digest = sha256(document).hexdigest()
    if outlines_document(connection, digest) is None:
        connection.execute(insert(outlines).values(digest=digest, document=document))
    return digest


def outlines_document(connection: Connection, digest: str) -> bytes | None:
    """Return the outlines of this digest, None where no question ever named them."""
    found = connection.scalar(select(outlines.c.document).where(outlines.c.digest == digest))
    return None if found is None else bytes(found)
