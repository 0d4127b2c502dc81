"""Locations: where stays come together, which may be home, and what zones take out of a track."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personal_store.trips.cutting import between_m
from personal_store.trips.locations import (
    SAME_PLACE_M,
    Place,
    PlaceKind,
    draw_zone,
    find_locations,
    place_at,
    propose,
    visible,
)
from personal_store.trips.timeline import Staypoint

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)
HOME, WORK = (-1.15, 46.16), (-1.10, 46.16)


def stay(day: int, hour: float, hours: float, at: tuple[float, float], away_m: float = 0.0):
    start = MONDAY + timedelta(days=day, hours=hour)
    lat = at[1] + away_m / 111_195.0
    end = start + timedelta(hours=hours)
    return Staypoint(start=start, end=end, lon=at[0], lat=lat, radius_m=9.0)


@pytest.fixture
def week() -> list[Staypoint]:
    """Return five nights at home and five days at work, each some metres off."""
    nights = [stay(day, 19, 12, HOME, away_m=10 * day) for day in range(5)]
    return nights + [stay(day, 8, 9, WORK, away_m=-10 * day) for day in range(5)]


def find(stays):
    return find_locations(stays, local=lambda at: at)


def test_stays_at_one_place_are_one_location(week) -> None:
    assert [each.stays for each in find(week)] == [5, 5]


def test_nights_propose_home_and_office_hours_work(week) -> None:
    home, work = propose(find(week))
    assert (home.kind, work.kind) == (PlaceKind.HOME, PlaceKind.WORK)
    assert between_m(home.location.centre, HOME) < 60
    assert between_m(work.location.centre, WORK) < 60


def test_one_night_is_no_home() -> None:
    assert propose(find([stay(0, 22, 8, HOME)])) == []


def test_weekends_at_a_place_do_not_make_it_work(week) -> None:
    saturdays = [stay(5 + 7 * n, 9, 8, WORK) for n in range(10)]
    nights = [each for each in week if each.lon == HOME[0]]
    assert [each.kind for each in propose(find(nights + saturdays))] == [PlaceKind.HOME]


@given(st.integers(0, 1000))
def test_the_order_of_stays_does_not_matter(seed: int) -> None:
    stays = [stay(day, 19, 12, HOME, away_m=70 * (day % 4)) for day in range(8)]
    shuffled = list(stays)
    Random(seed).shuffle(shuffled)
    assert find(shuffled) == find(stays)


def test_no_stays_have_no_locations() -> None:
    assert find([]) == []


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_a_zone_covers_its_place_and_is_not_centred_on_it(angle: float, share: float) -> None:
    zone = draw_zone(HOME, radius_m=300.0, angle=angle, share=share)
    assert between_m(HOME, (zone.lon, zone.lat)) <= 0.51 * 300.0


def test_a_track_through_a_zone_is_cut_in_two() -> None:
    zone = draw_zone(HOME, radius_m=300.0, angle=0.0, share=0.0)
    track = [(HOME[0] + 0.002 * step, HOME[1]) for step in range(-5, 6)]
    pieces = visible(track, [zone])
    assert [len(piece) for piece in pieces] == [4, 4]
    assert all(between_m(HOME, point) > 300 for piece in pieces for point in piece)


def test_a_track_within_a_zone_is_not_shown() -> None:
    zone = draw_zone(HOME, radius_m=300.0, angle=0.0, share=0.0)
    assert visible([HOME, HOME], [zone]) == []


def test_without_zones_a_track_is_whole() -> None:
    assert visible([HOME, WORK], []) == [(HOME, WORK)]


def test_the_nearest_place_within_reach_is_the_place() -> None:
    home = Place(number=1, kind=PlaceKind.HOME, name="Maison", lon=HOME[0], lat=HOME[1])
    near = (HOME[0], HOME[1] + 0.9 * SAME_PLACE_M / 111_195.0)
    assert place_at(near, [home]) == home
    assert place_at(WORK, [home]) is None
