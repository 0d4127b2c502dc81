from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contributions.errors import Malformed
from contributions.weeks import week_of, week_ordinal, week_period


def test_a_week_starts_on_monday_at_midnight_in_paris():
    period = week_period("2026-W46")
    assert period.start == datetime(2026, 11, 8, 23, tzinfo=UTC)
    assert period.end == datetime(2026, 11, 15, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("week", "hours"),
    [("2026-W13", 167), ("2026-W43", 169), ("2026-W46", 168), ("2027-W12", 167)],
)
def test_a_week_in_which_the_clock_changes_is_an_hour_shorter_or_longer(week, hours):
    period = week_period(week)
    assert period.end - period.start == timedelta(hours=hours)


@pytest.mark.parametrize(("week", "after"), [("2026-W53", "2027-W01"), ("2025-W52", "2026-W01")])
def test_the_last_week_of_a_year_ends_where_the_first_of_the_next_begins(week, after):
    assert week_period(week).end == week_period(after).start
    assert week_ordinal(after) == week_ordinal(week) + 1


@given(moment=st.datetimes(datetime(2001, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
def test_every_instant_is_in_the_week_that_it_is_said_to_be_in(moment):
    instant = moment.replace(tzinfo=UTC)
    period = week_period(week_of(instant))
    assert period.start <= instant < period.end


def test_the_end_of_a_week_is_already_the_next_week():
    assert week_of(week_period("2026-W46").end) == "2026-W47"


def test_a_naive_time_has_no_week():
    with pytest.raises(Malformed):
        week_of(datetime(2026, 11, 9))  # noqa: DTZ001


@pytest.mark.parametrize(
    "week",
    ["2025-W53", "2026-W00", "2026-W54", "2026W46", "1999-W01", "2026-W46-1", "", "2٠26-W46"],
)
def test_a_week_that_does_not_exist_is_refused(week):
    with pytest.raises(Malformed):
        week_ordinal(week)
