"""Importing: never twice, never half a chunk, every refusal counted."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fixes_added import add_fixes

from personal_store.db import imports
from personal_store.db.connection import reading, writing
from personal_store.db.imports import FileImport, ImportState
from personal_store.errors import IngestError
from personal_store.ingest.positionfix import Positionfix, RejectReason, SourceFormat
from personal_store.jobs import importing
from personal_store.jobs.chunks import ENTRIES_AT_A_TIME
from personal_store.store import Store

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)


def dump(store: Store) -> list[str]:
    """Return the whole database but the journal of imports, whatever its pages look like."""
    with reading(store.engine) as connection:
        raw = connection.connection.dbapi_connection
        tables = raw.execute("SELECT name FROM sqlite_schema WHERE type='table'")
        names = [row[0] for row in tables if row[0] != "file_import"]
        return [repr(row) for name in sorted(names) for row in raw.execute(f"SELECT * FROM {name}")]


def positions(store: Store) -> list[tuple[object, ...]]:
    """Return the positions without what depends on when they came in."""
    columns = "source, device, at_ms, lon_e7, lat_e7, accuracy_m, speed_mps, altitude_m"
    with reading(store.engine) as connection:
        query = f"SELECT {columns} FROM positionfix ORDER BY device, at_ms, lon_e7, lat_e7"
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def test_a_first_import_is_all_new(store: Store, gpx_file: Path, outing) -> None:
    report = importing.run_once(store.engine, gpx_file, clock=store.clock)
    count = len(outing().points)
    assert (report.read, report.new, report.duplicate, report.rejected) == (count, count, 0, 0)
    assert report.format is SourceFormat.GPX
    assert len(positions(store)) == count


def test_a_second_import_is_all_duplicate(store: Store, gpx_file: Path, outing) -> None:
    importing.run_once(store.engine, gpx_file, clock=store.clock)
    report = importing.run_once(store.engine, gpx_file, clock=store.clock)
    count = len(outing().points)
    assert (report.read, report.new, report.duplicate, report.rejected) == (count, 0, count, 0)


def test_importing_twice_leaves_the_database_as_once(store: Store, gpx_file: Path) -> None:
    importing.run_once(store.engine, gpx_file, clock=store.clock)
    once = dump(store)
    importing.run_once(store.engine, gpx_file, clock=store.clock)
    assert dump(store) == once


def test_a_longer_export_of_the_same_history_adds_only_what_is_new(
    store: Store, tmp_path: Path, outing
) -> None:
    short, long = outing(), outing(staying_s=1800)
    file = tmp_path / "export.gpx"
    file.write_text(short.gpx())
    importing.run_once(store.engine, file, clock=store.clock)
    file.write_text(long.gpx())
    report = importing.run_once(store.engine, file, clock=store.clock)
    common = len(set(short.points) & set(long.points))
    assert 0 < common < len(long.points)
    assert (report.duplicate, report.new) == (common, len(long.points) - common)


def test_a_position_told_twice_in_one_file_is_kept_once(
    store: Store, tmp_path: Path, outing
) -> None:
    points = outing().gpx()
    body = points[points.index("<trk>") : points.index("</gpx>")]
    file = tmp_path / "twice.gpx"
    file.write_text(points.replace(body, body + body))
    report = importing.run_once(store.engine, file, clock=store.clock)
    assert report.new == report.duplicate == len(outing().points)


def test_what_is_refused_is_counted_by_reason(store: Store, tmp_path: Path) -> None:
    points = {
        "good": '<trkpt lat="46.1" lon="-1.1"><time>2026-11-09T07:00:00Z</time></trkpt>',
        "no time": '<trkpt lat="46.2" lon="-1.1"></trkpt>',
        "no position": '<trkpt lat="46.2"><time>2026-11-09T07:00:01Z</time></trkpt>',
        "off the globe": '<trkpt lat="146" lon="0"><time>2026-11-09T07:00:02Z</time></trkpt>',
        "1970": '<trkpt lat="46.1" lon="-1.1"><time>1970-01-01T00:00:00Z</time></trkpt>',
        "future": '<trkpt lat="46.1" lon="-1.1"><time>2026-11-20T09:00:01Z</time></trkpt>',
        "unreadable": '<trkpt lat="x" lon="-1.1"><time>2026-11-09T07:00:03Z</time></trkpt>',
    }
    file = tmp_path / "odd.gpx"
    file.write_text(
        "<gpx><trk><trkseg>" + "".join(points.values()) + points["future"] + "</trkseg></trk></gpx>"
    )
    report = importing.run_once(store.engine, file, clock=store.clock)
    assert report.new == 1
    assert report.reasons[RejectReason.IN_THE_FUTURE] == 2
    assert report.reasons[RejectReason.NO_TIME] == 1
    assert report.reasons[RejectReason.NO_POSITION] == 1
    assert report.reasons[RejectReason.BEFORE_1990] == 1
    assert report.rejected == sum(report.reasons.values()) == 7
    assert report.read == report.new + report.duplicate + report.rejected == 8


def _cut(text: str, file: Path) -> None:
    file.write_text(text[: len(text) * 9 // 10])


def test_a_short_file_cut_half_way_leaves_the_database_as_it_was(
    store: Store, gpx_file: Path, tmp_path: Path, outing
) -> None:
    importing.run_once(store.engine, gpx_file, clock=store.clock)
    before = dump(store)
    file = tmp_path / "cut.gpx"
    _cut(outing(every_s=1).gpx(), file)
    with pytest.raises(IngestError) as refusal:
        importing.run_once(store.engine, file, clock=store.clock)
    assert dump(store) == before
    assert refusal.value.en.endswith("Nothing was imported.")


@pytest.fixture
def long_gpx(outing) -> str:
    """Return a file of more than one chunk."""
    long = outing(every_s=1, moving_s=ENTRIES_AT_A_TIME, staying_s=ENTRIES_AT_A_TIME // 4)
    assert len(long.points) > ENTRIES_AT_A_TIME * 1.4
    return long.gpx()


def test_what_was_read_before_the_damage_of_a_long_file_is_kept_and_told(
    store: Store, tmp_path: Path, long_gpx: str
) -> None:
    file = tmp_path / "cut.gpx"
    _cut(long_gpx, file)
    with pytest.raises(IngestError) as refusal:
        importing.run_once(store.engine, file, clock=store.clock)
    assert len(positions(store)) == ENTRIES_AT_A_TIME
    assert f"{ENTRIES_AT_A_TIME} entries read before this fault are kept" in refusal.value.en
    assert f"{ENTRIES_AT_A_TIME} indications" in refusal.value.fr


def test_the_whole_file_goes_in_after_its_first_half_was_refused(
    store: Store, tmp_path: Path, long_gpx: str
) -> None:
    file = tmp_path / "file.gpx"
    _cut(long_gpx, file)
    with pytest.raises(IngestError):
        importing.run_once(store.engine, file, clock=store.clock)
    file.write_text(long_gpx)
    report = importing.run_once(store.engine, file, clock=store.clock)
    assert report.duplicate == ENTRIES_AT_A_TIME
    assert len(positions(store)) == report.read == report.new + report.duplicate


def test_two_imports_of_one_file_at_once_end_as_one(
    store: Store, tmp_path: Path, long_gpx: str
) -> None:
    file = tmp_path / "long.gpx"
    file.write_text(long_gpx)
    together = threading.Barrier(2)

    def run() -> int:
        together.wait(timeout=600)
        return importing.run_once(store.engine, file, clock=store.clock).new

    with ThreadPoolExecutor(2) as pool:
        new = sorted(each.result() for each in [pool.submit(run), pool.submit(run)])
    both = positions(store)
    assert new == [0, len(both)]
    assert len(set(both)) == len(both)


def test_a_live_position_gets_in_between_two_chunks(
    store: Store, tmp_path: Path, long_gpx: str
) -> None:
    file = tmp_path / "long.gpx"
    file.write_text(long_gpx)
    live = Positionfix(
        at=NOW, lon=-1.1, lat=46.1, source=SourceFormat.OWNTRACKS_LIVE, device="phone"
    )
    taken_in = []

    def arrives(reached: FileImport) -> None:
        if reached.state is ImportState.READING and reached.entries and not taken_in:
            with writing(store.engine) as connection:
                taken_in.append(add_fixes(connection, [live], received_at=NOW))

    report = importing.run_once(store.engine, file, clock=store.clock, on_progress=arrives)
    assert taken_in == [1]
    assert len(positions(store)) == report.new + 1


def test_the_journal_says_how_far_a_file_has_come(
    store: Store, tmp_path: Path, long_gpx: str
) -> None:
    file = tmp_path / "long.gpx"
    file.write_text(long_gpx)
    told: list[FileImport] = []
    report = importing.run_once(store.engine, file, clock=store.clock, on_progress=told.append)
    assert [each.entries for each in told] == [0, ENTRIES_AT_A_TIME, report.read, report.read]
    assert [each.state for each in told][-2:] == [ImportState.READING, ImportState.DONE]
    assert 0 < told[1].done_bytes < told[-1].done_bytes == file.stat().st_size
    with reading(store.engine) as connection:
        assert imports.newest(connection, limit=5) == [told[-1]]
