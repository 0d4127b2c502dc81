"""How long the way was across a gap that a train, a plane or a ferry crossed.

Between two fixes the engine knows a straight line, which is a lower bound. Where the mode is known,
the usual detour of that mode says more; where it is not, the line stays, and the footprint's
interval covers the detour (`personal_store.footprint`). It estimates lengths only: `tunnels` draws
the way where imported rails tell it. `Tripleg.gap_m` says how much of a leg is estimated.

Rail: over 93,342 pairs of stations of one line of the SNCF, 5 to 300 km apart, kilometres along the
line were 1.19 times the straight line (median; 1.04 to 1.51 for nine in ten): the SNCF's list of
stations, our count, 2026. Air: ICAO's carbon calculator adds 50 km to a great circle below 550 km,
100 km to 5,500 km, 125 km beyond. Ferries keep to a line but for their ports: 1.1 (our assumption).
"""

from collections.abc import Sequence
from typing import Final

from carbon.modes import TransportMode
from personal_store.trips.timeline import SURE_FROM, ModeProbability

RAIL_DETOUR: Final = 1.19
FERRY_DETOUR: Final = 1.1
LEAST_GAP_M: Final = 1000.0
"""Metres; a shorter gap is a tunnel or a missed minute, and its detour is lost in the noise."""

_RAIL: Final = frozenset(
    {
        TransportMode.TRAIN,
        TransportMode.TRAIN_TGV,
        TransportMode.TRAIN_TER,
        TransportMode.TRAIN_INTERCITES,
        TransportMode.METRO,
        TransportMode.TRAM,
    }
)
_ICAO: Final = ((550_000.0, 50_000.0), (5_500_000.0, 100_000.0), (float("inf"), 125_000.0))


def way_across_m(gap_m: float, modes: Sequence[ModeProbability]) -> float:
    """Return the estimated length, in metres, of a way of which `gap_m` of straight line is known.

    >>> from carbon.modes import TransportMode as M
    >>> way_across_m(100_000.0, [ModeProbability(mode=M.TRAIN, probability=1.0)])
    119000.0
    >>> way_across_m(100_000.0, [ModeProbability(mode=M.CAR, probability=1.0)])
    100000.0
    """
    if gap_m < LEAST_GAP_M:
        return gap_m
    if rail_mode(modes) is not None:
        return gap_m * RAIL_DETOUR
    if _share(modes, frozenset({TransportMode.FERRY})) >= SURE_FROM:
        return gap_m * FERRY_DETOUR
    if _share(modes, frozenset({TransportMode.PLANE})) >= SURE_FROM:
        return gap_m + next(added for below, added in _ICAO if gap_m < below)
    return gap_m


def rail_mode(modes: Sequence[ModeProbability]) -> TransportMode | None:
    """Return the likeliest mode on rails where it is sure that it was one of them, else None."""
    if _share(modes, _RAIL) < SURE_FROM:
        return None
    return max(
        (each for each in modes if each.mode in _RAIL), key=lambda each: each.probability
    ).mode


def _share(modes: Sequence[ModeProbability], wanted: frozenset[TransportMode]) -> float:
    return sum(each.probability for each in modes if each.mode in wanted)
