"""The vault: a passphrase, or the recovery code, gives the key of the encrypted database.

Passphrase -> Argon2id -> key-encryption key -> unwraps the random 32-byte database key, which
SQLCipher takes raw. The recovery code wraps the same key a second time, so a forgotten passphrase
is not lost data; it is shown once and stored nowhere. Changing the passphrase rewraps 32 bytes and
leaves the database alone.

It is not a password manager and keeps no key in memory: callers hold the `DatabaseKey`.
Sources: RFC 9106 (Argon2id, second recommended option for constrained memory), RFC 5869 (HKDF),
NIST SP 800-38D (AES-GCM).
"""

import base64
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from personal_store.errors import NotInitialised, VaultError, WrongPassphrase

VAULT_VERSION = 1
VAULT_FILE = "vault.json"
DATABASE_FILE = "store.db"
KEY_LENGTH_BYTES = 32
SALT_LENGTH_BYTES = 16
NONCE_LENGTH_BYTES = 12  # AES-GCM, SP 800-38D section 8.2
RECOVERY_LENGTH_BYTES = 20  # 160 bits, 32 characters of base32: not to be guessed
# RFC 9106 section 4, second option: t=3, p=4, m=64 MiB; about half a second on a Raspberry Pi 4.
ARGON2_ITERATIONS = 3
ARGON2_LANES = 4
ARGON2_MEMORY_KIB = 64 * 1024
MINIMUM_PASSPHRASE_LENGTH = 8

Randomness = Callable[[int], bytes]


class DatabaseKey(bytes):
    """The 32-byte key of the database, which never shows itself."""

    def __repr__(self) -> str:
        """Redact."""
        return "<DatabaseKey>"

    __str__ = __repr__


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVault:
    """A vault just made: its database key, and the recovery code to show once."""

    key: DatabaseKey
    recovery_code: str


def create_vault(folder: Path, passphrase: str, *, randomness: Randomness) -> NewVault:
    """Make the data folder and its vault; refuse to touch an existing one.

    Raises VaultError when a vault is there already or the passphrase is too short.
    """
    if (folder / VAULT_FILE).exists():
        raise VaultError(
            fr="Un espace personnel existe déjà dans ce dossier : rien n'a été changé. "
            "Choisissez un autre dossier avec --data.",
            en="There is already a store in this folder: nothing was changed. "
            "Choose another folder with --data.",
        )
    _check_passphrase(passphrase)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = DatabaseKey(randomness(KEY_LENGTH_BYTES))
    recovery = randomness(RECOVERY_LENGTH_BYTES)
    salt = randomness(SALT_LENGTH_BYTES)
    _write(
        folder,
        {
            "version": VAULT_VERSION,
            "argon2id": {
                "salt": _text(salt),
                "iterations": ARGON2_ITERATIONS,
                "lanes": ARGON2_LANES,
                "memory_kib": ARGON2_MEMORY_KIB,
            },
            "by_passphrase": _wrap(key, _stretch(passphrase, salt), randomness),
            "by_recovery_code": _wrap(key, _expand(recovery), randomness),
        },
    )
    return NewVault(key=key, recovery_code=_group(recovery))


def unlock(folder: Path, passphrase: str) -> DatabaseKey:
    """Return the database key.

    Raises NotInitialised without a vault, WrongPassphrase when the passphrase does not open it.
    """
    vault = _read(folder)
    parameters = vault["argon2id"]
    kek = _stretch(
        passphrase,
        _bytes(parameters["salt"]),
        iterations=parameters["iterations"],
        lanes=parameters["lanes"],
        memory_kib=parameters["memory_kib"],
    )
    try:
        return _unwrap(vault["by_passphrase"], kek)
    except InvalidTag:
        raise WrongPassphrase(
            fr="La phrase de passe n'est pas la bonne.", en="The passphrase is wrong."
        ) from None


