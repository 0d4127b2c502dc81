"""Judge modes on data sets that the model was not trained on: carbon first, then calibration.

Each of MobilityNet, SSI and GOAL is left out in turn, then only later or every other days of the
first two; the model is learned without what it judges. GOAL, minutes of delivery rounds, is judged
on calibration alone, and so are the sets never trained on, taken together. Legs are true ones, as
single phones saw them, and modes are said as the program says them. Intervals: a bootstrap over
days, never over phones of one day. A part of `trips_scorecard.py`; alone:
`python benchmarks/modes_left_out.py`. `--lines FEED.zip` and `--lines RAILS.json=train` add the
stops and lines of the places where the legs were travelled.
"""

import argparse
import os
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import mode_learning
import mode_traces
import numpy as np
from mode_measures import (
    MEASURES,
    Judged,
    accuracy,
    bootstrap,
    calibration_error,
    chance_error,
    change,
    true_error,
    whole,
    with_days,
)
from mode_traces import LabelledLeg
from numpy.typing import NDArray

from carbon.activity import LegActivity
from carbon.factors import load_factor_set
from carbon.footprint import total_footprint
from carbon.modes import TransportMode
from carbon.uncertainty import Interval
from personal_store.trips.line_files import merged, read_lines
from personal_store.trips.lines import LineIndex
from personal_store.trips.model.boosting import model_of
from personal_store.trips.modes import mixtures, stated
from personal_store.trips.track import Floats

