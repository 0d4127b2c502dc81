"""The sealed inbox: live positions on disk while the store is locked, readable by nobody.

Each letter is sealed with HPKE (RFC 9180, base mode: X25519, HKDF-SHA256, ChaCha20-Poly1305) to
the public key of the register; the private key lies in the encrypted database. Sealing needs no
secret, opening needs the passphrase. What the file shows to a thief: how many messages came, their
lengths, and when the last one did.

The file is a header (`MAGIC`, then 16 random bytes, the generation) and frames: length and CRC-32
of the sealed bytes (big-endian, 4 bytes each), then those bytes. A frame is on disk (fdatasync)
before its letter is acknowledged. A crash may leave half a frame at the end, never acknowledged:
the next append cuts it off. Damage anywhere else costs the letters that it touches and no other.
`personal_store.jobs.draining` empties it.

Base mode does not say who sealed: whoever can write in the folder can add letters, just as they
could replace the program.
"""

import errno
import fcntl
import mmap
import os
import re
import shutil
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from personal_store.errors import InboxFull
from personal_store.vault import Randomness

INBOX_FILE: Final = "inbox.sealed"
DRAINING_FILE: Final = "inbox.draining"
KEPT_FILES: Final = "inbox.kept-"
"""Letters that did not open, one file for each inbox that held some, named by its generation."""
MAGIC: Final = b"personal-store inbox 1\n"
GENERATION_BYTES: Final = 16
HEADER_BYTES: Final = len(MAGIC) + GENERATION_BYTES
MAX_INBOX_BYTES: Final = 256 * 1024 * 1024
"""About 400,000 messages: a phone that sends every ten seconds for six weeks."""
MAX_FRAME_BYTES: Final = 2 * 1024 * 1024
"""The largest body that the door takes, sealed, and room to spare."""
_FRAME: Final = struct.Struct(">II")
_LENGTH_BEGINS: Final = re.compile(
    rb"(?=\x00(?:[\x01-\x20]|\x00[\x01-\xff]|\x00\x00[\x30-\xff]))", re.DOTALL
)
"""Where a length between that of an empty letter, sealed, and `MAX_FRAME_BYTES` can stand."""
_SEARCH_BYTES: Final = 64 * 1024 * 1024
"""Checksummed in one search for the next whole frame: a fraction of a second."""
_INFO: Final = b"mobilites-en-commun inbox v1"


def seal(letter: bytes, public_key: bytes) -> bytes:
    """Return a letter that only the private key opens."""
    return _suite().encrypt(letter, X25519PublicKey.from_public_bytes(public_key), _INFO)


def unseal(sealed: bytes, private_key: X25519PrivateKey) -> bytes:
    """Return the letter. Raises ValueError where the key does not open it."""
    try:
        return _suite().decrypt(sealed, private_key, _INFO)
    except (InvalidTag, ValueError):
        raise ValueError("expected a letter sealed to this key") from None


