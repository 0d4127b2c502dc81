"""Any arrival in any batches gives the timeline of the whole history, to the last digit."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personal_store.ingest.positionfix import Positionfix, SourceFormat
from personal_store.trips.segment import segment
from personal_store.trips.timeline import Timeline
from personal_store.trips.windows import News, compute_part, splice

START = datetime(2026, 3, 9, tzinfo=UTC)
EMPTY = Timeline(device="phone", staypoints=(), trips=())


def history(seed, *, days, every_s):
    """Days at two or three places, with rides, jitter, silences, teleports and cell positions."""
    random = Random(seed)
    fixes, at = [], START + timedelta(hours=random.uniform(0, 24))
    place = x = 0.0
    while at < START + timedelta(days=days):
        for _ in range(int(random.choice([2, 20, 60, 400, 900]) * 60 / every_s)):
            at += timedelta(seconds=every_s)
            jitter = random.gauss(0, random.choice([2.0, 2.0, 15.0]))
            if random.random() < 0.004:
                jitter = random.choice([3e4, 9e4, 200.0])
            fixes.append(fix(at, x + jitter, random.choice([5.0, 5.0, 30.0, 65.0, 400.0])))
        if random.random() < 0.5:
            at += timedelta(minutes=random.choice([4, 15, 90, 400, 700, 3500]))
            if random.random() < 0.6:
                continue
        place = random.choice([0.0, 300.0, 6_000.0, 40_000.0])
        pace = random.choice([1.4, 6.0, 15.0, 60.0])
        while abs(place - x) > pace * every_s:
            x += pace * every_s * (1 if place > x else -1)
            at += timedelta(seconds=every_s)
            fixes.append(fix(at, x + random.gauss(0, 3), 8.0))
    return fixes


def fix(at, metres, accuracy_m):
    return Positionfix(
        at=at,
        lon=-1.15,
        lat=46.0 + metres / 111_195.0,
        source=SourceFormat.OWNTRACKS_LIVE,
        device="phone",
        accuracy_m=accuracy_m,
    )


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
        return read

    def stay_at(at):
        return next((s for s in timeline.staypoints if s.start <= at < s.end), None)

    part = compute_part(news, read=reading, stay_at=stay_at)
    return splice(timeline, part), len(read)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([60.0, 150.0]), st.integers(1, 8))
def test_any_batches_in_any_order_give_the_whole_timeline(seed, every_s, batches):
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
def test_late_fixes_change_what_the_whole_history_would(seed):
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
