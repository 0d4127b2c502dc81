"""A kill at any moment of an import: nothing lost, nothing twice, and the rest goes on from there.

The killed program is a real process and the kill a real SIGKILL, at a moment drawn from a seed.
"""

import io
import json
import multiprocessing
import random
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from personal_store.db import imports
from personal_store.db.connection import reading
from personal_store.db.imports import FileImport, ImportState
from personal_store.errors import ImportStopped
from personal_store.ingest import google_records
from personal_store.ingest.judge import judge_for
from personal_store.ingest.positionfix import SourceFormat
from personal_store.jobs import chunks, importing
from personal_store.store import Store

RECORDS = 60_000
KILLED = """
import os, signal, sys
from pathlib import Path
from personal_store.clock import SystemClock
from personal_store.db.connection import open_database
from personal_store.jobs import importing, chunks
from personal_store.vault import DatabaseKey

folder, file, key, at_chunk, per_chunk, smallest = sys.argv[1:]
chunks.SECOND_PROCESS_BYTES = int(smallest)
engine = open_database(Path(folder), DatabaseKey(bytes.fromhex(key)))
told = 0

def on_progress(reached):
    global told
    told += 1
    if told > int(at_chunk):
        os.kill(os.getpid(), signal.SIGKILL)

importing.run_once(
    engine,
    Path(file),
    clock=SystemClock(),
    on_progress=on_progress,
    entries_at_a_time=int(per_chunk),
)
"""


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("export") / "Records.json"
    start = datetime(2024, 4, 21, tzinfo=UTC)
    entries = [
        {
            "latitudeE7": 461_600_000 + n * 37 % 9973,
            "longitudeE7": -11_500_000 - n * 41 % 9967,
            "timestamp": (start + timedelta(seconds=60 * n)).isoformat(),
            "deviceTag": n % 3,
            # Letters of two and four bytes: a place in the file counts bytes.
            "source": "é€😀"[n % 3],
        }
        for n in range(RECORDS)
    ]
    document = {"locations": entries, "settings": {"à": 1}}
    file.write_text(json.dumps(document, ensure_ascii=False))
    return file


def positions(store: Store) -> list[tuple[object, ...]]:
    with reading(store.engine) as connection:
        query = "SELECT device, at_ms, lon_e7, lat_e7 FROM positionfix ORDER BY 1, 2"
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def expected(records: Path) -> list[tuple[object, ...]]:
    entries = json.loads(records.read_text())["locations"]
    return sorted(
        (
            str(each["deviceTag"]),
            int(datetime.fromisoformat(each["timestamp"]).timestamp()) * 1000,
            each["longitudeE7"],
            each["latitudeE7"],
        )
        for each in entries
    )


def last_import(store: Store) -> FileImport:
    with reading(store.engine) as connection:
        return imports.newest(connection, limit=1)[0]


def start_killed(store: Store, key, file: Path, *, after: int, entries: int, in_second: bool):
    smallest = 0 if in_second else 10**12
    command = [sys.executable, "-c", KILLED, store.folder, file, key.hex(), after, entries]
    return subprocess.Popen([str(each) for each in [*command, smallest]])


@pytest.mark.parametrize("in_second", [False, True], ids=["one process", "two processes"])
def test_an_import_killed_after_a_chunk_goes_on_from_there(store, key, records, in_second) -> None:
    killed = start_killed(store, key, records, after=3, entries=7_000, in_second=in_second)
    assert killed.wait(timeout=600) == -9
    cut_short = last_import(store)
    assert (cut_short.state, cut_short.entries) == (ImportState.READING, 21_000)
    assert cut_short.place is not None
    report = importing.run_once(store.engine, records, clock=store.clock)
    assert (report.resumed_entries, report.read, report.new) == (21_000, RECORDS, RECORDS)
    assert positions(store) == expected(records)


def test_the_part_that_is_in_is_not_read_again(store, key, records) -> None:
    start_killed(store, key, records, after=3, entries=7_000, in_second=False).wait(timeout=600)
    place = last_import(store).place
    # What lies before the place is destroyed: only a reading that skips it can still succeed.
    rest = io.BytesIO(b"#" * place.offset_bytes + records.read_bytes()[place.offset_bytes :])
    judge = judge_for(SourceFormat.GOOGLE_RECORDS, now=store.clock.now())
    entries = list(google_records.resume(rest, judge, place).entries)
    assert len(entries) == RECORDS - 21_000


def test_an_archive_that_was_cut_short_goes_on_after_what_is_in(
    store, key, records, tmp_path
) -> None:
    archive = tmp_path / "takeout.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(records, "Takeout/Records.json")
    start_killed(store, key, archive, after=2, entries=9_000, in_second=False).wait(timeout=600)
    report = importing.run_once(store.engine, archive, clock=store.clock)
    assert (report.resumed_entries, report.new) == (18_000, RECORDS)
    assert positions(store) == expected(records)


def test_a_second_process_that_is_killed_leaves_an_import_to_go_on_with(
    store, records, monkeypatch
) -> None:
    monkeypatch.setattr(chunks, "SECOND_PROCESS_BYTES", 0)

    def kill_it(reached: FileImport) -> None:
        # None is left the second time: a chunk that was on its way arrives after the kill.
        for second in multiprocessing.active_children() if reached.entries else []:
            second.kill()
            second.join()

    with pytest.raises(ImportStopped):
        importing.run_once(
            store.engine, records, clock=store.clock, on_progress=kill_it, entries_at_a_time=5000
        )
    assert last_import(store).state is ImportState.READING
    report = importing.run_once(store.engine, records, clock=store.clock)
    assert report.resumed_entries > 0
    assert positions(store) == expected(records)


def kill_at_random(store, key, records, draw: random.Random) -> None:
    """Kill imports at random moments until one ends by itself; then import once more."""
    in_second = draw.random() < 0.5
    for _ in range(draw.randrange(1, 4)):
        process = start_killed(
            store,
            key,
            records,
            after=10**9,
            entries=draw.randrange(500, 9_000),
            in_second=in_second,
        )
        try:
            process.wait(timeout=draw.uniform(0.4, 2.5))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=600)
    importing.run_once(store.engine, records, clock=store.clock)
    assert positions(store) == expected(records)


def test_kills_at_two_random_moments_lose_nothing_and_double_nothing(store, key, records) -> None:
    kill_at_random(store, key, records, random.Random(4))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_kills_at_many_random_moments_lose_nothing_and_double_nothing(
    store, key, records, seed
) -> None:
    kill_at_random(store, key, records, random.Random(1000 + seed))
