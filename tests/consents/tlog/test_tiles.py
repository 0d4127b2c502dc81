"""Log tiles, held to the specification's own examples and to the tree's recursive definition."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consents.errors import LogError
from consents.tlog import merkle, nodes
from consents.tlog.log import ConsentLog, MemoryNodes
from consents.tlog.tile_folder import read_entries, write_tiles
from consents.tlog.tiles import (
    ENTRIES,
    Tile,
    TileNodes,
    entry_bundle,
    hash_tile,
    read_entry_bundle,
    split_hashes,
    tiles_of,
)


def storage_of(entries):
    storage = MemoryNodes()
    storage.extend(entries, list(nodes.Frontier().grow(map(merkle.leaf_hash, entries))))
    return storage


def some_entries(count):
    return [b"entry %d" % i for i in range(count)]


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 1234067, 256, "tile/0/x001/x234/067"),
        (0, 0, 256, "tile/0/000"),
        (ENTRIES, 999, 1, "tile/entries/999.p/1"),
        (63, 1000, 255, "tile/63/x001/000.p/255"),
    ],
)
def test_a_tile_has_the_path_of_the_specification(level, index, width, path):
    assert Tile(level=level, index=index, width=width).path == path


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/1234067",
        "tile/0/x000/067",
        "tile/00/067",
        "tile/64/067",
        "tile/0/067.p/0",
        "tile/0/067.p/256",
        "tile/0/067.p/07",
        "tile/0/001/067",
        "tile/data/067",
        "/tile/0/067",
        "tile/0/067\n",
    ],
)
def test_another_spelling_of_a_path_is_refused(path):
    with pytest.raises(LogError):
        Tile.parse(path)


@settings(max_examples=60, deadline=None)
@given(st.integers(-1, 63), st.integers(0, 2**40), st.integers(1, 256))
def test_a_path_reads_back_as_its_tile(level, index, width):
    tile = Tile(level=level, index=index, width=width)
    assert Tile.parse(tile.path) == tile


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts():
    counted = {}
    for tile in tiles_of(70_000):
        counted.setdefault((tile.level, tile.width), []).append(tile.index)
    assert {key: len(found) for key, found in counted.items() if key[0] != ENTRIES} == {
        (0, 256): 273,
        (0, 112): 1,
        (1, 256): 1,
        (1, 17): 1,
        (2, 1): 1,
    }


def test_a_tree_of_256_has_a_full_tile_and_one_of_width_one_above():
    assert [tile.path for tile in tiles_of(256)] == [
        "tile/entries/000",
        "tile/0/000",
        "tile/1/000.p/1",
    ]


def test_the_tiles_since_a_size_complete_those_of_that_size():
    for old, new in ((0, 5), (5, 300), (300, 300), (255, 256), (256, 70_000)):
        fresh = {tile.path for tile in tiles_of(new, since=old)}
        missing = {tile.path for tile in tiles_of(new)} - {tile.path for tile in tiles_of(old)}
        assert fresh == missing


def test_each_hash_of_a_tile_is_the_root_of_its_leaves(naive_root):
    entries = some_entries(600)
    storage = storage_of(entries)
    for tile in tiles_of(600):
        if tile.level == ENTRIES:
            continue
        span = 256**tile.level
        first = tile.index * 256
        expected = [
            naive_root(entries[(first + i) * span : (first + i + 1) * span])
            for i in range(tile.width)
        ]
        assert split_hashes(hash_tile(storage, tile), width=tile.width) == expected


def test_proofs_follow_from_tiles_alone():
    entries = some_entries(70_000)
    storage = storage_of(entries)
    tiles = TileNodes(
        hashes={
            (tile.level, tile.index): split_hashes(hash_tile(storage, tile), width=tile.width)
            for tile in tiles_of(70_000)
            if tile.level != ENTRIES
        }
    )
    draw = random.Random(7)
    for _ in range(20):
        index = draw.randrange(70_000)
        proof = nodes.inclusion_proof(tiles, index, 70_000)
        assert proof == nodes.inclusion_proof(storage, index, 70_000)


def test_a_bundle_is_each_entry_after_its_length_in_two_bytes():
    assert entry_bundle([b"abc", b""]) == b"\x00\x03abc\x00\x00"


def test_an_entry_of_65535_bytes_fits_a_bundle():
    entries = [b"x" * 65_535]
    assert read_entry_bundle(entry_bundle(entries), width=1) == entries


def test_an_entry_of_65536_bytes_is_refused():
    with pytest.raises(LogError):
        entry_bundle([b"x" * 65_536])


@pytest.mark.parametrize(
    ("content", "width"),
    [(b"\x00\x03ab", 1), (b"\x00", 1), (b"\x00\x01a", 2), (b"\x00\x01a\x00\x01b", 1)],
)
def test_a_bundle_that_is_cut_or_miscounted_is_refused(content, width):
    with pytest.raises(LogError):
        read_entry_bundle(content, width=width)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=64), st.integers(0, 3))
def test_no_bytes_read_as_a_bundle_that_would_be_written_otherwise(content, width):
    try:
        entries = read_entry_bundle(content, width=width)
    except LogError:
        return
    assert entry_bundle(entries) == content


@pytest.fixture
def published(new_resident, new_key, origin, tmp_path):
    """A log of 260 leaves, published at 250 and again at 260."""
    leaves = [new_resident(f"r{i}").say("consent.given")[0].leaf for i in range(260)]
    storage = MemoryNodes()
    log = ConsentLog(storage, origin, new_key("log"))
    folder = tmp_path / "tiles"
    log.append_batch(leaves[:250])
    write_tiles(storage, folder, checkpoint=log.checkpoint())
    log.append_batch(leaves[250:])
    write_tiles(storage, folder, checkpoint=log.checkpoint())
    return storage, log, folder


def test_the_entries_of_a_folder_are_the_leaves(published):
    storage, _, folder = published
    assert list(read_entries(folder, size=260)) == list(storage.leaves())


def test_a_folder_holds_no_file_but_tiles_and_the_checkpoint(published):
    _, _, folder = published
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    expected = {tile.path for size in (250, 260) for tile in tiles_of(size)}
    assert found == expected | {"checkpoint"}


def test_a_folder_of_tiles_verifies_on_the_command_line(published, verify):
    assert verify("log", published[2]) == (0, [])


@pytest.mark.parametrize("path", ["tile/0/000", "tile/entries/001.p/4", "tile/1/000.p/1"])
def test_one_changed_bit_in_any_file_is_seen(published, verify, path):
    file = published[2] / path
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    code, problems = verify("log", published[2])
    assert (code != 0, bool(problems)) == (True, True)


def test_a_missing_tile_ends_the_verification(published, verify):
    (published[2] / "tile/0/000").unlink()
    assert verify("log", published[2])[0] == 3


def test_a_storage_that_forgot_published_leaves_is_not_written(published, new_key, origin):
    storage, _, folder = published
    shorter = storage_of(list(storage.leaves())[:200])
    with pytest.raises(LogError):
        write_tiles(
            shorter, folder, checkpoint=ConsentLog(shorter, origin, new_key("log")).checkpoint()
        )


def test_a_storage_with_another_history_is_not_written(published, new_key, origin):
    storage, _, folder = published
    leaves = list(storage.leaves())
    other = storage_of([leaves[1], leaves[0], *leaves[2:]])
    with pytest.raises(LogError):
        write_tiles(
            other, folder, checkpoint=ConsentLog(other, origin, new_key("log")).checkpoint()
        )
