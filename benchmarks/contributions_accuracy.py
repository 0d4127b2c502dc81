"""How far published figures are from the truth, in both trust modes, on the same residents.

    python benchmarks/contributions_accuracy.py [--seed 1] [--sizes 200 1000 10000 100000]
        [--communes FILE.csv]

One simulated population (`demo/population.py`, 8 mode groups) answers one week. The first table is
what a city gets that keeps every default of `coop-aggregator task create`: its Q, its S for so many
members, ε = 4 under `local`; ε = 1 under `two-keepers`, half of it for the territory and half for
the zones; no zone that the rule of `coop_aggregator.suppression` holds back. It asks for kilometres
alone, and for every measure at once under the one joint cap; `local` at ε = 1 shows both modes at
one price. The second table is `accuracy_study`'s.

Each figure is the median of |error| / truth over the territory's figures that are not zero, in
brackets over those of the zones shown and how many zones that is; 1 is what publishing zeros would
give. Clipping and rounding count as error. Kilometres are the same simulated truth in every row;
the other measures follow from them by `WEEK`, assumptions all. It is a simulation, not a survey:
give your own communes (columns `code,name,population,lon,lat`) before you choose a mode.

Residents are encoded by the formula of `contributions.measurement` in floating point, and the first
of them also by `encode` itself: both must agree to one unit. Sums of n discrete Laplace draws are
exact: differences of two negative binomials. Noise scales are those of `contributions`.
"""

import argparse
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from accuracy_study import (
    REPEATS,
    STUDY_SIZES,
    Floats,
    heads,
    laplace_sums,
    short,
    study_table,
)

from contributions.keeper import Keeper
from contributions.measurement import encode
from contributions.measures import (
    HOURS,
    MODE_GROUPS,
    FactorSetName,
    Measure,
    coordinates_for,
)
from contributions.noise import noise_scale
from contributions.task import Adjacency, Task, TrustMode, Zone
from contributions.two_keepers import KEEPERS, Level, keeper_noise_scale
from coop_aggregator.asking.questions import (
    DEFAULT_CAP_UNITS,
    DEFAULT_EPSILON,
    Question,
    default_scale,
)
from coop_aggregator.suppression import publishable
from demo.communes import TABLE, Commune, read_communes
from demo.population import simulate_weeks

CHECKED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How a group's kilometres become the other measures' numbers: our assumptions.

    `trip_km` is a trip's length, `kg_per_km` kgCO2e of a kilometre (life cycle, alone in a car),
    `speed_kmh` what active minutes are counted at.
    """

    trip_km: float
    kg_per_km: float
    speed_kmh: float | None = None


WEEK: Mapping[str, Habits] = {
    "walk": Habits(trip_km=0.9, kg_per_km=0.0, speed_kmh=5.0),
    "bike": Habits(trip_km=3.3, kg_per_km=0.0056, speed_kmh=14.0),
    "two_wheeler": Habits(trip_km=10.0, kg_per_km=0.0851),
    "car": Habits(trip_km=13.0, kg_per_km=0.218),
    "transit": Habits(trip_km=8.0, kg_per_km=0.147),
    "train": Habits(trip_km=80.0, kg_per_km=0.0277),
    "plane": Habits(trip_km=1500.0, kg_per_km=0.23),
    "other": Habits(trip_km=10.0, kg_per_km=0.023),
}
BUSY_HOURS = {7: 3.0, 8: 4.0, 12: 2.0, 13: 2.0, 16: 2.0, 17: 4.0, 18: 3.0}
"""Weight of an hour's departures, 1 from 6 to 22 else, 0 at night."""
SHORT_SHARES = (0.2, 0.15)
"""Of car trips, below 3 km and from 3 to 5."""
STAYING, LEAVING = 0.5, 0.1
"""Of trips, those that end in the zone of residence, and outside the territory; the rest goes to
the zones as their population does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Residents:
    """So many simulated people: each one's commune (its rank) and kilometres by mode group."""

    communes: Sequence[Commune]
    place: NDArray[np.int64]
    km: Floats

    @classmethod
    def simulate(cls, communes: Sequence[Commune], size: int, seed: int) -> "Residents":
        """Draw `size` of them, who live in the communes as their population does."""
        zones = {commune.code: commune.population for commune in communes}
        rank = {code: number for number, code in enumerate(zones)}
        weeks = list(simulate_weeks(size, random.Random(seed), zones))  # noqa: S311 (simulated residents)
        return cls(
            communes=communes,
            place=np.array([rank[week.zone] for week in weeks]),
            km=np.array([[week.kilometres[group] for group in MODE_GROUPS] for week in weeks]),
        )

    def figures(self, measures: Sequence[Measure]) -> Floats:
        """Return everybody's numbers, one column a coordinate, in the order of a task's."""
        habits = [WEEK[group] for group in MODE_GROUPS]
        trips = self.km / [habit.trip_km for habit in habits]
        all_trips = trips.sum(axis=1)[:, None]
        hours = np.array(
            [BUSY_HOURS.get(hour, float(6 <= hour < 22)) for hour in range(len(HOURS))]
        )
        population = np.array([commune.population for commune in self.communes], dtype=float)
        ends = (1 - STAYING - LEAVING) * np.tile(population / population.sum(), (len(self.km), 1))
        ends[np.arange(len(self.km)), self.place] += STAYING
        ends = np.hstack([ends, np.full((len(self.km), 1), LEAVING)])
        active = [(rank, h.speed_kmh) for rank, h in enumerate(habits) if h.speed_kmh is not None]
        columns = {
            Measure.KILOMETRES: self.km,
            Measure.TRIPS: trips,
            Measure.KG_CO2E: self.km * [habit.kg_per_km for habit in habits],
            Measure.DEPARTURES: all_trips * hours / hours.sum(),
            Measure.SHORT_CAR_TRIPS: trips[:, [MODE_GROUPS.index("car")]] * SHORT_SHARES,
            Measure.ACTIVE_MINUTES: np.stack([self.km[:, r] * 60 / v for r, v in active], axis=1),
            Measure.FLOWS: all_trips * ends,
        }
        return np.hstack([columns[measure] for measure in Measure if measure in measures])


