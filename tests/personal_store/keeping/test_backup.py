"""A backup holds everything, opens with the passphrase alone, and says when it is damaged."""

import json
import os
import threading
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from personal_store.db import positionfixes
from personal_store.db.connection import reading
from personal_store.doors.inbox import Inbox
from personal_store.errors import BackupDamaged, BackupRefused, WrongPassphrase
from personal_store.jobs import importing
from personal_store.keeping.backup import MANIFEST_FILE, back_up, verify


@pytest.fixture
def backup(travelled, key, tmp_path):
    with closing(Inbox(travelled.folder, os.urandom)) as inbox:
        inbox.append([b"a letter"], public_key=b"\x09" + bytes(31))
    back_up(travelled, key, tmp_path / "backup")
    return tmp_path / "backup"


def _count(store):
    with reading(store.engine) as connection:
        return positionfixes.count(connection)


def test_it_counts_what_the_store_holds(backup, passphrase, travelled, clock):
    report = verify(backup, passphrase)
    assert report.positionfixes == _count(travelled) > 0
    assert (report.trips, report.consents, report.contributions) == (1, 0, 0)
    assert report.made_at == clock.now()
    assert report.size_bytes == sum(
        path.stat().st_size for path in backup.iterdir() if path.name != MANIFEST_FILE
    )


def test_it_is_private_and_encrypted(backup):
    assert {path.stat().st_mode & 0o777 for path in backup.iterdir()} == {0o600}
    assert backup.stat().st_mode & 0o777 == 0o700
    content = (backup / "store.db").read_bytes()
    assert b"positionfix" not in content
    assert not content.startswith(b"SQLite")


def test_it_verifies_without_leaving_a_file(backup, passphrase):
    before = sorted(path.name for path in backup.iterdir())
    verify(backup, passphrase)
    assert sorted(path.name for path in backup.iterdir()) == before
    assert before == ["backup.json", "inbox.sealed", "store.db", "vault.json"]


def test_another_passphrase_does_not_open_it(backup):
    with pytest.raises(WrongPassphrase):
        verify(backup, "quatre mots au hasard")


def test_nothing_is_written_over(travelled, key, tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(BackupRefused):
        back_up(travelled, key, tmp_path / "there")
    assert list((tmp_path / "there").iterdir()) == []


def test_a_folder_beside_is_not_removed(travelled, key, tmp_path):
    (tmp_path / "backup.part").mkdir()
    (tmp_path / "backup.part" / "mine").touch()
    with pytest.raises(BackupRefused):
        back_up(travelled, key, tmp_path / "backup")
    assert (tmp_path / "backup.part" / "mine").exists()


def test_a_backup_that_fails_leaves_nothing(travelled, key, tmp_path):
    def stop(_share):
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        back_up(travelled, key, tmp_path / "backup", on_progress=stop)
    assert not list(tmp_path.glob("backup*"))


def test_writers_go_on_and_the_copy_is_of_one_moment(travelled, key, tmp_path, outing, clock):
    before = _count(travelled)
    other = tmp_path / "other.gpx"
    other.write_text(outing().gpx(device="montre"))
    imported = threading.Event()

    def write_meanwhile(_share):
        if not imported.is_set():
            imported.set()
            importing.run_once(travelled.engine, other, clock=clock)

    report = back_up(travelled, key, tmp_path / "backup", on_progress=write_meanwhile)
    assert report.positionfixes == before < _count(travelled)


@pytest.mark.parametrize("name", ["vault.json", "store.db", "inbox.sealed"])
@pytest.mark.parametrize("damage", ["missing", "cut", "flipped", "linked"])
def test_damage_is_found(backup, passphrase, tmp_path, name, damage):
    path = backup / name
    content = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(content[:-1])
    elif damage == "flipped":
        path.write_bytes(content[:40] + bytes([content[40] ^ 1]) + content[41:])
    elif damage == "linked":
        (tmp_path / "elsewhere").write_bytes(content)
        path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BackupDamaged):
        verify(backup, passphrase)


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff", b"[]", b"{}", b"[" * 100_000])
def test_a_manifest_that_is_lost_is_said(backup, passphrase, content):
    (backup / MANIFEST_FILE).unlink()
    if content is not None:
        (backup / MANIFEST_FILE).write_bytes(content)
    with pytest.raises(BackupDamaged):
        verify(backup, passphrase)


def test_a_page_changed_with_its_digest_is_found(backup, passphrase):
    path = backup / "store.db"
    content = bytearray(path.read_bytes())
    content[3 * 4096 + 100] ^= 1
    path.write_bytes(content)
    _put_digest_right(backup, "store.db")
    with pytest.raises(BackupDamaged):
        verify(backup, passphrase)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"made_at": "2026-11-18T09:00:00"},
        {"made_at": 3},
        {"files": {}},
        {"files": ["store.db"]},
    ],
)
def test_a_manifest_that_is_none_is_refused(backup, passphrase, change):
    document = json.loads((backup / MANIFEST_FILE).read_text())
    (backup / MANIFEST_FILE).write_text(json.dumps(document | change))
    with pytest.raises(BackupDamaged):
        verify(backup, passphrase)


@pytest.mark.parametrize("name", ["../outside", "..", "", "/etc/passwd", "a/b"])
def test_a_name_that_leads_outside_is_refused(backup, passphrase, name):
    document = json.loads((backup / MANIFEST_FILE).read_text())
    document["files"][name] = {"bytes": 0, "sha256": ""}
    (backup / MANIFEST_FILE).write_text(json.dumps(document))
    with pytest.raises(BackupDamaged):
        verify(backup, passphrase)


def _put_digest_right(backup: Path, name: str) -> None:
    document = json.loads((backup / MANIFEST_FILE).read_text())
    document["files"][name]["sha256"] = sha256((backup / name).read_bytes()).hexdigest()
    (backup / MANIFEST_FILE).write_text(json.dumps(document))
