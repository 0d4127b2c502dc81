"""The clock on the resident's wall: days, hours and minutes as they lived them."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HOME_TIMEZONE = ZoneInfo("Europe/Paris")


def local_time(at: datetime) -> datetime:
    """Return the same instant on the resident's wall clock."""
    return at.astimezone(HOME_TIMEZONE)


def local_date(at: datetime) -> date:
    """Return the calendar day on which a resident of the territory lived `at`."""
    return local_time(at).date()


def local_minute(at: datetime) -> int:
    """Return the minute of that day, from 0 to 1439."""
    local = local_time(at)
    return local.hour * 60 + local.minute


def day_start(day: date) -> datetime:
    """Return the midnight at which a day begins; a day lasts 23 to 25 hours."""
    return datetime.combine(day, time(), tzinfo=HOME_TIMEZONE)


def day_after(day: date) -> date:
    """Return the next day."""
    return day + timedelta(days=1)
