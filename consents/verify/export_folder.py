"""The files that a log is handed over in, read with a bound on everything: a shell of the package.

An export has `checkpoint` and `entries.jsonl` (one JSON string a line), a folder of log tiles has
`checkpoint` and `tile/`; either gives the same leaves. What else an export holds is read by
`consents.audit.files`.
"""

from collections.abc import Iterator
from pathlib import Path

from consents.errors import LogError, MalformedNote
from consents.jws import MAX_JWS_BYTES
from consents.tlog.checkpoint import MAX_NOTE_BYTES, read_checkpoint
from consents.tlog.log import read_export_line
from consents.tlog.tile_folder import CHECKPOINT_FILE, handed_over, read_entries

ENTRIES_FILE = "entries.jsonl"
"""Name, in an export, of the leaves: one JSON string a line."""

SHARDS_FOLDER = "shards"
"""Name, in an export, of what holds the closed logs of earlier years: 0, 1, … oldest first."""

TILES_FOLDER = "tile"
"""Name, in a folder of log tiles, of what holds them (C2SP tlog-tiles)."""

MAX_LINE_BYTES = 6 * MAX_JWS_BYTES + 3
"""Longest line read: the longest leaf with each character escaped, quotes and newline."""


def log_folders(folder: Path) -> tuple[Path, ...]:
    """
    Return the folder of each year's log, oldest first and `folder` itself last.

    Raises LogError where one of them is missing, OSError for a symbolic link.
    """
    inside = handed_over(folder, SHARDS_FOLDER)
    count = 0 if inside is None else sum(1 for _ in inside.iterdir())
    found = [handed_over(folder, SHARDS_FOLDER, str(number)) for number in range(count)]
    former = [each for each in found if each is not None]
    if len(former) != count:
        raise LogError("expected the logs of earlier years as shards/0, shards/1, and so on")
    return (*former, folder)


def folder_entries(folder: Path, note: str) -> Iterator[bytes]:
    """
    Yield the leaves of an export, or of log tiles where the folder holds those instead.

    `note` is the folder's checkpoint. Raises LogError for lines or tiles that are not what they
    must be, OSError for a missing file.
    """
    entries = handed_over(folder, ENTRIES_FILE)
    if entries is not None or handed_over(folder, TILES_FOLDER) is None:
        for line in bounded_lines(folder / ENTRIES_FILE):
            yield read_export_line(line)
        return
    try:
        size = read_checkpoint(note).size
    except MalformedNote as error:
        raise LogError("expected a signed checkpoint beside the tiles") from error
    yield from read_entries(folder, size=size)


def bounded_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file without ever holding more than one; raise LogError or OSError."""
    _expect_file(path)
    with path.open("rb") as lines:
        while line := lines.readline(MAX_LINE_BYTES + 1):
            if len(line) > MAX_LINE_BYTES:
                raise LogError(f"expected lines of at most {MAX_LINE_BYTES} bytes")
            yield line


def read_bounded(path: Path, *, limit_bytes: int) -> bytes:
    """Return the content of a file; raise OSError also when it is longer than `limit_bytes`."""
    _expect_file(path)
    with path.open("rb") as file:
        content = file.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise OSError(f"expected at most {limit_bytes} bytes")
    return content


def export_note(folder: Path) -> str:
    """Return the checkpoint of an export; raise OSError or UnicodeDecodeError."""
    return read_note(handed_over(folder, CHECKPOINT_FILE) or folder / CHECKPOINT_FILE)


def read_note(path: Path) -> str:
    """Return a signed note as text; raise OSError or UnicodeDecodeError."""
    return read_bounded(path, limit_bytes=MAX_NOTE_BYTES).decode("utf-8")


def _expect_file(path: Path) -> None:
    # The folder comes from the party that is audited: a pipe in it would stop the audit for ever.
    if path.exists() and not path.is_file():
        raise OSError("expected a file, seen a folder, a pipe or a device")
