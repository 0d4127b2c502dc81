"""The shipped model: what its card says, its format, and that it can be made again."""

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from carbon.modes import TransportMode
from personal_store.trips.features import FEATURES
from personal_store.trips.model.boosting import load_model, model_of
from personal_store.trips.priors import log_prior
from personal_store.trips.usage import ALIKE, USAGE

FOLDER = "personal_store/trips/model"


def test_the_card_names_the_bytes_that_are_shipped(repository):
    shipped = (repository / FOLDER / "mode-trees.json").read_bytes()
    card = (repository / FOLDER / "CARD.md").read_text("utf-8")
    assert hashlib.sha256(shipped).hexdigest() in card
    assert len(shipped) < 300_000


@pytest.mark.slow
def test_training_again_gives_the_same_bytes(repository, reference):
    result = subprocess.run(
        [sys.executable, "benchmarks/train_modes.py", "--check", "--reference", str(reference)],
        cwd=repository,
        env=os.environ | {"PYTHONPATH": str(repository)},
        check=False,
    )
    assert result.returncode == 0


def test_every_mode_of_the_model_has_a_prior():
    model = load_model()
    assert set(model.modes) == set(USAGE)
    assert {TransportMode.CAR, TransportMode.BUS, TransportMode.FERRY} <= set(model.modes)


def document():
    """One feature counts, one tree: above a cut of 2 the first mode gains 1.5, else 0.25."""
    cuts = [[2.0]] + [[] for _ in FEATURES[1:]]
    return {
        "format": 2,
        "modes": ["walk", "car"],
        "features": list(FEATURES),
        "cuts": cuts,
        "base": [0.0, -1.0],
        "trees": [[0, [0], [0], [-1], [-2], [2500, 15000]]],
    }


@pytest.mark.parametrize(("value", "walk"), [(1.9, 0.25), (2.0, 1.5), (3.0, 1.5)])
def test_a_tree_sends_a_leg_by_its_code(value, walk):
    leg = np.zeros((1, len(FEATURES)))
    leg[0, 0] = value
    assert model_of(document()).log_likelihoods(leg).tolist() == [[walk, -1.0]]


def test_a_model_made_for_other_features_is_refused():
    with pytest.raises(ValueError, match="train it again"):
        model_of(document() | {"features": ["speed"]})


def test_the_model_file_holds_numbers_and_names_only(repository):
    held = json.loads((repository / FOLDER / "mode-trees.json").read_text("utf-8"))
    assert {type(value) for tree in held["trees"] for value in tree} == {int, list}


def test_long_legs_are_rather_driven_than_walked():
    walk, car = log_prior((TransportMode.WALK, TransportMode.CAR), np.array([300.0, 20_000.0])).T
    assert walk[0] > car[0]
    assert walk[1] < car[1]


def test_modes_that_move_alike_share_their_probability_out():
    for shares in ALIKE.values():
        assert sum(shares.values()) == pytest.approx(1)
