"""Every word that the store may ingest has a meaning, and no meaning is a silent zero."""

import json
import re

import pytest

from carbon.errors import UnknownId
from carbon.modes import TransportMode
from carbon.vocabularies import Vocabulary, candidate_modes, candidates_of_all, labels_of

EVERY_LABEL = [(vocabulary, label) for vocabulary in Vocabulary for label in labels_of(vocabulary)]


@pytest.mark.parametrize(("vocabulary", "label"), EVERY_LABEL)
def test_every_label_has_candidates_in_the_order_of_the_enumeration(vocabulary, label):
    candidates = candidate_modes(vocabulary, label)
    assert candidates == tuple(mode for mode in TransportMode if mode in candidates) != ()


@pytest.mark.parametrize(("vocabulary", "label"), EVERY_LABEL)
def test_unknown_never_stands_beside_a_mode(vocabulary, label):
    candidates = candidate_modes(vocabulary, label)
    assert TransportMode.UNKNOWN not in candidates or len(candidates) == 1


@pytest.mark.parametrize(
    ("vocabulary", "label", "expected"),
    [
        ("google", "WALKING", {"walk"}),
        ("google", "IN_PASSENGER_VEHICLE", {"car", "car_diesel", "taxi"}),
        ("google", "in bus", {"bus", "coach"}),
        ("google", "IN_TRAIN", {"train", "train_ter", "train_tgv"}),
        ("google", "FLYING", {"plane"}),
        ("google", "STILL", {"unknown"}),
        ("google", "IN_FUNICULAR", {"unknown"}),
        ("owntracks", "automotive", {"car", "bus", "train", "ferry"}),
        ("owntracks", "cycling", {"bike", "ebike"}),
        ("overland", "driving", {"car", "train"}),
        ("overland", "scooter", {"escooter", "moped"}),
        ("overland", "boat", {"ferry"}),
        ("e-mission", "MotionTypes.IN_VEHICLE", {"car", "bus", "train"}),
        ("e-mission", "PredictedModeTypes.AIR_OR_HSR", {"plane", "train_tgv"}),
        ("e-mission", "STOPPED_WHILE_IN_VEHICLE", {"unknown"}),
        ("cozy", "CARPOOL_ELECTRIC", {"car_electric"}),
        ("cozy", "MOTO_SUP_250", {"motorbike"}),
        ("cozy", "SCOOTER_ELECTRIC", {"escooter"}),
        ("cozy", "UNKNOWN", {"unknown"}),
        ("carpool", "passenger", {"car", "car_electric"}),
    ],
)
def test_a_label_allows_what_it_says(vocabulary, label, expected):
    allowed = set(candidate_modes(Vocabulary(vocabulary), label))
    assert {TransportMode(mode) for mode in expected} <= allowed


@pytest.mark.parametrize(
    ("vocabulary", "label", "excluded"),
    [
        ("google", "IN_VEHICLE", {"walk", "bike", "unknown"}),
        ("google", "IN_ROAD_VEHICLE", {"train", "plane"}),
        ("google", "IN_CAR", {"bus"}),
        ("overland", "car", {"taxi"}),
        ("carpool", "driver", {"taxi", "bus"}),
        ("cozy", "BICYCLING", {"ebike"}),
    ],
)
def test_a_label_excludes_what_it_denies(vocabulary, label, excluded):
    allowed = set(candidate_modes(Vocabulary(vocabulary), label))
    assert not {TransportMode(mode) for mode in excluded} & allowed


@pytest.mark.parametrize("vocabulary", Vocabulary)
def test_a_label_that_nobody_published_is_refused_by_field(vocabulary):
    with pytest.raises(UnknownId, match="'hovercraft'") as caught:
        candidate_modes(vocabulary, "hovercraft")
    assert caught.value.field == "label"


def test_what_says_nothing_drops_out_beside_what_does():
    driving = candidate_modes(Vocabulary.OVERLAND, "driving")
    assert candidates_of_all(Vocabulary.OVERLAND, ["driving", "stationary"]) == driving


@pytest.mark.parametrize("labels", [[], ["stationary"]])
def test_nothing_said_is_unknown_and_not_zero(labels):
    assert candidates_of_all(Vocabulary.OWNTRACKS, labels) == (TransportMode.UNKNOWN,)


def test_the_labels_of_published_google_histories_are_known(reference):
    """The oracle is other people's sample files, not our own list."""
    seen = set()
    for path in (reference / "fixtures" / "dawarich" / "google").rglob("*.json"):
        text = path.read_text(encoding="utf-8-sig")
        seen |= set(re.findall(r'"activityType"\s*:\s*"([A-Z_]+)"', text))
        seen |= set(re.findall(r'"type"\s*:\s*"([A-Z]+_[A-Z_]+|STILL|WALKING|RUNNING)"', text))
    assert seen - {"activity_start", "place_visit"}
    assert all(candidate_modes(Vocabulary.GOOGLE, label) for label in seen)


def test_the_labels_of_the_overland_samples_are_known(reference):
    motions = set()
    for path in (reference / "fixtures" / "dawarich" / "overland").rglob("*.json"):
        batch = json.loads(path.read_text(encoding="utf-8"))
        for each in batch.get("locations", []):
            motions |= set(each["properties"].get("motion") or [])
    assert all(candidate_modes(Vocabulary.OVERLAND, motion) for motion in motions if motion)
