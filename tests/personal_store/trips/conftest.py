"""Synthetic journeys, written fix by fix."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import cos, radians, sin
from random import Random

import pytest

from personal_store.ingest.positionfix import Positionfix, SourceFormat

START = datetime(2026, 3, 9, 7, 0, tzinfo=UTC)
METRES_PER_DEGREE = 111_195.0  # of latitude on the sphere of the mean radius


@dataclass
class Journey:
    """A device that moves as told; jitter is a fixed wobble of `jitter_m`, never random."""

    lon: float = -1.15
    lat: float = 46.16
    at: datetime = START
    every_s: float = 10.0
    jitter_m: float = 3.0
    accuracy_m: float | None = 8.0
    source: SourceFormat = SourceFormat.OWNTRACKS_REC
    label: str | None = None
    confidence: float | None = None
    fixes: list[Positionfix] = field(default_factory=list)

    def fix(self, *, accuracy_m: float | None = None) -> "Journey":
        angle = 2.4 * len(self.fixes)
        lat = self.lat + self.jitter_m * sin(angle) / METRES_PER_DEGREE
        lon = self.lon + self.jitter_m * cos(angle) / METRES_PER_DEGREE / cos(radians(self.lat))
        self.fixes.append(
            Positionfix(
                at=self.at,
                lon=(lon + 180) % 360 - 180,
                lat=lat,
                source=self.source,
                device="phone",
                accuracy_m=self.accuracy_m if accuracy_m is None else accuracy_m,
                activity=self.label,
                activity_confidence=self.confidence,
            )
        )
        return self

    def stay(self, *, minutes: float) -> "Journey":
        return self.go(speed_mps=0.0, minutes=minutes)

    def go(self, *, speed_mps: float, minutes: float, bearing_deg: float = 90.0) -> "Journey":
        for _ in range(round(minutes * 60 / self.every_s)):
            self.fix()
            self._advance(speed_mps * self.every_s, bearing_deg, self.every_s)
        return self

    def silent(
        self, *, minutes: float, distance_m: float = 0.0, bearing_deg: float = 90.0
    ) -> "Journey":
        self.fix()
        self._advance(distance_m, bearing_deg, minutes * 60)
        return self

    def _advance(self, distance_m: float, bearing_deg: float, seconds: float) -> None:
        bearing = radians(bearing_deg)
        self.lat += distance_m * cos(bearing) / METRES_PER_DEGREE
        self.lon += distance_m * sin(bearing) / METRES_PER_DEGREE / cos(radians(self.lat))
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def journey() -> Callable[..., Journey]:
    """Return the builder of journeys; keyword arguments set where, when and how it is logged."""
    return Journey


def wander(seed: int, *, days: int, every_s: float) -> list[Positionfix]:
    """Days at two or three places, with rides, jitter, silences, teleports and cell positions."""
    random = Random(seed)
    fixes, at = [], START + timedelta(hours=random.uniform(0, 24))
    place = x = 0.0
    while at < START + timedelta(days=days):
        for _ in range(int(random.choice([2, 20, 60, 400, 900]) * 60 / every_s)):
            at += timedelta(seconds=every_s)
            jitter = random.gauss(0, random.choice([2.0, 2.0, 15.0]))
            if random.random() < 0.004:
                jitter = random.choice([3e4, 9e4, 200.0])
            fixes.append(fix_at(at, x + jitter, random.choice([5.0, 5.0, 30.0, 65.0, 400.0])))
        if random.random() < 0.5:
            at += timedelta(minutes=random.choice([4, 15, 90, 400, 700, 3500]))
            if random.random() < 0.6:
                continue
        place = random.choice([0.0, 300.0, 6_000.0, 40_000.0])
        pace = random.choice([1.4, 6.0, 15.0, 60.0])
        while abs(place - x) > pace * every_s:
            x += pace * every_s * (1 if place > x else -1)
            at += timedelta(seconds=every_s)
            fixes.append(fix_at(at, x + random.gauss(0, 3), 8.0))
    return fixes


def fix_at(at: datetime, metres: float, accuracy_m: float) -> Positionfix:
    return Positionfix(
        at=at,
        lon=-1.15,
        lat=46.0 + metres / 111_195.0,
        source=SourceFormat.OWNTRACKS_LIVE,
        device="phone",
        accuracy_m=accuracy_m,
    )


@pytest.fixture(scope="session")
def history() -> Callable[..., list[Positionfix]]:
    """Return what draws a random history: by seed, days and seconds between fixes."""
    return wander
