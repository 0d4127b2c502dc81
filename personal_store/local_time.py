"""The clock on the resident's wall: days, hours and minutes as they lived them.

Where a source states the offset from UTC of the place, that is the clock; elsewhere it is the one
of home. The weeks of shared questions are not these: the protocol cuts them for everybody alike.

A program serves one store, so the zone of home is held here once for all of it; the database keeps
it (`home_zone.py`), and it is France's until a resident says otherwise.
"""

from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

DEFAULT_HOME = "Europe/Paris"
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)
"""The days that pages show and that periods are cut to: a calendar ends, a margin must not."""

FARTHEST = timedelta(hours=26)
"""The most by which two clocks on Earth differ."""


class _Home:
    """Where the resident of this program's store lives."""

    timezone = ZoneInfo(DEFAULT_HOME)


def home_timezone() -> ZoneInfo:
    """Return the time zone of home."""
    return _Home.timezone


def live_in(timezone: ZoneInfo) -> None:
    """Have every local day and hour of this program be that of another home."""
    _Home.timezone = timezone


def local_time(at: datetime, utc_offset_min: int | None = None) -> datetime:
    """Return the same instant on the clock of the place, of which `None` says nothing.

    >>> from datetime import UTC
    >>> at = datetime(2026, 11, 9, 20, tzinfo=UTC)
    >>> local_time(at).isoformat(), local_time(at, 540).isoformat()
    ('2026-11-09T21:00:00+01:00', '2026-11-10T05:00:00+09:00')
    """
    if utc_offset_min is None:
        return at.astimezone(home_timezone())
    return at.astimezone(timezone(timedelta(minutes=utc_offset_min)))


def local_date(at: datetime, utc_offset_min: int | None = None) -> date:
    """Return the calendar day on which a resident lived `at`."""
    return local_time(at, utc_offset_min).date()


def local_minute(at: datetime, utc_offset_min: int | None = None) -> int:
    """Return the minute of that day, from 0 to 1439."""
    local = local_time(at, utc_offset_min)
    return local.hour * 60 + local.minute


def is_lived_in(
    at: datetime, utc_offset_min: int | None, *, start: datetime, end: datetime
) -> bool:
    """Tell whether the clock of the place showed `at` what home's shows from `start` to `end`.

    Half-open. Without an offset this is `start <= at < end`.
    """
    if utc_offset_min is None:
        return start <= at < end
    wall = local_time(at, utc_offset_min).replace(tzinfo=None)
    return _home_wall(start) <= wall < _home_wall(end)


def day_start(day: date) -> datetime:
    """Return the midnight at which a day begins; a day lasts 23 to 25 hours."""
    return datetime.combine(day, time(), tzinfo=home_timezone())


def day_after(day: date) -> date:
    """Return the next day."""
    return day + timedelta(days=1)


def _home_wall(at: datetime) -> datetime:
    return at.astimezone(home_timezone()).replace(tzinfo=None)
