"""FIT activities: the records of a watch or a bike computer.

A `record` with a position is a positionfix; one without (indoors) gives nothing. A `session` is
evidence of a leg, with the sport that the watch was set to. Altitudes and speeds come from the
enhanced fields where both are there. Courses, workouts and settings are plans: refused as such.
`fit_messages.py` reads the container.

All times are UTC. The wall clock of the watch stands once, in the `activity` message, which most
devices write last: it is looked for first, so that every position has its local day.

Spec: Garmin FIT SDK, profile 21 (messages file_id, session, record, activity).
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Final

from personal_store.errors import IngestError
from personal_store.ingest import refusals
from personal_store.ingest.fit_messages import Message, read_messages
from personal_store.ingest.head import Head
from personal_store.ingest.judge import Judge, evidence_place
from personal_store.ingest.limits import FIT_CHAINED_FILES
from personal_store.ingest.positionfix import Entry, EvidenceKind, EvidencePlace, RejectReason
from personal_store.ingest.values import Refused

_UNNAMED_DEVICE: Final = "fit"
_FIT_MARK: Final = b".FIT"
_FILE_ID: Final = 0
_SESSION: Final = 18
_RECORD: Final = 20
_ACTIVITY: Final = 34
_TIMESTAMP: Final = 253
_LOCAL_TIMESTAMP: Final = 5
_QUARTER_MIN: Final = 15
_QUARTER_S: Final = 900
_FARTHEST_QUARTERS: Final = 56
_BESIDE_S: Final = 60
_ACTIVITY_FILE: Final = 4
_EPOCH: Final = datetime(1989, 12, 31, tzinfo=UTC)
# Below, a time counts from when the device was switched on, which no file tells.
_FIRST_DATE_S: Final = 0x10000000
_DEGREES_PER_SEMICIRCLE: Final = 180 / 2**31
_SPORTS: Final = {
    0: "generic",
    1: "running",
    2: "cycling",
    5: "swimming",
    10: "training",
    11: "walking",
    12: "cross_country_skiing",
    13: "alpine_skiing",
    15: "rowing",
    17: "hiking",
    21: "e_biking",
    22: "motorcycling",
    23: "boating",
    24: "driving",
    27: "horseback_riding",
    30: "inline_skating",
}


def recognises(head: Head) -> bool:
    """Tell whether the file has FIT's mark."""
    return head.raw[8:12] == _FIT_MARK


def parse(stream: BinaryIO, judge: Judge) -> Iterator[Entry]:
    """Yield the positions in file order, and each session where it stands (often at the end).

    Raises as `read_messages` does, and `WrongFile` for a plan.
    """
    offsets_min = _offsets_min(stream)
    stream.seek(0)
    device, file = _UNNAMED_DEVICE, 0
    for message in read_messages(stream, wanted=_WANTED):
        if message.number == _FILE_ID:
            file += 1
            device = _device(message.values)
            if message.values.get(0) not in {None, _ACTIVITY_FILE}:
                raise refusals.no_activity()
            continue
        try:
            if message.number == _SESSION:
                entry = _session(message, device, judge)
            else:
                entry = _record(message, device, judge, offsets_min.get(file))
        except Refused as refused:
            entry = refused.rejected
        if entry is not None:
            yield entry


_WANTED: Final[Mapping[int, frozenset[int]]] = {
    _FILE_ID: frozenset({0, 1, 2, 3}),
    _SESSION: frozenset({_TIMESTAMP, 2, 3, 4, 5, 7, 9, 38, 39}),
    _RECORD: frozenset({_TIMESTAMP, 0, 1, 2, 6, 31, 73, 78}),
}


def _device(file_id: Mapping[int, float]) -> str:
    """Return a name that keeps two watches of one person apart."""
    serial = file_id.get(3)
    return _UNNAMED_DEVICE if serial is None else f"{_UNNAMED_DEVICE} {int(serial)}"


def _offsets_min(stream: BinaryIO) -> dict[int, int]:
    """Return the offset from UTC that each file of the chain states, by its number from 1 on.

    What is damaged ends the look; the reading that follows says so.
    """
    found: dict[int, int] = {}
    file = 0
    with suppress(IngestError):
        for message in read_messages(stream, wanted=_CLOCKS, checked=False):
            if message.number == _FILE_ID:
                file += 1
            elif (offset_min := _offset_min(message)) and len(found) < FIT_CHAINED_FILES:
                found[file] = offset_min
    return found


_CLOCKS: Final[Mapping[int, frozenset[int]]] = {
    _FILE_ID: frozenset(),
    _ACTIVITY: frozenset({_LOCAL_TIMESTAMP}),
}


def _offset_min(activity: Message) -> int | None:
    """Return how far the watch's wall clock is from UTC, None where no zone can be.

    Zones differ by quarters of an hour; a clock that was set by hand is some seconds beside.
    None at zero too, as for the "Z" of a text: devices without a zone write UTC twice.
    """
    utc_s, wall_s = activity.timestamp_s, activity.values.get(_LOCAL_TIMESTAMP)
    if utc_s is None or wall_s is None:
        return None
    quarters = round((wall_s - utc_s) / _QUARTER_S)
    is_zone = abs(wall_s - utc_s - quarters * _QUARTER_S) <= _BESIDE_S
    is_zone = is_zone and 0 < abs(quarters) <= _FARTHEST_QUARTERS
    return quarters * _QUARTER_MIN if is_zone else None


def _record(
    message: Message, device: str, judge: Judge, utc_offset_min: int | None
) -> Entry | None:
    values = message.values
    lat, lon = values.get(0), values.get(1)
    if lat is None and lon is None:
        return None
    speed_mmps = values.get(73, values.get(6))
    altitude = values.get(78, values.get(2))
    return judge.positionfix(
        at=_instant(message.timestamp_s),
        lat=None if lat is None else lat * _DEGREES_PER_SEMICIRCLE,
        lon=None if lon is None else lon * _DEGREES_PER_SEMICIRCLE,
        device=device,
        accuracy_m=values.get(31),
        speed_mps=None if speed_mmps is None else speed_mmps / 1000,
        altitude_m=None if altitude is None else altitude / 5 - 500,
        utc_offset_min=utc_offset_min,
    )


def _session(message: Message, device: str, judge: Judge) -> Entry | None:
    values = message.values
    sport = values.get(5)
    if sport is None or 2 not in values:
        return None
    start = _instant(values[2])
    elapsed_ms, distance_cm = values.get(7), values.get(9)
    end = _instant(message.timestamp_s)
    return judge.evidence(
        kind=EvidenceKind.LEG,
        start=start,
        end=end if elapsed_ms is None else start + timedelta(milliseconds=elapsed_ms),
        device=device,
        modes=((_SPORTS.get(int(sport), f"sport {int(sport)}"), None),),
        distance_m=None if distance_cm is None else distance_cm / 100,
        origin=_place(values.get(3), values.get(4)),
        destination=_place(values.get(38), values.get(39)),
    )


def _instant(timestamp_s: float | None) -> datetime:
    if timestamp_s is None or timestamp_s < _FIRST_DATE_S:
        raise Refused(RejectReason.NO_TIME)
    return _EPOCH + timedelta(seconds=timestamp_s)


def _place(lat: float | None, lon: float | None) -> EvidencePlace | None:
    if lat is None or lon is None:
        return None
    return evidence_place(lat=lat * _DEGREES_PER_SEMICIRCLE, lon=lon * _DEGREES_PER_SEMICIRCLE)
