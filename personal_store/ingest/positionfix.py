"""Step 1 of 9 — ingest. In: a file or a message. Out: `Positionfix` rows. Next: trips.

The vocabulary that every parser of this folder shares. It is not a parser and touches no
database. A `Positionfix` is one measured position (trackintel's word); a position that cannot
be one is a `Rejected`, counted with its reason and never silently dropped. An `Evidence` is what
a source that is already cut into stays and legs says of one of them: it is no position.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

from personal_store.ingest.place import JsonPlace


class SourceFormat(StrEnum):
    """Where a positionfix came from, as stored and shown."""

    GPX = "gpx"
    OWNTRACKS_REC = "owntracks-rec"
    OWNTRACKS_LIVE = "owntracks-live"
    OVERLAND_LIVE = "overland-live"
    GPSLOGGER_LIVE = "gpslogger-live"
    TRACCAR_LIVE = "traccar-live"
    GOOGLE_RECORDS = "google-records"
    GOOGLE_TIMELINE_ANDROID = "google-timeline-android"
    GOOGLE_TIMELINE_IOS = "google-timeline-ios"
    GOOGLE_SEMANTIC = "google-semantic"
    FIT = "fit"
    TCX = "tcx"
    KML = "kml"
    GEOJSON = "geojson"
    OVERLAND = "overland"
    NMEA = "nmea"
    CSV = "csv"
    COZY = "cozy-geojson"
    E_MISSION = "e-mission"
    POLARSTEPS = "polarsteps"
    CARPOOL_REGISTER = "carpool-register"
    CARPOOL_JOURNEYS = "carpool-journeys"
    TRANSIT_TAPS = "transit-taps"
    INTERCODE_EVENTS = "intercode-events"
    EXPORT_POSITIONS = "export-positions"
    EXPORT_EVIDENCE = "export-evidence"
    EXPORT_WORDS = "export-words"
    EXPORT_REST = "export-rest"
    ZIP = "zip"


class RejectReason(StrEnum):
    """Why a position of a readable file did not become a positionfix."""

    NO_TIME = "no-time"
    TIME_WITHOUT_OFFSET = "time-without-offset"
    NO_POSITION = "no-position"
    IMPOSSIBLE_COORDINATES = "impossible-coordinates"
    BEFORE_1990 = "before-1990"
    IN_THE_FUTURE = "in-the-future"
    UNREADABLE_ENTRY = "unreadable-entry"
    NOT_ONE_PERSON = "not-one-person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Positionfix:
    """One measured position.

    `at` is aware UTC. `lon` in [-180, 180] and `lat` in [-90, 90] are WGS 84 degrees.
    `accuracy_m`, `speed_mps` and `altitude_m` are None where the source does not know.
    `activity` is the source's own activity label, verbatim, with its confidence in [0, 1].
    `utc_offset_min` is the local time of the place less UTC, where the source states it: it says
    which day it was there.
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
    utc_offset_min: int | None = None

    def __post_init__(self) -> None:
        """Refuse what no receiver can have measured."""
        if self.at.tzinfo is not UTC:
            raise ValueError("expected an aware UTC time")
        if not (-180 <= self.lon <= 180 and -90 <= self.lat <= 90):
            raise ValueError("expected WGS 84 degrees")

    def __repr__(self) -> str:
        """Redact time and place: a log must not tell where somebody was."""
        return f"<Positionfix {self.source} device={self.device!r}>"


def judged_positionfix(  # noqa: PLR0917 -- keywords cost a tenth of the import
    at: datetime,
    lon: float,
    lat: float,
    source: SourceFormat,
    device: str,
    accuracy_m: float | None,
    speed_mps: float | None,
    altitude_m: float | None,
    activity: str | None,
    activity_confidence: float | None,
    utc_offset_min: int | None,
) -> Positionfix:
    """Return a positionfix without checking it again; for `Judge`, which has checked every value.

    Filling an open twin and turning it into a positionfix takes 0.2 us where the constructor of a
    frozen dataclass takes 1.6 us (2026, one core): with four million positions, five seconds.
    """
    fix: Any = _NEW(_OpenPositionfix)
    fix.at = at
    fix.lon = lon
    fix.lat = lat
    fix.source = source
    fix.device = device
    fix.accuracy_m = accuracy_m
    fix.speed_mps = speed_mps
    fix.altitude_m = altitude_m
    fix.activity = activity
    fix.activity_confidence = activity_confidence
    fix.utc_offset_min = utc_offset_min
    fix.__class__ = Positionfix
    done: Positionfix = fix
    return done


