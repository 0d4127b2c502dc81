"""Compute again only the part of a history that news touch, to the same bytes as all of it.

At a rest (`silences.py`) nothing before has an influence on what comes after. So news between two
moments change nothing before the last rest that was over when they begin, nor after the first
rest of a later UTC day; only the stays around those two rests reach out of the window, and keep
their far ends. It reads through a function that it is given, and stores nothing.

How a job uses it: for each dirty window call `compute_part`, replace what is stored of stays and
trips starting in [part.start, part.end) by `part.timeline`, in the transaction that ticks the
window off. A long window may be computed in slices, in time order.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from personal_store.trips.cleaning import clean
from personal_store.trips.lines import LineIndex
from personal_store.trips.segment import Segmented, cut, timeline_of
from personal_store.trips.silences import DAY_S, WAKE_WINDOW_S
from personal_store.trips.timeline import Staypoint, Timeline
from personal_store.trips.track import Positions, moment

FIRST_MARGIN = timedelta(days=1)
"""Read around the news at first; doubled until a rest is found. Nearly every night has one."""

JUST_AFTER = timedelta(milliseconds=1)
"""The precision at which stores keep times."""

Read: TypeAlias = Callable[[datetime | None, datetime | None], Positions]
"""Returns a device's fixes in [start, end), in any order; None leaves a side open."""

StayAt: TypeAlias = Callable[[datetime], Staypoint | None]
"""Returns the stay of a device that is stored around a moment, None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What changed of a device: the first and the last moment, and those of all its fixes."""

    device: str
    start: datetime
    end: datetime
    first_fix: datetime
    last_fix: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The timeline of a part of a history.

    It stands for every stay and trip that starts in [start, end), and for every gap and fix set
    aside in [since, until), from rest to rest; None is the first or the last fix. `start` lies
    before `since` where the stay around that rest began, `end` just after `until`, because a stay
    may begin with its rest.
    """

    timeline: Timeline
    start: datetime | None
    end: datetime | None
    since: datetime | None
    until: datetime | None


def compute_part(
    news: News, *, read: Read, stay_at: StayAt, lines: LineIndex | None = None
) -> Part:
    """Return the part of a timeline that news may have changed, as it now is.

    `lines` are the stops and lines that help to tell modes.
    """
    margin = FIRST_MARGIN
    while True:
        # Whole UTC days, because a day's first rest is its only one.
        start = _midnight(news.start - margin)
        end = _midnight(news.end + margin) + timedelta(days=1)
        logged = read(
            start if start > news.first_fix else None, end if end <= news.last_fix else None
        )
        found = cut(clean(logged))
        since = _last_rest_over(found, news.start) if start > news.first_fix else None
        until = _first_rest_after(found, news.end) if end <= news.last_fix else None
        if (since or start <= news.first_fix) and (until or end > news.last_fix):
            whole = timeline_of(news.device, found, lines)
            return _part(whole, since=since, until=until, stay_at=stay_at)
        margin *= 2


def _lies(at: datetime, start: datetime | None, end: datetime | None) -> bool:
    """Tell whether a moment lies in [start, end); None leaves a side open."""
    return (start is None or at >= start) and (end is None or at < end)


def _midnight(at: datetime) -> datetime:
    """Return the start of the UTC day of a moment."""
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _last_rest_over(found: Segmented, before: datetime) -> datetime | None:
    """Return the last rest whose evidence, and the waking after it, ends before a moment."""
    time_s = found.cleaned.track.time_s
    ends_s = time_s[found.rests.last] + WAKE_WINDOW_S
    over = found.rests.first[ends_s < before.timestamp()]
    return moment(time_s[over[-1]]) if len(over) else None


def _first_rest_after(found: Segmented, after: datetime) -> datetime | None:
    """Return the first rest of a later UTC day."""
    starts_s = found.cleaned.track.time_s[found.rests.first]
    later = starts_s[starts_s // DAY_S > after.timestamp() // DAY_S]
    return moment(later[0]) if len(later) else None


def _part(
    whole: Timeline, *, since: datetime | None, until: datetime | None, stay_at: StayAt
) -> Part:
    """Return what a timeline holds between two rests, with the far ends of the stays there."""
    left = None if since is None else stay_at(since)
    right = None if until is None else stay_at(until)
    stays = []
    for stay in whole.staypoints:
        if (since and stay.end <= since) or (until and stay.start > until):
            continue
        joined = stay
        if left and since and stay.start <= since:
            joined = replace(left, end=stay.end)
        if right and until and stay.end > until:
            joined = replace(joined, end=max(joined.end, right.end))
        stays.append(joined)

    return Part(
        timeline=Timeline(
            device=whole.device,
            staypoints=tuple(stays),
            trips=tuple(trip for trip in whole.trips if _lies(trip.start, since, until)),
            gaps=tuple(gap for gap in whole.gaps if _lies(gap.start, since, until)),
            set_aside=tuple(fix for fix in whole.set_aside if _lies(fix.at, since, until)),
        ),
        start=left.start if left else since,
        end=None if until is None else until + JUST_AFTER,
        since=since,
        until=until,
    )
