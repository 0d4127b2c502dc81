"""The commands about a whole store: back up, restore, export, erase, check."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from personal_store.cli.console import EXIT_FAILED, JsonOption, Session
from personal_store.clock import SystemClock
from personal_store.keeping.backup import BackupReport, back_up, verify
from personal_store.keeping.ending import erase_store
from personal_store.keeping.restoring import restore
from personal_store.store import open_store
from personal_store.vault import unlock
from personal_store.wording import number, several, several_en

_MB = 1_000_000


def add_commands(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("export")(export_store)
    app.command("backup")(backup_store)
    app.command("restore")(restore_store)
    app.command("erase")(erase)
    app.command("doctor")(doctor)


def export_store(
    context: typer.Context,
    target: Annotated[Path, typer.Argument(help="Fichier zip à créer. / Zip file to be made.")],
    as_json: JsonOption = False,
) -> None:
    """Emporter toutes vos données, lisibles ailleurs. / Take all your data, readable elsewhere."""
    # Imported here: the other commands must not pay for the trips on a Raspberry Pi.
    from personal_store.keeping.exporting import export  # noqa: PLC0415

    session: Session = context.obj
    store = session.open()
    with _line(session) as line:
        task = line.add_task("", total=1.0)
        positions = export(
            store,
            target,
            on_progress=lambda done, total: line.update(task, completed=done / max(total, 1)),
        )
    session.say(
        fr=f"Écrit dans {target.name} : {several(positions, 'position', 'positions')}, et tout le "
        "reste. Ce fichier n'est pas chiffré : gardez-le en lieu sûr.",
        en=f"Written to {target.name}: {several_en(positions, 'position', 'positions')}, and all "
        "the rest. This file is not encrypted: keep it in a safe place.",
    )
    if as_json:
        session.answer({"path": str(target), "positionfixes": positions})


def backup_store(
    context: typer.Context,
    target: Annotated[Path, typer.Argument(help="Dossier à créer. / Folder to be made.")],
    as_json: JsonOption = False,
) -> None:
    """Sauvegarder tout l'espace, chiffré. / Back up the whole store, encrypted."""
    session: Session = context.obj
    folder = session.folder()
    key = unlock(folder, session.passphrase())
    store = open_store(folder, key)
    with _line(session) as line:
        task = line.add_task("", total=1.0)
        report = back_up(
            store, key, target, on_progress=lambda share: line.update(task, completed=share)
        )
    session.say(**_sentences(report))
    session.say(
        fr="Gardez-la sur un autre appareil. Elle s'ouvre avec la phrase de passe d'aujourd'hui, "
        "ou avec le code de secours.",
        en="Keep it on another device. It opens with today's passphrase, or with the recovery "
        "code.",
    )
    if as_json:
        session.answer(_document(report))


def restore_store(
    context: typer.Context,
    backup: Annotated[Path, typer.Argument(help="Dossier de la sauvegarde. / Backup folder.")],
    only_verify: Annotated[
        bool, typer.Option("--verify", help="Vérifier, ne rien écrire. / Verify, write nothing.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Rétablir une sauvegarde dans un dossier vide. / Restore a backup into an empty folder."""
    session: Session = context.obj
    passphrase = session.passphrase()
    if only_verify:
        report = verify(backup, passphrase)
    else:
        report = restore(backup, session.settings.data, passphrase, clock=SystemClock())
    session.say(**_sentences(report))
    if not only_verify:
        session.say(
            fr="L'espace est rétabli. Les semaines déjà finies ne seront pas partagées d'ici, car "
            "elles ont pu l'être depuis la sauvegarde. N'ouvrez plus l'ancien espace.",
            en="The store is restored. Weeks that are over will not be shared from here, since "
            "they may have been after the backup. Do not open the old store any more.",
        )
    if as_json:
        session.answer(_document(report))


def erase(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Sans demander. / Without asking.")] = False,
    leave_consents: Annotated[
        bool,
        typer.Option(
            "--leave-consents",
            help="Même si un accord est en cours. / Even while a consent is in force.",
        ),
    ] = False,
) -> None:
    """Effacer tout l'espace, pour toujours. / Erase the whole store, for ever."""
    session: Session = context.obj
    folder = session.folder()
    key = unlock(folder, session.passphrase())
    agreed = yes or session.confirm(
        fr=f"Effacer pour toujours tout ce que contient {folder} ?",
        en=f"Erase for ever everything in {folder}?",
    )
    if not agreed:
        session.say(fr="Rien n'a été effacé.", en="Nothing was erased.")
        raise typer.Exit(EXIT_FAILED)
    erase_store(open_store(folder, key), key, leave_consents=leave_consents)
    session.say(
        fr="L'espace est effacé, sa clé d'abord. Les sauvegardes et les exports que vous avez "
        "faits restent là où vous les avez mis.",
        en="The store is erased, its key first. The backups and exports that you made are still "
        "where you put them.",
    )


def doctor(context: typer.Context, as_json: JsonOption = False) -> None:
    """Vérifier l'espace. / Check the store."""
    # Imported here: the other commands must not pay for the proofs' libraries.
    from personal_store.keeping.doctor import examine  # noqa: PLC0415

    session: Session = context.obj
    findings = examine(session.open())
    for finding in findings:
        mark = "ok " if finding.ok else "!! "
        session.say(fr=mark + finding.fr, en=mark + finding.en)
    if as_json:
        session.answer([{"check": f.check, "ok": f.ok, "fr": f.fr, "en": f.en} for f in findings])
    if not all(finding.ok for finding in findings):
        raise typer.Exit(EXIT_FAILED)


def _line(session: Session) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        console=session.console,
        transient=True,
        disable=not session.console.is_terminal,
    )


def _document(report: BackupReport) -> dict[str, object]:
    return asdict(report) | {"made_at": report.made_at.isoformat()}


def _sentences(report: BackupReport) -> dict[str, str]:
    size_mb = report.size_bytes / _MB
    held_fr = ", ".join(
        (
            several(report.positionfixes, "position", "positions"),
            several(report.trips, "déplacement", "déplacements"),
            several(report.consents, "accord", "accords"),
            several(report.contributions, "semaine partagée", "semaines partagées"),
        )
    )
    held_en = ", ".join(
        (
            several_en(report.positionfixes, "position", "positions"),
            several_en(report.trips, "trip", "trips"),
            several_en(report.consents, "consent", "consents"),
            several_en(report.contributions, "week shared", "weeks shared"),
        )
    )
    return {
        "fr": f"Sauvegarde du {report.made_at:%d/%m/%Y à %H:%M} UTC, {number(size_mb, 'fr')} Mo, "
        f"entière : {held_fr}.",
        "en": f"Backup of {report.made_at:%Y-%m-%d %H:%M} UTC, {number(size_mb, 'en')} MB, whole: "
        f"{held_en}.",
    }
