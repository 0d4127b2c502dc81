"""Read one XML document of any length as events, in bounded memory; what all XML formats share.

It enforces the limits (no DOCTYPE, so no entity; depth, names, lengths) and knows nothing of
positions. Each format gives a handler, which sees elements by their local name: programs put
the same elements in the namespace, in another, or in none.

Spec: https://www.w3.org/TR/xml/ and https://www.w3.org/TR/xml-names/, read by expat.
"""

import codecs
from collections.abc import Iterable, Iterator
from typing import BinaryIO
from xml.parsers import expat

from personal_store.ingest import refusals
from personal_store.ingest.limits import (
    CHUNK_BYTES,
    XML_DEPTH,
    XML_NAMES,
    XML_TEXT_CHARS,
    XML_TOKEN_BYTES,
)
from personal_store.ingest.positionfix import Entry


class XmlHandler:
    """What a format makes of the events: it overrides `opened`, `closed` and perhaps `text`.

    `elements` are the local names that matter; any other is "" to `opened` and `closed`.
    `ready` holds the entries that are done; `taken` empties it after each chunk. `has_moved`
    tells that an element began in it; `run_chars` counts the text since, and a handler that passes
    a long text on piece by piece sets it back to 0.
    """

    def __init__(self, elements: frozenset[str]) -> None:
        """Begin outside the document."""
        self.ready: list[Entry] = []
        self.depth = 0
        self.names = _Names(elements)
        self.run_chars = 0
        self.has_moved = False

    def attach(self, parser: expat.XMLParserType) -> None:
        """Connect the handler to a parser."""
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartNamespaceDeclHandler = self._namespace
        parser.StartElementHandler = self.start_event
        parser.EndElementHandler = self.end_event
        parser.CharacterDataHandler = self.text_event

    def opened(self, local: str, attributes: dict[str, str]) -> None:
        """Take the beginning of an element; `depth` counts it already."""
        raise NotImplementedError

    def closed(self, local: str) -> None:
        """Take the end of an element; `depth` counts it still."""
        raise NotImplementedError

    def text(self, text: str) -> None:
        """Take a piece of text."""
        raise NotImplementedError

    def taken(self) -> Iterable[Entry]:
        """Return the entries that are done, once each."""
        taken, self.ready = self.ready, []
        return taken

    def check(self, attributes: dict[str, str]) -> None:
        """Refuse an element that passes the limits on depth and names."""
        if self.depth > XML_DEPTH:
            raise refusals.nested_too_deep()
        for attribute in attributes:
            self.names[attribute]

    def _doctype(self, *_: object) -> None:
        raise refusals.declares_entities()

    def _namespace(self, prefix: str | None, uri: str | None) -> None:
        # The key cannot meet an element's: those have one space at most.
        self.names[f"xmlns {prefix} {uri}"]

    def start_event(self, name: str, attributes: dict[str, str]) -> None:
        """Take the parser's word that an element begins."""
        self.depth += 1
        self.run_chars = 0
        self.has_moved = True
        self.check(attributes)
        self.opened(self.names[name], attributes)

    def end_event(self, name: str) -> None:
        """Take the parser's word that an element ends."""
        self.closed(self.names[name])
        self.depth -= 1

    def text_event(self, text: str) -> None:
        """Take the parser's word of a piece of text."""
        self.run_chars += len(text)
        if self.run_chars > XML_TEXT_CHARS:
            raise refusals.entry_too_long()
        self.text(text)


class _Names(dict[str, str]):
    """Expanded XML names -> local names that matter here, "" for the others."""

    def __init__(self, elements: frozenset[str]) -> None:
        super().__init__()
        self._elements = elements

    def __missing__(self, name: str) -> str:
        if len(self) >= XML_NAMES:
            raise refusals.too_many_names()
        local = name.rpartition(" ")[2]
        self[name] = local if local in self._elements else ""
        return self[name]


def read_xml(stream: BinaryIO, handler: XmlHandler, *, kind: str) -> Iterator[Entry]:
    """Yield the entries that the handler makes of the document; `kind` names the format.

    Raises `UnreadableFile` for broken XML, `HostileFile` for a DOCTYPE or past a limit of
    `limits.py`, and whatever the handler raises.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    handler.attach(parser)
    fed_bytes = still_bytes = 0
    while chunk := stream.read(CHUNK_BYTES):
        if not fed_bytes:
            # The declaration must come first, but exporters put blank lines before it.
            chunk = chunk.removeprefix(codecs.BOM_UTF8).lstrip()
        _feed(parser, chunk, kind)
        fed_bytes += len(chunk)
        still_bytes = 0 if handler.has_moved else still_bytes + len(chunk)
        handler.has_moved = False
        if max(fed_bytes - parser.CurrentByteIndex, still_bytes) > XML_TOKEN_BYTES:
            raise refusals.entry_too_long()
        yield from handler.taken()
    try:
        parser.Parse(b"", True)  # noqa: FBT003 -- positional in the standard library
    except expat.ExpatError:
        raise refusals.truncated(kind) from None
    yield from handler.taken()


def _feed(parser: expat.XMLParserType, chunk: bytes, kind: str) -> None:
    try:
        parser.Parse(chunk, False)  # noqa: FBT003 -- positional in the standard library
    except (expat.ExpatError, LookupError, ValueError):
        # An encoding that Python does not know, or not byte by byte, is no ExpatError.
        raise refusals.damaged(kind) from None
