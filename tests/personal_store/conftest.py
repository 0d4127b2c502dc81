"""A store of one's own for each test: real database, fixed clock, noise that can be told again."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from personal_store.db.connection import open_database
from personal_store.store import Store
from personal_store.transport import HttpTransport
from personal_store.vault import DatabaseKey

NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)  # the Wednesday after the week 2026-W46


@dataclass(slots=True)
class FixedClock:
    """A clock that moves only when told."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by


@dataclass(slots=True)
class CountingNoise:
    """Adds 1000 times the number of the draw: what was drawn when can be read off the vector."""

    draws: int = 0

    def laplace(self, values: Sequence[int], scale: Fraction) -> tuple[int, ...]:
        assert scale > 0
        self.draws += 1
        return tuple(value + 1000 * self.draws for value in values)


@dataclass(slots=True)
class SeededBytes:
    """Randomness that repeats from one run to the next."""

    generator: random.Random = field(default_factory=lambda: random.Random(2))

    def __call__(self, length_bytes: int) -> bytes:
        return self.generator.randbytes(length_bytes)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def noise() -> CountingNoise:
    return CountingNoise()


@pytest.fixture
def key() -> DatabaseKey:
    return DatabaseKey(random.Random(1).randbytes(32))


@pytest.fixture
def store(
    tmp_path: Path, key: DatabaseKey, clock: FixedClock, noise: CountingNoise
) -> Iterator[Store]:
    """Return an unlocked store in a folder of its own; it would reach a cooperative by HTTP."""
    folder = tmp_path / "store"
    folder.mkdir(mode=0o700)
    opened = Store(
        folder=folder,
        engine=open_database(folder, key),
        clock=clock,
        noise=noise,
        randomness=SeededBytes(),
        connect=HttpTransport,
    )
    yield opened
    opened.engine.dispose()
