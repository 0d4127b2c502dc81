"""The database's unit of time, and its examples."""

import doctest
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from personal_store.db import units

INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_the_examples_of_the_module_hold() -> None:
    results = doctest.testmod(units)
    assert results.attempted == 2
    assert results.failed == 0


@given(INSTANTS)
def test_a_time_comes_back_less_its_microseconds(at: datetime) -> None:
    lost = at - units.from_ms(units.to_ms(at))
    assert timedelta(0) <= lost < timedelta(milliseconds=1)


@given(st.integers(-(10**13), 10**13))
def test_whole_milliseconds_come_back_exactly(milliseconds: int) -> None:
    assert units.to_ms(units.from_ms(milliseconds)) == milliseconds
