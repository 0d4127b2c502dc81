"""Turn the positionfixes of each device into trips, where something new has come in."""

from dataclasses import dataclass

from sqlalchemy import Engine

from personal_store.db import positionfixes, trips
from personal_store.db.connection import writing


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
    # Imported here: the trip engine brings numpy, 12 MB that an idle server does without.
    from personal_store.trips.segment import segment  # noqa: PLC0415

    recomputed = 0
    with writing(engine) as connection:
        for device in positionfixes.devices(connection):
            newest = positionfixes.newest_id(connection, device=device)
            if not everything and newest == trips.processed_up_to(connection, device):
                continue
            timeline = segment(positionfixes.of_device(connection, device))
            trips.replace(connection, timeline, newest_fix_id=newest)
            recomputed += 1
        return PipelineReport(
            devices_recomputed=recomputed,
            positionfixes=positionfixes.count(connection),
            trips=trips.count(connection),
        )
