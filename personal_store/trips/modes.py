"""Say how likely each travel mode is for each leg of a device, from all that is known of it.

Logarithms of odds are added: how the leg moved (`model`), how common each mode is at that length
(`priors`), which stops and lines it passed (`lines`), and what the phone's labels say (`labels`).
The answer is a mixture that sums to 1; where no mode reaches `timeline.SURE_FROM` the mode is not
stated, and the footprint uses the whole mixture all the same. It does not cut legs, and holds no
data of a place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from carbon.modes import TransportMode
from personal_store.trips.cleaning import IMPOSSIBLE_MPS
from personal_store.trips.features import LegSpans, measure_legs
from personal_store.trips.labels import label_likelihoods
from personal_store.trips.lines import WATER_WITHOUT_LINES, LineIndex
from personal_store.trips.model.boosting import ModeModel, load_model
from personal_store.trips.priors import log_prior
from personal_store.trips.timeline import ModeProbability, ModeSource
from personal_store.trips.track import Floats, Indices, Track, distances_m
from personal_store.trips.triplegs import Leg
from personal_store.trips.usage import ALIKE

NAMED_FROM: Final = 0.005
"""Probability; modes below it are not named, and their mass goes to UNKNOWN."""

UNPROVEN_FERRY_MOST: Final = 0.5
"""Probability of a ferry at most where no ferry line or pier is known near: a steady straight bike
moves like a boat, and nothing else tells water from land."""

UNKNOWN_SHARE: Final = 0.01
"""Probability that a leg was travelled in no mode of the list (a tractor, a canoe, a lift); EMP
2019 puts 1.7 % of trips under "other", the greater part of them motorcycles (see
`usage.ALIKE`)."""


DECIMALS: Final = 6
"""Decimals kept of a probability, so that a leg judged alone or among others is judged alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """Modes, most probable first, summing to 1 with UNKNOWN, and what they rest on."""

    modes: tuple[ModeProbability, ...]
    source: ModeSource


def infer_modes(
    track: Track, legs: Sequence[Leg], lines: LineIndex | None = None
) -> list[Inference]:
    """Return how likely each mode is for each leg, in the order given.

    `lines` are the stops and lines that the resident imported, None without any.
    """
    if not legs:
        return []
    model = load_model()
    spans = LegSpans(
        first=np.array([leg.first for leg in legs]), last=np.array([leg.last for leg in legs])
    )
    step_m = distances_m(track.xyz_m[1:], track.xyz_m[:-1])
    distance_m = np.add.reduceat(np.append(step_m, 0.0), _edges(spans))[::2]
    said = None
    if lines is not None:
        fixes = [slice(leg.first, leg.last + 1) for leg in legs]
        said = np.stack([lines.log_odds(model.modes, track.lon[f], track.lat[f]) for f in fixes])
    chances = mixtures(model, _measured(track, legs, spans), distance_m, said)
    impossible = distance_m > IMPOSSIBLE_MPS * np.array([leg.end_s - leg.start_s for leg in legs])
    return [
        _inference(
            {} if impossible[row] else dict(zip(model.modes, chances[row].tolist(), strict=True)),
            track,
            leg,
        )
        for row, leg in enumerate(legs)
    ]


def infer_mode(track: Track, leg: Leg, lines: LineIndex | None = None) -> Inference:
    """Return how likely each mode is for one leg; the rest of the track is not looked at."""
    alone = replace(leg, first=0, last=leg.last - leg.first)
    (inference,) = infer_modes(track.part(leg.first, leg.last), [alone], lines)
    return inference


def mixtures(model: ModeModel, measured: Floats, distance_m: Floats, said: Floats | None) -> Floats:
    """Return how likely each of the model's modes is, shape (legs, modes), before any label.

    `measured` are the features of the legs, `distance_m` their lengths, and `said` the log-odds
    that stops and lines add, None where none were imported.
    """
    scores = model.log_likelihoods(measured) + log_prior(model.modes, distance_m)
    ferry = model.modes.index(TransportMode.FERRY)
    if said is None:
        scores[:, ferry] += WATER_WITHOUT_LINES
    else:
        scores += said
    chances = _softmax(scores)
    known_water = False if said is None else said[:, ferry] > 0.0
    most = np.where(known_water, 1.0, UNPROVEN_FERRY_MOST)
    chances[:, ferry] = np.minimum(chances[:, ferry], most)
    return chances


def _edges(spans: LegSpans) -> Indices:
    """Return first and last of each leg, one after the other, as `reduceat` wants them."""
    return np.stack((spans.first, spans.last), axis=1).ravel()


def _measured(track: Track, legs: Sequence[Leg], spans: LegSpans) -> Floats:
    """Return the features of each leg from when it truly begins.

    A phone that slept on leaving has its last fix long before; that silence was no slow travel. The
    fix may also end the leg before, so such a leg is measured on a copy.
    """
    measured = measure_legs(track.time_s, track.xyz_m, spans)
    for row, leg in enumerate(legs):
        if leg.start_s > track.time_s[leg.first]:
            fixes = slice(leg.first, leg.last + 1)
            time_s = track.time_s[fixes].copy()
            time_s[0] = min(leg.start_s, time_s[1] - 1e-3)
            alone = LegSpans(first=np.array([0]), last=np.array([len(time_s) - 1]))
            measured[row] = measure_legs(time_s, track.xyz_m[fixes], alone)[0]
    return measured


def _softmax(scores: Floats) -> Floats:
    """Return probabilities, row by row, that sum to 1."""
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Floats = chances / chances.sum(axis=1, keepdims=True)
    return shares


def _inference(chances: Mapping[TransportMode, float], track: Track, leg: Leg) -> Inference:
    """Weigh in the labels that the phone gave on the way."""
    divided = tuple(mode for named in chances for mode in ALIKE.get(named, {named: 1.0}))
    labels = label_likelihoods(track, leg.first, leg.last, divided) if divided else None
    return Inference(
        modes=stated(chances, labels),
        source=ModeSource.MOTION if labels is None else ModeSource.SENSOR,
    )


def stated(
    chances: Mapping[TransportMode, float], labels: Mapping[TransportMode, float] | None = None
) -> tuple[ModeProbability, ...]:
    """Return the model's modes divided among those alike, UNKNOWN named, likeliest first.

    `labels` says how well each mode explains the phone's labels, None without any.
    """
    weights = {
        mode: chance * share
        for named, chance in chances.items()
        for mode, share in ALIKE.get(named, {named: 1.0}).items()
    }
    if labels is not None:
        weights = {mode: weight * labels[mode] for mode, weight in weights.items()}
    total = sum(weights.values())
    told = sum(chances.values()) if labels is None else 1.0
    shares = {
        mode: round((1.0 - UNKNOWN_SHARE) * told * weight / total, DECIMALS)
        for mode, weight in weights.items()
        if weight >= NAMED_FROM * total
    }
    shares[TransportMode.UNKNOWN] = max(0.0, round(1.0 - sum(shares.values()), DECIMALS))
    ranked = sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    return tuple(ModeProbability(mode=mode, probability=share) for mode, share in ranked)
