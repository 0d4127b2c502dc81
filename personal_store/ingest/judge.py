"""Decide, once for every format, whether what a file claims can be a positionfix or evidence.

The rules, in the order in which the first that fails gives the reason:

1. `no-position`: a coordinate is absent, or both are exactly 0 and no accuracy is claimed.
   Receivers write 0, 0 before they know where they are; a claim that says how accurate it is
   stands, because that point of the sea exists.
2. `impossible-coordinates`: outside [-90, 90] or [-180, 180], infinite, or not a number.
3. `before-1990`, `in-the-future`: more than a day ahead of `now`.

Speeds and accuracies that the source marks unknown (negative; for an accuracy also 0) become
None: the position stays. It does not look at neighbours: a jump is for the trip engine to see.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from itertools import repeat
from typing import Final

from personal_store.ingest.limits import EARLIEST, LATEST_AHEAD, MOST_MODES, MOST_OCCUPANTS
from personal_store.ingest.positionfix import (
    Evidence,
    EvidenceKind,
    EvidencePlace,
    Positionfix,
    RejectReason,
    SourceFormat,
    SourceMode,
    judged_positionfix,
)
from personal_store.ingest.values import (
    Refused,
    instants_in_utc,
    label,
    measure,
    measures,
    number,
    numbers,
)

_UNKNOWN: Final = repeat(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """The rules for one file: its format, and the latest time that can be true.

    `local_zone` is the zone of its times without an offset, where the resident says that they are
    those of home.
    """

    source: SourceFormat
    latest: datetime
    local_zone: tzinfo | None = None

    def positionfix(
        self,
        *,
        at: datetime,
        lat: object,
        lon: object,
        device: str,
        accuracy_m: object = None,
        speed_mps: object = None,
        altitude_m: object = None,
        activity: object = None,
        activity_confidence: object = None,
        utc_offset_min: int | None = None,
    ) -> Positionfix:
        """Return the positionfix, or raise `Refused` with the first rule that fails.

        Values are as the file gives them (numbers, their text, or None), in the units of their
        names; `at` is aware UTC, `lat` and `lon` are degrees, the confidence is in [0, 1].
        """
        if lat is None or lon is None:
            raise Refused(RejectReason.NO_POSITION)
        known_accuracy_m = None if accuracy_m is None else measure(accuracy_m, at_least=0) or None
        lat_deg = lat if type(lat) is float else number(lat)
        lon_deg = lon if type(lon) is float else number(lon)
        if not (-90 <= lat_deg <= 90 and -180 <= lon_deg <= 180):
            raise Refused(RejectReason.IMPOSSIBLE_COORDINATES)
        if lat_deg == 0 and lon_deg == 0 and known_accuracy_m is None:
            raise Refused(RejectReason.NO_POSITION)
        if not EARLIEST <= at <= self.latest:
            is_early = at < EARLIEST
            raise Refused(RejectReason.BEFORE_1990 if is_early else RejectReason.IN_THE_FUTURE)
        known_activity = None if activity is None else label(activity)
        return judged_positionfix(
            at,
            lon_deg,
            lat_deg,
            self.source,
            device,
            known_accuracy_m,
            None if speed_mps is None else measure(speed_mps, at_least=0),
            None if altitude_m is None else measure(altitude_m),
            known_activity,
            _share(activity_confidence) if known_activity else None,
            utc_offset_min,
        )

    def positionfixes(
        self,
        *,
        times: Sequence[str],
        lats: Sequence[str],
        lons: Sequence[str],
        device: str,
        speeds_mps: Sequence[str | None],
        altitudes_m: Sequence[str | None],
    ) -> Iterable[Positionfix] | None:
        """Return what `positionfix` gives for each of some points, a column for each value.

        Texts as the file gives them, one of each for every point. None where any point is not of
        the common kind (a time that ends in "Z", a position that stands): then each must be asked
        for by itself. A column whose least and greatest pass a rule passes it whole, which makes
        reading a track 1.26 times as fast (`benchmarks/ingest_speed.py`, both by turns, 2026).
        """
        ats = instants_in_utc(times)
        lats_deg, lons_deg = numbers(lats), numbers(lons)
        if not ats or not lats_deg or not lons_deg:
            return None
        # Of numbers one of which is none, the least and the greatest can be any.
        if not math.isfinite(sum(lats_deg) + sum(lons_deg)) or (0 in lats_deg and 0 in lons_deg):
            return None
        if min(lats_deg) < -90 or max(lats_deg) > 90 or min(lons_deg) < -180 or max(lons_deg) > 180:
            return None
        if min(ats) < EARLIEST or max(ats) > self.latest:
            return None
        return map(
            judged_positionfix,
            ats,
            lons_deg,
            lats_deg,
            repeat(self.source),
            repeat(device),
            _UNKNOWN,
            measures(speeds_mps, at_least=0),
            measures(altitudes_m),
            _UNKNOWN,
            _UNKNOWN,
            _UNKNOWN,
        )

    def evidence(
        self,
        *,
        kind: EvidenceKind,
        start: datetime,
        end: datetime,
        device: str,
        modes: Sequence[tuple[object, object]] = (),
        distance_m: object = None,
        occupants: object = None,
        origin: EvidencePlace | None = None,
        destination: EvidencePlace | None = None,
        line: object = None,
        confidence: object = None,
        reference: object = None,
    ) -> Evidence:
        """Return what a segmented source says, or raise `Refused` with the first rule that fails.

        Times are aware UTC, the other values as the file gives them; `modes` are pairs of label
        and confidence, the likeliest first. Only the times can cost the whole: an end before its
        start is unreadable, and both must be plausible.
        """
        if end < start:
            raise Refused(RejectReason.UNREADABLE_ENTRY)
        if start < EARLIEST:
            raise Refused(RejectReason.BEFORE_1990)
        if end > self.latest:
            raise Refused(RejectReason.IN_THE_FUTURE)
        people = measure(occupants, at_least=1)
        return Evidence(
            kind=kind,
            start=start,
            end=end,
            source=self.source,
            device=device,
            modes=_source_modes(modes),
            distance_m=measure(distance_m, at_least=0),
            occupants=int(people) if people and people <= MOST_OCCUPANTS else None,
            origin=origin,
            destination=destination,
            line=label(line),
            confidence=_share(confidence),
            reference=label(reference),
        )

    def member(self, source: SourceFormat) -> "Judge":
        """Return the same rules for a file inside this one."""
        return replace(self, source=source)


def _share(raw: object) -> float | None:
    """Return a confidence in [0, 1], None where unknown; sources overshoot 1 by rounding."""
    value = measure(raw, at_least=0)
    return None if value is None else min(value, 1.0)


def _source_modes(modes: Sequence[tuple[object, object]]) -> tuple[SourceMode, ...]:
    named = ((label(name), confidence) for name, confidence in modes[:MOST_MODES])
    return tuple(
        SourceMode(label=name, confidence=_share(confidence)) for name, confidence in named if name
    )


def evidence_place(*, lat: object, lon: object, name: object = None) -> EvidencePlace | None:
    """Return a place from what the file gives, None where it tells neither where nor what.

    Coordinates outside the Earth, or 0, 0, are unknown: the rest of the evidence stands.
    """
    lat_deg, lon_deg = measure(lat, at_least=-90), measure(lon, at_least=-180)
    named = label(name)
    if lat_deg is None or lon_deg is None or lat_deg > 90 or lon_deg > 180:
        return EvidencePlace(name=named) if named else None
    if lat_deg == 0 and lon_deg == 0:
        return EvidencePlace(name=named) if named else None
    return EvidencePlace(lon=lon_deg, lat=lat_deg, name=named)


def judge_for(source: SourceFormat, *, now: datetime, local_zone: tzinfo | None = None) -> Judge:
    """Return the rules for a file read at `now` (aware UTC)."""
    return Judge(source=source, latest=now + LATEST_AHEAD, local_zone=local_zone)
