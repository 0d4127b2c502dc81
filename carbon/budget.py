"""What a year of mobility costs a person, in euros: in full, and out of pocket.

Two figures, never one. **Full** is what owning and using costs: the mileage scale for a vehicle
(purchase, insurance and maintenance included), the whole price of a pass. **Out of pocket** is what
the trips themselves took from the person's purse: fuel, tolls, parking, tickets, the person's share
of a pass, less what passengers and the employer gave. Purchase and insurance are in the first only.

It knows no trips; `carbon.mileage_scale` holds the scale, `data/SOURCES.md` the legal ceilings.
No price is built in: fuel and fares change weekly, so the caller gives the person's own.

>>> clio = VehicleYear(
...     label="Clio",
...     vehicle=ScaleVehicle.CAR,
...     fiscal_power=5,
...     distance_km=10_000,
...     per_100_km=6.0,
...     eur_per_unit=1.80,
... )
>>> budget = mobility_budget(MobilityYear(year=2026, vehicles=(clio,)))
>>> budget.full_cost_eur, budget.out_of_pocket_eur
(4965.0, 1080.0)
"""

import csv
import io
import math
from dataclasses import dataclass, field
from importlib.resources import files

from carbon.errors import DateOutsideSet, InvalidCost
from carbon.mileage_scale import MileageScale, ScaleVehicle, load_mileage_scale

MOST = 1e9
"""Largest euros or kilometres of a year that are taken: beyond it the input is a slip."""
COMMUTE_SUPPORT = "commute-support-2026-11-22"


