"""Measure how legs moved: the numbers from which the mode model reads a mode.

All legs are measured at once, on whole columns. Each number is read from net speeds over windows of
time, so that it changes little between a fix a second and a fix every minute, and none of them says
how long or how far the leg was beyond its first ten minutes: distances of scripted or local trips
would be learned by heart, and the prior knows better (`modes.py`). It names no mode.

>>> import numpy as np
>>> from personal_store.trips.track import sphere_points
>>> xyz_m = sphere_points(np.linspace(0, 0.01, 20), np.zeros(20))
>>> spans = LegSpans(first=np.array([0]), last=np.array([19]))
>>> measure_legs(np.arange(20) * 10.0, xyz_m, spans).shape == (1, len(FEATURES))
True
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from personal_store.trips.track import Floats, Indices

WINDOW_S: Final = 45.0
"""Seconds over which a speed is read: long enough that jitter cancels out (design, trips (b)6)."""

SHORT_WINDOW_S: Final = 16.0
"""Seconds over which stops and accelerations are read: a bus stop lasts 10 to 30 s."""

STILL_BELOW_MPS: Final = 0.7
"""Metres per second; half a walking pace, below which a window is a halt."""

UNSEEN_MIN_S: Final = 150.0
"""Seconds between fixes from which the way between them is unseen (beyond the thinnest
training)."""

DURATION_CAP_S: Final = 600.0
"""Seconds; a leg's duration is told up to here, because short legs measure less surely."""

CHUNK_STEPS: Final = 1 << 15
"""Steps measured together: some twenty columns of them stay in a core's cache."""

DECIMALS: Final = 9
"""Decimals kept, so that a leg is the same number measured alone or among others."""

_LEAST_MPS: Final = 0.1
_LOWEST, _HIGHEST, _BINS = np.log(0.1), np.log(400.0), 160
_QUANTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
_SHARES_MPS: Final = (2.2, 4.0, 7.0, 11.0, 16.0, 25.0, 45.0, 90.0)

