from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from personal_store.trips.cleaning import Verdict, clean
from personal_store.trips.timeline import SetAside
from personal_store.trips.track import Positions, positions_of, sphere_points


def cleaned(fixes):
    return clean(positions_of(fixes))


def set_aside(fixes):
    """Return the verdicts of the fixes that are not kept."""
    verdicts = cleaned(fixes).verdicts
    return [Verdict(code) for code in verdicts[verdicts != Verdict.KEPT].tolist()]


def test_a_spike_is_set_aside(journey):
    walk = journey().go(speed_mps=1.4, minutes=10)
    spike = replace(walk.fixes[30], lon=walk.fixes[30].lon + 0.5)
    fixes = [*walk.fixes[:30], spike, *walk.fixes[31:]]
    assert set_aside(fixes) == [Verdict.SPIKE]


def test_a_teleport_of_several_fixes_is_set_aside_whole(journey):
    walk = journey().go(speed_mps=1.4, minutes=10)
    fixes = [
        replace(fix, lat=fix.lat + 0.3) if 20 <= index < 25 else fix
        for index, fix in enumerate(walk.fixes)
    ]
    assert set_aside(fixes) == [Verdict.TELEPORT] * 5


def test_a_teleport_inside_a_teleport_is_set_aside_with_it(journey):
    walk = journey().go(speed_mps=1.4, minutes=10)
    fixes = [
        replace(fix, lat=fix.lat + (2.0 if index == 22 else 0.3)) if 20 <= index < 25 else fix
        for index, fix in enumerate(walk.fixes)
    ]
    assert len(set_aside(fixes)) == 5


def test_a_stale_first_position_is_set_aside(journey):
    walk = journey().go(speed_mps=1.4, minutes=10)
    fixes = [replace(walk.fixes[0], lat=walk.fixes[0].lat + 2), *walk.fixes[1:]]
    assert set_aside(fixes) == [Verdict.TELEPORT]


def test_a_tgv_at_320_km_h_with_tunnels_of_four_minutes_survives(journey):
    train = journey(every_s=5.0)
    for _ in range(4):
        train.go(speed_mps=88.9, minutes=8).silent(minutes=4, distance_m=88.9 * 240)
    assert set_aside(train.go(speed_mps=88.9, minutes=8).fixes) == []


def test_a_metro_seen_only_at_its_stations_survives(journey):
    metro = journey()
    for _ in range(8):
        metro.go(speed_mps=0.3, minutes=0.5).silent(minutes=2, distance_m=1100)
    assert set_aside(metro.go(speed_mps=1.3, minutes=5).fixes) == []


def test_a_plane_logged_every_minute_survives(journey):
    plane = journey(every_s=60.0).go(speed_mps=250.0, minutes=120)
    assert set_aside(plane.fixes) == []


def test_a_plane_silent_for_two_hours_survives(journey):
    flight = journey(every_s=30.0).stay(minutes=60).go(speed_mps=80.0, minutes=2)
    flight.silent(minutes=120, distance_m=1_600_000).go(speed_mps=70.0, minutes=2)
    assert set_aside(flight.stay(minutes=60).fixes) == []


def test_a_return_flight_with_the_phone_off_survives(journey):
    away = journey().stay(minutes=30).silent(minutes=600, distance_m=6_000_000)
    back = away.stay(minutes=600).silent(minutes=600, distance_m=-6_000_000).stay(minutes=30)
    assert set_aside(back.fixes) == []


def test_low_accuracy_is_set_aside_and_unknown_accuracy_kept(journey):
    walk = journey().go(speed_mps=1.4, minutes=5)
    vague = [replace(fix, accuracy_m=2000.0) for fix in walk.fixes[:3]]
    unknown = [replace(fix, accuracy_m=None) for fix in walk.fixes[3:]]
    assert set_aside([*vague, *unknown]) == [Verdict.LOW_ACCURACY] * 3


def test_of_two_fixes_at_one_time_the_more_accurate_stays(journey):
    walk = journey().go(speed_mps=1.4, minutes=1)
    worse = replace(walk.fixes[2], accuracy_m=60.0, lat=walk.fixes[2].lat + 0.001)
    fixes = [worse, *walk.fixes]
    assert set_aside(fixes) == [Verdict.SAME_TIME]
    assert cleaned(fixes).track.lat[2] == walk.fixes[2].lat


def test_a_clock_that_stands_while_the_device_drives_is_told_from_a_repeat(journey):
    drive = journey().go(speed_mps=20, minutes=5)
    frozen = [replace(fix, at=drive.fixes[10].at) for fix in drive.fixes[10:14]]
    fixes = [*drive.fixes[:10], *frozen, *drive.fixes[14:]]
    assert set_aside(fixes) == [Verdict.STUCK_CLOCK] * 3


def test_fixes_are_put_in_time_order(journey):
    walk = journey().go(speed_mps=1.4, minutes=5)
    times = cleaned(walk.fixes[::-1]).track.time_s.tolist()
    assert times == [fix.at.timestamp() for fix in walk.fixes]


def test_nothing_is_deleted_and_every_fix_has_a_verdict(journey):
    walk = journey().go(speed_mps=1.4, minutes=10)
    fixes = [*walk.fixes, replace(walk.fixes[5], accuracy_m=900.0), walk.fixes[7]]
    judged = cleaned(fixes)
    assert judged.times_s.tolist() == sorted(fix.at.timestamp() for fix in fixes)
    assert len(judged.verdicts) == len(fixes)


@pytest.mark.parametrize("verdict", set(Verdict) - {Verdict.KEPT})
def test_every_verdict_has_a_reason_in_words(verdict):
    assert verdict.reason is SetAside[verdict.name]


def test_cleaning_a_clean_track_changes_nothing(journey):
    walk = journey().go(speed_mps=1.4, minutes=10)
    spikes = {10, 11, 30, 31, 45}
    fixes = [
        replace(fix, lat=fix.lat + 0.2, at=fix.at + timedelta(seconds=1))
        if index in spikes
        else fix
        for index, fix in enumerate(walk.fixes)
    ]
    once = cleaned(fixes).track
    kept = [fix for fix in fixes if fix.at.timestamp() in set(once.time_s.tolist())]
    assert np.array_equal(cleaned(kept).track.time_s, once.time_s)
    assert len(once) == len(fixes) - len(spikes)


def test_points_are_laid_out_where_the_exact_formula_puts_them():
    random = np.random.default_rng(7)
    lon = np.append(random.uniform(-180, 180, 3000), [-180.0, 180.0, 0.0, 0.0, 0.028, -0.028])
    lat = np.append(random.uniform(-90, 90, 3000), [0.0, 0.0, 90.0, -90.0, 0.028, -0.028])
    size = len(lon)
    positions = Positions(
        time_s=np.arange(size) * 1e6,
        lon=lon,
        lat=lat,
        accuracy_m=np.full(size, np.nan),
        recorded=np.zeros(size, dtype=np.bool_),
        activity=None,
        confidence=None,
    )
    assert np.abs(clean(positions).track.xyz_m - sphere_points(lon, lat)).max() < 1e-8
