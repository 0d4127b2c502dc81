"""A folder of log tiles on disk, byte for byte what a static web server serves as the log.

Writing puts immutable files first and the checkpoint last, each by renaming, so that a reader
never finds a checkpoint whose tiles are missing. Reading believes nothing: every tile of hashes is
compared with what the entries give. With `consents.__main__`, a shell of this package: it reads
and writes files, and decides nothing. Spec: C2SP tlog-tiles.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from consents.errors import LogError
from consents.tlog import merkle, nodes
from consents.tlog.checkpoint import read_checkpoint
from consents.tlog.log import NodeStorage
from consents.tlog.tiles import (
    ENTRIES,
    FULL_WIDTH,
    HEIGHT,
    Tile,
    entry_bundle,
    hash_tile,
    read_entry_bundle,
    split_hashes,
    tiles_of,
)

CHECKPOINT_FILE = "checkpoint"
"""Name, in a log's folder, of the signed note."""

MAX_BUNDLE_BYTES = FULL_WIDTH * (2 + 65_535)
"""Longest entry bundle that is read."""


def write_tiles(storage: NodeStorage, folder: Path, *, checkpoint: str) -> int:
    """
    Bring `folder` up to the signed note `checkpoint`; return the number of files written.

    Only what the folder's own checkpoint lacks is written. Raises LogError when the note is not of
    this storage, or when the storage does not continue what the folder has published.
    """
    new = read_checkpoint(checkpoint)
    size, since = new.size, 0
    if (folder / CHECKPOINT_FILE).exists():
        old = read_checkpoint((folder / CHECKPOINT_FILE).read_text("utf-8"))
        since = old.size
        if since > storage.size() or nodes.root(storage, since) != old.root:
            raise LogError("expected a storage that continues the published checkpoint")
    if not since <= size <= storage.size() or nodes.root(storage, size) != new.root:
        raise LogError("expected a checkpoint of this storage, not older than the published one")
    written = 0
    for tile in tiles_of(size, since=since):
        _put(folder / tile.path, _content(storage, tile))
        written += 1
    _put(folder / CHECKPOINT_FILE, checkpoint.encode())
    return written + 1


def handed_over(folder: Path, *names: str) -> Path | None:
    """
    Return where a file or folder of an export lies, None when the operator left it out.

    A symbolic link is neither: it may point nowhere, or at a file of the auditor's own, and what
    was handed over is then unknown. Raises OSError for one, at any place below `folder`.
    """
    path = folder
    for name in names:
        path /= name
        if path.is_symlink():
            raise OSError("expected a file or folder of the export itself, seen a symbolic link")
        if not path.exists():
            return None
    return path


def read_entries(folder: Path, *, size: int) -> Iterator[bytes]:
    """
    Yield the `size` entries of a folder in order, checking every tile of hashes on the way.

    Raises LogError for a missing, cut or contradicting file. The root is still the caller's to
    compare with a signed checkpoint.
    """
    check = _TileCheck(folder, size)
    for tile in tiles_of(size):
        if tile.level != ENTRIES:
            break
        content = _get(folder, tile, limit_bytes=MAX_BUNDLE_BYTES)
        for entry in read_entry_bundle(content, width=tile.width):
            check.take(0, merkle.leaf_hash(entry))
            yield entry
    check.finish()


class _TileCheck:
    """Recomputes the tiles from the leaf hashes and compares each with its file."""

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self._size = size
        self._rows: list[list[bytes]] = [[]]
        self._done: list[int] = [0]

    def take(self, level: int, node: bytes) -> None:
        """Add the next node of a level; a full tile gives one node of the level above."""
        while True:
            if level == len(self._rows):
                self._rows.append([])
                self._done.append(0)
            row = self._rows[level]
            row.append(node)
            if len(row) < FULL_WIDTH:
                return
            self._compare(level)
            node = merkle.root(row)
            self._rows[level] = []
            self._done[level] += 1
            level += 1

    def finish(self) -> None:
        """Compare the partial tiles."""
        for level, row in enumerate(self._rows):
            if row:
                self._compare(level)

    def _compare(self, level: int) -> None:
        row = self._rows[level]
        tile = Tile(level=level, index=self._done[level], width=len(row))
        content = _get(self._folder, tile, limit_bytes=FULL_WIDTH * merkle.HASH_BYTES)
        if split_hashes(content, width=len(row)) != row:
            raise LogError("expected tiles of hashes that follow from the entries, seen another")


def _content(storage: NodeStorage, tile: Tile) -> bytes:
    if tile.level != ENTRIES:
        return hash_tile(storage, tile)
    first = tile.index << HEIGHT
    return entry_bundle(storage.leaf(first + i) for i in range(tile.width))


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _get(folder: Path, tile: Tile, *, limit_bytes: int) -> bytes:
    try:
        path = handed_over(folder, *Path(tile.path).parts)
        if path is None or not path.is_file():
            raise LogError("expected every tile to be a file, seen none, a folder or a device")
        with path.open("rb") as file:
            content = file.read(limit_bytes + 1)
    except OSError as error:
        raise LogError("expected every tile of the checkpoint in the folder") from error
    if len(content) > limit_bytes:
        raise LogError(f"expected at most {limit_bytes} bytes in a tile or bundle")
    return content
