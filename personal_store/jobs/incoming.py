"""Take in the files that somebody left: in the watched folder, or through the upload page.

The same import as the command line's. A file of the watched folder is the resident's own: it is
moved, never deleted, into `importes/` or, with its reason beside it in both languages, into
`refuses/`. An uploaded file is a copy that the browser made: it is removed as soon as it is in the
database or refused. A file that still grows, or that a program names as unfinished, waits.

Only the files of the watched folder itself are taken: a folder in it, or a symbolic link, is left
where it is, and the server says so when it starts (`left_aside`).
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Engine

from personal_store.clock import Clock
from personal_store.documents.imports import nothing_sentences
from personal_store.errors import ImportStopped, IngestError, WrongFile
from personal_store.ingest.values import printable
from personal_store.jobs import importing
from personal_store.local_time import home_timezone

UPLOADS = "uploads"
"""Folder of the data folder where uploaded files wait, each in a folder of its own."""

LOCAL_TIMES = "-local"
"""Ends the name of such a folder when times without an offset are those of home."""

DONE, REFUSED = "importes", "refuses"
REASON_SUFFIX = ".raison.txt"
SETTLED = timedelta(seconds=10)
"""A file of the watched folder is whole when nobody has written to it for so long."""

UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".tmp")
"""What browsers and synchronising programs call a file that they are still writing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingReport:
    """How many files came in, and how many were refused."""

    imported: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A file to take in, what to call it, and whether it is a copy to remove afterwards.

    `has_local_times`: the resident said that its times without an offset are those of home.
    """

    path: Path
    name: str
    is_copy: bool
    has_local_times: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The watched folder, and whether times without an offset in its files are those of home."""

    folder: Path
    has_local_times: bool = False


def run_once(
    engine: Engine, *, data: Path, watched: Watched | None, clock: Clock
) -> IncomingReport:
    """Import every whole file that waits in the uploads of `data` and in the watched folder."""
    imported = refused = 0
    for found in [*_uploads(data), *_settled(watched, now=clock.now())]:
        before = _stamp(found.path)
        trouble: IngestError | None
        try:
            report = importing.run_once(
                engine,
                found.path,
                clock=clock,
                name=found.name,
                local_zone=home_timezone() if found.has_local_times else None,
            )
            trouble = WrongFile(**nothing_sentences(report)) if report.gives_nothing else None
            imported += trouble is None
            refused += trouble is not None
        except ImportStopped:
            continue  # the next round goes on
        except IngestError as error:
            trouble = error
            refused += 1
        if found.is_copy:
            found.path.unlink()
            found.path.parent.rmdir()
        elif _stamp(found.path) == before:
            _set_aside(found.path, trouble)
    return IncomingReport(imported=imported, refused=refused)


def drop_unfinished(data: Path) -> None:
    """Remove what a browser had begun to send when the server ended: no page writes it any more."""
    for folder in (data / UPLOADS).glob(".*"):
        shutil.rmtree(folder)


def left_aside(watched: Path | None) -> list[str]:
    """Return the names of the folders and links of the watched folder, which are not taken in."""
    ours = {DONE, REFUSED}
    return [
        printable(path.name)
        for path in (sorted(watched.iterdir()) if watched is not None and watched.is_dir() else ())
        if not path.name.startswith(".")
        and (path.is_symlink() or (path.is_dir() and path.name not in ours))
    ]


def waiting_uploads(data: Path) -> list[str]:
    """Return the names of the uploaded files that wait, the first to come first."""
    return [found.name for found in _uploads(data)]


def _uploads(data: Path) -> Iterator[_Found]:
    # A name with a dot before it is one that the page is still writing.
    for folder in sorted((data / UPLOADS).glob("[!.]*")):
        for path in folder.iterdir():
            has_local_times = folder.name.endswith(LOCAL_TIMES)
            yield _Found(path=path, name=path.name, is_copy=True, has_local_times=has_local_times)


def _settled(watched: Watched | None, *, now: datetime) -> Iterator[_Found]:
    if watched is None or not watched.folder.is_dir():
        return
    for path in sorted(watched.folder.iterdir()):
        unfinished = path.name.startswith(".") or path.suffix.lower() in UNFINISHED
        if unfinished or path.is_symlink() or not path.is_file():
            continue
        if path.stat().st_mtime <= (now - SETTLED).timestamp():
            yield _Found(
                path=path,
                name=path.name,
                is_copy=False,
                has_local_times=watched.has_local_times,
            )


def _stamp(path: Path) -> tuple[int, int]:
    seen = path.stat()
    return seen.st_size, seen.st_mtime_ns


def _set_aside(path: Path, trouble: IngestError | None) -> None:
    folder = path.parent / (DONE if trouble is None else REFUSED)
    folder.mkdir(exist_ok=True)
    there = _free_name(folder, path.name)
    if trouble is not None:
        reason = f"{printable(path.name)}\n\n{trouble.fr}\n\n{trouble.en}\n"
        there.with_name(there.name + REASON_SUFFIX).write_text(reason, encoding="utf-8")
    path.rename(there)


def _free_name(folder: Path, name: str) -> Path:
    """Return a path that no earlier file of the same name has."""
    path, n = folder / name, 2
    while path.exists():
        path = folder / f"{Path(name).stem} ({n}){Path(name).suffix}"
        n += 1
    return path
