"""The formats that are read: one module and one row each.

To add a format, write its module (`recognises(head)` and `parse(stream, judge)`), its member of
`SourceFormat`, and a row here. Rows are asked in order: the narrower description comes first.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from personal_store.ingest import (
    carpool,
    cozy,
    csv_positions,
    e_mission,
    fit,
    geojson,
    google_records,
    google_timeline,
    gpx,
    kml,
    nmea,
    own_export,
    owntracks,
    polarsteps,
    semantic_history,
    tcx,
    transit,
)
from personal_store.ingest.head import Head
from personal_store.ingest.judge import Judge
from personal_store.ingest.place import JsonPlace
from personal_store.ingest.positionfix import Entry, ResumableEntries, SourceFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One format: how a file of it is known, and how its entries are read.

    `parse` takes a stream at its beginning, yields entries lazily, and raises an `IngestError`
    where the content turns out truncated, damaged or hostile. `resume`, where a format has it,
    reads on from a place in the middle.
    """

    format: SourceFormat
    recognises: Callable[[Head], bool]
    parse: Callable[[BinaryIO, Judge], Iterator[Entry]]
    resume: Callable[[BinaryIO, Judge, JsonPlace | None], ResumableEntries] | None = None


READERS: Final = (
    Reader(
        format=SourceFormat.EXPORT_POSITIONS,
        recognises=own_export.recognises_positions,
        parse=own_export.parse_positions,
    ),
    Reader(
        format=SourceFormat.EXPORT_EVIDENCE,
        recognises=own_export.recognises_evidence,
        parse=own_export.parse_evidence,
    ),
    Reader(
        format=SourceFormat.EXPORT_WORDS,
        recognises=own_export.recognises_words,
        parse=own_export.parse_words,
    ),
    Reader(
        format=SourceFormat.EXPORT_REST,
        recognises=own_export.recognises_rest,
        parse=own_export.parse_rest,
    ),
    Reader(
        format=SourceFormat.GPX,
        recognises=gpx.recognises,
        parse=gpx.parse,
    ),
    Reader(
        format=SourceFormat.FIT,
        recognises=fit.recognises,
        parse=fit.parse,
    ),
    Reader(
        format=SourceFormat.TCX,
        recognises=tcx.recognises,
        parse=tcx.parse,
    ),
    Reader(
        format=SourceFormat.KML,
        recognises=kml.recognises,
        parse=kml.parse,
    ),
    Reader(
        format=SourceFormat.OWNTRACKS_REC,
        recognises=owntracks.recognises,
        parse=owntracks.parse,
    ),
    Reader(
        format=SourceFormat.NMEA,
        recognises=nmea.recognises,
        parse=nmea.parse,
    ),
    Reader(
        format=SourceFormat.GOOGLE_RECORDS,
        recognises=google_records.recognises,
        parse=google_records.parse,
        resume=google_records.resume,
    ),
    Reader(
        format=SourceFormat.GOOGLE_TIMELINE_ANDROID,
        recognises=google_timeline.recognises_android,
        parse=google_timeline.parse,
    ),
    Reader(
        format=SourceFormat.GOOGLE_TIMELINE_IOS,
        recognises=google_timeline.recognises_ios,
        parse=google_timeline.parse,
    ),
    Reader(
        format=SourceFormat.GOOGLE_SEMANTIC,
        recognises=semantic_history.recognises,
        parse=semantic_history.parse,
    ),
    Reader(
        format=SourceFormat.COZY,
        recognises=cozy.recognises,
        parse=cozy.parse,
    ),
    Reader(
        format=SourceFormat.E_MISSION,
        recognises=e_mission.recognises,
        parse=e_mission.parse,
    ),
    Reader(
        format=SourceFormat.POLARSTEPS,
        recognises=polarsteps.recognises,
        parse=polarsteps.parse,
    ),
    Reader(
        format=SourceFormat.CARPOOL_JOURNEYS,
        recognises=carpool.recognises_journeys,
        parse=carpool.parse_journeys,
    ),
    Reader(
        format=SourceFormat.INTERCODE_EVENTS,
        recognises=transit.recognises_events,
        parse=transit.parse_events,
    ),
    Reader(
        format=SourceFormat.OVERLAND,
        recognises=geojson.recognises_overland,
        parse=geojson.parse,
    ),
    Reader(
        format=SourceFormat.GEOJSON,
        recognises=geojson.recognises,
        parse=geojson.parse,
    ),
    Reader(
        format=SourceFormat.CARPOOL_REGISTER,
        recognises=carpool.recognises_register,
        parse=carpool.parse_register,
    ),
    Reader(
        format=SourceFormat.TRANSIT_TAPS,
        recognises=transit.recognises_taps,
        parse=transit.parse_taps,
    ),
    Reader(
        format=SourceFormat.CSV,
        recognises=csv_positions.recognises,
        parse=csv_positions.parse,
    ),
)
