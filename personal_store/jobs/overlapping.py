"""Mark the positions that two sources tell, on the days where something new came in.

One transaction a day: the marks, and the devices whose trips have to be computed again. The rule is
in `ingest/overlap.py`. A crash leaves whole days; the next run takes the rest.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from personal_store.db import dirty_windows, position_marks, positionfixes
from personal_store.db.connection import reading, writing
from personal_store.db.units import EPOCH
from personal_store.ingest.overlap import marks


def run_once(engine: Engine) -> int:
    """Return on how many days marks changed."""
    with reading(engine) as connection:
        if not position_marks.has_news(connection):
            return 0
        newest = positionfixes.newest_id(connection)
        days = [
            day
            for day in position_marks.days_with_news(connection)
            if position_marks.has_several_sources(connection, day)
        ]
    changed = 0
    for day in days:
        with writing(engine) as connection:
            changed += _mark_day(connection, day)
    with writing(engine) as connection:
        position_marks.seen_up_to(connection, newest)
    return changed


def _mark_day(connection: Connection, day: int) -> bool:
    series = position_marks.series_of(connection, day)
    if not position_marks.replace_day(connection, series, marks(series)):
        return False
    for device in {each.device for each in series}:
        start = _start_of(day)
        dirty_windows.mark(connection, device=device, start=start, end=start + timedelta(days=1))
    return True


def _start_of(day: int) -> datetime:
    return EPOCH + timedelta(days=day)
