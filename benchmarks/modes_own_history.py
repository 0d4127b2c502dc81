"""Measure what a resident's own confirmed rides teach about the others: `trips/own_history.py`.

Each data set is one traveller, judged by a model that never saw that set. Half of the days, drawn
again and again, are confirmed; the others are judged without and with what that teaches. A ride
that several phones saw counts once. Then made residents: the legs are MobilityNet's, real and
judged by a model that never saw them, but how often each vehicle is ridden is drawn. Two ways to
confirm: whatever rides, or only those whose likeliest mode was wrong, as people do. Ranges are
those of the draws, not of people.
`python benchmarks/modes_own_history.py [--reference FOLDER]`
"""

import argparse
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from pathlib import Path

import mode_learning
import mode_traces
import modes_left_out
import numpy as np
from mode_traces import LabelledLeg

from carbon.modes import TransportMode
from personal_store.trips.model.boosting import model_of
from personal_store.trips.modes import mixtures, stated
from personal_store.trips.own_history import FAMILY, LEAST_RIDES, learned_odds, shared_out
from personal_store.trips.timeline import ModeProbability
from personal_store.trips.track import Floats
from personal_store.trips.usage import ALIKE, USAGE

DRAWS = 200
RESIDENTS = 100
CONFIRMED = (LEAST_RIDES, 40, 100)
AT_RANDOM = 0.25
"""Share of their rides that a made resident confirms who confirms whatever rides."""
VEHICLES = ("car", "bus", "rail")
KINDS: Mapping[str, tuple[float, ...]] = {
    "drives (.90 car, .05 bus, .05 rail)": (0.90, 0.05, 0.05),
    "rides rails (.10 car, .10 bus, .80 rail)": (0.10, 0.10, 0.80),
    "rides buses (.10 car, .80 bus, .10 rail)": (0.10, 0.80, 0.10),
    "rides a third each": (1 / 3, 1 / 3, 1 / 3),
}
CLASS = {
    alike.value: modes_left_out.FIVE[named.value]
    for named in USAGE
    for alike in ALIKE.get(named, {named: 1.0})
}
MEASURES = ("carbon error", "carbon bias", "five-class accuracy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A labelled leg, what motion says of it, and kgCO2e by mode, were it wholly that mode."""

    leg: LabelledLeg
    said: tuple[ModeProbability, ...]
    kg: Mapping[TransportMode, float]

    @property
    def truth(self) -> str:
        """Return the class that it truly was."""
        return modes_left_out.FIVE[self.leg.mode]

    @property
    def ride(self) -> tuple[str, str, str]:
        """Return what is one ride, however many phones saw it."""
        return self.leg.day, self.leg.route, self.leg.mode

    def scored(self, odds: Mapping[TransportMode, float]) -> tuple[float, float, bool]:
        """Return true kg, said kg, and whether the class is right, given what was taught."""
        mixture = shared_out(self.said, odds) if odds else self.said
        classes: dict[str, list[float]] = {}
        for each in mixture:
            if each.mode is not TransportMode.UNKNOWN:
                classes.setdefault(CLASS[each.mode.value], []).append(each.probability)
        best = max(classes, key=lambda name: fsum(classes[name]))
        said_kg = fsum(each.probability * self.kg[each.mode] for each in mixture)
        return self.kg[TransportMode(self.leg.mode)], said_kg, best == self.truth


def main() -> None:
    """Print the change of each measure for both travellers, both ways, and made residents."""
    parser = argparse.ArgumentParser(description=__doc__)
    default = Path(__file__).resolve().parents[1].parent / "shared" / "reference"
    parser.add_argument("--reference", type=Path, default=default)
    folder = parser.parse_args().reference / "trips"
    os.environ["OMP_NUM_THREADS"] = "1"
    legs = mode_traces.mobilitynet(folder) + mode_traces.ssi(folder) + mode_traces.goal(folder)
    known = mode_learning.examples(legs)
    seen = {name: _seen(legs, known, name) for name in ("MobilityNet", "SSI")}
    for data_set, of_set in seen.items():
        _report(f"{data_set}, confirming every ride", of_set, confirms=_every)
        _report(f"{data_set}, confirming only wrong ones", of_set, confirms=_wrong)
    _made(seen["MobilityNet"])


def _seen(legs: Sequence[LabelledLeg], known: mode_learning.Examples, data_set: str) -> list[Seen]:
    """Return the legs of a data set as a model judges them that never saw it."""
    out = np.array([leg.data_set == data_set for leg in legs])
    real = known.data_set != "synthetic"
    fold = known.where(~(real & np.isin(known.leg, np.flatnonzero(out))))
    model = model_of(mode_learning.learn(fold))
    unseen = [leg for leg in legs if leg.data_set == data_set]
    lengths_m = mode_learning.lengths_m(unseen)
    measured = mode_learning.measured([(leg.time_s, leg.xyz_m) for leg in unseen])
    chances = mixtures(model, measured, lengths_m, None).tolist()
    found = []
    for leg, row, length_m in zip(unseen, chances, lengths_m.tolist(), strict=True):
        said = stated(dict(zip(model.modes, row, strict=True)))
        modes = {each.mode for each in said} | {TransportMode(leg.mode)}
        kg = {mode: modes_left_out.footprint({mode: 1.0}, length_m).value for mode in modes}
        found.append(Seen(leg=leg, said=said, kg=kg))
    return found


def _every(_: Seen) -> bool:
    return True


def _wrong(seen: Seen) -> bool:
    return not seen.scored({})[2]


def _report(title: str, seen: Sequence[Seen], *, confirms: Callable[[Seen], bool]) -> None:
    """Print each measure without and with own rides: the mean over draws and their range."""
    days = sorted({each.leg.day for each in seen})
    draw = np.random.default_rng(7)
    plain = {id(each): each.scored({}) for each in seen}
    before, after, rides = [], [], []
    for _ in range(DRAWS):
        told = set(draw.choice(days, size=len(days) // 2, replace=False).tolist())
        is_told = {id(each) for each in seen if each.leg.day in told and confirms(each)}
        confirmed = _confirmed([each for each in seen if id(each) in is_told])
        rides.append(sum(confirmed.values()))
        others = [each for each in seen if each.leg.day not in told]
        odds = learned_odds(confirmed, _others(seen, is_told))
        before.append(_measured([plain[id(each)] for each in others]))
        after.append(_measured([each.scored(odds) for each in others]))
    learning = np.mean(np.array(rides) >= LEAST_RIDES)
    print(
        f"{title}: {len(seen)} legs of {len(days)} days, {np.median(rides):.0f} rides confirmed;"
        f" {learning:.2f} of {DRAWS} draws reach the {LEAST_RIDES} that teach anything"
    )
    change = np.array(after) - np.array(before)
    for column, name in enumerate(MEASURES):
        low, high = np.quantile(change[:, column], (0.025, 0.975))
        print(
            f"  {name:22s} {np.mean(before, axis=0)[column]:+.3f} ->"
            f" {np.mean(after, axis=0)[column]:+.3f}"
            f"  change {change[:, column].mean():+.3f} [{low:+.3f}, {high:+.3f}]"
        )


def _confirmed(seen: Sequence[Seen]) -> Counter[TransportMode]:
    """Return how many rides of each vehicle were confirmed, one ride once whatever saw it."""
    modes = (TransportMode(mode) for _, _, mode in {each.ride for each in seen})
    return Counter(mode for mode in modes if mode in FAMILY)


def _others(seen: Sequence[Seen], confirmed: set[int]) -> list[tuple[ModeProbability, ...]]:
    """Return what motion says of each ride that was not confirmed, one ride once."""
    told = {each.ride for each in seen if id(each) in confirmed}
    rides = {each.ride: each.said for each in reversed(seen)}
    return [said for ride, said in rides.items() if ride not in told]


def _measured(scored: Sequence[tuple[float, float, bool]], weights: Floats | None = None) -> Floats:
    """Return the measures of some legs, in the order of `MEASURES`."""
    true_kg, said_kg, right = np.array(scored, dtype=np.float64).T
    share = np.ones(len(true_kg)) if weights is None else weights
    total = (share * true_kg).sum()
    return np.array(
        [
            (share * abs(said_kg - true_kg)).sum() / total,
            (share * (said_kg - true_kg)).sum() / total,
            (share * right).sum() / share.sum(),
        ]
    )


def _made(seen: Sequence[Seen]) -> None:
    """Print what learning changes for made residents of each kind, and for a population.

    The population's shares vary around the survey's by a Dirichlet of concentration 1: most people
    ride mostly one vehicle (our assumption).
    """
    rides = [each for each in seen if each.truth in VEHICLES]
    points = Counter[str]()
    for mode, usage in USAGE.items():
        points[modes_left_out.FIVE[mode.value]] += usage.points
    survey = np.array([points[name] for name in VEHICLES])
    draw = np.random.default_rng(7)
    drawn = draw.dirichlet(survey / survey.sum(), size=RESIDENTS)
    kinds = {name: np.tile(shares, (RESIDENTS // 2, 1)) for name, shares in KINDS.items()}
    for title, shares in ({"shares as the survey's, most people alike": drawn} | kinds).items():
        for wrong_only in (False, True):
            how = "only wrong ones" if wrong_only else "a quarter of the rides"
            print(f"made residents, {title}; confirming {how}: {len(shares)}")
            _taught(rides, shares, draw, wrong_only=wrong_only)


def _taught(
    rides: Sequence[Seen], shares: Floats, draw: np.random.Generator, *, wrong_only: bool
) -> None:
    """Print the change of each measure, resident by resident, by how many rides they confirmed."""
    of_class = np.array([VEHICLES.index(each.truth) for each in rides])
    counts = np.bincount(of_class)
    plain = [each.scored({}) for each in rides]
    wrong = np.array([not right for _, _, right in plain], dtype=np.float64)
    for confirmed in CONFIRMED:
        changes = []
        for own in shares:
            weights = own[of_class] / counts[of_class]
            confirming = wrong if wrong_only else np.full(len(rides), AT_RANDOM)
            ridden = round(confirmed / float(weights @ confirming))
            picked = draw.multinomial(ridden, weights / weights.sum())
            told = draw.binomial(picked, confirming)
            odds = _learned(rides, told.tolist(), (picked - told).tolist())
            before = _measured(plain, weights)
            after = _measured([each.scored(odds) for each in rides], weights)
            changes.append([before, after])
        _print_changes(confirmed, np.array(changes))


def _learned(
    rides: Sequence[Seen], told: Sequence[int], others: Sequence[int]
) -> Mapping[TransportMode, float]:
    """Return the odds learned from as many rides like each, confirmed and not."""
    confirmed = Counter[TransportMode]()
    unsaid = []
    for each, times, more in zip(rides, told, others, strict=True):
        confirmed[TransportMode(each.leg.mode)] += times
        unsaid += [each.said] * more
    return learned_odds(confirmed, unsaid)


def _print_changes(confirmed: int, changes: Floats) -> None:
    """Print means over residents; `changes` has the shape (residents, 2, measures)."""
    before, after = changes.mean(axis=0)
    worse = np.mean(changes[:, 1, 0] > changes[:, 0, 0])
    bias = abs(changes[:, :, 1]).mean(axis=0)
    print(
        f"  {confirmed:3d} confirmed: carbon error {before[0]:.2f} -> {after[0]:.2f},"
        f" bias {before[1]:+.2f} -> {after[1]:+.2f} (its size {bias[0]:.2f} -> {bias[1]:.2f}),"
        f" accuracy {before[2]:.2f} -> {after[2]:.2f}; worse for {worse:.2f}"
    )


if __name__ == "__main__":
    main()
