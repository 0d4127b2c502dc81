"""How well each mode explains the activity labels that a phone gave while a leg was travelled.

What a word means is `carbon.vocabularies`' to say. A label is evidence, not truth: it is believed
as far as its source does, and never wholly.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy as np

from carbon.errors import UnknownId
from carbon.modes import TransportMode
from carbon.vocabularies import Vocabulary, candidate_modes
from personal_store.trips.track import Track

DEFAULT_CONFIDENCE: Final = 0.75
"""Probability that a label without a confidence is right (our assumption: labels of phones are
often wrong, design, trips section 1, LocoKit)."""

KINDS_OF_LABEL: Final = 5
"""Kinds that labels tell apart: foot, cycle, road, rail, other. A wrong label is one of the four
others, and one believed no more than chance (1 in 5) says nothing (our assumption)."""

MOST_CONFIDENCE: Final = 0.95
"""Probability; no label is believed further, whatever its source claims (our assumption)."""

_SPOKEN: Final = (
    Vocabulary.GOOGLE,
    Vocabulary.OWNTRACKS,
    Vocabulary.OVERLAND,
    Vocabulary.E_MISSION,
)
"""Vocabularies of labels beside positions, in the order in which a word is looked up; where two
know a word they agree on its kind."""


@lru_cache(maxsize=512)
def modes_of_label(label: str) -> frozenset[TransportMode]:
    """Return the modes that an activity label allows; none where it says nothing of a mode.

    Several labels separated by commas (OwnTracks' `motionactivities`) allow what each of them
    allows.
    """
    allowed = {mode for part in label.split(",") for mode in _candidates(part)}
    return frozenset(allowed - {TransportMode.UNKNOWN})


def _candidates(word: str) -> Sequence[TransportMode]:
    for vocabulary in _SPOKEN:
        try:
            return candidate_modes(vocabulary, word)
        except UnknownId:
            continue
    return ()


def label_likelihoods(
    track: Track, first: int, last: int, modes: Sequence[TransportMode]
) -> Mapping[TransportMode, float] | None:
    """Return how well each of `modes` explains the labels of the fixes `first` to `last`.

    None where no label says anything. All labels of a leg are read as one observation: a phone
    repeats its mistakes.
    """
    fixes = slice(first, last + 1)
    if track.activity is None or track.confidence is None:
        return None
    labels = track.activity[fixes]
    told = np.flatnonzero(labels != None)  # noqa: E711 -- element by element
    telling = []
    for index in told.tolist():
        allowed = modes_of_label(labels[index])
        if allowed:
            stated = float(track.confidence[fixes][index])
            confidence = DEFAULT_CONFIDENCE if np.isnan(stated) else stated
            telling.append((allowed, min(max(confidence, 1 / KINDS_OF_LABEL), MOST_CONFIDENCE)))
    if not telling:
        return None
    return {
        mode: sum(
            confidence if mode in allowed else (1.0 - confidence) / (KINDS_OF_LABEL - 1)
            for allowed, confidence in telling
        )
        / len(telling)
        for mode in modes
    }
