"""Read one JSON document of any length, one entry at a time, in bounded memory.

It decodes each entry with the standard decoder (RFC 8259, plus the NaN that some programs
write) and holds never more than `JSON_VALUE_CHARS` of text. It knows nothing of positions.

A general streaming parser was measured and left out: as fast, but it builds an entry without a
bound on length or depth, so that five megabytes of "[" took all memory of the machine.

>>> import io
>>> list(walk_json(io.BytesIO(b'{"version": 1, "places": ["a", "b"]}')))
[('version', 1), ('places', 'a'), ('places', 'b')]
"""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from operator import length_hint
from typing import BinaryIO, Final

from personal_store.ingest import refusals
from personal_store.ingest.limits import CHUNK_BYTES, JSON_OUTLINE_KEYS, JSON_VALUE_CHARS
from personal_store.ingest.place import JsonPlace

_COMMA: Final = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_FIRST_KEY: Final = re.compile(r'\{[ \t\n\r]*"[^"\\]{1,64}"')
_UNFINISHED: Final = re.compile(r',?\s*|-|-?[A-Za-z]{1,8}|\.|[eE][+-]?|"?\\?u?[0-9a-fA-F]{0,4}')
_LONGEST_EXPONENT_MARK_CHARS: Final = len("e+")
_LONGEST_LITERAL_CHARS: Final = 16
_LONGEST_INTEGER_DIGITS: Final = 40

_decode: Final = json.JSONDecoder().raw_decode
_decode_vast_integers: Final = json.JSONDecoder(
    # Python refuses to convert thousands of digits; as floats they become infinite, and the
    # entry is then refused like any other impossible number.
    parse_int=lambda digits: int(digits) if len(digits) < _LONGEST_INTEGER_DIGITS else float(digits)
).raw_decode


def decode_value(text: str, start: int = 0) -> tuple[object, int]:
    """Return the JSON value at `start` and the index after it.

    Raises `HostileFile` for nesting past what the interpreter bears, and the decoder's own
    `json.JSONDecodeError` for anything that is not JSON.
    """
    try:
        return _decode(text, start)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise refusals.nested_too_deep() from None
    except ValueError:
        return _decode_vast_integers(text, start)


def walk_json(stream: BinaryIO) -> Iterator[tuple[str, object]]:
    """Yield (top-level key, entry) through the document; the key of a bare array is "".

    A top-level array is yielded entry by entry, any other top-level value as one entry.
    Raises `UnreadableFile` where the text stops short or is not JSON in UTF-8 (a leading byte
    order mark is skipped), `HostileFile` where one entry is too long or too deep.
    """
    return iter(JsonWalk(stream))


class JsonWalk:
    """The walk of `walk_json`, which can also say where it is and start from there again."""

    def __init__(self, stream: BinaryIO, place: JsonPlace | None = None) -> None:
        """Walk from the beginning, or from a `place` that a walk of the same bytes gave."""
        if place is not None:
            stream.seek(place.offset_bytes)
        self._text = _JsonText(stream, 0 if place is None else place.offset_bytes)
        self._resumed = place
        self._key: str | None = None
        self._is_bare = False

    def place(self) -> JsonPlace | None:
        """Return the place after the entry that was yielded last, None outside an array."""
        if self._key is None:
            return None
        offset_bytes = self._text.offset_bytes()
        return JsonPlace(offset_bytes=offset_bytes, key=self._key, is_bare=self._is_bare)

    def __iter__(self) -> Iterator[tuple[str, object]]:
        """Yield as `walk_json` says."""
        text, resumed = self._text, self._resumed
        self._is_bare = text.peek() == "[" if resumed is None else resumed.is_bare
        if resumed is not None:
            yield from self._array(resumed.key, text.items_after_one())
        elif self._is_bare:
            yield from self._array("", text.items())
        if not self._is_bare:
            for key in text.members() if resumed is None else text.members_after_one():
                if text.peek() == "[":
                    yield from self._array(key, text.items())
                else:
                    yield key, text.value()
        if text.peek():
            raise refusals.damaged("JSON")

    def _array(self, key: str, items: Iterator[object]) -> Iterator[tuple[str, object]]:
        self._key = key
        for item in items:
            yield key, item
        self._key = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonOutline:
    """What the beginning of a JSON document shows: enough to tell what it is.

    `keys` are the first top-level keys (empty for a bare array); `first` is the first entry of
    the first array that has one, else None.
    """

    is_array: bool
    keys: tuple[str, ...]
    first: object


def outline_json(stream: BinaryIO) -> JsonOutline:
    """Return the outline of the document, reading no further than its first array entry."""
    text = _JsonText(stream)
    if text.peek() == "[":
        return JsonOutline(is_array=True, keys=(), first=next(text.items(), None))
    keys: list[str] = []
    for key in text.members():
        keys.append(key)
        if text.peek() == "[":
            for item in text.items():
                return JsonOutline(is_array=False, keys=tuple(keys), first=item)
        else:
            text.value()
        if len(keys) == JSON_OUTLINE_KEYS:
            break
    return JsonOutline(is_array=False, keys=tuple(keys), first=None)


