"""Synthetic journeys, written fix by fix."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import cos, radians, sin

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
