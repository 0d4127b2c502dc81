"""How an import says on the terminal how far it is: a line that moves, or a few sober ones.

On a terminal, one line of standard error shows the share read, the megabytes, the positions and
the time left. Into a file or a pipe go a few whole lines, a quarter of a large file apart.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from personal_store.cli.console import Session
from personal_store.db.imports import FileImport, ImportState
from personal_store.jobs.importing import OnProgress
from personal_store.wording import number, several, several_en

SOBER_FROM_BYTES = 16 * 1024 * 1024
_QUARTERS = 4
_MB = 1_000_000
_MINUTE_S = 60


def progress_sentences(reached: FileImport) -> dict[str, str]:
    """Say how far a file is: megabytes, positions, time left."""
    done_mb, size_mb = reached.done_bytes / _MB, reached.size_bytes / _MB
    read = reached.counts.accepted + reached.counts.rejected
    left_s = reached.left_s()
    left_fr = "" if left_s is None else f", encore {_duration(left_s)}"
    left_en = "" if left_s is None else f", {_duration(left_s)} left"
    return {
        "fr": f"{number(done_mb, 'fr', decimals=0)} Mo sur {number(size_mb, 'fr', decimals=0)}, "
        f"{several(read, 'position', 'positions')}{left_fr}",
        "en": f"{number(done_mb, 'en', decimals=0)} of {number(size_mb, 'en', decimals=0)} MB, "
        f"{several_en(read, 'position', 'positions')}{left_en}",
    }


@contextmanager
def import_progress(session: Session) -> Iterator[OnProgress]:
    """Give what an import tells its progress to."""
    if not session.console.is_terminal:
        yield _Sober(session)
        return
    columns = (TextColumn("{task.fields[file]}"), BarColumn(), TextColumn("{task.fields[said]}"))
    with Progress(*columns, console=session.console, transient=True) as line:
        yield _Line(session, line, line.add_task("", file="", said="", total=1))


@dataclass(slots=True)
class _Sober:
    """Whole lines, for a file or a pipe."""

    session: Session
    quarter: int = 0

    def __call__(self, reached: FileImport) -> None:
        if reached.size_bytes < SOBER_FROM_BYTES or reached.state is not ImportState.READING:
            return
        quarter = reached.done_bytes * _QUARTERS // reached.size_bytes
        if quarter != self.quarter:
            self.quarter = quarter
            said = progress_sentences(reached)
            self.session.say(
                fr=f"{reached.name} : {said['fr']}", en=f"{reached.name}: {said['en']}"
            )


@dataclass(frozen=True, slots=True)
class _Line:
    """One line that is written over, for a terminal."""

    session: Session
    line: Progress
    task: TaskID

    def __call__(self, reached: FileImport) -> None:
        self.line.update(
            self.task,
            completed=reached.done_bytes,
            total=max(reached.size_bytes, 1),
            file=reached.name.replace("[", "("),
            said=progress_sentences(reached)[self.session.language],
        )


def _duration(seconds: float) -> str:
    minutes, rest_s = divmod(round(seconds), _MINUTE_S)
    return f"{minutes} min {rest_s:02d} s" if minutes else f"{rest_s} s"
