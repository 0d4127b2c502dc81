from dataclasses import replace
from datetime import timedelta

from personal_store.trips.cleaning import SetAside, clean


def test_a_teleport_is_set_aside_and_counted(journey):
    walk = journey().go(speed_mps=1.4, minutes=10)
    spike = replace(walk.fixes[30], lon=walk.fixes[30].lon + 0.5)
    fixes = [*walk.fixes[:30], spike, *walk.fixes[31:]]
    cleaned = clean(fixes)
    assert cleaned.set_aside[SetAside.TELEPORT] == 1
    assert len(cleaned.track) == len(fixes) - 1


def test_a_teleport_of_several_fixes_is_set_aside_whole(journey):
    walk = journey().go(speed_mps=1.4, minutes=10)
    fixes = [
        replace(fix, lat=fix.lat + 0.3) if 20 <= index < 25 else fix
        for index, fix in enumerate(walk.fixes)
    ]
    assert clean(fixes).set_aside[SetAside.TELEPORT] == 5


def test_a_stale_first_position_is_set_aside(journey):
    walk = journey().go(speed_mps=1.4, minutes=10)
    fixes = [replace(walk.fixes[0], lat=walk.fixes[0].lat + 2), *walk.fixes[1:]]
    assert clean(fixes).set_aside[SetAside.TELEPORT] == 1


def test_a_tgv_at_300_km_h_survives(journey):
    train = journey(every_s=5.0).go(speed_mps=83.3, minutes=30)
    assert sum(clean(train.fixes).set_aside.values()) == 0


def test_a_plane_logged_every_minute_survives(journey):
    plane = journey(every_s=60.0).go(speed_mps=250.0, minutes=120)
    assert sum(clean(plane.fixes).set_aside.values()) == 0


def test_a_return_flight_with_the_phone_off_survives(journey):
    away = journey().stay(minutes=30).silent(minutes=600, distance_m=6_000_000)
    back = away.stay(minutes=600).silent(minutes=600, distance_m=-6_000_000).stay(minutes=30)
    assert sum(clean(back.fixes).set_aside.values()) == 0


def test_low_accuracy_is_set_aside_and_unknown_accuracy_kept(journey):
    walk = journey().go(speed_mps=1.4, minutes=5)
    vague = [replace(fix, accuracy_m=2000.0) for fix in walk.fixes[:3]]
    unknown = [replace(fix, accuracy_m=None) for fix in walk.fixes[3:]]
    cleaned = clean([*vague, *unknown])
    assert cleaned.set_aside[SetAside.LOW_ACCURACY] == 3
    assert len(cleaned.track) == len(unknown)


def test_of_two_fixes_at_one_time_the_more_accurate_stays(journey):
    walk = journey().go(speed_mps=1.4, minutes=1)
    worse = replace(walk.fixes[2], accuracy_m=60.0, lat=walk.fixes[2].lat + 0.001)
    cleaned = clean([worse, *walk.fixes])
    assert cleaned.set_aside[SetAside.SAME_TIME] == 1
    assert cleaned.track.lat[2] == walk.fixes[2].lat


def test_fixes_are_put_in_time_order(journey):
    walk = journey().go(speed_mps=1.4, minutes=5)
    times = clean(walk.fixes[::-1]).track.time_s.tolist()
    assert times == [fix.at.timestamp() for fix in walk.fixes]


def test_cleaning_a_clean_track_changes_nothing(journey):
    walk = journey().go(speed_mps=1.4, minutes=10)
    spikes = {10, 11, 30, 31, 45}
    fixes = [
        replace(fix, lat=fix.lat + 0.2, at=fix.at + timedelta(seconds=1))
        if index in spikes
        else fix
        for index, fix in enumerate(walk.fixes)
    ]
    once = clean(fixes)
    kept = set(once.track.time_s.tolist())
    again = clean([fix for fix in fixes if fix.at.timestamp() in kept])
    assert again.track.time_s.tolist() == once.track.time_s.tolist()
    assert len(once.track) == len(fixes) - len(spikes)