def recover(
    folder: Path, recovery_code: str, new_passphrase: str, *, randomness: Randomness
) -> None:
    """Replace a forgotten passphrase, given the recovery code.

    Raises WrongPassphrase when the code does not open the vault.
    """
    vault = _read(folder)
    _check_passphrase(new_passphrase)
    wrong = WrongPassphrase(
        fr="Le code de secours n'est pas le bon.", en="The recovery code is wrong."
    )
    try:
        secret = base64.b32decode(recovery_code.replace("-", "").replace(" ", "").upper())
        key = _unwrap(vault["by_recovery_code"], _expand(secret))
    except (ValueError, InvalidTag):
        raise wrong from None
    salt = randomness(SALT_LENGTH_BYTES)
    vault["argon2id"] |= {"salt": _text(salt)}
    vault["by_passphrase"] = _wrap(
        key,
        _stretch(
            new_passphrase,
            salt,
            iterations=vault["argon2id"]["iterations"],
            lanes=vault["argon2id"]["lanes"],
            memory_kib=vault["argon2id"]["memory_kib"],
        ),
        randomness,
    )
    _write(folder, vault)


def _check_passphrase(passphrase: str) -> None:
    if len(passphrase) < MINIMUM_PASSPHRASE_LENGTH:
        raise VaultError(
            fr=f"La phrase de passe doit avoir au moins {MINIMUM_PASSPHRASE_LENGTH} caractères ; "
            "quelques mots sans lien font une bonne phrase.",
            en=f"The passphrase needs at least {MINIMUM_PASSPHRASE_LENGTH} characters; "
            "a few unrelated words make a good one.",
        )


def _stretch(
    passphrase: str,
    salt: bytes,
    *,
    iterations: int = ARGON2_ITERATIONS,
    lanes: int = ARGON2_LANES,
    memory_kib: int = ARGON2_MEMORY_KIB,
) -> bytes:
    kdf = Argon2id(
        salt=salt,
        length=KEY_LENGTH_BYTES,
        iterations=iterations,
        lanes=lanes,
        memory_cost=memory_kib,
    )
    return kdf.derive(passphrase.encode())


def _expand(recovery: bytes) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=KEY_LENGTH_BYTES, salt=None, info=b"recovery code v1")
    return kdf.derive(recovery)


def _wrap(key: bytes, kek: bytes, randomness: Randomness) -> dict[str, str]:
    nonce = randomness(NONCE_LENGTH_BYTES)
    return {"nonce": _text(nonce), "key": _text(AESGCM(kek).encrypt(nonce, key, b"vault v1"))}


def _unwrap(wrapped: dict[str, str], kek: bytes) -> DatabaseKey:
    clear = AESGCM(kek).decrypt(_bytes(wrapped["nonce"]), _bytes(wrapped["key"]), b"vault v1")
    return DatabaseKey(clear)


def _read(folder: Path) -> dict[str, Any]:
    try:
        vault = json.loads((folder / VAULT_FILE).read_text())
    except FileNotFoundError:
        raise NotInitialised(
            fr="Aucun espace personnel dans ce dossier : lancez d'abord « personal-store init ».",
            en="No store in this folder: run “personal-store init” first.",
        ) from None
    except ValueError:
        vault = None
    if not isinstance(vault, dict) or vault.get("version") != VAULT_VERSION:
        raise VaultError(
            fr=f"Le fichier {VAULT_FILE} est abîmé ou vient d'une autre version : "
            "rétablissez-le depuis une sauvegarde.",
            en=f"The file {VAULT_FILE} is damaged or from another version: "
            "restore it from a backup.",
        )
    return vault


def _write(folder: Path, vault: dict[str, object]) -> None:
    # Replace in one step: a crash must leave the old vault or the new one, never half a key.
    draft = folder / (VAULT_FILE + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(vault, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / VAULT_FILE)


def _group(recovery: bytes) -> str:
    letters = base64.b32encode(recovery).decode()
    return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)
