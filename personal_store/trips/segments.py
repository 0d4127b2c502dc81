"""Histories that are already cut into visits and legs: kept as they are, laid over the engine's.

Google's semantic histories, Cozy and e-mission say "bus, 14 minutes, 3.2 km": that is a leg with
its mode and probability, not a handful of positions to cut again. Where a device has such legs
and visits they stand, and what the engine read into the same time from the positions that came
with them gives way. It infers nothing but where one trip ends and the next begins.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from carbon.modes import TransportMode
from personal_store.ingest.positionfix import Evidence, EvidenceKind, EvidencePlace, Positionfix
from personal_store.trips.cutting import between_m, without
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


def lay_over(
    timeline: Timeline, statements: Sequence[Evidence], fixes: Sequence[Positionfix]
) -> Timeline:
    """Return the timeline with the legs and visits of its device in place of what they cover.

    `fixes` are those of the device, in time order: they draw the tracks.
    """
    legs = [each for each in statements if each.kind is EvidenceKind.LEG and not _stands(each)]
    visits = [each for each in statements if each.kind is EvidenceKind.VISIT]
    told = _trips(timeline.device, _in_turn(legs), fixes)
    spans = [(each.start, each.end) for each in told]
    stays = [stay for visit in _in_turn(visits) for stay in _outside(_stays(visit), spans)]
    covered = spans + [(stay.start, stay.end) for stay in stays]
    kept = without(timeline.trips, covered)
    left = [stay for each in timeline.staypoints for stay in _outside([each], covered)]
    return replace(
        timeline,
        trips=tuple(sorted([*told, *kept], key=lambda each: each.start)),
        staypoints=tuple(sorted([*stays, *left], key=lambda each: each.start)),
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
    seen = [(fix.lon, fix.lat) for fix in fixes if said.start <= fix.at <= said.end]
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


def _outside(
    stays: Sequence[Staypoint], spans: Sequence[tuple[datetime, datetime]]
) -> list[Staypoint]:
    """Return what is left of the stays outside the spans."""
    left = list(stays)
    for start, end in spans:
        pieces = [
            replace(stay, start=first, end=last)
            for stay in left
            for first, last in _around(stay, start, end)
        ]
        left = pieces
    return left


def _around(
    stay: Staypoint, start: datetime, end: datetime
) -> tuple[tuple[datetime, datetime], ...]:
    parts = ((stay.start, min(stay.end, start)), (max(stay.start, end), stay.end))
    if end <= stay.start or stay.end <= start:
        return ((stay.start, stay.end),)
    return tuple((first, last) for first, last in parts if first < last)


def _point(place: EvidencePlace | None) -> tuple[tuple[float, float], ...]:
    if place is None or place.lon is None or place.lat is None:
        return ()
    return ((place.lon, place.lat),)


def _stands(leg: Evidence) -> bool:
    return (leg.mode or "").upper() in _STANDING
