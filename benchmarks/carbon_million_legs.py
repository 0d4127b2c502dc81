"""How long a million legs take, against the scalar path and against a plain loop.

    python benchmarks/carbon_million_legs.py [--legs 1000000]

Each leg has six possible modes with probabilities, a distance, a day of one year, occupants and a
distance error. Times are processor seconds, the best of three, threads of numpy held to one. The
columns exist before the clock starts, as they would in a table; for the scalar path so do the leg
objects. The plain loop is what most calculators do: distance times a constant, one figure, no
interval, no day, no band, no check. It says what the rest costs.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from datetime import date

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from carbon.columns import LegColumns, columns_footprint
from carbon.factors import load_factor_set
from carbon.footprint import Footprint, LegActivity, total_footprint
from carbon.modes import TransportMode

MODES = (
    TransportMode.CAR,
    TransportMode.BUS,
    TransportMode.BIKE,
    TransportMode.WALK,
    TransportMode.TRAIN,
    TransportMode.UNKNOWN,
)
SCALAR_LEGS = 10_000
ROUNDS = 3


def columns_of(count: int) -> LegColumns:
    """Return `count` legs of six possible modes each, the same ones at every run."""
    rng = np.random.default_rng(20261122)
    weights = rng.random((len(MODES), count))
    return LegColumns(
        modes=dict(zip(MODES, weights / weights.sum(axis=0), strict=True)),
        distance_m=rng.lognormal(8.5, 1.2, count),
        days=date(2026, 1, 1).toordinal() + rng.integers(0, 365, count),
        occupants=rng.choice([1.0, 1.0, 1.4, 2.0], count),
        distance_u95_percent=np.full(count, 10.0),
    )


def legs_of(columns: LegColumns, count: int) -> list[LegActivity]:
    """Return the first legs of the columns as objects."""
    return [
        LegActivity(
            modes={mode: float(column[row]) for mode, column in columns.modes.items()},
            distance_m=float(columns.distance_m[row]),
            on=date.fromordinal(int(columns.days[row])),
            occupants=float(columns.occupants[row]),
            distance_u95_percent=10.0,
        )
        for row in range(count)
    ]


def plain_loop(legs: list[LegActivity], per_km: dict[TransportMode, float]) -> float:
    """Return one figure and nothing else."""
    total = 0.0
    for leg in legs:
        for mode, probability in leg.modes.items():
            total += probability * per_km[mode] * leg.distance_m / 1000
    return total


def timed(work: Callable[[], object]) -> float:
    """Return the least processor time of some rounds, in seconds."""
    seconds = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        work()
        seconds.append(time.process_time() - begin)
    return min(seconds)


def agreement(one: Footprint, other: Footprint) -> float:
    """Return the largest relative difference between the figures of two footprints."""
    return max(
        abs(getattr(a, end) - getattr(b, end)) / getattr(b, end)
        for a, b in ((one.usage, other.usage), (one.life_cycle, other.life_cycle))
        for end in ("value", "low", "high")
    )


def main() -> int:
    """Print the times, and fail if a million legs take two seconds or more."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--legs", type=int, default=1_000_000)
    count = parser.parse_args().legs
    factor_set = load_factor_set()
    columns = columns_of(count)
    legs = legs_of(columns, min(SCALAR_LEGS, count))
    few = LegColumns(
        modes={mode: column[: len(legs)] for mode, column in columns.modes.items()},
        distance_m=columns.distance_m[: len(legs)],
        days=columns.days[: len(legs)],
        occupants=columns.occupants[: len(legs)],
        distance_u95_percent=10.0,
    )
    per_km = dict.fromkeys(MODES, 0.1)
    million = timed(lambda: columns_footprint(columns, factor_set))
    scalar = timed(lambda: total_footprint(legs, factor_set))
    plain = timed(lambda: plain_loop(legs, per_km))
    apart = agreement(columns_footprint(few, factor_set), total_footprint(legs, factor_set))
    print(f"columns    {count:>9} legs of six modes  {million:7.3f} s")
    print(f"scalar     {len(legs):>9} legs of six modes  {scalar:7.3f} s")
    print(f"plain loop {len(legs):>9} legs of six modes  {plain:7.3f} s, one figure, no interval")
    print(f"per leg: columns {million / count * 1e6:.2f}, scalar {scalar / len(legs) * 1e6:.2f}, ")
    print(f"         plain loop {plain / len(legs) * 1e6:.2f} microseconds")
    print(f"largest relative difference between columns and scalar: {apart:.1e}")
    return 0 if million / count * 1e6 < 2.0 else 1


if __name__ == "__main__":
    sys.exit(main())
