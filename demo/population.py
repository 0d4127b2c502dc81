"""Simulated residents for the demo: weekly kilometres by group of modes.

It stands in for people whom nobody asked: the means follow published French figures, the spread
around them is our assumption. It is no forecast and no survey of La Rochelle.

Sources, both through the project's notes on them (not re-read at the source):
- EMP 2019 (SDES, metropolitan France, 6 years and over): about 25 km a day of local travel
  (9 200 km a year), of which 83 % by car; 6.3 long-distance trips a year; trips by car 62.8 %,
  on foot 23.7 %, by transit 9.1 %, by bike 2.7 %; 1.45 tCO2e a person and year, 35 % of it from
  long distance, of which 51 % by plane.
- From these, derived by us: 0.7 walks a day of 0.9 km, 0.08 bike rides a day of 3.3 km;
  long-distance kilometres from the emissions at 0.085 (car, 2.25 people), 0.18 (plane).
"""

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LOCAL_KM_PER_WEEK = 7 * 25.0
"""Mean local travel of a resident, kilometres a week. Source: EMP 2019, derived (see above)."""

QUIET_WEEK_PROBABILITY = 0.03
"""Share of weeks without any travel: illness, a week at home. Our assumption."""

CORE_EXPONENT = 0.15
"""How strongly modes follow the size of the commune of residence. Our assumption: between the
largest commune (80 000) and the smallest (940) the mean car distance doubles; the range that the
territory's SCoT models for everyday emissions (0.9 to 3.7 t) is wider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How one group of modes is travelled in a week.

    `mean_km` is the mean over all residents and weeks that are not quiet; `probability` the share
    of these weeks in which it is used at all; `spread` the standard deviation of the logarithm of
    the distance when used. `core` says how the mean follows the commune's size: +1 more in the
    core, -1 more outside, 0 alike.
    """

    mean_km: float
    probability: float
    spread: float
    core: int

    def __post_init__(self) -> None:
        """Refuse a habit that is no distribution."""
        if self.mean_km <= 0 or not 0 < self.probability <= 1 or self.spread <= 0:
            raise ValueError("expected positive means and spreads and a probability in ]0, 1]")


def _local(share: float, probability: float, spread: float, core: int) -> Habit:
    """Return a habit that takes `share` of the mean local travel, quiet weeks included."""
    mean_km = LOCAL_KM_PER_WEEK * share / (1 - QUIET_WEEK_PROBABILITY)
    return Habit(mean_km=mean_km, probability=probability, spread=spread, core=core)


def _away(km_per_week: float, probability: float, spread: float) -> Habit:
    """Return a long-distance habit, alike everywhere, with its mean over all weeks."""
    mean_km = km_per_week / (1 - QUIET_WEEK_PROBABILITY)
    return Habit(mean_km=mean_km, probability=probability, spread=spread, core=0)


LOCAL_HABITS: Mapping[str, Habit] = {
    "walk": _local(0.026, 0.85, 0.8, 1),
    "bike": _local(0.011, 0.13, 0.9, 1),
    "two_wheeler": _local(0.014, 0.03, 0.8, 0),
    "car": _local(0.830, 0.85, 0.8, -1),
    "transit": _local(0.062, 0.20, 0.8, 1),
    "train": _local(0.048, 0.07, 0.7, 0),
    "other": _local(0.009, 0.03, 0.8, 0),
}
"""Local travel by group of modes. Car: EMP 2019. Walk and bike: derived above. The rest of the
kilometres is divided among the other groups by us."""

AWAY_HABITS: Mapping[str, Habit] = {
    "car": _away(50.0, 0.085, 0.6),
    "train": _away(19.0, 0.025, 0.5),
    "plane": _away(28.0, 0.011, 0.8),
}
"""Long-distance travel. Probabilities add up to the 6.3 trips a year of EMP 2019; distances are
derived above, the train's 1 000 km a year is our assumption."""

MODE_GROUPS = ("walk", "bike", "two_wheeler", "car", "transit", "train", "plane", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedWeek:
    """One resident's week: the zone of residence and kilometres by each of the 8 mode groups."""

    zone: str
    kilometres: Mapping[str, float]


def simulate_weeks(n: int, rng: random.Random, zones: Mapping[str, int]) -> Iterator[SimulatedWeek]:
    """Draw one week of each of `n` residents, who live in `zones` as its population does.

    `zones` gives the population of each zone by its code. Kilometres are not negative, rounded to
    the metre, and name all 8 groups; some weeks are zero throughout. Over the territory the means
    are those of the habits, whatever the zones.

    Raises ValueError for a negative `n`, no zone, or a zone without residents.
    """
    if n < 0 or not zones or min(zones.values()) <= 0:
        raise ValueError("expected n >= 0 and zones that all have residents")
    codes, weights = list(zones), list(zones.values())
    factors = {core: _zone_factors(zones, core * CORE_EXPONENT) for core in (-1, 0, 1)}
    for zone in rng.choices(codes, weights=weights, k=n):
        factor = {core: by_zone[zone] for core, by_zone in factors.items()}
        yield SimulatedWeek(zone=zone, kilometres=_week(rng, factor))


def _zone_factors(zones: Mapping[str, int], exponent: float) -> dict[str, float]:
    """Return a factor by zone, population ** exponent, whose mean over residents is 1."""
    raw = {code: population**exponent for code, population in zones.items()}
    mean = sum(zones[code] * raw[code] for code in zones) / sum(zones.values())
    return {code: value / mean for code, value in raw.items()}


def _week(rng: random.Random, factor: Mapping[int, float]) -> dict[str, float]:
    """Draw the kilometres of one week by mode group."""
    kilometres = dict.fromkeys(MODE_GROUPS, 0.0)
    if rng.random() < QUIET_WEEK_PROBABILITY:
        return kilometres
    for habits in (LOCAL_HABITS, AWAY_HABITS):
        for group, habit in habits.items():
            if rng.random() < habit.probability:
                kilometres[group] += _distance_km(rng, habit) * factor[habit.core]
    return {group: round(km, 3) for group, km in kilometres.items()}


def _distance_km(rng: random.Random, habit: Habit) -> float:
    """Draw the distance of a week in which the group is used: lognormal with the habit's mean."""
    mean_when_used = habit.mean_km / habit.probability
    return rng.lognormvariate(math.log(mean_when_used) - habit.spread**2 / 2, habit.spread)
