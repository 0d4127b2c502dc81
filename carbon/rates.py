"""What a kilometre of a leg emits, mode by mode: the factors chosen, shared, and remembered.

A table looks each factor up once per combination of mode, period, distance band, occupants and
measured consumption; a year of legs needs few of them. It adds nothing up (`carbon.footprint`).
The one place that says by how much occupancy divides is `_sharers`.

>>> from datetime import date
>>> from carbon.factors import load_factor_set
>>> leg = LegActivity(modes={TransportMode.BUS: 1.0}, distance_m=3_000, on=date(2026, 11, 2))
>>> RateTable(load_factor_set()).rates(leg, TransportMode.BUS).life_cycle.value
0.147
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date

from carbon.activity import LegActivity
from carbon.emission_factor import EmissionFactor, FactorUnit
from carbon.energies import Consumption, Energy
from carbon.errors import InvalidActivity
from carbon.factors import SHORTEST_UNKNOWN_FLIGHT_M, FactorSet
from carbon.modes import TransportMode
from carbon.uncertainty import Interval, Rate, SharedError, rate_of

# Which modes a measured consumption may belong to, and the class that then gives the manufacture.
_CARS = {
    Energy.PETROL: TransportMode.CAR_PETROL,
    Energy.DIESEL: TransportMode.CAR_DIESEL,
    Energy.E85: TransportMode.CAR_E85,
    Energy.LPG: TransportMode.CAR_LPG,
    Energy.ELECTRICITY: TransportMode.CAR_ELECTRIC,
}
_PETROL_ENGINES = {
    mode: mode
    for mode in (
        TransportMode.CAR_HYBRID,
        TransportMode.MOPED,
        TransportMode.MOTORBIKE_SMALL,
        TransportMode.MOTORBIKE,
    )
}
CLASSES = {
    energy: {
        TransportMode.CAR: car,
        car: car,
        **(_PETROL_ENGINES if energy in (Energy.PETROL, Energy.E85) else {}),
    }
    for energy, car in _CARS.items()
}
MEASURABLE = frozenset(mode for classes in CLASSES.values() for mode in classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRates:
    """What a leg emits per km if travelled by one mode, both ways of counting.

    >>> LegRates(usage=Rate(0, ()), life_cycle=Rate(0, ()), factor_ids=()).fallbacks
    ()
    """

    usage: Rate
    life_cycle: Rate
    factor_ids: tuple[str, ...]
    fallbacks: tuple[str, ...] = ()


class RateTable:
    """The rates of one factor set, computed when first asked for.

    Contrails count in the life cycle unless `contrails` is False.

    >>> from carbon.factors import load_factor_set
    >>> flight = LegActivity(
    ...     modes={TransportMode.PLANE: 1.0}, distance_m=800_000, on=date(2026, 11, 2)
    ... )
    >>> for contrails in (True, False):
    ...     table = RateTable(load_factor_set(), contrails=contrails)
    ...     round(table.rates(flight, TransportMode.PLANE).life_cycle.value, 6)
    0.224572
    0.123572
    """

    def __init__(self, factor_set: FactorSet, *, contrails: bool = True) -> None:
        """Find the days and distances at which some factor begins or ends."""
        self.factor_set = factor_set
        self.contrails = contrails
        days = {day for f in factor_set.factors for day in (f.valid_from, f.valid_to)}
        days |= {day for e in factor_set.energies for day in (e.valid_from, e.valid_to)}
        self.days = sorted(days)
        bounds = {km for f in factor_set.factors for km in (f.min_km, f.max_km) if km is not None}
        self.bands_m = sorted({SHORTEST_UNKNOWN_FLIGHT_M, *(km * 1000 for km in bounds)})
        self._known: dict[object, LegRates] = {}

    def rates(self, leg: LegActivity, mode: TransportMode) -> LegRates:
        """Return what the leg emits per km if it was travelled by that mode.

        Raises:
            NoFactor: the set has no factor for the mode, or no energy for the consumption.
            DateOutsideSet: the set does not cover the leg's day.
            InvalidActivity: the consumption cannot be that of the mode.

        >>> from carbon.factors import load_factor_set
        >>> leg = LegActivity(
        ...     modes={TransportMode.CAR: 1.0},
        ...     distance_m=3_000,
        ...     on=date(2026, 11, 2),
        ...     consumption=Consumption(energy=Energy.PETROL, per_100_km=6.0),
        ... )
        >>> rates = RateTable(load_factor_set()).rates(leg, TransportMode.CAR)
        >>> round(rates.usage.value, 4), rates.factor_ids
        (0.162, ('car_petrol.bc22.27965', 'petrol.bc22.25763'))

        """
        if leg.consumption is not None and MEASURABLE.isdisjoint(leg.modes):
            raise InvalidActivity(
                "consumption",
                f"expected one of the modes {', '.join(sorted(MEASURABLE))}; "
                f"seen {', '.join(sorted(leg.modes))}; "
                "leave the consumption out, or name the vehicle that burned it",
            )
        consumption = leg.consumption if mode in MEASURABLE else None
        key = (
            mode,
            bisect_right(self.days, leg.on),
            bisect_right(self.bands_m, leg.distance_m),
            leg.occupants,
            consumption,
            # The year chooses the electricity, hence matters where a consumption was measured.
            leg.on.year if consumption is not None else None,
        )
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = (
                self._by_class(leg, mode)
                if consumption is None
                else self._by_consumption(leg, mode, consumption)
            )
        return known

    def candidates(
        self, mode: TransportMode, distance_m: float, on: date
    ) -> list[tuple[EmissionFactor, Interval]]:
        """Return the factors that may apply, each with its life cycle per km as counted here.

        >>> from carbon.factors import load_factor_set
        >>> table = RateTable(load_factor_set())
        >>> len(table.candidates(TransportMode.TRAIN, 80_000, date(2026, 11, 2)))
        3
        """
        factors = self.factor_set.for_leg(mode, distance_m, on)
        return [(f, f.life_cycle if self.contrails else f.without_contrails) for f in factors]

    def _by_class(self, leg: LegActivity, mode: TransportMode) -> LegRates:
        found = self.candidates(mode, leg.distance_m, leg.on)
        # Between several candidates nobody knows which one holds: that doubt is one error, shared
        # by all legs of the unspecific mode, as a factor's own error is by all legs that use it.
        source = found[0][0].id if len(found) == 1 else mode.value
        usages = [f.usage.scaled(1 / _sharers(f, leg)) for f, _ in found]
        totals = [total.scaled(1 / _sharers(f, leg)) for f, total in found]
        return LegRates(
            usage=rate_of(range_over(usages), source),
            life_cycle=rate_of(range_over(totals), source),
            factor_ids=tuple(factor.id for factor, _ in found),
        )

    def _by_consumption(
        self, leg: LegActivity, mode: TransportMode, consumption: Consumption
    ) -> LegRates:
        energy = consumption.energy
        vehicle_class = CLASSES[energy].get(mode)
        if vehicle_class is None:
            raise InvalidActivity(
                "consumption", f"expected one that a {mode.value} has, seen {energy.value}"
            )
        choice = self.factor_set.energy_for(energy, country=consumption.country, on=leg.on)
        ((factor, total),) = self.candidates(vehicle_class, leg.distance_m, leg.on)
        amount = consumption.per_100_km / 100 / _sharers(factor, leg)
        burnt = range_over(
            [_around(each.kg_co2e_per_unit, each.u95_percent) for each in choice.factors]
        ).scaled(amount)
        measured = burnt.value * consumption.u95_percent / 100
        source = choice.factors[0].id if len(choice.factors) == 1 else energy.value
        usage = Rate(
            burnt.value,
            (
                *rate_of(burnt, source).errors,
                SharedError(f"consumption of {consumption.vehicle}", measured, measured),
            ),
        )
        made = rate_of(_beyond_usage(factor, total).scaled(1 / _sharers(factor, leg)), factor.id)
        return LegRates(
            usage=usage,
            life_cycle=Rate(usage.value + made.value, (*usage.errors, *made.errors)),
            factor_ids=tuple(sorted((factor.id, *(each.id for each in choice.factors)))),
            fallbacks=(choice.fallback,) if choice.fallback else (),
        )


def range_over(candidates: list[Interval]) -> Interval:
    """Return the interval that holds every candidate's, with the middle of their values.

    >>> one, other = Interval(value=1, low=0, high=2), Interval(value=3, low=2, high=9)
    >>> range_over([one, other])
    Interval(value=2.0, low=0, high=9)
    """
    values = [each.value for each in candidates]
    return Interval(
        value=(min(values) + max(values)) / 2,
        low=min(each.low for each in candidates),
        high=max(each.high for each in candidates),
    )


def _sharers(factor: EmissionFactor, leg: LegActivity) -> float:
    """Return by how many people a factor's kilometre is shared: only a vehicle's is."""
    return leg.occupants if factor.unit is FactorUnit.VKM else 1


def _beyond_usage(factor: EmissionFactor, total: Interval) -> Interval:
    """Return the manufacture of the class: its total less its usage, or a range if not split."""
    if factor.usage_kg_co2e_per_km is None:
        return Interval(value=total.value / 2, low=0.0, high=total.high)
    made = max(0.0, total.value - factor.usage_kg_co2e_per_km)
    return _around(made, factor.u95_percent)


def _around(value: float, u95_percent: float) -> Interval:
    width = value * u95_percent / 100
    return Interval(value=value, low=max(0.0, value - width), high=value + width)
