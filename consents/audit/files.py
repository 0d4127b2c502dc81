"""Reading an export, and the auditor's own folder: the shell of the auditor, which decides nothing.

The export is what the operator hands over; nothing in it is believed before it was checked. Who is
trusted is read from a policy file that must not lie in the export. The format is documented in
docs/consents.md.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from consents.audit.evidence import Held, read_held
from consents.canonical import parse_json
from consents.errors import CanonicalError, ExportError
from consents.tlog.log import read_export_line
from consents.tlog.policy import MAX_POLICY_BYTES, WitnessPolicy
from consents.tlog.tile_folder import handed_over
from consents.verify.export_folder import (
    bounded_lines,
    export_note,
    folder_entries,
    log_folders,
    read_bounded,
    read_note,
)

OPERATOR_FILE = "operator.jsonl"
BODIES_FILE = "bodies.jsonl"
PURPOSES_FILE = "purposes.jsonl"
NOTICES_FILE = "notices.jsonl"
TASKS_FILE = "tasks.jsonl"
BATCHES_FOLDER = "batches"
RELEASES_FOLDER = "releases"
CHECKPOINTS_FOLDER = "checkpoints"

LOCK_FILE = ".lock"

MAX_RELEASE_BYTES = 16_777_216
"""Longest release read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """
    A folder that an operator handed over; a missing optional file is an empty one.

    Everything below it is the operator's: any of the methods raises OSError for a symbolic link.
    """

    folder: Path

    def note(self) -> str:
        """Return the checkpoint; raise OSError."""
        return export_note(self.folder)

    def logs(self) -> "tuple[Export, ...]":
        """Return the export of each year's log, oldest first and this one last; raise LogError."""
        return tuple(Export(folder=each) for each in log_folders(self.folder))

    def entries(self) -> "Entries":
        """Return the leaves, which are read each time that they are asked for."""
        return Entries(folder=self.folder)

    def older_notes(self) -> tuple[str, ...]:
        """Return the checkpoints of before, as far as the operator kept them."""
        folder = handed_over(self.folder, CHECKPOINTS_FOLDER)
        names = () if folder is None else sorted(path.name for path in folder.iterdir())
        paths = (handed_over(self.folder, CHECKPOINTS_FOLDER, name) for name in names)
        return tuple(read_note(path) for path in paths if path is not None)

    def operator_lines(self) -> Iterator[bytes]:
        """Yield the lines that open the operator's entries."""
        return self._lines(OPERATOR_FILE)

    def body_lines(self) -> Iterator[bytes]:
        """Yield the lines that open residents' entries, where they were handed over."""
        return self._lines(BODIES_FILE)

    def purposes(self) -> tuple[bytes, ...]:
        """Return the exact bytes of each purpose; raise ExportError for one given twice."""
        return self._texts(PURPOSES_FILE)

    def notices(self) -> tuple[bytes, ...]:
        """Return the exact bytes of each notice; raise ExportError for one given twice."""
        return self._texts(NOTICES_FILE)

    def tasks(self) -> tuple[bytes, ...]:
        """Return the exact bytes of each task; raise ExportError for one given twice."""
        return self._texts(TASKS_FILE)

    def batch(self, position: int) -> tuple[bytes, ...] | None:
        """Return the contributions of the batch committed at `position`; None without the file."""
        path = handed_over(self.folder, BATCHES_FOLDER, f"{position}.jsonl")
        if path is None:
            return None
        return tuple(read_export_line(line) for line in bounded_lines(path))

    def has_batch(self, position: int) -> bool:
        """Tell whether contributions were handed over for this entry, even an empty file."""
        return handed_over(self.folder, BATCHES_FOLDER, f"{position}.jsonl") is not None

    def release(self, position: int) -> bytes | None:
        """Return the release published at `position`; None without the file."""
        path = handed_over(self.folder, RELEASES_FOLDER, f"{position}.json")
        return None if path is None else read_bounded(path, limit_bytes=MAX_RELEASE_BYTES)

    def _texts(self, name: str) -> tuple[bytes, ...]:
        found = tuple(_text(line) for line in self._lines(name))
        if len(set(found)) != len(found):
            raise ExportError(f"expected each line of {name} once, seen one twice")
        return found

    def _lines(self, name: str) -> Iterator[bytes]:
        path = handed_over(self.folder, name)
        return iter(()) if path is None else bounded_lines(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """The leaves of an export; going through them raises LogError or OSError."""

    folder: Path

    def __iter__(self) -> Iterator[bytes]:
        """Read them from the first."""
        return folder_entries(self.folder, export_note(self.folder))


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The auditor's own folder: what was verified once, under the root that it follows from."""

    folder: Path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder for one audit, which another waits for: each goes on from the last."""
        from fcntl import LOCK_EX, flock  # noqa: PLC0415 (not on every system, nor always needed)

        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOCK_FILE).open("ab") as file:
            flock(file, LOCK_EX)
            yield

    def read(self, name: str) -> bytes | None:
        """Return a kept file, None without it."""
        path = self.folder / name
        return path.read_bytes() if path.exists() else None

    def write(self, name: str, content: bytes) -> None:
        """Keep a file, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{name}.draft"
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / name)

    def forget(self, name: str) -> None:
        """Delete a kept file, where there is one: what was erased lawfully goes here too."""
        (self.folder / name).unlink(missing_ok=True)


def read_policy(path: Path, *, export: Path) -> WitnessPolicy:
    """Read whose word counts, from outside the export; raise ConsentsError or OSError."""
    refuse_inside(path, export=export)
    return WitnessPolicy.parse(read_bounded(path, limit_bytes=MAX_POLICY_BYTES))


def refuse_inside(path: Path, *, export: Path) -> None:
    """Raise ExportError when a file that must be the auditor's own lies in the export."""
    if path.resolve().is_relative_to(export.resolve()):
        raise ExportError("expected a file from outside the export: it may be the operator's")


def read_notes(paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the checkpoints that the auditor kept."""
    return tuple(read_note(path) for path in paths)


def read_evidence(paths: Sequence[Path]) -> tuple[Held, ...]:
    """Return the promises and slips of these files, a JSON value a line; raise PromiseError."""
    return tuple(read_held(line) for path in paths for line in bounded_lines(path))


def _text(line: bytes) -> bytes:
    try:
        value = parse_json(line)
    except CanonicalError as error:
        raise ExportError("expected one JSON string on each line") from error
    if not isinstance(value, str):
        raise ExportError("expected one JSON string on each line")
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise ExportError("expected text without half a surrogate pair on each line") from error
