"""Judge modes on data sets that the model was not trained on: carbon first, then calibration.

Each of MobilityNet and SSI is left out in turn, then only their later or every other days; the
model is learned without what it judges. Legs are true ones, as single phones saw them. Intervals: a
bootstrap over days, never over phones of one day. A part of `trips_scorecard.py`; alone: `python
benchmarks/modes_left_out.py`.
"""

import argparse
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import mode_learning
import mode_traces
import numpy as np
from mode_traces import LabelledLeg
from numpy.typing import NDArray

from carbon.activity import LegActivity
from carbon.factors import load_factor_set
from carbon.footprint import total_footprint
from carbon.modes import TransportMode
from personal_store.trips.model.boosting import model_of
from personal_store.trips.modes import UNKNOWN_SHARE
from personal_store.trips.timeline import SURE_FROM
from personal_store.trips.track import Floats
from personal_store.trips.usage import ALIKE

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
MOTOR = ("car", "bus", "rail", "plane", "ferry")
ON = date(2026, 11, 2)
RESAMPLES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A leg beside what was said of it, in kgCO2e of its life cycle and in probabilities."""

    day: str
    truth: str
    said: dict[str, float]
    true_kg: float
    said_kg: float
    low_kg: float
    high_kg: float

    @property
    def best(self) -> str:
        """Return the likeliest of the five classes."""
        return max(self.said, key=lambda name: self.said[name])


def left_out(folder: Path, *, keep: float = 0.0) -> dict[str, list[Judged]]:
    """Return legs as judged by a model that never saw their data set, or never saw their days.

    `keep` thins the judged legs to a fix every so many seconds; 0 keeps every fix.
    """
    legs = mode_traces.mobilitynet(folder) + mode_traces.ssi(folder) + mode_traces.goal(folder)
    known = mode_learning.examples(legs)
    of_set = np.array([leg.data_set for leg in legs])
    days = np.array([leg.day for leg in legs])
    later = (of_set == "MobilityNet") & (days >= LATER_FROM)
    diary = sorted(set(days[of_set == "SSI"]))
    folds = {
        "MobilityNet, never trained on": [of_set == "MobilityNet"],
        "SSI, never trained on": [of_set == "SSI"],
        "MobilityNet, later days, trained on the earlier ones": [later],
        "SSI, every other day, trained on the others": [
            np.isin(days, diary[half::2]) for half in (0, 1)
        ],
    }
    return {
        name: [each for out in parts for each in _judged_fold(legs, known, out, keep)]
        for name, parts in folds.items()
    }


def _judged_fold(
    legs: Sequence[LabelledLeg], known: mode_learning.Examples, out: NDArray[np.bool_], keep: float
) -> list[Judged]:
    """Return the legs of `out` as judged by a model learned from all the others."""
    real = known.data_set != "synthetic"
    document = mode_learning.learn(known.where(~(real & np.isin(known.leg, np.flatnonzero(out)))))
    model = model_of(document)
    unseen = [leg for leg, is_out in zip(legs, out, strict=True) if is_out]
    lengths_m = mode_learning.lengths_m(unseen)
    traces = [_thinned(leg, keep) for leg in unseen]
    chances = mode_learning.posterior(model, mode_learning.measured(traces), lengths_m)
    return [
        _judged(leg, chances[row], model.modes, float(lengths_m[row]))
        for row, leg in enumerate(unseen)
    ]


def report(judged: dict[str, list[Judged]]) -> None:
    """Print the figures, carbon first."""
    for name, legs in judged.items():
        days = len({leg.day for leg in legs})
        print(f"{name}: {len(legs)} legs of {days} days")
        for title, measure in (
            ("carbon, error as share of the total", carbon_error),
            ("carbon, bias as share of the total", carbon_bias),
            ("carbon, legs whose interval covers", leg_coverage),
            ("carbon, days whose interval covers", day_coverage),
            ("accuracy, five classes", accuracy),
            ("macro F1, five classes", macro_f1),
            ("accuracy, walk/bike/motor", coarse_accuracy),
            ("ECE, five classes", calibration_error),
            ("share of legs sure enough to say", sure_share),
            ("accuracy of those", sure_accuracy),
        ):
            low, high = _bootstrap(legs, measure)
            print(f"  {title:38s} {measure(legs):+.3f} [{low:+.3f}, {high:+.3f}]")
        print(f"  {'ECE of a perfect judge, by chance':38s} {chance_error(legs):+.3f}")


def carbon_error(legs: Sequence[Judged]) -> float:
    """Return the sum of legs' absolute errors over the true total."""
    return sum(abs(leg.said_kg - leg.true_kg) for leg in legs) / sum(leg.true_kg for leg in legs)


def carbon_bias(legs: Sequence[Judged]) -> float:
    """Return the error of the total over the true total."""
    return sum(leg.said_kg - leg.true_kg for leg in legs) / sum(leg.true_kg for leg in legs)


def leg_coverage(legs: Sequence[Judged]) -> float:
    """Return the share of legs whose 95 % interval holds the true mode's figure."""
    return sum(leg.low_kg <= leg.true_kg <= leg.high_kg for leg in legs) / len(legs)


def day_coverage(legs: Sequence[Judged]) -> float:
    """Return the share of days whose summed interval, legs independent, holds the true sum."""
    days = defaultdict(list)
    for leg in legs:
        days[leg.day].append(leg)
    covered = 0
    for each in days.values():
        said = sum(leg.said_kg for leg in each)
        true = sum(leg.true_kg for leg in each)
        # One day's mistakes are alike (the same vehicle on each leg), so they add up in full.
        low = said - sum(leg.said_kg - leg.low_kg for leg in each)
        covered += low <= true <= said + sum(leg.high_kg - leg.said_kg for leg in each)
    return covered / len(days)


