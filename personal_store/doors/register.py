"""What a locked store must know to take in live positions: hashes of tokens, and a public key.

`register.json` lies in clear beside the vault, because it is read when nothing can be decrypted.
It says how many devices may send and when that last changed. It holds no name, no token (192
random bits behind a SHA-256) and nothing that was sent. It is a copy: the encrypted database is
the truth, and every unlocking writes the register again from there.

A server reads it at each message, so that a token revoked by another program opens no more.
"""

import base64
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from personal_store.db.devices import digest

REGISTER_FILE = "register.json"
_VERSION = 1
_KEY_LENGTH_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """The inbox's X25519 public key (raw), and the door of each token by its SHA-256."""

    public_key: bytes
    doors: Mapping[str, str]

    def __post_init__(self) -> None:
        """Refuse a key of another length."""
        if len(self.public_key) != _KEY_LENGTH_BYTES:
            raise ValueError("expected a key of 32 bytes")

    def door_of(self, token: str) -> str | None:
        """Return the door that a token opens, None when it opens none."""
        given, found = digest(token), None
        # Each is compared, whole: how long it takes says nothing.
        for known, door in self.doors.items():
            if hmac.compare_digest(known, given):
                found = door
        return found


def write_register(folder: Path, register: Register) -> None:
    """Replace the register in one step, unless it says the same already."""
    if read_register(folder) == register:
        return
    document = {
        "version": _VERSION,
        "inbox_public_key": base64.b64encode(register.public_key).decode(),
        "doors": dict(register.doors),
    }
    draft = folder / f"{REGISTER_FILE}.new"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(document, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / REGISTER_FILE)


def announce(folder: Path) -> None:
    """Have servers that run look at their devices again, although no token has changed."""
    (folder / REGISTER_FILE).touch()


def read_register(folder: Path) -> Register | None:
    """Return the register; None where there is none, or none that can be read."""
    try:
        return _parse(json.loads((folder / REGISTER_FILE).read_bytes()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        # Nobody is let in, and unlocking writes a good one.
        return None


def _parse(document: Any) -> Register:
    if document["version"] != _VERSION:
        raise ValueError("expected the version of this program")
    doors = {str(token): str(door) for token, door in document["doors"].items()}
    key = base64.b64decode(document["inbox_public_key"], validate=True)
    return Register(public_key=key, doors={t: d for t, d in doors.items() if t.isascii()})


@dataclass(slots=True)
class RegisterReader:
    """The register of a folder, read again whenever another program has replaced it."""

    folder: Path
    _seen: tuple[int, int, int] | None = None
    _register: Register | None = field(default=None, repr=False)

    def current(self) -> Register | None:
        """Return the register as it is on disk now."""
        try:
            stat = (self.folder / REGISTER_FILE).stat()
        except OSError:
            self._seen, self._register = None, None
            return None
        seen = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        if seen != self._seen:
            self._register, self._seen = read_register(self.folder), seen
        return self._register
