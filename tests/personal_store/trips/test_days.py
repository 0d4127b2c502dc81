"""Whole days whose truth is known, and what must not change them."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personal_store.trips.cleaning import clean
from personal_store.trips.segment import cut, segment
from personal_store.trips.track import positions_of

NOTHING = timedelta(0)


def spans(timeline, moved=NOTHING):
    """Return when stays and trips start and end, to the hundredth of a second, moved back."""
    return [
        tuple(round((moment - moved).timestamp(), 2) for moment in (part.start, part.end))
        for part in (*timeline.staypoints, *timeline.trips)
    ]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(-(10**9), 10**9))
def test_a_history_moved_by_any_milliseconds_is_cut_at_the_same_places(history, seed, moved_ms):
    fixes = history(seed, days=4, every_s=60.0)
    moved = timedelta(milliseconds=moved_ms)
    later = [replace(fix, at=fix.at + moved) for fix in fixes]
    assert spans(segment(later), moved) == spans(segment(fixes))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_cutting_the_kept_fixes_again_cuts_at_the_same_places(history, seed):
    fixes = history(seed, days=4, every_s=60.0)
    timeline = segment(fixes)
    aside = {fix.at for fix in timeline.set_aside}
    again = segment([fix for fix in fixes if fix.at not in aside])
    assert again.set_aside == ()
    assert spans(again) == spans(timeline)
    assert again.trips == timeline.trips


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_a_history_of_days_does_not_depend_on_the_order_of_import(history, seed):
    fixes = history(seed, days=4, every_s=60.0)
    shuffled = Random(seed).sample(fixes, len(fixes))
    assert segment(shuffled) == segment(fixes)


def metro(trace):
    """Walk, ride under ground, seen half a minute at each of eight stations, walk."""
    trace.stay(minutes=60).go(speed_mps=1.4, minutes=6)
    for _ in range(8):
        trace.go(speed_mps=0.3, minutes=0.5).silent(minutes=2, distance_m=1100)
    return trace.go(speed_mps=1.4, minutes=5).stay(minutes=60)


def tgv(trace):
    """Two hours at 320 km/h with a tunnel of four minutes in every twelve."""
    trace.stay(minutes=60)
    for _ in range(8):
        trace.go(speed_mps=88.9, minutes=11).silent(minutes=4, distance_m=88.9 * 240)
    return trace.go(speed_mps=88.9, minutes=1).stay(minutes=60)


def plane(trace):
    """A drive to the airport, two hours without a fix in the air, a drive into town."""
    trace.stay(minutes=60).go(speed_mps=14, minutes=30).stay(minutes=20)
    trace.silent(minutes=120, distance_m=1_400_000).stay(minutes=15)
    return trace.go(speed_mps=14, minutes=25).stay(minutes=60)


def ferry(trace):
    """A crossing of 40 minutes at 12 knots, half of it without a fix."""
    trace.stay(minutes=60).go(speed_mps=6.2, minutes=10).silent(minutes=20, distance_m=7440)
    return trace.go(speed_mps=6.2, minutes=10).stay(minutes=60)


@pytest.mark.parametrize(
    ("way", "minutes", "metres"),
    [
        (metro, 31, 12_000 - 200 * 11 * 1.1 + 8 * 9),
        (tgv, 121, 88.9 * 60 * 121),
        (plane, 210, 1_400_000 + 14 * 55 * 60),
        (ferry, 40, 14_880),
    ],
    ids=["metro", "tgv", "plane", "ferry"],
)
def test_a_way_with_known_truth_is_one_trip_of_its_time_and_length(journey, way, minutes, metres):
    timeline = segment(way(journey()).fixes)
    (trip,) = timeline.trips
    assert (trip.end - trip.start).total_seconds() / 60 == pytest.approx(minutes, abs=3)
    # Before modes: a known detour of rails or roads would lengthen the straight lines of gaps.
    along_m = cut(clean(positions_of(way(journey()).fixes))).legs.distance_m.sum()
    assert along_m == pytest.approx(metres, rel=0.05)
    assert len(timeline.staypoints) == 2


def commute(trace, *, night):
    """An evening's ride home, then whatever the phone does at night, then the ride to work."""
    trace.stay(minutes=90).go(speed_mps=12, minutes=25).stay(minutes=30)
    night(trace)
    return trace.stay(minutes=30).go(speed_mps=12, minutes=25, bearing_deg=270).stay(minutes=90)


def sparse(trace):
    for _ in range(5):
        trace.silent(minutes=110)


def moved_in_silence(trace):
    trace.silent(minutes=9 * 60, distance_m=400_000)


NIGHTS = {
    "no fix at all": lambda trace: trace.silent(minutes=9 * 60),
    "a fix in two hours": sparse,
    "carried 300 m unseen": lambda trace: trace.silent(minutes=9 * 60, distance_m=300),
    "woken up 400 km away": moved_in_silence,
    "a week without a fix": lambda trace: trace.silent(minutes=7 * 1440),
    "a week, then 400 km away": lambda trace: trace.silent(minutes=7 * 1440, distance_m=400_000),
}


@pytest.mark.parametrize("night", NIGHTS.values(), ids=NIGHTS)
def test_a_trip_never_swallows_a_night_or_a_week(journey, night):
    timeline = segment(commute(journey(), night=night).fixes)
    assert len(timeline.trips) == 2 + (night is NIGHTS["carried 300 m unseen"])
    for trip in timeline.trips:
        assert trip.end - trip.start < timedelta(minutes=35)


@pytest.mark.parametrize("night", ["no fix at all", "a fix in two hours"])
def test_a_night_at_home_with_few_fixes_or_none_is_one_stay(journey, night):
    timeline = segment(commute(journey(), night=NIGHTS[night]).fixes)
    assert len(timeline.staypoints) == 3
    assert timeline.staypoints[1].end - timeline.staypoints[1].start > timedelta(hours=9)
