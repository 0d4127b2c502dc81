"""Step 2 of 9 — trips. In: the positionfixes of one device. Out: its `Timeline`. Next: footprint.

The chain: clean, find stays, plan trips between activities, cut triplegs, infer modes. It is
deterministic, does not depend on the order of its input, and reads no clock, file or network.
"""

from collections.abc import Sequence

import numpy as np

from personal_store.ingest.positionfix import Positionfix
from personal_store.trips.cleaning import clean
from personal_store.trips.modes import Inference, infer_modes
from personal_store.trips.staypoints import Stay, find_stays
from personal_store.trips.timeline import Staypoint, Timeline, Trip, Tripleg
from personal_store.trips.track import Track, distances_m, lon_lat, moment
from personal_store.trips.triplegs import Leg, Paces, find_legs, gap_m, leg_paces, measure_paces
from personal_store.trips.trips import ACTIVITY_MIN_S, plan_trips


def segment(fixes: Sequence[Positionfix], *, activity_min_s: float = ACTIVITY_MIN_S) -> Timeline:
    """Return the stays and trips of one device; `fixes` may be in any order.

    A stay of `activity_min_s` seconds ends a trip; a shorter one is a wait inside it. Without
    fixes the timeline is empty and its device is "".

    Raises:
        ValueError: the fixes come from several devices.

    """
    devices = {fix.device for fix in fixes}
    if len(devices) > 1:
        raise ValueError(f"expected the fixes of one device, seen {len(devices)}: split them first")
    device = next(iter(devices), "")
    cleaned = clean(fixes)
    track = cleaned.track
    paces = measure_paces(track)
    plan = plan_trips(track, find_stays(track), activity_min_s=activity_min_s)
    cut = [(movement, find_legs(track, paces, movement)) for movement in plan.movements]
    inferred = iter(infer_modes(track, [leg for _, legs in cut for leg in legs]))
    trips = [
        Trip(
            device=device,
            start=moment(movement.start_s),
            end=moment(movement.end_s),
            triplegs=tuple(_tripleg(track, paces, leg, next(inferred)) for leg in legs),
        )
        for movement, legs in cut
        if legs
    ]
    return Timeline(
        device=device,
        staypoints=tuple(_staypoint(track, stay) for stay in plan.activities),
        trips=tuple(trips),
        fixes_set_aside=sum(cleaned.set_aside.values()),
    )


def _tripleg(track: Track, paces: Paces, leg: Leg, inference: Inference) -> Tripleg:
    """Measure a leg whose modes were inferred."""
    steps = leg_paces(track, paces, leg)
    fixes = slice(leg.first, leg.last + 1)
    return Tripleg(
        start=moment(leg.start_s),
        end=moment(leg.end_s),
        distance_m=float(steps.step_m.sum()),
        gap_m=gap_m(paces, leg),
        modes=inference.modes,
        mode_source=inference.source,
        track=tuple(zip(track.lon[fixes].tolist(), track.lat[fixes].tolist(), strict=True)),
    )


def _staypoint(track: Track, stay: Stay) -> Staypoint:
    """Describe a stay by its centre and the root mean square distance of its fixes from it."""
    lon, lat = lon_lat(stay.centre_m)
    away_m = distances_m(track.xyz_m[stay.first : stay.last + 1], stay.centre_m)
    return Staypoint(
        start=moment(stay.start_s),
        end=moment(stay.end_s),
        lon=lon,
        lat=lat,
        radius_m=float(np.sqrt(np.mean(np.square(away_m)))),
    )
