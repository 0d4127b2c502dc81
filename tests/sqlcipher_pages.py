"""Decrypt every page of a SQLCipher 4 database and of its journal, without SQLCipher.

An oracle for erasure: what SQL no longer shows may still lie in free pages or in the write-ahead
log. Source: SQLCipher's design document: AES-256-CBC a page, 16 bytes of IV and 64 of HMAC at the
end of each, 16 bytes of salt in place of the first page's header; a raw key is used as it is.
"""

from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PAGE_BYTES = 4096
RESERVED_BYTES = 80
SALT_BYTES = 16
WAL_HEADER_BYTES = 32
FRAME_HEADER_BYTES = 24


def clear_bytes(file: Path, key: bytes) -> bytes:
    """Return all that a database file and its journal hold, decrypted, live or free."""
    content = file.read_bytes()
    pages = [
        _page(content[at : at + PAGE_BYTES], key, SALT_BYTES if at == 0 else 0)
        for at in range(0, len(content), PAGE_BYTES)
    ]
    journal = Path(f"{file}-wal")
    frames = journal.read_bytes()[WAL_HEADER_BYTES:] if journal.exists() else b""
    step = FRAME_HEADER_BYTES + PAGE_BYTES
    for at in range(0, len(frames) - step + 1, step):
        number = int.from_bytes(frames[at : at + 4], "big")
        page = frames[at + FRAME_HEADER_BYTES : at + step]
        pages.append(_page(page, key, SALT_BYTES if number == 1 else 0))
    return b"".join(pages)


def _page(page: bytes, key: bytes, skipped: int) -> bytes:
    end = PAGE_BYTES - RESERVED_BYTES
    decryptor = Cipher(algorithms.AES(key), modes.CBC(page[end : end + 16])).decryptor()
    return decryptor.update(page[skipped:end]) + decryptor.finalize()