FIVE = {
    **dict.fromkeys(("walk", "run"), "walk"),
    **dict.fromkeys(("bike", "escooter"), "bike"),
    "car": "car",
    "bus": "bus",
    **dict.fromkeys(("tram", "metro", "train", "train_tgv"), "rail"),
    "plane": "plane",
    "ferry": "ferry",
}
LATER_FROM = "MobilityNet/18113"
"""August 2019: 118 of MobilityNet's 314 legs are from then on."""
ON = date(2026, 11, 2)
POPULATIONS = ("MobilityNet, never trained on", "SSI, never trained on")
ROUNDS_OF_DELIVERY = "GOAL, never trained on"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How the judged legs are seen: a fix every `keep_s` seconds (0: all), beside some lines."""

    title: str
    keep_s: float = 0.0
    lines: LineIndex | None = None


EVERY_FIX = View(title="motion only, every fix")
THIN = View(title="motion only, a fix a minute", keep_s=60.0)


def left_out(
    folder: Path,
    views: Sequence[View],
    *,
    folds: Collection[str] = (),
    every_leg: int = 1,
    synthetic_legs: int = mode_learning.SYNTHETIC_LEGS,
) -> dict[str, list[list[Judged]]]:
    """Return legs as judged by a model that never saw their data set, or never saw their days.

    Each of `folds` (all where none is named) has a list of legs for each view. `every_leg` takes
    one of so many real legs.
    """
    legs = mode_traces.mobilitynet(folder) + mode_traces.ssi(folder) + mode_traces.goal(folder)
    legs = legs[::every_leg]
    known = mode_learning.examples(legs, synthetic_legs=synthetic_legs)
    of_set = np.array([leg.data_set for leg in legs])
    days = np.array([leg.day for leg in legs])
    later = (of_set == "MobilityNet") & (days >= LATER_FROM)
    diary = sorted(set(days[of_set == "SSI"]))
    parts_of = {
        POPULATIONS[0]: [of_set == "MobilityNet"],
        POPULATIONS[1]: [of_set == "SSI"],
        ROUNDS_OF_DELIVERY: [of_set == "GOAL"],
        "MobilityNet, later days, trained on the earlier ones": [later],
        "SSI, every other day, trained on the others": [
            np.isin(days, diary[half::2]) for half in (0, 1)
        ],
    }
    found: dict[str, list[list[Judged]]] = {}
    for name, parts in parts_of.items():
        if folds and name not in folds:
            continue
        found[name] = [[] for _ in views]
        for out in parts:
            judged = _judged_fold(legs, known, out, views)
            found[name] = [
                [*each, *with_days(new)] for each, new in zip(found[name], judged, strict=True)
            ]
    return found


def _judged_fold(
    legs: Sequence[LabelledLeg],
    known: mode_learning.Examples,
    out: NDArray[np.bool_],
    views: Sequence[View],
) -> list[list[Judged]]:
    """Return the legs of `out`, view by view, as judged by a model learned from all the others."""
    real = known.data_set != "synthetic"
    document = mode_learning.learn(known.where(~(real & np.isin(known.leg, np.flatnonzero(out)))))
    model = model_of(document)
    unseen = [leg for leg, is_out in zip(legs, out, strict=True) if is_out]
    lengths_m = mode_learning.lengths_m(unseen)
    found = []
    for view in views:
        traces = [_thinned(leg, view.keep_s) for leg in unseen]
        measured = mode_learning.measured(traces)
        chances = mixtures(model, measured, lengths_m, _said(model.modes, traces, view.lines))
        found.append(
            [
                judged(leg, dict(zip(model.modes, row, strict=True)), float(length_m))
                for leg, row, length_m in zip(unseen, chances.tolist(), lengths_m, strict=True)
            ]
        )
    return found


def _said(
    modes: Sequence[TransportMode], traces: Sequence[mode_learning.Trace], lines: LineIndex | None
) -> Floats | None:
    """Return what stops and lines say of each trace."""
    if lines is None:
        return None
    places = [np.degrees(_angles(xyz_m)) for _, xyz_m in traces]
    return np.stack([lines.log_odds(modes, lon, lat) for lon, lat in places])


def _angles(xyz_m: Floats) -> Floats:
    """Return longitudes and latitudes in radians, shape (2, n)."""
    x, y, z = xyz_m.T
    return np.stack((np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))))


def report(judged: dict[str, list[list[Judged]]], views: Sequence[View]) -> None:
    """Print the figures, carbon first."""
    for name, seen in judged.items():
        if name == ROUNDS_OF_DELIVERY:
            continue
        for view, legs in zip(views, seen, strict=True):
            days = len({leg.day for leg in legs})
            print(f"{name}; {view.title}: {len(legs)} legs of {days} days, {whole(legs)}")
            for title, measure in MEASURES:
                low, high = bootstrap(legs, measure)
                print(f"  {title:38s} {measure(legs):+.3f} [{low:+.3f}, {high:+.3f}]")
            print(f"  {'ECE of a perfect judge, by chance':38s} {chance_error(legs):+.3f}")
        for view, legs in zip(views[1:], seen[1:], strict=True):
            gain, low, high = change(seen[0], legs)
            print(f"  carbon error, {view.title}: {gain:+.3f} [{low:+.3f}, {high:+.3f}]")
    for names in ((ROUNDS_OF_DELIVERY,), POPULATIONS, (*POPULATIONS, ROUNDS_OF_DELIVERY)):
        for number, view in enumerate(views):
            legs = [leg for name in names for leg in judged[name][number]]
            print(f"{'; '.join(names)}; {view.title}: {len(legs)} legs")
            _calibration(legs)


def _calibration(legs: Sequence[Judged]) -> None:
    """Print how far said chances are from how often they are right."""
    for title, measure in MEASURES:
        if measure in (accuracy, calibration_error, true_error):
            low, high = bootstrap(legs, measure)
            print(f"  {title:38s} {measure(legs):+.3f} [{low:+.3f}, {high:+.3f}]")
    print(f"  {'ECE of a perfect judge, by chance':38s} {chance_error(legs):+.3f}")


def judged(leg: LabelledLeg, chances: dict[TransportMode, float], distance_m: float) -> Judged:
    """Return a leg beside what is said of it."""
    mixture = {each.mode: each.probability for each in stated(chances)}
    said: dict[str, float] = defaultdict(float)
    for mode, chance in chances.items():
        said[FIVE[mode.value]] += chance
    true = footprint({TransportMode(leg.mode): 1.0}, distance_m)
    activity = LegActivity(modes=mixture, distance_m=distance_m, on=ON)
    guess = footprint(mixture, distance_m)
    single = [(share, footprint({mode: 1.0}, distance_m).value) for mode, share in mixture.items()]
    return Judged(
        day=leg.day,
        truth=FIVE[leg.mode],
        said=dict(said),
        true_kg=true.value,
        said_kg=guess.value,
        believed_error_kg=sum(share * abs(kg - guess.value) for share, kg in single),
        low_kg=guess.low,
        high_kg=guess.high,
        activity=activity,
    )


def footprint(mixture: Mapping[TransportMode, float], distance_m: float) -> Interval:
    """Return the kgCO2e, over the life cycle, of a leg of these modes."""
    activity = LegActivity(modes=mixture, distance_m=distance_m, on=ON)
    return total_footprint([activity], load_factor_set()).life_cycle


def _thinned(leg: LabelledLeg, every_s: float) -> mode_learning.Trace:
    if not every_s:
        return leg.time_s, leg.xyz_m
    beat = np.floor((leg.time_s - leg.time_s[0]) / every_s)
    kept = np.diff(beat, prepend=-1.0) > 0
    kept[-1] = True
    return leg.time_s[kept], leg.xyz_m[kept]


def read_files(files: Sequence[str]) -> tuple[View, ...]:
    """Return the view beside the stops and lines of some files, none without any.

    A file is named `PATH`, or `PATH=MODE` where it does not say the mode itself.
    """
    if not files:
        return ()
    read = []
    for each in files:
        path, _, mode = each.partition("=")
        read.append(read_lines(Path(path), mode=TransportMode(mode) if mode else None))
    return (View(title="with lines, every fix", lines=LineIndex(merged(read))),)


def main() -> None:
    """Print the figures for every fix, for a fix a minute and, where given, beside lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).resolve().parents[1].parent / "shared" / "reference"
    parser.add_argument("--reference", type=Path, default=default)
    parser.add_argument("--lines", action="append", default=[], metavar="FILE[=MODE]")
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    views = (EVERY_FIX, THIN, *read_files(asked.lines))
    report(left_out(asked.reference / "trips", views), views)


if __name__ == "__main__":
    main()
