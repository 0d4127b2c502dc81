"""Step 1 of 9 — ingest. In: a file or a message. Out: `Positionfix` rows. Next: trips.

The vocabulary that every parser of this folder shares. It is not a parser and touches no
database. A `Positionfix` is one measured position (trackintel's word); a position that cannot
be one is a `Rejected`, counted with its reason and never silently dropped.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class SourceFormat(StrEnum):
    """Where a positionfix came from, as stored and shown."""

    GPX = "gpx"
    OWNTRACKS_REC = "owntracks-rec"
    OWNTRACKS_LIVE = "owntracks-live"
    GOOGLE_RECORDS = "google-records"
    GOOGLE_TIMELINE_ANDROID = "google-timeline-android"
    GOOGLE_TIMELINE_IOS = "google-timeline-ios"


class RejectReason(StrEnum):
    """Why a position of a readable file did not become a positionfix."""

    NO_TIME = "no-time"
    NO_POSITION = "no-position"
    IMPOSSIBLE_COORDINATES = "impossible-coordinates"
    BEFORE_1990 = "before-1990"
    IN_THE_FUTURE = "in-the-future"
    UNREADABLE_ENTRY = "unreadable-entry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Positionfix:
    """One measured position.

    `at` is aware UTC. `lon` in [-180, 180] and `lat` in [-90, 90] are WGS 84 degrees.
    `accuracy_m`, `speed_mps` and `altitude_m` are None where the source does not know.
    `activity` is the source's own activity label, verbatim, with its confidence in [0, 1].
    """

    at: datetime
    lon: float
    lat: float
    source: SourceFormat
    device: str
    accuracy_m: float | None = None
    speed_mps: float | None = None
    altitude_m: float | None = None
    activity: str | None = None
    activity_confidence: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no receiver can have measured."""
        if self.at.tzinfo is not UTC:
            raise ValueError("expected an aware UTC time")
        if not (-180 <= self.lon <= 180 and -90 <= self.lat <= 90):
            raise ValueError("expected WGS 84 degrees")

    def __repr__(self) -> str:
        """Redact time and place: a log must not tell where somebody was."""
        return f"<Positionfix {self.source} device={self.device!r}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A position that was read and refused, kept only as a count by reason."""

    reason: RejectReason


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFile:
    """A detected file: its format, and a lazy stream of what it holds.

    `entries` may raise an `IngestError` while it is consumed (a truncated file shows itself only
    at its end): the caller imports inside one transaction.
    """

    format: SourceFormat
    entries: Iterator[Positionfix | Rejected]
