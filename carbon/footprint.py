"""What legs emit: usage (well-to-wheel) and life cycle, always both, each with a 95 % interval.

A leg is a distance, a day, and modes with their probabilities. Its value is the mean over modes
weighted by probability; its interval covers the mixture. How errors add up over legs is written
down, with its formula, in `carbon.uncertainty`. Planes: contrails count in the life cycle alone,
because usage is the well-to-wheel figure of EN ISO 14083, which does not settle their treatment.

It knows neither trips nor people; `personal_store` makes legs of trips. Design: ADEME Base
Carbone's conventions, as `data/SOURCES.md` records them.

>>> from datetime import date
>>> from carbon.factors import load_factor_set
>>> leg = LegActivity(
...     modes={TransportMode.CAR_PETROL: 1.0}, distance_m=100_000, on=date(2026, 11, 2), occupants=2
... )
>>> round(leg_footprint(leg, load_factor_set()).life_cycle.value, 3)
11.15
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from carbon.errors import InvalidActivity
from carbon.factors import EmissionFactor, FactorSet, FactorUnit
from carbon.modes import TransportMode
from carbon.uncertainty import PROBABILITY_TOLERANCE, Interval, Outcome, Propagation

__all__ = [
    "Footprint",
    "Interval",
    "LegActivity",
    "footprint_by_mode",
    "leg_footprint",
    "total_footprint",
]

# A million kilometres, 25 times round the Earth: a longer leg is a fault in what measured it.
LONGEST_LEG_M = 1e9
# A distance known no better than this is not known at all.
WIDEST_U95_PERCENT = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LegActivity:
    """One leg as travelled by one person.

    `modes` gives each possible mode its probability, summing to 1. `distance_m` is in metres with
    a 95 % error of `distance_u95_percent`. `occupants`, 1 or more and possibly an average, shares
    the emissions of a vehicle; it is ignored where the factor is already per passenger.

    Raises:
        InvalidActivity: one of these is impossible; the error's `field` says which.

    >>> by_bus = {TransportMode.BUS: 1.0}
    >>> LegActivity(modes=by_bus, distance_m=5.0, on=date(2026, 11, 2), occupants=0)
    Traceback (most recent call last):
    carbon.errors.InvalidActivity: occupants: expected a finite number, 1 or more, seen 0

    """

    modes: Mapping[TransportMode, float]
    distance_m: float
    on: date
    occupants: float = 1
    distance_u95_percent: float = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be travelled, and keep a private copy of the modes."""
        _require(self.distance_m, field="distance_m", most=LONGEST_LEG_M)
        _require(self.distance_u95_percent, field="distance_u95_percent", most=WIDEST_U95_PERCENT)
        _require(self.occupants, field="occupants", least=1)
        if isinstance(self.on, datetime) or not isinstance(self.on, date):
            raise InvalidActivity("on", f"expected a date, seen a {type(self.on).__name__}")
        for mode, probability in self.modes.items():
            if not isinstance(mode, TransportMode):
                raise InvalidActivity("modes", f"expected TransportMode keys, seen {mode!r}")
            _require(probability, field="modes")
        total = math.fsum(self.modes.values())
        if abs(total - 1) > PROBABILITY_TOLERANCE:
            raise InvalidActivity("modes", f"expected probabilities summing to 1, seen {total}")
        object.__setattr__(self, "modes", MappingProxyType(dict(self.modes)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What legs emit, in kgCO2e, and which factors of which set said so.

    `usage` is well-to-wheel; `life_cycle` adds contrails and the vehicle's manufacture as far as
    the factor's source counts them. `factor_ids` are sorted.

    >>> zero = Interval(value=0.0, low=0.0, high=0.0)
    >>> Footprint(usage=zero, life_cycle=zero, factor_ids=(), factor_set_sha256="").usage.value
    0.0
    """

    usage: Interval
    life_cycle: Interval
    factor_ids: tuple[str, ...]
    factor_set_sha256: str


def leg_footprint(leg: LegActivity, factor_set: FactorSet) -> Footprint:
    """Compute the footprint of one leg, in kgCO2e for one person.

    Raises:
        NoFactor: the set has no factor for one of the leg's modes.
        DateOutsideSet: the set does not cover the leg's day.

    >>> from carbon.factors import load_factor_set
    >>> leg = LegActivity(
    ...     modes={TransportMode.UNKNOWN: 1.0}, distance_m=10_000, on=date(2026, 11, 2)
    ... )
    >>> usage = leg_footprint(leg, load_factor_set()).usage
    >>> usage.low == 0 < usage.value < usage.high
    True

    """
    return total_footprint([leg], factor_set)


def total_footprint(legs: Iterable[LegActivity], factor_set: FactorSet) -> Footprint:
    """Compute the footprint of many legs: errors shared per factor, the rest leg by leg.

    Raises:
        NoFactor: the set has no factor for one of the legs' modes.
        DateOutsideSet: the set does not cover one of the legs' days.

    >>> from carbon.factors import load_factor_set
    >>> leg = LegActivity(modes={TransportMode.CAR: 1.0}, distance_m=1_000, on=date(2026, 11, 2))
    >>> year = total_footprint([leg] * 365, load_factor_set()).life_cycle
    >>> round((year.high - year.value) / year.value, 3)
    0.6

    """
    tally = _Tally()
    for leg in legs:
        tally.add([_estimate(leg, mode, factor_set) for mode in _likely(leg)], leg)
    return tally.footprint(factor_set)


def footprint_by_mode(
    legs: Iterable[LegActivity], factor_set: FactorSet
) -> Mapping[TransportMode, Footprint]:
    """Compute each mode's share of the footprint, in the order of the enumeration.

    A leg that is 70 % car adds 70 % of a car's emissions to the car, whose interval then covers
    that it may have been none. Values add up to those of `total_footprint`; intervals do not,
    because a doubtful leg that is not one mode is another.

    Raises:
        NoFactor: the set has no factor for one of the legs' modes.
        DateOutsideSet: the set does not cover one of the legs' days.

    >>> from carbon.factors import load_factor_set
    >>> either = {TransportMode.BIKE: 0.5, TransportMode.BUS: 0.5}
    >>> leg = LegActivity(modes=either, distance_m=3_000, on=date(2026, 11, 2))
    >>> [mode.value for mode in footprint_by_mode([leg], load_factor_set())]
    ['bike', 'bus']

    """
    tallies: dict[TransportMode, _Tally] = {}
    for leg in legs:
        for mode in _likely(leg):
            tally = tallies.setdefault(mode, _Tally())
            tally.add([_estimate(leg, mode, factor_set)], leg)
    return {mode: tallies[mode].footprint(factor_set) for mode in TransportMode if mode in tallies}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Estimate:
    """What one leg emits if it was travelled by one mode, both ways of counting."""

    probability: float
    usage: Interval
    life_cycle: Interval
    source: str
    factor_ids: tuple[str, ...]


class _Tally:
    """Adds legs up, usage and life cycle side by side."""

    def __init__(self) -> None:
        self._usage = Propagation()
        self._life_cycle = Propagation()
        self._factor_ids: set[str] = set()

    def add(self, estimates: list[_Estimate], leg: LegActivity) -> None:
        distance_u95 = leg.distance_u95_percent / 100
        self._usage.add(
            [
                Outcome(probability=each.probability, emission=each.usage, source=each.source)
                for each in estimates
            ],
            distance_u95=distance_u95,
        )
        self._life_cycle.add(
            [
                Outcome(probability=each.probability, emission=each.life_cycle, source=each.source)
                for each in estimates
            ],
            distance_u95=distance_u95,
        )
        self._factor_ids.update(factor_id for each in estimates for factor_id in each.factor_ids)

    def footprint(self, factor_set: FactorSet) -> Footprint:
        return Footprint(
            usage=self._usage.interval(),
            life_cycle=self._life_cycle.interval(),
            factor_ids=tuple(sorted(self._factor_ids)),
            factor_set_sha256=factor_set.sha256,
        )


def _estimate(leg: LegActivity, mode: TransportMode, factor_set: FactorSet) -> _Estimate:
    factors = factor_set.for_leg(mode, leg.distance_m, leg.on)
    return _Estimate(
        probability=leg.modes[mode],
        usage=_range_over([factor.usage.scaled(_kilometres(leg, factor)) for factor in factors]),
        life_cycle=_range_over(
            [factor.life_cycle.scaled(_kilometres(leg, factor)) for factor in factors]
        ),
        # Between several candidates nobody knows which one holds: that doubt is one error, shared
        # by all legs of the unspecific mode, as a factor's own error is by all legs that use it.
        source=factors[0].id if len(factors) == 1 else mode.value,
        factor_ids=tuple(factor.id for factor in factors),
    )


def _kilometres(leg: LegActivity, factor: EmissionFactor) -> float:
    """Return the kilometres to multiply by: the one place where occupancy divides."""
    sharers = leg.occupants if factor.unit is FactorUnit.VKM else 1
    return leg.distance_m / 1000 / sharers


def _range_over(candidates: list[Interval]) -> Interval:
    """Return the interval that holds every candidate's, with the middle of their values."""
    values = [each.value for each in candidates]
    return Interval(
        value=(min(values) + max(values)) / 2,
        low=min(each.low for each in candidates),
        high=max(each.high for each in candidates),
    )


def _likely(leg: LegActivity) -> list[TransportMode]:
    return [mode for mode, probability in leg.modes.items() if probability > 0]


def _require(number: float, *, field: str, least: float = 0, most: float = math.inf) -> None:
    if not isinstance(number, int | float) or not least <= number <= most or number == math.inf:
        bounds = f"{least} or more" if most == math.inf else f"between {least} and {most:.0f}"
        raise InvalidActivity(field, f"expected a finite number, {bounds}, seen {number}")
