"""`coop-aggregator`: the cooperative's command line. Stable, because people script against it.

Progress goes to stderr; `--json` prints one JSON document on stdout; exit codes are 0 ok, 1 failed,
2 usage. `--data`, `--database-url` and `--lang` may stand before or after the command. It holds no
logic; the commands about questions and releases are in `statistics`.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvicorn
from rich.console import Console

from coop_aggregator.app import create_app
from coop_aggregator.asking.enrolment import make_codes
from coop_aggregator.asking.territory import read_territory
from coop_aggregator.cli import keepers, shards, statistics, stewards, witnesses
from coop_aggregator.cli.console import EXIT_FAILED, JsonOption, Session, plain_errors
from coop_aggregator.clock import Clock, SystemClock
from coop_aggregator.db.engine import connect, create_schema
from coop_aggregator.db.identity import Identity, Role
from coop_aggregator.db.territories import replace_territory
from coop_aggregator.doctor import examine
from coop_aggregator.installation import init_helper, init_leader, open_helper, open_leader
from coop_aggregator.keys import add_missing_keeper_keys
from coop_aggregator.metrics import metrics_served
from coop_aggregator.settings import Language, language_of_environment, load_settings

app = typer.Typer(
    help="Statistiques privées d'une coopérative de données. / Private statistics of a data "
    "cooperative.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
territory_app = typer.Typer(help="Le territoire. / The territory.", no_args_is_help=True)
app.add_typer(territory_app, name="territory")
statistics.add_commands(app)
keepers.add_commands(app, task=statistics.task_app)
stewards.add_commands(app)
witnesses.add_commands(app)
shards.add_commands(app)

_ANYWHERE = ("--data", "--database-url", "--lang")


@app.callback()
def configure(
    context: typer.Context,
    data: Annotated[Path | None, typer.Option(help="Dossier de données. / Data folder.")] = None,
    database_url: Annotated[
        str | None, typer.Option(help="postgresql+psycopg://… (SQLite sinon / otherwise)")
    ] = None,
    lang: Annotated[Language | None, typer.Option(help="fr | en")] = None,
) -> None:
    """Statistiques privées d'une coopérative. / Private statistics of a cooperative."""
    settings = load_settings(
        environment=os.environ, data=data, database_url=database_url, language=lang
    )
    console = Console(file=sys.stderr, soft_wrap=True)
    context.obj = Session(settings=settings, clock=context.obj, console=console)


