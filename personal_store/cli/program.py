"""The command line of a personal store: `personal-store COMMAND`.

Stable, because people script against it: progress and sentences on stderr, one JSON document on
stdout with `--json`, exit codes 0 ok, 1 failed, 2 usage. It holds no logic: each command calls a
job or a query and says what came out. The commands about sharing are in `sharing.py`,
those about devices in `devices.py`, those about trips in `trips.py`, those about the whole
store in `keeping.py`, `import` in `importing.py`.
"""

import os
import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from personal_store import serving, starting, vault
from personal_store.cli import (
    choices,
    devices,
    giving,
    home,
    importing,
    keepers,
    keeping,
    lines,
    naming,
    sharing,
    trips,
)
from personal_store.cli.console import JsonOption, Program, Session, plain_errors, read_secret
from personal_store.db.connection import open_database
from personal_store.documents.imports import drain_document, drain_sentences
from personal_store.jobs import draining
from personal_store.settings import Settings, language_of_arguments, language_of_environment

app = typer.Typer(
    cls=Program,
    help="Votre espace personnel de mobilité. / Your personal mobility store.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("import")(importing.import_files)
app.command()(home.home)
app.command()(keepers.keepers)
app.add_typer(sharing.consents_app, name="consents")
app.add_typer(devices.devices_app, name="devices")
app.add_typer(lines.lines_app, name="lines")
sharing.add_commands(app)
giving.add_commands(sharing.consents_app)
choices.add_commands(sharing.consents_app)
naming.add_commands(sharing.consents_app)
trips.add_commands(app)
keeping.add_commands(app)

_SET_BY: dict[int | str, str] = {
    "language": "--lang (fr, en)",
    "data": "--data",
    "passphrase_file": "--passphrase-file",
    "watch": "$PERSONAL_STORE_WATCH",
}


@app.callback()
def configure(
    context: typer.Context,
    data: Annotated[Path | None, typer.Option(help="Dossier de données. / Data folder.")] = None,
    passphrase_file: Annotated[
        Path | None, typer.Option(help="Fichier de la phrase de passe. / Passphrase file.")
    ] = None,
    lang: Annotated[str | None, typer.Option(help="fr | en")] = None,
) -> None:
    """Votre espace personnel de mobilité. / Your personal mobility store."""
    spoken = lang.lower() if lang else None
    given = {"data": data, "passphrase_file": passphrase_file, "language": spoken}
    try:
        settings = Settings.model_validate(
            Settings().model_dump() | {key: value for key, value in given.items() if value}
        )
    except ValidationError as error:
        fields = ", ".join(_SET_BY.get(each["loc"][0], "?") for each in error.errors())
        raise typer.BadParameter(
            f"{fields} : valeur inconnue. / {fields}: unknown value."
        ) from None
    language = settings.language or language_of_environment(os.environ)
    context.obj = Session(
        settings=settings, language=language, console=Console(file=sys.stderr, soft_wrap=True)
    )


@app.command()
def init(context: typer.Context) -> None:
    """Créer l'espace chiffré. / Create the encrypted store."""
    session: Session = context.obj
    folder = session.settings.data
    made = vault.create_vault(
        folder, session.passphrase(confirm=True), randomness=secrets.token_bytes
    )
    open_database(folder, made.key).dispose()
    session.say(
        fr=f"Espace créé et chiffré dans {folder}.\n"
        "Code de secours, montré cette seule fois ; notez-le et gardez-le ailleurs :\n"
        f"  {made.recovery_code}",
        en=f"Store created and encrypted in {folder}.\n"
        "Recovery code, shown this once; write it down and keep it elsewhere:\n"
        f"  {made.recovery_code}",
    )


@app.command()
def recover(
    context: typer.Context,
    code_file: Annotated[
        Path, typer.Option(help="Fichier du code de secours. / Recovery code file.")
    ],
) -> None:
    """Remplacer une phrase de passe oubliée. / Replace a forgotten passphrase."""
    session: Session = context.obj
    code = read_secret(code_file)
    vault.recover(
        session.settings.data,
        code,
        session.passphrase(confirm=True),
        randomness=secrets.token_bytes,
    )
    session.say(fr="La phrase de passe est remplacée.", en="The passphrase is replaced.")


@app.command()
def unlock(context: typer.Context, as_json: JsonOption = False) -> None:
    """Lire ce que la boîte scellée a reçu. / Read what the sealed inbox took in."""
    session: Session = context.obj
    store = session.open()
    report = draining.run_once(store, retry_kept=True)
    session.say(**drain_sentences(report))
    address = serving.locked_server(store.folder)
    if address is not None:
        session.say(
            fr="Le serveur qui tourne reste verrouillé et scelle ce qui arrive : donnez-lui la "
            f"phrase de passe sur sa page {address}fr/login.",
            en="The server that runs stays locked and seals what comes in: give it the passphrase "
            f"on its page {address}en/login.",
        )
    if as_json:
        session.answer(drain_document(report))


@app.command()
def serve(  # noqa: PLR0917 -- the options of the command
    context: typer.Context,
    host: Annotated[str, typer.Option()] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535)] = 8640,
    name: Annotated[
        list[str] | None, typer.Option(help="Nom sous lequel il répond. / Name it answers to.")
    ] = None,
    locked: Annotated[
        bool, typer.Option("--locked", help="Sans phrase de passe. / Without a passphrase.")
    ] = False,
    local_times: Annotated[
        bool,
        typer.Option(
            "--local-times",
            help="Dossier surveillé : les heures sans fuseau sont celles de chez vous. / "
            "Watched folder: times without an offset are those of home.",
        ),
    ] = False,
) -> None:
    """Ouvrir les pages et recevoir les positions. / Serve the pages and take in positions.

    Avec $PERSONAL_STORE_WATCH, prend aussi les fichiers de ce dossier. / With
    $PERSONAL_STORE_WATCH, it also takes in the files of that folder.
    """
    session: Session = context.obj
    starting.check_watched(session.settings.watch)
    starting.check_address(host, port)
    # Imported here: the other commands must not pay for a web server on a Raspberry Pi.
    from personal_store.app import run_server  # noqa: PLC0415

    stays_locked = locked or not session.has_passphrase()
    run_server(
        session,
        host=host,
        port=port,
        hosts=tuple(name or ()),
        locked=stays_locked,
        local_times=local_times,
    )


def main() -> None:
    """Run the command line; one sentence and an exit code for whatever goes wrong."""
    language = language_of_arguments(sys.argv[1:], os.environ)
    try:
        with plain_errors(language, Console(file=sys.stderr, soft_wrap=True)):
            app(prog_name="personal-store")
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
