"""Tables of positions, one a row, in the column names that loggers and converters use.

A table is one of positions when its header names a latitude, a longitude and a time. Coordinates
are degrees, ten-millionths of a degree (`...E7`, or a whole number past any angle), or carry a
letter (`52.52N`); the decimal sign may be a comma. Times are ISO 8601 with an offset, or counts
since 1970 in s or ms; without an offset they are refused, unless the column's own name says UTC.
Speeds are in m/s unless the name says km/h.

GPSLogger's own header is one of them: https://gpslogger.app (its `time` is UTC, marked Z).
"""

import re
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final

from personal_store.ingest.head import Head
from personal_store.ingest.judge import Judge
from personal_store.ingest.positionfix import Entry
from personal_store.ingest.table import header, read_rows, whole
from personal_store.ingest.values import (
    Refused,
    degrees_from_e7,
    first_of,
    instant,
    label,
    measure,
    utc_offset_min,
)

_UNNAMED_DEVICE: Final = "csv"
_KMH_PER_MPS: Final = 3.6
_LATITUDES: Final = ("lat", "latitude", "latitudee7", "latitude n/s", "lat_deg", "y")
_LONGITUDES: Final = ("lon", "lng", "long", "longitude", "longitudee7", "longitude e/w", "x")
_UTC_TIMES: Final = ("time_utc", "utc_time", "utc", "timestamp_utc", "datetime_utc", "utc time")
_TIMES: Final = (
    "timestamp",
    "time",
    "datetime",
    "date_time",
    "recorded_at",
    "start time",
    "tst",
    "timestamp_ms",
    "date",
)
_ACCURACIES_M: Final = ("accuracy", "acc", "horizontal_accuracy", "accuracy_m", "precision")
_SPEEDS_MPS: Final = ("speed", "velocity", "speed_mps")
_SPEEDS_KMH: Final = ("speed_kmh", "speed_kph", "speed (km/h)", "spd_kph")
_ALTITUDES_M: Final = ("elevation", "altitude", "ele", "alt", "height", "altitude_m")
_DEVICES: Final = ("device", "deviceid", "device_id", "tid", "profile_name", "devicetag")
_ACTIVITIES: Final = ("activity", "motion", "mode")
_LETTERED: Final = re.compile(
    r"(?P<angle>\d{1,3}(?:\.\d{1,20})?)\s*°?\s*(?P<letter>[NSEW])", re.IGNORECASE | re.ASCII
)
_WHOLE: Final = re.compile(r"[+-]?\d{7,10}", re.ASCII)
_FIRST_E7: Final = 1_000_000
"""No angle in degrees comes near; as ten-millionths it is a tenth of a degree from 0."""


def recognises(head: Head) -> bool:
    """Tell whether the header names a latitude, a longitude and a time."""
    names = set(header(head))
    wanted = (_LATITUDES, _LONGITUDES, (*_UTC_TIMES, *_TIMES))
    return all(not names.isdisjoint(aliases) for aliases in wanted)


def parse(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield the positions in file order. Raises as `read_rows` does."""
    for fields in read_rows(stream):
        try:
            row = whole(fields)
            in_utc = first_of(row, _UTC_TIMES)
            at = first_of(row, _TIMES) if in_utc is None else in_utc
            yield judge.positionfix(
                at=instant(at, naive_is_utc=in_utc is not None),
                lat=_degrees(row, _LATITUDES),
                lon=_degrees(row, _LONGITUDES),
                device=label(first_of(row, _DEVICES)) or _UNNAMED_DEVICE,
                accuracy_m=_decimal(first_of(row, _ACCURACIES_M)),
                speed_mps=_speed_mps(row),
                altitude_m=_decimal(first_of(row, _ALTITUDES_M)),
                activity=first_of(row, _ACTIVITIES),
                utc_offset_min=utc_offset_min(at),
            )
        except Refused as refused:
            yield refused.rejected


def _degrees(row: Mapping[str, str], names: tuple[str, ...]) -> object:
    name = next((name for name in names if row.get(name, "").strip()), None)
    if name is None:
        return None
    text = str(_decimal(row[name])).strip()
    if name.endswith("e7") or (_WHOLE.fullmatch(text) and abs(int(text)) >= _FIRST_E7):
        return degrees_from_e7(text)
    lettered = _LETTERED.fullmatch(text)
    if lettered is None:
        return text
    is_negative = lettered["letter"].upper() in "SW"
    return -float(lettered["angle"]) if is_negative else float(lettered["angle"])


def _decimal(raw: object) -> object:
    """Return a text with its decimal comma turned into a point; where it has both, it stays."""
    is_comma = isinstance(raw, str) and raw.count(",") == 1 and "." not in raw
    return raw.replace(",", ".") if is_comma and isinstance(raw, str) else raw


def _speed_mps(row: Mapping[str, str]) -> object:
    speed_kmh = measure(_decimal(first_of(row, _SPEEDS_KMH)), at_least=0)
    return _decimal(first_of(row, _SPEEDS_MPS)) if speed_kmh is None else speed_kmh / _KMH_PER_MPS
