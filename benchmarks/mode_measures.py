"""Measure how far said modes and carbon are from the truth: what `modes_left_out.py` prints.

Every measure takes legs and returns one number. Intervals come from a bootstrap over days, never
over phones of one day. It judges nothing itself.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from carbon.activity import LegActivity
from carbon.factors import load_factor_set
from carbon.footprint import total_footprint
from personal_store.trips.timeline import SURE_FROM

MOTOR = ("car", "bus", "rail", "plane", "ferry")
RESAMPLES = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A leg beside what was said of it, in kgCO2e of its life cycle and in probabilities."""

    day: str
    truth: str
    said: dict[str, float]
    true_kg: float
    said_kg: float
    believed_error_kg: float
    low_kg: float
    high_kg: float
    activity: LegActivity
    is_day_covered: bool = False
    day_share: float = 1.0

    @property
    def best(self) -> str:
        """Return the likeliest of the five classes."""
        return max(self.said, key=lambda name: self.said[name])


def carbon_error(legs: Sequence[Judged]) -> float:
    """Return the sum of legs' absolute errors over the true total."""
    return sum(abs(leg.said_kg - leg.true_kg) for leg in legs) / _true_kg(legs)


def carbon_bias(legs: Sequence[Judged]) -> float:
    """Return the error of the total over the true total."""
    return sum(leg.said_kg - leg.true_kg for leg in legs) / _true_kg(legs)


def _true_kg(legs: Sequence[Judged]) -> float:
    """Return the true total, a gram at least: days on foot alone have a figure too."""
    return max(sum(leg.true_kg for leg in legs), 0.001)


def believed_error(legs: Sequence[Judged]) -> float:
    """Return the error as share of the total to be expected were every mixture true.

    Calibration alone can bring the error down to this; only narrower mixtures, thus more evidence,
    go further.
    """
    return sum(leg.believed_error_kg for leg in legs) / sum(leg.said_kg for leg in legs)


def leg_coverage(legs: Sequence[Judged]) -> float:
    """Return the share of legs whose 95 % interval holds the true mode's figure."""
    return sum(leg.low_kg <= leg.true_kg <= leg.high_kg for leg in legs) / len(legs)


def day_coverage(legs: Sequence[Judged]) -> float:
    """Return the share of days whose interval, as the program says it, holds the true sum.

    A day that was drawn twice counts twice.
    """
    days = sum(leg.day_share for leg in legs)
    return sum(leg.day_share for leg in legs if leg.is_day_covered) / days


def with_days(legs: Sequence[Judged]) -> list[Judged]:
    """Return the legs, each knowing whether the interval of its whole day holds the true sum."""
    days = defaultdict(list)
    for leg in legs:
        days[leg.day].append(leg)
    covered = {}
    for day, each in days.items():
        said = total_footprint([leg.activity for leg in each], load_factor_set()).life_cycle
        covered[day] = said.low <= sum(leg.true_kg for leg in each) <= said.high
    return [
        replace(leg, is_day_covered=covered[leg.day], day_share=1 / len(days[leg.day]))
        for leg in legs
    ]


def whole(legs: Sequence[Judged]) -> str:
    """Return the true sum over all legs beside what the program says of it."""
    said = total_footprint([leg.activity for leg in legs], load_factor_set()).life_cycle
    true = sum(leg.true_kg for leg in legs)
    return f"{true:.1f} kg, said {said.value:.1f} [{said.low:.1f}, {said.high:.1f}]"


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


def true_error(legs: Sequence[Judged], *, bins: int = 10) -> float:
    """Return the calibration error that is left once chance is taken out, as root mean square.

    The square of a bin's gap is estimated from pairs of legs of different days, whose chances are
    independent, so that few legs and several phones on one ride do not add to it (the unbiased
    estimate of Kumar, Liang and Ma 2019, with days in place of single legs). It is 0 where the
    estimate is negative, and by its square never below the ordinary error of as many legs.
    """
    numbers = {day: number for number, day in enumerate(sorted({leg.day for leg in legs}))}
    day = np.array([numbers[leg.day] for leg in legs])
    chance = np.array([leg.said[leg.best] for leg in legs])
    gap = chance - np.array([leg.best == leg.truth for leg in legs])
    which = np.minimum((chance * bins).astype(int), bins - 1)
    total = 0.0
    for k in range(bins):
        sums = np.bincount(day[which == k], weights=gap[which == k], minlength=len(numbers))
        counts = np.bincount(day[which == k], minlength=len(numbers))
        pairs = counts.sum() ** 2 - (counts**2).sum()
        if pairs:
            total += counts.sum() / len(legs) * (sums.sum() ** 2 - (sums**2).sum()) / pairs
    return float(np.sqrt(max(total, 0.0)))


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


def bootstrap(
    legs: Sequence[Judged], measure: Callable[[Sequence[Judged]], float]
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a measure over resampled days."""
    rng = np.random.default_rng(20261122)
    days: dict[str, list[Judged]] = defaultdict(list)
    for leg in legs:
        days[leg.day].append(leg)
    names = sorted(days)
    figures: list[float] = []
    for _ in range(RESAMPLES):
        drawn = [leg for name in rng.choice(names, len(names)).tolist() for leg in days[name]]
        figures.append(measure(drawn))
    low, high = np.quantile(figures, (0.025, 0.975))
    return float(low), float(high)


def change(before: Sequence[Judged], after: Sequence[Judged]) -> tuple[float, float, float]:
    """Return by how much the carbon error changes from one view of the legs to another.

    Its 95 % interval comes from drawing the same days for both.
    """
    rng = np.random.default_rng(20261122)
    days = sorted({leg.day for leg in before})
    errors = np.zeros((3, len(days)))
    for one, other in zip(before, after, strict=True):
        column = days.index(one.day)
        errors[0, column] += abs(one.said_kg - one.true_kg)
        errors[1, column] += abs(other.said_kg - other.true_kg)
        errors[2, column] += one.true_kg
    drawn = errors[:, rng.integers(len(days), size=(RESAMPLES, len(days)))].sum(axis=2)
    low, high = np.quantile((drawn[1] - drawn[0]) / drawn[2], (0.025, 0.975))
    was, now, true = errors.sum(axis=1)
    return float((now - was) / true), float(low), float(high)


MEASURES: tuple[tuple[str, Callable[[Sequence[Judged]], float]], ...] = (
    ("carbon, error as share of the total", carbon_error),
    ("carbon, bias as share of the total", carbon_bias),
    ("the same error, were the mixtures true", believed_error),
    ("carbon, legs whose interval covers", leg_coverage),
    ("carbon, days whose interval covers", day_coverage),
    ("accuracy, five classes", accuracy),
    ("macro F1, five classes", macro_f1),
    ("accuracy, walk/bike/motor", coarse_accuracy),
    ("ECE, five classes", calibration_error),
    ("the same without chance (L2, days)", true_error),
    ("share of legs sure enough to say", sure_share),
    ("accuracy of those", sure_accuracy),
)
