"""How fast files are parsed, beside gpxpy and a plain `json.load`, in one run on one core.

`python benchmarks/ingest_speed.py [POINTS]` generates each file in memory, parses it three times
and prints the best: points a second of processor time, and the ratio to the peer. It measures
parsing alone, without the database. A peer that is not installed is left out.
"""

import io
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

from personal_store.ingest import csv_positions, google_records, gpx
from personal_store.ingest.judge import judge_for
from personal_store.ingest.positionfix import SourceFormat

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
FIRST = datetime(2024, 4, 21, tzinfo=UTC)
RUNS = 3


def iso(index: int) -> str:
    """Return the time of a point, one second after the other."""
    return (FIRST + timedelta(seconds=index)).strftime("%Y-%m-%dT%H:%M:%SZ")


def gpx_file(points: int) -> bytes:
    """Return one track, indented as loggers write it."""
    body = "".join(
        f'<trkpt lat="{46.16 + n * 1e-6:.6f}" lon="{-1.15 - n * 1e-6:.6f}">\n'
        f"  <ele>{7 + n % 10}.5</ele>\n  <time>{iso(n)}</time>\n</trkpt>\n"
        for n in range(points)
    )
    start = '<gpx xmlns="http://www.topografix.com/GPX/1/1" creator="benchmark">'
    return f"{start}<trk><trkseg>{body}</trkseg></trk></gpx>".encode()


def records_file(points: int) -> bytes:
    """Return a history with the fields that a phone's records have."""
    records = (
        {
            "latitudeE7": 461600000 + n,
            "longitudeE7": -11500000 - n,
            "accuracy": 12,
            "altitude": 20,
            "verticalAccuracy": 2,
            "velocity": 3,
            "source": "WIFI",
            "deviceTag": 123456789,
            "platformType": "ANDROID",
            "timestamp": iso(n),
        }
        for n in range(points)
    )
    return f'{{"locations": [{", ".join(map(json.dumps, records))}]}}'.encode()


def csv_file(points: int) -> bytes:
    """Return a table in a logger's columns."""
    rows = "".join(f"{iso(n)},{46.16 + n * 1e-6:.6f},-1.15,7.5,8,1.5\n" for n in range(points))
    return f"time,lat,lon,elevation,accuracy,speed\n{rows}".encode()


def best_s(run: Callable[[], object]) -> float:
    """Return the least processor time of a few runs, in seconds."""
    times_s = []
    for _ in range(RUNS):
        start_s = time.process_time()
        run()
        times_s.append(time.process_time() - start_s)
    return min(times_s)


def parsed(parse: Callable[..., object], source: SourceFormat, content: bytes) -> Callable[[], int]:
    """Return a run of one of our parsers that counts what comes out."""
    return lambda: sum(1 for _ in parse(io.BytesIO(content), judge_for(source, now=NOW)))


def main(points: int) -> None:
    """Print one line for each format, and the peers beside it."""
    content = gpx_file(points)
    ours_s = best_s(parsed(gpx.parse, SourceFormat.GPX, content))
    report("GPX", points, len(content), ours_s)
    if find_spec("gpxpy"):
        import gpxpy  # noqa: PLC0415 -- a peer that may be absent

        peer_s = best_s(lambda: gpxpy.parse(content.decode()))
        report("  gpxpy", points, len(content), peer_s, ratio=peer_s / ours_s)
    content = records_file(points)
    ours_s = best_s(parsed(google_records.parse, SourceFormat.GOOGLE_RECORDS, content))
    report("Records.json", points, len(content), ours_s)
    peer_s = best_s(lambda: json.load(io.BytesIO(content)))
    report("  json.load, no positions", points, len(content), peer_s, ratio=peer_s / ours_s)
    content = csv_file(points)
    ours_s = best_s(parsed(csv_positions.parse, SourceFormat.CSV, content))
    report("CSV", points, len(content), ours_s)


def report(
    name: str, points: int, size_bytes: int, spent_s: float, ratio: float | None = None
) -> None:
    """Print one measurement; `ratio` above 1 says that ours is that many times faster."""
    beside = "" if ratio is None else f"   ours is {ratio:.2f} times as fast"
    print(
        f"{name:28}{points / spent_s:12,.0f} points/s{size_bytes / spent_s / 1e6:8.1f} MB/s{beside}"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
