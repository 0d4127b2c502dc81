"""Name trips so that links keep working when a trip is computed again and moves a little.

A name is made of the ten minutes in which the trip starts and a digest of its device: it says
when, never where. Two trips of one device in the same ten minutes are numbered.

>>> slot_name("telephone", datetime(2026, 11, 9, 7, 23, tzinfo=UTC))
'20261109-0720-733972'
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from personal_store.trips.timeline import Trip

SLOT = timedelta(minutes=10)
FOUND_WITHIN = timedelta(minutes=30)
"""A trip whose start moved further than this is another trip."""

_NAME = re.compile(r"(\d{8}-\d{4})-([0-9a-f]{6})(?:-\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What a name says: the start of its ten minutes, and the digest of its device."""

    start: datetime
    device_digest: str


def slot_name(device: str, start: datetime) -> str:
    """Return the name of the ten minutes of a device in which `start` lies."""
    floor = start.astimezone(UTC) - timedelta(
        minutes=start.minute % 10, seconds=start.second, microseconds=start.microsecond
    )
    return f"{floor:%Y%m%d-%H%M}-{device_digest(device)}"


def device_digest(device: str) -> str:
    """Return six hexadecimal digits that tell the devices of one resident apart."""
    return sha256(device.encode()).hexdigest()[:6]


def names(trips: Sequence[Trip]) -> list[str]:
    """Return the name of each trip; `trips` are in time order, and complete for their slots."""
    seen: Counter[str] = Counter()
    given = []
    for trip in trips:
        name = slot_name(trip.device, trip.start)
        seen[name] += 1
        given.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return given


def read_name(name: str) -> Slot | None:
    """Return what a name says, None when it is not one."""
    parts = _NAME.fullmatch(name)
    if parts is None:
        return None
    try:
        start = datetime.strptime(parts[1], "%Y%m%d-%H%M").replace(tzinfo=UTC)
    except ValueError:
        return None
    return Slot(start=start, device_digest=parts[2])
