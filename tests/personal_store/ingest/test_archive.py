"""Zip archives: the histories inside, and what an archive may not do. `zipfile` writes them."""

import io
import json
import stat
import struct
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personal_store.errors import HostileFile, IngestError, UnreadableFile, WrongFile
from personal_store.ingest import archive, counted, limits
from personal_store.ingest.positionfix import Positionfix, SkippedMember, SourceFormat

GPX = (
    b'<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>'
    b'<trkpt lat="46.16" lon="-1.15"><time>2024-04-21T09:07:31Z</time></trkpt>'
    b"</trkseg></trk></gpx>"
)
RECORDS = json.dumps(
    {"locations": [{"latitudeE7": 1, "longitudeE7": 1, "timestamp": "2024-06-15T09:00:00Z"}]}
).encode()
CSV = b"time,lat,lon\n2024-01-01T00:00:00Z,46.16,-1.15\n"


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], packing: int = 8) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", compression=packing) as opened:
        for name, content in members:
            opened.writestr(name, content)
    return written.getvalue()


def test_the_histories_of_an_archive_are_read_one_after_the_other(read_bytes):
    content = zipped(("Takeout/Records.json", RECORDS), ("a/", b""), ("track", GPX), ("t", CSV))
    parsed = read_bytes(content)
    assert parsed.format is SourceFormat.ZIP
    sources = [entry.source for entry in parsed.entries]
    assert sources == [SourceFormat.GOOGLE_RECORDS, SourceFormat.GPX, SourceFormat.CSV]


def test_a_wrong_member_is_named_with_its_reason_and_the_rest_goes_in(read_bytes):
    settings_file = json.dumps({"deviceSettings": [{"deviceTag": 1}]}).encode()
    entries = list(read_bytes(zipped(("Settings.json", settings_file), ("b", GPX))).entries)
    skipped, fix = entries
    assert isinstance(skipped, SkippedMember)
    assert skipped.name == "Settings.json"
    assert "the settings file" in skipped.en
    assert isinstance(fix, Positionfix)


def test_an_archive_of_wrong_members_alone_is_the_wrong_file(read_bytes):
    with pytest.raises(WrongFile, match="zip"):
        list(read_bytes(zipped(("a.html", b"<html/>"), ("b", b""))).entries)


def test_an_empty_archive_is_the_wrong_file(read_bytes):
    written = io.BytesIO()
    zipfile.ZipFile(written, "w").close()
    with pytest.raises((WrongFile, UnreadableFile)):
        list(read_bytes(written.getvalue()).entries)


def test_an_archive_in_an_archive_is_never_opened(read_bytes):
    inner = zipped(("a", GPX))
    skipped, _ = read_bytes(zipped(("inner.zip", inner), ("b", GPX))).entries
    assert "a zip archive inside an archive" in skipped.en


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/a", "C:/a", "a\\..\\b"])
def test_a_name_that_leads_out_is_hostile(read_bytes, name):
    with pytest.raises(HostileFile):
        list(read_bytes(zipped((name, GPX))).entries)


def test_a_link_is_hostile(read_bytes):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(HostileFile):
        list(read_bytes(zipped((link, b"/etc/hostname"), ("b", GPX))).entries)


def test_a_bomb_is_hostile_before_it_comes_out_whole(read_bytes):
    bomb = zipped(("a", b"time,lat,lon\n" + b" " * 64 * 1024**2))
    assert len(bomb) < 100_000
    with pytest.raises(HostileFile):
        list(read_bytes(bomb).entries)


def test_all_members_together_have_a_limit(read_bytes, monkeypatch):
    monkeypatch.setattr(counted, "ZIP_TOTAL_BYTES", 10 * len(GPX))
    with pytest.raises(HostileFile):
        list(read_bytes(zipped(*((str(n), GPX) for n in range(20)))).entries)


def test_too_many_members_are_hostile(read_bytes, monkeypatch):
    monkeypatch.setattr(archive, "ZIP_MEMBERS", 3)
    with pytest.raises(HostileFile):
        list(read_bytes(zipped(*((str(n), GPX) for n in range(4)))).entries)


def test_a_list_of_members_too_long_to_hold_is_hostile(read_bytes):
    content = bytearray(zipped(("a", GPX)))
    struct.pack_into("<I", content, len(content) - 22 + 12, limits.ZIP_DIRECTORY_BYTES + 1)
    with pytest.raises(HostileFile):
        list(read_bytes(bytes(content)).entries)


def test_a_member_under_a_password_is_skipped_with_the_reason(read_bytes):
    content = bytearray(zipped(("a", GPX), ("b", GPX)))
    first = content.index(b"PK\x01\x02")
    struct.pack_into("<H", content, first + 8, 1)
    skipped, _ = read_bytes(bytes(content)).entries
    assert "password" in skipped.en


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_rare_packing_is_skipped_with_the_reason(read_bytes, packing):
    with pytest.raises(WrongFile):
        list(read_bytes(zipped(("a", GPX), packing=packing)).entries)


def test_a_damaged_member_stops_the_import(read_bytes):
    content = bytearray(zipped(("a", GPX), packing=0))
    at = content.index(b"46.16")
    content[at : at + 5] = b"47.16"
    with pytest.raises(UnreadableFile):
        list(read_bytes(bytes(content)).entries)


def test_a_cut_archive_is_unreadable(read_bytes):
    with pytest.raises(UnreadableFile):
        list(read_bytes(zipped(("a", GPX))[:-30]).entries)


SAMPLE = zipped(("a", GPX), ("b.json", RECORDS), ("c", CSV))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_damage_to_an_archive_is_one_of_our_errors(read_bytes, data):
    content = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, 30))
    try:
        list(read_bytes(bytes(content[: len(content) - cut])).entries)
    except IngestError as refusal:
        assert refusal.fr  # noqa: PT017 -- the other way out is an error of another kind
