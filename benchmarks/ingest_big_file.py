"""A year's worth of positions in one file: parse and insert into the encrypted database.

`python benchmarks/ingest_big_file.py [POSITIONS]` (4,000,000 unless given: 1 GB) writes a
Records.json from a fixed seed beside the temporary files of the machine, imports it as
`personal-store import` does, and prints seconds, positions a second and the peak resident memory of
both processes; then, in the same run, how long a plain `json.load` of the same file takes (no
position made, nothing stored) and what it takes in memory.
"""

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from personal_store.clock import SystemClock
from personal_store.db.connection import open_database
from personal_store.jobs import importing
from personal_store.vault import DatabaseKey

SEED = 20261101
FIRST = datetime(2018, 3, 1, tzinfo=UTC)
DEVICES = (-1849312, 57201946, 1630287411)
ACTIVITIES = ("STILL", "WALKING", "ON_BICYCLE", "IN_VEHICLE")
PEER = """
import json, resource, sys, time
start_s = time.perf_counter()
with open(sys.argv[1], "rb") as file:
    count = len(json.load(file)["locations"])
print(time.perf_counter() - start_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def write_records(file: Path, positions: int) -> None:
    """Write a history of three phones: a random walk, a third of it with an activity."""
    draw = random.Random(SEED)  # noqa: S311 -- a benchmark, no secret
    at, lat, lon = FIRST, 461_600_000, -11_500_000
    with file.open("w") as out:
        out.write('{"locations": [')
        for n in range(positions):
            at += timedelta(seconds=draw.randrange(5, 120), milliseconds=draw.randrange(1000))
            lat += draw.randrange(-900, 901)
            lon += draw.randrange(-900, 901)
            record: dict[str, object] = {
                "latitudeE7": lat,
                "longitudeE7": lon,
                "accuracy": draw.randrange(3, 60),
                "altitude": draw.randrange(2, 90),
                "verticalAccuracy": 2,
                "velocity": draw.randrange(0, 30),
                "source": "WIFI",
                "deviceTag": DEVICES[n % 7 % 3],
                "platformType": "ANDROID",
                "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            }
            if n % 3 == 0:
                seen = {"type": ACTIVITIES[draw.randrange(4)], "confidence": draw.randrange(101)}
                record["activity"] = [{"timestamp": record["timestamp"], "activity": [seen]}]
            out.write(("," if n else "") + json.dumps(record))
        out.write("]}")


def peak_mb(who: int) -> float:
    """Return the most memory that this process, or the largest of those it waited for, held."""
    return resource.getrusage(who).ru_maxrss / 1024


def main(positions: int) -> None:
    """Write, import, compare."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "Records.json"
        write_records(file, positions)
        size_mb = file.stat().st_size / 1e6
        print(f"{positions:,} positions, {size_mb:,.0f} MB, seed {SEED}")
        engine = open_database(Path(folder), DatabaseKey(bytes(range(32))))
        start_s, start_cpu_s = time.perf_counter(), time.process_time()
        report = importing.run_once(engine, file, clock=SystemClock())
        spent_s, cpu_s = time.perf_counter() - start_s, time.process_time() - start_cpu_s
        first, second = peak_mb(resource.RUSAGE_SELF), peak_mb(resource.RUSAGE_CHILDREN)
        child = resource.getrusage(resource.RUSAGE_CHILDREN)
        engine.dispose()
        assert report.new == positions
        print(
            f"import     {spent_s:7.1f} s  {positions / spent_s:10,.0f} positions/s  "
            f"{size_mb / spent_s:6.1f} MB/s  peak {first:.0f} + {second:.0f} MB resident"
        )
        print(
            f"  processor time: {cpu_s:.1f} s inserting, "
            f"{child.ru_utime + child.ru_stime:.1f} s parsing in the second process"
        )
        peer = subprocess.run(
            [sys.executable, "-c", PEER, str(file)], capture_output=True, text=True, check=True
        )
        peer_s, mb = map(float, peer.stdout.split())
        print(
            f"json.load  {peer_s:7.1f} s  {positions / peer_s:10,.0f} records/s    "
            f"{size_mb / peer_s:6.1f} MB/s  peak {mb:.0f} MB resident, nothing stored"
        )
        print(f"import takes {spent_s / peer_s:.1f} times as long as json.load alone")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4_000_000)
