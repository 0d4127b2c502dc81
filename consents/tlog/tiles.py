"""Log tiles: the tree and its entries as immutable files that anybody can serve and check.

A tile holds up to 256 consecutive nodes of one level; each node of level L + 1 is the root of a
full tile of level L. Entries lie beside in bundles of up to 256, each after its length in 16
bits. This module turns trees into tiles and back; files are `consents.tlog.tile_folder`'s.
Spec: C2SP tlog-tiles.

    >>> Tile(level=0, index=1234067, width=256).path
    'tile/0/x001/x234/067'
    >>> Tile(level=ENTRIES, index=273, width=112).path
    'tile/entries/273.p/112'
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from consents.errors import LogError
from consents.jws import MAX_JWS_BYTES
from consents.tlog import merkle
from consents.tlog.nodes import NodeReader, node_position

HEIGHT = 8
"""Levels of the tree in one tile."""

FULL_WIDTH = 1 << HEIGHT
"""Nodes in a full tile, entries in a full bundle."""

MAX_LEVEL = 63
"""Highest level that a path can name."""

ENTRIES = -1
"""The level of entry bundles, which a path writes as `entries`."""

_LENGTH_BYTES = 2
_PATH = re.compile(
    r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Which tile: its `level` (or ENTRIES), its `index` there, and its `width` from 1 to 256."""

    level: int
    index: int
    width: int = FULL_WIDTH

    def __post_init__(self) -> None:
        """Refuse what no path can name; raise LogError."""
        if not ENTRIES <= self.level <= MAX_LEVEL or self.index < 0:
            raise LogError(f"expected a level up to {MAX_LEVEL} and an index of 0 or more")
        if not 1 <= self.width <= FULL_WIDTH:
            raise LogError(f"expected a width in 1..{FULL_WIDTH}, seen {self.width}")

    @property
    def path(self) -> str:
        """Where it is served, below the log's prefix."""
        groups = [f"{self.index % 1000:03d}"]
        rest = self.index // 1000
        while rest:
            groups.insert(0, f"x{rest % 1000:03d}")
            rest //= 1000
        level = "entries" if self.level == ENTRIES else str(self.level)
        suffix = "" if self.width == FULL_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(groups)}{suffix}"

    @classmethod
    def parse(cls, path: str) -> "Tile":
        """Read a path; raise LogError unless it is the only spelling of its tile."""
        match = _PATH.fullmatch(path)
        if match is None:
            raise LogError("expected a path such as tile/0/x001/234 or tile/entries/000.p/7")
        tile = cls(
            level=ENTRIES if match[1] == "entries" else int(match[1]),
            index=int(match[2].replace("x", "").replace("/", "")),
            width=FULL_WIDTH if match[3] is None else int(match[3]),
        )
        if tile.path != path:
            raise LogError("expected the only spelling of a tile's path")
        return tile


def tiles_of(size: int, *, since: int = 0) -> Iterator[Tile]:
    """
    Yield every tile and bundle of a tree of `size` leaves, partial ones included.

    With `since`, only those that a tree of `since` leaves did not have.
    """
    yield from _level_tiles(ENTRIES, size, since)
    level = 0
    while size:
        yield from _level_tiles(level, size, since)
        size, since, level = size >> HEIGHT, since >> HEIGHT, level + 1


def hash_tile(reader: NodeReader, tile: Tile) -> bytes:
    """Return the bytes of a tile of hashes, read from the stored nodes."""
    first = tile.index << HEIGHT
    level = tile.level * HEIGHT
    positions = [node_position(level, first + i) for i in range(tile.width)]
    return b"".join(reader.nodes(positions))


def entry_bundle(entries: Iterable[bytes]) -> bytes:
    """Return the bundle of entries; raise LogError for one above 65,535 bytes."""
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_JWS_BYTES:
            raise LogError(f"expected entries of at most {MAX_JWS_BYTES} bytes")
        parts += (len(entry).to_bytes(_LENGTH_BYTES, "big"), entry)
    return b"".join(parts)


def read_entry_bundle(content: bytes, *, width: int) -> list[bytes]:
    """Return the `width` entries of a bundle; raise LogError when it holds anything else."""
    entries: list[bytes] = []
    at = 0
    while at < len(content):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(content[at:start], "big")
        if start > len(content) or at > len(content):
            raise LogError("expected whole entries in the bundle, seen one cut short")
        entries.append(content[start:at])
    if len(entries) != width:
        raise LogError(f"expected {width} entries in the bundle, seen {len(entries)}")
    return entries


def split_hashes(content: bytes, *, width: int) -> list[bytes]:
    """Return the `width` hashes of a tile; raise LogError for another length."""
    if len(content) != width * merkle.HASH_BYTES:
        raise LogError(f"expected {width} hashes in the tile, seen {len(content)} bytes")
    return [content[i : i + merkle.HASH_BYTES] for i in range(0, len(content), merkle.HASH_BYTES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TileNodes:
    """
    A `NodeReader` over tiles: `hashes` maps (level, index) of a tile to its hashes.

    What it returns is only as true as the tiles: compare a root with a signed checkpoint.
    """

    hashes: Mapping[tuple[int, int], Sequence[bytes]]

    def node(self, level: int, index: int) -> bytes:
        """Return a node of the tree, folding the tile that holds its leaves."""
        tile_level, inner = divmod(level, HEIGHT)
        first = index << inner
        tile = self.hashes.get((tile_level, first >> HEIGHT), ())
        start = first % FULL_WIDTH
        below = tile[start : start + (1 << inner)]
        if len(below) != 1 << inner:
            raise LogError("expected a tile that holds the node")
        return merkle.root(below)

    def nodes(self, positions: Sequence[int]) -> list[bytes]:
        """Return the hashes at these storage positions."""
        return [self.node(*_place(position)) for position in positions]


def _level_tiles(level: int, size: int, since: int) -> Iterator[Tile]:
    for index in range(since >> HEIGHT, size >> HEIGHT):
        yield Tile(level=level, index=index)
    width = size % FULL_WIDTH
    if width and size != since:
        yield Tile(level=level, index=size >> HEIGHT, width=width)


def _place(position: int) -> tuple[int, int]:
    """Return (level, index) of the node at a storage position: `node_position` backwards."""
    # node_count(m) lies in 2m - log2(m) .. 2m: a few steps down from the middle find the leaf.
    last_leaf = position // 2 + position.bit_length() + 1
    while node_position(0, last_leaf) > position:
        last_leaf -= 1
    level = position - node_position(0, last_leaf)
    return level, ((last_leaf + 1) >> level) - 1
