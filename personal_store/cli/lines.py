"""`personal-store lines`: stops and lines of public transport, which tell a bus from a car.

They are read on the resident's own machine, once, from files that a territory publishes; nothing is
asked of a network, because asking where a stop is tells where somebody was.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from carbon.modes import TransportMode
from personal_store.cli.console import EXIT_FAILED, JsonOption, Session
from personal_store.db import lines
from personal_store.db.connection import reading, writing
from personal_store.db.lines import LineFile
from personal_store.errors import IngestError
from personal_store.jobs import pipeline
from personal_store.wording import several, several_en

lines_app = typer.Typer(
    help="Arrêts et lignes de transport. / Stops and lines of public transport.",
    no_args_is_help=True,
)


@lines_app.command("import")
def import_lines(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(help="GTFS (zip), GeoJSON, JSON.", exists=True)],
    mode: Annotated[
        TransportMode | None,
        typer.Option(help="Mode d'un GeoJSON ou JSON. / Mode of a GeoJSON or JSON."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Importer des arrêts et des lignes. / Import stops and lines."""
    # Imported here: the other commands must not pay for numpy on a Raspberry Pi.
    from personal_store.trips.line_files import read_lines  # noqa: PLC0415

    session: Session = context.obj
    store = session.open()
    taken, failed = [], False
    for path in paths:
        try:
            read = read_lines(path, mode=mode)
        except IngestError as error:
            failed = True
            session.say(fr=f"{path.name} : {error.fr}", en=f"{path.name}: {error.en}")
            continue
        with writing(store.engine) as connection:
            file = lines.add(connection, read, name=path.name, at=store.clock.now())
        taken.append(file)
        session.say(**_sentences(file))
    if taken:
        pipeline.run_once(store.engine, everything=True)
    if as_json:
        session.answer({"files": [asdict(file) for file in taken]})
    if failed:
        raise typer.Exit(EXIT_FAILED)


@lines_app.command("list")
def list_lines(context: typer.Context, as_json: JsonOption = False) -> None:
    """Lister les fichiers importés. / List the imported files."""
    session: Session = context.obj
    with reading(session.open().engine) as connection:
        files = lines.listed(connection)
    for file in files:
        session.say(**_sentences(file))
    if as_json:
        session.answer({"files": [asdict(file) for file in files]})


@lines_app.command("forget")
def forget_lines(context: typer.Context, name: str) -> None:
    """Oublier un fichier importé. / Forget an imported file."""
    session: Session = context.obj
    store = session.open()
    with writing(store.engine) as connection:
        found = lines.forget(connection, name=name)
    if not found:
        session.say(
            fr=f"Aucun fichier « {name} » : voyez « lines list ».",
            en=f"No file “{name}”: see “lines list”.",
        )
        raise typer.Exit(EXIT_FAILED)
    pipeline.run_once(store.engine, everything=True)
    session.say(fr=f"« {name} » est oublié.", en=f"“{name}” is forgotten.")


def _sentences(file: LineFile) -> dict[str, str]:
    """Say what a file gave."""
    return {
        "fr": f"{file.name} : {several(file.stops, 'arrêt', 'arrêts')}, "
        f"{several(file.routes, 'parcours', 'parcours')}, "
        f"{several(file.tracks, 'tracé', 'tracés')}.",
        "en": f"{file.name}: {several_en(file.stops, 'stop', 'stops')}, "
        f"{several_en(file.routes, 'route', 'routes')}, "
        f"{several_en(file.tracks, 'track', 'tracks')}.",
    }
