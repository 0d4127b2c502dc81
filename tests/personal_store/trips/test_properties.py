"""What holds for any fixes whatever, drawn by hypothesis."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import isfinite

from hypothesis import given, settings
from hypothesis import strategies as st

from personal_store.ingest.positionfix import Positionfix, SourceFormat
from personal_store.trips.cleaning import clean
from personal_store.trips.segment import segment
from personal_store.trips.track import positions_of

START = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)  # the night France changes to summer time
PACES_MPS = (0.0, 0.0, 1.3, 5.0, 14.0, 80.0, 230.0)
LABELS = (None, None, "WALKING", "IN_VEHICLE", "STILL", "sauteur")
WAITS_S = (0, 1, 5, 30, 60, 400, 900, 20_000, 700_000)


@st.composite
def histories(draw):
    """Fixes of a device that stays, moves, falls silent and jumps, in any order."""
    lon, lat = draw(st.sampled_from([(-1.15, 46.16), (179.999, -17.0), (10.0, 89.9)]))
    at = START
    fixes = []
    for _ in range(draw(st.integers(0, 12))):
        pace_mps = draw(st.sampled_from(PACES_MPS))
        wait_s = draw(st.sampled_from(WAITS_S))
        accuracy_m = draw(st.sampled_from([None, -1.0, 0.0, 5.0, 65.0, 900.0, float("nan")]))
        label = draw(st.sampled_from(LABELS))
        source = draw(st.sampled_from([SourceFormat.GPX, SourceFormat.OWNTRACKS_REC]))
        for _ in range(draw(st.integers(1, 40))):
            fixes.append(
                Positionfix(
                    at=at,
                    lon=(lon + 180) % 360 - 180,
                    lat=max(-90.0, min(90.0, lat)),
                    source=source,
                    device="phone",
                    accuracy_m=accuracy_m,
                    activity=label,
                    activity_confidence=draw(st.sampled_from([None, 0.0, 0.4, 1.0])),
                )
            )
            at += timedelta(seconds=wait_s if wait_s < 1000 else 15)
            lat += pace_mps * min(wait_s, 1000) / 111_195
        at += timedelta(seconds=wait_s)
        lon += draw(st.sampled_from([0.0, 0.0, 0.0, 0.001, 1.0]))
    return fixes


@settings(max_examples=60, deadline=None)
@given(histories())
def test_stays_and_trips_follow_each_other_without_overlap(fixes):
    timeline = segment(fixes)
    spans = sorted((part.start, part.end) for part in (*timeline.staypoints, *timeline.trips))
    assert all(start < end for start, end in spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


@settings(max_examples=60, deadline=None)
@given(histories())
def test_legs_follow_each_other_inside_their_trip(fixes):
    for trip in segment(fixes).trips:
        moments = [moment for leg in trip.triplegs for moment in (leg.start, leg.end)]
        assert moments == sorted(moments)
        assert trip.start <= moments[0]
        assert moments[-1] <= trip.end


@settings(max_examples=60, deadline=None)
@given(histories())
def test_everything_lies_between_the_first_and_the_last_fix(fixes):
    timeline = segment(fixes)
    for part in (*timeline.staypoints, *timeline.trips):
        assert min(fix.at for fix in fixes) <= part.start
        assert part.end <= max(fix.at for fix in fixes)


@settings(max_examples=60, deadline=None)
@given(histories())
def test_no_trip_holds_a_day_without_a_fix(fixes):
    times = sorted(fix.at for fix in fixes)
    for earlier, later in pairwise(times):
        if later - earlier > timedelta(days=1):
            for trip in segment(fixes).trips:
                assert min(trip.end, later) - max(trip.start, earlier) <= timedelta(hours=3)


@settings(max_examples=60, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(fixes, random):
    shuffled = list(fixes)
    random.shuffle(shuffled)
    assert segment(shuffled) == segment(fixes)


@settings(max_examples=60, deadline=None)
@given(histories())
def test_fixes_that_arrive_twice_change_no_trip(fixes):
    once, twice = segment(fixes), segment([*fixes, *fixes])
    assert (twice.staypoints, twice.trips) == (once.staypoints, once.trips)


@settings(max_examples=60, deadline=None)
@given(histories())
def test_every_number_is_finite_and_probabilities_sum_to_one(fixes):
    timeline = segment(fixes)
    for stay in timeline.staypoints:
        assert all(isfinite(value) for value in (stay.lon, stay.lat, stay.radius_m))
    for leg in (leg for trip in timeline.trips for leg in trip.triplegs):
        assert isfinite(leg.distance_m)
        assert 0 <= leg.gap_m <= leg.distance_m * (1 + 1e-9)
        assert abs(sum(entry.probability for entry in leg.modes) - 1) < 1e-9
        assert all(0 <= entry.probability <= 1 for entry in leg.modes)


@settings(max_examples=60, deadline=None)
@given(histories())
def test_every_fix_is_kept_or_named_with_its_reason(fixes):
    kept = len(clean(positions_of(fixes)).track)
    assert kept + len(segment(fixes).set_aside) == len(fixes)