FEATURES: Final = (
    "log_mean_mps",
    *(f"log_pace_p{round(100 * share)}_mps" for share in _QUANTILES),
    *(f"share_above_{edge:g}_mps" for edge in _SHARES_MPS),
    "share_still",
    "steadiness",
    "spread_log_pace",
    "halts_per_km",
    "log_halt_s",
    "log_between_halts_m",
    "accel_p50_mps2",
    "accel_p90_mps2",
    "turn_mean_rad",
    "turn_p90_rad",
    "log_curve_p50_rad_per_km",
    "log_curve_p90_rad_per_km",
    "corner_share",
    "lateral_p90_mps2",
    "even_share",
    "straightness",
    "unseen_share",
    "log_step_s",
    "log_duration_capped_s",
)
"""Names of the columns that `measure_legs` returns, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegSpans:
    """Legs as columns: leg i runs over the fixes `first[i]` to `last[i]`, both included."""

    first: Indices
    last: Indices

    def __post_init__(self) -> None:
        """Refuse legs without a step, and columns of unequal length."""
        if self.first.shape != self.last.shape or not (self.last > self.first).all():
            raise ValueError("expected columns of one length and two fixes or more in each leg")


def measure_legs(time_s: Floats, xyz_m: Floats, spans: LegSpans) -> Floats:
    """Return the features of each leg, shape (legs, len(FEATURES)), all of them finite.

    `time_s` are the seconds of a track's fixes, strictly increasing; `xyz_m`, shape (n, 3), their
    places on the sphere in metres.
    """
    measured = np.empty((len(spans.first), len(FEATURES)))
    for legs in _chunks(spans):
        part = LegSpans(first=spans.first[legs], last=spans.last[legs])
        measured[legs] = _measure(_Steps.of(time_s, xyz_m, part))
    return np.round(measured, DECIMALS)


def _chunks(spans: LegSpans) -> Iterator[slice]:
    """Yield runs of legs that hold about `CHUNK_STEPS` steps together."""
    steps = np.cumsum(spans.last - spans.first)
    start = 0
    while start < len(steps):
        done = int(steps[start - 1]) if start else 0
        stop = max(start + 1, int(np.searchsorted(steps, done + CHUNK_STEPS, side="right")))
        yield slice(start, stop)
        start = stop


@dataclass(frozen=True, slots=True, kw_only=True)
class _Steps:
    """The steps of several legs, end to end.

    `leg` numbers each step's leg; `offset` is each leg's first step. `pace_mps` and `turn_rad` are
    read over the long window around a step (`half_s` is half of it), `short_mps` over the short
    one, `accel_mps2` from it.
    """

    leg: Indices
    offset: Indices
    step_s: Floats
    pace_mps: Floats
    short_mps: Floats
    accel_mps2: Floats
    turn_rad: Floats
    half_s: Floats
    duration_s: Floats
    net_m: Floats

    @classmethod
    def of(cls, time_s: Floats, xyz_m: Floats, spans: LegSpans) -> "_Steps":
        """Gather the fixes of the legs and read their windows, none of which leaves its leg."""
        sizes = spans.last - spans.first
        steps_before = np.cumsum(sizes) - sizes
        leg = np.repeat(np.arange(len(sizes)), sizes)
        low_fix = np.arange(int(sizes.sum())) + leg
        at = _shifted(spans, sizes)
        fix_leg = np.repeat(np.arange(len(sizes)), sizes + 1)
        since_s = _exact(time_s[at] - time_s[spans.first][fix_leg])
        duration_s = _exact(time_s[spans.last] - time_s[spans.first])
        # Legs lie an hour apart on one axis, so that one search serves all and crosses none.
        lengths_s = np.ceil(duration_s) + 3600.0
        clock_s = since_s + (np.cumsum(lengths_s) - lengths_s)[fix_leg]
        places_m = xyz_m[at]
        long = _Windows.around(clock_s, places_m, low_fix, width_s=WINDOW_S)
        short = _Windows.around(clock_s, places_m, low_fix, width_s=SHORT_WINDOW_S)
        return cls(
            leg=leg,
            offset=steps_before,
            step_s=np.maximum(clock_s[low_fix + 1] - clock_s[low_fix], 1 / 1024),
            pace_mps=long.pace_mps,
            short_mps=short.pace_mps,
            accel_mps2=_accelerations(clock_s, low_fix, short.pace_mps, leg),
            turn_rad=_turns(places_m, low_fix, long),
            half_s=np.maximum(clock_s[long.high] - clock_s[long.low], 1.0) / 2,
            duration_s=np.maximum(duration_s, 1 / 1024),
            net_m=_lengths_m(xyz_m[spans.last] - xyz_m[spans.first]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Windows:
    """For each step, the fixes at the edges of the window around it and the net speed between."""

    low: Indices
    high: Indices
    pace_mps: Floats

    @classmethod
    def around(
        cls, clock_s: Floats, places_m: Floats, low_fix: Indices, *, width_s: float
    ) -> "_Windows":
        middle_s = (clock_s[low_fix] + clock_s[low_fix + 1]) / 2
        low = np.minimum(np.searchsorted(clock_s, middle_s - width_s / 2), low_fix)
        high = np.searchsorted(clock_s, middle_s + width_s / 2, side="right") - 1
        high = np.maximum(high, low_fix + 1)
        net_m = _lengths_m(places_m[high] - places_m[low])
        elapsed_s = np.maximum(clock_s[high] - clock_s[low], 1 / 1024)
        return cls(low=low, high=high, pace_mps=net_m / elapsed_s)


def _exact(seconds: Floats) -> Floats:
    """Round to 1/1024 s: sums and differences are then exact, wherever a leg lies on the axis."""
    return np.round(seconds * 1024.0) / 1024.0


def _shifted(spans: LegSpans, sizes: Indices) -> Indices:
    """Return the fixes of every leg, end to end."""
    counts = sizes + 1
    before = np.cumsum(counts) - counts
    fixes: Indices = np.arange(int(counts.sum())) + np.repeat(spans.first - before, counts)
    return fixes


def _lengths_m(vectors_m: Floats) -> Floats:
    """Return the lengths of vectors, shape (n, 3): chords, within 1 % of arcs to 3,000 km."""
    lengths: Floats = np.sqrt(np.einsum("ij,ij->i", vectors_m, vectors_m))
    return lengths


def _accelerations(clock_s: Floats, low_fix: Indices, pace_mps: Floats, leg: Indices) -> Floats:
    """Return how fast the short-window pace changes from one step to one a window later."""
    middle_s = (clock_s[low_fix] + clock_s[low_fix + 1]) / 2
    later = np.searchsorted(middle_s, middle_s + SHORT_WINDOW_S)
    # Past the last step of all is past the leg, as it is where another leg follows.
    within = later < len(middle_s)
    later = np.minimum(later, len(middle_s) - 1)
    inside = within & (leg[later] == leg) & (middle_s[later] > middle_s)
    elapsed_s = np.where(inside, middle_s[later] - middle_s, 1.0)
    return np.where(inside, np.abs(pace_mps[later] - pace_mps) / elapsed_s, 0.0)


def _turns(places_m: Floats, low_fix: Indices, long: _Windows) -> Floats:
    """Return the angle between the two halves of each long window, in radians."""
    # The middle is the fix after the step, or the one before it where the window ends there.
    middle = np.where(long.high > low_fix + 1, low_fix + 1, low_fix)
    before, after = places_m[middle] - places_m[long.low], places_m[long.high] - places_m[middle]
    lengths = _lengths_m(before) * _lengths_m(after)
    cosine = np.einsum("ij,ij->i", before, after) / np.where(lengths > 1.0, lengths, 1.0)
    return np.where(lengths > 1.0, np.arccos(np.clip(cosine, -1.0, 1.0)), 0.0)


def _measure(steps: _Steps) -> Floats:
    """Return the features of the legs whose steps are given."""
    per_leg = len(steps.duration_s)
    moved_m = _sums(steps, steps.pace_mps * steps.step_s)
    moving = np.where(steps.pace_mps > STILL_BELOW_MPS, steps.step_s, 0.0)
    moving_s = np.maximum(_sums(steps, moving), 1e-9)
    log_pace = np.log(np.maximum(steps.pace_mps, _LEAST_MPS))
    quantiles = _quantiles(steps, log_pace, steps.step_s, _QUANTILES)
    usual = _quantiles(steps, log_pace, np.where(moving > 0, moving, 1e-9), (0.5,))[:, 0]
    mean_log = _sums(steps, log_pace * moving) / moving_s
    spread = np.sqrt(_sums(steps, (log_pace - mean_log[steps.leg]) ** 2 * moving) / moving_s)
    log_accel = np.log(np.maximum(steps.accel_mps2, 0.1))
    accel = np.exp(_quantiles(steps, log_accel, moving + 1e-9, (0.5, 0.9)))
    log_turn = np.log(np.maximum(steps.turn_rad, 0.1))
    turn = _quantiles(steps, log_turn, moving + 1e-9, (0.9,))[:, 0]
    riding_m = np.where(steps.pace_mps > 2.0, steps.pace_mps * steps.step_s, 0.0) + 1e-9
    curve = steps.turn_rad / np.maximum(steps.pace_mps * steps.half_s, 10.0) * 1000
    curves = _quantiles(steps, np.log(np.clip(curve, 0.1, 300)), riding_m, (0.5, 0.9))
    lateral = np.clip(steps.turn_rad * steps.pace_mps / steps.half_s, 0.1, 300)
    lat = _quantiles(steps, np.log(lateral), riding_m, (0.9,))[:, 0]
    ridden_m = _sums(steps, riding_m)
    columns = [
        np.log(np.maximum(moved_m / steps.duration_s, _LEAST_MPS)),
        *quantiles.T,
        *(
            _sums(steps, np.where(steps.pace_mps > edge, steps.step_s, 0.0)) / steps.duration_s
            for edge in _SHARES_MPS
        ),
        1.0 - np.minimum(moving_s / steps.duration_s, 1.0),
        np.exp(usual - quantiles[:, _QUANTILES.index(0.95)]),
        spread,
        *_halts(steps, moved_m),
        accel[:, 0],
        accel[:, 1],
        _sums(steps, steps.turn_rad * moving) / moving_s,
        np.exp(turn),
        *curves.T,
        _sums(steps, np.where(steps.turn_rad > 0.6, riding_m, 0.0)) / ridden_m,
        np.exp(lat),
        _sums(steps, np.where(steps.accel_mps2 < 0.1, moving, 0.0)) / moving_s,
        np.minimum(steps.net_m / np.maximum(moved_m, 1.0), 1.0),
        _sums(steps, np.where(steps.step_s > UNSEEN_MIN_S, steps.step_s, 0.0)) / steps.duration_s,
        np.log(steps.duration_s / np.bincount(steps.leg, minlength=per_leg)),
        np.log(np.minimum(steps.duration_s, DURATION_CAP_S)),
    ]
    return np.stack(columns, axis=1)


def _halts(steps: _Steps, moved_m: Floats) -> tuple[Floats, ...]:
    """Return halts per km, the logarithm of their mean length in seconds, and of metres between."""
    still = steps.short_mps < STILL_BELOW_MPS
    begins = still.copy()
    begins[1:] &= ~still[:-1]
    begins[steps.offset] = still[steps.offset]
    halts = np.bincount(steps.leg[begins], minlength=len(steps.offset))
    still_s = _sums(steps, np.where(still, steps.step_s, 0.0))
    per_km = 1000 * halts / np.maximum(moved_m, 100.0)
    mean_s = np.where(halts > 0, still_s / np.maximum(halts, 1), 1.0)
    return per_km, np.log(np.maximum(mean_s, 1.0)), np.log(np.maximum(moved_m / (halts + 1), 1.0))


def _sums(steps: _Steps, values: Floats) -> Floats:
    """Return the sum of a column over each leg."""
    sums: Floats = np.add.reduceat(values, steps.offset)
    return sums


def _quantiles(
    steps: _Steps, log_values: Floats, weights: Floats, shares: tuple[float, ...]
) -> Floats:
    """Return weighted quantiles by leg from a histogram of logarithms, to 5 %.

    A histogram costs two passes where sorting each leg costs a hundred.
    """
    legs = len(steps.offset)
    bins = ((log_values - _LOWEST) * (_BINS / (_HIGHEST - _LOWEST))).astype(np.int64)
    np.clip(bins, 0, _BINS - 1, out=bins)
    counts = np.bincount(steps.leg * _BINS + bins, weights=weights, minlength=legs * _BINS)
    reached: Floats = np.cumsum(counts.reshape(legs, _BINS), axis=1, dtype=np.float64)
    wanted = reached[:, -1:] * np.array(shares)
    index = _first_reaching(reached, wanted)
    edges: NDArray[np.float64] = _LOWEST + (index + 0.5) * ((_HIGHEST - _LOWEST) / _BINS)
    return edges


def _first_reaching(reached: Floats, wanted: Floats) -> Indices:
    """Return, for each row and wanted weight, the first bin whose running weight reaches it."""
    return np.stack(
        [(reached < wanted[:, [k]] * (1 - 1e-12)).sum(axis=1) for k in range(wanted.shape[1])],
        axis=1,
    )
