"""What a question may ask: the measures, their units, and the coordinates that each comes to.

A measure is a family of numbers about one resident's week; a coordinate is one of them with its
weight W, a heavy week of it. All coordinates of a task share one cap, whatever their units: W turns
each into a share of it. The list of measures is closed, weights are written here from published
surveys, and nothing of either ever comes from members' data.

It computes nothing from trips (the store does) and encodes nothing (`measurement`).
Source of weights: see `WEIGHTS`; design page on privacy, section (b) steps 1, 2 and 14.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from contributions.errors import Malformed
from contributions.wire import (
    HEX_32_BYTES,
    IDENTIFIER,
    expect_integer,
    expect_keys,
    expect_match,
    expect_member,
)

MAX_COORDINATES = 128
"""All measures of a territory of 60 zones fit; proofs grow with the number."""
ELSEWHERE = "elsewhere"
"""The label of a flow that ends outside every zone of the task."""
MODE_GROUPS = ("walk", "bike", "two_wheeler", "car", "transit", "train", "plane", "other")
"""Groups of modes, in the order of a task's coordinates; `carbon` has the modes of each."""
HOURS = tuple(f"h{hour:02d}" for hour in range(24))
"""`h07` counts departures from 07:00 to 07:59, local time."""
SHORT_BANDS_KM: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"km_0_3": (0, 3), "km_3_5": (3, 5)}
)
"""Half-open bands of the whole trip's length, in kilometres."""


class Unit(StrEnum):
    """The unit in which a measure's figures are published."""

    KILOMETRE = "km"
    TRIP = "trip"
    KILOGRAM_CO2E = "kgCO2e"
    MINUTE = "min"


class Measure(StrEnum):
    """A family of numbers about one resident's week.

    `KILOMETRES`, `TRIPS` and `KG_CO2E` (life cycle) are by mode group; a trip counts for the mode
    of its longest leg. `DEPARTURES` are trips by hour of departure, `SHORT_CAR_TRIPS` trips by car
    by length, `ACTIVE_MINUTES` minutes walked and cycled, `FLOWS` trips by the zone where they end;
    the zone of residence, which every report names, is the other end of the flow.
    """

    KILOMETRES = "kilometres"
    TRIPS = "trips"
    KG_CO2E = "kg_co2e"
    DEPARTURES = "departures"
    SHORT_CAR_TRIPS = "short_car_trips"
    ACTIVE_MINUTES = "active_minutes"
    FLOWS = "flows"

    @property
    def unit(self) -> Unit:
        """The unit of its figures.

        >>> Measure.ACTIVE_MINUTES.unit.value
        'min'
        """
        return _UNITS.get(self, Unit.TRIP)

    @property
    def purpose_field(self) -> str:
        """What a purpose, and hence a consent, calls it among the data that may be used."""
        return _PURPOSE_FIELDS[self]


_UNITS = {
    Measure.KILOMETRES: Unit.KILOMETRE,
    Measure.KG_CO2E: Unit.KILOGRAM_CO2E,
    Measure.ACTIVE_MINUTES: Unit.MINUTE,
}
_PURPOSE_FIELDS = {
    Measure.KILOMETRES: "distance_km_by_mode_group",
    Measure.TRIPS: "trips_by_mode_group",
    Measure.KG_CO2E: "kg_co2e_by_mode_group",
    Measure.DEPARTURES: "departures_by_hour",
    Measure.SHORT_CAR_TRIPS: "short_car_trips",
    Measure.ACTIVE_MINUTES: "active_minutes",
    Measure.FLOWS: "arrivals_by_zone",
}

Key = tuple[Measure, str]
"""Names one coordinate of a task: a measure and a label."""
LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
"""A mode group, an hour, a band or a zone's code; no spreadsheet takes it for a formula."""

