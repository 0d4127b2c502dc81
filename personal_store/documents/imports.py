"""What imports answer on the command line: the JSON documents of the contract, and sentences.

The JSON shapes are stable (docs/cli.md). What trips and footprints answer is beside, in
`trip_documents` and `footprint_documents`.
"""

from collections.abc import Sequence
from pathlib import Path

from personal_store.errors import IngestError
from personal_store.ingest.positionfix import SourceFormat
from personal_store.ingest.values import printable
from personal_store.jobs.draining import DrainReport
from personal_store.jobs.importing import ImportReport
from personal_store.jobs.pipeline import Held
from personal_store.vocabulary import REASON_NAMES, REASON_NAMES_EN
from personal_store.wording import number, several, several_en

Document = dict[str, object]


def import_document(
    reports: Sequence[ImportReport],
    refused: Sequence[tuple[Path, IngestError]],
    held: Held,
) -> Document:
    """Return the document of `import --json`."""
    return {
        "files": [
            {
                "path": printable(str(report.path)),
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
        "refused": [
            {"path": printable(str(path)), "fr": error.fr, "en": error.en}
            for path, error in refused
        ],
        "positionfixes": held.positionfixes,
        "trips": held.trips,
    }


def import_sentences(report: ImportReport) -> dict[str, str]:
    """Say what became of one file."""
    if report.format is SourceFormat.EXPORT_REST:
        return _computed_again(report)
    why = _reasons(report)
    detail, detail_fr = (f" ({each})" if each else "" for each in (why["en"], why["fr"]))
    name = printable(report.path.name)
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
        f"{several_en(report.read, 'position', 'positions')} read, "
        f"{number(report.new, 'en', decimals=0)} new, "
        f"{number(report.duplicate, 'en', decimals=0)} already known, "
        f"{number(report.rejected, 'en', decimals=0)} rejected{detail}."
        + (
            f" {several_en(said[0], 'statement', 'statements')} on trips or places, {said[1]} new."
            if said[0]
            else ""
        )
        + (f" Went on after {several_en(resumed, 'entry', 'entries')}." if resumed else "")
        + left_out["en"],
    }


def _computed_again(report: ImportReport) -> dict[str, str]:
    """Say that nothing is read of a file that one's own export holds beside the rest."""
    name = printable(report.path.name)
    return {
        "fr": f"{name} : fait partie de votre export ; rien à y reprendre, les déplacements sont "
        "recalculés.",
        "en": f"{name}: a part of your export; nothing to take back, trips are computed again.",
    }


def nothing_sentences(report: ImportReport) -> dict[str, str]:
    """Say why nothing came of a file that could be read."""
    why = _reasons(report)
    return {
        "fr": "Attendu : des positions avec leur heure et leur lieu ; vu : "
        f"{several(report.read, 'position', 'positions')}, toutes écartées ({why['fr']}) ; "
        "vérifiez l'export d'où vient ce fichier. Rien n'a été importé.",
        "en": f"Expected positions with their time and place; "
        f"{several_en(report.read, 'position', 'positions')} seen, all rejected ({why['en']}); "
        "check the export that this file comes from. Nothing was imported.",
    }


def _reasons(report: ImportReport) -> dict[str, str]:
    """Return how many positions were left out for each reason, in words."""
    counted = report.reasons.items()
    return {
        "fr": ", ".join(f"{REASON_NAMES[each]} : {n}" for each, n in counted),
        "en": ", ".join(f"{REASON_NAMES_EN[each]}: {n}" for each, n in counted),
    }


def held_sentences(held: Held) -> dict[str, str]:
    """Say how much the store holds."""
    return {
        "fr": f"{several(held.positionfixes, 'position', 'positions')} et "
        f"{several(held.trips, 'déplacement', 'déplacements')} en tout.",
        "en": f"{several_en(held.positionfixes, 'position', 'positions')} and "
        f"{several_en(held.trips, 'trip', 'trips')} in all.",
    }


def drain_sentences(report: DrainReport) -> dict[str, str]:
    """Say what the sealed inbox held."""
    fr = (
        f"{several(report.letters, 'message lu', 'messages lus')} dans la boîte scellée, "
        f"{several(report.positions, 'position', 'positions')}."
    )
    en = (
        f"{several_en(report.letters, 'message', 'messages')} of the sealed inbox read, "
        f"{several_en(report.positions, 'position', 'positions')}."
    )
    if report.closed:
        fr += f" {several(report.closed, 'message écarté', 'messages écartés')} : l'appareil a "
        fr += "été révoqué depuis."
        en += f" {report.closed} from a device revoked since, dropped."
    if report.unopened:
        names = ", ".join(path.name for path in report.set_aside)
        fr += (
            f" {several(report.unopened, 'illisible, gardé scellé', 'illisibles, gardés scellés')}"
        )
        fr += f" : {names}."
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
