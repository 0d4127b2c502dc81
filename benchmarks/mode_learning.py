"""Learn the mode model from labelled and synthetic legs: what `train_modes.py` and the scorecard
share.

Legs are thinned to a fix every 5 to 120 s and cropped, several times each, because phones that save
their battery see a leg so. Modes weigh the same in training whatever their number of legs: how
common a mode is belongs to the prior. Trees learn from codes (ranks among rounded thresholds), so
that the file is the same on any machine that rounds alike. Deterministic: one seed, one thread of
draws.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mode_synthetic
import numpy as np
from mode_traces import LabelledLeg
from numpy.typing import NDArray

from personal_store.trips.features import FEATURES, LegSpans, measure_legs
from personal_store.trips.model.boosting import FORMAT
from personal_store.trips.track import Floats, distances_m

SEED = 20261122
SEEDS = (SEED, SEED + 1, SEED + 2)
"""Three models that differ in the features that each split may see; their scores are averaged."""
SYNTHETIC_LEGS = 500
VIEWS, SYNTHETIC_VIEWS = 4, 2
REAL_WEIGHT = 2.0
ENOUGH_LEGS = 20
CUTS = 40
ROUNDS, LEAVES, RATE = 60, 5, 0.1
MODES = tuple(mode_synthetic.VEHICLES)

Trace = tuple[Floats, Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Measured legs: features, mode, data set, and each leg's number (its views share it)."""

    features: Floats
    mode: NDArray[np.str_]
    data_set: NDArray[np.str_]
    leg: NDArray[np.int64]

    def where(self, chosen: NDArray[np.bool_]) -> "Examples":
        """Return the chosen rows."""
        return Examples(
            features=self.features[chosen],
            mode=self.mode[chosen],
            data_set=self.data_set[chosen],
            leg=self.leg[chosen],
        )


def examples(legs: Sequence[LabelledLeg], *, synthetic_legs: int = SYNTHETIC_LEGS) -> Examples:
    """Return labelled and synthetic legs, each seen as it is and thinned or cropped."""
    rng = np.random.default_rng(SEED)
    traces: list[Trace] = []
    rows: list[tuple[str, str, int]] = []
    for number, leg in enumerate(legs):
        for view in views((leg.time_s, leg.xyz_m), rng, VIEWS):
            traces.append(view)
            rows.append((leg.mode, leg.data_set, number))
    for mode in MODES:
        for _ in range(synthetic_legs):
            number = rows[-1][2] + 1
            for view in views(mode_synthetic.drive(mode, rng), rng, SYNTHETIC_VIEWS):
                traces.append(view)
                rows.append((mode, "synthetic", number))
    return Examples(
        features=measured(traces),
        mode=np.array([row[0] for row in rows]),
        data_set=np.array([row[1] for row in rows]),
        leg=np.array([row[2] for row in rows]),
    )


def views(trace: Trace, rng: np.random.Generator, count: int) -> list[Trace]:
    """Return a trace as it is, then `count` times thinned, cropped or both."""
    seen = [trace]
    for _ in range(count):
        part = _cropped(trace, rng) if rng.random() < 0.5 else trace
        seen.append(_thinned(part, rng) if rng.random() < 0.8 else part)
    return seen


def measured(traces: Sequence[Trace]) -> Floats:
    """Return the features of each trace."""
    counts = np.array([len(time_s) for time_s, _ in traces])
    last = np.cumsum(counts) - 1
    shifted, begins_s = [], 0.0
    for time_s, _ in traces:
        shifted.append(time_s - time_s[0] + begins_s)
        begins_s = float(shifted[-1][-1]) + 10.0
    return measure_legs(
        np.concatenate(shifted),
        np.concatenate([xyz_m for _, xyz_m in traces]),
        LegSpans(first=last - counts + 1, last=last),
    )


def _thinned(trace: Trace, rng: np.random.Generator) -> Trace:
    time_s, xyz_m = trace
    every_s = float(np.exp(rng.uniform(np.log(5.0), np.log(120.0))))
    beat = np.floor((time_s - time_s[0] + rng.uniform(0, every_s)) / every_s)
    kept = np.diff(beat, prepend=-1.0) > 0
    kept[0] = True
    return (time_s[kept], xyz_m[kept]) if kept.sum() >= 2 else trace


def _cropped(trace: Trace, rng: np.random.Generator) -> Trace:
    time_s, xyz_m = trace
    duration_s = float(time_s[-1] - time_s[0])
    if duration_s < 180.0:
        return trace
    width_s = rng.uniform(120.0, min(duration_s, 900.0))
    begin_s = time_s[0] + rng.uniform(0.0, duration_s - width_s)
    kept = (time_s >= begin_s) & (time_s <= begin_s + width_s)
    return (time_s[kept], xyz_m[kept]) if kept.sum() >= 2 else trace


