"""Step 2 of 9 — trips. In: the positionfixes of one device. Out: its `Timeline`. Next: footprint.

The chain: clean, read silences, find stays, plan trips between activities, cut triplegs, infer
modes. Columns of numbers all the way; objects are made for the result alone. It is deterministic,
does not depend on the order of its input, and reads no clock, file or network.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from personal_store.ingest.positionfix import Positionfix
from personal_store.trips.cleaning import Cleaned, Verdict, clean
from personal_store.trips.compiling import COMPILE_FROM
from personal_store.trips.gaps import name_gaps
from personal_store.trips.lines import LineIndex
from personal_store.trips.modes import Inference
from personal_store.trips.one_mode import told
from personal_store.trips.silences import Rests, Silences, find_rests, read_silences
from personal_store.trips.staypoints import Stays, find_stays
from personal_store.trips.timeline import SetAsideFix, Staypoint, Timeline, Trip, Tripleg
from personal_store.trips.track import lon_lat, moment, positions_of
from personal_store.trips.triplegs import Legs, find_legs
from personal_store.trips.trips import ACTIVITY_MIN_S, Plan, plan_trips
from personal_store.trips.tunnels import crossings, drawn, rejoined
from personal_store.trips.unseen_ways import way_across_m


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmented:
    """All that the engine finds in a track before modes, as columns that refer to its fixes."""

    cleaned: Cleaned
    silences: Silences
    rests: Rests
    stays: Stays
    plan: Plan
    legs: Legs


def segment(
    fixes: Sequence[Positionfix],
    *,
    activity_min_s: float = ACTIVITY_MIN_S,
    lines: LineIndex | None = None,
) -> Timeline:
    """Return the stays, trips and gaps of one device; `fixes` may be in any order.

    A stay of `activity_min_s` seconds (an hour at most) ends a trip; a shorter one is a wait
    inside it. `lines` are the stops and lines that help to tell modes. Without fixes the timeline
    is empty and its device is "".

    Raises:
        ValueError: the fixes come from several devices.

    """
    devices = {fix.device for fix in fixes}
    if len(devices) > 1:
        raise ValueError(f"expected the fixes of one device, seen {len(devices)}: split them first")
    cleaned = clean(positions_of(fixes))
    found = cut(cleaned, activity_min_s=activity_min_s)
    return timeline_of(next(iter(devices), ""), found, lines)


def cut(
    cleaned: Cleaned, *, activity_min_s: float = ACTIVITY_MIN_S, compile_from: int = COMPILE_FROM
) -> Segmented:
    """Cut a cleaned track into stays, movements and legs."""
    track = cleaned.track
    silences = read_silences(track, compile_from=compile_from)
    rests = find_rests(cleaned, compile_from=compile_from)
    stays = find_stays(track, silences, rests, compile_from=compile_from)
    plan = plan_trips(
        track, stays, silences, activity_min_s=activity_min_s, compile_from=compile_from
    )
    legs = find_legs(track, stays, plan, compile_from=compile_from)
    return Segmented(
        cleaned=cleaned,
        silences=silences,
        rests=rests,
        stays=stays,
        plan=plan,
        legs=legs,
    )


def timeline_of(device: str, found: Segmented, lines: LineIndex | None = None) -> Timeline:
    """Describe what was found, each leg with its likely modes."""
    movements = found.plan.movements
    track = found.cleaned.track
    known = told(track, rejoined(track, found.legs, lines), lines)
    found = replace(found, legs=known.legs)
    legs_of: dict[int, list[Tripleg]] = {}
    for index, movement in enumerate(found.legs.movement.tolist()):
        legs_of.setdefault(movement, []).append(
            _tripleg(found, index, known.inferred[index], lines)
        )
    trips = tuple(
        Trip(
            device=device,
            start=moment(movements.start_s[index]),
            end=moment(movements.end_s[index]),
            triplegs=tuple(legs),
        )
        for index, legs in legs_of.items()
    )
    return Timeline(
        device=device,
        staypoints=tuple(
            _staypoint(found.stays, index)
            for index in np.flatnonzero(found.plan.is_activity).tolist()
        ),
        trips=trips,
        gaps=name_gaps(found.cleaned.track, found.silences, found.stays),
        set_aside=_set_aside(found.cleaned),
    )


def _tripleg(
    found: Segmented, index: int, inference: Inference, lines: LineIndex | None
) -> Tripleg:
    """Describe a leg whose modes were inferred."""
    legs, track = found.legs, found.cleaned.track
    leg = legs.leg(index)
    crossed = crossings(track, leg, inference.modes, lines)
    along_m = sum(each.way.length_m for each in crossed)
    # Never below nothing: both sums are of the same steps, in another order.
    unknown_m = max(0.0, float(legs.gap_m[index]) - sum(each.straight_m for each in crossed))
    gap_m = along_m + way_across_m(unknown_m, inference.modes)
    return Tripleg(
        start=moment(leg.start_s),
        end=moment(leg.end_s),
        distance_m=float(legs.distance_m[index] - legs.gap_m[index]) + gap_m,
        gap_m=gap_m,
        modes=inference.modes,
        mode_source=inference.source,
        track=drawn(track, leg, crossed),
    )


def _staypoint(stays: Stays, index: int) -> Staypoint:
    """Describe a stay by its centre and the root mean square distance of its fixes from it."""
    lon, lat = lon_lat(stays.centre_m[index])
    return Staypoint(
        start=moment(stays.start_s[index]),
        end=moment(stays.end_s[index]),
        lon=lon,
        lat=lat,
        radius_m=float(stays.radius_m[index]),
    )


def _set_aside(cleaned: Cleaned) -> tuple[SetAsideFix, ...]:
    """Name the fixes that take no part in the timeline, in time order."""
    verdicts = cleaned.verdicts
    out = np.flatnonzero(verdicts != Verdict.KEPT).tolist()
    reasons = [Verdict(code).reason for code in verdicts[out].tolist()]
    times_s = cleaned.times_s[out].tolist()
    return tuple(
        SetAsideFix(at=moment(time_s), reason=reason)
        for time_s, reason in zip(times_s, reasons, strict=True)
        if reason is not None
    )
