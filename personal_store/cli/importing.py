"""`personal-store import`: files and folders of files, each with its verdict.

What becomes of a file is the job's to say (`jobs/importing.py`); here it is put into words, and the
exit code tells whether something came of every file.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from personal_store.cli.console import EXIT_FAILED, EXIT_INTERRUPTED, Session
from personal_store.cli.progress import import_progress
from personal_store.documents.imports import (
    held_sentences,
    import_document,
    import_sentences,
    nothing_sentences,
)
from personal_store.errors import IngestError, WrongFile
from personal_store.ingest import refusals
from personal_store.ingest.folders import files_under
from personal_store.ingest.values import printable
from personal_store.jobs import importing, overlapping, pipeline
from personal_store.jobs.importing import ImportReport
from personal_store.jobs.pipeline import Held
from personal_store.local_time import home_timezone
from personal_store.store import Store


@dataclass(slots=True)
class _Verdicts:
    """What became of each file so far; a file of which nothing came is in both lists."""

    reports: list[ImportReport] = field(default_factory=list)
    refused: list[tuple[Path, IngestError]] = field(default_factory=list)


def import_files(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="Fichiers ou dossiers. / Files or folders.")],
    local_times: Annotated[
        bool,
        typer.Option(
            "--local-times",
            help="Les heures sans fuseau sont celles de chez vous (« home »). / "
            "Times without an offset are those of home (“home”).",
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Un document JSON. / A JSON document.")
    ] = False,
) -> None:
    """Importer des fichiers de positions. / Import location files."""
    session: Session = context.obj
    store = session.open()
    verdicts = _Verdicts()
    try:
        held = _take_in(session, store, paths, verdicts, local_times=local_times)
    except KeyboardInterrupt:
        session.say(
            fr="Interrompu. Ce qui est lu est gardé : la même commande reprendra où elle en est.",
            en="Interrupted. What was read is kept: the same command will go on from there.",
        )
        raise typer.Exit(EXIT_INTERRUPTED) from None
    session.say(**held_sentences(held))
    if as_json:
        session.answer(import_document(verdicts.reports, verdicts.refused, held))
    if verdicts.refused:
        raise typer.Exit(EXIT_FAILED)


def _take_in(
    session: Session,
    store: Store,
    paths: list[Path],
    verdicts: _Verdicts,
    *,
    local_times: bool,
) -> Held:
    with import_progress(session) as on_progress:
        for path in paths:
            for file in _files(session, path, verdicts):
                try:
                    report = importing.run_once(
                        store.engine,
                        file,
                        clock=store.clock,
                        local_zone=home_timezone() if local_times else None,
                        on_progress=on_progress,
                    )
                except IngestError as error:
                    _refuse(session, verdicts, file, error)
                    continue
                verdicts.reports.append(report)
                session.say(**import_sentences(report))
                if report.gives_nothing:
                    nothing = WrongFile(**nothing_sentences(report))
                    _refuse(session, verdicts, file, nothing)
    overlapping.run_once(store.engine)
    pipeline.run_once(store.engine)
    return pipeline.held(store.engine)


def _files(session: Session, path: Path, verdicts: _Verdicts) -> list[Path]:
    """Return the file of a path, or those of a folder; say what is left aside."""
    if not path.is_dir():
        return [path]
    found = files_under(path)
    for link in map(printable, (each.name for each in found.links)):
        session.say(
            fr=f"{link} : lien symbolique, laissé de côté ; donnez le chemin de sa cible.",
            en=f"{link}: a symbolic link, left aside; give the path of its target.",
        )
    for closed in found.closed:
        _refuse(session, verdicts, closed, refusals.closed_folder())
    if not found.files and not found.closed:
        _refuse(session, verdicts, path, refusals.empty_folder())
    return found.files


def _refuse(session: Session, verdicts: _Verdicts, path: Path, error: IngestError) -> None:
    verdicts.refused.append((path, error))
    name = printable(path.name)
    session.say(fr=f"{name} : {error.fr}", en=f"{name}: {error.en}")
