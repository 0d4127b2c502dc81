"""Any arrival in any batches gives the timeline of the whole history, to the last digit."""

from datetime import datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personal_store.trips.segment import segment
from personal_store.trips.timeline import Timeline
from personal_store.trips.track import positions_of
from personal_store.trips.windows import News, Part, compute_part

EMPTY = Timeline(device="phone", staypoints=(), trips=())


def splice(stored: Timeline, part: Part) -> Timeline:
    """Return a stored timeline with a part of it replaced."""
    new = part.timeline
    stays = [s for s in stored.staypoints if not lies(s.start, part.start, part.end)]
    trips = [trip for trip in stored.trips if not lies(trip.start, part.start, part.end)]
    gaps = [gap for gap in stored.gaps if not lies(gap.start, part.since, part.until)]
    set_aside = [fix for fix in stored.set_aside if not lies(fix.at, part.since, part.until)]
    return Timeline(
        device=new.device,
        staypoints=tuple(sorted([*stays, *new.staypoints], key=lambda stay: stay.start)),
        trips=tuple(sorted([*trips, *new.trips], key=lambda trip: trip.start)),
        gaps=tuple(sorted([*gaps, *new.gaps], key=lambda gap: gap.start)),
        set_aside=tuple(sorted([*set_aside, *new.set_aside], key=lambda fix: fix.at)),
    )


def lies(at: datetime, start: datetime | None, end: datetime | None) -> bool:
    return (start is None or at >= start) and (end is None or at < end)


def add(stored, timeline, batch):
    """Return the timeline after a batch of fixes has come in, computing one window."""
    stored.extend(batch)
    times = [each.at for each in stored]
    news = News(
        device="phone",
        start=min(each.at for each in batch),
        end=max(each.at for each in batch),
        first_fix=min(times),
        last_fix=max(times),
    )
    read = []

    def reading(start, end):
        read[:] = [f for f in stored if (not start or f.at >= start) and (not end or f.at < end)]
        return positions_of(read)

    def stay_at(at):
        return next((s for s in timeline.staypoints if s.start <= at < s.end), None)

    part = compute_part(news, read=reading, stay_at=stay_at)
    return splice(timeline, part), len(read)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([60.0, 150.0]), st.integers(1, 8))
def test_any_batches_in_any_order_give_the_whole_timeline(history, seed, every_s, batches):
    fixes = history(seed, days=9, every_s=every_s)
    random = Random(seed)
    if random.random() < 0.3:
        random.shuffle(fixes)
    cuts = sorted(random.sample(range(1, len(fixes)), min(batches, len(fixes) - 1)))
    pieces = [fixes[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
    random.shuffle(pieces)
    stored, timeline = [], EMPTY
    for piece in pieces:
        timeline, _ = add(stored, timeline, piece)
    assert timeline == segment(fixes)


@pytest.mark.parametrize("seed", range(6))
def test_late_fixes_change_what_the_whole_history_would(history, seed):
    fixes = history(seed, days=20, every_s=90.0)
    late = Random(seed).sample(fixes, 6)
    stored = [each for each in fixes if each not in late]
    timeline = segment(stored)
    for each in late:
        timeline, _ = add(stored, timeline, [each])
    assert timeline == segment(fixes)


def test_a_late_fix_reads_days_not_months(journey):
    trace = journey(every_s=120.0)
    for _ in range(60):
        trace.stay(minutes=900).go(speed_mps=10, minutes=40)
        trace.stay(minutes=460).go(speed_mps=10, minutes=40, bearing_deg=270)
    late = trace.fixes[len(trace.fixes) // 2]
    stored = [each for each in trace.fixes if each is not late]
    timeline, read = add(stored, segment(stored), [late])
    assert timeline == segment(trace.fixes)
    assert read < len(trace.fixes) / 10
