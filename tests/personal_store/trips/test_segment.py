from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt

import pytest

from carbon.modes import TransportMode
from personal_store.ingest.positionfix import SourceFormat
from personal_store.trips.segment import segment
from personal_store.trips.silences import ACCESS_M, WALK_MPS


def haversine_m(a, b):
    (lon_a, lat_a), (lon_b, lat_b) = a, b
    half = (
        sin(radians(lat_b - lat_a) / 2) ** 2
        + cos(radians(lat_a)) * cos(radians(lat_b)) * sin(radians(lon_b - lon_a) / 2) ** 2
    )
    return 2 * 6_371_008.8 * asin(sqrt(half))


def test_no_fix_gives_an_empty_timeline():
    timeline = segment([])
    assert (timeline.staypoints, timeline.trips, timeline.fixes_set_aside) == ((), (), 0)


def test_a_single_fix_is_neither_a_stay_nor_a_trip(journey):
    timeline = segment(journey().fix().fixes)
    assert (timeline.staypoints, timeline.trips) == ((), ())


def test_fixes_all_at_one_time_make_no_trip(journey):
    fixes = journey().go(speed_mps=10, minutes=10).fixes
    frozen = [replace(fix, at=fixes[0].at) for fix in fixes]
    timeline = segment(frozen)
    assert (timeline.staypoints, timeline.trips) == ((), ())
    assert timeline.fixes_set_aside == len(fixes) - 1


def test_fixes_of_two_devices_are_refused(journey):
    fixes = journey().go(speed_mps=1, minutes=1).fixes
    with pytest.raises(ValueError, match="one device, seen 2"):
        segment([*fixes, replace(fixes[0], device="tablet")])


def test_a_walk_between_two_stays_is_one_trip_of_one_walk(journey):
    timeline = segment(
        journey().stay(minutes=40).go(speed_mps=1.4, minutes=20).stay(minutes=40).fixes
    )
    assert len(timeline.staypoints) == 2
    (trip,) = timeline.trips
    (leg,) = trip.triplegs
    assert leg.mode.mode is TransportMode.WALK
    assert leg.distance_m == pytest.approx(1.4 * 20 * 60, rel=0.1)


def test_a_car_stopping_at_lights_stays_one_leg(journey):
    drive = journey().stay(minutes=40)
    for _ in range(8):
        drive.go(speed_mps=13, minutes=2).go(speed_mps=0, minutes=0.7)
    timeline = segment(drive.stay(minutes=40).fixes)
    (trip,) = timeline.trips
    assert len(trip.triplegs) == 1


def test_walking_to_a_car_and_driving_are_two_legs(journey):
    timeline = segment(
        journey()
        .stay(minutes=40)
        .go(speed_mps=1.4, minutes=6)
        .go(speed_mps=16, minutes=20)
        .go(speed_mps=1.4, minutes=6)
        .stay(minutes=40)
        .fixes
    )
    modes = [leg.mode.mode for leg in timeline.trips[0].triplegs]
    assert modes == [TransportMode.WALK, TransportMode.CAR, TransportMode.WALK]


def test_a_wait_lies_between_two_legs_of_one_trip(journey):
    timeline = segment(
        journey()
        .stay(minutes=40)
        .go(speed_mps=14, minutes=15)
        .stay(minutes=12)
        .go(speed_mps=14, minutes=15)
        .stay(minutes=40)
        .fixes
    )
    (trip,) = timeline.trips
    first, second = trip.triplegs
    assert timedelta(minutes=10) < second.start - first.end < timedelta(minutes=14)


def test_a_shorter_activity_threshold_makes_the_wait_an_activity(journey):
    fixes = (
        journey()
        .stay(minutes=40)
        .go(speed_mps=14, minutes=15)
        .stay(minutes=12)
        .go(speed_mps=14, minutes=15)
        .stay(minutes=40)
        .fixes
    )
    assert len(segment(fixes, activity_min_s=600).trips) == 2


def test_a_night_at_home_with_the_phone_off_is_a_stay(journey):
    evening = journey().stay(minutes=30).go(speed_mps=10, minutes=20).stay(minutes=5)
    night = evening.silent(minutes=9 * 60).stay(minutes=5).go(speed_mps=10, minutes=20)
    timeline = segment(night.stay(minutes=30).fixes)
    assert len(timeline.trips) == 2
    assert timeline.staypoints[1].end - timeline.staypoints[1].start > timedelta(hours=9)


def test_a_phone_that_wakes_up_on_the_way_stayed_until_shortly_before(journey):
    timeline = segment(
        journey()
        .stay(minutes=30)
        .silent(minutes=8 * 60, distance_m=900)
        .go(speed_mps=15, minutes=20)
        .stay(minutes=40)
        .fixes
    )
    (trip,) = timeline.trips
    assert trip.end - trip.start < timedelta(minutes=25)
    assert trip.distance_m == pytest.approx(900 + 15 * 20 * 60, rel=0.05)
    assert trip.triplegs[0].gap_m == pytest.approx(900, rel=0.05)


def test_who_is_found_riding_walked_to_the_vehicle_first(journey):
    trace = journey().stay(minutes=30).silent(minutes=8 * 60, distance_m=900)
    fixes = trace.go(speed_mps=15, minutes=20).stay(minutes=40).fixes
    woken = max(pairwise(fix.at for fix in fixes), key=lambda pair: pair[1] - pair[0])[1]
    (trip,) = segment(fixes).trips
    unseen_s = (woken - trip.start).total_seconds()
    assert unseen_s == pytest.approx(ACCESS_M / WALK_MPS + (900 - ACCESS_M) / 15, rel=0.1)


