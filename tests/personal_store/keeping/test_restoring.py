"""A restored store holds what the backup held, and presumes what it cannot know."""

import json
import shutil
from datetime import timedelta

import pytest

from personal_store.db import positionfixes, presumptions
from personal_store.db import trips as stored_trips
from personal_store.db.connection import reading, writing
from personal_store.errors import BackupDamaged, BackupRefused, WrongPassphrase
from personal_store.keeping import restoring
from personal_store.keeping.backup import MANIFEST_FILE, back_up
from personal_store.keeping.restoring import restore, unaccounted


@pytest.fixture
def backup(travelled, key, tmp_path):
    back_up(travelled, key, tmp_path / "backup")
    return tmp_path / "backup"


@pytest.fixture
def elsewhere(tmp_path):
    return tmp_path / "elsewhere"


@pytest.fixture
def restored(backup, elsewhere, passphrase, clock):
    """Return a function that restores the backup elsewhere."""
    return lambda: restore(backup, elsewhere, passphrase, clock=clock)


def test_everything_comes_back(travelled, elsewhere, restored, reopened):
    restored()
    again = reopened(elsewhere)
    with reading(travelled.engine) as before, reading(again.engine) as after:
        assert positionfixes.count(after) == positionfixes.count(before) > 0
        assert stored_trips.between(after) == stored_trips.between(before) != []
    assert {path.name for path in elsewhere.iterdir() if "store.db" not in path.name} == {
        "vault.json"
    }
    assert elsewhere.stat().st_mode & 0o777 == 0o700


def test_a_store_is_never_written_over(backup, travelled, passphrase, clock):
    before = (travelled.folder / "vault.json").read_bytes()
    with pytest.raises(BackupRefused):
        restore(backup, travelled.folder, passphrase, clock=clock)
    assert (travelled.folder / "vault.json").read_bytes() == before


def test_a_database_whose_vault_is_lost_is_not_written_over(backup, elsewhere, passphrase, clock):
    elsewhere.mkdir()
    (elsewhere / "store.db").write_bytes(b"the only copy")
    with pytest.raises(BackupRefused):
        restore(backup, elsewhere, passphrase, clock=clock)
    assert (elsewhere / "store.db").read_bytes() == b"the only copy"


@pytest.mark.parametrize("name", ["store.db", MANIFEST_FILE])
def test_a_damaged_backup_restores_nothing(backup, elsewhere, passphrase, clock, name):
    (backup / name).write_bytes((backup / name).read_bytes()[:-1])
    with pytest.raises(BackupDamaged):
        restore(backup, elsewhere, passphrase, clock=clock)
    assert not elsewhere.exists()


def test_another_passphrase_restores_nothing(backup, elsewhere, clock):
    with pytest.raises(WrongPassphrase):
        restore(backup, elsewhere, "quatre mots au hasard", clock=clock)
    assert not elsewhere.exists()


@pytest.mark.parametrize("moved", [0, 1])
def test_cut_short_the_same_again_goes_on(elsewhere, restored, monkeypatch, moved, reopened):
    """Stop after so many files were moved in: the vault, the last, is not there yet."""
    left = [moved]
    whole = restoring.Path.replace

    def replace(path, target):
        if path.parent.name == "restoring":
            if left[0] == 0:
                raise OSError("cut short")
            left[0] -= 1
        return whole(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(restoring.Path, "replace", replace)
        with pytest.raises(OSError, match="cut short"):
            restored()
    assert not (elsewhere / "vault.json").exists()
    restored()
    with reading(reopened(elsewhere).engine) as connection:
        assert positionfixes.count(connection) > 0
    assert not (elsewhere / "restoring").exists()


def test_weeks_over_since_are_presumed_spent(elsewhere, restored, clock, reopened):
    clock.advance(timedelta(days=14))  # from Wednesday 2026-W47 to Wednesday 2026-W49
    restored()
    with reading(reopened(elsewhere).engine) as connection:
        presumed = presumptions.every(connection)
    # Four weeks before the backup, because a question may be answered for so long.
    assert [each.week for each in presumed] == [f"2026-W{n}" for n in (43, 44, 45, 46, 47, 48)]
    assert {each.epsilon_micro for each in presumed} == {4_000_000}


def test_a_week_that_is_not_over_may_still_be_answered(clock):
    now = clock.now()
    weeks = unaccounted([], [], full_week_micro=4, backed_up_at=now, restored_at=now)
    assert weeks[-1].week == "2026-W46"


def test_a_copied_backup_restores_as_the_first(backup, elsewhere, passphrase, clock, tmp_path):
    shutil.copytree(backup, tmp_path / "usb")
    document = json.loads((tmp_path / "usb" / MANIFEST_FILE).read_text())
    assert set(document["files"]) == {"store.db", "vault.json"}
    assert restore(tmp_path / "usb", elsewhere, passphrase, clock=clock).trips == 1


def test_the_journal_of_a_store_that_is_gone_is_not_played(
    travelled, restored, elsewhere, reopened
):
    """Leave what a crash leaves beside a database, as who deletes it by its name does."""
    elsewhere.mkdir()
    with writing(travelled.engine) as connection:
        connection.exec_driver_sql("DELETE FROM positionfix")
        connection.exec_driver_sql("CREATE TABLE later (b)")
    shutil.copyfile(travelled.folder / "store.db-wal", elsewhere / "store.db-wal")
    held = restored().positionfixes
    with reading(reopened(elsewhere).engine) as connection:
        assert positionfixes.count(connection) == held > 0


def test_a_clock_behind_the_backup_restores_nothing(backup, elsewhere, passphrase, clock):
    """It would presume no week, and the right time would then let all be sent again."""
    clock.advance(timedelta(minutes=-1))
    with pytest.raises(BackupRefused, match="horloge"):
        restore(backup, elsewhere, passphrase, clock=clock)
    assert not elsewhere.exists()


def test_letters_that_wait_are_not_written_over(travelled, key, elsewhere, passphrase, clock):
    backup = elsewhere.with_name("with-letters")
    (travelled.folder / "inbox.sealed").write_bytes(b"older letters")
    back_up(travelled, key, backup)
    elsewhere.mkdir()
    (elsewhere / "inbox.sealed").write_bytes(b"newer letters")
    with pytest.raises(BackupRefused):
        restore(backup, elsewhere, passphrase, clock=clock)
    assert (elsewhere / "inbox.sealed").read_bytes() == b"newer letters"


@pytest.mark.parametrize("is_there", [True, False])
def test_a_restore_without_room_leaves_nothing(elsewhere, restored, monkeypatch, is_there):
    if is_there:
        elsewhere.mkdir()

    def refuse(_source, _target):
        raise OSError("no room")

    monkeypatch.setattr(restoring.shutil, "copyfile", refuse)
    with pytest.raises(OSError, match="no room"):
        restored()
    assert elsewhere.exists() == is_there
    assert not (elsewhere / "restoring").exists()