WEIGHTS: Mapping[Measure, Mapping[str, int]] = MappingProxyType(
    {
        Measure.KILOMETRES: dict(
            zip(MODE_GROUPS, (50, 200, 600, 600, 600, 1_000, 3_000, 600), strict=True)
        ),
        Measure.TRIPS: dict(zip(MODE_GROUPS, (42, 42, 42, 42, 42, 20, 4, 42), strict=True)),
        Measure.KG_CO2E: dict(zip(MODE_GROUPS, (1, 5, 200, 200, 90, 30, 700, 20), strict=True)),
        Measure.DEPARTURES: dict.fromkeys(HOURS, 42),
        Measure.SHORT_CAR_TRIPS: dict.fromkeys(SHORT_BANDS_KM, 21),
        Measure.ACTIVE_MINUTES: {"walk": 600, "bike": 800},
    }
)
"""W, a heavy week of each coordinate, in the measure's unit. Never tuned on members' data.

Source: Enquête Mobilité des personnes 2019 (SDES, "Comment les Français se déplacent-ils en
2019 ?", September 2020): 3 local trips a day; a trip lasts 14 min on foot, 18 by bike, 19 by car,
41 by public transport. Read on 2026-11-22. A heavy week is twice the week of somebody who makes
all 21 trips in that one way, hence 42 trips, of any mode and in any hour.

- Kilometres, rounded up to one significant digit: 2 · 21 · minutes/60 · speed, at 5, 14, 40 and
  18 km/h (speeds: our assumption, door to door) = 49, 176, 532 and 517 km, hence 50, 200, 600 and
  600. Two-wheelers and other modes have no row of their own in that publication and take the car's.
  Long distance is one return journey, our assumption too: 2 · 470 km by train (La Rochelle-Paris)
  and 2 · 1 500 km by plane.
- Minutes: 2 · 21 · 14 = 588 and 2 · 21 · 18 = 756, hence 600 and 800.
- Trips by train: a commuter's ten a week, doubled; by plane: two return journeys (our assumptions).
- Short trips by car: half of the 42, since a band holds some of the trips only (our assumption).
- kgCO2e: kilometres times the life-cycle factor of Base Carbone as set `factors-2026-11-22` has it
  for the group's dirtiest common mode (0.025 e-scooter, 0.217 motorbike, 0.223 car, 0.147 bus,
  0.030 regional train, 0.230 plane, 0.023 ferry), rounded up to one digit; 1 on foot, the least.

Flows have no table: 42 for every zone. A wrong W costs accuracy, never privacy.
"""
FLOW_WEIGHT = 42
"""W of every flow, in trips a week: a heavy week of them; see `WEIGHTS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinate:
    """One number of the vector: a part of a measure in the week, in units of its weight.

    `weight` (W, 1 to 100 000, in the measure's unit) is a heavy week of it: S·W alone fill the cap.
    """

    measure: Measure
    label: str
    weight: int

    def __post_init__(self) -> None:
        """Raise `Malformed` outside the bounds."""
        if not isinstance(self.measure, Measure):
            raise Malformed("expected coordinate.measure as a member of Measure")
        expect_match(self.label, "coordinate.label", LABEL)
        expect_integer(self.weight, "coordinate.weight", low=1, high=100_000)

    @property
    def key(self) -> Key:
        """What names the coordinate in its task."""
        return self.measure, self.label

    def to_json(self) -> dict[str, object]:
        """Return the coordinate as it stands in a task; its unit is written for readers."""
        return {
            "measure": self.measure.value,
            "unit": self.measure.unit.value,
            "label": self.label,
            "weight": self.weight,
        }

    @classmethod
    def from_json(cls, value: object) -> "Coordinate":
        """Read a coordinate of a task; raises `Malformed`, also for a unit not the measure's."""
        fields = expect_keys(
            value, "coordinates", frozenset({"label", "measure", "unit", "weight"})
        )
        measure = expect_member(Measure, fields["measure"], "coordinate.measure")
        expect_unit(measure, fields["unit"], "coordinate.unit")
        return cls(
            measure=measure,
            label=expect_match(fields["label"], "coordinate.label", LABEL),
            weight=expect_integer(fields["weight"], "coordinate.weight", low=1, high=100_000),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorSetName:
    """The emission factors that every store must use: the set's name and its SHA-256."""

    name: str
    sha256: str

    def __post_init__(self) -> None:
        """Raise `Malformed` outside the bounds."""
        expect_match(self.name, "factor_set.name", IDENTIFIER)
        expect_match(self.sha256, "factor_set.sha256", HEX_32_BYTES)

    def to_json(self) -> dict[str, object]:
        """Return the name as it stands in a task."""
        return {"name": self.name, "sha256": self.sha256}

    @classmethod
    def from_json(cls, value: object) -> "FactorSetName | None":
        """Read the name in a task, None for null; raises `Malformed`."""
        if value is None:
            return None
        fields = expect_keys(value, "factor_set", frozenset({"name", "sha256"}))
        return cls(
            name=expect_match(fields["name"], "factor_set.name", IDENTIFIER),
            sha256=expect_match(fields["sha256"], "factor_set.sha256", HEX_32_BYTES),
        )


def expect_unit(measure: Measure, value: object, where: str) -> Unit:
    """Return the measure's unit; raises `Malformed` when `value` is another."""
    if value != measure.unit.value:
        raise Malformed(f"expected {measure.unit} at {where}, the unit of {measure}")
    return measure.unit


def coordinates_for(
    measures: Iterable[Measure], *, zone_codes: Iterable[str] = ()
) -> tuple[Coordinate, ...]:
    """Return the coordinates of these measures, in order of `Measure`, each measure once.

    `zone_codes` are those of the task; flows have one coordinate a zone and one for elsewhere.
    """
    asked = set(measures)
    flows = dict.fromkeys((*zone_codes, ELSEWHERE), FLOW_WEIGHT)
    return tuple(
        Coordinate(measure=measure, label=label, weight=weight)
        for measure in Measure
        if measure in asked
        for label, weight in (flows if measure is Measure.FLOWS else WEIGHTS[measure]).items()
    )


DEFAULT_COORDINATES = coordinates_for((Measure.KILOMETRES,))
"""Kilometres by the eight mode groups."""
