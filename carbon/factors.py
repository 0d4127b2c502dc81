"""Emission factors, each with its source, its parts and its 95 % interval, in append-only sets.

A set is a file of `carbon/data` (`factors-*.csv`), from the second on with a file of energies
beside it (`energies-*.csv`); its name dates it and its SHA-256 pins it. A published file is never
edited: a correction is a new set. `data/SOURCES.md` says how to check any row, and why the choices
made here were made. It does not compute footprints (`carbon.footprint`), and reads nothing until
`load_factor_set` is called.

>>> factor_set = load_factor_set("factors-2026-11")
>>> factor_set.factor("car_petrol.bc22.27965").life_cycle.value
0.223
"""

import csv
import hashlib
import io
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from typing import Any

from carbon.emission_factor import (
    COLUMNS,
    NUMBERS,
    EmissionFactor,
    Evidence,
    FactorUnit,
    U95Basis,
)
from carbon.energies import (
    ENERGY_COLUMNS,
    ENERGY_NUMBERS,
    Energy,
    EnergyChoice,
    EnergyFactor,
    choose_energy,
)
from carbon.errors import DateOutsideSet, InvalidActivity, InvalidFactor, NoFactor, UnknownId
from carbon.modes import TransportMode

__all__ = [
    "LATEST",
    "EmissionFactor",
    "Energy",
    "EnergyFactor",
    "Evidence",
    "FactorSet",
    "FactorUnit",
    "U95Basis",
    "factor_set_names",
    "load_factor_set",
    "parse_factor_set",
    "set_sha256",
]

