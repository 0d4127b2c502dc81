"""Time `personal-store process`: from positions in the encrypted database to stored trips.

A synthetic life, one fix every ten seconds day and night (home, work and back with a stop, ten
metres of jitter), is imported without its file and then processed as the program does it. Each
size runs in a process of its own, so that its peak memory is its own; a straight line of seconds
over sizes and a level peak are what to look for. Nothing is kept.

    python benchmarks/trips_from_database.py [YEARS ...]

A year is 3,153,600 fixes; default 0.25, 0.5 and 1.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from personal_store.db import positionfixes
from personal_store.db.connection import open_database, writing
from personal_store.db.fix_rows import FixRow
from personal_store.jobs import pipeline
from personal_store.vault import DatabaseKey

EVERY_S = 10
DAY_FIXES = 86_400 // EVERY_S
START_MS = 1_420_070_400_000  # 2015-01-01 UTC
JITTER_E7 = 400  # 4 m of latitude
WORK_E7 = 1_200_000  # 13 km north


def main() -> None:
    """Print a line for each size."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(_measure(int(sys.argv[2]))))
        return
    years = [float(each) for each in sys.argv[1:]] or [0.25, 0.5, 1.0]
    print(
        f"From database to stored trips (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)"
    )
    for each in years:
        command = [sys.executable, __file__, "--one", str(round(each * 365))]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        seen = json.loads(done.stdout)
        print(
            f"  {seen['fixes']:>11,} fixes  {seen['seconds']:7.1f} s"
            f"  {seen['fixes'] / seen['seconds']:>9,.0f} fixes/s"
            f"  {seen['cpu_s']:7.1f} s of processor"
            f"  {seen['trips']:>6} trips  peak {seen['peak_mb']:.0f} MB",
            flush=True,
        )


def _measure(days: int) -> dict[str, float]:
    """Fill a database with so many days, process it, and return what that took."""
    with TemporaryDirectory() as folder:
        engine = open_database(Path(folder), DatabaseKey(bytes(range(32))))
        for rows in _days(days):
            with writing(engine) as connection:
                positionfixes.add_rows(connection, rows)
        began, cpu = time.perf_counter(), time.process_time()
        pipeline.run_once(engine)
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - cpu
        held = pipeline.held(engine)
        engine.dispose()
    return {
        "fixes": held.positionfixes,
        "trips": held.trips,
        "seconds": seconds,
        "cpu_s": cpu_s,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _days(days: int) -> Iterator[list[FixRow]]:
    """Yield the rows of ten days at a time."""
    draw = np.random.default_rng(20)
    north = _one_day()
    for first in range(0, days, 10):
        size = min(10, days - first)
        lat = np.tile(north, size) + draw.normal(0, JITTER_E7, size * DAY_FIXES) + 461_600_000
        lon = draw.normal(0, JITTER_E7, size * DAY_FIXES) - 11_500_000
        at_ms = START_MS + 1000 * EVERY_S * (first * DAY_FIXES + np.arange(size * DAY_FIXES))
        nothing = (None,) * 5
        yield [
            ("owntracks-live", "telephone", *each, 8.0, *nothing, at_ms_of_arrival)
            for each in zip(
                at_ms.tolist(), lon.astype(int).tolist(), lat.astype(int).tolist(), strict=True
            )
            for at_ms_of_arrival in (each[0],)
        ]


def _one_day() -> np.ndarray:
    """Return how far north of home each fix of a day is, in 1e-7 degrees."""
    hours = np.arange(DAY_FIXES) * EVERY_S / 3600
    stops = [(0, 0), (7.5, 0), (7.8, 0.4), (8.0, 0.4), (8.3, 1), (17.5, 1), (18.0, 0), (24, 0)]
    return WORK_E7 * np.interp(hours, [at for at, _ in stops], [place for _, place in stops])


if __name__ == "__main__":
    main()
