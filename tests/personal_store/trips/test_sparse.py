"""Sparse phones: what significant-change services keep of a day still tells its trips."""

from datetime import timedelta
from itertools import pairwise

import pytest

from personal_store.trips.segment import segment
from personal_store.trips.timeline import GapKind


def working_day(trace):
    """Home, a ride to work, a walk to lunch and back, a ride home, the night."""
    trace.stay(minutes=120).go(speed_mps=12, minutes=25).stay(minutes=200)
    trace.go(speed_mps=1.4, minutes=15).stay(minutes=50)
    trace.go(speed_mps=1.4, minutes=15, bearing_deg=270).stay(minutes=220)
    return trace.go(speed_mps=12, minutes=25, bearing_deg=270).stay(minutes=500)


def significant(fixes, *, metres=500.0, seconds=300.0):
    """Return the first fix, then each that is far from and well after the one kept before it."""
    kept = [fixes[0]]
    for fix in fixes:
        apart_m = abs(fix.lon - kept[-1].lon) * 77_000
        if apart_m >= metres and (fix.at - kept[-1].at).total_seconds() >= seconds / 5:
            kept.append(fix)
    return kept


@pytest.mark.parametrize("every", [1, 3, 6, 12, 30])
def test_a_day_thinned_in_time_keeps_its_trips(journey, every):
    dense = working_day(journey()).fixes
    assert len(segment(dense[::every]).trips) == len(segment(dense).trips) == 4


def test_a_day_thinned_to_significant_changes_keeps_its_trips(journey):
    fixes = working_day(working_day(journey())).fixes
    sparse = significant(fixes)
    assert len(sparse) < len(fixes) / 20
    assert len(segment(sparse).trips) == len(segment(fixes).trips) == 8


def test_a_silent_night_at_home_is_a_gap_named_as_a_likely_stay(journey):
    trace = journey().stay(minutes=40).go(speed_mps=10, minutes=20).stay(minutes=5)
    timeline = segment(trace.silent(minutes=540).stay(minutes=30).fixes)
    (gap,) = timeline.gaps
    assert gap.kind is GapKind.STAY
    assert gap.end - gap.start == timedelta(minutes=540)


def test_a_ride_without_fixes_is_a_gap_named_as_movement(journey):
    trace = journey().stay(minutes=40).silent(minutes=40, distance_m=20_000)
    (gap,) = segment(trace.stay(minutes=40).fixes).gaps
    assert gap.kind is GapKind.MOVEMENT
    assert gap.displacement_m == pytest.approx(20_000, rel=0.01)


def test_a_week_without_fixes_is_an_absence_that_no_stay_or_trip_covers(journey):
    trace = journey().stay(minutes=40).silent(minutes=7 * 1440).stay(minutes=40)
    timeline = segment(trace.fixes)
    (gap,) = timeline.gaps
    assert gap.kind is GapKind.ABSENCE
    for part in (*timeline.staypoints, *timeline.trips):
        assert part.end <= gap.start or part.start >= gap.end


def test_gaps_follow_each_other_without_overlap(history):
    for seed in range(6):
        gaps = segment(history(seed, days=9, every_s=60.0)).gaps
        assert all(a.end <= b.start for a, b in pairwise(gaps))


def test_a_history_moved_by_whole_days_keeps_every_length(journey):
    here = segment(working_day(journey()).fixes)
    start = journey().at + timedelta(days=30)
    later = segment(working_day(journey(at=start)).fixes)
    assert [(trip.start + timedelta(days=30), trip.distance_m) for trip in here.trips] == [
        (trip.start, trip.distance_m) for trip in later.trips
    ]
