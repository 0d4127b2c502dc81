"""The ISO week of a task, as a half-open interval of UTC in the clock of the territory.

A week is written `2026-W46` (ISO 8601) and runs from Monday 00:00 to the next Monday 00:00 of
Europe/Paris, so that it holds 167 or 169 hours when the clock changes. Years have 52 or 53 weeks:
weeks are therefore counted by `week_ordinal`, never by arithmetic on their number.

It is not a calendar of public holidays, and reads no clock.

>>> week_period("2026-W46").start.isoformat()
'2026-11-08T23:00:00+00:00'
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from contributions.errors import Malformed
from contributions.wire import expect_match

TIME_ZONE_NAME = "Europe/Paris"
"""The civil time of the territories served, as the travel surveys count their days."""

_WEEK = re.compile(r"[2-9]\d{3}-W\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A half-open interval [start, end) of aware UTC times."""

    start: datetime
    end: datetime


def week_monday(week: str) -> date:
    """Return the Monday of an ISO week such as `2026-W46`; raises `Malformed`."""
    text = expect_match(week, "week", _WEEK)
    try:
        return date.fromisocalendar(int(text[:4]), int(text[6:]), 1)
    except ValueError as error:
        raise Malformed("expected a week that exists; most years end with W52") from error


def week_period(week: str) -> Period:
    """Return the week from Monday 00:00 to Monday 00:00, Europe/Paris, as UTC times."""
    monday = week_monday(week)
    return Period(start=_midnight(monday), end=_midnight(monday + timedelta(days=7)))


def week_ordinal(week: str) -> int:
    """Return a number that grows by one from each ISO week to the next, across years."""
    return week_monday(week).toordinal() // 7


def week_of(moment: datetime) -> str:
    """Return the ISO week, in Europe/Paris, that holds an aware time; raises `Malformed`."""
    if moment.tzinfo is None:
        raise Malformed("expected a time with its offset, saw a naive one")
    year, number, _day = moment.astimezone(ZoneInfo(TIME_ZONE_NAME)).isocalendar()
    return f"{year:04d}-W{number:02d}"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(TIME_ZONE_NAME)).astimezone(UTC)
