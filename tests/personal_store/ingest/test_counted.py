"""Files packed by gzip: read like the file inside, refused when they unpack beyond measure."""

import gzip
import io
import zipfile

import pytest

from personal_store.errors import HostileFile, UnreadableFile
from personal_store.ingest import counted
from personal_store.ingest.positionfix import Positionfix, SkippedMember, SourceFormat
from personal_store.ingest.read import read_file

GPX = (
    b'<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>'
    b'<trkpt lat="46.16" lon="-1.15"><time>2024-04-21T09:07:31Z</time></trkpt>'
    b"</trkseg></trk></gpx>"
)


@pytest.fixture
def read(tmp_path, now):
    def from_bytes(content: bytes):
        file = tmp_path / "file.gz"
        file.write_bytes(content)
        return read_file(file, now=now)

    return from_bytes


def test_a_gzip_file_is_read_like_the_file_inside(read):
    parsed = read(gzip.compress(GPX))
    assert parsed.format is SourceFormat.GPX
    assert [type(entry) for entry in parsed.entries] == [Positionfix]


def test_several_gzip_members_one_after_the_other_are_one_file(read):
    parsed = read(gzip.compress(GPX[:100]) + gzip.compress(GPX[100:]))
    assert [type(entry) for entry in parsed.entries] == [Positionfix]


def test_a_gzip_file_cut_short_is_unreadable(read):
    with pytest.raises(UnreadableFile):
        list(read(gzip.compress(GPX + b"\n" * 100_000)[:-30]).entries)


def test_a_damaged_gzip_file_is_unreadable(read):
    packed = bytearray(gzip.compress(GPX))
    packed[-6] ^= 0xFF  # its checksum
    with pytest.raises(UnreadableFile):
        list(read(bytes(packed)).entries)


def test_a_gzip_bomb_is_hostile(read, monkeypatch):
    monkeypatch.setattr(counted, "ZIP_RATIO_FREE_BYTES", 200_000)
    with pytest.raises(HostileFile):
        list(read(gzip.compress(GPX[:60] + b" " * 2_000_000 + GPX[60:])).entries)


def test_a_gzip_file_inside_a_gzip_file_is_refused(read):
    with pytest.raises(Exception, match="gzip"):
        read(gzip.compress(gzip.compress(GPX)))


def test_gzip_members_of_an_archive_are_read(read):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("activities/1.gpx.gz", gzip.compress(GPX))
        archive.writestr("activities/2.fit.gz", gzip.compress(b"\x00\x01 not a history"))
    entries = list(read(out.getvalue()).entries)
    assert [type(entry) for entry in entries] == [Positionfix, SkippedMember]
