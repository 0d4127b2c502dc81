"""Score the trip engine on published, labelled data: `python benchmarks/trips_scorecard.py`.

One command for its parts: `modes_left_out.py` (carbon and modes on data sets never trained on),
`trips_speed.py` (speed and memory), `trips_segmentation.py` (trips), `trips_modes.py` (modes with
the shipped model). Other tools take part where they are installed (`trips_peers.py`). The data are
kept for development, so these figures flatter. It needs the folder of reference data
(`--reference`, default ../shared/reference).
"""

import argparse
import os
import time
from pathlib import Path

import modes_left_out
import trips_modes
import trips_segmentation
import trips_speed
from trips_labelled import mobilitynet, ssi

from personal_store.trips.segment import segment

REPOSITORY = Path(__file__).resolve().parents[1]


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
    asked = parser.parse_args()
    folder, peers = asked.reference / "trips", asked.peer_python
    # One thread for training: on a busy machine several wait for each other without end.
    os.environ["OMP_NUM_THREADS"] = "1"
    phones, diary = list(mobilitynet(folder)), list(ssi(folder))
    print("Modes of people and places that the model was never trained on")
    views = (
        modes_left_out.EVERY_FIX,
        modes_left_out.THIN,
        *modes_left_out.read_files(asked.lines),
    )
    modes_left_out.report(modes_left_out.left_out(folder, views), views)
    trips_speed.report([*phones, *diary], peers)
    trips_segmentation.report(phones, peers)
    trips_segmentation.score_edges(phones)
    trips_segmentation.score_legs(phones)
    trips_segmentation.score_stays(diary)
    print("Modes with the shipped model, which knows these very legs: no measure of quality")
    for recordings in (phones, diary):
        trips_modes.report(recordings)
    began = time.process_time()
    for recording in diary:
        segment(recording.fixes)
    elapsed_s = time.process_time() - began
    fixes = sum(len(recording.fixes) for recording in diary)
    print(f"Whole chain with modes: {fixes / elapsed_s:,.0f} fixes/s of CPU time")


if __name__ == "__main__":
    main()