def learn(known: Examples) -> dict[str, Any]:
    """Return a model document (format 2) learned from the examples: the mean over `SEEDS`."""
    cuts = [_cuts(known.features[:, column]) for column in range(len(FEATURES))]
    codes = _codes(known.features, cuts)
    classes = np.array([MODES.index(mode) for mode in known.mode])
    grown = [_grown(codes, classes, _weights(known), seed) for seed in SEEDS]
    return {
        "format": FORMAT,
        "modes": list(MODES),
        "features": list(FEATURES),
        "cuts": cuts,
        "base": [
            round(float(value), 4)
            for value in np.ravel(grown[0]._baseline_prediction)  # noqa: SLF001
        ],
        "trees": [
            _tree(owner, predictor.nodes)
            for trees in grown
            for round_ in trees._predictors  # noqa: SLF001
            for owner, predictor in enumerate(round_)
        ],
    }


def _grown(codes: Floats, classes: NDArray[np.int64], weights: Floats, seed: int) -> Any:
    # Imported here: only training needs it, and it is no dependency of the program.
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415

    return HistGradientBoostingClassifier(
        max_iter=ROUNDS,
        learning_rate=RATE,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=30,
        l2_regularization=5.0,
        max_features=0.3,
        max_bins=CUTS + 5,
        early_stopping=False,
        random_state=seed,
    ).fit(codes, classes, sample_weight=weights)


def _cuts(values: Floats) -> list[float]:
    """Return thresholds at equal shares of the examples, rounded so that they are the same
    anywhere.
    """
    wanted = np.quantile(values, np.linspace(0, 1, CUTS + 2)[1:-1])
    return sorted({float(f"{value:.3g}") for value in wanted})


def _codes(features: Floats, cuts: Sequence[Sequence[float]]) -> Floats:
    columns = [
        np.searchsorted(np.array(each), features[:, column], side="right")
        for column, each in enumerate(cuts)
    ]
    return np.stack(columns, axis=1).astype(np.float64)


def _weights(known: Examples) -> Floats:
    """Return weights that make modes equal, and data sets within a mode by how many legs they have.

    A data set's real legs of a mode weigh up to `REAL_WEIGHT` times the synthetic ones, in full
    from `ENOUGH_LEGS` legs on: five bus rides of one person are not a picture of buses.
    """
    weights = np.zeros(len(known.mode))
    for mode in MODES:
        of_mode = known.mode == mode
        for data_set in sorted(set(known.data_set[of_mode])):
            rows = of_mode & (known.data_set == data_set)
            trust = min(len(set(known.leg[rows].tolist())), ENOUGH_LEGS) / ENOUGH_LEGS
            whole = 1.0 if data_set == "synthetic" else REAL_WEIGHT * trust
            weights[rows] = whole / rows.sum()
        weights[of_mode] /= weights[of_mode].sum()
    return weights * len(weights) / weights.sum()


def _tree(owner: int, nodes: Any) -> list[Any]:
    """Return one tree in the model's format, from scikit-learn's table of nodes."""
    inner = [k for k in range(len(nodes)) if not nodes[k]["is_leaf"]]
    leaves = [k for k in range(len(nodes)) if nodes[k]["is_leaf"]]
    if not inner:
        return [owner, [0], [0], [~0], [~0], [_share(nodes[0]["value"])]]
    number = {k: n for n, k in enumerate(inner)} | {k: ~n for n, k in enumerate(leaves)}
    return [
        owner,
        [int(nodes[k]["feature_idx"]) for k in inner],
        [int(np.floor(nodes[k]["num_threshold"])) for k in inner],
        [number[int(nodes[k]["left"])] for k in inner],
        [number[int(nodes[k]["right"])] for k in inner],
        [_share(nodes[k]["value"]) for k in leaves],
    ]


def _share(value: float) -> int:
    """Return what a leaf adds to the mean over `SEEDS`, in ten-thousandths."""
    return round(10_000 * float(value) / len(SEEDS))


def lengths_m(legs: Sequence[LabelledLeg]) -> Floats:
    """Return the length of each leg, in metres, along its fixes a minute apart."""
    found = []
    for leg in legs:
        beat = np.floor((leg.time_s - leg.time_s[0]) / 60.0)
        kept = np.flatnonzero(np.diff(beat, prepend=-1.0) > 0)
        places_m = leg.xyz_m[np.append(kept, len(beat) - 1)]
        found.append(float(distances_m(places_m[1:], places_m[:-1]).sum()))
    return np.array(found)
