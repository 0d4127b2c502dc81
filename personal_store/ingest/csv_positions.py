"""Tables of positions, one a row, in the column names that loggers and converters use.

A table is one of positions when its header names a latitude, a longitude and a time. Coordinates
are degrees, ten-millionths of a degree (`...E7`, or a whole number past any angle), or carry a
letter (`52.52N`); the decimal sign may be a comma. Times are ISO 8601 with an offset, or counts
since 1970 in s or ms; a day and its hour may stand apart, and days come before months where columns
have French names. Without an offset they are UTC where the column's own name says so, those of home
where the resident says so, and else refused. Speeds are in m/s unless the name says km/h.

GPSLogger's own header is one of them: https://gpslogger.app (its `time` is UTC, marked Z).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Final

from personal_store.ingest import refusals
from personal_store.ingest.head import Head
from personal_store.ingest.judge import Judge
from personal_store.ingest.positionfix import Entry, RejectReason
from personal_store.ingest.table import header, open_table, whole
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
_LATITUDES: Final = (
    "lat",
    "latitude",
    "latitudee7",
    "latitude n/s",
    "lat_deg",
    "latitude (°)",
    "lat (°)",
    "latitude wgs84",
    "y",
)
_LONGITUDES: Final = (
    "lon",
    "lng",
    "long",
    "longitude",
    "longitudee7",
    "longitude e/w",
    "lon_deg",
    "longitude (°)",
    "lon (°)",
    "long (°)",
    "longitude wgs84",
    "x",
)
_UTC_TIMES: Final = (
    "time_utc",
    "utc_time",
    "utc",
    "timestamp_utc",
    "datetime_utc",
    "utc time",
    "heure utc",
    "heure_utc",
    "horodatage utc",
    "horodatage_utc",
)
_TIMES: Final = (
    "timestamp",
    "time",
    "datetime",
    "date_time",
    "recorded_at",
    "start time",
    "tst",
    "timestamp_ms",
    "horodatage",
    "horodate",
    "date heure",
    "date_heure",
    "dateheure",
    "date/heure",
    "date et heure",
    "date",
    "heure",
)
_DATES: Final = ("date", "jour")
_HOURS: Final = ("heure", "time", "hour")
_ACCURACIES_M: Final = (
    "accuracy",
    "acc",
    "horizontal_accuracy",
    "accuracy_m",
    "accuracy (m)",
    "precision",
    "precision (m)",
    "precision_m",
)
_SPEEDS_MPS: Final = (
    "speed",
    "velocity",
    "speed_mps",
    "speed (m/s)",
    "vitesse",
    "vitesse (m/s)",
    "vitesse_ms",
)
_SPEEDS_KMH: Final = (
    "speed_kmh",
    "speed_kph",
    "speed (km/h)",
    "spd_kph",
    "vitesse (km/h)",
    "vitesse_kmh",
    "vitesse km/h",
)
_ALTITUDES_M: Final = (
    "elevation",
    "altitude",
    "ele",
    "alt",
    "height",
    "altitude_m",
    "altitude (m)",
    "elevation (m)",
)
_DEVICES: Final = (
    "device",
    "deviceid",
    "device_id",
    "tid",
    "profile_name",
    "devicetag",
    "appareil",
)
_ACTIVITIES: Final = ("activity", "motion", "mode", "activite")
_FRENCH_WORD: Final = re.compile(r"heure|horodat|vitesse|jour|appareil|activite")
"""In the name of a column, it says that days are written before months."""
_HOUR: Final = re.compile(r"\d{1,2}:\d\d(:\d\d([.,]\d{1,9})?)?", re.ASCII)
_DAY_FIRST: Final = re.compile(
    r"\s*(?P<day>\d{1,2})[/.-](?P<month>\d{1,2})[/.-](?P<year>\d{4})(?=[ T])", re.ASCII
)
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
    """Yield the positions in file order.

    Raises as `open_table` does, and `WrongFile` where the first time has no offset and nobody said
    whose it is.
    """
    table = open_table(stream)
    columns = _Columns(table.names)
    for number, fields in enumerate(table.rows):
        try:
            yield _entry(columns, whole(fields), judge)
        except Refused as refused:
            if refused.reason is RejectReason.TIME_WITHOUT_OFFSET and not number:
                raise refusals.times_without_offset(columns.time_name) from None
            yield refused.rejected


class _Columns:
    """The columns that a table has, of all that are known: looked for once, not in every row."""

    def __init__(self, names: tuple[str, ...]) -> None:
        def known(aliases: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(alias for alias in aliases if alias in names)

        self.latitudes, self.longitudes = known(_LATITUDES), known(_LONGITUDES)
        self.utc_times, self.times = known(_UTC_TIMES), known(_TIMES)
        self.dates, self.hours = known(_DATES), known(_HOURS)
        self.accuracies_m, self.altitudes_m = known(_ACCURACIES_M), known(_ALTITUDES_M)
        self.speeds_mps, self.speeds_kmh = known(_SPEEDS_MPS), known(_SPEEDS_KMH)
        self.devices, self.activities = known(_DEVICES), known(_ACTIVITIES)
        self.is_french = any(map(_FRENCH_WORD.search, names))

    @property
    def time_name(self) -> str:
        """The name of the column of times, as it may be shown."""
        return label((*self.times, *self.dates, "")[0]) or "?"

    def time(self, row: Mapping[str, str]) -> object:
        """Return what a row says of its time, its day and its hour joined where they are apart."""
        at, hour = first_of(row, self.times), first_of(row, self.hours)
        if isinstance(hour, str) and _HOUR.fullmatch(hour.strip()):
            two_digits = hour.strip().rjust(len("00:00") if hour.count(":") == 1 else 8, "0")
            return f"{first_of(row, self.dates) or ''} {two_digits}"
        return at


@dataclass(frozen=True, slots=True, kw_only=True)
class _Time:
    """A time, and the offset from UTC of its place where that is known."""

    at: datetime
    offset_min: int | None


def _entry(columns: _Columns, row: Mapping[str, str], judge: Judge) -> Entry:
    time = _time(columns, row, judge)
    return judge.positionfix(
        at=time.at,
        lat=_degrees(row, columns.latitudes),
        lon=_degrees(row, columns.longitudes),
        device=label(first_of(row, columns.devices)) or _UNNAMED_DEVICE,
        accuracy_m=_decimal(first_of(row, columns.accuracies_m)),
        speed_mps=_speed_mps(row, columns),
        altitude_m=_decimal(first_of(row, columns.altitudes_m)),
        activity=first_of(row, columns.activities),
        utc_offset_min=time.offset_min,
    )


def _time(columns: _Columns, row: Mapping[str, str], judge: Judge) -> _Time:
    in_utc = first_of(row, columns.utc_times)
    raw = columns.time(row) if in_utc is None else in_utc
    if columns.is_french:
        raw = _year_first(raw)
    try:
        at = instant(raw, naive_in=None if in_utc is None else UTC)
        return _Time(at=at, offset_min=utc_offset_min(raw))
    except Refused as refused:
        zone = judge.local_zone
        if zone is None or refused.reason is not RejectReason.TIME_WITHOUT_OFFSET:
            raise
    at = instant(raw, naive_in=zone)
    away = at.astimezone(zone).utcoffset() or timedelta()
    return _Time(at=at, offset_min=away // timedelta(minutes=1))


def _year_first(raw: object) -> object:
    """Return a time whose day stands first, as France writes it, with its year first."""
    found = _DAY_FIRST.match(raw) if isinstance(raw, str) else None
    if found is None or not isinstance(raw, str):
        return raw
    day, month = found["day"].zfill(2), found["month"].zfill(2)
    return f"{found['year']}-{month}-{day}{raw[found.end() :]}"


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


def _speed_mps(row: Mapping[str, str], columns: _Columns) -> object:
    speed_kmh = measure(_decimal(first_of(row, columns.speeds_kmh)), at_least=0)
    if speed_kmh is not None:
        return speed_kmh / _KMH_PER_MPS
    return _decimal(first_of(row, columns.speeds_mps))
