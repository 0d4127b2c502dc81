"""What a litre or a kilowatt-hour emits, and how much of it a vehicle was measured to use.

A measured consumption says more about a car than its class does. It knows no kilometres and no
legs (`carbon.rates` combines them); its rows are the columns of the files `energies-*.csv`.

>>> Consumption(energy=Energy.PETROL, per_100_km=6.2).energy.unit
'litre'
"""

import math
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum

from carbon.emission_factor import Evidence, U95Basis
from carbon.errors import InvalidActivity, InvalidFactor

# A lorry burns some 40 L per 100 km; above this a consumption is in another unit.
LARGEST_PER_100_KM = 200.0


class Energy(StrEnum):
    """What a vehicle runs on, as sold in France; `diesel` is B7, `petrol` E5 to E10.

    >>> [energy.value for energy in Energy]
    ['petrol', 'diesel', 'e85', 'lpg', 'electricity']
    """

    PETROL = "petrol"
    DIESEL = "diesel"
    E85 = "e85"
    LPG = "lpg"
    ELECTRICITY = "electricity"

    @property
    def unit(self) -> str:
        """Return what it is sold by: litre or kWh.

        >>> Energy.ELECTRICITY.unit
        'kWh'
        """
        return "kWh" if self is Energy.ELECTRICITY else "litre"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """What a person's own vehicle was measured to use: litres, or kWh, per 100 km.

    `u95_percent` is the measurement's 95 % error, shared by all legs of one `vehicle` (any name
    that tells a person's vehicles apart). `country` (ISO 3166, two letters) is where it was filled
    or charged: it decides which electricity.

    Raises:
        InvalidActivity: one of these is impossible; the error's `field` says which.

    >>> Consumption(energy=Energy.DIESEL, per_100_km=-5.0)
    Traceback (most recent call last):
    carbon.errors.InvalidActivity: per_100_km: expected between 0 and 200, seen -5.0; give L or kWh

    """

    energy: Energy
    per_100_km: float
    u95_percent: float = 0
    country: str = "FR"
    vehicle: str = "own"

    def __post_init__(self) -> None:
        """Refuse what no vehicle uses."""
        if not isinstance(self.energy, Energy):
            raise InvalidActivity("energy", f"expected an Energy, seen {self.energy!r}")
        if not 0 <= self.per_100_km <= LARGEST_PER_100_KM:
            raise InvalidActivity(
                "per_100_km",
                f"expected between 0 and {LARGEST_PER_100_KM:.0f}, seen {self.per_100_km}; "
                "give L or kWh",
            )
        if not 0 <= self.u95_percent <= 100:
            raise InvalidActivity(
                "u95_percent", f"expected between 0 and 100, seen {self.u95_percent}; give per cent"
            )
        if len(self.country) != 2 or not self.country.isupper():
            raise InvalidActivity(
                "country", f"expected two capital letters such as FR, seen {self.country!r}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyFactor:
    """What one litre or one kWh emits, well-to-wheel (for electricity: plants, fuels and losses).

    `year` is the publisher's reference year; it holds on days in [valid_from, valid_to).

    Raises:
        InvalidFactor: a number is negative or not finite, a text is empty, the parts contradict
            the total, or the days are none.

    >>> from carbon.factors import load_factor_set
    >>> load_factor_set().energy("petrol.bc22.25763").kg_co2e_per_unit
    2.7

    """

    id: str
    energy: Energy
    label: str
    kg_co2e_per_unit: float
    upstream_kg_co2e_per_unit: float | None = None
    combustion_kg_co2e_per_unit: float | None = None
    u95_percent: float
    u95_basis: U95Basis
    country: str
    year: int
    valid_from: date
    valid_to: date
    source: str
    source_version: str
    source_id: str
    licence: str
    evidence: Evidence

    def __post_init__(self) -> None:
        """Refuse a factor that contradicts itself."""
        for field in ENERGY_NUMBERS:
            number = getattr(self, field)
            if number is not None and not 0 <= number < math.inf:
                raise self._wrong(field, "a finite number, 0 or more", number)
        for field in ("id", "label", "country", "source", "source_id", "licence"):
            if not getattr(self, field):
                raise self._wrong(field, "a text", "none")
        if self.valid_from >= self.valid_to:
            raise self._wrong("valid_to", "a day after valid_from", self.valid_to)
        upstream, combustion = self.upstream_kg_co2e_per_unit, self.combustion_kg_co2e_per_unit
        if upstream is not None and combustion is not None:
            parts = upstream + combustion
            # Published to three digits each.
            if not math.isclose(parts, self.kg_co2e_per_unit, rel_tol=0.01):
                raise self._wrong("kg_co2e_per_unit", f"upstream + combustion = {parts}", "another")

    def covers_day(self, on: date) -> bool:
        """Tell whether the factor is valid on that day.

        >>> from carbon.factors import load_factor_set
        >>> load_factor_set().energy("petrol.bc22.25763").covers_day(date(1999, 1, 1))
        False
        """
        return self.valid_from <= on < self.valid_to

    def _wrong(self, field: str, expected: str, seen: object) -> InvalidFactor:
        where = f"in factor {self.id!r}; correct the row in a new set"
        return InvalidFactor(field, f"expected {expected}, seen {seen} {where}")


ENERGY_COLUMNS = tuple(field.name for field in fields(EnergyFactor))
ENERGY_NUMBERS = tuple(name for name in ENERGY_COLUMNS if name.endswith(("_per_unit", "_percent")))


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyChoice:
    """The energy factors that may apply: one, or several where the country has none.

    `fallback` says what was asked and what is used where these differ; else it is empty.

    >>> EnergyChoice(factors=(), fallback="").fallback
    ''
    """

    factors: tuple[EnergyFactor, ...]
    fallback: str


def choose_energy(
    factors: tuple[EnergyFactor, ...], energy: Energy, *, country: str, on: date
) -> EnergyChoice:
    """Choose among the factors: same country, then nearest year; flag what is not exact.

    Of two years equally near, the one listed first is used. A country without factor gets all
    of them, as a range, and a flag. The year matters for electricity alone: the composition of
    road fuels is fixed by law and changes little.

    >>> from carbon.factors import load_factor_set
    >>> energies = load_factor_set().energies
    >>> choice = choose_energy(energies, Energy.ELECTRICITY, country="FR", on=date(2026, 5, 4))
    >>> choice.factors[0].id, choice.fallback
    ('grid.bc23.43642', 'electricity FR 2026: used FR 2024')
    """
    valid = tuple(f for f in factors if f.energy is energy and f.covers_day(on))
    here = tuple(f for f in valid if f.country == country)
    if not here:
        fallback = f"{energy.value} {country} {on.year}: used the range of {_countries(valid)}"
        return EnergyChoice(factors=valid, fallback=fallback)
    nearest = min(here, key=lambda factor: abs(factor.year - on.year))
    inexact = energy is Energy.ELECTRICITY and nearest.year != on.year
    return EnergyChoice(
        factors=(nearest,),
        fallback=f"{energy.value} {country} {on.year}: used {country} {nearest.year}"
        if inexact
        else "",
    )


def _countries(factors: tuple[EnergyFactor, ...]) -> str:
    return ", ".join(sorted({factor.country for factor in factors}))
