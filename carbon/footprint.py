"""What legs emit: usage (well-to-wheel) and life cycle, always both, each with a 95 % interval.

A leg is a distance, a day, and modes with their probabilities. Its value is the mean over modes
weighted by probability; its interval covers the mixture. How errors add up over legs is written
down, with its formula, in `carbon.uncertainty`. Planes: contrails count in the life cycle alone,
because usage is the well-to-wheel figure of EN ISO 14083, which does not settle their treatment;
`contrails=False` leaves them out of the life cycle too.

It knows neither trips nor people; `personal_store` makes legs of trips. A million legs at once are
for `carbon.columns`. Design: ADEME Base Carbone's conventions, as `data/SOURCES.md` records them.

>>> from datetime import date
>>> from carbon.factors import load_factor_set
>>> leg = LegActivity(
...     modes={TransportMode.CAR_PETROL: 1.0}, distance_m=100_000, on=date(2026, 11, 2), occupants=2
... )
>>> round(leg_footprint(leg, load_factor_set()).life_cycle.value, 3)
11.15
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from carbon.activity import LegActivity
from carbon.factors import FactorSet
from carbon.modes import TransportMode
from carbon.rates import LegRates, RateTable
from carbon.uncertainty import Interval, Outcome, Propagation

__all__ = [
    "Footprint",
    "Interval",
    "LegActivity",
    "footprint_by_mode",
    "leg_footprint",
    "total_footprint",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What legs emit, in kgCO2e, and which factors of which set said so.

    `usage` is well-to-wheel; `life_cycle` adds contrails and the vehicle's manufacture as far as
    the factor's source counts them. `factor_ids` are sorted. `fallbacks` says, sorted, where a
    factor of another country or year stood in. `contrails`: the life cycle counts them.

    >>> zero = Interval(value=0.0, low=0.0, high=0.0)
    >>> Footprint(usage=zero, life_cycle=zero, factor_ids=(), factor_set_sha256="").usage.value
    0.0
    """

    usage: Interval
    life_cycle: Interval
    factor_ids: tuple[str, ...]
    factor_set_sha256: str
    fallbacks: tuple[str, ...] = ()
    contrails: bool = True


def leg_footprint(leg: LegActivity, factor_set: FactorSet, *, contrails: bool = True) -> Footprint:
    """Compute the footprint of one leg, in kgCO2e for one person.

    Raises:
        NoFactor: the set has no factor for one of the leg's modes.
        DateOutsideSet: the set does not cover the leg's day.

    >>> from datetime import date
    >>> from carbon.factors import load_factor_set
    >>> leg = LegActivity(
    ...     modes={TransportMode.UNKNOWN: 1.0}, distance_m=10_000, on=date(2026, 11, 2)
    ... )
    >>> usage = leg_footprint(leg, load_factor_set()).usage
    >>> usage.low == 0 < usage.value < usage.high
    True

    """
    return total_footprint([leg], factor_set, contrails=contrails)


def total_footprint(
    legs: Iterable[LegActivity], factor_set: FactorSet, *, contrails: bool = True
) -> Footprint:
    """Compute the footprint of many legs: errors shared per factor, the rest leg by leg.

    Raises:
        NoFactor: the set has no factor for one of the legs' modes.
        DateOutsideSet: the set does not cover one of the legs' days.

    >>> from datetime import date
    >>> from carbon.factors import load_factor_set
    >>> leg = LegActivity(modes={TransportMode.CAR: 1.0}, distance_m=1_000, on=date(2026, 11, 2))
    >>> year = total_footprint([leg] * 365, load_factor_set()).life_cycle
    >>> round((year.high - year.value) / year.value, 3)
    0.6

    """
    table = RateTable(factor_set, contrails=contrails)
    tally = Tally()
    for leg in legs:
        tally.add([(p, table.rates(leg, mode)) for mode, p in leg.modes.items() if p > 0], leg)
    return tally.footprint(table)


def footprint_by_mode(
    legs: Iterable[LegActivity], factor_set: FactorSet, *, contrails: bool = True
) -> Mapping[TransportMode, Footprint]:
    """Compute each mode's share of the footprint, in the order of the enumeration.

    A leg that is 70 % car adds 70 % of a car's emissions to the car, whose interval then covers
    that it may have been none. Values add up to those of `total_footprint`; intervals do not,
    because a doubtful leg that is not one mode is another.

    Raises:
        NoFactor: the set has no factor for one of the legs' modes.
        DateOutsideSet: the set does not cover one of the legs' days.

    >>> from datetime import date
    >>> from carbon.factors import load_factor_set
    >>> either = {TransportMode.BIKE: 0.5, TransportMode.BUS: 0.5}
    >>> leg = LegActivity(modes=either, distance_m=3_000, on=date(2026, 11, 2))
    >>> [mode.value for mode in footprint_by_mode([leg], load_factor_set())]
    ['bike', 'bus']

    """
    table = RateTable(factor_set, contrails=contrails)
    tallies: dict[TransportMode, Tally] = {}
    for leg in legs:
        for mode, probability in leg.modes.items():
            if probability > 0:
                tally = tallies.setdefault(mode, Tally())
                tally.add([(probability, table.rates(leg, mode))], leg)
    return {mode: tallies[mode].footprint(table) for mode in TransportMode if mode in tallies}


class Tally:
    """Adds legs up, usage and life cycle side by side.

    >>> from carbon.factors import load_factor_set
    >>> Tally().footprint(RateTable(load_factor_set())).usage.value
    0.0
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._usage = Propagation()
        self._life_cycle = Propagation()
        self._factor_ids: set[str] = set()
        self._fallbacks: set[str] = set()

    def add(self, likely: Sequence[tuple[float, LegRates]], leg: LegActivity) -> None:
        """Add one leg, given what each of its modes would emit, with its probability.

        >>> from datetime import date
        >>> from carbon.factors import load_factor_set
        >>> bus = TransportMode.BUS
        >>> leg = LegActivity(modes={bus: 1.0}, distance_m=1_000, on=date(2026, 11, 2))
        >>> tally = Tally()
        >>> tally.add([(1.0, RateTable(load_factor_set()).rates(leg, bus))], leg)
        >>> tally.footprint(RateTable(load_factor_set())).life_cycle.value
        0.147
        """
        distance_km = leg.distance_m / 1000
        distance_u95 = leg.distance_u95_percent / 100
        self._usage.add(
            [Outcome(probability, rates.usage) for probability, rates in likely],
            distance_km=distance_km,
            distance_u95=distance_u95,
        )
        self._life_cycle.add(
            [Outcome(probability, rates.life_cycle) for probability, rates in likely],
            distance_km=distance_km,
            distance_u95=distance_u95,
        )
        for _, rates in likely:
            self._factor_ids.update(rates.factor_ids)
            self._fallbacks.update(rates.fallbacks)

    def footprint(self, table: RateTable) -> Footprint:
        """Return what the legs so far emit, by the rates they were added with.

        >>> from carbon.factors import load_factor_set
        >>> Tally().footprint(RateTable(load_factor_set())).factor_ids
        ()
        """
        return Footprint(
            usage=self._usage.interval(),
            life_cycle=self._life_cycle.interval(),
            factor_ids=tuple(sorted(self._factor_ids)),
            factor_set_sha256=table.factor_set.sha256,
            fallbacks=tuple(sorted(self._fallbacks)),
            contrails=table.contrails,
        )
