"""The French mileage scale (barème kilométrique): what a kilometre costs its owner in full.

It counts depreciation, insurance, maintenance, tyres and fuel, as the tax office allows for
journeys to work; it leaves out tolls, parking and loan interest. It is a **full** cost: what one
trip more costs is fuel alone (`carbon.budget.fuel_eur_per_km`). Electric vehicles take the official
rounded table rather than 1.2 times the other one: at 5 CV and 10 000 km they differ by 4 €.

Source: arrêté of 27 March 2023, in force unchanged from 2023 to 2026 (`data/SOURCES.md`).

>>> load_mileage_scale().eur(10_000, vehicle=ScaleVehicle.CAR, fiscal_power=5, year=2026)
4965.0
"""

import csv
import hashlib
import io
import math
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

from carbon.errors import DateOutsideSet, InvalidCost

MILEAGE_SCALE = "mileage-scale-2026-11-22"
# More than two million kilometres a year is a fault in what measured them.
LONGEST_YEAR_KM = 2e6


class ScaleVehicle(StrEnum):
    """What the scale tells apart; a moped has an engine up to 50 cm3.

    >>> ScaleVehicle("moped").name
    'MOPED'
    """

    CAR = "car"
    MOTORBIKE = "motorbike"
    MOPED = "moped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaleRow:
    """One cell of the scale: `eur_per_km` times the year's kilometres, plus `constant_eur`.

    It holds for fiscal powers (CV) in [power_min, power_max], years in [first_year, last_year],
    and a year's kilometres up to `up_to_km` included.

    >>> load_mileage_scale().rows[0].eur_per_km
    0.529
    """

    vehicle: ScaleVehicle
    electric: bool
    power_min: int
    power_max: float
    up_to_km: float
    eur_per_km: float
    constant_eur: float
    first_year: int
    last_year: int
    source: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MileageScale:
    """The rows of one file of the scale; `sha256` is the hex digest of its bytes.

    >>> len(load_mileage_scale().sha256)
    64
    """

    name: str
    rows: tuple[ScaleRow, ...]
    sha256: str

    @property
    def years(self) -> str:
        """Return the years that it covers, for people to read.

        >>> load_mileage_scale().years
        '2023 to 2026'
        """
        first = min(row.first_year for row in self.rows)
        return f"{first} to {max(row.last_year for row in self.rows)}"

    def eur(
        self,
        distance_km: float,
        *,
        vehicle: ScaleVehicle,
        fiscal_power: int = 1,
        electric: bool = False,
        year: int,
    ) -> float:
        """Return what `distance_km` driven in one year cost in full, in euros.

        `year` is the one in which the scale is current. `fiscal_power` (CV) is on the registration
        document; a moped's does not matter. The published scale jumps at thresholds, by up to 2 €.

        Raises:
            InvalidCost: the distance or the fiscal power is impossible.
            DateOutsideSet: the scale does not cover the year.

        >>> scale = load_mileage_scale()
        >>> scale.eur(10_000, vehicle=ScaleVehicle.CAR, fiscal_power=5, electric=True, year=2026)
        5954.0

        """
        if not 0 <= distance_km <= LONGEST_YEAR_KM:
            raise InvalidCost(
                "distance_km", f"expected between 0 and {LONGEST_YEAR_KM:.0f}, seen {distance_km}"
            )
        if not isinstance(fiscal_power, int) or fiscal_power < 1:
            raise InvalidCost("fiscal_power", f"expected whole CV, 1 or more, seen {fiscal_power}")
        current = [row for row in self.rows if row.first_year <= year <= row.last_year]
        if not current:
            raise DateOutsideSet("year", f"expected {self.years} in {self.name!r}, seen {year}")
        rows = (
            row
            for row in current
            if (row.vehicle, row.electric) == (vehicle, electric)
            and row.power_min <= fiscal_power <= row.power_max
            and distance_km <= row.up_to_km
        )
        row = min(rows, key=lambda row: row.up_to_km, default=None)
        if row is None:
            raise InvalidCost("vehicle", f"expected a vehicle of the scale, seen {vehicle!r}")
        return round(row.eur_per_km * distance_km + row.constant_eur, 2)


def load_mileage_scale() -> MileageScale:
    """Read the package's own mileage scale.

    >>> load_mileage_scale().name == MILEAGE_SCALE
    True
    """
    content = (files("carbon") / "data" / f"{MILEAGE_SCALE}.csv").read_bytes()
    return MileageScale(
        name=MILEAGE_SCALE,
        rows=tuple(_row(cells) for cells in csv.DictReader(io.StringIO(content.decode("utf-8")))),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _row(cells: dict[str, str]) -> ScaleRow:
    return ScaleRow(
        vehicle=ScaleVehicle(cells["vehicle"]),
        electric=cells["electric"] == "1",
        power_min=int(cells["power_min"]),
        power_max=float(cells["power_max"] or math.inf),
        up_to_km=float(cells["up_to_km"] or math.inf),
        eur_per_km=float(cells["eur_per_km"]),
        constant_eur=float(cells["constant_eur"]),
        first_year=int(cells["first_year"]),
        last_year=int(cells["last_year"]),
        source=cells["source"],
        evidence=cells["evidence"],
    )
