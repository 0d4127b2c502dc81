"""Names of trips: they say when, never where, and survive a start that moves a little."""

from datetime import UTC, datetime, timedelta

from personal_store.trips.identifiers import names, read_name, slot_name
from personal_store.trips.timeline import Trip

AT = datetime(2026, 11, 9, 7, 21, tzinfo=UTC)


def trip(start: datetime, device: str = "telephone") -> Trip:
    return Trip(device=device, start=start, end=start + timedelta(minutes=5), triplegs=())


def test_a_trip_that_starts_a_little_later_keeps_its_name() -> None:
    assert slot_name("telephone", AT) == slot_name("telephone", AT + timedelta(minutes=4))


def test_two_devices_at_one_time_have_two_names() -> None:
    assert slot_name("telephone", AT) != slot_name("watch", AT)


def test_two_trips_in_ten_minutes_are_numbered() -> None:
    first, second = names([trip(AT), trip(AT + timedelta(minutes=6))])
    assert second == f"{first}-2"


def test_a_name_does_not_hold_the_name_of_the_device() -> None:
    assert "telephone" not in slot_name("telephone", AT)


def test_a_name_tells_its_ten_minutes() -> None:
    slot = read_name(slot_name("telephone", AT) + "-2")
    assert slot is not None
    assert slot.start == datetime(2026, 11, 9, 7, 20, tzinfo=UTC)


def test_what_is_no_name_is_none() -> None:
    assert [read_name(text) for text in ("", "nonsense", "20261399-9999-aaaaaa")] == [None] * 3
