"""Decide, once for every format, whether what a file claims can be a positionfix.

The rules, in the order in which the first that fails gives the reason:

1. `no-position`: a coordinate is absent, or both are exactly 0 and no accuracy is claimed.
   Receivers write 0, 0 before they know where they are; a claim that says how accurate it is
   stands, because that point of the sea exists.
2. `impossible-coordinates`: outside [-90, 90] or [-180, 180], infinite, or not a number.
3. `before-1990`, `in-the-future`: more than a day ahead of `now`.

Speeds and accuracies that the source marks unknown (negative; for an accuracy also 0) become
None: the position stays. It does not look at neighbours: a jump is for the trip engine to see.
"""

from dataclasses import dataclass
from datetime import datetime

from personal_store.ingest.limits import EARLIEST, LATEST_AHEAD
from personal_store.ingest.positionfix import Positionfix, RejectReason, SourceFormat
from personal_store.ingest.values import Refused, label, measure, number


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """The rules for one file: its format, and the latest time that can be true."""

    source: SourceFormat
    latest: datetime

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
    ) -> Positionfix:
        """Return the positionfix, or raise `Refused` with the first rule that fails.

        Values are as the file gives them (numbers, their text, or None), in the units of their
        names; `at` is aware UTC, `lat` and `lon` are degrees, the confidence is in [0, 1].
        """
        known_accuracy_m = measure(accuracy_m, at_least=0) or None
        if lat is None or lon is None:
            raise Refused(RejectReason.NO_POSITION)
        lat_deg, lon_deg = number(lat), number(lon)
        if not (-90 <= lat_deg <= 90 and -180 <= lon_deg <= 180):
            raise Refused(RejectReason.IMPOSSIBLE_COORDINATES)
        if lat_deg == 0 and lon_deg == 0 and known_accuracy_m is None:
            raise Refused(RejectReason.NO_POSITION)
        if at < EARLIEST:
            raise Refused(RejectReason.BEFORE_1990)
        if at > self.latest:
            raise Refused(RejectReason.IN_THE_FUTURE)
        known_activity = None if activity is None else label(activity)
        confidence = measure(activity_confidence, at_least=0) if known_activity else None
        return Positionfix(
            at=at,
            lon=lon_deg,
            lat=lat_deg,
            source=self.source,
            device=device,
            accuracy_m=known_accuracy_m,
            speed_mps=measure(speed_mps, at_least=0),
            altitude_m=measure(altitude_m),
            activity=known_activity,
            activity_confidence=None if confidence is None else min(confidence, 1.0),
        )


def judge_for(source: SourceFormat, *, now: datetime) -> Judge:
    """Return the rules for a file read at `now` (aware UTC)."""
    return Judge(source=source, latest=now + LATEST_AHEAD)
