"""What `trips` and `places` answer on the command line: JSON documents, and sentences for people.

The JSON shapes are stable (docs/cli.md); numbers are rounded to what they are worth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from personal_store.db.trips import StoredTrip
from personal_store.footprint import one_traveller
from personal_store.local_time import local_date, local_time
from personal_store.settings import Language
from personal_store.trips.locations import Place, PlaceKind, PrivacyZone, Proposal, visible
from personal_store.trips.timeline import Tripleg
from personal_store.vocabulary import MODE_NAMES, PLACE_NAMES, SOURCE_NAMES
from personal_store.wording import number, percent, several, several_en
from personal_store.zones import Zone

Document = dict[str, object]


def trip_documents(
    stored: Sequence[StoredTrip],
    *,
    geometry: bool,
    names: Mapping[str, str],
    zones: Sequence[PrivacyZone] = (),
) -> list[Document]:
    """Return the document of `trips --json`; positions inside `zones` are in none of it.

    `names` are those that devices are shown under; one that is not there has only its own.
    `counted` is false where another device recorded the same journey and counts in its place.
    """
    counted = {id(trip) for trip in one_traveller([each.trip for each in stored])}
    return [
        {
            "trip_id": each.trip_id,
            "device": each.trip.device,
            "device_name": names.get(each.trip.device, each.trip.device),
            "start": each.trip.start.isoformat(),
            "end": each.trip.end.isoformat(),
            "day": local_date(each.trip.start, each.trip.utc_offset_min).isoformat(),
            "utc_offset_min": each.trip.utc_offset_min,
            "distance_m": round(each.trip.distance_m),
            "counted": id(each.trip) in counted,
            "purpose": each.trip.purpose,
            "note": each.trip.note,
            "legs": [_leg_document(leg, zones, geometry=geometry) for leg in each.trip.triplegs],
        }
        for each in stored
    ]


def trip_sentences(each: StoredTrip) -> dict[str, str]:
    """Say one trip in a line, with how sure each mode is and what says so."""
    start = local_time(each.trip.start, each.trip.utc_offset_min)
    head = f"{each.trip_id}  {start:%Y-%m-%d %H:%M}"
    legs = each.trip.triplegs
    fr = ", ".join(
        f"{_named_fr(leg)} {_km(leg.distance_m, 'fr')} ({SOURCE_NAMES[leg.mode_source]})"
        for leg in legs
    )
    en = ", ".join(
        f"{_named_en(leg)} {_km(leg.distance_m, 'en')} ({leg.mode_source.value})" for leg in legs
    )
    return {
        "fr": f"{head}  {_km(each.trip.distance_m, 'fr')}  [{fr}]",
        "en": f"{head}  {_km(each.trip.distance_m, 'en')}  [{en}]",
    }


def places_document(
    named: Sequence[Place],
    found: Sequence[Proposal],
    zone: Zone | None,
    confirmed: Zone | None,
) -> Document:
    """Return the document of `places --json`: no position is in it."""
    return {
        "places": [
            {
                "kind": each.kind.value,
                "name": None if each.hidden else each.name,
                "privacy_zone_radius_m": each.zone.radius_m if each.zone else None,
            }
            for each in named
        ],
        "proposals": [
            {"kind": each.kind.value, "hours": round(each.hours), "stays": each.location.stays}
            for each in found
        ],
        "zone": None if zone is None else asdict(zone),
        "confirmed_zone": None if confirmed is None else asdict(confirmed),
    }


def places_sentences(
    named: Sequence[Place],
    found: Sequence[Proposal],
    zone: Zone | None,
    confirmed: Zone | None,
) -> dict[str, str]:
    """Say which places are named, which are proposed, and in which zone home lies."""
    fr = [f"{PLACE_NAMES[each.kind]} : {each.name}" for each in named if not each.hidden]
    en = [f"{each.kind.value}: {each.name}" for each in named if not each.hidden]
    for each in found:
        hours = round(each.hours)
        fr.append(
            f"{PLACE_NAMES[each.kind]} proposé : {several(hours, 'heure', 'heures')} "
            f"{'de nuit' if each.kind is PlaceKind.HOME else 'de bureau'} ; à confirmer sur la "
            "page « Mes lieux »"
        )
        en.append(
            f"proposed {each.kind.value}: {several_en(hours, 'hour', 'hours')} "
            f"{'at night' if each.kind is PlaceKind.HOME else 'of office time'}; confirm it on "
            "the page “My places”"
        )
    if zone is not None and zone != confirmed:
        fr.append(f"commune proposée : {zone.name} (places --confirm-zone {zone.code})")
        en.append(f"proposed zone: {zone.name} (places --confirm-zone {zone.code})")
    if confirmed is not None:
        fr.append(f"commune confirmée, pour le partage : {confirmed.name} ({confirmed.code})")
        en.append(f"confirmed zone, for sharing: {confirmed.name} ({confirmed.code})")
    return {
        "fr": "\n".join(fr) or "Pas encore assez de séjours pour proposer un lieu.",
        "en": "\n".join(en) or "Not enough stays yet to propose a place.",
    }


def _km(distance_m: float, language: Language) -> str:
    return f"{number(distance_m / 1000, language)} km"


def _named_fr(leg: Tripleg) -> str:
    if leg.is_sure:
        return f"{MODE_NAMES[leg.mode.mode]} {percent(leg.certainty, 'fr')}"
    among = " ou ".join(MODE_NAMES[mode] for mode in leg.candidates)
    return f"incertain : {among}" if among else "incertain"


def _named_en(leg: Tripleg) -> str:
    if leg.is_sure:
        return f"{leg.mode.mode.value} {percent(leg.certainty, 'en')}"
    among = " or ".join(mode.value for mode in leg.candidates)
    return f"uncertain: {among}" if among else "uncertain"


def _leg_document(leg: Tripleg, zones: Sequence[PrivacyZone], *, geometry: bool) -> Document:
    document: Document = {
        "mode": leg.stated_mode.value,
        "probability": round(leg.certainty, 3),
        "modes": {each.mode.value: round(each.probability, 3) for each in leg.modes},
        "start": leg.start.isoformat(),
        "end": leg.end.isoformat(),
        "distance_m": round(leg.distance_m),
        "gap_m": round(leg.gap_m),
        "estimated": leg.gap_m > 0,
        "source": leg.mode_source.value,
        "occupants": leg.occupants,
        "line": leg.line,
    }
    if geometry:
        document["geometry"] = _geometry(leg, zones)
    return document


def _geometry(leg: Tripleg, zones: Sequence[PrivacyZone]) -> Document | None:
    """Return what of a track may be written out, None when nothing may."""
    pieces = visible(leg.track, zones)
    if not pieces:
        return None
    if len(pieces) == 1:
        return {"type": "LineString", "coordinates": pieces[0]}
    return {"type": "MultiLineString", "coordinates": pieces}
