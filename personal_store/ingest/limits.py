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

FIELD_CHARS: Final = 128
"""Longest text of a number, time or pair of coordinates; the longest legal one takes 60."""

LABEL_CHARS: Final = 64
"""Length at which a device's or an activity's name is cut, for the database and the pages."""

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
"""No civil receiver recorded tracks before; clocks that lost power say 1970 or 1980."""

LATEST_AHEAD: Final = timedelta(days=1)
"""How far ahead of us a source's clock may be: a wrong time zone, not a wrong year."""
