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
from personal_store.ingest.counted import Budget, Counted, unpacked
from personal_store.ingest.detect import detect
from personal_store.ingest.head import Shape, shape_of
from personal_store.ingest.judge import Judge
from personal_store.ingest.limits import ZIP_DIRECTORY_BYTES, ZIP_MEMBERS
from personal_store.ingest.positionfix import Entry, SkippedMember
from personal_store.ingest.values import printable

_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED: Final = 0x1
_END: Final = b"PK\x05\x06"
_END_64: Final = b"PK\x06\x06"
_TAIL_BYTES: Final = 22 + 65535 + 20 + 56
"""The end record with its longest comment, the locator and the end record of 64 bits."""
_NAME_CHARS: Final = 120
_MEMBERS_NAMED: Final = 5
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
    skipped: list[SkippedMember] = []
    with _open(stream) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        for member in members:
            _refuse_hostile(member)
        budget = Budget()
        read_members = 0
        for member in members:
            try:
                yield from _member_entries(archive, member, judge, budget)
                read_members += 1
            except WrongFile as refusal:
                skipped.append(SkippedMember(name=_name(member), fr=refusal.fr, en=refusal.en))
                yield skipped[-1]
    if not read_members:
        files_fr = _listed([f"{each.name} : {each.fr}" for each in skipped], "et {} autres")
        files_en = _listed([f"{each.name}: {each.en}" for each in skipped], "and {} more")
        raise refusals.no_history_in_archive(files_fr=files_fr, files_en=files_en)


def _listed(said: list[str], others: str) -> str:
    """Return the first of what is said of each member, and how many there are besides."""
    more = len(said) - _MEMBERS_NAMED
    return " ; ".join([*said[:_MEMBERS_NAMED], *([others.format(more)] if more > 0 else [])])


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
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, judge: Judge, budget: Budget
) -> Iterator[Entry]:
    if member.flag_bits & _ENCRYPTED:
        raise refusals.protected_member()
    if member.compress_type not in _METHODS:
        # The other methods ask for as much memory as the archive likes.
        raise refusals.unknown_compression()
    try:
        with archive.open(member) as packed:
            reader = detect(_histories(packed, member, budget))
        with archive.open(member) as packed:
            stream = _histories(packed, member, budget)
            yield from reader.parse(stream, judge.member(reader.format))
    except _DAMAGE:
        raise refusals.damaged("zip") from None


def _histories(packed: IO[bytes], member: zipfile.ZipInfo, budget: Budget) -> BinaryIO:
    """Return a member's bytes; those of a gzip member (sport exports hold many) are unpacked."""
    counted = Counted(packed, packed_bytes=member.compress_size, budget=budget)
    stream = cast("BinaryIO", counted)
    if shape_of(stream) is not Shape.GZIP:
        return stream
    return unpacked(stream, packed_bytes=member.file_size, budget=budget)


def _name(member: zipfile.ZipInfo) -> str:
    return printable(member.filename[-_NAME_CHARS:])
