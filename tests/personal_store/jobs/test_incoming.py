"""Files that somebody left: taken in once whole, moved or removed, never lost."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from personal_store.db import imports, positionfixes
from personal_store.db.connection import reading
from personal_store.db.imports import ImportState
from personal_store.jobs import incoming
from personal_store.jobs.incoming import Watched
from personal_store.store import Store

SETTINGS = '{"deviceSettings": [], "createdTime": "2020-01-01T00:00:00Z"}'


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    folder = tmp_path / "watched"
    folder.mkdir()
    return folder


def left(store: Store, path: Path, text: str, *, ago: timedelta = timedelta(minutes=1)) -> Path:
    """Leave a file as somebody did a while ago, by the store's clock."""
    path.write_text(text)
    at = (store.clock.now() - ago).timestamp()
    os.utime(path, (at, at))
    return path


def look(store: Store, folder: Path | None, *, local_times: bool = False) -> tuple[int, int]:
    watched = folder and Watched(folder=folder, has_local_times=local_times)
    report = incoming.run_once(store.engine, data=store.folder, watched=watched, clock=store.clock)
    return report.imported, report.refused


def held(store: Store) -> int:
    with reading(store.engine) as connection:
        return positionfixes.count(connection)


def test_a_file_of_the_watched_folder_is_imported_and_moved(store, watched, outing) -> None:
    left(store, watched / "ride.gpx", outing().gpx())
    assert look(store, watched) == (1, 0)
    assert held(store) == len(outing().points)
    assert (watched / "importes" / "ride.gpx").read_text() == outing().gpx()
    assert not (watched / "ride.gpx").exists()
    assert look(store, watched) == (0, 0)


LOCAL_TABLE = "time,lat,lon\n2026-11-02 08:30:00,46.16,-1.15\n"


def test_times_without_offset_in_the_watched_folder_are_refused_unless_told(store, watched) -> None:
    left(store, watched / "table.csv", LOCAL_TABLE)
    assert look(store, watched) == (0, 1)
    assert "« serve --local-times »" in (watched / "refuses" / "table.csv.raison.txt").read_text()


def test_times_without_offset_in_the_watched_folder_are_those_of_home(store, watched) -> None:
    left(store, watched / "table.csv", LOCAL_TABLE)
    assert look(store, watched, local_times=True) == (1, 0)
    with reading(store.engine) as connection:
        (fix,) = positionfixes.of_device(connection, "csv")
    assert (fix.at.hour, fix.utc_offset_min) == (7, 60)


