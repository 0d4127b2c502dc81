"""A million legs at once: the same figures as `carbon.footprint`, from columns instead of objects.

For whoever holds many legs: simulations, a household's ten years, a benchmark. It needs numpy,
imported when it is called and not before (`docs/adr/0003-numpy-for-a-million-legs.md`); everything
else in this package runs without. It takes no measured consumption: such legs go through
`total_footprint`. The formula is that of `carbon.uncertainty`, leg by leg on whole columns.

>>> from carbon.factors import load_factor_set
>>> both = {TransportMode.CAR: [1.0, 0.5], TransportMode.BUS: [0.0, 0.5]}
>>> days = [date(2026, 11, 2).toordinal()] * 2
>>> columns = LegColumns(modes=both, distance_m=[100_000, 10_000], days=days)
>>> round(columns_footprint(columns, load_factor_set()).life_cycle.value, 3)
23.625
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from carbon.activity import LONGEST_LEG_M, WIDEST_U95_PERCENT
from carbon.emission_factor import FactorUnit
from carbon.errors import CarbonError, InvalidActivity
from carbon.factors import FactorSet
from carbon.footprint import Footprint
from carbon.modes import TransportMode
from carbon.quantiles import Mixtures, raise_allowance
from carbon.rates import RateTable
from carbon.uncertainty import PROBABILITY_TOLERANCE, Z95, Interval, Propagation

if TYPE_CHECKING:
    from numpy import bool_, float64, int64
    from numpy.typing import NDArray

    Floats = NDArray[float64]
    Ints = NDArray[int64]
    Bools = NDArray[bool_]

# Legs computed together: six modes of so many fit in a core's second-level cache.
CHUNK = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class LegColumns:
    """Legs as columns of equal length: what `LegActivity` holds, one row per leg.

    `modes` gives each possible mode its column of probabilities; a row's sum is 1. `days` are
    ordinals (`date.toordinal`). `occupants` and `distance_u95_percent` are columns, or one number
    for all. Sequences and numpy arrays both do. They are checked when they are computed.

    >>> LegColumns(modes={TransportMode.BUS: [1.0]}, distance_m=[3_000], days=[739_922]).occupants
    1.0
    """

    modes: Mapping[TransportMode, "Sequence[float] | Floats"]
    distance_m: "Sequence[float] | Floats"
    days: "Sequence[int] | Ints"
    occupants: "float | Sequence[float] | Floats" = 1.0
    distance_u95_percent: "float | Sequence[float] | Floats" = 0.0


def columns_footprint(
    columns: LegColumns, factor_set: FactorSet, *, contrails: bool = True
) -> Footprint:
    """Compute the footprint of all legs, as `total_footprint` would.

    Intervals agree with the scalar ones to one part in a hundred thousand of the value, and values
    to rounding.

    Raises:
        InvalidActivity: a column is impossible; the message gives the first such row.
        NoFactor: the set has no factor for one of the modes.
        DateOutsideSet: the set does not cover one of the days.
        CarbonError: numpy is not installed.

    >>> from carbon.factors import load_factor_set
    >>> columns = LegColumns(modes={TransportMode.BUS: [1.0]}, distance_m=[-3.0], days=[739_922])
    >>> columns_footprint(columns, load_factor_set())  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    carbon.errors.InvalidActivity: distance_m: expected ... seen -3.0 in row 0

    """
    np = _numpy()
    legs = _Legs.checked(columns, np)
    tally = _Tally(RateTable(factor_set, contrails=contrails), legs.modes, np)
    for start in range(0, legs.count, CHUNK):
        tally.add(legs.rows(slice(start, start + CHUNK)))
    return tally.footprint()


def _numpy() -> Any:
    try:
        import numpy as np  # noqa: PLC0415 - see docs/adr/0003
    except ImportError as error:
        raise CarbonError(
            "columns", "expected numpy, seen none; install it or use total_footprint"
        ) from error
    return np


@dataclass(frozen=True, slots=True, kw_only=True)
class _Legs:
    """Checked columns: probabilities are one row per mode, the rest one number per leg."""

    modes: tuple[TransportMode, ...]
    probability: "Floats"
    distance_m: "Floats"
    days: "Ints"
    occupants: "Floats"
    u95: "Floats"

    @classmethod
    def checked(cls, columns: LegColumns, np: Any) -> "_Legs":
        """Check every column of n legs; raises `InvalidActivity` naming the first bad row.

        Probabilities, shape (modes, n), add up to 1 for each leg; distances are in metres, days
        are ordinals (1 is 1 January of year 1), half-widths at 95 % become shares.
        """
        modes = tuple(columns.modes)
        if any(not isinstance(mode, TransportMode) for mode in modes):
            raise InvalidActivity("modes", "expected TransportMode keys, seen another")
        check = _Check(np, len(columns.distance_m))
        rows = [check.column("modes", columns.modes[mode], 0, 1.000_001) for mode in modes]
        probability = np.stack(rows) if rows else np.zeros((0, check.count))
        wrong = np.flatnonzero(abs(probability.sum(axis=0) - 1) > PROBABILITY_TOLERANCE)
        if len(wrong):
            raise InvalidActivity(
                "modes", f"expected probabilities summing to 1, seen others in row {wrong[0]}"
            )
        u95_percent = columns.distance_u95_percent
        return cls(
            modes=modes,
            probability=probability,
            distance_m=check.column("distance_m", columns.distance_m, 0, LONGEST_LEG_M),
            days=check.column("days", columns.days, 1, date.max.toordinal(), dtype=int),
            occupants=check.column("occupants", columns.occupants, 1, sys.float_info.max),
            u95=check.column("distance_u95_percent", u95_percent, 0, WIDEST_U95_PERCENT) / 100,
        )

    @property
    def count(self) -> int:
        """How many legs there are."""
        return len(self.distance_m)

    def rows(self, chosen: slice) -> "_Legs":
        """Return some of the legs, as views."""
        return _Legs(
            modes=self.modes,
            probability=self.probability[:, chosen],
            distance_m=self.distance_m[chosen],
            days=self.days[chosen],
            occupants=self.occupants[chosen],
            u95=self.u95[chosen],
        )


@dataclass(frozen=True, slots=True)
class _Check:
    """Refuses a column of another length, or with a number out of bounds."""

    np: Any
    count: int

    def column(
        self, field: str, given: object, least: float, most: float, *, dtype: type = float
    ) -> Any:
        """Return a column of `count` numbers from `least` to `most`; raises `InvalidActivity`."""
        try:
            values = self.np.asarray(given, dtype=float)
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidActivity(
                field, "expected a column of numbers, seen something else"
            ) from error
        values = self.np.full(self.count, values) if values.ndim == 0 else values
        if values.shape != (self.count,):
            raise InvalidActivity(
                field, f"expected {self.count} rows as in distance_m, seen {values.shape}"
            )
        wrong = self.np.flatnonzero(~((values >= least) & (values <= most)))
        if len(wrong):
            row = int(wrong[0])
            raise InvalidActivity(
                field, f"expected between {least:g} and {most:g}, seen {values[row]} in row {row}"
            )
        # Days and counts are exact in a float of 64 bits, so a fraction was in the input.
        if dtype is int and (values != self.np.floor(values)).any():
            raise InvalidActivity(field, "expected whole numbers, seen a fraction")
        return values.astype(dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """The factors that one mode may have over some periods and bands: candidates by unit."""

    source: str
    factor_ids: tuple[str, ...]
    usage: "Mapping[FactorUnit, tuple[float, float, float, float]]"
    life_cycle: "Mapping[FactorUnit, tuple[float, float, float, float]]"


class _Tally:
    """Adds chunks of legs up, usage and life cycle side by side."""

    def __init__(self, table: RateTable, modes: tuple[TransportMode, ...], np: Any) -> None:
        self._np = np
        self._table = table
        self._modes = modes
        self._bounds_days = np.array([day.toordinal() for day in table.days])
        self._bounds_m = np.array(table.bands_m)
        # For each mode and each (period, band): which group holds, -1 where not yet asked.
        cells = (len(table.days) + 1) * (len(table.bands_m) + 1)
        self._group_of = np.full((len(modes), cells), -1)
        self._groups: list[_Group] = []
        self._usage = Propagation()
        self._life_cycle = Propagation()

    def add(self, legs: _Legs) -> None:
        """Add legs of any period and length, each at the factors of its day and distance."""
        np = self._np
        period = np.searchsorted(self._bounds_days, legs.days, side="right")
        band = np.searchsorted(self._bounds_m, legs.distance_m, side="right")
        cell = period * (len(self._bounds_m) + 1) + band
        shape = (2, 3, *legs.probability.shape)
        # [usage or life cycle][mass, low width, high width][mode][leg]
        columns = np.zeros(shape)
        for row in range(len(self._modes)):
            likely = legs.probability[row] > 0
            for group, chosen in self._chosen(legs, cell, likely, row):
                self._fill(columns[:, :, row], group, legs, chosen)
                self._share(columns[:, :, row], group, legs.probability[row], chosen)
        for propagation, measure in zip((self._usage, self._life_cycle), columns, strict=True):
            self._propagate(propagation, legs, measure)

    def footprint(self) -> Footprint:
        """Return the sum of all legs so far, in kgCO2e a person, with its 95 % intervals."""
        ids = {factor_id for group in self._groups for factor_id in group.factor_ids}
        return Footprint(
            usage=self._usage.interval(),
            life_cycle=self._life_cycle.interval(),
            factor_ids=tuple(sorted(ids)),
            factor_set_sha256=self._table.factor_set.sha256,
            contrails=self._table.contrails,
        )

    def _chosen(
        self, legs: _Legs, cell: "Ints", likely: "Bools", row: int
    ) -> "list[tuple[_Group, Any]]":
        """Return the groups that the mode needs here, each with the legs that it is for."""
        np = self._np
        index = self._group_of[row]
        counts = np.bincount(cell[likely], minlength=len(index))
        for asked in np.flatnonzero(counts):
            if index[asked] < 0:
                leg = int(np.flatnonzero(likely & (cell == asked))[0])
                index[asked] = self._find(self._modes[row], legs, leg)
        needed = np.unique(index[counts > 0])
        if len(needed) == 1:
            return [(self._groups[needed[0]], slice(None))]
        group = np.where(likely, index[cell], -1)
        return [(self._groups[each], np.flatnonzero(group == each)) for each in needed]

    def _find(self, mode: TransportMode, legs: _Legs, leg: int) -> int:
        day = date.fromordinal(int(legs.days[leg]))
        found = self._table.candidates(mode, float(legs.distance_m[leg]), day)
        group = _Group(
            source=found[0][0].id if len(found) == 1 else mode.value,
            factor_ids=tuple(factor.id for factor, _ in found),
            usage=_by_unit([(factor.unit, factor.usage) for factor, _ in found]),
            life_cycle=_by_unit([(factor.unit, total) for factor, total in found]),
        )
        if group not in self._groups:
            self._groups.append(group)
        return self._groups.index(group)

    def _fill(self, columns: Any, group: _Group, legs: _Legs, chosen: Any) -> None:
        """Write the masses and widths of the chosen legs, and what of them is shared."""
        np = self._np
        km = legs.distance_m[chosen] / 1000
        row = columns[:, :, chosen] if isinstance(chosen, slice) else np.zeros((2, 3, len(km)))
        for measure, rates in zip(row, (group.usage, group.life_cycle), strict=True):
            bounds = [
                (km / legs.occupants[chosen] if unit is FactorUnit.VKM else km, numbers)
                for unit, numbers in rates.items()
            ]
            least, most, low, high = (
                _extreme(np, [scale * numbers[i] for scale, numbers in bounds], largest=i in (1, 3))
                for i in range(4)
            )
            measure[0] = (least + most) / 2
            measure[1] = measure[0] - low
            measure[2] = high - measure[0]
        columns[:, :, chosen] = row

    def _share(self, columns: Any, group: _Group, probability: "Floats", chosen: Any) -> None:
        """Add what the legs share to the sums of their source."""
        for propagation, measure in zip((self._usage, self._life_cycle), columns, strict=True):
            sums = propagation.shared.setdefault(group.source, [0.0, 0.0])
            for side in range(2):
                sums[side] += float(probability[chosen] @ measure[side + 1, chosen])

    def _propagate(self, propagation: Propagation, legs: _Legs, measure: Any) -> None:
        np = self._np
        probability = legs.probability
        mass, *widths = measure
        weighted = probability * mass
        expected = weighted.sum(axis=0)
        squares = (weighted * mass).sum(axis=0)
        # Σp(v - m)² in one pass; rounding may leave it just below zero.
        between = squares - expected**2 * (2 - probability.sum(axis=0))
        alone = Z95**2 * np.maximum(between, 0) + legs.u95**2 * squares
        propagation.value += float(expected.sum())
        distance2 = (legs.u95 * mass) ** 2
        low2, high2 = (width**2 + distance2 for width in widths)
        for side, width in zip((propagation.low, propagation.high), widths, strict=True):
            share = probability * width
            variance = alone + (share * width).sum(axis=0)
            side.own += float(np.maximum(variance - (share**2).sum(axis=0), 0).sum())
            raise_allowance(np, side, Mixtures(probability, mass, low2, high2, variance))


def _by_unit(
    candidates: list[tuple[FactorUnit, Interval]],
) -> dict[FactorUnit, tuple[float, float, float, float]]:
    """Return, for each unit, the least and greatest value, low and high per km."""
    units = {unit for unit, _ in candidates}
    return {
        unit: (
            min(each.value for its, each in candidates if its is unit),
            max(each.value for its, each in candidates if its is unit),
            min(each.low for its, each in candidates if its is unit),
            max(each.high for its, each in candidates if its is unit),
        )
        for unit in units
    }


def _extreme(np: Any, columns: "list[Floats]", *, largest: bool) -> "Floats":
    """Return row by row the largest, or the smallest, of one or two columns."""
    if len(columns) == 1:
        return columns[0]
    extreme: Floats = (np.maximum if largest else np.minimum)(*columns)
    return extreme
