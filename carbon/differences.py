"""What changes between two ways of travelling, or of counting, the same legs.

The interval of a difference is not the difference of two intervals: both sides share the errors of
the factors, the distances and the doubt about modes. Here each leg's change is formed first, mode
by mode, so that what is shared cancels before anything is squared, just as a sampler would draw
it once for both. A change is always after less before: below zero is a saving.

>>> from datetime import date
>>> from carbon.factors import load_factor_set
>>> leg = LegActivity(modes={TransportMode.CAR: 1.0}, distance_m=4_000, on=date(2026, 11, 2))
>>> by_bike = Change(before=leg, replace={TransportMode.CAR: TransportMode.BIKE})
>>> round(footprint_difference([by_bike], load_factor_set()).life_cycle.value, 4)
-0.8496
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from carbon.activity import LegActivity
from carbon.energies import Consumption
from carbon.errors import InvalidActivity
from carbon.factors import FactorSet
from carbon.footprint import Footprint, Tally
from carbon.modes import TransportMode
from carbon.rates import LegRates, RateTable
from carbon.uncertainty import Outcome, Propagation, Rate, SignedInterval

NOTHING = LegRates(usage=Rate(0.0, ()), life_cycle=Rate(0.0, ()), factor_ids=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A leg, and how it would have been travelled otherwise.

    `replace` says which mode would become which; a mode that it does not name stays as it was, so
    a leg that is 70 % car and 30 % bus keeps its bus. To keep the mode and change only the
    occupants, replace it by itself: a vehicle that stays keeps its measured consumption.
    `occupants` and `consumption`, where given, are those of the replacing modes.

    Raises:
        InvalidActivity: the replacing modes or occupants are impossible.

    >>> from datetime import date
    >>> leg = LegActivity(modes={TransportMode.CAR: 1.0}, distance_m=4_000, on=date(2026, 11, 2))
    >>> Change(before=leg, replace={TransportMode.CAR: TransportMode.CAR}, occupants=2).probability
    1.0

    """

    before: LegActivity
    replace: Mapping[TransportMode, TransportMode]
    occupants: float | None = None
    consumption: Consumption | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be travelled, and keep a private copy."""
        modes = (*self.replace, *self.replace.values())
        if not all(isinstance(mode, TransportMode) for mode in modes):
            raise InvalidActivity("replace", "expected TransportMode to TransportMode")
        object.__setattr__(self, "replace", MappingProxyType(dict(self.replace)))
        self._leg()

    @property
    def probability(self) -> float:
        """Return how probable it is that the leg was travelled by a mode that is replaced.

        >>> from datetime import date
        >>> doubt = {TransportMode.CAR: 0.7, TransportMode.BUS: 0.3}
        >>> leg = LegActivity(modes=doubt, distance_m=4_000, on=date(2026, 11, 2))
        >>> Change(before=leg, replace={TransportMode.CAR: TransportMode.BIKE}).probability
        0.7
        """
        return sum(p for mode, p in self.before.modes.items() if mode in self.replace)

    def rates(self, table: RateTable, mode: TransportMode) -> LegRates:
        """Return what the leg would emit per km, if it was travelled by that mode before.

        >>> from datetime import date
        >>> from carbon.factors import load_factor_set
        >>> leg = LegActivity(
        ...     modes={TransportMode.CAR: 1.0}, distance_m=4_000, on=date(2026, 11, 2)
        ... )
        >>> change = Change(before=leg, replace={TransportMode.CAR: TransportMode.BUS})
        >>> change.rates(RateTable(load_factor_set()), TransportMode.CAR).factor_ids
        ('bus.bc22.27999',)
        """
        if mode not in self.replace:
            return table.rates(self.before, mode)
        return table.rates(self._leg(same_vehicle=self.replace[mode] is mode), self.replace[mode])

    def _leg(self, *, same_vehicle: bool = False) -> LegActivity:
        """Return the leg with what belongs to the replacing modes."""
        consumption = self.consumption
        if consumption is None and same_vehicle:
            consumption = self.before.consumption
        occupants = self.before.occupants if self.occupants is None else self.occupants
        return replace(self.before, occupants=occupants, consumption=consumption)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Before, after, and the change from one to the other, in kgCO2e; below zero is a saving.

    >>> from carbon.factors import load_factor_set
    >>> footprint_difference([], load_factor_set()).usage.value
    0.0
    """

    before: Footprint
    after: Footprint
    usage: SignedInterval
    life_cycle: SignedInterval


def footprint_difference(
    changes: Iterable[Change], factor_set: FactorSet, *, contrails: bool = True
) -> Difference:
    """Compute what the changes change, with the interval of the change itself.

    A leg that does not change may be left out, or given with nothing to replace.

    Raises:
        NoFactor: the set has no factor for one of the modes.
        DateOutsideSet: the set does not cover one of the days.

    >>> from datetime import date
    >>> from carbon.factors import load_factor_set
    >>> car = TransportMode.CAR_PETROL
    >>> leg = LegActivity(modes={car: 1.0}, distance_m=100_000, on=date(2026, 11, 2))
    >>> same = footprint_difference([Change(before=leg, replace={car: car})], load_factor_set())
    >>> same.life_cycle
    SignedInterval(value=0.0, low=0.0, high=0.0)

    """
    table = RateTable(factor_set, contrails=contrails)
    tally = _Differences()
    for change in changes:
        tally.add(
            change.before,
            [
                (p, table.rates(change.before, mode), change.rates(table, mode))
                for mode, p in change.before.modes.items()
                if p > 0
            ],
        )
    return tally.difference(table, table)


