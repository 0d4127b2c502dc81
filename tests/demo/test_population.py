import math
import random
from collections import Counter
from statistics import fmean, stdev

import pytest
from communes import populations, read_communes
from population import MODE_GROUPS, Habit, simulate_weeks

from carbon.modes import ModeGroup

ZONES = populations(read_communes())
N = 20_000


@pytest.fixture(scope="module")
def weeks():
    return list(simulate_weeks(N, random.Random(7), ZONES))


def _means_to(values, expected):
    """Compare a sample mean with an expected one, within four standard errors."""
    return abs(fmean(values) - expected) < 4 * stdev(values) / math.sqrt(len(values))


def test_every_week_names_the_eight_groups_with_finite_kilometres(weeks):
    assert all(tuple(week.kilometres) == MODE_GROUPS for week in weeks)
    assert all(math.isfinite(km) and km >= 0 for week in weeks for km in week.kilometres.values())


def test_the_groups_are_those_of_the_carbon_vocabulary():
    assert {str(group) for group in ModeGroup} == set(MODE_GROUPS)


def test_residents_live_where_the_population_lives(weeks):
    """Pearson's chi-square of 28 zones stays under the 99.9 % quantile of 27 degrees: 55.5."""
    seen = Counter(week.zone for week in weeks)
    total = sum(ZONES.values())
    expected = {code: N * population / total for code, population in ZONES.items()}
    assert sum((seen[code] - e) ** 2 / e for code, e in expected.items()) < 55.5


@pytest.mark.parametrize(
    ("group", "km_per_week"),
    [
        ("walk", 4.55),  # 2.6 % of 175 km
        ("bike", 1.925),  # 1.1 %
        ("two_wheeler", 2.45),  # 1.4 %
        ("car", 145.25 + 50.0),  # 83 % and the long-distance trips
        ("transit", 10.85),  # 6.2 %
        ("train", 8.4 + 19.0),  # 4.8 % and the long-distance trips
        ("plane", 28.0),
        ("other", 1.575),  # 0.9 %
    ],
)
def test_the_mean_of_each_group_is_the_stated_one(weeks, group, km_per_week):
    assert _means_to([week.kilometres[group] for week in weeks], km_per_week)


def test_the_whole_is_the_published_local_travel_and_the_long_distance(weeks):
    assert _means_to([sum(week.kilometres.values()) for week in weeks], 7 * 25.0 + 97.0)


def test_the_car_takes_83_percent_of_local_kilometres(weeks):
    """Long distance is taken off by its stated means: 50 km by car, 19 by train, 28 by plane."""
    mean = {group: fmean(week.kilometres[group] for week in weeks) for group in MODE_GROUPS}
    local_car = mean["car"] - 50.0
    local = sum(mean[group] for group in MODE_GROUPS if group not in {"train", "plane"}) - 50.0
    assert abs(local_car / (local + 8.4) - 0.83) < 0.02


def test_some_weeks_are_zero_throughout(weeks):
    """Binomial: 3 % of quiet weeks, plus those in which chance uses no group at all."""
    share = sum(not any(week.kilometres.values()) for week in weeks) / N
    used_by_nobody = 0.15 * 0.87 * 0.97 * 0.15 * 0.80 * 0.93 * 0.97 * 0.915 * 0.975 * 0.989
    expected = 0.03 + 0.97 * used_by_nobody
    assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / N)


def test_weeks_are_skewed_as_distances_are(weeks):
    car = sorted(km for week in weeks if (km := week.kilometres["car"]) > 0)
    assert car[len(car) // 2] < 0.8 * fmean(car)


def test_outer_communes_drive_more_and_cycle_less_than_the_core(weeks):
    core = [week.kilometres for week in weeks if week.zone == "17300"]
    outer = [week.kilometres for week in weeks if ZONES[week.zone] < 3000]
    assert fmean(km["car"] for km in outer) > 1.2 * fmean(km["car"] for km in core)
    assert fmean(km["walk"] for km in outer) < 0.8 * fmean(km["walk"] for km in core)


def test_the_same_seed_draws_the_same_weeks():
    def draw():
        return [(w.zone, dict(w.kilometres)) for w in simulate_weeks(50, random.Random(3), ZONES)]

    assert draw() == draw()


def test_another_seed_draws_other_weeks():
    first, second = (list(simulate_weeks(50, random.Random(s), ZONES)) for s in (3, 4))
    assert first != second


def test_a_zone_without_residents_is_refused():
    with pytest.raises(ValueError, match="all have residents"):
        next(simulate_weeks(1, random.Random(1), {"17300": 0}))


def test_a_habit_that_is_no_distribution_is_refused():
    with pytest.raises(ValueError, match="probability"):
        Habit(mean_km=1.0, probability=0.0, spread=0.5, core=0)
