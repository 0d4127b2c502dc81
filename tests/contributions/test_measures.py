"""What a question may ask: measures, their units, their coordinates, and what they must name."""

import json
import math

import pytest

from carbon.factors import load_factor_set
from carbon.modes import TransportMode
from contributions.errors import Malformed
from contributions.measurement import encode
from contributions.measures import (
    ELSEWHERE,
    MAX_COORDINATES,
    WEIGHTS,
    Coordinate,
    FactorSetName,
    Measure,
    Unit,
    coordinates_for,
)
from contributions.task import Task

FACTORS = FactorSetName(name="factors-2026-11-22", sha256="ab" * 32)
ZONES = ("17300", "17028")
EVERY = coordinates_for(Measure, zone_codes=ZONES)


@pytest.fixture
def everything(make_task):
    """Return a task that asks every measure."""
    return make_task(coordinates=EVERY, factor_set=FACTORS, territory_sha256="cd" * 32)


def test_every_measure_has_a_unit_and_a_field_of_its_own():
    assert {measure.unit for measure in Measure} == set(Unit)
    assert len({measure.purpose_field for measure in Measure}) == len(Measure)


def test_weights_of_emissions_are_kilometres_times_the_dirtiest_common_factor():
    """Recomputed as the source note of `WEIGHTS` says, from the factors of the set it names."""
    dirtiest = {
        "bike": TransportMode.ESCOOTER,
        "two_wheeler": TransportMode.MOTORBIKE,
        "car": TransportMode.CAR_PETROL,
        "transit": TransportMode.BUS,
        "train": TransportMode.TRAIN_TER,
        "other": TransportMode.FERRY,
    }
    factors = load_factor_set("factors-2026-11-22").factors
    expected = {"walk": 1, "plane": one_digit_up(3_000 * 0.230)}
    for group, mode in dirtiest.items():
        worst = max(each.life_cycle_kg_co2e_per_km for each in factors if each.mode is mode)
        expected[group] = one_digit_up(WEIGHTS[Measure.KILOMETRES][group] * worst)
    assert expected == WEIGHTS[Measure.KG_CO2E]
    assert 0.230 in [
        each.life_cycle_kg_co2e_per_km for each in factors if each.mode is TransportMode.PLANE
    ]


def one_digit_up(value):
    """Round up to one significant digit."""
    size = 10 ** math.floor(math.log10(value))
    return math.ceil(value / size) * size


def test_each_measure_comes_to_the_coordinates_of_its_own():
    counts = {m: len(coordinates_for([m], zone_codes=ZONES)) for m in Measure}
    assert counts == {
        Measure.KILOMETRES: 8,
        Measure.TRIPS: 8,
        Measure.KG_CO2E: 8,
        Measure.DEPARTURES: 24,
        Measure.SHORT_CAR_TRIPS: 2,
        Measure.ACTIVE_MINUTES: 2,
        Measure.FLOWS: 3,
    }
    assert len(EVERY) == sum(counts.values()) <= MAX_COORDINATES


def test_the_order_in_which_measures_are_named_changes_nothing():
    assert coordinates_for([Measure.TRIPS, Measure.KILOMETRES, Measure.TRIPS]) == coordinates_for(
        [Measure.KILOMETRES, Measure.TRIPS]
    )


def test_a_task_of_every_measure_round_trips_byte_for_byte(everything):
    assert Task.parse(everything.to_bytes()) == everything
    assert everything.measures == tuple(Measure)


def test_all_measures_share_one_cap(everything):
    """P7: All measures MUST share one cap: Σz ≤ Q."""
    full = {each.key: 2 * each.weight * everything.scale for each in everything.coordinates}
    measurement = encode(full, everything)
    assert measurement.clipped
    assert 0 < sum(measurement.vector) <= everything.cap_units


def test_a_second_measure_takes_room_from_the_first(make_task):
    both = make_task(coordinates=coordinates_for([Measure.KILOMETRES, Measure.TRIPS]))
    car, trips = (Measure.KILOMETRES, "car"), (Measure.TRIPS, "car")
    alone = encode({car: 450}, both).vector[3]
    assert (alone, encode({car: 450, trips: 31.5}, both).vector[3]) == (1000, 500)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"coordinates": coordinates_for([Measure.KG_CO2E])}, id="no factors"),
        pytest.param({"factor_set": FACTORS}, id="factors for nothing"),
        pytest.param(
            {"coordinates": coordinates_for([Measure.FLOWS], zone_codes=ZONES)}, id="no outlines"
        ),
        pytest.param({"territory_sha256": "ab" * 32}, id="outlines for nothing"),
    ],
)
def test_a_task_names_factors_and_outlines_where_they_are_needed_only(make_task, changes):
    with pytest.raises(Malformed):
        make_task(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"unit": "trip"},
        {"measure": "joules"},
        {"label": "=1+1"},
        {"weight": 0},
        {"more": 1},
    ],
)
def test_a_coordinate_out_of_the_format_is_refused(changes):
    (coordinate, *_rest) = coordinates_for([Measure.KILOMETRES])
    with pytest.raises(Malformed):
        Coordinate.from_json(coordinate.to_json() | changes)


def test_a_zone_called_elsewhere_cannot_be_asked_flows(everything):
    named = json.loads(everything.to_bytes())
    named["zones"][1]["code"] = ELSEWHERE
    data = json.dumps(named, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    with pytest.raises(Malformed):
        Task.parse(data.encode())