_NEW: Final = object.__new__


class _OpenPositionfix:
    """The slots of a positionfix before it is one."""

    __slots__ = tuple(field.name for field in fields(Positionfix))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A position that was read and refused, kept only as a count by reason."""

    reason: RejectReason


class EvidenceKind(StrEnum):
    """What an already segmented source speaks of."""

    VISIT = "visit"
    LEG = "leg"
    JOURNEY = "journey"
    TAP = "tap"
    TAP_OUT = "tap-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceMode:
    """A mode in the source's own words, with its confidence in [0, 1] where it states one.

    What the words mean in modes of travel is for the trip engine to say, not for a parser.
    """

    label: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePlace:
    """A place that a source names, locates (WGS 84 degrees, both or neither), or both."""

    lon: float | None = None
    lat: float | None = None
    name: str | None = None

    def __repr__(self) -> str:
        """Redact the place."""
        return "<EvidencePlace>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What an already segmented source says of one stay, leg, journey or tap.

    `[start, end)` is aware UTC; a tap, in or out, is an instant: its two times are equal.
    `modes` are the source's own labels, the likeliest first. `distance_m` is the source's,
    `occupants` counts everybody in the vehicle, `confidence` in [0, 1] is that of the segment as a
    whole. `origin` is where it began, or the place of a visit or of a tap. `line` is the route of a
    transit line and `reference` the source's own identifier, to know the same fact again.
    """

    kind: EvidenceKind
    start: datetime
    end: datetime
    source: SourceFormat
    device: str
    modes: tuple[SourceMode, ...] = ()
    distance_m: float | None = None
    occupants: int | None = None
    origin: EvidencePlace | None = None
    destination: EvidencePlace | None = None
    line: str | None = None
    confidence: float | None = None
    reference: str | None = None

    def __post_init__(self) -> None:
        """Refuse an interval that no clock can have given."""
        if self.start.tzinfo is not UTC or self.end.tzinfo is not UTC:
            raise ValueError("expected aware UTC times")
        if self.end < self.start:
            raise ValueError("expected an end that is not before the start")

    @property
    def mode(self) -> str | None:
        """Return the likeliest label, None where the source names no mode."""
        return self.modes[0].label if self.modes else None

    def __repr__(self) -> str:
        """Redact times and places: a log must not tell where somebody was."""
        return f"<Evidence {self.kind} {self.source} device={self.device!r}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedMember:
    """A file of an archive that was left out: its name there, and why in both languages."""

    name: str
    fr: str
    en: str


class OwnWordKind(StrEnum):
    """What a resident tells a store, and its export holds."""

    CORRECTION = "correction"
    HABIT = "habit"
    PLACE = "place"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnWord:
    """One word of the resident in an export of a store, as it stands there, unjudged."""

    kind: OwnWordKind
    said: Mapping[str, object]

    def __repr__(self) -> str:
        """Redact what was said: it tells where somebody was."""
        return f"<OwnWord {self.kind}>"


Entry: TypeAlias = Positionfix | Rejected | Evidence | SkippedMember | OwnWord
"""All that a parser may yield; whoever consumes it may leave out what it does not store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumableEntries:
    """Entries of a format that can be read again from the middle.

    `place` says where reading can go on after the entry that was yielded last; None where it can
    only start over.
    """

    entries: Iterator[Entry]
    place: Callable[[], JsonPlace | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFile:
    """A detected file: its format, and a lazy stream of what it holds.

    `entries` may raise an `IngestError` while it is consumed: a truncated file shows itself only
    at its end. `done_bytes` says about how far in the file reading is, `place` as above.
    """

    format: SourceFormat
    entries: Iterator[Entry]
    done_bytes: Callable[[], int]
    place: Callable[[], JsonPlace | None]