class _JsonText:
    """A window on the text: what is decoded is dropped, what is incomplete is extended."""

    def __init__(self, stream: BinaryIO, offset_bytes: int = 0) -> None:
        self._stream = stream
        self._read_bytes = offset_bytes
        # A mark of byte order stands at the beginning of a file or nowhere.
        codec = "utf-8" if offset_bytes else "utf-8-sig"
        self._utf8 = codecs.getincrementaldecoder(codec)("strict")
        self._text = ""
        self._at = 0
        self._ended = False
        self._many_tried = False
        self._many_at = 0
        self._many: list[object] = []
        self._many_left: Iterator[object] = iter(())

    def offset_bytes(self) -> int:
        """Return how many bytes of the stream lie before what is read next."""
        unread_bytes = len(self._text[self._given() :].encode()) + len(self._utf8.getstate()[0])
        return self._read_bytes - unread_bytes

    def _given(self) -> int:
        """Return where in the window the item ends that was given last."""
        left = length_hint(self._many_left)
        if not left:
            return self._at
        at = self._many_at
        for index in range(len(self._many) - left):
            comma = _COMMA.match(self._text, at) if index else None
            at = _decode(self._text, comma.end() if comma else at)[1]
        return at

    def peek(self) -> str:
        """Return the next character that is not space, "" at the end of the text."""
        skipped_chars = 0
        while True:
            here = _SPACE.match(self._text, self._at)
            assert here is not None
            skipped_chars += here.end() - self._at
            self._at = here.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            if skipped_chars > JSON_VALUE_CHARS:
                raise refusals.entry_too_long()
            self._extend()

    def members(self) -> Iterator[str]:
        """Yield the keys of the object that begins here; the caller takes each value."""
        self._take("{")
        if self.peek() == "}":
            self._at += 1
            return
        yield self._member_key()
        yield from self.members_after_one()

    def members_after_one(self) -> Iterator[str]:
        """Yield the keys that follow a member whose value was taken, as `members` does."""
        while self._take(",}") == ",":
            yield self._member_key()

    def _member_key(self) -> str:
        key = self.value()
        if not isinstance(key, str):
            raise refusals.damaged("JSON")
        self._take(":")
        return key

    def items(self) -> Iterator[object]:
        """Yield the items of the array that begins here."""
        self._take("[")
        if self.peek() == "]":
            self._at += 1
            return
        yield self.value()
        yield from self.items_after_one()

    def items_after_one(self) -> Iterator[object]:
        """Yield the items that follow one that was taken, to the end of the array."""
        while True:
            comma = _COMMA.match(self._text, self._at)
            if comma is not None:
                self._at = comma.end()
            elif self._take(",]") == "]":
                return
            if comma is not None and not self._many_tried and self._take_many(comma.start()):
                self._many_left = iter(self._many)
                yield from self._many_left
            else:
                yield self.value()

    def _take_many(self, previous_end: int) -> bool:
        """Take the items of this window together, once a window; tell whether they are JSON.

        They end before what looks like the last boundary between two of them: the text between the
        previous item and the first key of the next one, seen again. Where that was something else,
        the text up to it is no array, and the items are read one by one.
        """
        key = _FIRST_KEY.match(self._text, self._at)
        if key is None or not previous_end:
            return False
        self._many_tried = True
        boundary = self._text[previous_end - 1 : key.end()]
        end = self._text.rfind(boundary, self._at) + 1
        if not end:
            return False
        array = f"[{self._text[self._at : end]}]"
        try:
            items, stop = _decode(array)
        except (ValueError, RecursionError):
            return False
        if stop < len(array):
            return False
        self._many, self._many_at, self._at = items, self._at, end
        return True

    def value(self) -> object:
        """Return the value that begins here, extending the window until it is whole."""
        try:
            value, end = _decode(self._text, self._at)
        except (ValueError, RecursionError):
            return self._awaited_value()
        if end + _LONGEST_EXPONENT_MARK_CHARS < len(self._text):
            self._at = end
            return value
        return self._awaited_value()

    def _awaited_value(self) -> object:
        """Return the value in the cases that need care: space before it, or text still to come."""
        self.peek()
        while True:
            try:
                value, end = decode_value(self._text, self._at)
            except json.JSONDecodeError as error:
                if not _is_near_end(error) or (self._ended and not _is_unfinished(error)):
                    raise refusals.damaged("JSON") from None
                if self._ended:
                    raise refusals.truncated("JSON") from None
            else:
                # A number at the end of the window may go on after it, as in "1" and "1e+5".
                if end + _LONGEST_EXPONENT_MARK_CHARS < len(self._text) or self._ended:
                    self._at = end
                    return value
            self._extend()

    def _take(self, expected: str) -> str:
        """Step over the next character, which must be one of `expected`."""
        seen = self.peek()
        if not seen:
            raise refusals.truncated("JSON")
        if seen not in expected:
            raise refusals.damaged("JSON")
        self._at += 1
        return seen

    def _extend(self) -> None:
        """Read on: at least a chunk, and as much again as is held, so that work stays linear."""
        held_chars = len(self._text) - self._at
        if held_chars > JSON_VALUE_CHARS:
            raise refusals.entry_too_long()
        raw = self._stream.read(max(CHUNK_BYTES, held_chars))
        self._read_bytes += len(raw)
        self._ended = not raw
        try:
            more = self._utf8.decode(raw, final=self._ended)
        except UnicodeDecodeError:
            if self._ended:
                raise refusals.truncated("JSON") from None
            raise refusals.not_utf8() from None
        self._text = self._text[self._at :] + more
        self._at = 0
        self._many_tried = False


def _is_near_end(error: json.JSONDecodeError) -> bool:
    """Tell whether more text could mend the error."""
    near_end = error.pos >= len(error.doc) - _LONGEST_LITERAL_CHARS
    return near_end or error.msg.startswith("Unterminated string")


def _is_unfinished(error: json.JSONDecodeError) -> bool:
    """Tell whether the text is right as far as it goes."""
    unterminated = error.msg.startswith("Unterminated string")
    return unterminated or _UNFINISHED.fullmatch(error.doc, error.pos) is not None
