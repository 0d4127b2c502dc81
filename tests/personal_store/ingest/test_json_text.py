"""The JSON walker: same values as the standard library, in bounded pieces."""

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personal_store.errors import HostileFile, IngestError, UnreadableFile
from personal_store.ingest import json_text
from personal_store.ingest.json_text import JsonWalk, outline_json, walk_json
from personal_store.ingest.limits import CHUNK_BYTES, JSON_VALUE_CHARS

RICH = {
    "places": [1.5e10, -2, True, None, {"x": 'é€😀\\"\n\x01', "y": [[], {}, -1.25e-3]}, "text"],
    "profile": {"known": [1, 2, {"sure": False}]},
    "version": -12.5e3,
    "empty": [],
    "end": "a\u2028",
}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


class Drip(io.RawIOBase):
    """A stream that gives few bytes at a time."""

    def __init__(self, content: bytes, bytes_at_once: int) -> None:
        self._rest = io.BytesIO(content)
        self._bytes_at_once = bytes_at_once

    def read(self, _size: int = -1) -> bytes:
        return self._rest.read(self._bytes_at_once)


def walked(content: bytes) -> list[tuple[str, object]]:
    return list(walk_json(io.BytesIO(content)))


def flattened(document: object) -> list[tuple[str, object]]:
    """State what a walk must yield, from the document as the standard library has it."""
    if isinstance(document, list):
        return [("", item) for item in document]
    return [
        (key, item)
        for key, value in document.items()
        for item in (value if isinstance(value, list) else [value])
    ]


@settings(max_examples=60)
@given(st.lists(values) | st.dictionaries(st.text(), values), st.booleans(), st.integers(1, 9))
def test_a_walk_yields_what_the_standard_library_reads(document, is_ascii, bytes_at_once):
    text = json.dumps(document, ensure_ascii=is_ascii).encode()
    # repr compares NaN with itself.
    walk = walk_json(Drip(text, bytes_at_once))
    assert repr(list(walk)) == repr(flattened(json.loads(text)))


@pytest.mark.parametrize("indent", [None, 1], ids=["compact", "indented"])
@pytest.mark.parametrize("bytes_at_once", range(1, 12))
def test_where_the_chunks_fall_changes_nothing(bytes_at_once, indent):
    text = json.dumps(RICH, indent=indent, ensure_ascii=False).encode()
    assert list(walk_json(Drip(text, bytes_at_once))) == flattened(RICH)


def test_an_array_far_longer_than_the_window_is_walked():
    items = [{"n": n, "text": "é" * 50} for n in range(20_000)]
    text = json.dumps(items, ensure_ascii=False).encode()
    assert len(text) > 4 * CHUNK_BYTES
    assert [item for _, item in walked(text)] == items


@pytest.mark.parametrize("indent", [None, 1], ids=["compact", "indented"])
def test_every_truncation_is_unreadable(indent):
    text = json.dumps(RICH, indent=indent).encode()
    accepted = []
    for length in range(len(text)):
        try:
            walked(text[:length])
        except UnreadableFile:
            continue
        accepted.append(length)
    assert accepted == []


TRUNCATED = {
    "nothing": b"",
    "space alone": b"  \n",
    "an open array": b"[1, 2",
    "an open string": b'["abc',
    "an escape": b'["a\\',
    "half an escape": b'["\\u12',
    "a key": b'{"a"',
    "a comma": b'{"a": 1,',
    "half a word": b"[tru",
    "a sign": b"[-",
    "half a character": b'["\xe2\x82',
}


@pytest.mark.parametrize("text", TRUNCATED.values(), ids=TRUNCATED)
def test_a_text_that_stops_short_is_called_so(text):
    with pytest.raises(UnreadableFile, match="s’arrête avant la fin"):
        walked(text)


