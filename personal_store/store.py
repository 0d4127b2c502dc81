"""The composition root: an unlocked store, with the outside world that it was given.

Commands, pages and tests all work on a `Store`; tests give another clock, noise, randomness or way
to the cooperative, and nothing else changes.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from contributions.noise import NoiseSource, OpenDPLaplace
from personal_store import home_zone
from personal_store.clock import Clock, SystemClock
from personal_store.db.connection import open_database
from personal_store.transport import HttpTransport, Transport
from personal_store.vault import DatabaseKey

Randomness = Callable[[int], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """An unlocked database and what is around it: time, noise, randomness, the network."""

    folder: Path
    engine: Engine
    clock: Clock
    noise: NoiseSource
    randomness: Randomness
    connect: Callable[[str], Transport]


def open_store(folder: Path, key: DatabaseKey) -> Store:
    """Open the store of a data folder on the real world, and live in its time zone.

    Raises UnknownSchema when another version of the program wrote it.
    """
    engine = open_database(folder, key)
    home_zone.adopt(engine)
    return Store(
        folder=folder,
        engine=engine,
        clock=SystemClock(),
        noise=OpenDPLaplace(),
        randomness=secrets.token_bytes,
        connect=HttpTransport,
    )
