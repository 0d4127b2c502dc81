"""Time what stops and lines say of a leg: `python benchmarks/lines_lookup.py FEED.zip...`.

Legs are made along the tracks of the files and beside them, 60 fixes each, so that no trace of a
person is needed. It prints milliseconds of the processor per leg, and judges no answer.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from carbon.modes import TransportMode
from personal_store.trips.line_files import merged, read_lines
from personal_store.trips.lines import LineIndex, Lines
from personal_store.trips.track import Floats

LEGS = 300
FIXES = 60
ROUNDS = 5
MODES = (TransportMode.CAR, TransportMode.BUS, TransportMode.TRAM, TransportMode.TRAIN)


def legs_along(lines: Lines) -> list[tuple[Floats, Floats]]:
    """Return longitudes and latitudes of legs on parts of tracks, every other one 3 km beside."""
    rng = np.random.default_rng(20261122)
    tracks = [track for some in lines.tracks.values() for track in some]
    found = []
    for number in range(LEGS):
        track = tracks[rng.integers(len(tracks))]
        begins, ends = np.sort(rng.uniform(0, len(track) - 1, 2))
        at = np.linspace(begins, ends, FIXES)
        lon, lat = (np.interp(at, np.arange(len(track)), track[:, axis]) for axis in (0, 1))
        found.append((lon, lat + (0.03 if number % 2 else 0.0)))
    return found


def main() -> None:
    """Print how long the tree takes to build and a leg to be looked up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    lines = merged([read_lines(path) for path in parser.parse_args().files])
    began = time.process_time()
    index = LineIndex(lines)
    print(f"built in {time.process_time() - began:.2f} s of processor")
    legs = legs_along(lines)
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for lon, lat in legs:
            index.log_odds(MODES, lon, lat)
        found.append(1000 * (time.process_time() - began) / len(legs))
    points = sum(len(track) for some in lines.tracks.values() for track in some)
    print(
        f"{sorted(found)[ROUNDS // 2]:.2f} ms a leg [{min(found):.2f}, {max(found):.2f}],"
        f" tracks of {points:,} points"
    )


if __name__ == "__main__":
    main()
