"""What the command line answers: the JSON documents of the contract, and sentences for people.

The JSON shapes are stable (docs/cli.md); numbers are rounded to what they are worth.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from carbon.factors import FactorSet, load_factor_set
from carbon.footprint import Footprint, Interval
from carbon.uncertainty import SignedInterval
from carbon.whatif import Effect
from personal_store.db.trips import StoredTrip
from personal_store.errors import IngestError
from personal_store.footprint import PeriodFootprint, one_traveller
from personal_store.jobs.draining import DrainReport
from personal_store.jobs.importing import ImportReport
from personal_store.jobs.pipeline import PipelineReport
from personal_store.local_time import local_date, local_time
from personal_store.trips.locations import Place, PlaceKind, PrivacyZone, Proposal, visible
from personal_store.trips.timeline import Tripleg
from personal_store.vocabulary import (
    MODE_NAMES,
    PLACE_NAMES,
    REASON_NAMES,
    SCENARIO_NAMES,
    SOURCE_NAMES,
    several,
    several_en,
)
from personal_store.whatif import Cost, ScenarioName
from personal_store.zones import Zone

Document = dict[str, object]


def factor_set() -> FactorSet:
    """Return the newest emission factors."""
    return load_factor_set()


def import_document(
    reports: Sequence[ImportReport],
    refused: Sequence[tuple[Path, IngestError]],
    held: PipelineReport,
) -> Document:
    """Return the document of `import --json`."""
    return {
        "files": [
            {
                "path": str(report.path),
                "format": report.format.value,
                "read": report.read,
                "new": report.new,
                "duplicate": report.duplicate,
                "rejected": report.rejected,
                "reasons": {reason.value: count for reason, count in report.reasons.items()},
                "evidence": {"read": report.evidence_read, "new": report.evidence_new},
                "resumed_entries": report.resumed_entries,
                "skipped": [
                    {"name": member.name, "fr": member.fr, "en": member.en}
                    for member in report.skipped
                ],
            }
            for report in reports
        ],
        "refused": [{"path": str(path), "fr": error.fr, "en": error.en} for path, error in refused],
        "positionfixes": held.positionfixes,
        "trips": held.trips,
    }


def import_sentences(report: ImportReport) -> dict[str, str]:
    """Say what became of one file."""
    reasons = ", ".join(f"{reason.value} {count}" for reason, count in report.reasons.items())
    reasons_fr = ", ".join(f"{REASON_NAMES[each]} : {n}" for each, n in report.reasons.items())
    detail, detail_fr = (f" ({each})" if each else "" for each in (reasons, reasons_fr))
    name = report.path.name
    said = report.evidence_read, report.evidence_new
    resumed = report.resumed_entries
    left_out = {
        "fr": "".join(f"\n  {member.name} : {member.fr}" for member in report.skipped),
        "en": "".join(f"\n  {member.name}: {member.en}" for member in report.skipped),
    }
    return {
        "fr": f"{name} ({report.format.value}) : "
        f"{several(report.read, 'position lue', 'positions lues')}, "
        f"{several(report.new, 'nouvelle', 'nouvelles')}, "
        f"{several(report.duplicate, 'déjà connue', 'déjà connues')}, "
        f"{several(report.rejected, 'écartée', 'écartées')}{detail_fr}."
        + (
            f" {several(said[0], 'indication', 'indications')} de trajet ou de lieu, "
            f"{several(said[1], 'nouvelle', 'nouvelles')}."
            if said[0]
            else ""
        )
        + (f" Repris après {several(resumed, 'indication', 'indications')}." if resumed else "")
        + left_out["fr"],
        "en": f"{name} ({report.format.value}): "
        f"{several_en(report.read, 'position', 'positions')} read, {report.new} new, "
        f"{report.duplicate} already known, {report.rejected} rejected{detail}."
        + (
            f" {several_en(said[0], 'statement', 'statements')} on trips or places, {said[1]} new."
            if said[0]
            else ""
        )
        + (f" Went on after {several_en(resumed, 'entry', 'entries')}." if resumed else "")
        + left_out["en"],
    }


def held_sentences(held: PipelineReport) -> dict[str, str]:
    """Say how much the store holds."""
    return {
        "fr": f"{several(held.positionfixes, 'position', 'positions')} et "
        f"{several(held.trips, 'déplacement', 'déplacements')} en tout.",
        "en": f"{several_en(held.positionfixes, 'position', 'positions')} and "
        f"{several_en(held.trips, 'trip', 'trips')} in all.",
    }


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
    km = each.trip.distance_m / 1000
    head = f"{each.trip_id}  {start:%Y-%m-%d %H:%M}"
    fr = ", ".join(
        f"{_named_fr(leg)} "
        f"{french_number(leg.distance_m / 1000)} km ({SOURCE_NAMES[leg.mode_source]})"
        for leg in each.trip.triplegs
    )
    en = ", ".join(
        f"{_named_en(leg)} {leg.distance_m / 1000:.1f} km ({leg.mode_source.value})"
        for leg in each.trip.triplegs
    )
    return {
        "fr": f"{head}  {french_number(km)} km  [{fr}]",
        "en": f"{head}  {km:.1f} km  [{en}]",
    }


def _named_fr(leg: Tripleg) -> str:
    if leg.is_sure:
        return f"{MODE_NAMES[leg.mode.mode]} {leg.certainty:.0%}"
    return "incertain : " + " ou ".join(MODE_NAMES[mode] for mode in leg.candidates)


def _named_en(leg: Tripleg) -> str:
    if leg.is_sure:
        return f"{leg.mode.mode.value} {leg.certainty:.0%}"
    return "uncertain: " + " or ".join(mode.value for mode in leg.candidates)


def french_number(value: float, decimals: int = 1) -> str:
    """Return a number with the French comma."""
    return f"{value:.{decimals}f}".replace(".", ",")


def footprint_document(result: PeriodFootprint, cost: Cost | None) -> Document:
    """Return the document of `footprint --json`; `cost_eur` is null where no price was given."""
    return {
        "period": {"from": result.start.isoformat(), "to": result.end.isoformat()},
        "trips": result.trips,
        "factor_set": {"name": result.factor_set, "sha256": result.total.factor_set_sha256},
        **_footprint_figures(result.total),
        "cost_eur": None if cost is None else round(cost.eur, 2),
        "cost_lacks_price_of": [] if cost is None else [mode.value for mode in cost.unpriced],
        "by_mode": {mode.value: _footprint_figures(each) for mode, each in result.by_mode.items()},
        "distance_m": {group.value: round(metres) for group, metres in result.distance_m.items()},
    }


def footprint_sentences(result: PeriodFootprint) -> dict[str, str]:
    """Say the footprint: both figures, each with its interval."""
    if not result.trips:
        return {
            "fr": "Aucun déplacement dans cette période.",
            "en": "No trip in this period.",
        }
    usage, life = result.total.usage, result.total.life_cycle
    return {
        "fr": f"{several(result.trips, 'déplacement', 'déplacements')}. "
        f"Usage (du puits à la roue) : {_kg(usage)} kgCO2e. "
        f"Cycle de vie : {_kg(life)} kgCO2e. Facteurs : {result.factor_set}.",
        "en": f"{several_en(result.trips, 'trip', 'trips')}. "
        f"Usage (well to wheel): {_kg(usage)} kgCO2e. "
        f"Life cycle: {_kg(life)} kgCO2e. Factors: {result.factor_set}.",
    }


def effect_document(name: ScenarioName, effect: Effect) -> Document:
    """Return the document of `whatif --json`: after less before, so that below zero is less."""
    return {
        "scenario": name.value,
        "legs": round(effect.legs, 1),
        "distance_m": round(effect.distance_m),
        "usage_kg_co2e": _interval(effect.difference.usage),
        "life_cycle_kg_co2e": _interval(effect.difference.life_cycle),
        "cost_eur": None if effect.cost_eur is None else round(effect.cost_eur, 2),
        "duration_s": round(effect.duration_s),
        "active_s": round(effect.active_s),
        "ceiling": {
            "legs": round(effect.ceiling.legs, 1),
            "distance_m": round(effect.ceiling.distance_m),
            "share_of_car_legs": round(effect.ceiling.share_of_car_legs, 3),
            "share_of_car_distance": round(effect.ceiling.share_of_car_distance, 3),
            "life_cycle_kg_co2e": _interval(effect.ceiling.life_cycle),
        },
    }


def effect_sentences(name: ScenarioName, effect: Effect) -> dict[str, str]:
    """Say what a scenario changes, and the most that it could."""
    change, ceiling = effect.difference.life_cycle, effect.ceiling
    euros = effect.cost_eur
    return {
        "fr": f"{SCENARIO_NAMES[name]} : {_kg(change)} kgCO2e (cycle de vie), "
        f"{effect.duration_s / 60:+.0f} min de trajet, {effect.active_s / 60:+.0f} min actives"
        + ("" if euros is None else f", {euros:+.2f} €")
        + f". Au mieux : {_kg(ceiling.life_cycle)} kgCO2e, soit "
        f"{ceiling.share_of_car_distance:.0%} de vos kilomètres en voiture.",
        "en": f"{name.value}: {_kg(change)} kgCO2e (life cycle), "
        f"{effect.duration_s / 60:+.0f} min of travel, {effect.active_s / 60:+.0f} active min"
        + ("" if euros is None else f", {euros:+.2f} €")
        + f". At most: {_kg(ceiling.life_cycle)} kgCO2e, "
        f"{ceiling.share_of_car_distance:.0%} of your car kilometres.",
    }


def cost_sentences(cost: Cost) -> dict[str, str]:
    """Say what the period cost, and what no price was given for."""
    lacking = ", ".join(MODE_NAMES[mode] for mode in cost.unpriced)
    lacking_en = ", ".join(mode.value for mode in cost.unpriced)
    return {
        "fr": f"Dépense : {french_number(cost.eur, 2)} €."
        + (f" Sans prix donné, non compté : {lacking}." if lacking else ""),
        "en": f"Spent: {cost.eur:.2f} €."
        + (f" No price given, not counted: {lacking_en}." if lacking_en else ""),
    }


def places_document(
    named: Sequence[Place], found: Sequence[Proposal], zone: Zone | None
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
        "zone": None if zone is None else {"code": zone.code, "name": zone.name},
    }


def places_sentences(
    named: Sequence[Place], found: Sequence[Proposal], zone: Zone | None
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
    if zone is not None:
        fr.append(f"commune du domicile : {zone.name} (enrol --zone {zone.code})")
        en.append(f"zone of home: {zone.name} (enrol --zone {zone.code})")
    return {
        "fr": "\n".join(fr) or "Pas encore assez de séjours pour proposer un lieu.",
        "en": "\n".join(en) or "Not enough stays yet to propose a place.",
    }


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


def _footprint_figures(footprint: Footprint) -> Mapping[str, object]:
    return {
        "usage_kg_co2e": _interval(footprint.usage),
        "life_cycle_kg_co2e": _interval(footprint.life_cycle),
    }


def _interval(interval: Interval | SignedInterval) -> Mapping[str, float]:
    return {
        "value": round(interval.value, 3),
        "low": round(interval.low, 3),
        "high": round(interval.high, 3),
    }


def _kg(interval: Interval | SignedInterval) -> str:
    value, low, high = (
        round(each, 1) + 0.0 for each in (interval.value, interval.low, interval.high)
    )
    return f"{value:.1f} [{low:.1f} ; {high:.1f}]"


def drain_sentences(report: DrainReport) -> dict[str, str]:
    """Say what the sealed inbox held."""
    fr = f"{report.letters} message(s) de la boîte scellée lus, {report.positions} position(s)."
    en = f"{report.letters} message(s) of the sealed inbox read, {report.positions} position(s)."
    if report.closed:
        fr += f" {report.closed} d'un appareil révoqué depuis, écartés."
        en += f" {report.closed} from a device revoked since, dropped."
    if report.unopened:
        names = ", ".join(path.name for path in report.set_aside)
        fr += f" {report.unopened} illisibles, gardés scellés : {names}."
        en += f" {report.unopened} unreadable, kept sealed: {names}."
    return {"fr": fr, "en": en}


def drain_document(report: DrainReport) -> dict[str, object]:
    """Return what `unlock --json` prints."""
    return {
        "letters": report.letters,
        "positions": report.positions,
        "closed": report.closed,
        "unopened": report.unopened,
        "set_aside": [path.name for path in report.set_aside],
    }
