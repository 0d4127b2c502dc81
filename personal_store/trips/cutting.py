"""Cut and join triplegs and trips at a time: what corrections and segments are laid over with.

A leg keeps no time for each point of its track, so a cut falls where the same share of its length
as of its duration has gone by: distances add up exactly, the point is an estimate.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from math import cos, hypot, radians

from carbon.modes import TransportMode
from personal_store.trips.timeline import ModeProbability, Trip, Tripleg

METRES_PER_DEGREE = 111_195.0
"""Of latitude, on the sphere of the mean Earth radius (IUGG, 6,371.009 km)."""

TRIP_MIN = timedelta(minutes=1)
"""Nothing shorter is left of a trip of which another source tells the rest."""

Point = tuple[float, float]
Span = tuple[datetime, datetime]
"""[start, end)."""


def between_m(one: Point, other: Point) -> float:
    """Return the metres between two (lon, lat) in degrees, on a local plane.

    Within 0.5 % up to 100 km; longer tracks are cut, not measured, with it.
    """
    east_deg = (other[0] - one[0] + 180) % 360 - 180
    east_m = east_deg * cos(radians((one[1] + other[1]) / 2))
    return METRES_PER_DEGREE * hypot(east_m, other[1] - one[1])


def cut_leg(leg: Tripleg, at: datetime) -> tuple[Tripleg, Tripleg]:
    """Return the parts of a leg before and after a time inside it."""
    share = (at - leg.start) / (leg.end - leg.start)
    before, after = _cut_track(leg.track, share)
    return (
        replace(
            leg,
            end=at,
            distance_m=leg.distance_m * share,
            gap_m=leg.gap_m * share,
            track=before,
        ),
        replace(
            leg,
            start=at,
            distance_m=leg.distance_m * (1 - share),
            gap_m=leg.gap_m * (1 - share),
            track=after,
        ),
    )


def cut_legs(trip: Trip, at: datetime) -> Trip:
    """Return the trip with the leg around `at`, if any, cut there in two."""
    legs: list[Tripleg] = []
    for leg in trip.triplegs:
        legs += cut_leg(leg, at) if leg.start < at < leg.end else (leg,)
    return replace(trip, triplegs=tuple(legs))


def cut_trip(trip: Trip, at: datetime) -> list[Trip]:
    """Return the trips before and after `at`; the trip itself when it has no leg on either side."""
    legs = cut_legs(trip, at).triplegs
    first = tuple(leg for leg in legs if leg.start < at)
    second = tuple(leg for leg in legs if leg.start >= at)
    if not first or not second:
        return [trip]
    return [
        replace(trip, end=first[-1].end, triplegs=first),
        replace(trip, start=second[0].start, triplegs=second),
    ]


def without(trips: Sequence[Trip], spans: Sequence[Span]) -> list[Trip]:
    """Return what is left of the trips outside the spans, which are in turn; in time order."""
    left = []
    for trip in trips:
        pieces = [trip]
        for start, end in touching(spans, trip.start, trip.end):
            pieces = [part for piece in pieces for part in _cut_out(piece, start, end)]
        left += [each for each in pieces if each is trip or each.end - each.start >= TRIP_MIN]
    return left


def touching(spans: Sequence[Span], start: datetime, end: datetime) -> Sequence[Span]:
    """Return those of some spans, one after the other in time, that overlap [start, end)."""
    first = bisect_right(spans, start, key=lambda span: span[1])
    return spans[first : bisect_left(spans, end, key=lambda span: span[0])]


def join_legs(legs: Sequence[Tripleg]) -> Tripleg:
    """Return one leg from the first to the last; each mode weighs by the metres it had."""
    distance_m = sum(leg.distance_m for leg in legs)
    weights: dict[TransportMode, float] = {}
    for leg in legs:
        share = leg.distance_m / distance_m if distance_m else 1 / len(legs)
        for each in leg.modes:
            weights[each.mode] = weights.get(each.mode, 0.0) + share * each.probability
    ranked = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    longest = max(legs, key=lambda leg: leg.distance_m)
    return replace(
        longest,
        start=legs[0].start,
        end=legs[-1].end,
        distance_m=distance_m,
        gap_m=sum(leg.gap_m for leg in legs),
        modes=tuple(ModeProbability(mode=mode, probability=p) for mode, p in ranked),
        track=tuple(point for leg in legs for point in leg.track),
    )


def _cut_out(trip: Trip, start: datetime, end: datetime) -> list[Trip]:
    if end <= trip.start or trip.end <= start:
        return [trip]
    legs = cut_legs(cut_legs(trip, start), end).triplegs
    before = tuple(leg for leg in legs if leg.end <= start)
    after = tuple(leg for leg in legs if leg.start >= end)
    return [
        replace(trip, start=max(trip.start, part[0].start), end=part[-1].end, triplegs=part)
        for part in (before, after)
        if part
    ]


def _cut_track(track: tuple[Point, ...], share: float) -> tuple[tuple[Point, ...], ...]:
    if len(track) < 2:
        return track, track
    reached = [0.0, *accumulate(between_m(one, other) for one, other in pairwise(track))]
    target = share * reached[-1]
    index = min(max(bisect_left(reached, target), 1), len(track) - 1)
    step_m = reached[index] - reached[index - 1]
    part = (target - reached[index - 1]) / step_m if step_m else 0.0
    (lon, lat), (next_lon, next_lat) = track[index - 1], track[index]
    point = (lon + part * (next_lon - lon), lat + part * (next_lat - lat))
    return (*track[:index], point), (point, *track[index:])
