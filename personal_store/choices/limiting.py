"""How far the resident lets a consent go: the days and the zones that they choose, checked.

Outlines come from the cooperative, the same for every resident, and are kept by their digest: which
zones are chosen is said in the signed body and told to nobody. Not the counting (`jobs.counting`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import Engine

from consents.records.limits import ConsentArea
from personal_store import cooperative
from personal_store.choices import consenting
from personal_store.choices.consent_events import last_choice
from personal_store.db import consents, memberships
from personal_store.db.connection import reading, writing
from personal_store.errors import StoreError
from personal_store.membership import Membership
from personal_store.transport import Transport
from personal_store.zones import Zone, read_zones


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The days and the places that a consent is limited to; None where there is no limit."""

    weekdays: tuple[int, ...] | None = None
    area: ConsentArea | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choosable:
    """The zones that a resident may choose from, in outlines known by their digest."""

    outlines_sha256: str
    zones: tuple[Zone, ...]

    def area(self, codes: Iterable[str], *, home: str) -> ConsentArea:
        """Return the area of these zones; raise StoreError for an unknown one or without `home`.

        Every contribution tells the home zone: an area that left it out would cover none.
        """
        chosen = sorted(set(codes))
        unknown = sorted(set(chosen) - {zone.code for zone in self.zones})
        if unknown:
            raise _unknown_zone(unknown[0])
        if home not in chosen:
            raise _home_left_out()
        return ConsentArea(outlines_sha256=self.outlines_sha256, zones=tuple(chosen))


def kept_limits(engine: Engine, *, url: str, purpose_digest: str) -> Chosen:
    """Return the limits that a renewal must not widen unasked."""
    with reading(engine) as connection:
        current = consents.newest_for(connection, url=url, purpose_digest=purpose_digest)
        chain = consents.chain(connection, current.cid) if current else []
    choice = last_choice(chain) if consenting.permits(chain) else None
    limits = choice.body.limits if choice is not None and choice.body is not None else None
    return Chosen() if limits is None else Chosen(weekdays=limits.weekdays, area=limits.area)


def choosable(engine: Engine, transport: Transport) -> Choosable:
    """Ask for the zones of the territory as they are now, and keep their outlines.

    Raises TransportError, StoreError for what has no zones to read.
    """
    document = cooperative.territory_now(transport)
    digest = sha256(document).hexdigest()
    zones = read_zones(document, name=digest)
    with writing(engine) as connection:
        memberships.keep_territory(connection, digest, document)
    return Choosable(outlines_sha256=digest, zones=zones)


def zone_names(engine: Engine, area: ConsentArea) -> tuple[str, ...]:
    """Return the names of an area's zones, their codes where the outlines are not kept."""
    with reading(engine) as connection:
        document = memberships.territory_document(connection, area.outlines_sha256)
    if document is None:
        return area.zones
    known = {each.code: each.name for each in read_zones(document, name=area.outlines_sha256)}
    return tuple(known.get(code, code) for code in area.zones)


def chosen_area(
    engine: Engine, member: Membership, transport: Transport, codes: Iterable[str]
) -> ConsentArea:
    """Return the area of these zones of the present territory; raise StoreError."""
    return choosable(engine, transport).area(codes, home=member.zone)


def _unknown_zone(code: str) -> StoreError:
    return StoreError(
        fr=f"« {code} » n'est pas une zone de la coopérative : rien n'a été signé. Donnez des "
        "codes de sa liste.",
        en=f"“{code}” is no zone of the cooperative: nothing was signed. Give codes of its list.",
    )


def _home_left_out() -> StoreError:
    return StoreError(
        fr="Votre commune doit être parmi les zones choisies, car chaque réponse l'indique : rien "
        "n'a été signé.",
        en="Your home zone must be among the zones chosen, since every answer tells it: nothing "
        "was signed.",
    )
