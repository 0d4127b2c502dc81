"""Score the trip engine on published, labelled data: `python benchmarks/trips_scorecard.py`.

One command for its parts: `trips_segmentation.py` (trips), `trips_modes.py` (modes). The data are
kept for development, so these figures flatter. It needs the folder of reference data
(`--reference`, default ../shared/reference).
"""

import argparse
import time
from pathlib import Path

import trips_modes
import trips_segmentation
from trips_labelled import mobilitynet, ssi

from personal_store.trips.segment import segment

REPOSITORY = Path(__file__).resolve().parents[1]


def main() -> None:
    """Print the scorecard."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = REPOSITORY.parent / "shared" / "reference"
    parser.add_argument("--reference", type=Path, default=default)
    folder = parser.parse_args().reference / "trips"
    phones, diary = list(mobilitynet(folder)), list(ssi(folder))
    print(f"Trips, MobilityNet: {len(phones)} recordings, {len({r.day for r in phones})} days")
    for minutes in (5, 15, 25):
        trips_segmentation.score_trips(phones, activity_min_s=60 * minutes)
    for recordings in (phones, diary):
        trips_modes.report(recordings)
    began = time.process_time()
    for recording in diary:
        segment(recording.fixes)
    elapsed_s = time.process_time() - began
    print(f"Whole chain: {sum(len(r.fixes) for r in diary) / elapsed_s:,.0f} fixes/s of CPU time")


if __name__ == "__main__":
    main()