def test_a_file_that_was_written_to_a_moment_ago_waits(store, watched, outing) -> None:
    text = outing().gpx()
    left(store, watched / "ride.gpx", text[: len(text) // 2], ago=timedelta(seconds=3))
    assert look(store, watched) == (0, 0)
    left(store, watched / "ride.gpx", text)
    assert look(store, watched) == (1, 0)
    assert held(store) == len(outing().points)


@pytest.mark.parametrize("name", [".ride.gpx.Xy12", "ride.gpx.part", "Records.json.crdownload"])
def test_a_file_that_a_program_calls_unfinished_waits(store, watched, outing, name) -> None:
    left(store, watched / name, outing().gpx())
    assert look(store, watched) == (0, 0)
    assert (watched / name).exists()


def test_a_refused_file_is_set_aside_with_its_reason_in_both_languages(store, watched) -> None:
    left(store, watched / "Settings.json", SETTINGS)
    assert look(store, watched) == (0, 1)
    assert (watched / "refuses" / "Settings.json").read_text() == SETTINGS
    reason = (watched / "refuses" / "Settings.json.raison.txt").read_text()
    assert "réglages" in reason
    assert "settings file" in reason


def test_a_file_of_the_same_name_takes_no_earlier_ones_place(store, watched, outing) -> None:
    for speed_mps in (4.0, 5.0):
        left(store, watched / "ride.gpx", outing(speed_mps=speed_mps).gpx())
        look(store, watched)
    kept = sorted(each.name for each in (watched / "importes").iterdir())
    assert kept == ["ride (2).gpx", "ride.gpx"]


def test_links_and_folders_of_the_watched_folder_are_left_alone(
    store, watched, tmp_path, outing
) -> None:
    elsewhere = left(store, tmp_path / "elsewhere.gpx", outing().gpx())
    (watched / "link.gpx").symlink_to(elsewhere)
    (watched / "folder").mkdir()
    assert look(store, watched) == (0, 0)
    assert elsewhere.exists()


def test_no_watched_folder_is_no_trouble(store, tmp_path) -> None:
    assert look(store, None) == (0, 0)
    assert look(store, tmp_path / "missing") == (0, 0)


def uploaded(store: Store, name: str, text: str, *, whole: bool = True) -> Path:
    folder = store.folder / incoming.UPLOADS / ("000-a" if whole else ".000-a")
    folder.mkdir(parents=True)
    (folder / name).write_text(text)
    return folder


def test_an_uploaded_copy_is_imported_and_removed(store, outing) -> None:
    folder = uploaded(store, "ride.gpx", outing().gpx())
    assert incoming.waiting_uploads(store.folder) == ["ride.gpx"]
    assert look(store, None) == (1, 0)
    assert held(store) == len(outing().points)
    assert not folder.exists()


def test_a_refused_copy_is_removed_and_the_journal_says_why(store) -> None:
    folder = uploaded(store, "Settings.json", SETTINGS)
    assert look(store, None) == (0, 1)
    assert not folder.exists()
    with reading(store.engine) as connection:
        (refused,) = imports.newest(connection, limit=5)
    assert (refused.name, refused.state) == ("Settings.json", ImportState.REFUSED)
    assert "réglages" in refused.counts.refusal_fr


def test_a_copy_that_still_comes_in_is_not_looked_at(store, outing) -> None:
    uploaded(store, "ride.gpx", outing().gpx(), whole=False)
    assert look(store, None) == (0, 0)
    assert held(store) == 0


def test_a_copy_that_was_cut_short_by_the_end_of_the_server_is_removed(store, outing) -> None:
    folder = uploaded(store, "ride.gpx", outing().gpx(), whole=False)
    incoming.drop_unfinished(store.folder)
    assert not folder.exists()
    incoming.drop_unfinished(store.folder / "nowhere")


def test_a_file_of_which_nothing_came_is_set_aside_with_its_reason(store, watched) -> None:
    left(store, watched / "far.csv", "time,lat,lon\n2026-11-09T08:00:00Z,99,-1.15\n")
    assert look(store, watched) == (0, 1)
    assert "coordonnées impossibles" in (watched / "refuses" / "far.csv.raison.txt").read_text()


def test_folders_and_links_of_the_watched_folder_stay_and_are_named(
    store, watched, outing, tmp_path
) -> None:
    (watched / "older").mkdir()
    left(store, watched / "older" / "ride.gpx", outing().gpx())
    (watched / "link.gpx").symlink_to(left(store, tmp_path / "elsewhere.gpx", outing().gpx()))
    left(store, watched / "bad.json", SETTINGS)
    assert look(store, watched) == (0, 1)
    assert incoming.left_aside(watched) == ["link.gpx", "older"]
    assert (watched / "older" / "ride.gpx").exists()


def test_a_name_that_is_no_text_is_taken_in_under_marks(store, watched, outing) -> None:
    left(store, watched / os.fsdecode(b"\xff ride.gpx"), outing().gpx())
    left(store, watched / os.fsdecode(b"\xfe set.json"), SETTINGS)
    assert look(store, watched) == (1, 1)
    assert (watched / "refuses" / os.fsdecode(b"\xfe set.json.raison.txt")).exists()
    with reading(store.engine) as connection:
        names = {each.name for each in imports.newest(connection, limit=9)}
    assert names == {"? ride.gpx", "? set.json"}
