"""Phones that know little of where they are: poor fixes neither travel at rest nor hide a trip."""

from dataclasses import replace
from math import cos, radians
from random import Random

import pytest

from personal_store.trips.segment import segment

CLAIMS = (25.0, 40.0, 65.0, 90.0, 140.0)
HONEST = 1.515  # the circle that holds 68 of 100 fixes, in standard deviations of each direction


@pytest.fixture
def poor(journey):
    """Return what makes the fixes of a day err by what they claim, in every direction."""

    def poor(claimed_m, seed, *rides):
        day = journey(every_s=30, jitter_m=0.0, accuracy_m=claimed_m).stay(minutes=180)
        for speed_mps, minutes in rides:
            day.go(speed_mps=speed_mps, minutes=minutes).stay(minutes=180)
        random, off = Random(seed), claimed_m / HONEST / 111_195
        return [
            replace(
                fix,
                lat=fix.lat + random.gauss(0, off),
                lon=fix.lon + random.gauss(0, off) / cos(radians(fix.lat)),
            )
            for fix in day.fixes
        ]

    return poor


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("claimed_m", CLAIMS)
def test_a_phone_at_rest_makes_no_trip(poor, claimed_m, seed) -> None:
    timeline = segment(poor(claimed_m, seed))
    (stay,) = timeline.staypoints
    assert timeline.trips == ()
    assert (stay.end - stay.start).total_seconds() > 170 * 60


@pytest.mark.parametrize("speed_mps", [1.4, 10.0])
@pytest.mark.parametrize("claimed_m", CLAIMS)
def test_a_trip_between_two_stays_is_found(poor, claimed_m, speed_mps) -> None:
    fixes = poor(claimed_m, 7, (speed_mps, 30))
    (trip,) = segment(fixes).trips
    minutes = [(edge - fixes[0].at).total_seconds() / 60 for edge in (trip.start, trip.end)]
    assert minutes == pytest.approx([180, 210], abs=max(6, 2 * claimed_m / speed_mps / 60))


@pytest.mark.parametrize("claimed_m", CLAIMS)
def test_a_ride_is_not_longer_than_its_fixes_err(poor, claimed_m) -> None:
    (trip,) = segment(poor(claimed_m, 11, (10.0, 30))).trips
    assert trip.distance_m == pytest.approx(18_000, rel=0.25)
