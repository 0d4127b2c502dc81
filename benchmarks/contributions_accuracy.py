"""How far published kilometres are from the truth, in both trust modes, on the same residents.

    python benchmarks/contributions_accuracy.py [--seed 1] [--sizes 200 1000 10000 100000]

One simulated population (`demo/population.py`: 28 communes, 8 mode groups) answers one week under
every design at ε = 1 and Q = 1 000. Each figure is the median of |error| / truth over the cells
commune × mode with any travel, in brackets over the 8 totals of the territory; 1 is what publishing
zeros would give. Clipping counts as error. Every design takes the S that serves it best on the
simulated truth, which flatters all of them alike; in production S is fixed beforehand.

Residents are encoded by the formula of `contributions.measurement` in floating point, and the first
of them also by `encode` itself: both must agree to one unit. Sums of n discrete Laplace draws are
exact: differences of two negative binomials.

The last design is the naive one: no joint cap, 600 km for every mode, ε divided by eight.

EXPECTED is the same table from the project's design study, on another simulated population. What is
reproduced: the ranking of designs, and the territory's totals to a factor of two up to n = 10 000
for every design with the joint cap. At n = 100 000 the noise is so small that rounding down to
units of the cap (Q = 1 000) shows, about 1.5 %. Cells are up to five times harder here, where most
communes have few travellers by two-wheeler, train or plane, and the study's had some of each.
"""

import argparse
import random
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from contributions.measurement import encode
from contributions.measures import DEFAULT_COORDINATES
from contributions.task import Task, TrustMode, Zone
from demo.communes import read_communes
from demo.population import simulate_weeks

CAP, EPSILON, REPEATS, CHECKED = 1000, 1.0, 20, 200
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
EXPECTED = {
    "two keepers, replacement": ("1.24 (.61)", ".72 (.20)", ".18 (.040)", ".032 (.008)"),
    "two keepers, zero-out": (".85 (.41)", ".50 (.13)", ".12 (.026)", ".019 (.002)"),
    "central, replacement": (".93 (.45)", ".58 (.18)", ".13 (.029)", ".021 (.006)"),
    "central, zero-out": (".72 (.30)", ".40 (.11)", ".076 (.018)", ".014 (.003)"),
    "central, no joint cap": ("35 (10)", "11 (2.4)", "1.2 (.19)", ".115 (.027)"),
}
EXPECTED_SIZES = (200, 1_000, 10_000, 100_000)


def population(size: int, seed: int) -> tuple[NDArray[np.int64], Floats]:
    """Return each resident's commune (0 to 27) and kilometres by mode group."""
    communes = read_communes()
    zones = {commune.code: commune.population for commune in communes}
    place = {code: rank for rank, code in enumerate(zones)}
    weeks = list(simulate_weeks(size, random.Random(seed), zones))  # noqa: S311 (simulated residents)
    labels = [coordinate.label for coordinate in DEFAULT_COORDINATES]
    km = np.array([[week.kilometres[label] for label in labels] for week in weeks])
    return np.array([place[week.zone] for week in weeks]), km


def encoded(km: Floats, scale: float, *, joint: bool) -> Floats:
    """Return the residents' vectors; without the joint cap 600 km of any mode fill Q."""
    if not joint:
        return np.floor(np.minimum(CAP * km / NAIVE_KM, CAP))
    units = CAP * km / (WEIGHTS * scale)
    total = units.sum(axis=1, keepdims=True)
    return np.floor(units * np.minimum(1.0, CAP / np.maximum(total, 1e-300)))


def check(km: Floats, scale: float) -> None:
    """Stop unless the formula gives what `encode` gives, to one unit of rounding."""
    task = Task(
        title_fr="x",
        title_en="x",
        week="2026-W46",
        zones=(Zone(code="1", name="x"),),
        scale=Fraction(scale),
        cap_units=CAP,
        epsilon_micro=1_000_000,
        trust_mode=TrustMode.LOCAL,
        min_batch_size=2,
        purpose_digest="00" * 32,
        log_origin="x",
        aggregator_name="x",
        report_deadline=datetime(2027, 1, 1, tzinfo=UTC),
    )
    keys = [coordinate.key for coordinate in DEFAULT_COORDINATES]
    for row, vector in zip(km[:CHECKED], encoded(km[:CHECKED], scale, joint=True), strict=True):
        exact = encode(dict(zip(keys, row.tolist(), strict=True)), task).vector
        if np.abs(np.array(exact) - vector).max() > 1:
            sys.exit("the formula does not give the vectors of contributions.measurement.encode")


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


def main() -> None:
    """Print one row a design and one column a population."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(EXPECTED_SIZES))
    options = parser.parse_args()
    residents = {size: population(size, options.seed) for size in options.sizes}
    for _place, km in residents.values():
        check(km, 0.75)
    print(f"seed {options.seed}, ε = {EPSILON:g}; here | design study")
    for design in DESIGNS:
        print(design.name)
        for size, (place, km) in residents.items():
            rng = np.random.default_rng([options.seed, size])
            cell, territory = medians(design, place, km, rng)
            known = size in EXPECTED_SIZES and design.name in EXPECTED
            told = EXPECTED[design.name][EXPECTED_SIZES.index(size)] if known else "—"
            print(f"  n = {size:>7}: {cell:7.3f} ({territory:.3f}) | {told}")


if __name__ == "__main__":
    main()
