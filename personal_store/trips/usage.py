"""How usual each mode is among legs: the one table, for the prior and for a source's vague words.

The survey: SDES, Enquête mobilité des personnes 2019 (metropolitan France, local trips on
weekdays): car 62.8 %, on foot 23.7 %, public transport 9.1 %, bicycle 2.7 %, other 1.7 % of trips.
From trips to legs, three steps of ours: every ridden trip also has one walk leg; public transport
is divided as bus 4.6, tram 1.3, metro 1.9 and train 1.3 points, long distances (6.3 trips a year
and person, EMP 2019) add train 0.3, TGV 0.12 and plane 0.06 points; lengths are log-normal, with
medians that agree with the survey's mean durations (14 min on foot, 18 by bike, 19 by car, 41 by
public transport).
The table computes nothing, and brings no numpy to the pages.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from carbon.modes import TransportMode

M = TransportMode


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

SURVEY_WEIGHT: Final = 0.3
"""Power to which the shares and lengths are raised in a prior (`priors` says why)."""

USUAL: Final[Mapping[TransportMode, float]] = MappingProxyType(
    {
        mode: usage.points * share
        for named, usage in USAGE.items()
        for mode, share in ALIKE.get(named, {named: 1.0}).items()
    }
)
"""Points of share of every mode that is guessed from a word which allows several."""