def task_of(mode: TrustMode, measures: Sequence[Measure], residents: Residents) -> Task:
    """Return the task that the defaults of `coop-aggregator task create` give."""
    communes = residents.communes
    two = mode is TrustMode.TWO_KEEPERS
    default = Question(week="2026-W46", trust_mode=mode)
    epsilon_micro = int(DEFAULT_EPSILON[mode] * 10**6)
    return Task(
        title_fr="x",
        title_en="x",
        week=default.week,
        zones=tuple(Zone(code=commune.code, name=commune.name) for commune in communes),
        coordinates=coordinates_for(measures, zone_codes=[commune.code for commune in communes]),
        scale=default_scale(mode, measures=len(measures), members=len(residents.km)),
        cap_units=DEFAULT_CAP_UNITS,
        epsilon_micro=epsilon_micro,
        epsilon_territory_micro=int(epsilon_micro * default.territory_share) if two else 0,
        adjacency=default.adjacency if two else Adjacency.REPLACEMENT,
        trust_mode=mode,
        keepers=_keepers() if two else (),
        verify_key_sha256="00" * 32 if two else "",
        factor_set=FactorSetName(name="x", sha256="00" * 32)
        if Measure.KG_CO2E in measures
        else None,
        territory_sha256="00" * 32 if Measure.FLOWS in measures else "",
        min_batch_size=default.min_batch_size,
        purpose_digest="00" * 32,
        log_origin="x",
        aggregator_name="x",
        report_deadline=datetime(2027, 1, 1, tzinfo=UTC),
    )


