"""Zip archives (KMZ included): the histories inside, one after the other, none ever on disk.

Members are told by their content like any file. One that is no history is skipped with its name
and the reason; an archive of such members alone is the wrong file. One that is damaged stops the
import, like a damaged file: what was read of it cannot be taken back.

Refused as hostile before anything is extracted: names that lead out of the archive, links, more
members or a longer list than `limits.py` allows. Refused while extracting: more bytes than allowed,
or a ratio that no history reaches, both counted on what really comes out and not on what the
archive declares. An archive inside an archive is never opened.

Spec: PKWARE APPNOTE 6.3.10, read by the standard library (stored and deflated members).
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, BinaryIO, Final, cast

from personal_store.errors import WrongFile
from personal_store.ingest import refusals
from personal_store.ingest.detect import detect
from personal_store.ingest.judge import Judge
from personal_store.ingest.limits import (
    ZIP_DIRECTORY_BYTES,
    ZIP_MEMBER_BYTES,
    ZIP_MEMBERS,
    ZIP_RATIO,
    ZIP_RATIO_FREE_BYTES,
    ZIP_TOTAL_BYTES,
)
from personal_store.ingest.positionfix import Entry, SkippedMember

_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED: Final = 0x1
_END: Final = b"PK\x05\x06"
_END_64: Final = b"PK\x06\x06"
_TAIL_BYTES: Final = 22 + 65535 + 20 + 56
"""The end record with its longest comment, the locator and the end record of 64 bits."""
_NAME_CHARS: Final = 120
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    ValueError,
    struct.error,
)
"""What the library raises on a damaged archive; each was met by the fuzzer of the tests."""


def parse_archive(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield the entries of each member in the archive's order, and a `SkippedMember` for others.

    Raises `WrongFile` at the end where no member is a history, `UnreadableFile` for a damaged
    archive or member, `HostileFile` as above.
    """
    with _open(stream) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        for member in members:
            _refuse_hostile(member)
        budget = _Budget()
        read_members = 0
        for member in members:
            try:
                yield from _member_entries(archive, member, judge, budget)
                read_members += 1
            except WrongFile as refusal:
                yield SkippedMember(name=_name(member), fr=refusal.fr, en=refusal.en)
    if not read_members:
        raise refusals.no_history_in_archive()


def _open(stream: BinaryIO) -> zipfile.ZipFile:
    _refuse_long_directory(stream)
    try:
        archive = zipfile.ZipFile(stream)
    except _DAMAGE:
        raise refusals.damaged("zip") from None
    if len(archive.infolist()) > ZIP_MEMBERS:
        raise refusals.hostile_archive()
    return archive


def _refuse_long_directory(stream: BinaryIO) -> None:
    """Refuse a list of members too long to hold, before the library reads it whole."""
    size_bytes = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size_bytes - _TAIL_BYTES))
    tail = stream.read(_TAIL_BYTES)
    stream.seek(0)
    for mark, code, offset in ((_END, "<I", 12), (_END_64, "<Q", 40)):
        at = tail.rfind(mark)
        if at < 0 or at + offset + struct.calcsize(code) > len(tail):
            continue
        (directory_bytes,) = struct.unpack_from(code, tail, at + offset)
        is_in_64 = mark == _END and directory_bytes == 0xFFFFFFFF
        if directory_bytes > ZIP_DIRECTORY_BYTES and not is_in_64:
            raise refusals.hostile_archive()


def _refuse_hostile(member: zipfile.ZipInfo) -> None:
    parts = member.orig_filename.replace("\\", "/").split("/")
    leads_out = ".." in parts or parts[0] == "" or parts[0].endswith(":")
    is_link = stat.S_ISLNK(member.external_attr >> 16)
    if leads_out or is_link or "\x00" in member.orig_filename:
        raise refusals.hostile_archive()


def _member_entries(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, judge: Judge, budget: "_Budget"
) -> Iterator[Entry]:
    if member.flag_bits & _ENCRYPTED:
        raise refusals.protected_member()
    if member.compress_type not in _METHODS:
        # The other methods ask for as much memory as the archive likes.
        raise refusals.unknown_compression()
    try:
        with archive.open(member) as packed:
            reader = detect(cast("BinaryIO", _Counted(packed, member, budget)))
        with archive.open(member) as packed:
            counted = cast("BinaryIO", _Counted(packed, member, budget))
            yield from reader.parse(counted, judge.member(reader.format))
    except _DAMAGE:
        raise refusals.damaged("zip") from None


def _name(member: zipfile.ZipInfo) -> str:
    cut = member.filename[-_NAME_CHARS:]
    return "".join(character if character.isprintable() else "?" for character in cut)


class _Budget:
    """How many bytes all the members may still give."""

    def __init__(self) -> None:
        self.left_bytes = ZIP_TOTAL_BYTES


class _Counted(io.BufferedIOBase):
    """A member's bytes, counted as they come out against what may come out."""

    def __init__(self, packed: IO[bytes], member: zipfile.ZipInfo, budget: _Budget) -> None:
        self._packed = packed
        self._budget = budget
        self._given_bytes = 0
        self._most_bytes = min(
            ZIP_MEMBER_BYTES,
            max(ZIP_RATIO_FREE_BYTES, member.compress_size * ZIP_RATIO),
        )

    def readable(self) -> bool:
        """Tell that the stream reads."""
        return True

    def seekable(self) -> bool:
        """Tell that the stream can go back."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes, or refuse the archive."""
        return self._count(self._packed.read(-1 if size is None else size))

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the next line, or refuse the archive."""
        return self._count(self._packed.readline(-1 if size is None else size))

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go back to the beginning, which is all that detection asks."""
        return self._packed.seek(offset, whence)

    def _count(self, given: bytes) -> bytes:
        self._given_bytes += len(given)
        self._budget.left_bytes -= len(given)
        if self._given_bytes > self._most_bytes or self._budget.left_bytes < 0:
            raise refusals.hostile_archive()
        return given
