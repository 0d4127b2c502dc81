"""What the command line answers: the JSON documents of the contract, and sentences for people.

The JSON shapes are stable (docs/cli.md); numbers are rounded to what they are worth.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from carbon.factors import FactorSet, load_factor_set
from carbon.footprint import Footprint, Interval
from personal_store.db.trips import StoredTrip
from personal_store.errors import IngestError
from personal_store.footprint import PeriodFootprint
from personal_store.jobs.draining import DrainReport
from personal_store.jobs.importing import ImportReport
from personal_store.jobs.pipeline import PipelineReport
from personal_store.local_time import HOME_TIMEZONE
from personal_store.trips.timeline import Tripleg

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
    detail = f" ({reasons})" if reasons else ""
    name = report.path.name
    said = report.evidence_read, report.evidence_new
    resumed = report.resumed_entries
    left_out = {
        "fr": "".join(f"\n  {member.name} : {member.fr}" for member in report.skipped),
        "en": "".join(f"\n  {member.name}: {member.en}" for member in report.skipped),
    }
    return {
        "fr": f"{name} ({report.format.value}) : {report.read} positions lues, {report.new} "
        f"nouvelles, {report.duplicate} déjà connues, {report.rejected} écartées{detail}."
        + (f" {said[0]} indications de trajet ou de lieu, {said[1]} nouvelles." if said[0] else "")
        + (f" Repris après les {resumed} premières indications." if resumed else "")
        + left_out["fr"],
        "en": f"{name} ({report.format.value}): {report.read} positions read, {report.new} new, "
        f"{report.duplicate} already known, {report.rejected} rejected{detail}."
        + (f" {said[0]} statements on trips or places, {said[1]} new." if said[0] else "")
        + (f" Went on after the first {resumed} entries." if resumed else "")
        + left_out["en"],
    }


def trip_documents(stored: Sequence[StoredTrip], *, geometry: bool) -> list[Document]:
    """Return the document of `trips --json`."""
    return [
        {
            "trip_id": each.trip_id,
            "start": each.trip.start.isoformat(),
            "end": each.trip.end.isoformat(),
            "distance_m": round(each.trip.distance_m),
            "legs": [_leg_document(leg, geometry=geometry) for leg in each.trip.triplegs],
        }
        for each in stored
    ]


def trip_sentences(each: StoredTrip) -> dict[str, str]:
    """Say one trip in a line, with how sure each mode is."""
    start = each.trip.start.astimezone(HOME_TIMEZONE)
    legs = ", ".join(
        f"{leg.mode.mode.value} {leg.mode.probability:.0%} {leg.distance_m / 1000:.1f} km"
        for leg in each.trip.triplegs
    )
    line = f"{each.trip_id}  {start:%Y-%m-%d %H:%M}  {each.trip.distance_m / 1000:.1f} km  [{legs}]"
    return {"fr": line, "en": line}


def footprint_document(result: PeriodFootprint) -> Document:
    """Return the document of `footprint --json`.

    `cost_eur` is null: this version computes no cost, and says so rather than zero.
    """
    return {
        "period": {"from": result.start.isoformat(), "to": result.end.isoformat()},
        "trips": result.trips,
        "factor_set": {"name": result.factor_set, "sha256": result.total.factor_set_sha256},
        **_footprint_figures(result.total),
        "cost_eur": None,
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
        "fr": f"{result.trips} déplacements. Usage (du puits à la roue) : {_kg(usage)} kgCO2e. "
        f"Cycle de vie : {_kg(life)} kgCO2e. Facteurs : {result.factor_set}.",
        "en": f"{result.trips} trips. Usage (well to wheel): {_kg(usage)} kgCO2e. "
        f"Life cycle: {_kg(life)} kgCO2e. Factors: {result.factor_set}.",
    }


def _leg_document(leg: Tripleg, *, geometry: bool) -> Document:
    document: Document = {
        "mode": leg.mode.mode.value,
        "probability": round(leg.mode.probability, 3),
        "modes": {each.mode.value: round(each.probability, 3) for each in leg.modes},
        "start": leg.start.isoformat(),
        "end": leg.end.isoformat(),
        "distance_m": round(leg.distance_m),
        "gap_m": round(leg.gap_m),
        "source": leg.mode_source.value,
    }
    if geometry:
        document["geometry"] = {"type": "LineString", "coordinates": leg.track}
    return document


def _footprint_figures(footprint: Footprint) -> Mapping[str, object]:
    return {
        "usage_kg_co2e": _interval(footprint.usage),
        "life_cycle_kg_co2e": _interval(footprint.life_cycle),
    }


def _interval(interval: Interval) -> Mapping[str, float]:
    return {
        "value": round(interval.value, 3),
        "low": round(interval.low, 3),
        "high": round(interval.high, 3),
    }


def _kg(interval: Interval) -> str:
    return f"{interval.value:.1f} [{interval.low:.1f} ; {interval.high:.1f}]"


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
