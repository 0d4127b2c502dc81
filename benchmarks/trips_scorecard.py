"""Score the trip engine on published, labelled data: `python benchmarks/trips_scorecard.py`.

It prints one Markdown table, carbon first, with the other tools that are installed in columns of
their own (`trips_peers.py` says how), and with `--write docs/trips.md` puts it into that page. Rows
come from `modes_left_out.py` (carbon and modes on data sets never trained on),
`trips_segmentation.py` (trips, legs, stays), `trips_speed.py` and `trips_modes.py` (the shipped
model). The data are kept for development, so these figures flatter. It needs the folder of
reference data (`--reference`, default ../shared/reference) and some ten minutes; `--sample` runs
all of it on a few recordings, for a minute, and its figures mean nothing.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import mode_learning
import mode_measures
import modes_left_out
import trips_modes
import trips_segmentation
import trips_speed
from trips_figures import Figure, Row, put_into, table
from trips_labelled import Recording, mobilitynet, ssi

REPOSITORY = Path(__file__).resolve().parents[1]
LEFT_OUT = (
    ("carbon error, share of the total", mode_measures.carbon_error),
    ("carbon bias, share of the total", mode_measures.carbon_bias),
    ("carbon, legs whose interval covers the truth", mode_measures.leg_coverage),
    ("accuracy, five classes", mode_measures.accuracy),
    ("macro F1, five classes", mode_measures.macro_f1),
    ("accuracy, walk, bike or motor", mode_measures.coarse_accuracy),
    ("ECE, five classes", mode_measures.calibration_error),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much of the data is scored: recordings and their fixes, positions, synthetic legs."""

    recordings: int | None = None
    fixes: int | None = None
    positions: int = trips_speed.MILLION
    every_leg: int = 1
    synthetic_legs: int = mode_learning.SYNTHETIC_LEGS


SAMPLE = Size(recordings=4, fixes=4000, positions=20_000, every_leg=12, synthetic_legs=4)


def scorecard(
    folder: Path, peers: Sequence[Path], *, views: Sequence[modes_left_out.View], size: Size
) -> list[Row]:
    """Return every row, carbon first."""
    phones, diary = (_first(list(read(folder)), size) for read in (mobilitynet, ssi))
    parts: dict[str, Callable[[], list[Row]]] = {
        "carbon and modes": lambda: left_out_rows(folder, views, size),
        "trips, legs and stays": lambda: trips_segmentation.rows(phones, diary, peers),
        "speed and memory": lambda: trips_speed.rows([*phones, *diary], peers, size=size.positions),
        "the shipped model": lambda: [*trips_modes.rows(phones), *trips_modes.rows(diary)],
    }
    found: list[Row] = []
    for name, rows in parts.items():
        began = time.monotonic()
        found += rows()
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return found


def left_out_rows(folder: Path, views: Sequence[modes_left_out.View], size: Size) -> list[Row]:
    """Return what modes and their carbon are worth on people and places never trained on."""
    judged = modes_left_out.left_out(
        folder,
        views,
        folds=modes_left_out.POPULATIONS,
        every_leg=size.every_leg,
        synthetic_legs=size.synthetic_legs,
    )
    return [
        Row(
            measure=measure,
            data=f"{name}; {view.title}; {len(legs)} legs of {len({leg.day for leg in legs})} days",
            ours=Figure(value=score(legs), low=low, high=high),
            digits=3,
        )
        for measure, score in LEFT_OUT
        for name, seen in judged.items()
        for view, legs in zip(views, seen, strict=True)
        for low, high in [mode_measures.bootstrap(legs, score)]
    ]


def _first(recordings: Sequence[Recording], size: Size) -> list[Recording]:
    """Return the recordings and the fixes that are scored."""
    return [replace(each, fixes=each.fixes[: size.fixes]) for each in recordings[: size.recordings]]


def main() -> None:
    """Print the scorecard."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = REPOSITORY.parent / "shared" / "reference"
    parser.add_argument("--reference", type=Path, default=default)
    parser.add_argument(
        "--peer-python",
        type=Path,
        action="append",
        default=[],
        help="Python of an environment with trackintel, infostop or scikit-mobility (repeatable)",
    )
    parser.add_argument("--lines", action="append", default=[], metavar="FILE[=MODE]")
    parser.add_argument("--sample", action="store_true", help="a few recordings, for a test")
    parser.add_argument("--write", type=Path, help="the page whose table is replaced")
    asked = parser.parse_args()
    # One thread for training: on a busy machine several wait for each other without end.
    os.environ["OMP_NUM_THREADS"] = "1"
    views = (
        modes_left_out.EVERY_FIX,
        modes_left_out.THIN,
        *modes_left_out.read_files(asked.lines),
    )
    before = os.getloadavg()[0]
    lines = table(
        scorecard(
            asked.reference / "trips",
            asked.peer_python,
            views=views,
            size=SAMPLE if asked.sample else Size(),
        )
    )
    loads = f"load {before:.1f} before and {os.getloadavg()[0]:.1f} after"
    lines += ["", f"{time.strftime('%F')}, {os.cpu_count()} cores, {loads}."]
    print("\n".join(lines))
    if asked.write:
        put_into(asked.write, lines)


if __name__ == "__main__":
    main()
