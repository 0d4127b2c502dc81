"""Open the resident's database: SQLite encrypted by SQLCipher, through SQLAlchemy.

The key is the vault's 32 bytes, given raw (SQLCipher derives nothing). A reader uses
`reading(engine)`, a writer `writing(engine)`: writers take the write lock at once, so that two
processes importing the same file queue up instead of failing half-way.
Source: SQLCipher API, "raw key data"; SQLite, "BEGIN IMMEDIATE" and WAL.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, text
from sqlalchemy.exc import DatabaseError

from personal_store.db.schema import bring_to_head
from personal_store.errors import VaultError
from personal_store.vault import DATABASE_FILE, VAULT_FILE, DatabaseKey

# A Raspberry Pi's slowest import commits well within this; past it, something is stuck.
LOCK_TIMEOUT_S = 120.0
_RETRY_S = 0.05
_BACKUP_STEP_PAGES = 1024  # 4 MB: often enough for a line of progress
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


def snapshot(
    engine: Engine, target: Path, key: DatabaseKey, *, on_progress: Callable[[float], None]
) -> None:
    """Copy one consistent state of the database to a new file under the same key.

    Writers go on meanwhile. `on_progress` is told the share that is copied, in [0, 1].
    """
    copy = _keyed(str(target), key)
    try:
        with engine.connect() as connection:
            source = connection.connection.driver_connection
            assert source is not None, "a connection that is open has a driver's"
            # A transaction that has read holds its state; without one each write starts the copy
            # anew.
            connection.scalar(text("SELECT count(*) FROM sqlite_master"))

            def tell(_status: int, remaining: int, total: int) -> None:
                on_progress(1 - remaining / max(total, 1))

            source.backup(copy, pages=_BACKUP_STEP_PAGES, progress=tell)
        # A copy with its own journals would be several files, and grow some when it is read.
        copy.execute("PRAGMA journal_mode = DELETE")
    finally:
        copy.close()


def open_read_only(path: Path, key: DatabaseKey) -> Any:
    """Return a driver's connection to a database that nobody writes; it leaves no file beside it.

    What is wrong with the file or the key is said by the first statement, as DatabaseError.
    """
    return _keyed(f"{path.resolve().as_uri()}?mode=ro&immutable=1", key, is_uri=True)


def is_open_elsewhere(folder: Path, key: DatabaseKey) -> bool:
    """Tell whether another connection, of any program, has the database open."""
    raw = _keyed(str(folder / DATABASE_FILE), key, timeout_s=0)
    try:
        # In this mode SQLite takes the write-ahead log's index for itself alone, or refuses.
        raw.execute("PRAGMA locking_mode = EXCLUSIVE")
        raw.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlcipher.OperationalError as error:
        if not is_locked(error):
            raise
        return True
    finally:
        raw.close()
    return False


def _begin(connection: Connection) -> None:
    lock = connection.get_execution_options().get("lock", "DEFERRED")
    connection.exec_driver_sql(f"BEGIN {lock}")


def _connect(path: Path, key: DatabaseKey) -> Any:
    raw = _keyed(str(path), key)
    _use_write_ahead_log(raw)
    raw.execute("PRAGMA synchronous = FULL")  # a consent event must survive a power cut
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA temp_store = MEMORY")  # no position in a plain temporary file
    raw.execute("PRAGMA secure_delete = ON")
    return raw


def _null(_: None) -> None:
    """Return NULL as itself."""


def _keyed(
    path: str, key: DatabaseKey, *, timeout_s: float | None = None, is_uri: bool = False
) -> Any:
    raw = sqlcipher.connect(
        path,
        timeout=LOCK_TIMEOUT_S if timeout_s is None else timeout_s,
        isolation_level=None,
        check_same_thread=False,
        uri=is_uri,
    )
    raw.execute("PRAGMA cipher_log_level = NONE")  # standard error is for sentences
    raw.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    return raw


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
