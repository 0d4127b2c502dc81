"""NMEA 0183 logs: the RMC sentences, the only ones that say where, when and on which day.

Each sentence carries a checksum that must be there and right. Latitude is `ddmm.mmmm`, longitude
`dddmm.mmmm`, speed is in knots, status `V` means that the receiver had no fix. Other sentences
(GGA has a time and no day) and other programs' lines give nothing. There is no accuracy in metres.

Spec: NMEA 0183 as receivers publish it (for instance u-blox, Interface Description, RMC).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO, Final

from personal_store.ingest import refusals
from personal_store.ingest.head import Head, Shape
from personal_store.ingest.judge import Judge
from personal_store.ingest.limits import LINE_BYTES
from personal_store.ingest.positionfix import Entry, Positionfix, RejectReason
from personal_store.ingest.values import Refused, measure

_DEVICE: Final = "nmea"
_FIRST_LINE: Final = re.compile(rb"\$(?:G[A-Z][A-Z]{3}|BD[A-Z]{3}|P[A-Z]{2,5})[A-Z0-9]*,")
_RMC: Final = re.compile(rb"\s*\$(?P<body>[A-Z]{2}RMC,[^*]*)\*(?P<sum>[0-9A-Fa-f]{2})\s*")
_IS_RMC: Final = re.compile(rb"\s*\$[A-Z]{2}RMC,")
_CLOCK: Final = re.compile(r"(\d\d)(\d\d)(\d\d)(?:\.(\d{1,6}))?", re.ASCII)
_DAY: Final = re.compile(r"(\d\d)(\d\d)(\d\d)", re.ASCII)
_ANGLE: Final = re.compile(r"(?P<degrees>\d{1,3})(?P<minutes>\d\d(?:\.\d+)?)", re.ASCII)
_SIGNS: Final = {"N": 1, "E": 1, "S": -1, "W": -1}
_MPS_PER_KNOT: Final = 1852 / 3600
_FIELDS: Final = 10
_MINUTES_A_DEGREE: Final = 60
_GPS_CENTURY: Final = 80
"""Two digits of a year from here on are of the 1900s: GPS began in 1980."""


def recognises(head: Head) -> bool:
    """Tell whether the first line that is not blank is a sentence of a receiver."""
    return head.shape is Shape.TEXT and _FIRST_LINE.match(head.raw.lstrip()) is not None


def parse(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield the positions of the RMC sentences in file order.

    A damaged sentence is one rejected entry: serial lines lose bytes and go on.
    Raises `HostileFile` for a line over `LINE_BYTES`.
    """
    while line := stream.readline(LINE_BYTES + 1):
        if len(line) > LINE_BYTES:
            raise refusals.entry_too_long()
        if _IS_RMC.match(line):
            try:
                yield _positionfix(line, judge)
            except Refused as refused:
                yield refused.rejected


def _positionfix(line: bytes, judge: Judge) -> Positionfix:
    sentence = _RMC.fullmatch(line)
    if sentence is None or _checksum(sentence["body"]) != int(sentence["sum"], 16):
        raise Refused(RejectReason.UNREADABLE_ENTRY)
    fields = sentence["body"].decode("ascii", "replace").split(",")
    if len(fields) < _FIELDS:
        raise Refused(RejectReason.UNREADABLE_ENTRY)
    _, clock, status, lat, north_south, lon, east_west, knots, _, day = fields[:_FIELDS]
    if status != "A":
        raise Refused(RejectReason.NO_POSITION)
    speed_knots = measure(knots, at_least=0)
    return judge.positionfix(
        at=_instant(day, clock),
        lat=_angle(lat, north_south),
        lon=_angle(lon, east_west),
        device=_DEVICE,
        speed_mps=None if speed_knots is None else speed_knots * _MPS_PER_KNOT,
    )


def _checksum(body: bytes) -> int:
    total = 0
    for byte in body:
        total ^= byte
    return total


def _instant(day: str, clock: str) -> datetime:
    date_parts, clock_parts = _DAY.fullmatch(day), _CLOCK.fullmatch(clock)
    if date_parts is None or clock_parts is None:
        raise Refused(RejectReason.UNREADABLE_ENTRY if day and clock else RejectReason.NO_TIME)
    day_of_month, month, year = map(int, date_parts.groups())
    hour, minute, second = map(int, clock_parts.groups()[:3])
    microsecond = int((clock_parts[4] or "0").ljust(6, "0"))
    year += 1900 if year >= _GPS_CENTURY else 2000
    try:
        return datetime(year, month, day_of_month, hour, minute, second, microsecond, tzinfo=UTC)
    except ValueError:
        raise Refused(RejectReason.UNREADABLE_ENTRY) from None


def _angle(text: str, letter: str) -> float | None:
    if not text:
        return None
    angle = _ANGLE.fullmatch(text) if len(text) <= 16 else None
    if angle is None or letter not in _SIGNS or float(angle["minutes"]) >= _MINUTES_A_DEGREE:
        raise Refused(RejectReason.UNREADABLE_ENTRY)
    degrees = int(angle["degrees"]) + float(angle["minutes"]) / _MINUTES_A_DEGREE
    return _SIGNS[letter] * degrees