def period_difference(
    before: Iterable[LegActivity],
    after: Iterable[LegActivity],
    factor_set: FactorSet,
    *,
    contrails: bool = True,
) -> Difference:
    """Compute what one period changes against another, such as this year against the last.

    The legs are others, so their distances and modes are independent; the factors are the same,
    so their errors cancel as far as both periods used them alike.

    Raises:
        NoFactor: the set has no factor for one of the modes.
        DateOutsideSet: the set does not cover one of the days.

    >>> from datetime import date
    >>> from carbon.factors import load_factor_set
    >>> leg = LegActivity(modes={TransportMode.CAR: 1.0}, distance_m=10_000, on=date(2026, 1, 9))
    >>> less = period_difference([leg] * 10, [leg] * 9, load_factor_set()).life_cycle
    >>> round(less.value, 2), round(less.high, 2)
    (-2.18, -0.87)

    """
    table = RateTable(factor_set, contrails=contrails)
    tally = _Differences()
    for leg in before:
        rates = [(p, table.rates(leg, mode)) for mode, p in leg.modes.items() if p > 0]
        tally.add(leg, [(p, each, NOTHING) for p, each in rates])
    for leg in after:
        rates = [(p, table.rates(leg, mode)) for mode, p in leg.modes.items() if p > 0]
        tally.add(leg, [(p, NOTHING, each) for p, each in rates])
    return tally.difference(table, table)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorMove:
    """One mode whose factors another set replaces, and what that does to these legs, in kgCO2e.

    >>> FactorMove(mode=TransportMode.BUS, before=("a",), after=("b",), life_cycle_kg=1.0).after
    ('b',)
    """

    mode: TransportMode
    before: tuple[str, ...]
    after: tuple[str, ...]
    life_cycle_kg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputation:
    """The same legs under another factor set: what changes, and through which factors.

    `moves` lists every mode whose factors or figures differ, largest effect first.

    >>> from carbon.factors import load_factor_set
    >>> recompute([], load_factor_set("factors-2026-11"), load_factor_set()).moves
    ()
    """

    difference: Difference
    moves: tuple[FactorMove, ...]


def recompute(
    legs: Iterable[LegActivity], before: FactorSet, after: FactorSet, *, contrails: bool = True
) -> Recomputation:
    """Recompute the legs with another set, and report what that changes and why.

    Raises:
        NoFactor, DateOutsideSet: as for `footprint_difference`, in either set.

    >>> from datetime import date
    >>> from carbon.factors import load_factor_set
    >>> tgv = {TransportMode.TRAIN_TGV: 1.0}
    >>> leg = LegActivity(modes=tgv, distance_m=470_000, on=date(2019, 7, 1))
    >>> old, new = load_factor_set("factors-2026-11"), load_factor_set("factors-2026-11-22")
    >>> move, = recompute([leg], old, new).moves
    >>> move.before, move.after, round(move.life_cycle_kg, 4)
    (('train_tgv.bc23.43256',), ('train_tgv.bc22.28145',), -0.2679)

    """
    tables = [RateTable(each, contrails=contrails) for each in (before, after)]
    tally = _Differences()
    moved: dict[tuple[TransportMode, tuple[str, ...], tuple[str, ...]], float] = defaultdict(float)
    for leg in legs:
        outcomes = []
        for mode, probability in leg.modes.items():
            if probability > 0:
                old, new = (table.rates(leg, mode) for table in tables)
                outcomes.append((probability, old, new))
                change = new.life_cycle.value - old.life_cycle.value
                key = (mode, old.factor_ids, new.factor_ids)
                moved[key] += probability * change * leg.distance_m / 1000
        tally.add(leg, outcomes)
    moves = [
        FactorMove(mode=mode, before=old_ids, after=new_ids, life_cycle_kg=mass)
        for (mode, old_ids, new_ids), mass in moved.items()
        if old_ids != new_ids or mass != 0
    ]
    return Recomputation(
        difference=tally.difference(*tables),
        moves=tuple(sorted(moves, key=lambda move: (-abs(move.life_cycle_kg), move.mode))),
    )


class _Differences:
    """Adds legs up three times: before, after, and the change of each."""

    def __init__(self) -> None:
        self._before = Tally()
        self._after = Tally()
        self._usage = Propagation()
        self._life_cycle = Propagation()

    def add(self, leg: LegActivity, outcomes: list[tuple[float, LegRates, LegRates]]) -> None:
        """Add one leg: for each mode that it may be, its probability and rates before and after."""
        self._before.add([(p, old) for p, old, _ in outcomes], leg)
        self._after.add([(p, new) for p, _, new in outcomes], leg)
        distance_km = leg.distance_m / 1000
        distance_u95 = leg.distance_u95_percent / 100
        self._usage.add(
            [Outcome(p, new.usage.minus(old.usage)) for p, old, new in outcomes],
            distance_km=distance_km,
            distance_u95=distance_u95,
        )
        self._life_cycle.add(
            [Outcome(p, new.life_cycle.minus(old.life_cycle)) for p, old, new in outcomes],
            distance_km=distance_km,
            distance_u95=distance_u95,
        )

    def difference(self, before: RateTable, after: RateTable) -> Difference:
        """Return both footprints and after minus before, in kgCO2e; negative is less emitted."""
        return Difference(
            before=self._before.footprint(before),
            after=self._after.footprint(after),
            usage=self._usage.signed_interval(),
            life_cycle=self._life_cycle.signed_interval(),
        )
