"""Stream years of positions through the trip engine: `python benchmarks/trips_years.py [YEARS]`.

A made phone logs a position in ten seconds: home, a ride of 15 km, work, the ride back, every day.
It is cut in windows of 28 days, modes included, as a store computes a long history; memory must
not grow with the years. Windows are drawn before they are timed; nothing is read or stored.
"""

import resource
import sys
import time

import numpy as np

from personal_store.trips.cleaning import clean
from personal_store.trips.segment import cut, timeline_of
from personal_store.trips.track import Positions

WINDOW_DAYS = 28
EVERY_S = 10.0
FIXES = int(WINDOW_DAYS * 86_400 / EVERY_S)
DAY_H = (0, 8, 8.5, 17, 17.5, 24)
PLACE_M = (0, 0, 15_000, 15_000, 0, 0)


def window(number: int) -> Positions:
    """Return the positions of one window of 28 days; they wobble by 4 m."""
    rng = np.random.default_rng(number)
    time_s = 1.6e9 + number * WINDOW_DAYS * 86_400 + EVERY_S * np.arange(FIXES)
    north_m = np.interp(time_s % 86_400 / 3600, DAY_H, PLACE_M) + rng.normal(0, 4, FIXES)
    return Positions(
        time_s=time_s,
        lon=-1.15 + rng.normal(0, 4, FIXES) / 77_000,
        lat=46.0 + north_m / 111_195,
        accuracy_m=np.full(FIXES, 8.0),
        recorded=np.zeros(FIXES, dtype=np.bool_),
        activity=None,
        confidence=None,
    )


def peak_mb() -> float:
    """Return the most memory that this process has held, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print the processor time, the trips and the peak memory after the first and last year."""
    years = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    windows = round(years * 365.25 / WINDOW_DAYS)
    seconds, trips = 0.0, 0
    for number in range(windows):
        positions = window(number)
        began = time.process_time()
        trips += len(timeline_of("phone", cut(clean(positions))).trips)
        seconds += time.process_time() - began
        if number in {min(12, windows - 1), windows - 1}:
            print(
                f"{(number + 1) * WINDOW_DAYS / 365.25:.1f} years,"
                f" {(number + 1) * FIXES / 1e6:.1f} M positions, {trips} trips:"
                f" {seconds:.1f} s of processor time, peak {peak_mb():.0f} MB"
            )


if __name__ == "__main__":
    main()
