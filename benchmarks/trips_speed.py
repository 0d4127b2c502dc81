"""Time the engine and its peers on one million real positions: part of `trips_scorecard.py`.

The labelled positions are laid one after another until there are a million; a second million is of
a phone on the way, where other tools are slower. Seconds are those of the processor, so that other
programs on the machine count less; of ours the first run, which compiles, is not counted. Ours runs
in a process of its own, so that its peak memory is its own:
`python benchmarks/trips_speed.py FILE.npz`.
"""

import json
import math
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from trips_figures import TOOLS, Figure, Row
from trips_labelled import Recording

from personal_store.trips.cleaning import clean
from personal_store.trips.segment import cut
from personal_store.trips.track import Positions

MILLION = 1_000_000
ROUNDS = 7
PEERS = Path(__file__).with_name("trips_peers.py")


def rows(
    recordings: Sequence[Recording], peers: Sequence[Path], *, size: int = MILLION
) -> list[Row]:
    """Return speed and peak memory, ours and the peers', at rest and on the way."""
    return [
        *_rows("labelled, mostly at rest", repeated(recordings, size), peers),
        *_rows("made, 50 minutes an hour on the way", moving(size), peers),
    ]


def _rows(name: str, columns: dict[str, np.ndarray], peers: Sequence[Path]) -> list[Row]:
    """Return what ours and the peers need for some positions."""
    size = len(columns["t"])
    data = f"{size:,} positions, {name}"
    with TemporaryDirectory() as folder:
        path = Path(folder, "positions.npz")
        np.savez(path, **columns)
        told = _answer([sys.executable, __file__, str(path)])
        others = dict(_peers(peers, path, (15,)))
    seconds = sorted(told["seconds"])
    middle, best, worst = seconds[len(seconds) // 2], seconds[0], seconds[-1]
    return [
        Row(
            measure="positions a second of processor: clean, stays, trips, legs",
            data=data,
            ours=Figure(value=size / middle, low=size / worst, high=size / best),
            peers={tool: Figure(value=size / each["seconds"]) for tool, each in others.items()},
            digits=0,
        ),
        Row(
            measure="the other's time over ours",
            data=data,
            ours=Figure(value=1.0),
            peers={
                tool: Figure(
                    value=each["seconds"] / middle,
                    low=each["seconds"] / worst,
                    high=each["seconds"] / best,
                )
                for tool, each in others.items()
            },
            digits=0,
        ),
        Row(
            measure="peak memory, MB",
            data=data,
            ours=Figure(value=told["peak_mb"]),
            peers={tool: Figure(value=each["peak_mb"]) for tool, each in others.items()},
            digits=0,
        ),
    ]


def run_peers(
    peers: Sequence[Path], recordings: Sequence[Recording], minutes: Sequence[float]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each installed tool's trips of each recording, by activity threshold in minutes."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "recordings.npz")
        columns = [_columns(recording) for recording in recordings]
        ends = np.cumsum([len(each) for each in columns])
        t, lat, lon = np.concatenate(columns)[:, :3].T
        np.savez(path, t=t, lat=lat, lon=lon, starts=np.append(0, ends[:-1]), ends=ends)
        yield from _peers(peers, path, minutes)


def _peers(
    peers: Sequence[Path], path: Path, minutes: Sequence[float]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what each tool that is installed answers."""
    for tool in TOOLS:
        for python in peers:
            command = [str(python), str(PEERS), str(path), tool, *map(str, minutes)]
            try:
                answer = _answer(command)
            except subprocess.CalledProcessError:
                continue
            yield tool, answer
            break
        else:
            print(f"{tool} is not installed (see trips_peers.py): left out", file=sys.stderr)


def _answer(command: Sequence[str]) -> dict[str, Any]:
    """Return the JSON object that a command prints."""
    done = subprocess.run(command, capture_output=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _columns(recording: Recording) -> np.ndarray:
    """Return time, lat, lon and accuracy of a recording, in time order."""
    rows = [
        (fix.at.timestamp(), fix.lat, fix.lon, np.nan if fix.accuracy_m is None else fix.accuracy_m)
        for fix in recording.fixes
    ]
    return np.array(sorted(rows))


def repeated(recordings: Sequence[Recording], size: int) -> dict[str, np.ndarray]:
    """Return so many positions: the recordings one after another, two hours apart."""
    every = [_columns(recording) for recording in recordings]
    parts, at, count = [], 1.5e9, 0
    while count < size:
        for columns in every:
            parts.append(columns + np.array((at - columns[0, 0], 0, 0, 0)))
            at, count = parts[-1][-1, 0] + 7200, count + len(columns)
    t, lat, lon, accuracy_m = np.concatenate(parts)[:size].T
    edges = {"starts": np.array([0]), "ends": np.array([size])}
    return {"t": t, "lat": lat, "lon": lon, "accuracy_m": accuracy_m, **edges}


def moving(size: int) -> dict[str, np.ndarray]:
    """Return so many positions, one in two seconds, of a phone on the way as GeoLife's are.

    Every hour it travels 50 minutes at the pace of a walk, a bike, a bus or a car, turning every
    minute, and then rests; positions wobble by 4 m.
    """
    rng = np.random.default_rng(20261122)
    hours = size // 1800 + 1
    pace_mps = np.repeat(rng.choice((1.4, 4.5, 8.0, 17.0), hours), 1800)
    pace_mps[np.arange(len(pace_mps)) % 1800 >= 1500] = 0.0
    heading = np.repeat(np.cumsum(rng.normal(0, 0.6, hours * 60)), 30)
    wobble = rng.normal(0, 4, (2, len(pace_mps)))
    north_m, east_m = np.cumsum(2 * pace_mps * np.array((np.sin(heading), np.cos(heading))), 1)
    return {
        "t": 1.5e9 + 2.0 * np.arange(size),
        "lat": (46.0 + (north_m + wobble[0]) / 111_195)[:size],
        "lon": (2.0 + (east_m + wobble[1]) / 77_000)[:size],
        "accuracy_m": np.full(size, 8.0),
        "starts": np.array([0]),
        "ends": np.array([size]),
    }


def main() -> None:
    """Print the seconds of each run and the peak memory, as one JSON object."""
    data = np.load(sys.argv[1])
    columns = {name: np.ascontiguousarray(data[name]) for name in ("t", "lat", "lon", "accuracy_m")}
    seconds = []
    for _ in range(ROUNDS + 1):
        began = time.process_time()
        cut(clean(_positions(columns)))
        seconds.append(time.process_time() - began)
    print(json.dumps({"first_s": seconds[0], "seconds": seconds[1:], "peak_mb": peak_mb()}))


def peak_mb() -> float:
    """Return the most memory this program has held, in megabytes.

    Not `ru_maxrss`, which starts at what the program that started this one held (Linux).
    """
    held_kb = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(held_kb[1]) / 1024 if held_kb else math.nan


def _positions(columns: dict[str, np.ndarray]) -> Positions:
    """Return the positions as the engine takes them."""
    return Positions(
        time_s=columns["t"],
        lon=columns["lon"],
        lat=columns["lat"],
        accuracy_m=columns["accuracy_m"],
        recorded=np.zeros(len(columns["t"]), dtype=np.bool_),
        activity=None,
        confidence=None,
    )


if __name__ == "__main__":
    main()
