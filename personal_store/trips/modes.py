"""Say how likely each travel mode is for a leg, from how it moved and what the phone said.

Bayes' rule over three things: how often people travel in each mode (prior), how each mode moves
(log-normal cruising speeds), and the phone's activity labels. Motion separates walking, cycling
and motors; it cannot tell a car from a bus or a train, and the probabilities say so. It knows
no map, no timetable and no habit. Its constants are judgements that were adjusted a few times
against development data, never fitted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, hypot, log
from types import MappingProxyType
from typing import Final

import numpy as np

from carbon.modes import TransportMode
from personal_store.trips.activities import modes_of_label
from personal_store.trips.cleaning import IMPOSSIBLE_MPS, errors_m
from personal_store.trips.timeline import ModeProbability, ModeSource
from personal_store.trips.track import Floats, Track
from personal_store.trips.triplegs import PACE_WINDOW_S, STILL_BELOW_MPS, UNSEEN_MIN_S, Leg, Paces

NAMED_FROM: Final = 0.01
"""Probability; modes below it are not named, and their mass goes to UNKNOWN."""

DEFAULT_CONFIDENCE: Final = 0.75
"""Probability that a label without a confidence is right (our assumption: labels of phones are
often wrong, design, trips section 1, LocoKit)."""

KINDS_OF_LABEL: Final = 5
"""Kinds that labels tell apart: foot, cycle, road, rail, other. A wrong label is one of the four
others, and one believed no more than chance (1 in 5) says nothing (our assumption)."""

MOST_CONFIDENCE: Final = 0.95
"""Probability; no label is believed further, whatever its source claims (our assumption)."""

LEAST_SPEED_MPS: Final = 0.3
"""Metres per second; slower paces are jitter and are read as this."""

NOISE_SHARE: Final = 0.3
"""Share of the claimed error that two fixes a minute apart do not have in common (our judgement:
phones claim round upper bounds such as 65 m, and their errors drift slowly)."""

UNSEEN_SPREAD: Final = 0.4
"""Log units added (in squares) to a leg wholly unseen: its mean hides its cruising speed."""

FULL_SHAPE_STEPS: Final = 8
"""Steps from which the shape of a leg's speeds (median to cruising) counts in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How common a mode is and how it moves.

    `share` is the prior probability. `cruise_mps` is the median over legs of the speed exceeded
    5 % of the time, `spread` its standard deviation in log units. `steadiness` is the median
    speed while moving as a share of that cruising speed.
    """

    share: float
    cruise_mps: float
    spread: float
    steadiness: float


# Shares. SDES, Enquete mobilite des personnes 2019, local trips on weekdays: car 62.8 %, walk
# 23.7 %, public transport 9.1 %, bicycle 2.7 %, other 1.7 %. Three steps of our own turn trips
# into legs: (1) every ridden trip also has one walk leg; (2) between road and public transport,
# half the weight is the survey's and half an even split, because residents differ far more from
# each other than the average shows, and one resident's legs are mostly alike; (3) the splits
# inside public transport, bicycles and other are assumed.
# Speeds: legal and technical limits (e-bikes and e-scooters stop helping at 25 km/h, mopeds at 45,
# roads 30 to 130, TGV 300 to 320), widened to what is usual in towns; our judgement, checked on
# the development data by benchmarks/trips_scorecard.py. 2026.
HABITS: Final[Mapping[TransportMode, Habit]] = MappingProxyType(
    {
        TransportMode.WALK: Habit(share=0.5645, cruise_mps=1.5, spread=0.25, steadiness=0.8),
        TransportMode.RUN: Habit(share=0.003, cruise_mps=3.3, spread=0.2, steadiness=0.85),
        TransportMode.BIKE: Habit(share=0.0115, cruise_mps=5.6, spread=0.25, steadiness=0.7),
        TransportMode.EBIKE: Habit(share=0.0025, cruise_mps=6.8, spread=0.2, steadiness=0.75),
        TransportMode.ESCOOTER: Habit(share=0.001, cruise_mps=6.0, spread=0.2, steadiness=0.75),
        TransportMode.MOPED: Habit(share=0.003, cruise_mps=11.5, spread=0.2, steadiness=0.65),
        TransportMode.MOTORBIKE: Habit(share=0.006, cruise_mps=18.0, spread=0.45, steadiness=0.6),
        TransportMode.CAR: Habit(share=0.271, cruise_mps=16.0, spread=0.42, steadiness=0.6),
        TransportMode.BUS: Habit(share=0.051, cruise_mps=11.5, spread=0.35, steadiness=0.5),
        TransportMode.COACH: Habit(share=0.005, cruise_mps=24.0, spread=0.25, steadiness=0.7),
        TransportMode.TRAM: Habit(share=0.018, cruise_mps=10.5, spread=0.3, steadiness=0.5),
        TransportMode.METRO: Habit(share=0.024, cruise_mps=16.5, spread=0.3, steadiness=0.6),
        TransportMode.TRAIN: Habit(share=0.026, cruise_mps=32.0, spread=0.3, steadiness=0.6),
        TransportMode.TRAIN_TGV: Habit(share=0.0015, cruise_mps=78.0, spread=0.15, steadiness=0.8),
        TransportMode.PLANE: Habit(share=0.001, cruise_mps=220.0, spread=0.25, steadiness=0.9),
        TransportMode.FERRY: Habit(share=0.001, cruise_mps=7.0, spread=0.5, steadiness=0.85),
        # Anything at all: as wide as the range from a stroll to an airliner.
        TransportMode.UNKNOWN: Habit(share=0.01, cruise_mps=10.0, spread=1.5, steadiness=0.6),
    }
)

STEADINESS_SPREAD: Final = 0.3
"""Log units; standard deviation of steadiness within one mode (our judgement, as above)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """How a leg moved: what the likelihoods read.

    `cruise_mps` is the pace exceeded 5 % of the time, `usual_mps` the median pace while moving.
    `noise_mps` is the error of one pace that the fixes' claimed errors explain, `unseen_share`
    the share of time in gaps, `steps` the number of steps.
    """

    cruise_mps: float
    usual_mps: float
    noise_mps: float
    unseen_share: float
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """Modes, most probable first, summing to 1 with UNKNOWN, and what they rest on."""

    modes: tuple[ModeProbability, ...]
    source: ModeSource


