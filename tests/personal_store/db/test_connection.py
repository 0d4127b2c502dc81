"""The encrypted database: nothing readable on disk, nothing opened with another key."""

import random
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlcipher3.dbapi2 as sqlcipher
from fixes_added import add_fixes
from sqlalchemy import insert
from sqlalchemy.exc import DatabaseError
from sqlcipher_pages import clear_bytes

from personal_store.db import connection, devices, positionfixes
from personal_store.db.connection import open_database, reading, writing
from personal_store.db.tables import device as device_table
from personal_store.errors import VaultError
from personal_store.ingest.positionfix import Positionfix, SourceFormat
from personal_store.store import Store
from personal_store.vault import DATABASE_FILE, DatabaseKey

AT = datetime(2026, 11, 9, 7, 30, tzinfo=UTC)
CANARY = "canary-of-the-telephone"


def _fix(index: int = 0) -> Positionfix:
    return Positionfix(
        at=AT.replace(microsecond=index),
        lon=-1.1512345,
        lat=46.1598765,
        source=SourceFormat.GPX,
        device=CANARY,
        activity="canary-activity",
    )


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _with_canary(store: Store) -> None:
    with writing(store.engine) as connection:
        add_fixes(connection, [_fix()], received_at=AT)
        devices.authorise(
            connection,
            device=CANARY,
            token="canary-token",
            door="door",
            encryption_key=None,
            at=AT,
        )


def test_the_write_ahead_log_holds_the_change_that_the_next_tests_look_for(store: Store) -> None:
    before = (store.folder / f"{DATABASE_FILE}-wal").stat().st_size
    _with_canary(store)
    assert (store.folder / f"{DATABASE_FILE}-wal").stat().st_size > before


KEPT = {
    "device name": CANARY.encode(),
    "activity": b"canary-activity",
    # Both, side by side as in a row: four bytes alone turn up by chance in as many random ones.
    "position": (-11512345).to_bytes(4, "big", signed=True)
    + (461598765).to_bytes(4, "big", signed=True),
    "schema": b"CREATE TABLE",
    "column": b"lon_e7",
}
CANARIES = KEPT | {"SQLite's header": b"SQLite format 3"}


@pytest.mark.parametrize("canary", KEPT.values(), ids=KEPT.keys())
def test_the_key_makes_readable_a(store: Store, key: DatabaseKey, canary: bytes) -> None:
    _with_canary(store)
    store.engine.dispose()
    assert canary in clear_bytes(store.folder / DATABASE_FILE, bytes(key))


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES.keys())
def test_no_file_of_an_open_store_holds_a_readable(store: Store, canary: bytes) -> None:
    _with_canary(store)
    assert [name for name, content in _files(store.folder).items() if canary in content] == []


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES.keys())
def test_no_file_of_a_closed_store_holds_a_readable(store: Store, canary: bytes) -> None:
    _with_canary(store)
    store.engine.dispose()
    assert [name for name, content in _files(store.folder).items() if canary in content] == []


def test_what_was_written_is_read_back_with_the_key(store: Store, key: DatabaseKey) -> None:
    _with_canary(store)
    store.engine.dispose()
    again = open_database(store.folder, key)
    with reading(again) as connection:
        assert positionfixes.of_device(connection, CANARY)[0].activity == "canary-activity"
    again.dispose()


def test_another_key_is_refused_with_what_to_do(store: Store) -> None:
    _with_canary(store)
    store.engine.dispose()
    with pytest.raises(VaultError) as refusal:
        open_database(store.folder, DatabaseKey(random.Random(9).randbytes(32)))
    assert "vault.json" in refusal.value.fr
    assert "backup" in refusal.value.en


def test_refusing_another_key_leaves_standard_error_to_the_sentence(
    store: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    _with_canary(store)
    store.engine.dispose()
    with pytest.raises(VaultError):
        open_database(store.folder, DatabaseKey(random.Random(9).randbytes(32)))
    assert capfd.readouterr().err == ""


def test_refusing_another_key_changes_no_file(store: Store) -> None:
    _with_canary(store)
    store.engine.dispose()
    before = _files(store.folder)
    with pytest.raises(VaultError):
        open_database(store.folder, DatabaseKey(random.Random(9).randbytes(32)))
    assert _files(store.folder) == before


def test_a_file_that_is_no_database_is_refused(tmp_path: Path, key: DatabaseKey) -> None:
    (tmp_path / DATABASE_FILE).write_bytes(b"not a database, but as long as its first page" * 100)
    with pytest.raises(VaultError):
        open_database(tmp_path, key)


def test_every_file_of_the_database_is_closed_to_others(store: Store) -> None:
    _with_canary(store)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in store.folder.iterdir()}
    assert set(modes) == {DATABASE_FILE, f"{DATABASE_FILE}-wal", f"{DATABASE_FILE}-shm"}
    assert set(modes.values()) == {0o600}


def test_a_failed_writing_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with writing(store.engine) as connection:
            add_fixes(connection, [_fix()], received_at=AT)
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        fail()
    with reading(store.engine) as connection:
        assert positionfixes.count(connection) == 0


def test_a_refusal_of_the_database_never_repeats_the_row(store: Store) -> None:
    row = {"device": CANARY, "token_sha256": "canary-digest", "created_at_ms": 1}
    with pytest.raises(DatabaseError) as refusal, writing(store.engine) as connection:
        connection.execute(insert(device_table), [row, row])
    assert "canary" not in str(refusal.value)


def test_a_reader_sees_one_state_while_another_thread_writes(store: Store) -> None:
    with reading(store.engine) as connection, ThreadPoolExecutor(1) as pool:
        assert positionfixes.count(connection) == 0
        pool.submit(_with_canary, store).result()
        assert positionfixes.count(connection) == 0
    with reading(store.engine) as connection:
        assert positionfixes.count(connection) == 1


def test_a_dozen_threads_read_at_once(store: Store) -> None:
    _with_canary(store)
    together = threading.Barrier(12)

    def read() -> int:
        with reading(store.engine) as connection:
            together.wait(timeout=600)
            first = positionfixes.count(connection)
            together.wait(timeout=600)
            return first + positionfixes.count(connection)

    with ThreadPoolExecutor(12) as pool:
        counts = [each.result() for each in [pool.submit(read) for _ in range(12)]]
    assert counts == [2] * 12


def test_threads_that_write_at_once_queue_up_and_lose_nothing(store: Store) -> None:
    def write(index: int) -> int:
        fixes = [_fix(1000 * (10 * index + each)) for each in range(10)]
        with writing(store.engine) as connection:
            return add_fixes(connection, fixes, received_at=AT)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(write, range(8))) == 80
    with reading(store.engine) as connection:
        assert positionfixes.count(connection) == 80


class RefusesOnce:
    """A connection whose switch SQLite refuses without waiting, as two programs at once see it."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        self.asked: list[str] = []

    def execute(self, statement: str) -> None:
        self.asked.append(statement)
        if len(self.asked) == 1:
            raise sqlcipher.OperationalError(self.sentence)


def test_a_switch_refused_for_another_program_s_lock_is_tried_again() -> None:
    raw = RefusesOnce("database is locked")
    connection._use_write_ahead_log(raw)
    assert raw.asked == ["PRAGMA journal_mode = WAL"] * 2


def test_a_switch_refused_for_another_reason_is_not_tried_again() -> None:
    raw = RefusesOnce("disk I/O error")
    with pytest.raises(sqlcipher.OperationalError, match="I/O"):
        connection._use_write_ahead_log(raw)
    assert len(raw.asked) == 1
