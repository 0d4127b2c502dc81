"""Turn positionfixes into trips, window by window, where something new has come in.

A dirty window is computed in slices of so many fixes, in time order, each from a rest before it to
a rest after it (`trips/windows.py`: nothing beyond those can change). Legs and visits of segmented
histories have windows of their own: what touches the news, and what touches that. Each slice is
read, computed, stored and ticked off in one transaction: a crash leaves the rest dirty, and doing
it twice changes nothing. Memory holds one slice, however long the history.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from personal_store.db import dirty_windows, evidence, positionfixes, timelines
from personal_store.db import lines as line_files
from personal_store.db.connection import reading, writing
from personal_store.db.dirty_windows import DirtyWindow
from personal_store.ingest.positionfix import Evidence, EvidenceKind
from personal_store.trips.cutting import Span
from personal_store.trips.engine import engine_mark
from personal_store.trips.offsets import STATED_WITHIN, with_offsets
from personal_store.trips.segments import WAIT_MAX, told_stays, told_trips
from personal_store.trips.timeline import Timeline

if TYPE_CHECKING:
    from personal_store.trips.lines import LineIndex

SLICE_FIXES = 250_000
"""Fixes of a window that are computed at once: a month at one every ten seconds."""

A_MOMENT = timedelta(milliseconds=1)
"""The precision at which the store keeps times."""

SLICE = timedelta(days=366)
"""Longest part of a window that is computed at once, however few its fixes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """How many positionfixes and trips the store holds."""

    positionfixes: int
    trips: int


def run_once(engine: Engine, *, everything: bool = False) -> int:
    """Compute what new positionfixes and segments touch, or the whole history.

    Return how many devices were computed again.

    A device without anything new is left as it is, unless `everything` asks, or another engine than
    this program's read it (`trips/engine.py`).
    """
    return _run(engine, everything=everything, again=True)


def take_news(engine: Engine) -> int:
    """Compute what is new and no more; return how many devices were computed again.

    For pages, which cannot wait until a history that another engine read is computed again.
    """
    return _run(engine, everything=False, again=False)


def read_again(engine: Engine) -> bool:
    """Compute one slice of what another engine read, if any; tell whether there was any."""
    with reading(engine) as connection:
        if dirty_windows.is_read_by(connection, engine_mark()):
            return False
    with writing(engine) as connection:
        dirty_windows.read_again(connection, engine_mark())
    return _one_slice(engine, _lines(engine), again=True) is not None


def _run(engine: Engine, *, everything: bool, again: bool) -> int:
    with reading(engine) as connection:
        news = everything or dirty_windows.has_news(connection)
        news = news or (again and not dirty_windows.is_read_by(connection, engine_mark()))
    recomputed: set[str] = set()
    if news:
        # Only now: a page that has nothing new to compute must not wait for an import to end.
        with writing(engine) as connection:
            if everything:
                dirty_windows.mark_everything(connection, engine_mark())
            dirty_windows.read_again(connection, engine_mark())
            dirty_windows.enqueue(connection)
        lines = _lines(engine)
        while (device := _one_slice(engine, lines, again=again)) is not None:
            recomputed.add(device)
    return len(recomputed)


def held(engine: Engine) -> Held:
    """Count what the store holds: seconds for a decade, so no page asks."""
    with reading(engine) as connection:
        return Held(
            positionfixes=positionfixes.count(connection),
            trips=timelines.count_trips(connection),
        )


def _one_slice(engine: Engine, lines: "LineIndex | None", *, again: bool) -> str | None:
    """Compute and store one slice of what is dirty; return its device, None when all is done."""
    with writing(engine) as connection:
        dirty = dirty_windows.first(connection, again=again)
        if dirty is None:
            return None
        end = min(_slice_end(connection, dirty), dirty.end)
        news = (dirty.start, end)
        written = [_compute(connection, dirty.device, news, lines)]
        written += _tell(connection, dirty.device, news)
        _state_offsets(connection, dirty.device, news, written)
        dirty_windows.done(connection, dirty, end=end)
        return dirty.device


def _slice_end(connection: Connection, dirty: DirtyWindow) -> datetime:
    """Return up to where a window is computed at once."""
    full = positionfixes.nth_from(connection, dirty.device, SLICE_FIXES, start=dirty.start)
    return min(full or dirty.end, dirty.start + SLICE)


