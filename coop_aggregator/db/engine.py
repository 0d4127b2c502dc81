"""Open the database and refuse one that another version wrote.

SQLite (WAL) is the embedded default, PostgreSQL the production choice; both see the same
statements. Writers are serialised where it matters: on SQLite by BEGIN IMMEDIATE, on PostgreSQL by
locking the identity row (`db.identity.lock`), so that log positions have no gap.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from coop_aggregator.errors import AggregatorError, NotInitialised, UnknownSchema

MIGRATIONS = Path(__file__).with_name("migrations")
BUSY_TIMEOUT_MS = 15_000
_WRITER = "aggregator_writer"


class Database:
    """An engine with two doors: `read()` and `write()`, each one transaction."""

    def __init__(self, engine: Engine) -> None:
        """Keep the engine; the caller closes the database."""
        self._engine = engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection in a transaction meant for reading."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection in a writing transaction; commit at the end, roll back on error."""
        with self._engine.execution_options(**{_WRITER: True}).begin() as connection:
            yield connection

    def close(self) -> None:
        """Release every connection."""
        self._engine.dispose()

    @property
    def dialect(self) -> str:
        """Return "sqlite" or "postgresql"."""
        return self._engine.dialect.name


def connect(url: str) -> Database:
    """Open `url` without looking at the schema. Raises AggregatorError for another backend."""
    try:
        backend = make_url(url).get_backend_name()
        if backend == "sqlite":
            return Database(_sqlite(url))
        if backend == "postgresql":
            # A writer waits as long as on SQLite, then fails instead of hanging.
            waiting = {"options": f"-c lock_timeout={BUSY_TIMEOUT_MS}"}
            return Database(
                create_engine(url, pool_pre_ping=True, connect_args=waiting, hide_parameters=True)
            )
    except SQLAlchemyError as error:
        raise _unusable_url() from error
    raise _unusable_url()


def create_schema(database: Database) -> None:
    """Bring the schema to this program's version, in one transaction. Raises UnknownSchema."""
    with database.write() as connection:
        revision = _revision(connection)
        _refuse_foreign(revision)
        if revision == _scripts().get_current_head():
            return
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def open_database(url: str) -> Database:
    """Open a database that `init` made.

    Raises NotInitialised when there is none, UnknownSchema when another version wrote it.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        raise _absent()
    database = connect(url)
    try:
        with database.read() as connection:
            revision = _revision(connection)
        if revision is None:
            raise _absent()
        _refuse_foreign(revision)
        if revision != _scripts().get_current_head():
            raise UnknownSchema(
                fr="La base vient d'une version plus ancienne. Sauvegardez-la, puis lancez "
                "« coop-aggregator migrate ».",
                en="The database comes from an older version. Back it up, then run "
                "'coop-aggregator migrate'.",
            )
    except SQLAlchemyError as error:
        database.close()
        raise unreachable() from error
    except AggregatorError:
        database.close()
        raise
    return database


def unreachable() -> NotInitialised:
    """Say that the database does not answer, without its address, which may hold a password."""
    return NotInitialised(
        fr="La base de données ne répond pas ou n'est pas lisible. Vérifiez qu'elle tourne et que "
        "l'adresse donnée par --database-url ou COOP_AGGREGATOR_DATABASE_URL est juste.",
        en="The database does not answer or cannot be read. Check that it is running and that the "
        "address given by --database-url or COOP_AGGREGATOR_DATABASE_URL is right.",
    )


def _sqlite(url: str) -> Engine:
    file = make_url(url).database
    engine = create_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}, hide_parameters=True
    )

    @event.listens_for(engine, "do_connect")
    def _own(*_connecting: Any) -> None:
        # Made by SQLite the file would be readable by others; its journals take its mode.
        if file and not Path(file).exists():
            with suppress(OSError):
                Path(file).touch(mode=0o600)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # The driver would otherwise open transactions on its own, and never IMMEDIATE ones.
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            # What a collection erases is overwritten, not only unlinked.
            "secure_delete=ON",
            f"busy_timeout={BUSY_TIMEOUT_MS}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # IMMEDIATE takes the write lock at once: a reader that upgrades later could only fail.
        writing = connection.get_execution_options().get(_WRITER, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


@cache
def _scripts() -> ScriptDirectory:
    # Read once: a running program's own files do not change under it.
    return ScriptDirectory(str(MIGRATIONS))


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_foreign(revision: str | None) -> None:
    if revision is None:
        return
    try:
        _scripts().get_revision(revision)
    except CommandError as error:
        raise UnknownSchema(
            fr=f"La base porte le schéma « {revision} », que cette version ne connaît pas. "
            "Installez la version du programme qui l'a écrite, ou une plus récente.",
            en=f"The database carries schema '{revision}', unknown to this version. "
            "Install the version of the program that wrote it, or a newer one.",
        ) from error


def _absent() -> NotInitialised:
    return NotInitialised(
        fr="Aucune coopérative dans ce dossier. Lancez d'abord « coop-aggregator init ».",
        en="No cooperative in this folder. Run 'coop-aggregator init' first.",
    )


def _unusable_url() -> AggregatorError:
    return AggregatorError(
        fr="L'adresse de la base doit commencer par sqlite:/// ou postgresql+psycopg://.",
        en="The database address must start with sqlite:/// or postgresql+psycopg://.",
    )
