"""Say that a server runs in a folder: to another server, and to `unlock` when it is locked.

No other program can hand it the key: what a server takes its passphrase from is its page, and a
second door for secrets would be one more to guard. The server holds a lock on a file for as
long as it runs; the file names its address and nothing else.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SERVING_FILE: Final = "serving.locked"
_LONGEST_ADDRESS_BYTES: Final = 300


@contextmanager
def announced(folder: Path, address: str) -> Iterator[None]:
    """Say that a server at `address` began locked, while the block runs; the last one is heard."""
    path = folder / SERVING_FILE
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        file.truncate(0)
        file.write(address.encode())
        yield


@contextmanager
def first_in(folder: Path | None) -> Iterator[bool]:
    """Tell whether no other server holds a folder, and hold it while the block runs; None is free.

    The lock is on the folder itself, so nothing is written there, and it ends with the program.
    """
    if folder is None:
        yield True
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        is_first = False
    else:
        is_first = True
    try:
        yield is_first
    finally:
        os.close(descriptor)


def no_longer_locked(folder: Path) -> None:
    """Forget the announcement: the server is open."""
    (folder / SERVING_FILE).unlink(missing_ok=True)


def locked_server(folder: Path) -> str | None:
    """Return the address of a server that runs locked here, None where there is none."""
    try:
        with (folder / SERVING_FILE).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        said = (folder / SERVING_FILE).read_bytes()[:_LONGEST_ADDRESS_BYTES]
        return said.decode(errors="replace")
    except OSError:
        return None
    return None
