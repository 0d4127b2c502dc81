"""The scorecard runs as one command, and the page holds what it prints."""

import os
import subprocess
import sys

import pytest

MEASURED = (
    "carbon error, share of the total", "accuracy, five classes", "ECE, five classes",
    "trip F1, 15 min", "time of moving, F1, 25 min", "legs of 60 s or more, F1",
    "positions a second of processor", "peak memory, MB",
)  # fmt: skip


@pytest.fixture(scope="module")
def printed(reference, repository, tmp_path_factory):
    """Return what a run on a few recordings prints, and a page that it wrote into."""
    page = tmp_path_factory.mktemp("scorecard") / "page.md"
    page.write_text("Before\n<!-- trips_scorecard.py -->\nold\n<!-- end -->\nAfter\n", "utf-8")
    command = [sys.executable, "benchmarks/trips_scorecard.py", "--sample"]
    done = subprocess.run(
        [*command, "--reference", str(reference), "--write", str(page)],
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(repository)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, page.read_text("utf-8")


@pytest.mark.parametrize("measure", MEASURED)
def test_one_command_prints_every_measure_and_the_page_quotes_it(printed, repository, measure):
    assert f"| {measure}" in printed[0]
    assert f"| {measure}" in (repository / "docs" / "trips.md").read_text("utf-8")


def test_carbon_comes_first(printed):
    assert printed[0].splitlines()[2].startswith("| carbon error")


def test_the_table_replaces_the_old_one_in_a_page_and_nothing_else(printed):
    stdout, page = printed
    assert page.startswith("Before\n<!-- trips_scorecard.py -->\n\n| measure |")
    assert page.endswith("\n\n<!-- end -->\nAfter\n")
    assert stdout.strip() in page
    assert "old" not in page
