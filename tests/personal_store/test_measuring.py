"""A week's figures, measure by measure, against sums done by hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from carbon.factors import load_factor_set
from carbon.modes import TransportMode as M
from contributions.measures import ELSEWHERE, FactorSetName, Measure, coordinates_for
from contributions.task import Task, Zone
from personal_store.errors import NotAnswerable
from personal_store.measuring import week_figures
from personal_store.trips.timeline import ModeProbability, ModeSource, Trip, Tripleg
from personal_store.zones import Outlines

MONDAY = datetime(2026, 11, 9, 7, tzinfo=UTC)  # 8 o'clock on the wall
FACTORS = load_factor_set()
ZONES = (Zone(code="A", name="Zone A"), Zone(code="B", name="Zone B"))
OUTLINES = b"""{"features": [{"properties": {"code": "A", "nom": "Zone A"}, "geometry":
{"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]}}]}"""


def leg(
    km: float, minutes: float, end: tuple[float, float] = (0.5, 0.5), **modes: float
) -> Tripleg:
    """Return a leg from 08:00, local time."""
    return Tripleg(
        start=MONDAY,
        end=MONDAY + timedelta(minutes=minutes),
        distance_m=1000 * km,
        gap_m=0.0,
        modes=tuple(
            ModeProbability(mode=M(mode), probability=share) for mode, share in modes.items()
        ),
        mode_source=ModeSource.MOTION,
        track=((9.0, 9.0), end),
    )


def trip(*legs: Tripleg) -> Trip:
    return Trip(device="phone", start=MONDAY, end=MONDAY + timedelta(minutes=30), triplegs=legs)


@pytest.fixture
def count(cooperative):
    """Return the figures of trips for one measure, by label, zeros left out."""

    def figures(measure: Measure, *trips: Trip) -> dict[str, float]:
        task: Task = cooperative.ask(
            cooperative.publish(),
            zones=ZONES,
            coordinates=coordinates_for([measure], zone_codes=["A", "B"]),
            factor_set=FactorSetName(name=FACTORS.name, sha256=FACTORS.sha256)
            if measure is Measure.KG_CO2E
            else None,
            territory_sha256="ab" * 32 if measure is Measure.FLOWS else "",
        )
        found = week_figures(
            _apart(trips),
            task,
            zone="A",
            factors=FACTORS,
            outlines=Outlines(OUTLINES, name="test"),
        ).figures
        return {label: float(value) for (_, label), value in found.items() if value}

    return figures


def _apart(trips: Sequence[Trip]) -> list[Trip]:
    """Put trips an hour after each other, so that each counts."""
    return [
        replace(
            each,
            start=each.start + timedelta(hours=rank),
            end=each.end + timedelta(hours=rank),
        )
        for rank, each in enumerate(trips)
    ]


def test_kilometres_are_shared_out_by_probability(count) -> None:
    assert count(Measure.KILOMETRES, trip(leg(10, 20, car=0.7, bus=0.3))) == {
        "car": pytest.approx(7),
        "transit": pytest.approx(3),
    }


def test_a_trip_counts_once_for_the_mode_of_its_longest_leg(count) -> None:
    mixed = trip(leg(0.5, 6, walk=1.0), leg(10, 20, car=0.75, bike=0.25))
    assert count(Measure.TRIPS, mixed, trip(leg(1, 12, walk=1.0))) == {
        "walk": 1,
        "car": 0.75,
        "bike": 0.25,
    }


def test_emissions_are_the_life_cycle_of_the_factors_that_the_task_names(count) -> None:
    """P8: A store MUST compute kgCO2e with the factor set that the task names, or refuse."""
    (factor,) = (each for each in FACTORS.factors if each.mode is M.CAR_PETROL)
    assert count(Measure.KG_CO2E, trip(leg(100, 60, car_petrol=1.0))) == {
        "car": pytest.approx(100 * factor.life_cycle_kg_co2e_per_km)
    }


def test_departures_count_in_the_resident_s_own_hour(count) -> None:
    walk = trip(leg(1, 12, walk=1.0))
    assert count(Measure.DEPARTURES, walk, walk) == {"h08": 1, "h09": 1}


@pytest.mark.parametrize(
    ("km", "label"),
    [(2.999, "km_0_3"), (3.0, "km_3_5"), (4.999, "km_3_5"), (5.0, None)],
)
def test_a_short_car_trip_counts_in_its_half_open_band(count, km, label) -> None:
    expected = {} if label is None else {label: 0.8}
    assert count(Measure.SHORT_CAR_TRIPS, trip(leg(km, 9, car=0.8, bus=0.2))) == expected


def test_active_minutes_are_those_walked_and_cycled(count) -> None:
    mixed = trip(leg(1, 12, walk=1.0), leg(4, 16, bike=0.5, car=0.5), leg(1, 9, bus=1.0))
    assert count(Measure.ACTIVE_MINUTES, mixed) == {"walk": 12, "bike": 8}


def test_flows_count_where_trips_end_and_outside_is_elsewhere(count) -> None:
    inside, outside = leg(1, 9, (0.5, 0.5), car=1.0), leg(1, 9, (5.0, 5.0), car=1.0)
    assert count(Measure.FLOWS, trip(outside, inside), trip(outside)) == {"A": 1, ELSEWHERE: 1}


def test_a_quiet_week_is_zero_in_every_measure(count) -> None:
    assert [count(measure) for measure in Measure] == [{}] * len(Measure)


def test_a_part_that_this_version_cannot_count_is_refused(cooperative) -> None:
    (first, *rest) = coordinates_for([Measure.DEPARTURES])
    task = cooperative.ask(cooperative.publish(), coordinates=(replace(first, label="h24"), *rest))
    with pytest.raises(NotAnswerable):
        week_figures([], task, zone="17300")