@dataclass(slots=True)
class Inbox:
    """The end of the inbox where letters are added; several programs may hold one each."""

    folder: Path
    randomness: Randomness
    max_bytes: int = MAX_INBOX_BYTES
    _file: BinaryIO | None = field(default=None, repr=False)
    _end: int = 0

    def append(self, letters: Sequence[bytes], *, public_key: bytes) -> None:
        """Seal the letters and put them on disk, all of them or none, before returning.

        Raises InboxFull past `max_bytes`, OSError when the disk refuses.
        """
        frames = b"".join(_framed(seal(letter, public_key)) for letter in letters)
        with _held(self.folder / "inbox.lock"):
            file = self._at_its_end()
            if self._end + len(frames) > self.max_bytes:
                raise InboxFull(
                    fr="L'espace est verrouillé et sa boîte scellée est pleine : déverrouillez-le. "
                    "Le téléphone garde ses positions.",
                    en="The store is locked and its sealed inbox is full: unlock it. "
                    "The phone keeps its positions.",
                )
            try:
                file.seek(self._end)
                _write_whole(file, frames)
            except OSError:
                file.truncate(self._end)
                raise
            self._end += len(frames)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _at_its_end(self) -> BinaryIO:
        """Return the file, which another program may have emptied, added to, or left torn."""
        path = self.folder / INBOX_FILE
        if self._file is not None and _is_still(self._file, path, self._end):
            return self._file
        self.close()
        # No buffer: what a failed write leaves in one would be written later.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._file = os.fdopen(descriptor, "r+b", buffering=0)
        self._end = _made_ready(self._file, self.folder, self.randomness(GENERATION_BYTES))
        return self._file


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedLetter:
    """A frame, or what is left between two: the offset after it, and its sealed bytes.

    These do not open where damaged.
    """

    end: int
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedLetters:
    """An inbox that was taken out of the way of new letters."""

    path: Path
    generation: bytes

    def after(self, offset: int) -> Iterator[SealedLetter]:
        """Yield the frames from `offset` on (0 is the first), without a torn one at the end."""
        with self.path.open("rb") as file:
            file.seek(max(offset, HEADER_BYTES))
            yield from _frames(file)

    def remove(self) -> None:
        """Forget the letters."""
        self.path.unlink()
        _sync_folder(self.path.parent)

    @property
    def kept_path(self) -> Path:
        """Return where the letters of this inbox that did not open are kept."""
        return self.path.with_name(f"{KEPT_FILES}{self.generation.hex()[:8]}")

    def keep(self, sealed: Sequence[bytes]) -> None:
        """Add letters, sealed as they are, to those kept, and have them on disk on return."""
        descriptor = os.open(self.kept_path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b", buffering=0) as file:
            file.seek(_made_ready(file, self.path.parent, self.generation))
            _write_whole(file, b"".join(map(_framed, sealed)))


@contextmanager
def draining(
    folder: Path, *, randomness: Randomness, retry_kept: bool
) -> Iterator[Iterator[SealedLetters]]:
    """Give the inboxes to read: one that a crash interrupted, then the one that is growing.

    With `retry_kept` those kept come in between, each as an inbox that nobody has read. One
    program drains at a time; letters may be added meanwhile, to a new file.
    """
    with _held(folder / "inbox.draining.lock"):
        kept = sorted(folder.glob(f"{KEPT_FILES}*")) if retry_kept else []
        yield _inboxes(folder, kept, randomness)


def has_waiting(folder: Path) -> bool:
    """Tell whether there is an inbox to drain."""
    return any((folder / name).exists() for name in (DRAINING_FILE, INBOX_FILE))


def count_waiting(folder: Path, *, generation: bytes, drained_bytes: int) -> int:
    """Return how many letters are still to drain, of the inbox `generation` those after the mark.

    It opens none and reads their lengths alone.
    """
    return sum(
        _count_frames(folder / name, generation=generation, drained_bytes=drained_bytes)
        for name in (DRAINING_FILE, INBOX_FILE)
    )


def copy_waiting(folder: Path, target: Path) -> None:
    """Copy every inbox of a folder to another, as one moment has them; nobody drains meanwhile."""
    with _held(folder / "inbox.draining.lock"), _held(folder / "inbox.lock"):
        for path in (folder / INBOX_FILE, folder / DRAINING_FILE, *folder.glob(f"{KEPT_FILES}*")):
            if path.exists():
                shutil.copyfile(path, target / path.name)


def _count_frames(path: Path, *, generation: bytes, drained_bytes: int) -> int:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            is_read = whole[len(MAGIC) : HEADER_BYTES] == generation
            at, count = max(drained_bytes, HEADER_BYTES) if is_read else HEADER_BYTES, 0
            while at + _FRAME.size <= len(whole):
                length, _ = _FRAME.unpack_from(whole, at)
                at += _FRAME.size + length
                count += at <= len(whole)
            return count
    except (OSError, ValueError):  # drained meanwhile, or still empty
        return 0


def _inboxes(folder: Path, kept: Sequence[Path], randomness: Randomness) -> Iterator[SealedLetters]:
    path = folder / DRAINING_FILE
    if path.exists():
        yield _opened(path)
    for each in kept:
        # Under a new generation no mark says that it was read.
        with each.open("r+b", buffering=0) as file:
            file.seek(len(MAGIC))
            _write_whole(file, randomness(GENERATION_BYTES))
        each.replace(path)
        _sync_folder(folder)
        yield _opened(path)
    with _held(folder / "inbox.lock"):
        if not (folder / INBOX_FILE).exists():
            return
        (folder / INBOX_FILE).replace(path)
        _sync_folder(folder)
    yield _opened(path)


def _opened(path: Path) -> SealedLetters:
    with path.open("rb") as file:
        return SealedLetters(path=path, generation=file.read(HEADER_BYTES)[len(MAGIC) :])


def _frames(file: BinaryIO) -> Iterator[SealedLetter]:
    """Yield the frames to the end of the file, whatever is damaged in between.

    Behind damage the next whole frame is looked for, so that a wrong length costs at most its own
    letter, and not even that where the checksum still tells its bytes. What is left between two
    whole frames is yielded as a letter that does not open.
    """
    end, size = file.tell(), os.fstat(file.fileno()).st_size
    while end < size:
        head = file.read(_FRAME.size)
        length, checksum = _FRAME.unpack(head) if len(head) == _FRAME.size else (0, 0)
        sealed = file.read(length) if 0 < length <= MAX_FRAME_BYTES else b""
        if not sealed or len(sealed) < length or zlib.crc32(sealed) != checksum:
            file.seek(end)
            window = file.read(2 * (_FRAME.size + MAX_FRAME_BYTES))
            gone = _next_whole_frame(window) or min(len(window), MAX_FRAME_BYTES)
            if end + gone == size and _is_torn(window):
                return
            # What is too short for a frame still counts as a letter.
            sealed = window[_FRAME.size : gone] or window[:gone]
            file.seek(end + gone)
        end = file.tell()
        yield SealedLetter(end=end, sealed=sealed)


def _next_whole_frame(window: bytes) -> int | None:
    """Return where the next whole frame begins after what is damaged at 0, None where none does.

    Bytes made to look like lengths could ask for a checksum each: their sum is bounded.
    """
    budget_bytes, view = _SEARCH_BYTES, memoryview(window)
    for found in _LENGTH_BEGINS.finditer(window, 1, _FRAME.size + MAX_FRAME_BYTES):
        start = found.start() + _FRAME.size
        if start > len(window):
            return None
        length, checksum = _FRAME.unpack_from(window, found.start())
        if not 0 < length <= min(MAX_FRAME_BYTES, len(window) - start):
            continue
        if zlib.crc32(view[start : start + length]) == checksum:
            return found.start()
        budget_bytes -= length
        if budget_bytes < 0:
            return None
    return None


def _is_torn(tail: bytes) -> bool:
    """Tell whether the last bytes are what a crash left of a frame that was never acknowledged.

    A length that came to the disk before its bytes, or no byte of it; but not a length that is
    wrong before bytes that are right.
    """
    if len(tail) < _FRAME.size or not any(tail):
        return True
    length, checksum = _FRAME.unpack_from(tail)
    if zlib.crc32(tail[_FRAME.size :]) == checksum:
        return False
    return bool(length == 0 or len(tail) - _FRAME.size <= length <= MAX_FRAME_BYTES)


def _made_ready(file: BinaryIO, folder: Path, generation: bytes) -> int:
    """Give a new file its header, cut off what is torn, and return where frames go on."""
    end = _end_of_whole_frames(file)
    if end == 0:
        file.truncate(0)
        file.write(MAGIC + generation)
        os.fsync(file.fileno())
        _sync_folder(folder)
        end = HEADER_BYTES
    file.truncate(end)
    return end


def _end_of_whole_frames(file: BinaryIO) -> int:
    """Return the offset after the last whole frame, 0 where there is not even a header."""
    file.seek(0)
    head = file.read(HEADER_BYTES)
    if len(head) < HEADER_BYTES or not head.startswith(MAGIC):
        return 0
    end = HEADER_BYTES
    for frame in _frames(file):
        end = frame.end
    return end


def _write_whole(file: BinaryIO, frames: bytes) -> None:
    """Have the frames on disk. Raises OSError where not all of them are."""
    if file.write(frames) != len(frames):
        raise OSError(errno.ENOSPC, "expected room for whole frames")
    os.fdatasync(file.fileno())


def _framed(sealed: bytes) -> bytes:
    return _FRAME.pack(len(sealed), zlib.crc32(sealed)) + sealed


def _is_still(file: BinaryIO, path: Path, end: int) -> bool:
    try:
        there, held = path.stat(), os.fstat(file.fileno())
    except OSError:
        return False
    return (there.st_ino, there.st_dev, there.st_size) == (held.st_ino, held.st_dev, end)


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Hold a lock between programs; it ends with the program that holds it."""
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sync_folder(folder: Path) -> None:
    """Have the names of a folder on disk, not only what the files hold."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _suite() -> Suite:
    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
