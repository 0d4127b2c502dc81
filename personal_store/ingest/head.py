"""Look at the beginning of a file, whatever its name, and say what shape it has.

It names no format: `detect.py` does, from what is seen here.
"""

import codecs
import contextlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Final
from xml.parsers import expat

from personal_store.ingest.json_text import JsonOutline, outline_json
from personal_store.ingest.limits import HEAD_BYTES

UTF16_MARKS: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
"""What stands before a text in UTF-16, and the order of bytes that it announces."""

_HTML: Final = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_TEXT_CONTROLS: Final = frozenset(b"\t\n\r\f\x1b")
_FIRST_WIDE: Final = 0x80
_LEAST_ASCII: Final = 0.7
"""Of an older encoding, where one byte is one letter: French has 4 % of accents."""


class Shape(StrEnum):
    """What the first bytes of a file are."""

    EMPTY = "empty"
    GZIP = "gzip"
    ZIP = "zip"
    PDF = "pdf"
    HTML = "html"
    XML = "xml"
    JSON = "json"
    TEXT = "text"
    BINARY = "binary"


_MAGIC: Final = (
    (b"\x1f\x8b", Shape.GZIP),
    (b"PK\x03\x04", Shape.ZIP),
    (b"PK\x05\x06", Shape.ZIP),
    (b"%PDF", Shape.PDF),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The beginning of a file: its shape, its first bytes, and what its shape shows.

    `xml_root` is the local name of the root element of an XML file, in lower case ("" where it
    cannot be read); `json` is the outline of a JSON file.
    """

    shape: Shape
    raw: bytes
    xml_root: str = ""
    json: JsonOutline | None = None


def read_head(stream: BinaryIO) -> Head:
    """Return the head of a stream that stands at its beginning and can go back to it.

    Raises `UnreadableFile` or `HostileFile` where a JSON file shows no first entry.
    """
    raw = stream.read(HEAD_BYTES)
    shape = _shape(raw)
    if shape is Shape.XML:
        return Head(shape=shape, raw=raw, xml_root=_xml_root(raw))
    if shape is Shape.JSON:
        stream.seek(0)
        return Head(shape=shape, raw=raw, json=outline_json(stream))
    return Head(shape=shape, raw=raw)


def shape_of(stream: BinaryIO) -> Shape:
    """Return the shape of a stream that stands at its beginning, and go back there."""
    shape = _shape(stream.read(HEAD_BYTES))
    stream.seek(0)
    return shape


def _shape(raw: bytes) -> Shape:
    for magic, shape in _MAGIC:
        if raw.startswith(magic):
            return shape
    text = raw.removeprefix(codecs.BOM_UTF8).lstrip()
    if not text:
        return Shape.EMPTY
    if text.startswith(b"<") or _is_utf16_markup(raw):
        return Shape.HTML if _HTML.match(text) else Shape.XML
    if text.startswith((b"{", b"[")):
        return Shape.JSON
    return (
        Shape.TEXT if _is_text(_narrow(raw) if raw[:2] in UTF16_MARKS else text) else Shape.BINARY
    )


def _narrow(raw: bytes) -> bytes:
    """Return a text in UTF-16 as UTF-8; what is none gives a control."""
    whole_bytes = len(raw) - len(raw) % 2
    try:
        return raw[2:whole_bytes].decode(UTF16_MARKS[raw[:2]]).encode()
    except UnicodeError:
        return b"\x00"


def _is_text(text: bytes) -> bool:
    """Tell whether bytes are text: without controls, and in UTF-8 or mostly in ASCII."""
    if any(byte < ord(" ") and byte not in _TEXT_CONTROLS for byte in text):
        return False
    narrow = sum(byte < _FIRST_WIDE for byte in text)
    if narrow >= len(text) * _LEAST_ASCII:
        return True
    # The text may be cut within a character.
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    with contextlib.suppress(UnicodeDecodeError):
        decoder.decode(text)
        return True
    return False


def _is_utf16_markup(raw: bytes) -> bool:
    return raw[:2] in UTF16_MARKS and raw[2:].lstrip(b"\x00 \r\n\t").startswith(b"<")


def _xml_root(raw: bytes) -> str:
    """Return the root element's local name; the XML reader stops by itself at a fault."""
    names: list[str] = []
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, _: names.append(name)
    # The text may be cut anywhere, or be damaged after its root: only the root counts.
    with contextlib.suppress(expat.ExpatError, ValueError, LookupError):
        parser.Parse(raw.removeprefix(codecs.BOM_UTF8).lstrip(), False)  # noqa: FBT003 -- positional in the standard library
    return names[0].rpartition(" ")[2].lower() if names else ""
