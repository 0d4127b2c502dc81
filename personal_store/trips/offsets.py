"""Step 2 of 9 — trips. In: a `Timeline` and its positionfixes. Out: trips that know their clock.

A source that states the offset of the place states it with each position; a trip has the one that
was stated where it began. It reads no time zone and guesses nothing.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from personal_store.ingest.positionfix import Positionfix
from personal_store.trips.timeline import Timeline

STATED_WITHIN: Final = timedelta(hours=12)
"""How long a word before the start still counts: a phone that slept through the night moved no
zone, and one that did speaks again on the way."""


def with_offsets(timeline: Timeline, fixes: Sequence[Positionfix]) -> Timeline:
    """Return the timeline with the offset that was stated at the start of each trip.

    That is the last one stated at or before it, within `STATED_WITHIN`, else the first one on the
    way; None where nothing was stated. `fixes` are in time order.
    """
    stated = [(fix.at, fix.utc_offset_min) for fix in fixes if fix.utc_offset_min is not None]
    if not stated:
        return timeline
    times = [at for at, _ in stated]

    def at_start(start: datetime, end: datetime) -> int | None:
        after = bisect_right(times, start)
        if after and start - times[after - 1] <= STATED_WITHIN:
            return stated[after - 1][1]
        return stated[after][1] if after < len(times) and times[after] <= end else None

    trips = tuple(
        replace(trip, utc_offset_min=at_start(trip.start, trip.end)) for trip in timeline.trips
    )
    return replace(timeline, trips=trips)
