"""The doctor finds what is wrong, one thing at a time, and nothing where all is well."""

import os
import shutil
from contextlib import closing
from datetime import timedelta

import pytest

from personal_store.doors.devices import put_register_right
from personal_store.doors.inbox import Inbox
from personal_store.keeping import doctor


def _failed(store):
    return [finding.check for finding in doctor.examine(store) if not finding.ok]


def test_all_is_well(travelled):
    assert _failed(travelled) == []
    assert [finding.check for finding in doctor.examine(travelled)] == [
        "permissions",
        "room",
        "database",
        "clock",
        "inbox",
        "proofs",
        "log",
        "sheet",
    ]


@pytest.mark.parametrize("name", [".", "vault.json", "store.db"])
def test_a_file_that_others_can_read(travelled, name):
    (travelled.folder / name).chmod(0o755)
    assert _failed(travelled) == ["permissions"]


def test_a_disk_that_is_full(travelled, monkeypatch):
    full = shutil.disk_usage(travelled.folder)._replace(free=0)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _path: full)
    assert _failed(travelled) == ["room"]


def test_a_database_that_is_damaged(travelled):
    with travelled.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    travelled.engine.dispose()
    path = travelled.folder / "store.db"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1  # of the last page, which is a table's
    path.write_bytes(content)
    assert _failed(travelled) == ["database"]


def test_a_clock_that_is_slow(travelled, clock):
    clock.advance(timedelta(days=-400))
    assert _failed(travelled) == ["clock"]


def test_letters_that_wait(travelled):
    put_register_right(travelled)
    with closing(Inbox(travelled.folder, os.urandom)) as inbox:
        inbox.append([b"a letter"], public_key=b"\x09" + bytes(31))
    assert _failed(travelled) == ["inbox"]
