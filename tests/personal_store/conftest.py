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


MONDAY = datetime(2026, 11, 9, 7, tzinfo=UTC)  # of the week 2026-W46
METRES_PER_DEGREE = 111_195.0  # of latitude


@dataclass(slots=True)
class Outing:
    """A device that stays, goes north, and stays: one trip, as (time, lon, lat) every 10 s."""

    start: datetime = MONDAY
    speed_mps: float = 5.0
    moving_s: int = 900
    staying_s: int = 1200
    every_s: int = 10

    @property
    def points(self) -> list[tuple[datetime, float, float]]:
        points = []
        for elapsed_s in range(0, self.moving_s + 2 * self.staying_s, self.every_s):
            moved_s = min(max(elapsed_s - self.staying_s, 0), self.moving_s)
            # A receiver never says the same position twice: a metre or two of wobble.
            wobble_deg = ((elapsed_s * 7919) % 5 - 2) / METRES_PER_DEGREE
            lat = 46.16 + moved_s * self.speed_mps / METRES_PER_DEGREE + wobble_deg
            at = self.start + timedelta(seconds=elapsed_s)
            points.append((at, round(-1.15 + wobble_deg, 7), round(lat, 7)))
        return points

    @property
    def distance_m(self) -> float:
        return self.moving_s * self.speed_mps

    def gpx(self, device: str = "telephone") -> str:
        rows = "\n".join(
            f'<trkpt lat="{lat}" lon="{lon}"><time>{at:%Y-%m-%dT%H:%M:%SZ}</time></trkpt>'
            for at, lon, lat in self.points
        )
        return (
            f'<gpx version="1.1" creator="{device}" xmlns="http://www.topografix.com/GPX/1/1">'
            f"<trk><trkseg>\n{rows}\n</trkseg></trk></gpx>"
        )


@pytest.fixture
def outing() -> type[Outing]:
    return Outing


@pytest.fixture
def gpx_file(tmp_path: Path) -> Path:
    """Return the GPX file of one outing of 4.5 km on the Monday of 2026-W46."""
    file = tmp_path / "monday.gpx"
    file.write_text(Outing().gpx())
    return file
