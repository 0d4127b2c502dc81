"""Two sources of one carrier are told once; two carriers that were apart are never merged."""

from math import cos, hypot, radians

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from personal_store.ingest.overlap import Seen, Series, marks
from personal_store.ingest.positionfix import SourceFormat

M = 1 / 111_195
RECORDS, GPX, IOS = (
    SourceFormat.GOOGLE_RECORDS,
    SourceFormat.GPX,
    SourceFormat.GOOGLE_TIMELINE_IOS,
)


def series(source, device, points, *, first_id=0, accuracy_m=None) -> Series:
    """Return a series of (seconds, metres north, metres east)."""
    fixes = [
        Seen(
            fix_id=first_id + n,
            at_s=float(at_s),
            lat=46.16 + north_m * M,
            lon=-1.15 + east_m * M / cos(radians(46.16)),
            accuracy_m=accuracy_m,
        )
        for n, (at_s, north_m, east_m) in enumerate(points)
    ]
    return Series(source=source, device=device, fixes=fixes)


def ride(times, *, speed_mps=5.0, start_s=3600, wobble_m=0.0):
    """Return a stay, a ride north from `start_s`, and a stay, at the given times."""
    return [
        (t, min(max(t - start_s, 0), 1800) * speed_mps, wobble_m * ((t * 7919) % 3 - 1))
        for t in times
    ]


def left_out(found):
    return {mark.fix_id for mark in found if mark.read_as is None}


def read_as(found, device):
    return {mark.fix_id for mark in found if mark.read_as == device}


def test_a_timeline_over_records_is_left_out():
    phone = series(RECORDS, "phone", ride(range(0, 9000, 60)), accuracy_m=20)
    # Rounded to the minute and to 100 m or so.
    coarse = [(t // 60 * 60, n + 60, e - 40) for t, n, e in ride(range(70, 8900, 370))]
    timeline = series(IOS, "google", coarse, first_id=1000)
    found = marks([timeline, phone])
    assert left_out(found) == {1000 + n for n in range(len(coarse))}
    assert len(found) == len(coarse)


def test_a_watch_on_the_ride_that_the_phone_recorded_is_read_as_the_phone():
    phone = series(RECORDS, "phone", ride(range(0, 9000, 120), wobble_m=15), accuracy_m=20)
    watch = series(GPX, "watch", ride(range(3500, 5500, 1)), first_id=1000)
    found = marks([phone, watch])
    assert read_as(found, "phone") == {fix.fix_id for fix in watch.fixes}
    # Of the phone's own, those of the ride: the watch tells them better.
    assert left_out(found) == {fix.fix_id for fix in phone.fixes if 3500 <= fix.at_s < 5500}


def test_two_apps_on_one_phone_are_told_once():
    points = ride(range(0, 9000, 30))
    one = series(SourceFormat.OWNTRACKS_LIVE, "phone", points, accuracy_m=10)
    moved = [(t + 11, n + 12, e + 9) for t, n, e in ride(range(0, 9000, 45))]
    other = series(SourceFormat.OVERLAND, "iphone", moved, first_id=1000, accuracy_m=10)
    found = marks([one, other])
    assert left_out(found) == {fix.fix_id for fix in other.fixes} - {
        mark.fix_id for mark in found if mark.read_as
    }
    assert not any(mark.fix_id < 1000 for mark in found)


def test_two_devices_of_one_source_are_never_compared():
    points = ride(range(0, 9000, 60))
    assert marks([series(RECORDS, "a", points), series(RECORDS, "b", points, first_id=1000)]) == []


def test_two_that_ride_together_and_then_part_stay_apart_all_day():
    both = ride(range(0, 7200, 60))
    apart = [(t, 9000, 0) for t in range(7200, 14400, 60)]
    away = [(t, 9000, 5 * (t - 7200)) for t in range(7200, 14400, 60)]
    first = series(RECORDS, "hers", both + apart, accuracy_m=10)
    second = series(GPX, "his", both + away, first_id=1000)
    assert marks([first, second]) == []


def test_two_phones_that_never_leave_one_table_stay_apart():
    still = [(t, t % 7, t % 5) for t in range(0, 80_000, 60)]
    assert marks([series(RECORDS, "a", still), series(GPX, "b", still, first_id=5000)]) == []


def test_the_same_way_an_hour_later_is_another_journey():
    first = series(RECORDS, "a", ride(range(0, 9000, 60)))
    later = series(GPX, "b", ride(range(0, 9000, 60), start_s=7200), first_id=1000)
    assert marks([first, later]) == []


walks = st.lists(st.tuples(st.integers(1, 400), st.integers(-900, 900)), min_size=2, max_size=60)


@settings(max_examples=80)
@given(walks, walks, st.integers(0, 3000))
def test_no_fix_is_marked_where_the_other_was_farther_than_the_tolerance(one, two, shift_m):
    def walked(steps, shift):
        times = np.cumsum([s for s, _ in steps])
        norths = np.cumsum([m for _, m in steps]) / 8 + shift
        return [(at_s, north_m, 0) for at_s, north_m in zip(times, norths, strict=True)]

    a = series(RECORDS, "a", walked(one, 0), accuracy_m=20)
    b = series(GPX, "b", walked(two, shift_m), first_id=1000)
    both = {"a": a, "b": b}
    owner = {fix.fix_id: (name, fix) for name, each in both.items() for fix in each.fixes}
    for fix_id in left_out(marks([a, b])):
        name, fix = owner[fix_id]
        other = both["b" if name == "a" else "a"].fixes
        around = np.linspace(fix.at_s - 5, fix.at_s + 5, 41)
        times = [each.at_s for each in other]
        # An independent reading of the rule: numpy's interpolation, distances to its points.
        norths = np.interp(around, times, [each.lat for each in other])
        step_m = np.abs(np.diff(norths)).max() / M
        assert np.abs(norths - fix.lat).min() / M <= 60 + step_m + 1e-6


def test_the_tolerance_follows_the_stated_accuracy():
    phone = series(RECORDS, "phone", ride(range(0, 9000, 60)), accuracy_m=5)
    beside = [(t, n, e + 60) for t, n, e in ride(range(0, 9000, 90))]
    sharp = series(GPX, "gpx", beside, first_id=1000, accuracy_m=5)
    blunt = series(GPX, "gpx", beside, first_id=1000, accuracy_m=40)
    assert hypot(60) > 25 + 5 + 5
    assert marks([phone, sharp]) == []
    assert left_out(marks([phone, blunt])) == {fix.fix_id for fix in blunt.fixes}
