"""One emission factor: what a kilometre emits, where the figure comes from, how sure it is.

It is a record that refuses to contradict itself. It chooses no factor (`carbon.factors` does) and
knows nothing of legs. Its fields are the columns of the files in `carbon/data`.

>>> from carbon.factors import load_factor_set
>>> load_factor_set().factor("tram.bc22.28150").unit.value
'pkm'
"""

import math
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum

from carbon.errors import InvalidFactor
from carbon.modes import TransportMode
from carbon.uncertainty import Interval

# Published parts are rounded to three digits: their sum may miss the published total by as much.
ROUNDING_TOLERANCE = 0.01


class FactorUnit(StrEnum):
    """What a factor is per: a kilometre of one passenger, or of the whole vehicle.

    >>> FactorUnit("vkm").name
    'VKM'
    """

    PKM = "pkm"
    VKM = "vkm"


class Evidence(StrEnum):
    """How a value was read. A value judged defective has no code here: it cannot be shipped.

    A: in the publisher's own machine-readable data. B: two or more transcriptions agree.
    C: one transcription. U: unverified.

    >>> [code.value for code in Evidence]
    ['A', 'B', 'C', 'U']
    """

    PRIMARY = "A"
    CORROBORATED = "B"
    TRANSCRIBED = "C"
    UNVERIFIED = "U"