@app.command()
def init(
    context: typer.Context,
    *,
    name: Annotated[str, typer.Option(help="Nom affiché. / Name shown.")],
    origin: Annotated[
        str | None, typer.Option(help="Nom du journal. / Name of the log: example.org/log")
    ] = None,
    contact: Annotated[
        str | None, typer.Option(help="Contact du responsable. / Controller's contact.")
    ] = None,
    role: Annotated[Role, typer.Option(help="leader | helper")] = Role.LEADER,
    log_vkey: Annotated[
        str | None, typer.Option(help="Rôle helper : clé du journal. / Helper: the log's key.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Créer clés et base. / Make keys and database."""
    session: Session = context.obj
    who = (
        _init_leader(session, name, origin, contact)
        if role is Role.LEADER
        else _init_helper(session, name, log_vkey)
    )
    session.say(
        fr=f"Installation créée dans {session.settings.data}, rôle {who.role}.\n"
        f"Clé de vérification, à transmettre :\n  {who.own_vkey}",
        en=f"Installation made in {session.settings.data}, role {who.role}.\n"
        f"Verifier key, to hand out:\n  {who.own_vkey}",
    )
    if as_json:
        session.answer(
            {"role": who.role.value, "name": who.name, "origin": who.origin, "vkey": who.own_vkey}
        )


@app.command()
def migrate(context: typer.Context) -> None:
    """Mettre la base au schéma de cette version. / Bring the database to this version."""
    session: Session = context.obj
    database = connect(session.settings.url)
    try:
        create_schema(database)
    finally:
        database.close()
    add_missing_keeper_keys(session.settings.keys)
    session.say(fr="La base est à jour.", en="The database is up to date.")


@territory_app.command("import")
def territory_import(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="GeoJSON (FeatureCollection)")],
    code_property: Annotated[str, typer.Option(help="Champ du code. / Code field.")] = "code",
    name_property: Annotated[str, typer.Option(help="Champ du nom. / Name field.")] = "nom",
    as_json: JsonOption = False,
) -> None:
    """Importer les zones. / Import the zones."""
    session: Session = context.obj
    territory = read_territory(file, code_property=code_property, name_property=name_property)
    with session.leader() as leader, leader.database.write() as connection:
        replace_territory(connection, territory, now=session.clock.now())
    session.say(
        fr=f"{len(territory.zones)} zones importées.", en=f"{len(territory.zones)} zones imported."
    )
    if as_json:
        session.answer(
            {"zones": [{"code": zone.code, "name": zone.name} for zone in territory.zones]}
        )


@app.command()
def enrol(
    context: typer.Context,
    count: Annotated[int, typer.Option(min=1, max=100_000, help="Combien. / How many.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Faire des codes d'invitation à usage unique. / Make one-time invitation codes."""
    session: Session = context.obj
    with session.leader() as leader, leader.database.write() as connection:
        codes = make_codes(connection, count)
    session.say(
        fr="Montrés cette seule fois ; un code par personne.",
        en="Shown this once; one code a person.",
    )
    if as_json:
        session.answer({"codes": list(codes)})
    else:
        sys.stdout.write("".join(f"{code}\n" for code in codes))


@app.command()
def serve(
    context: typer.Context,
    role: Annotated[Role, typer.Option(help="leader | helper")] = Role.LEADER,
    host: Annotated[str, typer.Option(help="Adresse d'écoute. / Address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port.")] = 8420,
) -> None:
    """Servir les pages et l'interface. / Serve the pages and the interface."""
    session: Session = context.obj
    opening = open_leader if role is Role.LEADER else open_helper
    installation = opening(session.settings, session.clock)
    _log_to_stderr()
    session.say(
        fr=f"{installation.who.name} : http://{host}:{port}/ (Ctrl-C pour arrêter)",
        en=f"{installation.who.name}: http://{host}:{port}/ (Ctrl-C to stop)",
    )
    try:
        with metrics_served(installation, port=session.settings.metrics_port):
            uvicorn.run(
                create_app(installation, session.settings),
                host=host,
                port=port,
                access_log=False,
                server_header=False,
                log_level="warning",
            )
    finally:
        installation.database.close()


@app.command()
def doctor(context: typer.Context, as_json: JsonOption = False) -> None:
    """Vérifier l'installation. / Check the installation."""
    session: Session = context.obj
    findings = examine(session.settings, session.clock)
    for finding in findings:
        mark = "ok " if finding.ok else "!! "
        session.say(fr=mark + finding.fr, en=mark + finding.en)
    if as_json:
        session.answer([{"check": f.check, "ok": f.ok, "detail": f.en} for f in findings])
    if not all(finding.ok for finding in findings):
        raise typer.Exit(EXIT_FAILED)


def main(arguments: Sequence[str] | None = None, *, clock: Clock | None = None) -> None:
    """Run the command line; every expected failure is one sentence and exit code 1.

    `clock` is the machine's unless another one is given.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    ordered = _installation_options_first(given)
    language = Language.ENGLISH if _asks_english(ordered) else Language.FRENCH
    try:
        with plain_errors(Console(file=sys.stderr, soft_wrap=True), language):
            app(args=ordered, prog_name="coop-aggregator", obj=clock or SystemClock())
    except typer.Exit as stop:
        sys.exit(stop.exit_code)


def _init_leader(session: Session, name: str, origin: str | None, contact: str | None) -> Identity:
    if origin is None:
        raise typer.BadParameter("example.org/log", param_hint="--origin")
    contact = contact or f"https://{origin.partition('/')[0]}/"
    leader = init_leader(session.settings, session.clock, name=name, origin=origin, contact=contact)
    leader.database.close()
    return leader.who


def _init_helper(session: Session, name: str, log_vkey: str | None) -> Identity:
    if log_vkey is None:
        raise typer.BadParameter("name+id+base64", param_hint="--log-vkey")
    helper = init_helper(session.settings, session.clock, name=name, log_vkey=log_vkey)
    helper.database.close()
    return helper.who


def _installation_options_first(arguments: Sequence[str]) -> list[str]:
    first: list[str] = []
    rest: list[str] = []
    pending = iter(arguments)
    for argument in pending:
        if argument in _ANYWHERE:
            first += [argument, *([value] if (value := next(pending, None)) is not None else [])]
        elif argument.startswith(tuple(f"{option}=" for option in _ANYWHERE)):
            first.append(argument)
        else:
            rest.append(argument)
    return first + rest


def _asks_english(arguments: Sequence[str]) -> bool:
    spoken = " ".join(arguments)
    return (
        "--lang en" in spoken
        or "--lang=en" in spoken
        or ("--lang" not in spoken and language_of_environment(os.environ) is Language.ENGLISH)
    )


def _log_to_stderr() -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
