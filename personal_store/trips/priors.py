"""How common each mode is among legs of a length, before anything was seen of one leg.

The shares and lengths are those of `usage.py`. Their logarithm counts by 0.3 (`SURVEY_WEIGHT`).
They are means over people, and one person's legs are mostly alike: who rides the bus at all rides
it often. Taken whole they would call each bus of a resident without a car a car, and add its
kilograms; taken not at all they would call drivers passengers. At 0.3 the carbon of one labelled
data set, judged by a model trained without it, errs as much one way as the people in it travelled
as it does the other way had they travelled as the survey's mean (docs/modes.md lists every try).
`own_history` lets a resident's own rides weigh in.
"""

from math import log
from typing import Final

import numpy as np

from carbon.modes import TransportMode
from personal_store.trips.track import Floats
from personal_store.trips.usage import SURVEY_WEIGHT, USAGE

SHORTEST_M: Final = 50.0


def log_prior(modes: tuple[TransportMode, ...], distance_m: Floats) -> Floats:
    """Return the logarithm of each mode's prior for legs of these lengths, up to a constant.

    The shape is (legs, modes).
    """
    length = np.log(np.maximum(distance_m, SHORTEST_M) / 1000.0)[:, None]
    points = np.array([log(USAGE[mode].points) for mode in modes])
    median = np.array([log(USAGE[mode].median_km) for mode in modes])
    spread = np.array([USAGE[mode].spread for mode in modes])
    density = -0.5 * ((length - median) / spread) ** 2 - np.log(spread)
    prior: Floats = SURVEY_WEIGHT * (points + density)
    return prior
