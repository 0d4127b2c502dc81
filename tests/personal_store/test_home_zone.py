"""Days begin where the resident says that home is; what is stored does not move."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from personal_store import home_zone
from personal_store.errors import UnknownZone
from personal_store.local_time import (
    DEFAULT_HOME,
    day_after,
    day_start,
    home_timezone,
    live_in,
    local_date,
)
from personal_store.store import open_store

EVENING = datetime(2026, 11, 9, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def back_home() -> Iterator[None]:
    yield
    live_in(ZoneInfo(DEFAULT_HOME))


def test_a_day_is_that_of_the_home_that_was_given(store) -> None:
    assert local_date(EVENING) == date(2026, 11, 9)
    home_zone.change(store.engine, "Indian/Reunion", clock=store.clock)
    assert local_date(EVENING) == date(2026, 11, 10)


def test_a_stated_offset_is_stronger_than_home(store) -> None:
    home_zone.change(store.engine, "Indian/Reunion", clock=store.clock)
    assert local_date(EVENING, 60) == date(2026, 11, 9)


def test_the_store_remembers_its_home(store, key) -> None:
    home_zone.change(store.engine, "america/cayenne", clock=store.clock)
    live_in(ZoneInfo("Asia/Tokyo"))
    open_store(store.folder, key).engine.dispose()
    assert home_timezone().key == "America/Cayenne"


def test_a_store_that_was_told_nothing_lives_in_france(store, key) -> None:
    live_in(ZoneInfo("Asia/Tokyo"))
    open_store(store.folder, key).engine.dispose()
    assert home_timezone().key == "Europe/Paris"


@pytest.mark.parametrize("name", ["", "Paris", "../../etc/passwd", "Europe/La_Rochelle", "+02:00"])
def test_a_name_that_is_no_zone_changes_nothing(store, name) -> None:
    with pytest.raises(UnknownZone):
        home_zone.change(store.engine, name, clock=store.clock)
    assert home_timezone().key == "Europe/Paris"


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Paris", date(2026, 3, 29), 23),
        ("Europe/Paris", date(2026, 10, 25), 25),
        ("America/Montreal", date(2026, 3, 8), 23),
        ("America/Montreal", date(2026, 3, 29), 24),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Indian/Reunion", date(2026, 3, 29), 24),
    ],
)
def test_a_day_is_as_long_as_its_clock_changes_make_it(store, zone, day, hours) -> None:
    home_zone.change(store.engine, zone, clock=store.clock)
    length = day_start(day_after(day)).astimezone(UTC) - day_start(day).astimezone(UTC)
    assert length == timedelta(hours=hours)