DAMAGED = {
    "a bare word": b'{"a": x}',
    "a missing comma": b"[1 2]",
    "a trailing comma": b"[1,]",
    "a missing colon": b'{"a" 1}',
    "a number for a key": b"{1: 2}",
    "text after the end": b'{"a": 1} and more',
    "two documents": b"[1][2]",
    "a raw control character": b'["\x01"]',
    "an unknown escape": b'["\\q"]',
    "an unknown word": b"[truth]",
    "damage far from the end": b'[{"a": x}, "' + b"y" * 1000 + b'"]',
    "no array and no object": b'"text"',
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_text_that_breaks_the_rules_is_called_so(text):
    with pytest.raises(UnreadableFile, match="n’en suit pas les règles"):
        walked(text)


@pytest.mark.parametrize("text", [b"\xff\xfe[\x001\x00]\x00", b'["\xe9"]'], ids=["utf-16", "latin"])
def test_another_encoding_is_unreadable(text):
    with pytest.raises(UnreadableFile):
        walked(text)


def test_a_byte_order_mark_is_skipped():
    assert walked(b'\xef\xbb\xbf{"a": [1]}') == [("a", 1)]


def test_nesting_without_end_is_hostile():
    with pytest.raises(HostileFile):
        walked(b"[" * 200_000)


def test_an_entry_past_the_limit_is_hostile():
    with pytest.raises(HostileFile):
        walked(b'["' + b"x" * (3 * JSON_VALUE_CHARS) + b'"]')


def test_an_entry_just_below_the_limit_is_read():
    entry = "x" * (JSON_VALUE_CHARS - 16)
    assert walked(json.dumps([entry]).encode()) == [("", entry)]


def test_space_past_the_limit_is_hostile():
    with pytest.raises(HostileFile):
        walked(b"[1," + b" " * (3 * JSON_VALUE_CHARS) + b"2]")


def test_an_integer_of_five_thousand_digits_is_read_as_infinite():
    assert walked(b"[" + b"9" * 5000 + b"]") == [("", float("inf"))]


def test_an_outline_reads_no_further_than_the_first_entry():
    outline = outline_json(io.BytesIO(b'{"version": 2, "none": [], "places": [{"n": 1}, broken'))
    assert (outline.keys, outline.first) == (("version", "none", "places"), {"n": 1})


def test_an_outline_of_an_array_has_no_keys():
    outline = outline_json(io.BytesIO(b"[[1], broken"))
    assert (outline.is_array, outline.keys, outline.first) == (True, (), [1])


@settings(max_examples=150)
@given(
    st.binary(max_size=60)
    | st.text('[]{}",:\\u0 1-e.tf\n', max_size=40).map(str.encode)
    | values.map(lambda value: json.dumps(value).encode()[:-1])
)
def test_whatever_the_bytes_the_walk_ends_or_says_why(content):
    try:
        walked(content)
        outline_json(io.BytesIO(content))
    except IngestError:
        pass


documents = st.dictionaries(st.text(), values | st.lists(values)) | st.lists(values)


@settings(max_examples=60)
@given(documents, st.booleans(), st.integers(0, 30), st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_a_walk_from_a_place_yields_what_was_still_to_come(document, is_ascii, steps, mark):
    content = mark + json.dumps(document, ensure_ascii=is_ascii).encode()
    walk = JsonWalk(io.BytesIO(content))
    entries = iter(walk)
    before = [entry for _, entry in zip(range(steps), entries, strict=False)]
    place = walk.place()
    rest = list(entries)
    if place is not None:
        # What lies before the place may even be destroyed.
        blank = b"#" * place.offset_bytes + content[place.offset_bytes :]
        assert repr(list(JsonWalk(io.BytesIO(blank), place))) == repr(rest)
    assert repr(before + rest) == repr(flattened(document))


def test_a_place_is_known_inside_an_array_and_not_outside():
    walk = JsonWalk(io.BytesIO(b'{"a": 1, "b": [1, 2], "c": 2}'))
    places = [walk.place() is not None for _ in walk]
    assert places == [False, True, True, False]


boundaries = st.sampled_from([",", ", ", " ,\n  ", ",\n\n\t"])
like_records = st.lists(
    st.dictionaries(
        st.sampled_from(["a", "b", "é"]),
        st.sampled_from([1, -0.5, None, '}, {"a": 1', [{"a": 2}, {"a": 3}], {"a": [{"b": "]"}]}]),
    ).map(lambda rest: {"a": 0} | rest),
    min_size=3,
    max_size=40,
)


@settings(max_examples=80)
@given(like_records, boundaries, st.integers(0, 45), st.sampled_from([1, 64, 700, 2**18]))
def test_entries_alike_are_read_together_and_left_anywhere(records, boundary, steps, chunk_bytes):
    text = boundary.join(json.dumps(each, ensure_ascii=False) for each in records)
    content = f'{{"locations": [{text}], "after": 1}}'.encode()
    theirs = [*(("locations", each) for each in records), ("after", 1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "CHUNK_BYTES", chunk_bytes)
        walk = JsonWalk(io.BytesIO(content))
        entries = iter(walk)
        before = [entry for _, entry in zip(range(steps), entries, strict=False)]
        place = walk.place()
        assert before == theirs[:steps]
        if place is not None:
            blank = b"#" * place.offset_bytes + content[place.offset_bytes :]
            assert list(JsonWalk(io.BytesIO(blank), place)) == theirs[steps:]
        assert list(entries) == theirs[steps:]


@pytest.mark.parametrize("broken", [b'{"a": 1}}, {"a": 3}', b'{"a": 1}], [{"a": 3}', b"{"])
def test_entries_before_a_fault_are_still_given_one_by_one(broken):
    content = b'[{"a": 0}, {"a": 1}, {"a": 2}, ' + broken + b', {"a": 4}]'
    entries = iter(JsonWalk(io.BytesIO(content)))
    assert [next(entries) for _ in range(3)] == [("", {"a": n}) for n in range(3)]
    with pytest.raises(UnreadableFile):
        list(entries)