def test_an_unseen_departure_is_no_walk_of_its_own(journey):
    trace = journey().stay(minutes=30).silent(minutes=8 * 60, distance_m=200)
    (trip,) = segment(trace.go(speed_mps=15, minutes=20).stay(minutes=40).fixes).trips
    assert len(trip.triplegs) == 1


def test_a_tunnel_is_part_of_the_ride_and_named_as_a_gap(journey):
    timeline = segment(
        journey()
        .stay(minutes=40)
        .go(speed_mps=25, minutes=10)
        .silent(minutes=14, distance_m=20_000)
        .go(speed_mps=25, minutes=10)
        .stay(minutes=40)
        .fixes
    )
    (trip,) = timeline.trips
    (leg,) = trip.triplegs
    assert leg.gap_m == pytest.approx(20_000, rel=0.01)
    assert leg.distance_m == pytest.approx(20_000 + 2 * 25 * 600, rel=0.02)


def test_a_drive_seen_only_at_both_ends_of_a_night_is_no_trip_across_it(journey):
    timeline = segment(
        journey()
        .stay(minutes=30)
        .silent(minutes=12 * 60, distance_m=400_000)
        .stay(minutes=30)
        .fixes
    )
    assert timeline.trips == ()
    assert len(timeline.staypoints) == 2


def test_two_points_a_week_apart_make_no_trip(journey):
    far = journey().fix().silent(minutes=7 * 24 * 60, distance_m=800_000).fix()
    near = journey().fix().silent(minutes=7 * 24 * 60, distance_m=1_000).fix()
    assert segment(far.fixes).trips == ()
    assert segment(near.fixes).trips == ()


def test_a_flight_with_the_phone_off_is_a_trip(journey):
    timeline = segment(
        journey()
        .stay(minutes=60)
        .silent(minutes=8 * 60, distance_m=6_000_000)
        .stay(minutes=60)
        .fixes
    )
    (trip,) = timeline.trips
    assert trip.triplegs[0].mode.mode is TransportMode.PLANE
    assert trip.triplegs[0].gap_m == pytest.approx(trip.distance_m)


def test_a_tgv_keeps_its_distance_and_its_name(journey):
    timeline = segment(
        journey(every_s=5.0).stay(minutes=40).go(speed_mps=83.3, minutes=60).stay(minutes=40).fixes
    )
    (trip,) = timeline.trips
    assert trip.distance_m == pytest.approx(300_000, rel=0.02)
    assert trip.triplegs[0].mode.mode is TransportMode.TRAIN_TGV


def test_a_trip_across_the_date_line_is_as_long_as_anywhere(journey):
    timeline = segment(
        journey(lon=179.9, lat=-17.0)
        .stay(minutes=40)
        .go(speed_mps=20, minutes=20)
        .stay(minutes=40)
        .fixes
    )
    (trip,) = timeline.trips
    assert trip.distance_m == pytest.approx(24_000, rel=0.02)
    assert timeline.staypoints[1].lon == pytest.approx(-179.874, abs=0.01)


def test_a_phone_lying_still_for_a_day_makes_no_trip(journey):
    timeline = segment(journey(jitter_m=35.0, accuracy_m=65.0).stay(minutes=24 * 60).fixes)
    assert timeline.trips == ()
    assert len(timeline.staypoints) == 1


def test_a_teleport_while_lying_still_makes_no_trip(journey):
    night = journey().stay(minutes=600)
    fixes = list(night.fixes)
    fixes[1000] = replace(fixes[1000], lat=fixes[1000].lat + 0.1)
    timeline = segment(fixes)
    assert timeline.trips == ()
    assert timeline.fixes_set_aside == 1


def test_the_distance_of_a_leg_is_the_length_of_its_track(journey):
    timeline = segment(
        journey().stay(minutes=40).go(speed_mps=12, minutes=15).stay(minutes=40).fixes
    )
    (leg,) = timeline.trips[0].triplegs
    steps = zip(leg.track[:-1], leg.track[1:], strict=True)
    assert leg.distance_m == pytest.approx(sum(haversine_m(a, b) for a, b in steps), rel=1e-6)


def round_the_block(trace):
    """An hour at home, once round a square of 130 m on foot, an hour at home."""
    trace.stay(minutes=60)
    for bearing_deg in (90, 0, 270, 180):
        trace.go(speed_mps=1.0, minutes=130 / 60, bearing_deg=bearing_deg)
    return trace.stay(minutes=60)


def test_a_turn_round_the_block_is_read_as_jitter(journey):
    timeline = segment(round_the_block(journey()).fixes)
    assert timeline.trips == ()
    assert len(timeline.staypoints) == 1


def test_a_turn_round_the_block_that_was_recorded_on_purpose_is_a_trip(journey):
    timeline = segment(round_the_block(journey(source=SourceFormat.GPX)).fixes)
    assert len(timeline.trips) == 1


def test_a_wrong_position_that_passes_for_a_drive_does_not_move_the_centre_of_a_stay(journey):
    trace = journey(every_s=60.0).stay(minutes=20)
    home = trace.lon, trace.lat
    trace.silent(minutes=2, distance_m=6_000).silent(minutes=2, distance_m=-6_000)
    (stay,) = segment(trace.stay(minutes=35).fixes).staypoints
    assert haversine_m((stay.lon, stay.lat), home) < 5
    assert stay.radius_m < 10