def fuel_eur_per_km(*, per_100_km: float, eur_per_unit: float) -> float:
    """Return what one vehicle-km more costs: fuel alone, in euros.

    `per_100_km` is in litres or kWh, `eur_per_unit` the price of one of them.

    Raises:
        InvalidCost: one of them is negative or not finite.

    >>> round(fuel_eur_per_km(per_100_km=6.0, eur_per_unit=1.80), 4)
    0.108

    """
    _require(per_100_km, field="per_100_km")
    _require(eur_per_unit, field="eur_per_unit")
    return per_100_km / 100 * eur_per_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleYear:
    """One vehicle over one year, as its owner used it.

    `distance_km` are all its kilometres, whoever was in it; `carpool_income_eur` is what passengers
    paid. An electric vehicle's consumption is in kWh.

    Raises:
        InvalidCost: one of the numbers is impossible.

    >>> VehicleYear(
    ...     label="Clio",
    ...     vehicle=ScaleVehicle.CAR,
    ...     distance_km=-1.0,
    ...     per_100_km=6.0,
    ...     eur_per_unit=1.8,
    ... )
    Traceback (most recent call last):
    carbon.errors.InvalidCost: distance_km: expected a number from 0 to 1e+09, seen -1.0

    """

    label: str
    vehicle: ScaleVehicle
    distance_km: float
    per_100_km: float
    eur_per_unit: float
    fiscal_power: int = 1
    electric: bool = False
    tolls_eur: float = 0
    parking_eur: float = 0
    carpool_income_eur: float = 0

    def __post_init__(self) -> None:
        """Refuse what cannot have been."""
        for name in ("distance_km", "per_100_km", "eur_per_unit", "tolls_eur", "parking_eur"):
            _require(getattr(self, name), field=name)
        _require(self.carpool_income_eur, field="carpool_income_eur")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A transit pass, or one for shared bicycles: its price over the year, and who pays.

    `employer_share` is the fraction that the employer refunds: an employee's is at least half for
    journeys to work, none for whoever has no employer.

    Raises:
        InvalidCost: the price is impossible, or the share is not between 0 and 1.

    >>> Pass(label="Yélo", price_eur=365.0, employer_share=0.5).paid_by_person_eur
    182.5

    """

    label: str
    price_eur: float
    employer_share: float = 0

    def __post_init__(self) -> None:
        """Refuse what cannot have been."""
        _require(self.price_eur, field="price_eur")
        if not 0 <= self.employer_share <= 1:
            raise InvalidCost(
                "employer_share", f"expected between 0 and 1, seen {self.employer_share}"
            )

    @property
    def paid_by_person_eur(self) -> float:
        """Return what is left to the person, in euros.

        >>> Pass(label="TER", price_eur=1_000.0, employer_share=0.75).paid_by_person_eur
        250.0
        """
        return self.price_eur * (1 - self.employer_share)


@dataclass(frozen=True, slots=True, kw_only=True)
class MobilityPackage:
    """What an employer gives as forfait mobilités durables in a year, in euros.

    `fuel_eur` is the part for petrol, charging or hydrogen, `cycling_and_sharing_eur` the rest.

    Raises:
        InvalidCost: one of them is negative or not finite.

    >>> MobilityPackage(cycling_and_sharing_eur=500.0).given_eur
    500.0

    """

    cycling_and_sharing_eur: float = 0
    fuel_eur: float = 0

    def __post_init__(self) -> None:
        """Refuse what cannot have been."""
        _require(self.cycling_and_sharing_eur, field="cycling_and_sharing_eur")
        _require(self.fuel_eur, field="fuel_eur")

    @property
    def given_eur(self) -> float:
        """Return what the employer gives in all, in euros.

        >>> MobilityPackage(cycling_and_sharing_eur=300.0, fuel_eur=200.0).given_eur
        500.0
        """
        return self.cycling_and_sharing_eur + self.fuel_eur


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRules:
    """The ceilings up to which a package is free of tax and contributions, in euros a year.

    `with_pass_cap_eur` bounds the package and the employer's share of a pass together;
    `pass_least_share` is the share of a pass that an employer owes by law.

    >>> package_rules(2026).cap_eur, package_rules(2026).with_pass_cap_eur
    (600.0, 900.0)
    """

    cap_eur: float
    fuel_cap_eur: float
    with_pass_cap_eur: float
    pass_least_share: float

    def exempt_eur(self, package: MobilityPackage, *, pass_refund_eur: float = 0) -> float:
        """Return how much of the package is exempt, in euros.

        The fuel part has its own ceiling inside the package's. Where the employer also refunds a
        pass, the package fits into what the pass leaves of the common ceiling, and never beyond
        its own: the stricter of two readings. How much of a refund is exempt is not computed.

        Raises:
            InvalidCost: the refund is negative or not finite.

        >>> rules = package_rules(2026)
        >>> rules.exempt_eur(MobilityPackage(fuel_eur=500.0))
        300.0
        >>> rules.exempt_eur(MobilityPackage(cycling_and_sharing_eur=700.0), pass_refund_eur=500.0)
        400.0

        """
        _require(pass_refund_eur, field="pass_refund_eur")
        allowed = package.cycling_and_sharing_eur + min(package.fuel_eur, self.fuel_cap_eur)
        cap = self.cap_eur
        if pass_refund_eur > 0:
            cap = min(cap, max(0.0, self.with_pass_cap_eur - pass_refund_eur))
        return min(allowed, cap)


@dataclass(frozen=True, slots=True, kw_only=True)
class MobilityYear:
    """Everything that moved a person in one year and cost or brought money.

    `tickets_eur` are single fares: trains, planes, taxis, carpools as a passenger.

    Raises:
        InvalidCost: the tickets are negative or not finite.

    >>> MobilityYear(year=2026, tickets_eur=120.0).passes
    ()

    """

    year: int
    vehicles: tuple[VehicleYear, ...] = ()
    passes: tuple[Pass, ...] = ()
    tickets_eur: float = 0
    package: MobilityPackage = field(default_factory=MobilityPackage)

    def __post_init__(self) -> None:
        """Refuse what cannot have been."""
        _require(self.tickets_eur, field="tickets_eur")


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetLine:
    """One item of a budget, in euros; below zero it was received.

    >>> BudgetLine(label="Clio", full_cost_eur=4_965.0, out_of_pocket_eur=1_080.0).label
    'Clio'
    """

    label: str
    full_cost_eur: float
    out_of_pocket_eur: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MobilityBudget:
    """A year's mobility in euros, item by item; `taxable_package_eur` is beyond the ceilings.

    >>> mobility_budget(MobilityYear(year=2026)).lines
    ()
    """

    year: int
    lines: tuple[BudgetLine, ...]
    taxable_package_eur: float

    @property
    def full_cost_eur(self) -> float:
        """Return the sum of the full costs, whoever paid them.

        >>> mobility_budget(MobilityYear(year=2026, tickets_eur=50.0)).full_cost_eur
        50.0
        """
        return round(math.fsum(line.full_cost_eur for line in self.lines), 2)

    @property
    def out_of_pocket_eur(self) -> float:
        """Return what the trips took from the person's purse; below zero they brought money.

        >>> mobility_budget(MobilityYear(year=2026, tickets_eur=50.0)).out_of_pocket_eur
        50.0
        """
        return round(math.fsum(line.out_of_pocket_eur for line in self.lines), 2)


def mobility_budget(year: MobilityYear, *, scale: MileageScale | None = None) -> MobilityBudget:
    """Compute a year's mobility budget; the mileage scale is the package's own by default.

    Raises:
        InvalidCost: a vehicle's fiscal power is impossible.
        DateOutsideSet: the scale, or the ceilings of a package, do not cover the year.

    >>> year = MobilityYear(
    ...     year=2026,
    ...     passes=(Pass(label="Yélo", price_eur=400.0, employer_share=0.5),),
    ...     package=MobilityPackage(cycling_and_sharing_eur=150.0),
    ... )
    >>> [(line.full_cost_eur, line.out_of_pocket_eur) for line in mobility_budget(year).lines]
    [(400.0, 200.0), (0.0, -150.0)]

    """
    scale = scale or load_mileage_scale()
    lines = [_vehicle_line(each, scale, year.year) for each in year.vehicles]
    lines += [
        BudgetLine(
            label=each.label,
            full_cost_eur=each.price_eur,
            out_of_pocket_eur=each.paid_by_person_eur,
        )
        for each in year.passes
    ]
    if fares := year.tickets_eur:
        lines.append(BudgetLine(label="tickets", full_cost_eur=fares, out_of_pocket_eur=fares))
    taxable = 0.0
    if given := year.package.given_eur:
        refund = math.fsum(each.price_eur * each.employer_share for each in year.passes)
        exempt = package_rules(year.year).exempt_eur(year.package, pass_refund_eur=refund)
        taxable = given - exempt
        lines.append(
            BudgetLine(
                label="forfait mobilités durables", full_cost_eur=0.0, out_of_pocket_eur=-given
            )
        )
    return MobilityBudget(year=year.year, lines=tuple(lines), taxable_package_eur=taxable)


def package_rules(year: int) -> PackageRules:
    """Return the ceilings of the forfait mobilités durables in that year.

    Raises:
        DateOutsideSet: the package knows no ceilings of that year.

    >>> package_rules(2024).fuel_cap_eur
    400.0
    >>> package_rules(2019)
    Traceback (most recent call last):
    carbon.errors.DateOutsideSet: year: expected 2024 to 2026, seen 2019

    """
    content = (files("carbon") / "data" / f"{COMMUTE_SUPPORT}.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(content)))
    for row in rows:
        if int(row["first_year"]) <= year <= int(row["last_year"]):
            return PackageRules(
                cap_eur=float(row["package_cap_eur"]),
                fuel_cap_eur=float(row["package_fuel_cap_eur"]),
                with_pass_cap_eur=float(row["package_with_pass_cap_eur"]),
                pass_least_share=float(row["pass_least_share"]),
            )
    covered = f"{rows[0]['first_year']} to {rows[-1]['last_year']}"
    raise DateOutsideSet("year", f"expected {covered}, seen {year}")


def _vehicle_line(vehicle: VehicleYear, scale: MileageScale, year: int) -> BudgetLine:
    extras = vehicle.tolls_eur + vehicle.parking_eur - vehicle.carpool_income_eur
    per_km = fuel_eur_per_km(per_100_km=vehicle.per_100_km, eur_per_unit=vehicle.eur_per_unit)
    owned = scale.eur(
        vehicle.distance_km,
        vehicle=vehicle.vehicle,
        fiscal_power=vehicle.fiscal_power,
        electric=vehicle.electric,
        year=year,
    )
    return BudgetLine(
        label=vehicle.label,
        full_cost_eur=round(owned + extras, 2),
        out_of_pocket_eur=round(per_km * vehicle.distance_km + extras, 2),
    )


def _require(number: float, *, field: str) -> None:
    if not isinstance(number, int | float) or not 0 <= number <= MOST:
        raise InvalidCost(field, f"expected a number from 0 to {MOST:g}, seen {number}")
