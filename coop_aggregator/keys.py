"""An installation's own keys: Ed25519 and X25519, one file each, readable by the owner alone.

Not the residents' keys, which never reach this machine. Files are PEM (PKCS #8, unencrypted: mode
0600 and the machine's disk encryption protect them), so that `openssl pkey` reads them.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from coop_aggregator.errors import NotInitialised

LOG_KEY = "log.pem"
TASK_KEY = "task.pem"
WITNESS_KEY = "witness.pem"
KEEPER_KEY = "keeper.pem"
HPKE_KEY = "hpke.pem"
STEWARD_TOKEN = "steward-token"  # noqa: S105 - the name of a file


@dataclass(frozen=True, slots=True, kw_only=True)
class KeeperKeys:
    """What a keeper signs with, and what opens the shares that are sealed for it."""

    sign: Ed25519PrivateKey
    hpke: X25519PrivateKey

    def __repr__(self) -> str:
        """Redact."""
        return "KeeperKeys(…)"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderKeys:
    """What the leader signs with, and the token that lets stewards read log entries.

    The task key is also what the leader signs with as a keeper. `log` is the key of the first
    consent log; those of later years lie beside it in `folder`.
    """

    log: Ed25519PrivateKey
    task: Ed25519PrivateKey
    hpke: X25519PrivateKey
    steward_token: str
    folder: Path

    def __repr__(self) -> str:
        """Redact."""
        return "LeaderKeys(…)"

    def of_log(self, number: int) -> Ed25519PrivateKey:
        """Return the key of the log of this number; raise NotInitialised without its file."""
        return self.log if number == 0 else _load_key(self.folder / _log_key(number))

    def make_log_key(self, number: int) -> Ed25519PrivateKey:
        """Return the key of the next log, making it unless an earlier attempt did."""
        path = self.folder / _log_key(number)
        if not path.exists():
            # Whole or not at all: a log that is open must never be without its key.
            draft = path.with_suffix(".draft")
            draft.unlink(missing_ok=True)
            _make_key(draft)
            draft.rename(path)
        return _load_key(path)


def make_leader_keys(folder: Path) -> LeaderKeys:
    """Create the leader's keys in `folder`; refuse to overwrite one (FileExistsError)."""
    return LeaderKeys(
        log=_make_key(folder / LOG_KEY),
        task=_make_key(folder / TASK_KEY),
        hpke=_make_hpke_key(folder / HPKE_KEY),
        steward_token=_make_token(folder / STEWARD_TOKEN),
        folder=folder,
    )


def load_leader_keys(folder: Path) -> LeaderKeys:
    """Read the leader's keys. Raises NotInitialised when one is missing or unreadable."""
    return LeaderKeys(
        log=_load_key(folder / LOG_KEY),
        task=_load_key(folder / TASK_KEY),
        hpke=_load_hpke_key(folder / HPKE_KEY),
        steward_token=_read(folder / STEWARD_TOKEN).decode("ascii", "replace").strip(),
        folder=folder,
    )


def make_witness_key(folder: Path) -> Ed25519PrivateKey:
    """Create the stewards' cosigning key in `folder`; refuse to overwrite one."""
    return _make_key(folder / WITNESS_KEY)


def load_witness_key(folder: Path) -> Ed25519PrivateKey:
    """Read the stewards' cosigning key. Raises NotInitialised when missing or unreadable."""
    return _load_key(folder / WITNESS_KEY)


def make_helper_keys(folder: Path) -> KeeperKeys:
    """Create the stewards' keys as a keeper, and the token of their pages; overwrite none."""
    _make_token(folder / STEWARD_TOKEN)
    return KeeperKeys(sign=_make_key(folder / KEEPER_KEY), hpke=_make_hpke_key(folder / HPKE_KEY))


def load_steward_token(folder: Path) -> str | None:
    """Return what opens the stewards' pages, None without one: an empty file opens nothing."""
    path = folder / STEWARD_TOKEN
    return (path.read_text("ascii").strip() or None) if path.exists() else None


def load_helper_keys(folder: Path) -> KeeperKeys:
    """Read the stewards' keys as a keeper. Raises NotInitialised when one is missing."""
    return KeeperKeys(sign=_load_key(folder / KEEPER_KEY), hpke=_load_hpke_key(folder / HPKE_KEY))


def add_missing_keeper_keys(folder: Path) -> None:
    """Give an installation that an older version made the keys and the token that it lacks."""
    if not (folder / HPKE_KEY).exists():
        _make_hpke_key(folder / HPKE_KEY)
    if (folder / WITNESS_KEY).exists() and not (folder / KEEPER_KEY).exists():
        _make_key(folder / KEEPER_KEY)
    if (folder / WITNESS_KEY).exists() and not (folder / STEWARD_TOKEN).exists():
        _make_token(folder / STEWARD_TOKEN)


def _log_key(number: int) -> str:
    return f"log-{number}.pem"


def _make_key(path: Path) -> Ed25519PrivateKey:
    key = Ed25519PrivateKey.generate()
    _write(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def _make_hpke_key(path: Path) -> X25519PrivateKey:
    key = X25519PrivateKey.generate()
    _write(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def _make_token(path: Path) -> str:
    token = secrets.token_urlsafe(32)
    _write(path, token.encode() + b"\n")
    return token


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # O_EXCL and the mode in one call: no moment when the file is readable by others or replaced.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _missing(path.name) from error


def _load_key(path: Path) -> Ed25519PrivateKey:
    key = _load_pem(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise _missing(path.name)
    return key


def _load_hpke_key(path: Path) -> X25519PrivateKey:
    key = _load_pem(path)
    if not isinstance(key, X25519PrivateKey):
        raise _missing(path.name)
    return key


def _load_pem(path: Path) -> object:
    try:
        return load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError) as error:
        raise _missing(path.name) from error


def _missing(name: str) -> NotInitialised:
    return NotInitialised(
        fr=f"La clé « {name} » manque ou n'est pas la clé attendue, en PEM. "
        "Lancez « coop-aggregator init » (« migrate » après une mise à jour), ou restaurez le "
        "dossier des clés.",
        en=f"Key '{name}' is missing or is not the expected PEM key. "
        "Run 'coop-aggregator init' ('migrate' after an upgrade), or restore the folder of keys.",
    )
