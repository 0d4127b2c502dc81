"""Look for what somebody did, in everything that a machine keeps or sends, however it is spelled.

A canary is a value that no chance brings about: at least eight bytes of it are looked for at a
time. Places are searched as they are and as they read once gzip, base64, base64url and hexadecimal
are taken off, two spellings deep: a signed message is base64url of JSON with base64url in it.
"""

import base64
import binascii
import itertools
import re
import sqlite3
import struct
import zlib
from contextlib import closing

from contributions.prio3.field import FIELD128

_WORDS = re.compile(rb"[A-Za-z0-9+/_-]{8,}")
_DIGITS = re.compile(rb"[0-9A-Fa-f]{12,}")
_GZIP = b"\x1f\x8b\x08"
_DEPTH = 2
_SMALL = 255
_STANDARD = bytes.maketrans(b"-_", b"+/")


def number_patterns(name, values):
    """Return what neighbouring integers look like in memory, in a field, in JSON and in a table."""
    values = list(values)
    assert sum(value > _SMALL for value in values) >= 3, "a canary is no small number"
    field = FIELD128.encode(values)
    patterns = {
        "field elements": field,
        "field elements, big-endian": b"".join(value.to_bytes(16, "big") for value in values),
    }
    whole = "HIQ" if max(values) < 2**16 else "IQ"
    for order, code in itertools.product("<>", f"{whole}fd"):
        patterns[f"{order}{code} of struct"] = struct.pack(f"{order}{len(values)}{code}", *values)
    for separator in (",", ", ", " ", ";", "\t", "\n"):
        patterns[f"decimals with {separator!r}"] = separator.join(map(str, values)).encode()
    patterns["hexadecimal numbers"] = ",".join(map(hex, values)).encode()
    return {f"{name}: {form}": pattern for form, pattern in patterns.items()}


def real_patterns(name, value):
    """Return what a number with decimals looks like in memory and as programs write it."""
    written = repr(value)
    assert len(written) >= len("100.000001"), "a canary is no round number"
    return {
        f"{name}: double": struct.pack("<d", value),
        f"{name}: double, big-endian": struct.pack(">d", value),
        f"{name}: as it is written": written.encode(),
        f"{name}: as it is written with a comma": written.replace(".", ",").encode(),
    }


def shown_patterns(name, value):
    """Return what a number looks like as people are shown it.

    Six digits may come about by chance where noise is published: look for them before.
    """
    shown = f"{value:.3f}"
    return {
        f"{name}: shown": shown.encode(),
        f"{name}: shown with a comma": shown.replace(".", ",").encode(),
    }


def rows_of(database):
    """Return every value of an SQLite database, whatever pages its bytes are spread over."""
    found = []
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (table,) in tables.fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                found += [cell if isinstance(cell, bytes) else str(cell).encode() for cell in row]
    return b"\n".join(found)


def inflated(content):
    """Return what each gzip stream in some bytes holds."""
    found, start = [], content.find(_GZIP)
    while start >= 0:
        stream = zlib.decompressobj(wbits=31)
        try:
            found.append(stream.decompress(content[start:]))
        except zlib.error:
            found.append(b"")
        start = content.find(_GZIP, start + 1)
    return [each for each in found if each]


def readings(content, *, depth=_DEPTH):
    """Yield some bytes as they are, then as they read with each spelling taken off."""
    yield content
    if not depth:
        return
    # A word may begin in the middle of what is read: each start gives other bytes.
    spelled = [
        *inflated(content),
        *(_unspelled(content, _DIGITS, _from_hexadecimal, skip=skip) for skip in range(2)),
        *(_unspelled(content, _WORDS, _from_base64, skip=skip) for skip in range(4)),
    ]
    for each in spelled:
        if each:
            yield from readings(each, depth=depth - 1)


def found(places, patterns):
    """Return each place and pattern where the place holds the pattern, in any spelling."""
    return sorted(
        {
            (place, name)
            for place, content in places.items()
            for reading in readings(content)
            for name, pattern in patterns.items()
            if pattern in reading
        }
    )


def _from_base64(word):
    # Letters that are missing at the end cost one byte at most, which then reads as zeros.
    return base64.b64decode(word.translate(_STANDARD) + b"A" * (-len(word) % 4))


def _from_hexadecimal(word):
    return binascii.unhexlify(word[: len(word) // 2 * 2])


def _unspelled(content, words, read, *, skip):
    """Return what the words of a spelling say from their byte `skip` on, one line a word."""
    return b"\n".join(read(match[0][skip:]) for match in words.finditer(content))