def _compute(connection: Connection, device: str, news: Span, lines: "LineIndex | None") -> Span:
    """Replace what the engine computed of a device wherever these news can change it.

    Return from when to when that is.
    """
    # Imported here: the trip engine brings numpy, 12 MB that an idle server does without.
    from personal_store.db import positions  # noqa: PLC0415
    from personal_store.trips.windows import News, compute_part  # noqa: PLC0415

    bounds = positionfixes.bounds(connection, device)
    if bounds is None:
        timelines.replace(connection, Timeline(device=device, staypoints=(), trips=()))
        return news
    first, last = bounds
    part = compute_part(
        News(device=device, start=news[0], end=news[1], first_fix=first, last_fix=last),
        read=lambda start, end: positions.of_device(connection, device, start=start, end=end),
        stay_at=lambda at: timelines.computed_stay_at(connection, device, at),
        lines=lines,
    )
    timelines.replace(
        connection,
        part.timeline,
        start=part.start,
        end=part.end,
        since=part.since,
        until=part.until,
    )
    return part.start or first, part.end or last


def _tell(connection: Connection, device: str, news: Span) -> list[Span]:
    """Replace what segmented histories told of a device around these news.

    Return from when to when trips were replaced.
    """
    visited = _reach(connection, device, EvidenceKind.VISIT, news, slack=timedelta(0))
    if visited is not None:
        start, end = visited
        visits = _said(connection, device, EvidenceKind.VISIT, visited)
        # Not the visit that ends as the span begins: it is no part of it.
        stays = told_stays([each for each in visits if each.start >= start])
        timelines.replace_told_stays(connection, device, stays, start=start, end=end)
    travelled = _reach(connection, device, EvidenceKind.LEG, news, slack=WAIT_MAX)
    if travelled is None:
        return []
    start, end = travelled
    legs = _said(connection, device, EvidenceKind.LEG, travelled)
    fixes = positionfixes.of_device(connection, device, start=start, end=end + A_MOMENT)
    told = told_trips(device, legs, fixes)
    timelines.replace_told_trips(connection, device, told, start=start, end=end)
    return [travelled]


def _said(connection: Connection, device: str, kind: EvidenceKind, span: Span) -> list[Evidence]:
    start, end = span
    return evidence.every(connection, kinds=(kind,), device=device, start=start, end=end)


def _state_offsets(
    connection: Connection, device: str, news: Span, written: Sequence[Span]
) -> None:
    """Give the trips that were replaced, or that these news may tell it, their local clock."""

    def stated(known: Timeline) -> Timeline:
        if not known.trips:
            return known
        fixes = positionfixes.of_device(
            connection,
            device,
            start=known.trips[0].start - STATED_WITHIN,
            end=max(trip.end for trip in known.trips) + A_MOMENT,
            stating_offset=True,
        )
        return with_offsets(known, fixes)

    spans = [(news[0], news[1] + STATED_WITHIN + A_MOMENT), *written]
    start, end = min(span[0] for span in spans), max(span[1] for span in spans)
    timelines.replace_offsets(connection, device, stated, start=start, end=end + A_MOMENT)


def _reach(
    connection: Connection, device: str, kind: EvidenceKind, news: Span, *, slack: timedelta
) -> Span | None:
    """Return the span of the statements of a kind that touch the news, or touch such a one.

    Statements less than `slack` apart touch. None where no statement does.
    """
    start, end = news
    reached = None
    while True:
        span = evidence.span_touching(
            connection, device, kind, start=start - slack, end=end + slack
        )
        if span is None or reached == span:
            return reached
        reached = span
        start, end = min(start, span[0]), max(end, span[1])


def _lines(engine: Engine) -> "LineIndex | None":
    """Return the stops and lines that the resident imported, ready to be asked; None without."""
    with reading(engine) as connection:
        if not line_files.listed(connection):
            return None
        # Imported here, as below: only who imported lines pays for geometry.
        from personal_store.trips.line_files import merged  # noqa: PLC0415
        from personal_store.trips.lines import LineIndex  # noqa: PLC0415

        return LineIndex(merged(line_files.every(connection)))
