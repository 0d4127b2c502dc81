"""Find the files of a folder, those of its folders included.

Symbolic links are never followed: they can lead out of the folder, or round in circles. Names that
begin with a dot are a program's own. It opens no file.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Found:
    """The files of a folder in the order of their names, and what was left aside in it."""

    files: list[Path] = field(default_factory=list)
    links: list[Path] = field(default_factory=list)
    closed: list[Path] = field(default_factory=list)


def files_under(folder: Path) -> Found:
    """Return what is in a folder; `links` were not followed, `closed` could not be opened."""
    found = Found()
    for path in _walk(folder, found):
        if path.is_symlink():
            found.links.append(path)
        elif path.is_file():
            found.files.append(path)
    return found


def _walk(folder: Path, found: Found) -> Iterator[Path]:
    def keep(error: OSError) -> None:
        found.closed.append(Path(error.filename))

    for parent, folders, names in os.walk(folder, onerror=keep):
        linked = [name for name in folders if (Path(parent) / name).is_symlink()]
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted([*names, *linked]):
            if not name.startswith("."):
                yield Path(parent) / name
