"""The key with which a parent or a delegate signs: a file of their own, never in the store.

PKCS 8 in PEM, as other tools read it. Whoever holds the file can sign for the parent: it belongs on
a stick, not beside the store.
"""

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from personal_store.errors import StoreError

MAX_KEY_FILE_BYTES = 4096
"""Longest key file read."""


def read_parent_key(path: Path) -> Ed25519PrivateKey:
    """Return the key in a parent's file; raise StoreError where there is none."""
    try:
        with path.open("rb") as file:
            return parse_parent_key(file.read(MAX_KEY_FILE_BYTES))
    except OSError as error:
        raise _no_key() from error


def parse_parent_key(content: bytes) -> Ed25519PrivateKey:
    """Return the key that a file's content is; raise StoreError where it is none."""
    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _no_key() from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _no_key()
    return key


def write_parent_key(path: Path) -> Ed25519PrivateKey:
    """Make a parent's key and write it, on disk before this returns; raise StoreError.

    An existing file is never overwritten.
    """
    pem = new_parent_key()
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(
            fr="Cette clé ne peut pas être écrite. Vérifiez le chemin et les droits.",
            en="This key cannot be written. Check the path and its permissions.",
        ) from error
    return parse_parent_key(pem)


def new_parent_key() -> bytes:
    """Make a key and return what its file holds; it is kept nowhere else."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _no_key() -> StoreError:
    return StoreError(
        fr="Ce fichier n'est pas la clé d'un parent ou d'un mandataire. Attendu : le fichier qui a "
        "été fait pour cela (PEM, Ed25519).",
        en="This file is not the key of a parent or a delegate. Expected: the file that was made "
        "for it (PEM, Ed25519).",
    )
