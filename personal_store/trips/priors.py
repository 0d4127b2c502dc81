"""How common each mode is among legs of a length, before anything was seen of one leg.

The survey: SDES, Enquête mobilité des personnes 2019 (metropolitan France, local trips on
weekdays): car 62.8 %, on foot 23.7 %, public transport 9.1 %, bicycle 2.7 %, other 1.7 % of trips.
From trips to legs, three steps of ours: every ridden trip also has one walk leg; public transport
is divided as bus 4.6, tram 1.3, metro 1.9 and train 1.3 points, long distances (6.3 trips a year
and person, EMP 2019) add train 0.3, TGV 0.12 and plane 0.06 points; lengths are log-normal, with
medians that agree with the survey's mean durations (14 min on foot, 18 by bike, 19 by car, 41 by
public transport).

The survey's logarithm counts by half (`SURVEY_WEIGHT`). It is a mean over people, and one person's
legs are mostly alike: who rides the bus at all rides it often. Taken whole it would call each bus
of a resident without a car a car, and add its kilograms; taken not at all it would find as many
ferries as cars. The half was chosen on two data sets, each scored by a model trained without it,
among 0, 0.5, 0.7 and 1 (docs/modes.md lists every try).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from types import MappingProxyType
from typing import Final

import numpy as np

from carbon.modes import TransportMode
from personal_store.trips.track import Floats

M = TransportMode

SURVEY_WEIGHT: Final = 0.5
"""Power to which the survey's shares and lengths are raised."""

SHORTEST_M: Final = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """How common a mode is: points of share, median length in km, spread in log units."""

    points: float
    median_km: float
    spread: float


USAGE: Final[Mapping[TransportMode, Usage]] = MappingProxyType(
    {
        M.WALK: Usage(points=100.0, median_km=0.5, spread=0.9),
        M.RUN: Usage(points=0.3, median_km=4.0, spread=0.7),
        M.BIKE: Usage(points=2.5, median_km=2.2, spread=0.9),
        M.ESCOOTER: Usage(points=0.5, median_km=1.8, spread=0.7),
        M.CAR: Usage(points=62.8, median_km=6.0, spread=1.1),
        M.BUS: Usage(points=4.6, median_km=4.0, spread=0.8),
        M.TRAM: Usage(points=1.3, median_km=3.0, spread=0.7),
        M.METRO: Usage(points=1.9, median_km=5.0, spread=0.7),
        M.TRAIN: Usage(points=1.6, median_km=25.0, spread=0.9),
        M.TRAIN_TGV: Usage(points=0.12, median_km=350.0, spread=0.6),
        M.PLANE: Usage(points=0.06, median_km=1000.0, spread=0.7),
        M.FERRY: Usage(points=0.05, median_km=4.0, spread=1.2),
    }
)

ALIKE: Final[Mapping[TransportMode, Mapping[TransportMode, float]]] = MappingProxyType(
    {
        M.BIKE: {M.BIKE: 0.85, M.EBIKE: 0.15},
        M.CAR: {M.CAR: 0.965, M.MOTORBIKE: 0.02, M.MOPED: 0.01, M.TAXI: 0.005},
        M.BUS: {M.BUS: 0.93, M.COACH: 0.07},
    }
)
"""Modes that move too much alike to be told apart by the model, with the share of each among them
(two-wheelers with an engine: the greater part of the survey's "other"; the rest is our
assumption)."""


def log_prior(modes: tuple[TransportMode, ...], distance_m: Floats) -> Floats:
    """Return the logarithm of each mode's prior for legs of these lengths, up to a constant.

    The shape is (legs, modes).
    """
    length = np.log(np.maximum(distance_m, SHORTEST_M) / 1000.0)[:, None]
    points = np.array([log(USAGE[mode].points) for mode in modes])
    median = np.array([log(USAGE[mode].median_km) for mode in modes])
    spread = np.array([USAGE[mode].spread for mode in modes])
    density = -0.5 * ((length - median) / spread) ** 2 - np.log(spread)
    prior: Floats = SURVEY_WEIGHT * (points + density)
    return prior
