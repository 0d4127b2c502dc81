"""Turn positionfixes into trips, window by window, where something new has come in.

A dirty window is widened back to a long stay that lies before it and computed forward in
chunks, each up to a long stay; it ends at a long stay that was stored already and lies beyond
the news, because from there on nothing can differ. Each chunk is read, computed, stored and
ticked off in one transaction: a crash leaves the rest dirty, and doing it twice changes nothing.
Memory holds one chunk, however long the history.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from personal_store.db import dirty_windows, evidence, positionfixes, trips
from personal_store.db import lines as line_files
from personal_store.db.connection import reading, writing
from personal_store.db.dirty_windows import DirtyWindow
from personal_store.db.units import from_ms, to_ms
from personal_store.ingest.positionfix import EvidenceKind
from personal_store.trips.offsets import with_offsets
from personal_store.trips.segments import lay_over
from personal_store.trips.timeline import Staypoint, Timeline

if TYPE_CHECKING:
    from personal_store.trips.lines import LineIndex

ANCHOR_MIN = timedelta(hours=1)
"""A stay at least this long cuts computing: no trip and no wait reaches across it."""

CHUNK = timedelta(days=28)
"""History that is read at once: a quarter of a million positionfixes at one every ten seconds."""


SEGMENTED = (EvidenceKind.LEG, EvidenceKind.VISIT)
"""What shapes trips; taps and proofs are weighed whenever trips are read."""

LOOK_AHEAD = timedelta(days=2)
"""Read past the news to meet a long stay that is stored already; nearly every night is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineReport:
    """How many devices were recomputed, and what the store now holds."""

    devices_recomputed: int
    positionfixes: int
    trips: int


def run_once(engine: Engine, *, everything: bool = False) -> PipelineReport:
    """Compute what new positionfixes and segments touch, or the whole history.

    A device without anything new is left as it is, unless `everything` asks: a newer version of the
    trip engine reads an old history differently.
    """
    with reading(engine) as connection:
        news = everything or dirty_windows.has_news(connection)
    recomputed: set[str] = set()
    if news:
        # Only now: a page that has nothing new to compute must not wait for an import to end.
        with writing(engine) as connection:
            if everything:
                dirty_windows.mark_everything(connection)
            dirty_windows.enqueue(connection)
        lines = _lines(engine)
        while (device := _one_chunk(engine, lines)) is not None:
            recomputed.add(device)
    with reading(engine) as connection:
        return PipelineReport(
            devices_recomputed=len(recomputed),
            positionfixes=positionfixes.count(connection),
            trips=trips.count(connection),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """A timeline that holds until `end`, the start of a long stay; None: until the last fix.

    `settled` tells that what is stored from `end` on need not be computed again.
    """

    timeline: Timeline
    end: datetime | None
    settled: bool


def _one_chunk(engine: Engine, lines: "LineIndex | None") -> str | None:
    """Compute and store one chunk of what is dirty; return its device, None when all is done."""
    with writing(engine) as connection:
        dirty = dirty_windows.first(connection)
        if dirty is None:
            return None
        start = _anchor_before(connection, dirty)
        chunk = _compute(connection, dirty, start=start, lines=lines)
        trips.replace(connection, chunk.timeline, start=start, end=chunk.end)
        dirty_windows.done(connection, device=dirty.device, until=chunk.end)
        if chunk.end is not None and chunk.end > dirty.end and not chunk.settled:
            # Past the news, but what follows was cut otherwise: go on until both agree.
            dirty_windows.mark(connection, device=dirty.device, start=chunk.end, end=chunk.end)
        return dirty.device


def _anchor_before(connection: Connection, dirty: DirtyWindow) -> datetime | None:
    """Return the start of the long stay from which to compute; None: from the first fix.

    Not of the last one that ends before the window: the news may tell that its end, which was
    judged from the next fix, came sooner. The one before cannot change.
    """
    stays = trips.staypoints(connection, dirty.device, end=dirty.start)
    settled = [stay.start for stay in stays if _is_anchor(stay) and stay.end <= dirty.start]
    return settled[-2] if len(settled) > 1 else None


def _compute(
    connection: Connection,
    dirty: DirtyWindow,
    *,
    start: datetime | None,
    lines: "LineIndex | None",
) -> _Chunk:
    """Compute from `start`, past the window if it is short, at least to its first long stay."""
    begin = start or dirty.start
    length = min(CHUNK, dirty.end - begin + LOOK_AHEAD)
    newest = _newest(connection, dirty.device)
    while True:
        end = begin + length
        timeline = _timeline(connection, dirty.device, start=start, end=end, lines=lines)
        # To the millisecond, as they are stored.
        anchors = [from_ms(to_ms(stay.start)) for stay in timeline.staypoints if _is_anchor(stay)]
        met = _first_stored(connection, dirty, anchors)
        if met is not None:
            return _Chunk(timeline=_until(timeline, met), end=met, settled=True)
        if newest is None or newest < begin + length:
            return _Chunk(timeline=timeline, end=None, settled=True)
        if anchors and anchors[-1] > dirty.start:
            cut = anchors[-1]
            return _Chunk(timeline=_until(timeline, cut), end=cut, settled=False)
        length *= 2


def _lines(engine: Engine) -> "LineIndex | None":
    """Return the stops and lines that the resident imported, ready to be asked; None without."""
    with reading(engine) as connection:
        if not line_files.listed(connection):
            return None
        # Imported here, as below: only who imported lines pays for geometry.
        from personal_store.trips.line_files import merged  # noqa: PLC0415
        from personal_store.trips.lines import LineIndex  # noqa: PLC0415

        return LineIndex(merged(line_files.every(connection)))


def _timeline(
    connection: Connection,
    device: str,
    *,
    start: datetime | None,
    end: datetime,
    lines: "LineIndex | None",
) -> Timeline:
    # Imported here: the trip engine brings numpy, 12 MB that an idle server does without.
    from personal_store.trips.segment import segment  # noqa: PLC0415

    fixes = positionfixes.of_device(connection, device, start=start, end=end)
    timeline = replace(segment(fixes, lines=lines), device=device)
    told = evidence.every(connection, kinds=SEGMENTED, device=device, start=start, end=end)
    laid = lay_over(timeline, told, fixes) if told else timeline
    return with_offsets(laid, fixes)


def _newest(connection: Connection, device: str) -> datetime | None:
    """Return the time of the last thing known of a device."""
    known = (positionfixes.newest_at(connection, device), evidence.newest_end(connection, device))
    return max((each for each in known if each is not None), default=None)


def _first_stored(
    connection: Connection, dirty: DirtyWindow, anchors: Sequence[datetime]
) -> datetime | None:
    """Return the first long stay past the window that is stored with the same start."""
    past = [anchor for anchor in anchors if anchor > dirty.end]
    if not past:
        return None
    stays = trips.staypoints(connection, dirty.device, start=past[0], end=past[-1] + ANCHOR_MIN)
    stored = {stay.start for stay in stays if _is_anchor(stay)}
    return next((anchor for anchor in past if anchor in stored), None)


def _until(timeline: Timeline, end: datetime) -> Timeline:
    return replace(
        timeline,
        staypoints=tuple(stay for stay in timeline.staypoints if stay.start < end),
        trips=tuple(trip for trip in timeline.trips if trip.start < end),
    )


def _is_anchor(stay: Staypoint) -> bool:
    return stay.end - stay.start >= ANCHOR_MIN
