import numpy as np
import pytest

from carbon.modes import TransportMode
from personal_store.trips.cleaning import clean
from personal_store.trips.labels import label_likelihoods, modes_of_label
from personal_store.trips.track import positions_of

ASKED = (TransportMode.WALK, TransportMode.BUS, TransportMode.CAR)


@pytest.mark.parametrize("label", ["IN_RAIL_VEHICLE", "in rail vehicle", " In-Rail-Vehicle "])
def test_labels_are_read_whatever_their_spelling(label):
    allowed = modes_of_label(label)
    assert {TransportMode.TRAM, TransportMode.METRO, TransportMode.TRAIN} <= allowed
    assert TransportMode.CAR not in allowed


def test_several_labels_allow_what_each_allows():
    assert modes_of_label("walking,cycling") == modes_of_label("WALKING") | modes_of_label(
        "CYCLING"
    )


@pytest.mark.parametrize("label", ["STILL", "TILTING", "UNKNOWN", "stationary", "", "nonsense"])
def test_labels_without_a_mode_allow_none(label):
    assert modes_of_label(label) == frozenset()


@pytest.mark.parametrize("label", ["automotive", "driving", "IN_VEHICLE"])
def test_a_vehicle_of_unknown_kind_may_be_a_train(label):
    assert {TransportMode.TRAIN, TransportMode.CAR} <= modes_of_label(label)


def test_without_labels_nothing_is_said(journey):
    track = clean(positions_of(journey().go(speed_mps=5, minutes=2).fixes)).track
    assert label_likelihoods(track, 0, len(track) - 1, ASKED) is None


def test_a_label_counts_as_far_as_its_source_believes_it(journey):
    trace = journey(label="IN_BUS", confidence=0.9).go(speed_mps=5, minutes=2)
    said = label_likelihoods(clean(positions_of(trace.fixes)).track, 0, 11, ASKED)
    assert said[TransportMode.BUS] == pytest.approx(0.9)
    assert said[TransportMode.CAR] == said[TransportMode.WALK] == pytest.approx(0.025)


def test_no_label_is_believed_wholly(journey):
    trace = journey(label="WALKING", confidence=1.0).go(speed_mps=1.4, minutes=2)
    said = label_likelihoods(clean(positions_of(trace.fixes)).track, 0, 11, ASKED)
    assert said[TransportMode.BUS] > 0.01


def test_half_of_two_opposite_labels_is_believed(journey):
    trace = journey(label="WALKING", confidence=0.95).go(speed_mps=1.4, minutes=1)
    trace.label = "IN_CAR"
    trace.go(speed_mps=9, minutes=1)
    said = label_likelihoods(clean(positions_of(trace.fixes)).track, 0, 11, ASKED)
    assert said[TransportMode.WALK] == pytest.approx(said[TransportMode.CAR])
    assert np.isfinite(list(said.values())).all()
