"""A positionfix as a row of its table: a plain tuple, cheap to make and to send.

Kept apart from the repository so that a process that only parses loads no database.
"""

from typing import Any

from personal_store.db.units import EPOCH, from_ms
from personal_store.ingest.positionfix import Positionfix, SourceFormat

FixRow = tuple[object, ...]
"""The values of `COLUMNS`, in their order."""

COLUMNS = (
    "source",
    "device",
    "at_ms",
    "lon_e7",
    "lat_e7",
    "accuracy_m",
    "speed_mps",
    "altitude_m",
    "activity",
    "activity_confidence",
    "utc_offset_min",
    "received_at_ms",
)

_E7 = 10_000_000
_MS_PER_S = 1_000
_US_PER_MS = 1_000
_MS_PER_DAY = 86_400_000


def fix_row(fix: Positionfix, received_at_ms: int) -> FixRow:
    """Return the row; times are cut to milliseconds, degrees rounded to 1e-7."""
    since = fix.at - EPOCH
    return (
        fix.source._value_,  # `.value` is a descriptor that takes a tenth of the whole
        fix.device,
        since.days * _MS_PER_DAY + since.seconds * _MS_PER_S + since.microseconds // _US_PER_MS,
        round(fix.lon * _E7),
        round(fix.lat * _E7),
        fix.accuracy_m,
        fix.speed_mps,
        fix.altitude_m,
        fix.activity,
        fix.activity_confidence,
        fix.utc_offset_min,
        received_at_ms,
    )


def fix_of(row: Any, *, device: str) -> Positionfix:
    """Return the positionfix of a row whose columns are named, under a device's name."""
    return Positionfix(
        at=from_ms(row.at_ms),
        lon=row.lon_e7 / _E7,
        lat=row.lat_e7 / _E7,
        source=SourceFormat(row.source),
        device=device,
        accuracy_m=row.accuracy_m,
        speed_mps=row.speed_mps,
        altitude_m=row.altitude_m,
        activity=row.activity,
        activity_confidence=row.activity_confidence,
        utc_offset_min=row.utc_offset_min,
    )
