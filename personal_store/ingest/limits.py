"""The bounds that keep every parser small, whatever the file: one named number each.

They bound memory, not the size of a history: a file of any length is read in a stream. With
them a parser stays under 200 MB resident on any input (`tests/personal_store/ingest` proves it
on endless ones). They are choices of this project, made in 2026 from the published samples of
each format and at least twenty times what those hold.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

CHUNK_BYTES: Final = 256 * 1024
"""Read from disk at once: large enough that system calls do not count, small beside the rest."""

HEAD_BYTES: Final = 64 * 1024
"""Looked at to tell what a file is, before any parser is chosen."""

JSON_VALUE_CHARS: Final = 2 * 1024 * 1024
"""Longest single entry of a JSON history. Real ones stay under 0.1 M; decoded, the worst text
(empty objects) takes 24 times its length in memory, so this caps an entry near 50 MB."""

JSON_OUTLINE_KEYS: Final = 32
"""Top-level keys read to tell what a JSON file is; the known formats show themselves in 3."""

LINE_BYTES: Final = 1024 * 1024
"""Longest line of a line-based file. A recorder's line of waypoints reaches a few kilobytes."""

MESSAGE_BYTES: Final = 1024 * 1024
"""Longest live message; one position takes half a kilobyte."""

XML_TOKEN_BYTES: Final = 1024 * 1024
"""Longest tag, comment or instruction, which the XML reader has to hold whole."""

XML_TEXT_CHARS: Final = 1024 * 1024
"""Longest run of text between two tags. Only names and descriptions pass a hundred."""

XML_DEPTH: Final = 64
"""Deepest nesting. A GPX point with extensions lies at 7."""

XML_NAMES: Final = 4096
"""Distinct tags, attributes and namespaces, which the XML reader remembers one by one."""

KML_WAITING_TIMES: Final = 500_000
"""Times of one KML track that wait for their places: nearly six days without pause at 1 Hz."""

KML_POINTS: Final = 10_000
"""Points, or data, of one placemark. A placemark marks one place, a collection a few dozen."""

FIT_CHAINED_FILES: Final = 10_000
"""Activities of one chained FIT file whose wall clocks are held while it is read."""

FIELD_CHARS: Final = 128
"""Longest text of a number, time or pair of coordinates; the longest legal one takes 60."""

LABEL_CHARS: Final = 64
"""Length at which a device's or an activity's name is cut, for the database and the pages."""

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
"""No civil receiver recorded tracks before; clocks that lost power say 1970 or 1980."""

LATEST_AHEAD: Final = timedelta(days=1)
"""How far ahead of us a source's clock may be: a wrong time zone, not a wrong year."""

MOST_OCCUPANTS: Final = 500
"""People in one vehicle: a full double tram; what is beyond is a counter gone wrong."""

MOST_MODES: Final = 32
"""Mode labels kept with one leg; Google's oldest exports list 24."""

MOST_CARPOOLS: Final = 20_000
"""Carpool journeys of one person, held to see whether one person can have made them: five a day
for eleven years. The public register has a million a month."""

ROW_FIELDS: Final = 512
"""Columns of a table. The widest logger writes 60."""

ZIP_MEMBERS: Final = 20_000
"""Files in one archive. An export of ten years of daily sport holds 8,000."""

ZIP_DIRECTORY_BYTES: Final = 8 * 1024 * 1024
"""List of an archive's files, which has to be held whole: 400 bytes for each of `ZIP_MEMBERS`."""

ZIP_MEMBER_BYTES: Final = 8 * 1024**3
"""One extracted file: eight times the largest history that was ever reported."""

ZIP_TOTAL_BYTES: Final = 16 * 1024**3
"""All extracted files together."""

ZIP_RATIO: Final = 200
"""Extracted over packed bytes. Histories pack 10 to 40 times; the zeros of a bomb 1,000 times."""

ZIP_RATIO_FREE_BYTES: Final = 4 * 1024 * 1024
"""Extracted bytes before the ratio counts: small files of blanks are harmless."""