LATEST = "factors-2026-11-22"
# From here on an unknown leg may have been a flight. A choice of ours (2026-11): below, a flight is
# so rare that it would swamp the range of what the leg may have been.
SHORTEST_UNKNOWN_FLIGHT_M = 100_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorSet:
    """One dated set of factors; `sha256` pins its bytes (`set_sha256`).

    Raises:
        InvalidFactor: two factors bear the same id, or there is none.

    >>> load_factor_set().name == LATEST
    True

    """

    name: str
    factors: tuple[EmissionFactor, ...]
    sha256: str
    energies: tuple[EnergyFactor, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an empty set, and an id used twice."""
        counts = Counter([f.id for f in self.factors] + [e.id for e in self.energies])
        twice = [factor_id for factor_id, count in counts.items() if count > 1]
        if twice or not self.factors:
            seen = f"{twice[0]!r} twice" if twice else "no factor"
            raise InvalidFactor("id", f"expected each id once in {self.name!r}, seen {seen}")

    @property
    def last_day(self) -> date:
        """Return the last day that some factor of the set covers.

        >>> load_factor_set("factors-2026-11").last_day
        datetime.date(2027, 12, 31)
        """
        return max(factor.valid_to for factor in self.factors) - timedelta(days=1)

    def factor(self, factor_id: str) -> EmissionFactor:
        """Return the factor of that id.

        Raises:
            UnknownId: the set has no such factor.

        >>> load_factor_set().factor("bus.bc22.27999").construction_kg_co2e_per_km
        0.0096

        """
        for factor in self.factors:
            if factor.id == factor_id:
                return factor
        raise UnknownId(
            "factor_id", f"expected an id of {self.name!r}, seen {factor_id!r}; look in its file"
        )

    def energy(self, factor_id: str) -> EnergyFactor:
        """Return the energy factor of that id.

        Raises:
            UnknownId: the set has no such energy factor.

        >>> load_factor_set().energy("petrol.bc22.25763").kg_co2e_per_unit
        2.7

        """
        for factor in self.energies:
            if factor.id == factor_id:
                return factor
        raise UnknownId(
            "factor_id", f"expected an energy of {self.name!r}, seen {factor_id!r}; see its file"
        )

    def energy_for(self, energy: Energy, *, country: str, on: date) -> EnergyChoice:
        """Return what a litre or kWh bought in that country on that day emits.

        Raises:
            NoFactor: the set has no factor of that energy on that day.

        >>> load_factor_set().energy_for(
        ...     Energy.ELECTRICITY, country="DE", on=date(2026, 11, 2)
        ... ).fallback
        'electricity DE 2026: used DE 2011'

        """
        choice = choose_energy(self.energies, energy, country=country, on=on)
        if not choice.factors:
            raise NoFactor(
                "consumption",
                f"expected an energy of {self.name!r}, seen {energy.value!r} in {on.year}; "
                f"use {LATEST!r}, or no measured consumption",
            )
        return choice

    def for_leg(
        self, mode: TransportMode, distance_m: float, on: date
    ) -> tuple[EmissionFactor, ...]:
        """Return the factors that may apply to a leg: one, or several where `mode` is unspecific.

        `train` returns every kind of train, `unknown` every mode that the distance allows; a
        plane's band follows from its distance.

        Raises:
            InvalidActivity: the distance is negative or not finite.
            NoFactor: the set has no factor for the mode at that distance.
            DateOutsideSet: it has one, but not on that day.

        >>> trains = load_factor_set().for_leg(TransportMode.TRAIN, 80_000, date(2026, 11, 2))
        >>> [factor.mode.value for factor in trains]
        ['train_ter', 'train_intercites', 'train_tgv']

        """
        if not 0 <= distance_m < math.inf:
            raise InvalidActivity(
                "distance_m", f"expected a finite number, 0 or more, seen {distance_m}; give metres"
            )
        modes = set(mode.candidates)
        if mode is TransportMode.UNKNOWN and distance_m < SHORTEST_UNKNOWN_FLIGHT_M:
            modes.discard(TransportMode.PLANE)
        possible = [f for f in self.factors if f.mode in modes and f.covers_distance(distance_m)]
        if not possible:
            raise NoFactor(
                "modes", f"expected a mode that {self.name!r} has, seen {mode.value!r}; use another"
            )
        valid = tuple(factor for factor in possible if factor.covers_day(on))
        if not valid:
            first = min(factor.valid_from for factor in possible)
            end = max(factor.valid_to for factor in possible)
            raise DateOutsideSet(
                "on",
                f"expected a day in [{first}, {end}) for {mode.value!r} in {self.name!r}, "
                f"seen one in {on.year}; use a factor set that covers it",
            )
        return valid


def factor_set_names() -> tuple[str, ...]:
    """Return the names of the sets that the package carries, oldest first.

    >>> LATEST == factor_set_names()[-1]
    True
    """
    names = (entry.name for entry in (files("carbon") / "data").iterdir())
    return tuple(
        sorted(
            name.removesuffix(".csv")
            for name in names
            if name.startswith("factors-") and name.endswith(".csv")
        )
    )


def load_factor_set(name: str = LATEST) -> FactorSet:
    """Read one of the package's own factor sets.

    Raises:
        UnknownId: the package carries no set of that name.

    >>> len(load_factor_set().sha256)
    64

    """
    known = factor_set_names()
    if name not in known:
        raise UnknownId("factor_set", f"expected one of {', '.join(known)}, seen {name!r}")
    folder = files("carbon") / "data"
    energies = folder / f"energies{name.removeprefix('factors')}.csv"
    return parse_factor_set(
        name,
        (folder / f"{name}.csv").read_bytes(),
        energies=energies.read_bytes() if energies.is_file() else None,
    )


def parse_factor_set(name: str, content: bytes, *, energies: bytes | None = None) -> FactorSet:
    r"""Read a factor set from the bytes of its CSV files: UTF-8, one column per field of a factor.

    An empty cell is a part that was not published.

    Raises:
        InvalidFactor: the columns, a cell or a factor are not as they must be; it names the field.

    >>> parse_factor_set("draft", b"id;mode\n")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    carbon.errors.InvalidFactor: header: expected the columns of a factor...seen 'id;mode'; ...

    """
    return FactorSet(
        name=name,
        factors=tuple(
            EmissionFactor(**cells) for cells in _rows(name, content, COLUMNS, _FACTOR_READERS)
        ),
        energies=tuple(
            EnergyFactor(**cells)
            for cells in _rows(name, energies, ENERGY_COLUMNS, _ENERGY_READERS)
        )
        if energies is not None
        else (),
        sha256=set_sha256(name, content, energies=energies),
    )


def set_sha256(name: str, content: bytes, *, energies: bytes | None = None) -> str:
    """Return what pins a set: the SHA-256 of its file, or of the list of its files' SHA-256.

    The list is what `sha256sum factors-X.csv energies-X.csv` prints.

    >>> set_sha256("factors-x", b"")[:8]
    'e3b0c442'
    >>> set_sha256("factors-x", b"", energies=b"")[:8]
    'c7d783a5'
    """
    own = hashlib.sha256(content).hexdigest()
    if energies is None:
        return own
    other = hashlib.sha256(energies).hexdigest()
    listing = f"{own}  {name}.csv\n{other}  energies{name.removeprefix('factors')}.csv\n"
    return hashlib.sha256(listing.encode()).hexdigest()


def _rows(
    name: str, content: bytes, columns: tuple[str, ...], readers: "_Readers"
) -> Iterator[dict[str, Any]]:
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidFactor("file", f"expected UTF-8 CSV in {name!r}, seen: {error}") from error
    header = rows[0] if rows else []
    if header != list(columns):
        raise InvalidFactor(
            "header",
            "expected the columns of a factor, separated by commas, "
            f"seen {','.join(header)!r}; see data/SOURCES.md",
        )
    for line, row in enumerate(rows[1:], start=2):
        yield _cells(line, row, columns, readers)


def _cells(
    line: int, row: list[str], columns: tuple[str, ...], readers: "_Readers"
) -> dict[str, Any]:
    if len(row) != len(columns):
        raise InvalidFactor("row", f"expected {len(columns)} cells on line {line}, seen {len(row)}")
    cells: dict[str, Any] = {}
    for field, text in zip(columns, row, strict=True):
        try:
            cells[field] = readers.get(field, str)(text)
        except ValueError as error:
            raise InvalidFactor(
                field, f"expected a value of this column on line {line}, seen {text!r}"
            ) from error
    return cells


def _optional(text: str) -> float | None:
    return float(text) if text else None


_Readers = Mapping[str, Callable[[str], object]]
_COMMON: _Readers = {
    "u95_basis": U95Basis,
    "u95_percent": float,
    "year": int,
    "valid_from": date.fromisoformat,
    "valid_to": date.fromisoformat,
    "evidence": Evidence,
}
_FACTOR_READERS: _Readers = {
    "mode": TransportMode,
    "unit": FactorUnit,
    **dict.fromkeys(NUMBERS, _optional),
    "life_cycle_kg_co2e_per_km": float,
    **_COMMON,
}
_ENERGY_READERS: _Readers = {
    "energy": Energy,
    **dict.fromkeys(ENERGY_NUMBERS, _optional),
    "kg_co2e_per_unit": float,
    **_COMMON,
}
