"""Read the mode model and evaluate it with numpy alone.

The model is gradient-boosted decision trees in one JSON file (`mode-trees.json`), so that a steward
can read it and loading it runs no code. `benchmarks/train_modes.py` writes it; this module trains
nothing. It answers with log-likelihoods up to a constant: the trees were trained on modes of equal
weight, so what they say has no prior in it (`personal_store.trips.priors` holds that).

Format 2. `modes`: the classes. `features`: the names of `features.FEATURES` that the trees were
trained on, in order. `cuts[f]`: increasing thresholds of feature f; a value's code is how many of
them are at or below it. `base[c]`: class c's score without any tree. `trees`: each `[class,
features, codes, lower, upper, values]`: node k sends a leg to `lower[k]` when its code of
`features[k]` is at most `codes[k]`, else to `upper[k]`; a negative number ~v ends at `values[v]`
ten-thousandths.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from carbon.modes import TransportMode
from personal_store.trips.features import FEATURES
from personal_store.trips.model import MODEL_FILE
from personal_store.trips.track import Floats

FORMAT: Final = 2
CHUNK_LEGS: Final = 512
"""Legs evaluated together: their paths through all trees fit in a core's cache."""

_Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeModel:
    """Trees as columns: one row per tree, padded to the largest; `depth` bounds every path."""

    modes: tuple[TransportMode, ...]
    cuts: tuple[Floats, ...]
    base: Floats
    owner: _Ints
    feature: _Ints
    code: _Ints
    lower: _Ints
    upper: _Ints
    value: Floats
    depth: int

    def log_likelihoods(self, measured: Floats) -> Floats:
        """Return log-likelihoods, shape (legs, modes), for features of shape (legs, features)."""
        codes = np.stack(
            [
                np.searchsorted(cuts, measured[:, column], side="right")
                for column, cuts in enumerate(self.cuts)
            ],
            axis=1,
        )
        scores = np.empty((len(measured), len(self.modes)))
        for start in range(0, len(measured), CHUNK_LEGS):
            part = slice(start, start + CHUNK_LEGS)
            scores[part] = self._scores(codes[part])
        return self.base + scores

    def _scores(self, codes: _Ints) -> Floats:
        """Follow every tree for every leg at once."""
        tree = np.arange(len(self.owner))
        leg = np.arange(len(codes))[:, None]
        at = np.zeros((len(codes), len(tree)), dtype=np.int64)
        for _ in range(self.depth):
            node = np.maximum(at, 0)
            goes_low = codes[leg, self.feature[tree, node]] <= self.code[tree, node]
            below = np.where(goes_low, self.lower[tree, node], self.upper[tree, node])
            at = np.where(at < 0, at, below)
        values = self.value[tree, ~at]
        return np.stack(
            [values[:, self.owner == k].sum(axis=1) for k in range(len(self.modes))], axis=1
        )


@cache
def load_model() -> ModeModel:
    """Return the shipped model; read once, when the first leg is judged and not before."""
    return model_of(json.loads(files(__package__).joinpath(MODEL_FILE).read_text("utf-8")))


def model_of(document: dict[str, Any]) -> ModeModel:
    """Return the model of a document in format 2.

    Raises:
        ValueError: another format, or trees made for other features than this program measures.

    """
    if document["format"] != FORMAT or tuple(document["features"]) != FEATURES:
        raise ValueError("expected a model of format 2 for these features: train it again")
    trees = document["trees"]
    return ModeModel(
        modes=tuple(TransportMode(name) for name in document["modes"]),
        cuts=tuple(np.array(cuts, dtype=np.float64) for cuts in document["cuts"]),
        base=np.array(document["base"], dtype=np.float64),
        owner=np.array([tree[0] for tree in trees], dtype=np.int64),
        feature=_column(trees, 1),
        code=_column(trees, 2),
        lower=_column(trees, 3),
        upper=_column(trees, 4),
        value=_column(trees, 5) / 10_000.0,
        depth=max(len(tree[1]) for tree in trees),
    )


def _column(trees: list[list[Any]], field: int) -> _Ints:
    """Return one field of all trees, a row each, padded with zeros."""
    widest = max(1, *(len(tree[field]) for tree in trees))
    padded = np.zeros((len(trees), widest), dtype=np.int64)
    for row, tree in enumerate(trees):
        padded[row, : len(tree[field])] = tree[field]
    return padded
