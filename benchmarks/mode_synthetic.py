"""Drive synthetic vehicles by simple physics, for modes that shippable data lack or show thinly.

Each leg is a chain of stretches between halts: pull away, cruise with a wavering speed, brake,
wait. Its limits (speeds, accelerations, distances between halts, waits, curves) are drawn from
ranges that technical and legal facts give, wide on purpose, so that the model learns what a mode
can do and not one vehicle. A receiver then adds an error that drifts, and silences. It copies no
real trace.

Ranges: pedestrians 1.0 to 1.7 m/s (Bohannon 1997); e-bikes and e-scooters stop helping at 25 km/h;
urban 30 to 50, roads 70 to 90, motorways 110 to 130 km/h; bus stops every 250 to 600 m in towns,
tram 400 to 800 m, metro 600 to 1,500 m (UITP's usual figures); rapid transit of a region
(RER, S-Bahn), partly under ground, 1.2 to 5 km at up to 130 km/h; trains 0.3 to
0.7 m/s2; TGV 300 to 320 km/h; airliners 750 to 930 km/h; ferries 8 to 35 knots. Our reading, 2026.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from personal_store.trips.track import EARTH_RADIUS_M, Floats

Range = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A part of a leg: bounds from which each leg draws its own limits.

    `halt_every_m` is the distance between halts, `wait_s` how long they last, `waver` the relative
    standard deviation of the cruising speed over half a minute, `bend_rad_per_km` how much the way
    turns, `length_m` how long the part is.
    """

    cruise_mps: Range
    accel_mps2: Range
    halt_every_m: Range
    wait_s: Range
    length_m: Range
    waver: float = 0.08
    bend_rad_per_km: Range = (1.0, 6.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """The ways in which a mode travels: each leg follows one of the `plans`, phase by phase."""

    plans: tuple[tuple[Phase, ...], ...]
    silent: float = 0.0
    step_s: float = 1.0


_TOWN = Phase(
    cruise_mps=(7, 14), accel_mps2=(0.9, 2.0), halt_every_m=(120, 900), wait_s=(4, 60),
    length_m=(600, 5000), waver=0.15, bend_rad_per_km=(1, 5),
)  # fmt: skip
_ROAD = Phase(
    cruise_mps=(13, 28), accel_mps2=(0.7, 1.8), halt_every_m=(700, 6000), wait_s=(3, 40),
    length_m=(2000, 25_000), waver=0.12, bend_rad_per_km=(0.5, 3),
)  # fmt: skip
_MOTORWAY = Phase(
    cruise_mps=(22, 37), accel_mps2=(0.6, 1.5), halt_every_m=(20_000, 90_000), wait_s=(1, 20),
    length_m=(6000, 90_000), waver=0.07, bend_rad_per_km=(0.1, 0.8),
)  # fmt: skip
_JAM = Phase(
    cruise_mps=(3, 10), accel_mps2=(0.5, 1.5), halt_every_m=(60, 500), wait_s=(3, 60),
    length_m=(500, 4000), waver=0.3, bend_rad_per_km=(0.2, 3),
)  # fmt: skip
_REGIONAL = Phase(
    cruise_mps=(19, 36), accel_mps2=(0.5, 1.1), halt_every_m=(1200, 5000), wait_s=(20, 70),
    length_m=(4000, 60_000), waver=0.05, bend_rad_per_km=(0.15, 1.2),
)  # fmt: skip
_TAXIWAY = Phase(
    cruise_mps=(4, 9), accel_mps2=(0.3, 0.8), halt_every_m=(500, 3000), wait_s=(20, 300),
    length_m=(800, 4000), bend_rad_per_km=(1, 4),
)  # fmt: skip

VEHICLES: Mapping[str, Vehicle] = MappingProxyType(
    {
        "walk": Vehicle(
            plans=(
                (Phase(cruise_mps=(1.0, 1.75), accel_mps2=(0.5, 1.0), halt_every_m=(60, 1500),
                       wait_s=(3, 60), length_m=(100, 3000), waver=0.12, bend_rad_per_km=(2, 15)),),
            )
        ),
        "run": Vehicle(
            plans=(
                (Phase(cruise_mps=(2.3, 4.4), accel_mps2=(0.6, 1.5), halt_every_m=(400, 6000),
                       wait_s=(3, 40), length_m=(1500, 12_000), waver=0.08,
                       bend_rad_per_km=(2, 10)),),
            )
        ),
        "bike": Vehicle(
            plans=(
                (Phase(cruise_mps=(2.8, 7.2), accel_mps2=(0.4, 1.0), halt_every_m=(120, 2500),
                       wait_s=(3, 45), length_m=(400, 9000), waver=0.22, bend_rad_per_km=(1, 7)),),
                (Phase(cruise_mps=(5.0, 9.5), accel_mps2=(0.4, 0.9), halt_every_m=(1500, 9000),
                       wait_s=(3, 45), length_m=(4000, 30_000), waver=0.2,
                       bend_rad_per_km=(1, 5)),),
            )
        ),
        "escooter": Vehicle(
            plans=(
                (Phase(cruise_mps=(4.3, 6.95), accel_mps2=(0.7, 1.4), halt_every_m=(150, 1500),
                       wait_s=(2, 40), length_m=(400, 5000), waver=0.05, bend_rad_per_km=(1, 8)),),
            )
        ),
        "car": Vehicle(
            plans=((_TOWN,), (_TOWN, _ROAD), (_TOWN, _ROAD, _TOWN), (_ROAD,), (_TOWN, _JAM, _TOWN),
                   (_TOWN, _MOTORWAY, _TOWN), (_ROAD, _MOTORWAY, _ROAD), (_TOWN, _ROAD, _JAM),
                   (_TOWN, _MOTORWAY, _JAM, _TOWN), (_MOTORWAY, _JAM, _MOTORWAY), (_MOTORWAY,)),
        ),
        "bus": Vehicle(
            plans=(
                (Phase(cruise_mps=(6.5, 13.5), accel_mps2=(0.6, 1.2), halt_every_m=(180, 600),
                       wait_s=(8, 45), length_m=(800, 9000), waver=0.12, bend_rad_per_km=(1, 5)),),
                (Phase(cruise_mps=(9, 20), accel_mps2=(0.5, 1.1), halt_every_m=(500, 1800),
                       wait_s=(8, 40), length_m=(2500, 25_000), waver=0.12,
                       bend_rad_per_km=(0.5, 3)),),
            )
        ),
        "tram": Vehicle(
            plans=(
                (Phase(cruise_mps=(7, 16), accel_mps2=(0.7, 1.2), halt_every_m=(300, 900),
                       wait_s=(14, 40), length_m=(700, 9000), waver=0.06,
                       bend_rad_per_km=(0.5, 3)),),
            )
        ),
        "metro": Vehicle(
            plans=(
                (Phase(cruise_mps=(11, 23), accel_mps2=(0.8, 1.3), halt_every_m=(500, 1700),
                       wait_s=(18, 45), length_m=(1200, 14_000), waver=0.05,
                       bend_rad_per_km=(0.3, 2)),),
            ),
            silent=0.6,
        ),
        "train": Vehicle(
            plans=(
                (Phase(cruise_mps=(18, 45), accel_mps2=(0.3, 0.8), halt_every_m=(2000, 12_000),
                       wait_s=(25, 120), length_m=(5000, 90_000), waver=0.05,
                       bend_rad_per_km=(0.1, 0.8)),),
                (Phase(cruise_mps=(28, 55), accel_mps2=(0.25, 0.5), halt_every_m=(15_000, 80_000),
                       wait_s=(60, 240), length_m=(25_000, 250_000), waver=0.05,
                       bend_rad_per_km=(0.05, 0.5)),),
                (_REGIONAL,),
            ),
            silent=0.25,
        ),
        "train_tgv": Vehicle(
            plans=(
                (Phase(cruise_mps=(40, 62), accel_mps2=(0.15, 0.4), halt_every_m=(25_000, 120_000),
                       wait_s=(120, 300), length_m=(10_000, 80_000), waver=0.05,
                       bend_rad_per_km=(0.02, 0.3)),
                 Phase(cruise_mps=(72, 89), accel_mps2=(0.15, 0.3), halt_every_m=(90_000, 500_000),
                       wait_s=(120, 300), length_m=(90_000, 500_000), waver=0.03,
                       bend_rad_per_km=(0.01, 0.08))),
                (Phase(cruise_mps=(72, 89), accel_mps2=(0.15, 0.3), halt_every_m=(90_000, 500_000),
                       wait_s=(120, 300), length_m=(60_000, 500_000), waver=0.03,
                       bend_rad_per_km=(0.01, 0.08)),),
            ),
            silent=0.2,
            step_s=5.0,
        ),
        "plane": Vehicle(
            plans=(
                (_TAXIWAY,
                 Phase(cruise_mps=(150, 255), accel_mps2=(0.2, 0.5), halt_every_m=(9e6, 1e7),
                       wait_s=(1, 2), length_m=(250_000, 3_000_000), waver=0.03,
                       bend_rad_per_km=(0.001, 0.02)),
                 _TAXIWAY),
                (Phase(cruise_mps=(180, 260), accel_mps2=(0.2, 0.5), halt_every_m=(9e6, 1e7),
                       wait_s=(1, 2), length_m=(250_000, 6_000_000), waver=0.02,
                       bend_rad_per_km=(0.001, 0.02)),),
            ),
            silent=0.6,
            step_s=5.0,
        ),
        "ferry": Vehicle(
            plans=(
                (Phase(cruise_mps=(2.5, 6), accel_mps2=(0.04, 0.15), halt_every_m=(400, 6000),
                       wait_s=(60, 300), length_m=(300, 6000), waver=0.05,
                       bend_rad_per_km=(0.2, 3)),),
                (Phase(cruise_mps=(4, 18), accel_mps2=(0.02, 0.1), halt_every_m=(40_000, 90_000),
                       wait_s=(60, 300), length_m=(5000, 90_000), waver=0.03,
                       bend_rad_per_km=(0.02, 0.3)),),
            )
        ),
    }
)  # fmt: skip


def drive(mode: str, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the seconds and the places (sphere, metres) of one leg in a mode, with errors."""
    vehicle = VEHICLES[mode]
    plan = vehicle.plans[int(rng.integers(len(vehicle.plans)))]
    speeds, bends = [], []
    for phase in plan:
        speed_mps = _speeds(phase, rng, vehicle.step_s)
        per_km = np.exp(rng.uniform(*np.log(phase.bend_rad_per_km)))
        # A winding way turns at random: the angle grows with the square root of the distance.
        spread = per_km * np.sqrt(np.maximum(speed_mps, 0.0) * vehicle.step_s / 1000.0) * 0.6
        speeds.append(speed_mps)
        bends.append(rng.normal(0.0, 1.0, len(speed_mps)) * spread)
    speed_mps, bend = np.concatenate(speeds), np.concatenate(bends)
    heading = rng.uniform(0, 2 * np.pi) + np.cumsum(bend)
    x_m = np.cumsum(speed_mps * np.cos(heading)) * vehicle.step_s
    y_m = np.cumsum(speed_mps * np.sin(heading)) * vehicle.step_s
    time_s = np.arange(len(x_m)) * vehicle.step_s
    error_m = np.exp(rng.uniform(np.log(1.5), np.log(12.0)))
    x_m += _drift(len(x_m), error_m, rng, vehicle.step_s)
    y_m += _drift(len(x_m), error_m, rng, vehicle.step_s)
    kept = _heard(time_s, vehicle.silent, rng)
    return time_s[kept], _on_sphere(x_m[kept], y_m[kept])


def _speeds(phase: Phase, rng: np.random.Generator, step_s: float) -> Floats:
    """Return the speed at each step of a phase, in metres per second."""
    top_mps = rng.uniform(*phase.cruise_mps)
    accel = rng.uniform(*phase.accel_mps2)
    every_m = np.exp(rng.uniform(*np.log(phase.halt_every_m)))
    left_m = np.exp(rng.uniform(*np.log(phase.length_m)))
    parts: list[Floats] = []
    while left_m > 20.0:
        stretch_m = min(left_m, max(30.0, every_m * rng.lognormal(0.0, 0.45)))
        cruise = min(top_mps * rng.uniform(0.85, 1.05), np.sqrt(accel * stretch_m))
        ramp = np.arange(step_s, cruise / accel, step_s) * accel
        steady_s = max(0.0, (stretch_m - cruise**2 / accel) / cruise)
        steady = np.full(int(steady_s / step_s), cruise)
        steady *= np.clip(1 + _drift(len(steady), phase.waver, rng, step_s), 0.3, 1.3)
        wait_s = np.exp(rng.uniform(*np.log(phase.wait_s)))
        parts += [ramp, steady, ramp[::-1], np.zeros(int(wait_s / step_s))]
        left_m -= stretch_m
    return np.concatenate(parts) if parts else np.full(10, top_mps)


def _drift(count: int, spread: float, rng: np.random.Generator, step_s: float) -> Floats:
    """Return an error that drifts over half a minute, with standard deviation `spread`."""
    knots = max(2, int(count * step_s / 25.0) + 2)
    at = np.linspace(0, knots - 1, count) if count else np.empty(0)
    fine = rng.normal(0.0, 0.15 * spread, count)
    return np.interp(at, np.arange(knots), rng.normal(0.0, spread, knots)) + fine


def _heard(time_s: Floats, silent: float, rng: np.random.Generator) -> np.ndarray:
    """Return which fixes a receiver kept: under ground and in the air it falls silent for long."""
    kept = np.ones(len(time_s), dtype=np.bool_)
    if rng.random() < silent:
        share = rng.uniform(0.2, 0.9)
        begin = rng.uniform(0, 1 - share) * time_s[-1]
        kept &= (time_s < begin) | (time_s > begin + share * time_s[-1])
    kept[[0, -1]] = True
    return kept


def _on_sphere(x_m: Floats, y_m: Floats) -> Floats:
    """Return points of the sphere for metres east and north of a point on the equator.

    East follows the equator and north a meridian, so lengths are true near both.
    """
    lon, lat = x_m / EARTH_RADIUS_M, y_m / EARTH_RADIUS_M
    unit = np.stack((np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)), axis=1)
    return EARTH_RADIUS_M * unit
