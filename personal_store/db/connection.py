"""Open the resident's database: SQLite encrypted by SQLCipher, through SQLAlchemy.

The key is the vault's 32 bytes, given raw (SQLCipher derives nothing). A reader uses
`reading(engine)`, a writer `writing(engine)`: writers take the write lock at once, so that two
processes importing the same file queue up instead of failing half-way.
Source: SQLCipher API, "raw key data"; SQLite, "BEGIN IMMEDIATE" and WAL.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy import Connection, Engine, QueuePool, create_engine, event
from sqlalchemy.exc import DatabaseError

from personal_store.db.schema import bring_to_head
from personal_store.errors import VaultError
from personal_store.vault import DATABASE_FILE, VAULT_FILE, DatabaseKey

# A Raspberry Pi's slowest import commits well within this; past it, something is stuck.
LOCK_TIMEOUT_S = 120.0
_RETRY_S = 0.05
_LOCKED = "database is locked"  # SQLITE_BUSY
_NOT_OUR_KEY = "file is not a database"  # SQLITE_NOTADB, what SQLCipher says of a wrong key


def open_database(folder: Path, key: DatabaseKey) -> Engine:
    """Open, or create, the database of a data folder and bring its schema up to date.

    Raises UnknownSchema when another version of the program wrote it, VaultError when the key is
    another database's.
    """
    file = folder / DATABASE_FILE
    if not file.exists():
        # Made by SQLite it would be readable by others; its journals take its mode.
        file.touch(mode=0o600)
    # Without it the driver looks for an adapter of every NULL and drops two exceptions on the way:
    # half the processor time of an insertion (2026, one core).
    sqlcipher.register_adapter(type(None), _null)
    engine = create_engine(
        "sqlite://",
        module=sqlcipher,
        creator=lambda: _connect(file, key),
        # The default for a nameless database closes connections that other threads still use.
        poolclass=QueuePool,
        max_overflow=-1,
        # Errors end up in logs, and the parameters of a statement are positions.
        hide_parameters=True,
    )
    event.listen(engine, "begin", _begin)
    try:
        with writing(engine) as connection:
            bring_to_head(connection)
    except DatabaseError as error:
        if str(error.orig) != _NOT_OUR_KEY:
            raise
        raise VaultError(
            fr=f"La base de données {DATABASE_FILE} ne s'ouvre pas avec la clé de {VAULT_FILE} : "
            "rétablissez les deux depuis la même sauvegarde. Rien n'a été changé.",
            en=f"The database {DATABASE_FILE} does not open with the key of {VAULT_FILE}: "
            "restore both from the same backup. Nothing was changed.",
        ) from None
    return engine


def is_locked(error: BaseException | None) -> bool:
    """Tell whether a refusal of the database means that another program holds its lock."""
    return str(error) == _LOCKED


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection that sees one consistent state."""
    with engine.begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection that holds the write lock; commit at the end, or nothing."""
    with engine.execution_options(lock="IMMEDIATE").begin() as connection:
        yield connection


def overwrite_journal(engine: Engine) -> bool:
    """Move the write-ahead log into the database and empty it; False while somebody else reads.

    With `secure_delete` what was deleted is then in neither file.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    return not busy


def _begin(connection: Connection) -> None:
    lock = connection.get_execution_options().get("lock", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {lock}")


def _connect(path: Path, key: DatabaseKey) -> Any:
    raw = sqlcipher.connect(
        str(path), timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
    )
    raw.execute("PRAGMA cipher_log_level = NONE")  # standard error is for sentences
    raw.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    _use_write_ahead_log(raw)
    raw.execute("PRAGMA synchronous = FULL")  # a consent event must survive a power cut
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA temp_store = MEMORY")  # no position in a plain temporary file
    raw.execute("PRAGMA secure_delete = ON")
    return raw


def _null(_: None) -> None:
    """Return NULL as itself."""


def _use_write_ahead_log(raw: Any) -> None:
    # SQLite does not wait for this lock, whatever its timeout: two programs that switch a new
    # database at once, or one that opens it while the last other closes it, would fail.
    end = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            raw.execute("PRAGMA journal_mode = WAL")
        except sqlcipher.OperationalError as error:
            if not is_locked(error) or time.monotonic() > end:
                raise
            time.sleep(_RETRY_S)
        else:
            return
