"""The door for files: what the system gives, and when errors show."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from personal_store.errors import HostileFile, IngestError, UnreadableFile, WrongFile
from personal_store.ingest.positionfix import Positionfix, Rejected, RejectReason, SourceFormat
from personal_store.ingest.read import read_file

TRACK = (
    b'<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>'
    b'<trkpt lat="46.16" lon="-1.15"><time>2024-04-21T09:07:31Z</time></trkpt>'
    b"</trkseg></trk></gpx>"
)


@pytest.mark.parametrize("name", ["track.gpx", "Records.json", "notes.txt", "no-suffix"])
def test_the_name_of_a_file_says_nothing(tmp_path, now, name):
    path = tmp_path / name
    path.write_bytes(TRACK)
    assert read_file(path, now=now).format is SourceFormat.GPX


def test_entries_are_read_only_when_they_are_asked_for(tmp_path, now):
    path = tmp_path / "track"
    path.write_bytes(TRACK)
    parsed = read_file(path, now=now)
    path.write_bytes(TRACK[:-1])
    with pytest.raises(UnreadableFile):
        list(parsed.entries)


def test_the_future_is_measured_from_the_given_now(tmp_path, now):
    path = tmp_path / "track"
    path.write_bytes(TRACK)
    before = now.replace(year=2024, month=4, day=20, hour=9, minute=0)
    assert list(read_file(path, now=before).entries) == [
        Rejected(reason=RejectReason.IN_THE_FUTURE)
    ]
    (fix,) = read_file(path, now=before + timedelta(minutes=8)).entries
    assert isinstance(fix, Positionfix)


def test_a_file_that_is_not_there_is_unreadable(tmp_path, now):
    with pytest.raises(UnreadableFile) as refusal:
        read_file(tmp_path / "absent.gpx", now=now)
    assert "absent" not in refusal.value.fr + refusal.value.en


def test_a_file_that_goes_away_before_its_entries_is_unreadable(tmp_path, now):
    path = tmp_path / "track"
    path.write_bytes(TRACK)
    parsed = read_file(path, now=now)
    path.unlink()
    with pytest.raises(UnreadableFile):
        list(parsed.entries)


def test_a_path_that_no_system_knows_is_unreadable(now):
    with pytest.raises(UnreadableFile):
        read_file(Path("track\x00.gpx"), now=now)


def test_a_path_below_a_file_is_unreadable(tmp_path, now):
    (tmp_path / "track").write_bytes(TRACK)
    with pytest.raises(UnreadableFile):
        read_file(tmp_path / "track" / "points", now=now)


def test_a_folder_is_a_wrong_file(tmp_path, now):
    with pytest.raises(WrongFile):
        read_file(tmp_path, now=now)


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path, now):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(WrongFile):
        read_file(path, now=now)


def test_a_link_to_a_file_is_read(tmp_path, now):
    (tmp_path / "track").write_bytes(TRACK)
    (tmp_path / "link").symlink_to(tmp_path / "track")
    assert len(list(read_file(tmp_path / "link", now=now).entries)) == 1


SPARSE = {
    "a JSON string of ten gigabytes": (b'{"locations":[{"timestamp":"', IngestError),
    "a log line of ten gigabytes": (b'2024-03-01T09:03:09Z\t*\t{"tid":"', IngestError),
    "a GPX time of ten gigabytes": (b'<gpx><trk><trkpt lat="1" lon="1"><time>', IngestError),
    "ten gigabytes of nothing": (b"", WrongFile),
    "ten gigabytes after a blank line": (b"\n" + b" " * 200_000, WrongFile),
    "a zip archive of ten gigabytes": (b"PK\x03\x04", UnreadableFile),
    "a gzip archive of ten gigabytes": (b"\x1f\x8b\x08", UnreadableFile),
    "nesting before ten gigabytes": (b"[" * 200_000, HostileFile),
}


@pytest.mark.parametrize(("start", "error"), SPARSE.values(), ids=SPARSE)
def test_a_file_of_ten_gigabytes_is_refused_at_once(tmp_path, now, start, error):
    path = tmp_path / "vast"
    with path.open("wb") as vast:
        vast.write(start)
        vast.truncate(10 * 1024**3)
    with pytest.raises(error):
        list(read_file(path, now=now).entries)
