"""Turn the positionfixes of each device into trips, where something new has come in."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from personal_store.db import positionfixes, trips
from personal_store.db.connection import reading, writing


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineReport:
    """How many devices were recomputed, and what the store now holds."""

    devices_recomputed: int
    positionfixes: int
    trips: int


def run_once(engine: Engine, *, everything: bool = False) -> PipelineReport:
    """Recompute the devices that have new positionfixes, or every device.

    A device without anything new is left as it is, unless `everything` asks: a newer version of the
    trip engine reads an old history differently.
    """
    with reading(engine) as connection:
        recomputed = len(_stale(connection, everything=everything))
    if recomputed:
        # Only now: a page that has nothing new to compute must not wait for an import to end.
        with writing(engine) as connection:
            recomputed = _recompute(connection, _stale(connection, everything=everything))
    with reading(engine) as connection:
        return PipelineReport(
            devices_recomputed=recomputed,
            positionfixes=positionfixes.count(connection),
            trips=trips.count(connection),
        )


def _stale(connection: Connection, *, everything: bool) -> dict[str, int]:
    """Return the newest positionfix id of each device to compute."""
    newest = {
        device: positionfixes.newest_id(connection, device=device)
        for device in positionfixes.devices(connection)
    }
    return {
        device: fix_id
        for device, fix_id in newest.items()
        if everything or fix_id != trips.processed_up_to(connection, device)
    }


def _recompute(connection: Connection, stale: Mapping[str, int]) -> int:
    # Imported here: the trip engine brings numpy, 12 MB that an idle server does without.
    from personal_store.trips.segment import segment  # noqa: PLC0415

    for device, newest in stale.items():
        timeline = segment(positionfixes.of_device(connection, device))
        trips.replace(connection, timeline, newest_fix_id=newest)
    return len(stale)
