"""Importing: all of a file or nothing, never twice, every refusal counted."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from personal_store.db.connection import reading
from personal_store.errors import IngestError
from personal_store.ingest.positionfix import RejectReason, SourceFormat
from personal_store.jobs import importing
from personal_store.jobs.importing import ROWS_AT_A_TIME
from personal_store.store import Store


def dump(store: Store) -> list[str]:
    """Return the whole database as SQL: its logical state, whatever the pages look like."""
    with reading(store.engine) as connection:
        raw = connection.connection.dbapi_connection
        names = [row[0] for row in raw.execute("SELECT name FROM sqlite_schema WHERE type='table'")]
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


def _long_gpx(outing) -> str:
    """Return a file of more positions than go into one batch, so that a first batch was written."""
    long = outing(every_s=1, moving_s=ROWS_AT_A_TIME, staying_s=1500)
    assert len(long.points) > ROWS_AT_A_TIME * 1.5
    return long.gpx()


def test_a_file_cut_half_way_leaves_the_database_as_it_was(
    store: Store, gpx_file: Path, tmp_path: Path, outing
) -> None:
    importing.run_once(store.engine, gpx_file, clock=store.clock)
    before = dump(store)
    text = _long_gpx(outing)
    cut = tmp_path / "cut.gpx"
    cut.write_text(text[: len(text) * 9 // 10])
    with pytest.raises(IngestError):
        importing.run_once(store.engine, cut, clock=store.clock)
    assert dump(store) == before


def test_the_whole_file_still_goes_in_after_its_first_half_was_refused(
    store: Store, tmp_path: Path, outing
) -> None:
    text = _long_gpx(outing)
    file = tmp_path / "file.gpx"
    file.write_text(text[: len(text) * 9 // 10])
    with pytest.raises(IngestError):
        importing.run_once(store.engine, file, clock=store.clock)
    file.write_text(text)
    report = importing.run_once(store.engine, file, clock=store.clock)
    assert report.new == report.read > ROWS_AT_A_TIME


def test_two_imports_of_one_file_at_once_end_as_one(store: Store, tmp_path: Path, outing) -> None:
    file = tmp_path / "long.gpx"
    file.write_text(_long_gpx(outing))
    together = threading.Barrier(2)

    def run() -> int:
        together.wait(timeout=20)
        return importing.run_once(store.engine, file, clock=store.clock).new

    with ThreadPoolExecutor(2) as pool:
        new = sorted(each.result() for each in [pool.submit(run), pool.submit(run)])
    both = positions(store)
    assert new == [0, len(both)]
    assert len(set(both)) == len(both)
