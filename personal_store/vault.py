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
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
ASSOCIATED_DATA = b"vault v1"
KEY_LENGTH_BYTES = 32
SALT_LENGTH_BYTES = 16
NONCE_LENGTH_BYTES = 12  # AES-GCM, SP 800-38D section 8.2
RECOVERY_LENGTH_BYTES = 20  # 160 bits, 32 characters of base32: not to be guessed
# RFC 9106 section 4, second option: t=3, p=4, m=64 MiB; about half a second on a Raspberry Pi 4.
ARGON2_ITERATIONS = 3
ARGON2_LANES = 4
ARGON2_MEMORY_KIB = 64 * 1024
MINIMUM_PASSPHRASE_LENGTH = 8
# A later version may ask for more, within this; beyond it the file is damaged or hostile, and
# opening it would take all memory or for ever.
MAXIMUM_ITERATIONS = 64
MAXIMUM_LANES = 64
MAXIMUM_MEMORY_KIB = 1024 * 1024

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
    recovery_code: str = field(repr=False)


def create_vault(folder: Path, passphrase: str, *, randomness: Randomness) -> NewVault:
    """Make the data folder and its vault; refuse to touch an existing one.

    Raises VaultError when a vault, or a database whose vault is elsewhere, is there already, or
    when the passphrase is too short.
    """
    if (folder / VAULT_FILE).exists() or (folder / DATABASE_FILE).exists():
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
    stretching = _Stretching(salt=randomness(SALT_LENGTH_BYTES))
    made = _Vault(
        argon2id=stretching,
        by_passphrase=_wrap(key, stretching.stretch(passphrase), randomness),
        by_recovery_code=_wrap(key, _expand(recovery), randomness),
    )
    _write(folder, made)
    return NewVault(key=key, recovery_code=write_code(recovery))


def unlock(folder: Path, passphrase: str) -> DatabaseKey:
    """Return the database key.

    Raises NotInitialised without a vault, VaultError for a damaged one, WrongPassphrase when the
    passphrase does not open it.
    """
    vault = _read(folder)
    try:
        return vault.by_passphrase.unwrap(vault.argon2id.stretch(passphrase))
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
    key = _unwrap(vault, read_code(recovery_code))
    # Today's parameters, not the file's: whoever wrote weaker ones there must not gain by it.
    stretching = _Stretching(salt=randomness(SALT_LENGTH_BYTES))
    renewed = _Vault(
        argon2id=stretching,
        by_passphrase=_wrap(key, stretching.stretch(new_passphrase), randomness),
        by_recovery_code=vault.by_recovery_code,
    )
    _write(folder, renewed)


def read_code(letters: str) -> bytes:
    """Return the secret that the letters of a code write out; raise WrongPassphrase for no code."""
    try:
        secret = base64.b32decode(letters.replace("-", "").replace(" ", "").upper())
    except ValueError:
        secret = b""
    if len(secret) != RECOVERY_LENGTH_BYTES:
        raise WrongPassphrase(
            fr="Ce code n'a pas la bonne forme. Attendu : huit groupes de quatre lettres ou "
            "chiffres, de A à Z et de 2 à 7.",
            en="This code is not of the right form. Expected: eight groups of four letters or "
            "digits, A to Z and 2 to 7.",
        )
    return secret


def write_code(secret: bytes) -> str:
    """Return the letters of a code, in groups of four, as `read_code` reads them."""
    letters = base64.b32encode(secret).decode()
    return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))


def _unwrap(vault: "_Vault", secret: bytes) -> DatabaseKey:
    try:
        return vault.by_recovery_code.unwrap(_expand(secret))
    except InvalidTag:
        raise _wrong_code() from None