def accuracy(legs: Sequence[Judged]) -> float:
    """Return the share of legs whose likeliest class is the true one."""
    return sum(leg.best == leg.truth for leg in legs) / len(legs)


def coarse_accuracy(legs: Sequence[Judged]) -> float:
    """Return the accuracy where every motor is one class."""
    right = 0
    for leg in legs:
        motor = sum(leg.said.get(name, 0.0) for name in MOTOR)
        said = {"walk": leg.said["walk"], "bike": leg.said["bike"], "motor": motor}
        truth = "motor" if leg.truth in MOTOR else leg.truth
        right += max(said, key=lambda name: said[name]) == truth
    return right / len(legs)


def macro_f1(legs: Sequence[Judged]) -> float:
    """Return the mean F1 over the classes that truly occur."""
    scores = []
    for name in {leg.truth for leg in legs}:
        both = sum(leg.truth == name == leg.best for leg in legs)
        either = sum((leg.truth == name) + (leg.best == name) for leg in legs)
        scores.append(2 * both / either)
    return sum(scores) / len(scores)


def calibration_error(legs: Sequence[Judged], *, bins: int = 10) -> float:
    """Return the expected calibration error of the likeliest class's probability."""
    chance = np.array([leg.said[leg.best] for leg in legs])
    right = np.array([leg.best == leg.truth for leg in legs])
    which = np.minimum((chance * bins).astype(int), bins - 1)
    gaps = [abs(float((chance - right)[which == k].sum())) for k in range(bins)]
    return sum(gaps) / len(legs)


def chance_error(legs: Sequence[Judged]) -> float:
    """Return the mean ECE if every probability were true: what so few legs cost by chance."""
    rng = np.random.default_rng(20261122)
    chance = np.array([leg.said[leg.best] for leg in legs])
    which = np.minimum((chance * 10).astype(int), 9)
    found = []
    for _ in range(RESAMPLES):
        gap = chance - (rng.random(len(chance)) < chance)
        found.append(np.abs(np.bincount(which, weights=gap)).sum() / len(legs))
    return float(np.mean(found))


def sure_share(legs: Sequence[Judged]) -> float:
    """Return the share of legs whose likeliest class reaches `SURE_FROM`."""
    return sum(leg.said[leg.best] >= SURE_FROM for leg in legs) / len(legs)


def sure_accuracy(legs: Sequence[Judged]) -> float:
    """Return the accuracy over the legs whose class is stated."""
    return accuracy([leg for leg in legs if leg.said[leg.best] >= SURE_FROM])


def _judged(
    leg: LabelledLeg, chances: Floats, modes: Sequence[TransportMode], distance_m: float
) -> Judged:
    mixture: dict[TransportMode, float] = {TransportMode.UNKNOWN: UNKNOWN_SHARE}
    said: dict[str, float] = defaultdict(float)
    for mode, chance in zip(modes, chances.tolist(), strict=True):
        said[FIVE[mode.value]] += chance
        for alike, share in ALIKE.get(mode, {mode: 1.0}).items():
            mixture[alike] = (1 - UNKNOWN_SHARE) * chance * share
    mixture[max(mixture, key=lambda mode: mixture[mode])] += 1.0 - sum(mixture.values())
    factors = load_factor_set()
    truth = {TransportMode(leg.mode): 1.0}
    true, guess = (
        total_footprint([LegActivity(modes=each, distance_m=distance_m, on=ON)], factors).life_cycle
        for each in (truth, mixture)
    )
    return Judged(
        day=leg.day,
        truth=FIVE[leg.mode],
        said=dict(said),
        true_kg=true.value,
        said_kg=guess.value,
        low_kg=guess.low,
        high_kg=guess.high,
    )


def _thinned(leg: LabelledLeg, every_s: float) -> mode_learning.Trace:
    if not every_s:
        return leg.time_s, leg.xyz_m
    beat = np.floor((leg.time_s - leg.time_s[0]) / every_s)
    kept = np.diff(beat, prepend=-1.0) > 0
    kept[-1] = True
    return leg.time_s[kept], leg.xyz_m[kept]


def _bootstrap(
    legs: Sequence[Judged], measure: Callable[[Sequence[Judged]], float]
) -> tuple[float, float]:
    """Return the 95 % percentile interval over resampled days."""
    rng = np.random.default_rng(20261122)
    days: dict[str, list[Judged]] = defaultdict(list)
    for leg in legs:
        days[leg.day].append(leg)
    names = sorted(days)
    figures: list[float] = []
    for _ in range(RESAMPLES):
        # A day drawn twice is two days: renamed, so that day by day measures count it twice.
        drawn = [leg for name in rng.choice(names, len(names)).tolist() for leg in days[name]]
        figures.append(measure(drawn))
    low, high = np.quantile(figures, (0.025, 0.975))
    return float(low), float(high)


def main() -> None:
    """Print the figures for every fix, then for a fix a minute."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).resolve().parents[1].parent / "shared" / "reference"
    parser.add_argument("--reference", type=Path, default=default)
    folder = parser.parse_args().reference / "trips"
    os.environ["OMP_NUM_THREADS"] = "1"
    report(left_out(folder))
    print("The same legs, a fix a minute")
    report(left_out(folder, keep=60.0))


if __name__ == "__main__":
    main()
