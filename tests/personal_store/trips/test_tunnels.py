"""Rides that go where no satellite is seen: joined along rails, and never invented."""

from dataclasses import replace
from math import cos, radians

import numpy as np
import pytest

from carbon.modes import TransportMode
from personal_store.trips.lines import LineIndex, Lines
from personal_store.trips.segment import segment
from personal_store.trips.timeline import SetAside

M = TransportMode
LON, LAT = -1.15, 46.16


def at(east_m: float, north_m: float) -> tuple[float, float]:
    return LON + east_m / (111_195 * cos(radians(LAT))), LAT + north_m / 111_195


def laid(places: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Return a track with a vertex every few hundred metres, as tracks have."""
    shares = np.linspace(0, len(places) - 1, 100 * (len(places) - 1) + 1)
    east, north = (
        np.interp(shares, range(len(places)), column) for column in zip(*places, strict=True)
    )
    return np.array([at(*place) for place in zip(east, north, strict=True)])


def index_of(*places: tuple[float, float], stops: tuple[float, ...] = ()) -> LineIndex:
    """Return a railway through places, in metres east and north, with stations along its start."""
    stations = np.array([at(east, 0) for east in stops]).reshape(-1, 2)
    return LineIndex(
        Lines(
            stop_lon=stations[:, 0],
            stop_lat=stations[:, 1],
            stop_mode=(M.TRAIN,) * len(stations),
            routes={M.TRAIN: [tuple(range(len(stations)))]} if len(stations) else {},
            tracks={M.TRAIN: [laid(places)]},
        )
    )


@pytest.fixture
def train(journey):
    """Return a ride of 15 km in the open, a tunnel, and 15 km in the open again."""

    def train(*, minutes: float, tunnel_m: float):
        ride = journey().stay(minutes=60).go(speed_mps=25, minutes=10)
        ride = ride.silent(minutes=minutes, distance_m=tunnel_m)
        return ride.go(speed_mps=25, minutes=10).stay(minutes=60).fixes

    return train


def around_a_hill(tunnel_m: float) -> LineIndex:
    """Return rails that bend 2 km north inside the tunnel, with stations at the ends."""
    middle = 15_000 + tunnel_m / 2
    end = 30_000 + tunnel_m
    return index_of(
        (0, 0), (15_000, 0), (middle, 2000), (15_000 + tunnel_m, 0), (end, 0), stops=(0, end)
    )


def test_a_tunnel_is_as_long_as_its_rails_and_drawn_along_them(train) -> None:
    fixes = train(minutes=8, tunnel_m=12_000)
    (trip,) = segment(fixes, lines=around_a_hill(12_000)).trips
    (leg,) = trip.triplegs
    assert leg.stated_mode is M.TRAIN
    bent_m = 2 * (6000**2 + 2000**2) ** 0.5
    assert leg.gap_m == pytest.approx(bent_m, rel=0.01)
    assert leg.distance_m == pytest.approx(30_000 + bent_m, rel=0.01)
    assert max(lat for _, lat in leg.track) == pytest.approx(at(0, 2000)[1], abs=1e-4)


def test_without_lines_a_tunnel_is_said_to_be_estimated_and_not_drawn(train) -> None:
    fixes = train(minutes=8, tunnel_m=12_000)
    (trip,) = segment(fixes).trips
    (leg,) = trip.triplegs
    assert leg.gap_m >= 11_990
    assert max(lat for _, lat in leg.track) < at(0, 100)[1]


def test_a_train_that_stands_in_a_tunnel_is_one_ride_on_its_rails(train) -> None:
    """Five hundred seconds over 800 m is a walk's pace: the open track alone would say so."""
    fixes = train(minutes=8.5, tunnel_m=800)
    cut = segment(fixes).trips[0].triplegs
    assert len(cut) == 3
    assert cut[1].gap_m > 700
    rails = index_of((0, 0), (31_000, 0), stops=(0, 30_800))
    (trip,) = segment(fixes, lines=rails).trips
    (leg,) = trip.triplegs
    assert leg.stated_mode is M.TRAIN
    assert leg.gap_m == pytest.approx(800, rel=0.05)


def test_a_road_tunnel_is_part_of_the_drive_and_straight(journey) -> None:
    drive = journey().stay(minutes=60).go(speed_mps=22, minutes=10)
    drive = drive.silent(minutes=6, distance_m=8000).go(speed_mps=22, minutes=10).stay(minutes=60)
    (trip,) = segment(drive.fixes, lines=index_of((0, 4000), (30_000, 4000))).trips
    (leg,) = trip.triplegs
    assert leg.gap_m == pytest.approx(8000, rel=0.01)


@pytest.mark.parametrize("minutes", [3, 12, 45])
def test_a_plain_gap_in_the_middle_of_a_movement_splits_no_trip(journey, minutes) -> None:
    ride = journey().stay(minutes=60).go(speed_mps=15, minutes=15)
    ride = ride.silent(minutes=minutes, distance_m=14 * 60 * minutes)
    ride = ride.go(speed_mps=15, minutes=15).stay(minutes=60)
    (trip,) = segment(ride.fixes).trips
    (leg,) = trip.triplegs
    assert leg.gap_m >= 14 * 60 * minutes * 0.99


def test_a_teleport_along_the_rails_is_still_removed(journey) -> None:
    fixes = journey().stay(minutes=60).go(speed_mps=25, minutes=20).stay(minutes=60).fixes
    middle = len(fixes) // 2
    lon, lat = at(200_000, 0)
    fixes[middle] = replace(fixes[middle], lon=lon, lat=lat)
    timeline = segment(fixes, lines=index_of((0, 0), (200_000, 0), stops=(0, 30_000, 200_000)))
    assert [each.reason for each in timeline.set_aside] == [SetAside.SPIKE]
    assert timeline.trips[0].distance_m == pytest.approx(30_000, rel=0.02)


def test_a_slow_gap_off_the_rails_stays_a_walk_between_two_rides(train) -> None:
    fixes = train(minutes=8.5, tunnel_m=800)
    two_lines = index_of((0, 0), (15_000, 0), stops=(0, 15_000))
    legs = segment(fixes, lines=two_lines).trips[0].triplegs
    assert [leg.gap_m > 0 for leg in legs] == [False, True, False]


def test_a_metro_between_two_walks_takes_no_walk_with_it(journey) -> None:
    day = journey().stay(minutes=60).go(speed_mps=1.4, minutes=8)
    day = day.silent(minutes=9, distance_m=5000).go(speed_mps=1.4, minutes=8).stay(minutes=60)
    fixes = day.fixes
    legs = segment(fixes, lines=index_of((0, 0), (8000, 0), stops=(672, 5672))).trips[0].triplegs
    assert [leg.gap_m > 0 for leg in legs] == [False, True, False]
    assert legs[1].stated_mode is M.TRAIN