def _wrong_code() -> WrongPassphrase:
    return WrongPassphrase(
        fr="Le code de secours n'est pas le bon.", en="The recovery code is wrong."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stretching:
    """Argon2id with its parameters: from a passphrase to a key-encryption key."""

    salt: bytes
    iterations: int = ARGON2_ITERATIONS
    lanes: int = ARGON2_LANES
    memory_kib: int = ARGON2_MEMORY_KIB

    def __post_init__(self) -> None:
        """Refuse what Argon2id does not define (RFC 9106), and what no vault of ours asks."""
        if (
            len(self.salt) != SALT_LENGTH_BYTES
            or not 1 <= self.iterations <= MAXIMUM_ITERATIONS
            or not 1 <= self.lanes <= MAXIMUM_LANES
            or not 8 * self.lanes <= self.memory_kib <= MAXIMUM_MEMORY_KIB
        ):
            raise ValueError("expected Argon2id parameters within bounds")

    def stretch(self, passphrase: str) -> bytes:
        """Return the key-encryption key; accents are composed first (RFC 8265 section 4.2)."""
        kdf = Argon2id(
            salt=self.salt,
            length=KEY_LENGTH_BYTES,
            iterations=self.iterations,
            lanes=self.lanes,
            memory_cost=self.memory_kib,
        )
        return kdf.derive(unicodedata.normalize("NFC", passphrase).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class _WrappedKey:
    """The database key under AES-GCM."""

    nonce: bytes
    key: bytes

    def __post_init__(self) -> None:
        """Refuse a nonce of another length than ours."""
        if len(self.nonce) != NONCE_LENGTH_BYTES:
            raise ValueError("expected a nonce of 12 bytes")

    def unwrap(self, kek: bytes) -> DatabaseKey:
        """Return the database key; raise InvalidTag under another key-encryption key."""
        return DatabaseKey(AESGCM(kek).decrypt(self.nonce, self.key, ASSOCIATED_DATA))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Vault:
    """What the vault's file holds."""

    argon2id: _Stretching
    by_passphrase: _WrappedKey
    by_recovery_code: _WrappedKey


def _check_passphrase(passphrase: str) -> None:
    if len(passphrase) < MINIMUM_PASSPHRASE_LENGTH:
        raise VaultError(
            fr=f"La phrase de passe doit avoir au moins {MINIMUM_PASSPHRASE_LENGTH} caractères ; "
            "quelques mots sans lien font une bonne phrase.",
            en=f"The passphrase needs at least {MINIMUM_PASSPHRASE_LENGTH} characters; "
            "a few unrelated words make a good one.",
        )


def _expand(recovery: bytes) -> bytes:
    kdf = HKDF(algorithm=SHA256(), length=KEY_LENGTH_BYTES, salt=None, info=b"recovery code v1")
    return kdf.derive(recovery)


def _wrap(key: bytes, kek: bytes, randomness: Randomness) -> _WrappedKey:
    nonce = randomness(NONCE_LENGTH_BYTES)
    return _WrappedKey(nonce=nonce, key=AESGCM(kek).encrypt(nonce, key, ASSOCIATED_DATA))


def _read(folder: Path) -> _Vault:
    try:
        return _parse(json.loads((folder / VAULT_FILE).read_bytes()))
    except FileNotFoundError:
        raise NotInitialised(
            fr="Aucun espace personnel dans ce dossier : lancez d'abord « personal-store init ».",
            en="No store in this folder: run “personal-store init” first.",
        ) from None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise VaultError(
            fr=f"Le fichier {VAULT_FILE} est abîmé ou vient d'une autre version : "
            "rétablissez-le depuis une sauvegarde.",
            en=f"The file {VAULT_FILE} is damaged or from another version: "
            "restore it from a backup.",
        ) from None


def _parse(document: Any) -> _Vault:
    """Return the vault of a JSON document; ValueError, TypeError or KeyError when it is none."""
    if document["version"] != VAULT_VERSION:
        raise ValueError("expected the version of this program")
    parameters = document["argon2id"]
    return _Vault(
        argon2id=_Stretching(
            salt=_bytes(parameters["salt"]),
            **{name: _integer(parameters[name]) for name in ("iterations", "lanes", "memory_kib")},
        ),
        by_passphrase=_wrapped(document["by_passphrase"]),
        by_recovery_code=_wrapped(document["by_recovery_code"]),
    )


def _wrapped(document: Mapping[str, str]) -> _WrappedKey:
    return _WrappedKey(nonce=_bytes(document["nonce"]), key=_bytes(document["key"]))


def _write(folder: Path, vault: _Vault) -> None:
    document = {
        "version": VAULT_VERSION,
        "argon2id": {
            "salt": _text(vault.argon2id.salt),
            "iterations": vault.argon2id.iterations,
            "lanes": vault.argon2id.lanes,
            "memory_kib": vault.argon2id.memory_kib,
        },
    } | {
        name: {"nonce": _text(wrapped.nonce), "key": _text(wrapped.key)}
        for name, wrapped in (
            ("by_passphrase", vault.by_passphrase),
            ("by_recovery_code", vault.by_recovery_code),
        )
    }
    # Replace in one step: a crash must leave the old vault or the new one, never half a key.
    draft = folder / (VAULT_FILE + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(document, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / VAULT_FILE)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _integer(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("expected an integer")
    return value
