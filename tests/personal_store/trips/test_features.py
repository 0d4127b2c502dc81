"""Features of legs, against numbers worked out by hand on simple journeys."""

import numpy as np
import pytest

from personal_store.trips.cleaning import clean
from personal_store.trips.features import FEATURES, LegSpans, measure_legs
from personal_store.trips.track import positions_of


def measured(fixes):
    track = clean(positions_of(fixes)).track
    spans = LegSpans(first=np.array([0]), last=np.array([len(track) - 1]))
    row = measure_legs(track.time_s, track.xyz_m, spans)[0]
    return dict(zip(FEATURES, row.tolist(), strict=True))


@pytest.mark.parametrize("every_s", [1.0, 5.0, 10.0, 30.0, 60.0])
def test_a_steady_speed_is_measured_whatever_the_sampling(journey, every_s):
    seen = measured(journey(every_s=every_s, jitter_m=0.0).go(speed_mps=8.0, minutes=20).fixes)
    assert np.exp(seen["log_mean_mps"]) == pytest.approx(8.0, rel=0.01)
    assert np.exp(seen["log_pace_p50_mps"]) == pytest.approx(8.0, rel=0.06)
    assert seen["share_above_7_mps"] == pytest.approx(1.0)
    assert seen["share_above_11_mps"] == 0.0


def test_halts_are_counted_per_kilometre_with_their_length(journey):
    trace = journey(every_s=2.0, jitter_m=0.0)
    for _ in range(5):
        trace.go(speed_mps=10.0, minutes=2).go(speed_mps=0.0, minutes=1)
    seen = measured(trace.go(speed_mps=10.0, minutes=2).fixes)
    assert seen["halts_per_km"] == pytest.approx(5 / 7.2, rel=0.1)
    assert np.exp(seen["log_halt_s"]) == pytest.approx(50, rel=0.3)


def test_a_way_there_and_back_is_not_straight(journey):
    trace = journey(jitter_m=0.0).go(speed_mps=5.0, minutes=10, bearing_deg=0)
    there = measured(trace.fixes)["straightness"]
    back = measured(trace.go(speed_mps=5.0, minutes=10, bearing_deg=180).fixes)["straightness"]
    assert there > 0.97
    assert back < 0.05


def test_a_silence_is_told_by_its_share_of_the_time(journey):
    trace = journey().go(speed_mps=10.0, minutes=10).silent(minutes=10, distance_m=6000)
    seen = measured(trace.go(speed_mps=10.0, minutes=10).fixes)
    assert seen["unseen_share"] == pytest.approx(1 / 3, abs=0.02)


def test_a_leg_is_measured_alike_alone_and_among_a_thousand(journey):
    track = clean(positions_of(journey(every_s=5.0).go(speed_mps=6.0, minutes=200).fixes)).track
    first = np.arange(0, len(track) - 20, 2)
    many = measure_legs(track.time_s, track.xyz_m, LegSpans(first=first, last=first + 19))
    for row in (0, 7, len(first) - 1):
        span = LegSpans(first=first[[row]], last=first[[row]] + 19)
        alone = measure_legs(track.time_s, track.xyz_m, span)
        assert alone[0].tolist() == many[row].tolist()


def test_chunks_change_nothing(journey, monkeypatch):
    track = clean(positions_of(journey(every_s=5.0).go(speed_mps=6.0, minutes=60).fixes)).track
    spans = LegSpans(first=np.arange(0, 600, 30), last=np.arange(25, 625, 30))
    whole = measure_legs(track.time_s, track.xyz_m, spans)
    monkeypatch.setattr("personal_store.trips.features.CHUNK_STEPS", 40)
    assert measure_legs(track.time_s, track.xyz_m, spans).tolist() == whole.tolist()


def test_legs_without_a_step_are_refused():
    with pytest.raises(ValueError, match="two fixes"):
        LegSpans(first=np.array([3]), last=np.array([3]))