def infer_modes(track: Track, steps: Paces, leg: Leg) -> Inference:
    """Return how likely each mode is for a leg whose steps are given."""
    return weigh(measure_motion(track, steps, leg), _label_likelihoods(track, leg))


def measure_motion(track: Track, steps: Paces, leg: Leg) -> Motion:
    """Return the speeds of a leg, weighted by time so that dense fixes do not count double."""
    pace_mps, step_s = steps.pace_mps, steps.step_s
    moving = pace_mps > STILL_BELOW_MPS
    usual_mps = _quantile(pace_mps[moving], step_s[moving], 0.5) if moving.any() else 0.0
    error_m = float(np.median(errors_m(track)[leg.first : leg.last + 1]))
    window_s = max(float(np.median(step_s)), PACE_WINDOW_S)
    return Motion(
        cruise_mps=_quantile(pace_mps, step_s, 0.95),
        usual_mps=usual_mps,
        noise_mps=NOISE_SHARE * 2**0.5 * error_m / window_s,
        unseen_share=float(step_s[step_s > UNSEEN_MIN_S].sum() / step_s.sum()),
        steps=len(step_s),
    )


def weigh(motion: Motion, labels: Mapping[TransportMode, float] | None = None) -> Inference:
    """Combine motion, shares and the likelihood of the phone's labels (None without labels)."""
    weights = {mode: habit.share * _density(motion, habit) for mode, habit in HABITS.items()}
    if motion.cruise_mps > IMPOSSIBLE_MPS:
        weights = {TransportMode.UNKNOWN: 1.0}
    if labels is not None:
        weights = {mode: weight * labels[mode] for mode, weight in weights.items()}
    total = sum(weights.values())
    named: dict[TransportMode, float] = {
        mode: weight / total
        for mode, weight in weights.items()
        if mode is not TransportMode.UNKNOWN and weight >= NAMED_FROM * total
    }
    named[TransportMode.UNKNOWN] = max(0.0, 1.0 - sum(named.values()))
    ranked = sorted(named.items(), key=lambda item: (-item[1], item[0]))
    return Inference(
        modes=tuple(ModeProbability(mode=mode, probability=share) for mode, share in ranked),
        source=ModeSource.MOTION if labels is None else ModeSource.SENSOR,
    )


def _density(motion: Motion, habit: Habit) -> float:
    """Return the likelihood of a leg's motion in a mode, up to a constant common to all modes."""
    cruise_mps = max(motion.cruise_mps, LEAST_SPEED_MPS)
    usual_mps = max(motion.usual_mps, LEAST_SPEED_MPS)
    # A wrong pace is a fast one: noise adds to a speed as the sides of a right angle do. It may
    # also be absent (claimed errors are upper bounds), so all between the two is as expected.
    noisy_mps = hypot(habit.cruise_mps, motion.noise_mps)
    expected_mps = min(max(cruise_mps, habit.cruise_mps), noisy_mps)
    noise = motion.noise_mps / expected_mps
    spread = hypot(habit.spread, noise, UNSEEN_SPREAD * motion.unseen_share)
    cruise = (log(cruise_mps / expected_mps) / spread) ** 2
    shape = (log(usual_mps / cruise_mps / habit.steadiness) / STEADINESS_SPREAD) ** 2
    shape_weight = min(1.0, (motion.steps - 1) / FULL_SHAPE_STEPS)
    return exp(-0.5 * (cruise + shape_weight * shape)) / spread


def _label_likelihoods(track: Track, leg: Leg) -> Mapping[TransportMode, float] | None:
    """Return how well each mode explains the labels of a leg's fixes, or None without any.

    All labels of a leg are read as one observation: a phone repeats its mistakes.
    """
    fixes = slice(leg.first, leg.last + 1)
    observed = [
        (modes_of_label(label), DEFAULT_CONFIDENCE if np.isnan(confidence) else float(confidence))
        for label, confidence in zip(track.activity[fixes], track.confidence[fixes], strict=True)
        if label is not None
    ]
    telling = [
        (modes, min(max(confidence, 1 / KINDS_OF_LABEL), MOST_CONFIDENCE))
        for modes, confidence in observed
        if modes
    ]
    if not telling:
        return None
    return {
        mode: sum(
            confidence if mode in modes else (1.0 - confidence) / (KINDS_OF_LABEL - 1)
            for modes, confidence in telling
        )
        / len(telling)
        for mode in HABITS
    }


def _quantile(values: Floats, weights: Floats, share: float) -> float:
    """Return the weighted quantile: the least value with `share` of the weight at or below it."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    index = int(np.searchsorted(reached, share * reached[-1]))
    return float(values[order[min(index, len(values) - 1)]])
