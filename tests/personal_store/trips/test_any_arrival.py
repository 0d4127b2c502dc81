"""Whatever arrives in whatever order, the store ends with what one computation of all gives."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from random import Random

from fixes_added import add_fixes
from hypothesis import given, settings
from hypothesis import strategies as st

from personal_store.db import evidence, timelines
from personal_store.db.connection import reading, writing
from personal_store.db.units import from_ms, to_ms
from personal_store.ingest.positionfix import (
    Evidence,
    EvidenceKind,
    EvidencePlace,
    Positionfix,
    SourceFormat,
    SourceMode,
)
from personal_store.jobs import pipeline
from personal_store.store import Store
from personal_store.trips.offsets import with_offsets
from personal_store.trips.segment import segment
from personal_store.trips.segments import lay_over, told_stays, told_trips
from personal_store.trips.timeline import Timeline

DEVICES = (f"phone-{number}" for number in count())
IN_A_STORE = settings(max_examples=12)


def stored(store: Store, device: str) -> Timeline:
    with reading(store.engine) as connection:
        found = timelines.trips_starting(connection, start=None, end=None)
        return Timeline(
            device=device,
            staypoints=tuple(timelines.stays_touching(connection, device=device)),
            trips=tuple(trip for trip in found if trip.device == device),
            gaps=tuple(timelines.gaps_touching(connection, device=device)),
        )


def to_the_millisecond(timeline: Timeline) -> Timeline:
    def cut(part):
        return replace(part, start=to_store(part.start), end=to_store(part.end))

    return Timeline(
        device=timeline.device,
        staypoints=tuple(cut(stay) for stay in timeline.staypoints),
        trips=tuple(
            replace(cut(trip), triplegs=tuple(cut(leg) for leg in trip.triplegs))
            for trip in timeline.trips
        ),
        gaps=tuple(cut(gap) for gap in timeline.gaps),
    )


def to_store(at: datetime) -> datetime:
    return from_ms(to_ms(at))


def arrive(store: Store, batches: Sequence[Sequence[Positionfix | Evidence]], random: Random):
    for batch in batches:
        with writing(store.engine) as connection:
            now = store.clock.now()
            fixes = [each for each in batch if isinstance(each, Positionfix)]
            add_fixes(connection, fixes, received_at=now)
            said = [each for each in batch if isinstance(each, Evidence)]
            evidence.add(connection, said, received_at=now)
        if random.random() < 0.5:
            pipeline.run_once(store.engine)
    pipeline.run_once(store.engine)


def in_batches(things: list, pieces: int, random: Random) -> list[list]:
    if random.random() < 0.3:
        random.shuffle(things)
    cuts = sorted(random.sample(range(1, len(things)), min(pieces, len(things) - 1)))
    batches = [things[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
    random.shuffle(batches)
    return batches


def told_of(device: str, fixes: Sequence[Positionfix], random: Random) -> list[Evidence]:
    """Draw legs and visits of a segmented history over the time of some fixes."""
    first, last = fixes[0].at, fixes[-1].at
    said = []
    for _ in range(random.randint(1, 12)):
        start = first + random.random() * (last - first)
        kind = random.choice([EvidenceKind.LEG, EvidenceKind.VISIT])
        said.append(
            Evidence(
                kind=kind,
                start=to_store(start),
                end=to_store(start + timedelta(minutes=random.choice([1, 12, 40, 600, 3000]))),
                source=SourceFormat.GOOGLE_TIMELINE_ANDROID,
                device=device,
                modes=(SourceMode(label="IN_BUS", confidence=0.7),),
                origin=EvidencePlace(lon=-1.15, lat=46.16),
            )
        )
    return said


@IN_A_STORE
@given(st.integers(0, 10**6), st.sampled_from([30.0, 120.0, 600.0]), st.integers(1, 6))
def test_fixes_in_any_order_and_batches_are_stored_as_the_whole(
    store: Store, history, seed: int, every_s: float, pieces: int
) -> None:
    device, random = next(DEVICES), Random(seed)
    drawn = [replace(fix, device=device) for fix in history(seed, days=8, every_s=every_s)]
    fixes = [replace(fix, at=to_store(fix.at), lat=round(fix.lat, 7)) for fix in drawn]
    for index in random.sample(range(len(fixes)), 5):
        fixes[index] = replace(fixes[index], utc_offset_min=random.choice([60, 120, 540]))
    arrive(store, in_batches(list(fixes), pieces, random), random)
    whole = to_the_millisecond(segment(fixes))
    assert stored(store, device) == with_offsets(whole, sorted(fixes, key=lambda fix: fix.at))


@IN_A_STORE
@given(st.integers(0, 10**6), st.integers(1, 6))
def test_segmented_histories_in_any_order_are_stored_as_the_whole(
    store: Store, history, seed: int, pieces: int
) -> None:
    device, random = next(DEVICES), Random(seed)
    drawn = [replace(fix, device=device) for fix in history(seed, days=6, every_s=120.0)]
    fixes = [replace(fix, at=to_store(fix.at), lat=round(fix.lat, 7)) for fix in drawn]
    said = told_of(device, fixes, random)
    arrive(store, in_batches([*fixes, *said], pieces, random), random)
    told = Timeline(
        device=device,
        staypoints=tuple(told_stays(said)),
        trips=tuple(told_trips(device, said, fixes)),
    )
    assert stored(store, device) == lay_over(to_the_millisecond(segment(fixes)), told)


@IN_A_STORE
@given(st.integers(0, 10**6), st.sampled_from([40, 300]))
def test_slices_of_any_size_give_the_whole(store: Store, history, seed: int, size: int) -> None:
    device = next(DEVICES)
    drawn = [replace(fix, device=device) for fix in history(seed, days=8, every_s=300.0)]
    fixes = [replace(fix, at=to_store(fix.at), lat=round(fix.lat, 7)) for fix in drawn]
    whole, pipeline.SLICE_FIXES = pipeline.SLICE_FIXES, size
    try:
        arrive(store, [fixes], Random(seed))
    finally:
        pipeline.SLICE_FIXES = whole
    assert stored(store, device) == to_the_millisecond(segment(fixes))
