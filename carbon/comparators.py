"""What a footprint may be held against, each with its scope: who, where, when, and what it counts.

Two figures compare only as far as they count the same. National statistics leave manufacture out,
some leave the production of fuel out, and two tonnes are for a person's whole consumption, not
their mobility. A comparison takes the one of our two figures that is nearest in scope, and lists
what either side counts and the other does not; it never adjusts in silence.

One's own last year is better compared leg by leg: `carbon.differences.period_difference`.
A commune's or sector's figure, as the aggregator publishes it, is a `Comparator` like another.

>>> national = load_comparators()["fr.emp2019.mobility"]
>>> national.kg_co2e_per_year, national.scope.construction
(1450.0, False)
"""

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from importlib.resources import files
from types import MappingProxyType

from carbon.errors import InvalidActivity, InvalidFactor
from carbon.footprint import Footprint
from carbon.uncertainty import Interval

COMPARATORS = "comparators-2026-11-22"
DAYS_PER_YEAR = 365.25


class Measure(StrEnum):
    """Which of a footprint's two figures.

    >>> [measure.value for measure in Measure]
    ['usage', 'life_cycle']
    """

    USAGE = "usage"
    LIFE_CYCLE = "life_cycle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which parts of an emission a figure counts.

    >>> Scope(upstream=True, combustion=True, contrails=False, construction=False).parts
    ('upstream', 'combustion')
    """

    upstream: bool
    combustion: bool
    contrails: bool
    construction: bool

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the names of the parts that are counted.

        >>> SCOPES[Measure.LIFE_CYCLE].parts
        ('upstream', 'combustion', 'contrails', 'construction')
        """
        return tuple(field.name for field in fields(self) if getattr(self, field.name))


SCOPES: Mapping[Measure, Scope] = MappingProxyType(
    {
        Measure.USAGE: Scope(upstream=True, combustion=True, contrails=False, construction=False),
        Measure.LIFE_CYCLE: Scope(
            upstream=True, combustion=True, contrails=True, construction=True
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparator:
    """A published figure, in kgCO2e per person and year, and everything that bounds its meaning.

    `subject` is what is counted (mobility, or everything), `who` and `geography` for whom.

    Raises:
        InvalidFactor: the mass is not above zero, or a text is empty.

    >>> load_comparators()["target.2t"].subject
    'everything that a person consumes'

    """

    id: str
    label_fr: str
    label_en: str
    kg_co2e_per_year: float
    subject: str
    who: str
    geography: str
    year: int
    scope: Scope
    source: str
    evidence: str

    def __post_init__(self) -> None:
        """Refuse a figure without meaning."""
        if not 0 < self.kg_co2e_per_year < math.inf:
            raise InvalidFactor(
                "kg_co2e_per_year",
                f"expected a finite number above 0, seen {self.kg_co2e_per_year} in {self.id!r}",
            )
        for field in ("id", "label_fr", "label_en", "subject", "who", "geography", "source"):
            if not getattr(self, field):
                raise InvalidFactor(field, f"expected a text, seen none in {self.id!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One's own figure, by the year, against another, and where their scopes part.

    `ratio` is own over theirs: 0.5 is half as much. `only_ours` and `only_theirs` name the parts
    that one side alone counts; both empty, the scopes agree.

    >>> nothing = Interval(value=0.0, low=0.0, high=0.0)
    >>> own = Footprint(usage=nothing, life_cycle=nothing, factor_ids=(), factor_set_sha256="")
    >>> compare(own, load_comparators()["target.2t"], days=365).only_theirs
    ()
    """

    comparator: Comparator
    measure: Measure
    own_kg_per_year: Interval
    ratio: Interval
    only_ours: tuple[str, ...]
    only_theirs: tuple[str, ...]


def compare(own: Footprint, comparator: Comparator, *, days: float) -> Comparison:
    """Compare a footprint of so many days with a yearly figure.

    The own figure is scaled to a year as if it went on like that; a season is no year. Of
    the two own figures, the one whose scope differs in fewer parts is taken, usage where both do.
    The ratio's interval is that of the own figure: the other's error is not published.

    Raises:
        InvalidActivity: the days are not above zero.

    >>> mass = Interval(value=600.0, low=300.0, high=900.0)
    >>> own = Footprint(usage=mass, life_cycle=mass, factor_ids=(), factor_set_sha256="")
    >>> half = compare(own, load_comparators()["fr.emp2019.mobility"], days=365.25 / 2)
    >>> round(half.ratio.value, 3), half.measure.value, half.only_ours, half.only_theirs
    (0.828, 'usage', (), ('contrails',))

    """
    if not 0 < days < math.inf:
        raise InvalidActivity("days", f"expected a finite number above 0, seen {days}")
    scopes = {each: _counted(own, each) for each in Measure}
    measure = min(Measure, key=lambda each: len(_apart(scopes[each], comparator.scope)))
    interval = own.usage if measure is Measure.USAGE else own.life_cycle
    yearly = interval.scaled(DAYS_PER_YEAR / days)
    ours, theirs = set(scopes[measure].parts), set(comparator.scope.parts)
    return Comparison(
        comparator=comparator,
        measure=measure,
        own_kg_per_year=yearly,
        ratio=yearly.scaled(1 / comparator.kg_co2e_per_year),
        only_ours=tuple(part for part in scopes[measure].parts if part not in theirs),
        only_theirs=tuple(part for part in comparator.scope.parts if part not in ours),
    )


def load_comparators() -> Mapping[str, Comparator]:
    """Read the package's own comparators, by id.

    >>> "fr.emp2019.mobility.car" in load_comparators()
    True
    """
    content = (files("carbon") / "data" / f"{COMPARATORS}.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(io.StringIO(content))
    return MappingProxyType({row["id"]: _comparator(row) for row in rows})


def _comparator(row: dict[str, str]) -> Comparator:
    parts = {field.name: row[field.name] == "1" for field in fields(Scope)}
    texts = ("id", "label_fr", "label_en", "subject", "who", "geography", "source", "evidence")
    return Comparator(
        kg_co2e_per_year=float(row["kg_co2e_per_year"]),
        year=int(row["year"]),
        scope=Scope(**parts),
        **{name: row[name] for name in texts},
    )


def _counted(own: Footprint, measure: Measure) -> Scope:
    scope = SCOPES[measure]
    return replace(scope, contrails=scope.contrails and own.contrails)


def _apart(one: Scope, other: Scope) -> set[str]:
    return set(one.parts) ^ set(other.parts)
