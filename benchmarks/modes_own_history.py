"""Measure what a resident's own confirmed rides teach about the others: `trips/own_history.py`.

Each data set is one traveller, judged by a model that never saw that set. Half of the days, drawn
again and again, are confirmed; the others are judged without and with what that teaches. Two
residents: one confirms every ride, one only those whose likeliest mode was wrong, as people do.
A ride that several phones saw is confirmed once. Ranges are those of the draws, not of people:
there are two travellers. `python benchmarks/modes_own_history.py [--reference FOLDER]`
"""

import argparse
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import mode_learning
import mode_traces
import modes_left_out
import numpy as np
from mode_measures import Judged, accuracy, carbon_bias, carbon_error
from mode_traces import LabelledLeg

from carbon.modes import TransportMode
from personal_store.trips.model.boosting import model_of
from personal_store.trips.modes import mixtures
from personal_store.trips.own_history import FAMILY, learned_odds, shared_out
from personal_store.trips.timeline import ModeProbability

DRAWS = 200
MEASURES: tuple[tuple[str, Callable[[Sequence[Judged]], float]], ...] = (
    ("carbon error", carbon_error),
    ("carbon bias", carbon_bias),
    ("five-class accuracy", accuracy),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A labelled leg, what motion says of it, and how long it is."""

    leg: LabelledLeg
    chances: Mapping[TransportMode, float]
    distance_m: float

    @property
    def is_wrong(self) -> bool:
        """Tell whether the likeliest mode is another class than the true one."""
        five = modes_left_out.FIVE
        best = max(self.chances, key=lambda mode: self.chances[mode])
        return five[best.value] != five[self.leg.mode]


def main() -> None:
    """Print the change of each measure for both travellers and both residents."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).resolve().parents[1].parent / "shared" / "reference"
    parser.add_argument("--reference", type=Path, default=default)
    folder = parser.parse_args().reference / "trips"
    os.environ["OMP_NUM_THREADS"] = "1"
    legs = mode_traces.mobilitynet(folder) + mode_traces.ssi(folder) + mode_traces.goal(folder)
    known = mode_learning.examples(legs)
    for data_set in ("MobilityNet", "SSI"):
        seen = _seen(legs, known, data_set)
        for resident, confirms in (("every ride", _every), ("only wrong ones", _wrong)):
            _report(f"{data_set}, confirming {resident}", seen, confirms)


def _seen(legs: Sequence[LabelledLeg], known: mode_learning.Examples, data_set: str) -> list[Seen]:
    """Return the legs of a data set as a model judges them that never saw it."""
    out = np.array([leg.data_set == data_set for leg in legs])
    real = known.data_set != "synthetic"
    fold = known.where(~(real & np.isin(known.leg, np.flatnonzero(out))))
    model = model_of(mode_learning.learn(fold))
    unseen = [leg for leg in legs if leg.data_set == data_set]
    lengths_m = mode_learning.lengths_m(unseen)
    measured = mode_learning.measured([(leg.time_s, leg.xyz_m) for leg in unseen])
    return [
        Seen(leg=leg, chances=dict(zip(model.modes, row, strict=True)), distance_m=float(length_m))
        for leg, row, length_m in zip(
            unseen, mixtures(model, measured, lengths_m, None).tolist(), lengths_m, strict=True
        )
    ]


def _every(_: Seen) -> bool:
    return True


def _wrong(seen: Seen) -> bool:
    return seen.is_wrong


def _report(title: str, seen: Sequence[Seen], confirms: Callable[[Seen], bool]) -> None:
    """Print each measure without and with own rides: the mean over draws and their range."""
    days = sorted({each.leg.day for each in seen})
    draw = np.random.default_rng(7)
    before: list[list[float]] = []
    after: list[list[float]] = []
    rides = []
    for _ in range(DRAWS):
        told = set(draw.choice(days, size=len(days) // 2, replace=False))
        confirmed = _confirmed([each for each in seen if each.leg.day in told and confirms(each)])
        rides.append(sum(confirmed.values()))
        others = [each for each in seen if each.leg.day not in told]
        odds = learned_odds(confirmed)
        without, taught = (
            [_judged(each, {}) for each in others],
            [_judged(each, odds) for each in others],
        )
        before.append([measure(without) for _, measure in MEASURES])
        after.append([measure(taught) for _, measure in MEASURES])
    print(f"{title}: {len(seen)} legs of {len(days)} days, {np.median(rides):.0f} rides confirmed")
    change = np.array(after) - np.array(before)
    for column, (name, _) in enumerate(MEASURES):
        low, high = np.quantile(change[:, column], (0.025, 0.975))
        print(
            f"  {name:22s} {np.mean(before, axis=0)[column]:+.3f} ->"
            f" {np.mean(after, axis=0)[column]:+.3f}"
            f"  change {change[:, column].mean():+.3f} [{low:+.3f}, {high:+.3f}]"
        )


def _confirmed(seen: Sequence[Seen]) -> Counter[TransportMode]:
    """Return how many rides of each vehicle were confirmed, one ride once whatever saw it."""
    rides = {(each.leg.day, each.leg.route, each.leg.mode) for each in seen}
    modes = (TransportMode(mode) for _, _, mode in rides)
    return Counter(mode for mode in modes if mode in FAMILY)


def _judged(seen: Seen, odds: Mapping[TransportMode, float]) -> Judged:
    mixture = [
        ModeProbability(mode=mode, probability=chance) for mode, chance in seen.chances.items()
    ]
    taught = shared_out(mixture, odds) if odds else mixture
    chances = {each.mode: each.probability for each in taught}
    return modes_left_out.judged(seen.leg, chances, seen.distance_m)


if __name__ == "__main__":
    main()
