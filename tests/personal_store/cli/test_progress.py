"""What an import says of its progress: one moving line for people, few lines for files."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from personal_store.cli.console import Session
from personal_store.cli.progress import import_progress, progress_sentences
from personal_store.db.imports import Counts, FileImport
from personal_store.ingest.positionfix import SourceFormat
from personal_store.settings import Settings

BEGUN = datetime(2026, 11, 18, 9, tzinfo=UTC)
HALF = FileImport(
    digest="d",
    name="Records.json",
    format=SourceFormat.GOOGLE_RECORDS,
    size_bytes=1_000_000_000,
    done_bytes=500_000_000,
    started_at=BEGUN,
    changed_at=BEGUN + timedelta(seconds=90),
    counts=Counts(accepted=2_000_000),
)


@pytest.fixture
def told():
    """Return a function that tells some progress to a terminal or a file, and what they show."""

    def tell(*reached: FileImport, terminal: bool) -> str:
        out = io.StringIO()
        console = Console(file=out, force_terminal=terminal, width=120, soft_wrap=True)
        session = Session(settings=Settings(), language="fr", console=console)
        with import_progress(session) as on_progress:
            for each in reached:
                on_progress(each)
        return out.getvalue()

    return tell


def test_progress_says_megabytes_positions_and_time_left():
    said = progress_sentences(HALF)
    assert said["fr"] == "500 Mo sur 1\u202f000, 2\u202f000\u202f000 positions, encore 1 min 30 s"
    assert said["en"] == "500 of 1,000 MB, 2,000,000 positions, 1 min 30 s left"


def test_the_time_left_of_a_resumed_import_counts_what_this_run_read():
    resumed = replace(HALF, counts=replace(HALF.counts, resumed_bytes=400_000_000))
    assert resumed.left_s() == 450.0


def test_before_anything_is_read_no_time_is_guessed():
    assert replace(HALF, done_bytes=0).left_s() is None


def test_a_file_gets_a_line_a_quarter_and_no_more(told):
    steps = [replace(HALF, done_bytes=n * 50_000_000) for n in range(20)]
    lines = told(*steps, terminal=False).splitlines()
    assert [line.split(" Mo")[0].split()[-1] for line in lines] == ["250", "500", "750"]


def test_a_small_file_is_no_news_for_a_file(told):
    assert told(replace(HALF, size_bytes=10**6, done_bytes=5 * 10**5), terminal=False) == ""


def test_a_terminal_shows_the_line_that_moves(told):
    assert "500 Mo sur 1\u202f000" in told(HALF, terminal=True)
