"""The design study's table of accuracy, made again on our own simulated residents.

`python benchmarks/contributions_accuracy.py` prints it after the accuracy of what is deployed. This
is not what a city gets: as in the study, Q = 1 000, the whole ε = 1 is spent at each level, and
each figure takes the S that serves it best on the simulated truth, which flatters all alike.

Each figure is the median of |error| / truth over the cells commune × mode with any travel, in
brackets over the 8 totals of the territory; 1 is what publishing zeros would give. Clipping counts
as error. The last design is the naive one: no joint cap, 600 km for every mode, ε divided by eight.

STUDY is the study's table, on another simulated population. What is reproduced: the ranking of
designs, and the territory's totals to a factor of two up to n = 10 000 for every design with the
joint cap. At n = 100 000 the noise is so small that rounding down to units of the cap (Q = 1 000)
shows, about 1.5 %. Cells are up to five times harder here, where most communes have few travellers
by two-wheeler, train or plane, and the study's had some of each.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contributions.measures import DEFAULT_COORDINATES

CAP, EPSILON, REPEATS = 1000, 1.0, 20
WEIGHTS = np.array([coordinate.weight for coordinate in DEFAULT_COORDINATES], dtype=float)
SCALES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0)
NAIVE_KM = 600.0
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """One way to sum: κ of its adjacency, how many draws (0: one a resident), and its cap."""

    name: str
    kappa: int
    draws: int
    joint: bool = True


DESIGNS = (
    Design(name="local (replacement)", kappa=2, draws=0),
    Design(name="two keepers, replacement", kappa=2, draws=2),
    Design(name="two keepers, zero-out", kappa=1, draws=2),
    Design(name="central, replacement", kappa=2, draws=1),
    Design(name="central, zero-out", kappa=1, draws=1),
    Design(name="central, no joint cap", kappa=1, draws=1, joint=False),
)
STUDY = {
    "two keepers, replacement": ("1.24 (.61)", ".72 (.20)", ".18 (.040)", ".032 (.008)"),
    "two keepers, zero-out": (".85 (.41)", ".50 (.13)", ".12 (.026)", ".019 (.002)"),
    "central, replacement": (".93 (.45)", ".58 (.18)", ".13 (.029)", ".021 (.006)"),
    "central, zero-out": (".72 (.30)", ".40 (.11)", ".076 (.018)", ".014 (.003)"),
    "central, no joint cap": ("35 (10)", "11 (2.4)", "1.2 (.19)", ".115 (.027)"),
}
STUDY_SIZES = (200, 1_000, 10_000, 100_000)


def encoded(km: Floats, scale: float, *, joint: bool) -> Floats:
    """Return the residents' vectors; without the joint cap 600 km of any mode fill Q."""
    if not joint:
        return np.floor(np.minimum(CAP * km / NAIVE_KM, CAP))
    units = CAP * km / (WEIGHTS * scale)
    total = units.sum(axis=1, keepdims=True)
    return np.floor(units * np.minimum(1.0, CAP / np.maximum(total, 1e-300)))


def laplace_sums(rng: np.random.Generator, scale: float, draws: Floats, modes: int) -> Floats:
    """Return, for each count of draws, `modes` exact sums of that many discrete Laplace draws."""
    p = -np.expm1(-1 / scale)
    shape = (len(draws), modes)
    counts = np.broadcast_to(np.maximum(draws, 1)[:, None], shape)
    pair = rng.negative_binomial(counts, p) - rng.negative_binomial(counts, p)
    return np.where(draws[:, None] > 0, pair, 0).astype(float)


def medians(
    design: Design, place: NDArray[np.int64], km: Floats, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the median relative error over cells and over the territory, at each one's best S."""
    communes = int(place.max()) + 1
    truth, count = np.zeros((communes, km.shape[1])), np.bincount(place, minlength=communes)
    np.add.at(truth, place, km)
    cells, territory = [], []
    for scale in SCALES:
        sums = np.zeros_like(truth)
        np.add.at(sums, place, encoded(km, scale, joint=design.joint))
        split = 1 if design.joint else km.shape[1]
        b = design.kappa * CAP * split / EPSILON
        unit_km = (WEIGHTS * scale if design.joint else np.full(len(WEIGHTS), NAIVE_KM)) / CAP
        zone_draws = count if design.draws == 0 else np.full(communes, design.draws)
        all_draws = np.array([len(place) if design.draws == 0 else design.draws])
        seen = truth > 0
        near, far = [], []
        for _repeat in range(REPEATS):
            noisy = (sums + laplace_sums(rng, b, zone_draws, km.shape[1])) * unit_km
            near.append(np.median(np.abs(noisy - truth)[seen] / truth[seen]))
            whole = (sums.sum(axis=0) + laplace_sums(rng, b, all_draws, km.shape[1])[0]) * unit_km
            total = truth.sum(axis=0)
            far.append(np.median(np.abs(whole - total)[total > 0] / total[total > 0]))
        cells.append(float(np.mean(near)))
        territory.append(float(np.mean(far)))
    return min(cells), min(territory)


def study_table(residents: Mapping[int, tuple[NDArray[np.int64], Floats]], seed: int) -> list[str]:
    """Return the table's lines: one row a design, one column a population, here | study.

    `residents` gives each resident's commune and kilometres by mode group, by population size.
    """
    lines = [
        "| design: cells (territory), here \\| study | " + heads(residents) + " |",
        "|---|" + "---|" * len(residents),
    ]
    for design in DESIGNS:
        found = []
        for size, (place, km) in residents.items():
            rng = np.random.default_rng([seed, size])
            cell, territory = medians(design, place, km, rng)
            known = size in STUDY_SIZES and design.name in STUDY
            told = STUDY[design.name][STUDY_SIZES.index(size)] if known else "-"
            found.append(f"{short(cell)} ({short(territory)}) \\| {told}")
        lines.append(f"| {design.name} | " + " | ".join(found) + " |")
    return lines


def heads(residents: Mapping[int, object]) -> str:
    """Return the columns' heads."""
    return " | ".join(f"n = {size:,}".replace(",", " ") for size in residents)


def short(value: float) -> str:
    """Return a relative error with two significant digits."""
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"