def encoded(figures: Floats, task: Task) -> Floats:
    """Return the residents' vectors, by the formula of `contributions.measurement`.

    Stops unless the first of them are what `encode` gives, to one unit of rounding.
    """
    units = task.cap_units * figures / _full(task)
    total = units.sum(axis=1, keepdims=True)
    vectors = np.floor(units * np.minimum(1.0, task.cap_units / np.maximum(total, 1e-300)))
    keys = [coordinate.key for coordinate in task.coordinates]
    for row, vector in zip(figures[:CHECKED], vectors, strict=False):
        exact = encode(dict(zip(keys, row.tolist(), strict=True)), task).vector
        if np.abs(np.array(exact) - vector).max() > 1:
            sys.exit("the formula does not give the vectors of contributions.measurement.encode")
    return vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Relative errors of a task's published figures, one row a draw of the noise.

    The territory's by coordinate, the zones' by coordinate and zone shown; NaN where truth is 0.
    """

    territory: Floats
    zones: Floats
    shown: int

    def told(self, chosen: slice) -> str:
        """Return the medians over some coordinates, and how many zones they are of."""
        zones = self.zones[:, chosen]
        inside = f"{short(float(np.nanmedian(zones)))}; {self.shown}" if self.shown else "none"
        return f"{short(float(np.nanmedian(self.territory[:, chosen])))} ({inside})"


def errors(task: Task, residents: Residents, figures: Floats, rng: np.random.Generator) -> Errors:
    """Publish the week `REPEATS` times and compare with the truth."""
    vectors, place, communes = encoded(figures, task), residents.place, residents.communes
    counts = np.bincount(place, minlength=len(communes))
    by_code = {commune.code: int(n) for commune, n in zip(communes, counts, strict=True)}
    shown_codes = publishable(by_code, min_batch_size=task.min_batch_size)
    shown = [rank for rank, commune in enumerate(communes) if commune.code in shown_codes]
    local = task.trust_mode is TrustMode.LOCAL
    territory, zones = [], []
    truth = np.stack([figures[place == rank].sum(axis=0) for rank in range(len(communes))])
    sums = np.stack([vectors[place == rank].sum(axis=0) for rank in range(len(communes))])
    for _repeat in range(REPEATS):
        if local:
            # Every report is noised once: the territory's noise is the sum of the zones'.
            near = laplace_sums(rng, float(noise_scale(task)), counts, sums.shape[1])
            far = near.sum(axis=0)
        else:
            zone_b, whole_b = (
                float(keeper_noise_scale(task, level)) for level in (Level.ZONE, Level.TERRITORY)
            )
            near = laplace_sums(rng, zone_b, np.full(len(communes), KEEPERS), sums.shape[1])
            (far,) = laplace_sums(rng, whole_b, np.array([KEEPERS]), sums.shape[1])
        unit = _full(task) / task.cap_units
        whole = truth.sum(axis=0)
        territory.append(_relative((sums.sum(axis=0) + far) * unit, whole))
        zones.append(_relative((sums + near)[shown] * unit, truth[shown]).T)
    return Errors(territory=np.array(territory), zones=np.array(zones), shown=len(shown))


def deployed_rows(residents: Mapping[int, Residents], seed: int) -> Iterator[str]:
    """Yield the lines of the first table: what a city gets that keeps every default."""
    yield "| asked, by default: territory (zones; zones shown) | " + heads(residents) + " |"
    yield "|---|" + "---|" * len(residents)
    kilometres, everything = slice(0, len(MODE_GROUPS)), slice(None)
    alone, every = (Measure.KILOMETRES,), tuple(Measure)
    two, local = TrustMode.TWO_KEEPERS, TrustMode.LOCAL
    for name, mode, epsilon, measures, chosen in (
        ("kilometres alone", two, None, alone, kilometres),
        ("kilometres, every measure asked", two, None, every, kilometres),
        ("every figure, every measure asked", two, None, every, everything),
        ("kilometres alone", local, None, alone, kilometres),
        ("kilometres, every measure asked", local, None, every, kilometres),
        ("every figure, every measure asked", local, None, every, everything),
        ("kilometres alone, not the default", local, 10**6, alone, kilometres),
    ):
        found = []
        for size, people in residents.items():
            task = task_of(mode, measures, people)
            task = task if epsilon is None else replace(task, epsilon_micro=epsilon)
            rng = np.random.default_rng([seed, size])
            found.append(errors(task, people, people.figures(measures), rng).told(chosen))
        label = f"{mode}, ε = {task.epsilon_micro / 10**6:g}: {name}"
        yield f"| {label} | " + " | ".join(found) + " |"


def main() -> None:
    """Print both tables, as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(STUDY_SIZES))
    parser.add_argument("--communes", type=Path, default=TABLE, metavar="FILE.csv")
    options = parser.parse_args()
    communes = read_communes(options.communes)
    residents = {size: Residents.simulate(communes, size, options.seed) for size in options.sizes}
    print(f"seed {options.seed}, {len(communes)} communes, Q = {DEFAULT_CAP_UNITS}\n")
    for line in deployed_rows(residents, options.seed):
        print(line, flush=True)
    print("\nthe design study, Q = 1000, ε = 1 at each level, S the best of each\n")
    print(
        "\n".join(
            study_table(
                {size: (people.place, people.km) for size, people in residents.items()},
                options.seed,
            )
        )
    )


def _full(task: Task) -> Floats:
    """Return W·S of each coordinate: what fills the cap by itself."""
    return np.array([float(each.weight * task.scale) for each in task.coordinates])


def _relative(published: Floats, truth: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(truth > 0, np.abs(published - truth) / truth, np.nan)


def _keepers() -> tuple[Keeper, ...]:
    return tuple(
        Keeper.of(
            name=name,
            url=f"http://{name}.example",
            hpke_key=X25519PrivateKey.generate().public_key(),
            sign_key=Ed25519PrivateKey.generate().public_key(),
        )
        for name in ("leader", "helper")
    )


if __name__ == "__main__":
    main()
