"""A backup: one folder, encrypted as the store is, that a restore has verified before it trusts it.

It holds the vault, one consistent state of the database, and the sealed inbox; `backup.json` names
each file with its size and SHA-256. The store may be in use meanwhile. It opens with the passphrase
of the day it was made, or with the recovery code; it is not an export, nothing else reads it.

The manifest finds rot, not malice: against malice SQLCipher authenticates every page.
Source: SQLite, "Online Backup API"; SQLCipher, `cipher_integrity_check`.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlcipher3.dbapi2 as sqlcipher

from personal_store.db.connection import open_read_only, snapshot
from personal_store.doors import inbox
from personal_store.errors import BackupDamaged
from personal_store.keeping.drafts import draft_of
from personal_store.store import Store
from personal_store.vault import DATABASE_FILE, VAULT_FILE, DatabaseKey, unlock

MANIFEST_FILE: Final = "backup.json"
MAX_MANIFEST_BYTES: Final = 1_000_000
_VERSION: Final = 1
_COUNTED: Final = ("positionfix", "trip", "consent", "contribution")

OnProgress = Callable[[float], None]
"""Told the share of the database that is copied, from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupReport:
    """What a verified backup holds: when it was made, its size, and rows of the main tables."""

    made_at: datetime
    size_bytes: int
    positionfixes: int
    trips: int
    consents: int
    contributions: int


def back_up(
    store: Store, key: DatabaseKey, target: Path, *, on_progress: OnProgress = lambda _share: None
) -> BackupReport:
    """Write a backup to `target`, a folder that is not there yet, and verify it.

    `key` is that of the store. Raises BackupRefused where something is at `target`, or at its
    draft, already; whatever goes wrong leaves nothing there.
    """
    draft = draft_of(target)
    draft.mkdir(parents=True, mode=0o700)
    try:
        shutil.copyfile(store.folder / VAULT_FILE, draft / VAULT_FILE)
        # Before the database: a letter that is drained in between is in both, and read once.
        inbox.copy_waiting(store.folder, draft)
        snapshot(store.engine, draft / DATABASE_FILE, key, on_progress=on_progress)
        _write_manifest(draft, made_at=store.clock.now())
        report = _report(draft, _whole(draft), key)
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return report


def verify(backup: Path, passphrase: str) -> BackupReport:
    """Open a backup, read all of it and say what it holds; change nothing anywhere.

    Raises BackupDamaged where a file is missing or is not what was written, WrongPassphrase.
    """
    manifest = _whole(backup)
    return _report(backup, manifest, unlock(backup, passphrase))


def files_of(backup: Path) -> tuple[str, ...]:
    """Return the names of the files that a backup lists. Raises BackupDamaged."""
    return tuple(_read_manifest(backup).digests)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manifest:
    made_at: datetime
    digests: dict[str, tuple[int, str]]


def _whole(backup: Path) -> _Manifest:
    """Return the manifest of a backup whose files are all what it says."""
    manifest = _read_manifest(backup)
    for name, (size_bytes, digest) in manifest.digests.items():
        path = backup / name
        if path.is_symlink() or not path.is_file() or path.stat().st_size != size_bytes:
            raise _damaged(name)
        if _digest(path) != digest:
            raise _damaged(name)
    return manifest


def _report(backup: Path, manifest: _Manifest, key: DatabaseKey) -> BackupReport:
    with closing(open_read_only(backup / DATABASE_FILE, key)) as database:
        counts = _counted(database)
    return BackupReport(
        made_at=manifest.made_at,
        size_bytes=sum(size_bytes for size_bytes, _ in manifest.digests.values()),
        positionfixes=counts["positionfix"],
        trips=counts["trip"],
        consents=counts["consent"],
        contributions=counts["contribution"],
    )


def _counted(database: Any) -> dict[str, int]:
    try:
        damage = database.execute("PRAGMA cipher_integrity_check").fetchall()
        (sound,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if damage or sound != "ok":
            raise _damaged(DATABASE_FILE)
        return {
            table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in _COUNTED
        }
    except sqlcipher.DatabaseError as error:
        raise _damaged(DATABASE_FILE) from error


def _write_manifest(folder: Path, *, made_at: datetime) -> None:
    files = {
        path.name: {"bytes": path.stat().st_size, "sha256": _digest(path)}
        for path in sorted(folder.iterdir())
    }
    document = {"version": _VERSION, "made_at": made_at.isoformat(), "files": files}
    with (folder / MANIFEST_FILE).open("w") as file:
        json.dump(document, file, indent=1)
    for path in folder.iterdir():
        path.chmod(0o600)
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _read_manifest(backup: Path) -> _Manifest:
    try:
        with (backup / MANIFEST_FILE).open("rb") as file:
            return _parse(json.loads(file.read(MAX_MANIFEST_BYTES)))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise BackupDamaged(
            fr=f"Ce dossier n'est pas une sauvegarde entière : {MANIFEST_FILE} manque ou est "
            "illisible. Donnez le dossier que « personal-store backup » a fait.",
            en=f"This folder is no whole backup: {MANIFEST_FILE} is missing or unreadable. Give "
            "the folder that “personal-store backup” made.",
        ) from None


def _parse(document: Any) -> _Manifest:
    """Return a manifest of its JSON; ValueError, TypeError or KeyError where it is none."""
    made_at = datetime.fromisoformat(document["made_at"])
    digests = {
        name: (int(each["bytes"]), str(each["sha256"])) for name, each in document["files"].items()
    }
    if document["version"] != _VERSION or made_at.tzinfo is None:
        raise ValueError("expected the version of this program and an aware time")
    if not {VAULT_FILE, DATABASE_FILE} <= set(digests):
        raise ValueError("expected a vault and a database")
    if any(Path(name).name != name or name in ("", ".", "..") for name in digests):
        raise ValueError("expected names of files, without folders")
    return _Manifest(made_at=made_at, digests=digests)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _damaged(name: str) -> BackupDamaged:
    return BackupDamaged(
        fr=f"La sauvegarde est abîmée : {name} manque ou a changé depuis qu'elle a été faite. "
        "Prenez-en une autre.",
        en=f"The backup is damaged: {name} is missing or has changed since it was made. Take "
        "another one.",
    )
