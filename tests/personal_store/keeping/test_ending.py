"""A store that is erased is gone, keys first; a consent in force and an open store stop it."""

import pytest

from personal_store.db.connection import open_database, reading
from personal_store.db.positionfixes import count
from personal_store.errors import NotInitialised, StoreError
from personal_store.keeping import ending
from personal_store.keeping.ending import erase_store
from personal_store.serving import announced
from personal_store.vault import unlock


def test_nothing_is_left(travelled, key, passphrase):
    (travelled.folder / "register.json").write_text("{}")
    (travelled.folder / "uploads").mkdir()
    (travelled.folder / "uploads" / "left-by-a-crash").write_text("positions")
    (travelled.folder / "restoring").mkdir()
    (travelled.folder / "restoring" / "vault.json").write_text("of a restore that was killed")
    erase_store(travelled, key, leave_consents=False)
    assert not travelled.folder.exists()
    with pytest.raises(NotInitialised):
        unlock(travelled.folder, passphrase)


def test_files_of_others_stay(travelled, key):
    (travelled.folder / "notes.txt").write_text("mine")
    erase_store(travelled, key, leave_consents=False)
    assert [path.name for path in travelled.folder.iterdir()] == ["notes.txt"]


def test_the_vault_is_overwritten_before_it_is_unlinked(travelled, key, monkeypatch):
    vault = travelled.folder / "vault.json"
    before, seen = vault.read_bytes(), []
    unlink = ending.Path.unlink

    def look(path, **options):
        if path == vault:
            seen.append(path.read_bytes())
        unlink(path, **options)

    monkeypatch.setattr(ending.Path, "unlink", look)
    erase_store(travelled, key, leave_consents=False)
    assert len(seen) == 1
    assert len(seen[0]) == len(before)
    assert seen[0] != before


def test_a_store_that_another_program_has_open_is_left_whole(travelled, key):
    other = open_database(travelled.folder, key)
    with reading(other) as connection:
        held = count(connection)  # its connection stays open in the pool
    with pytest.raises(StoreError):
        erase_store(travelled, key, leave_consents=False)
    with reading(travelled.engine) as connection:
        assert count(connection) == held
    other.dispose()
    erase_store(travelled, key, leave_consents=False)
    assert not travelled.folder.exists()


def test_a_store_that_a_locked_server_keeps_is_left_whole(travelled, key):
    """It has no database open, and would go on sealing letters for a key that is gone."""
    with announced(travelled.folder, "http://127.0.0.1:8640/"), pytest.raises(StoreError):
        erase_store(travelled, key, leave_consents=False)
    assert (travelled.folder / "vault.json").exists()
