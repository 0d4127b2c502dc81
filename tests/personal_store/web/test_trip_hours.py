"""Hours and modes on the pages of trips: the night of the change, other clocks, modes in doubt."""

from datetime import UTC, datetime, timedelta

import pytest

from carbon.modes import TransportMode
from personal_store.db import timelines, trips
from personal_store.db.connection import reading, writing
from personal_store.trips.timeline import ModeProbability, ModeSource, Timeline, Trip, Tripleg
from personal_store.web.trip_contexts import minute_on_day

M = TransportMode
BEFORE_CHANGE = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)


@pytest.fixture
def ride(joined):
    """Return what keeps one ride of 25 minutes and returns its name."""

    def ride(start, *, car=1.0, utc_offset_min=None):
        modes = ((M.CAR, car), (M.BUS, 0.9 * (1 - car)), (M.UNKNOWN, 0.1 * (1 - car)))
        leg = Tripleg(
            start=start,
            end=start + timedelta(minutes=25),
            distance_m=18_000.0,
            gap_m=0.0,
            modes=tuple(ModeProbability(mode=mode, probability=share) for mode, share in modes),
            mode_source=ModeSource.MOTION,
            track=((-1.15, 46.16), (-1.11, 46.16)),
        )
        trip = Trip(
            device="telephone",
            start=leg.start,
            end=leg.end,
            triplegs=(leg,),
            utc_offset_min=utc_offset_min,
        )
        with writing(joined.engine) as connection:
            timelines.replace(
                connection, Timeline(device="telephone", staypoints=(), trips=(trip,))
            )
        with reading(joined.engine) as connection:
            return trips.between(connection)[0].trip_id

    return ride


@pytest.mark.parametrize("page", ["days/2026-10-25", "trips/{trip}"])
def test_a_ride_over_the_change_of_clocks_says_why_it_ends_before_it_began(
    browser, ride, read, page
) -> None:
    trip = ride(BEFORE_CHANGE)
    shown = read(browser.get("/fr/" + page.format(trip=trip)).text).text
    assert "02:45 – 02:10 (changement d'heure)" in shown


def test_other_rides_say_nothing_of_it(browser, ride, read) -> None:
    trip = ride(BEFORE_CHANGE - timedelta(days=1))
    assert "changement d'heure" not in read(browser.get(f"/fr/trips/{trip}").text).text


@pytest.mark.parametrize("page", ["days/2026-11-09", "trips/{trip}", "weeks/2026-W46"])
def test_a_mode_in_doubt_is_said_to_be_in_doubt_on_every_page(browser, ride, read, page) -> None:
    trip = ride(datetime(2026, 11, 9, 8, tzinfo=UTC), car=0.5)
    shown = read(browser.get("/fr/" + page.format(trip=trip)).text).text
    assert "mode incertain : voiture ou bus" in shown


def test_the_list_of_legs_to_correct_names_no_mode_in_doubt(browser, ride, read) -> None:
    trip = ride(datetime(2026, 11, 9, 8, tzinfo=UTC), car=0.5)
    assert "1. mode incertain, 09:00" in read(browser.get(f"/fr/trips/{trip}").text).text


def test_a_trip_is_titled_by_the_clock_that_its_legs_show(browser, ride, read) -> None:
    trip = ride(datetime(2026, 11, 9, 20, tzinfo=UTC), utc_offset_min=540)
    shown = read(browser.get(f"/fr/trips/{trip}").text).text
    assert "mar. 10 nov. 05:00" in shown
    assert "05:00 – 05:25" in shown


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ("02:50", BEFORE_CHANGE + timedelta(minutes=5)),
        ("02:05", BEFORE_CHANGE + timedelta(minutes=20)),
        ("03:05", BEFORE_CHANGE + timedelta(minutes=80)),
        ("01:00", BEFORE_CHANGE + timedelta(hours=23, minutes=15)),
    ],
)
def test_an_hour_that_comes_twice_is_the_next_one(clock, expected) -> None:
    found = minute_on_day(BEFORE_CHANGE, clock, None)
    assert found is not None
    assert found.astimezone(UTC) == expected
