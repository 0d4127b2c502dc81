"""Histories that are already cut into visits and legs: kept as they are, laid over the engine's.

Google's semantic histories, Cozy and e-mission say "bus, 14 minutes, 3.2 km": that is a leg with
its mode and probability, not a handful of positions to cut again. Where a device has such legs
and visits they stand, and what the engine read into the same time from the positions that came
with them gives way. Both are stored apart and laid over each other when they are read, so that a
late position and a late segment each touch their own. It infers nothing but where one trip ends
and the next begins.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from carbon.modes import TransportMode
from personal_store.ingest.positionfix import Evidence, EvidenceKind, EvidencePlace, Positionfix
from personal_store.trips.cutting import Span, between_m, touching, without
from personal_store.trips.precedence import said_modes
from personal_store.trips.timeline import (
    ModeProbability,
    ModeSource,
    Staypoint,
    Timeline,
    Trip,
    Tripleg,
)

WAIT_MAX = timedelta(minutes=25)
"""Two legs closer than this are one trip: the engine's own limit between a wait and an activity."""

_STANDING = frozenset({"STILL", "TILTING"})
_UNTOLD = (ModeProbability(mode=TransportMode.UNKNOWN, probability=1.0),)


def told_trips(
    device: str, statements: Sequence[Evidence], fixes: Sequence[Positionfix]
) -> list[Trip]:
    """Return the trips that the legs among the statements of a device tell.

    `fixes` are those of the device, in time order: they draw the tracks.
    """
    legs = [each for each in statements if each.kind is EvidenceKind.LEG and not _stands(each)]
    return _trips(device, _in_turn(legs), fixes)


def told_stays(statements: Sequence[Evidence]) -> list[Staypoint]:
    """Return the stays that the visits among the statements of a device tell."""
    visits = [each for each in statements if each.kind is EvidenceKind.VISIT]
    return [stay for visit in _in_turn(visits) for stay in _stays(visit)]


def lay_over(computed: Timeline, told: Timeline) -> Timeline:
    """Return what was computed of a device with what it was told in place of what that covers.

    Of one time, a told trip stands before a told stay, and both before what was computed.
    """
    spans = [(each.start, each.end) for each in told.trips]
    stays = stays_outside(told.staypoints, spans)
    covered = sorted(spans + [(stay.start, stay.end) for stay in stays])
    kept = without(computed.trips, covered)
    left = stays_outside(computed.staypoints, covered)
    return replace(
        computed,
        trips=tuple(sorted([*told.trips, *kept], key=lambda each: each.start)),
        staypoints=tuple(sorted([*stays, *left], key=lambda each: each.start)),
        gaps=tuple(gap for gap in computed.gaps if not touching(covered, gap.start, gap.end)),
    )


def _in_turn(statements: Sequence[Evidence]) -> list[Evidence]:
    """Return the statements one after the other; of two about one time, the more precise."""
    kept: list[Evidence] = []
    for each in sorted(statements, key=lambda each: (each.start, -_precision(each), each.end)):
        start = max(each.start, kept[-1].end) if kept else each.start
        if start < each.end:
            kept.append(replace(each, start=start))
    return kept


def _precision(statement: Evidence) -> float:
    """Return how sure the best guess is: a mode beats none, `bus` beats `in a vehicle`."""
    modes = said_modes(statement)
    named = [each.probability for each in modes or () if each.mode is not TransportMode.UNKNOWN]
    return max(named, default=0.0)


def _trips(device: str, legs: Sequence[Evidence], fixes: Sequence[Positionfix]) -> list[Trip]:
    groups: list[list[Evidence]] = [[legs[0]]] if legs else []
    for before, after in pairwise(legs):
        if after.start - before.end < WAIT_MAX:
            groups[-1].append(after)
        else:
            groups.append([after])
    return [
        Trip(
            device=device,
            start=group[0].start,
            end=group[-1].end,
            triplegs=tuple(_tripleg(each, fixes) for each in group),
        )
        for group in groups
    ]


def _tripleg(said: Evidence, fixes: Sequence[Positionfix]) -> Tripleg:
    first = bisect_left(fixes, said.start, key=_at)
    last = bisect_right(fixes, said.end, key=_at)
    seen = [(fix.lon, fix.lat) for fix in fixes[first:last]]
    track = (*_point(said.origin), *seen, *_point(said.destination))
    length_m = sum(between_m(one, other) for one, other in pairwise(track))
    return Tripleg(
        start=said.start,
        end=said.end,
        distance_m=length_m if said.distance_m is None else said.distance_m,
        # Without the provider's distance and without positions, it is a straight line.
        gap_m=length_m if said.distance_m is None and not seen else 0.0,
        modes=said_modes(said) or _UNTOLD,
        mode_source=ModeSource.SEGMENT,
        track=track,
        occupants=said.occupants,
    )


def _stays(visit: Evidence) -> list[Staypoint]:
    return [
        Staypoint(start=visit.start, end=visit.end, lon=lon, lat=lat, radius_m=0.0)
        for lon, lat in _point(visit.origin)
    ]


def stays_outside(stays: Sequence[Staypoint], spans: Sequence[Span]) -> list[Staypoint]:
    """Return what is left of the stays outside the spans, which are in turn."""
    left = []
    for stay in stays:
        pieces = [stay]
        for start, end in touching(spans, stay.start, stay.end):
            pieces = [
                replace(piece, start=first, end=last)
                for piece in pieces
                for first, last in _around(piece, start, end)
            ]
        left += pieces
    return left


def _around(stay: Staypoint, start: datetime, end: datetime) -> tuple[Span, ...]:
    parts = ((stay.start, min(stay.end, start)), (max(stay.start, end), stay.end))
    if end <= stay.start or stay.end <= start:
        return ((stay.start, stay.end),)
    return tuple((first, last) for first, last in parts if first < last)


def _point(place: EvidencePlace | None) -> tuple[tuple[float, float], ...]:
    if place is None or place.lon is None or place.lat is None:
        return ()
    return ((place.lon, place.lat),)


def _at(fix: Positionfix) -> datetime:
    return fix.at


def _stands(leg: Evidence) -> bool:
    return (leg.mode or "").upper() in _STANDING
