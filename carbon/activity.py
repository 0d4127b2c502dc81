"""One leg as travelled by one person: what a footprint is computed from.

It is checked once, at construction, and never again. It holds no emission.

>>> from datetime import date
>>> LegActivity(modes={TransportMode.BUS: 1.0}, distance_m=3_000, on=date(2026, 11, 2)).occupants
1
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from carbon.energies import Consumption
from carbon.errors import InvalidActivity
from carbon.modes import TransportMode
from carbon.uncertainty import PROBABILITY_TOLERANCE

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
    `consumption`, where it was measured, replaces the usage of the vehicle's class.

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
    consumption: Consumption | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be travelled, and keep a private copy of the modes."""
        _require(self.distance_m, field="distance_m", most=LONGEST_LEG_M)
        _require(self.distance_u95_percent, field="distance_u95_percent", most=WIDEST_U95_PERCENT)
        _require(self.occupants, field="occupants", least=1)
        if isinstance(self.on, datetime) or not isinstance(self.on, date):
            raise InvalidActivity("on", f"expected a date, seen a {type(self.on).__name__}")
        if not isinstance(self.modes, Mapping):
            raise InvalidActivity("modes", f"expected a mapping, seen {type(self.modes).__name__}")
        for mode, probability in self.modes.items():
            if not isinstance(mode, TransportMode):
                raise InvalidActivity("modes", f"expected TransportMode keys, seen {mode!r}")
            _require(probability, field="modes")
        total = math.fsum(self.modes.values())
        if abs(total - 1) > PROBABILITY_TOLERANCE:
            raise InvalidActivity("modes", f"expected probabilities summing to 1, seen {total}")
        if not isinstance(self.consumption, Consumption | None):
            raise InvalidActivity("consumption", "expected a Consumption, seen something else")
        object.__setattr__(self, "modes", MappingProxyType(dict(self.modes)))


def _require(number: float, *, field: str, least: float = 0, most: float = math.inf) -> None:
    if not isinstance(number, int | float) or not least <= number <= most or number == math.inf:
        bounds = f"{least} or more" if most == math.inf else f"between {least} and {most:.0f}"
        raise InvalidActivity(field, f"expected a finite number, {bounds}, seen {number}")