class U95Basis(StrEnum):
    """Where a factor's U95 comes from.

    `published` with the value; `carried_over` from an earlier version of the same factor family;
    `chosen` by us, conservatively, because nobody published one (`data/SOURCES.md` says how).

    >>> U95Basis("chosen") is U95Basis.CHOSEN
    True
    """

    PUBLISHED = "published"
    CARRIED_OVER = "carried_over"
    CHOSEN = "chosen"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmissionFactor:
    """What one kilometre emits, in kgCO2e per pkm or per vkm as `unit` says.

    Life cycle is the published total: usage, contrails, vehicle manufacture and maintenance;
    infrastructure is in none of the sources. Usage is well-to-wheel: upstream and combustion,
    without contrails. A part that is None was not published: it is not zero. Where construction
    is None and usage equals the total, the source counted no manufacture.
    `u95_percent` is the total's U95, `usage_u95_percent` that of usage. The factor holds on days
    in [valid_from, valid_to), and for distances in [min_km, max_km) where these are given.

    Raises:
        InvalidFactor: a number is negative or not finite, or the parts contradict the total.

    >>> from carbon.factors import load_factor_set
    >>> tgv = load_factor_set().factor("train_tgv.bc23.43256")
    >>> tgv.unit.value, tgv.year, tgv.evidence.value
    ('pkm', 2022, 'B')

    """

    id: str
    mode: TransportMode
    label: str
    unit: FactorUnit
    life_cycle_kg_co2e_per_km: float
    usage_kg_co2e_per_km: float | None
    upstream_kg_co2e_per_km: float | None = None
    combustion_kg_co2e_per_km: float | None = None
    contrails_kg_co2e_per_km: float | None = None
    construction_kg_co2e_per_km: float | None = None
    maintenance_kg_co2e_per_km: float | None = None
    u95_percent: float
    usage_u95_percent: float | None
    u95_basis: U95Basis
    min_km: float | None = None
    max_km: float | None = None
    geography: str
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
        for field in NUMBERS:
            number = getattr(self, field)
            if number is not None and not 0 <= number < math.inf:
                raise self._wrong(field, "a finite number, 0 or more", number)
        for field in ("id", "label", "source", "source_version", "source_id", "licence"):
            if not getattr(self, field):
                raise self._wrong(field, "a text", "none")
        if self.valid_from >= self.valid_to:
            raise self._wrong("valid_to", "a day after valid_from", self.valid_to)
        if (self.usage_kg_co2e_per_km is None) != (self.usage_u95_percent is None):
            raise self._wrong("usage_u95_percent", "one exactly where usage is known", "the other")
        if self.min_km is not None and self.max_km is not None and self.min_km >= self.max_km:
            raise self._wrong("max_km", "more than min_km", self.max_km)
        self._check_parts()

    @property
    def life_cycle(self) -> Interval:
        """Return the published total per km and its 95 % interval, never below zero.

        >>> from carbon.factors import load_factor_set
        >>> load_factor_set().factor("train_tgv.bc23.43256").life_cycle.value
        0.00293
        """
        return _spread(self.life_cycle_kg_co2e_per_km, self.u95_percent)

    @property
    def usage(self) -> Interval:
        """Return well-to-wheel emissions per km and their 95 % interval, never below zero.

        Where the source gives only a total, usage is somewhere between nothing and that total
        (at the top of its interval): the range is returned, with the total's half as its value.

        >>> from carbon.factors import load_factor_set
        >>> load_factor_set().factor("moped.bc23.43775").usage.low
        0.0
        """
        if self.usage_kg_co2e_per_km is None or self.usage_u95_percent is None:
            whole = self.life_cycle
            return Interval(value=whole.value / 2, low=0.0, high=whole.high)
        return _spread(self.usage_kg_co2e_per_km, self.usage_u95_percent)

    @property
    def without_contrails(self) -> Interval:
        """Return the life cycle per km less contrails; the same as `life_cycle` but for planes.

        Contrails carry most of a plane's error: without them the error of usage holds. Where the
        source does not split a plane's total, the range is that of `usage`.

        >>> from carbon.factors import load_factor_set
        >>> flight = load_factor_set().factor("plane.bc23.43743").without_contrails
        >>> round(flight.value, 6), round(flight.high / flight.value, 6)
        (0.123572, 1.1)
        """
        if self.mode is not TransportMode.PLANE:
            return self.life_cycle
        if self.contrails_kg_co2e_per_km is None or self.usage_u95_percent is None:
            return self.usage
        value = self.life_cycle_kg_co2e_per_km - self.contrails_kg_co2e_per_km
        return _spread(value, self.usage_u95_percent)

    def covers_day(self, on: date) -> bool:
        """Tell whether the factor is valid on that day.

        >>> from carbon.factors import load_factor_set
        >>> load_factor_set().factor("train_tgv.bc23.43256").covers_day(date(1999, 1, 1))
        False
        """
        return self.valid_from <= on < self.valid_to

    def covers_distance(self, distance_m: float) -> bool:
        """Tell whether the distance lies in the factor's band [min_km, max_km).

        >>> from carbon.factors import load_factor_set
        >>> load_factor_set().factor("plane.bc23.43743").covers_distance(500_000)
        True
        """
        low_km = 0.0 if self.min_km is None else self.min_km
        high_km = math.inf if self.max_km is None else self.max_km
        return low_km * 1000 <= distance_m < high_km * 1000

    def _check_parts(self) -> None:
        usage = self.usage_kg_co2e_per_km
        total = self.life_cycle_kg_co2e_per_km
        fuel = (self.upstream_kg_co2e_per_km, self.combustion_kg_co2e_per_km)
        burnt = _sum(*fuel)
        if usage is not None and None not in fuel and not _agree(burnt, usage):
            raise self._wrong("usage_kg_co2e_per_km", f"upstream + combustion = {burnt}", usage)
        others = (
            self.contrails_kg_co2e_per_km,
            self.construction_kg_co2e_per_km,
            self.maintenance_kg_co2e_per_km,
        )
        parts = _sum(usage, *others)
        complete = usage is not None and self.construction_kg_co2e_per_km is not None
        if parts > total * (1 + ROUNDING_TOLERANCE) or (complete and not _agree(parts, total)):
            raise self._wrong("life_cycle_kg_co2e_per_km", f"the sum of its parts, {parts}", total)

    def _wrong(self, field: str, expected: str, seen: object) -> InvalidFactor:
        where = f"in factor {self.id!r}; correct the row in a new set"
        return InvalidFactor(field, f"expected {expected}, seen {seen} {where}")


def _spread(value: float, u95_percent: float) -> Interval:
    width = value * u95_percent / 100
    return Interval(value=value, low=max(0.0, value - width), high=value + width)


def _sum(*parts: float | None) -> float:
    return math.fsum(part for part in parts if part is not None)


def _agree(parts: float, total: float) -> bool:
    return math.isclose(parts, total, rel_tol=ROUNDING_TOLERANCE)


COLUMNS = tuple(field.name for field in fields(EmissionFactor))
NUMBERS = tuple(name for name in COLUMNS if name.endswith(("_per_km", "_percent", "_km")))
