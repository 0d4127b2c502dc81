"""The table of attacks in docs/consents.md has a row for each check, and names tests that exist."""

import re

import pytest

ROW = re.compile(r"\| ([0-9]+) [^|]*\|([^|]*)\|([^|]*)\|")
CHECKS = [str(number) for number in range(1, 17)]


@pytest.fixture
def rows(repository):
    """The cells of each check: what its files and its cooperative are tested by."""
    page = (repository / "docs" / "consents.md").read_text("utf-8")
    table = page.split("## Attacks, and the tests that mount them")[1].split("\n## ")[0]
    return [(number, (first, second)) for number, first, second in ROW.findall(table)]


def test_every_check_has_its_row(rows):
    assert [number for number, _ in rows] == CHECKS


@pytest.mark.parametrize("check", CHECKS)
def test_what_a_row_names_exists(repository, rows, check):
    cells = dict(rows)[check]
    assert any("`" in cell for cell in cells)
    for cell in cells:
        named = re.findall(r"`([^`]+)`", cell)
        files = [each for each in named if each.endswith(".py")]
        assert bool(files) == bool(named)
        found = [path for each in files for path in _paths(repository, each)]
        texts = [path.read_text("utf-8") for path in found]
        for prefix in (each.rstrip("…") for each in named if each.endswith("…")):
            assert any(f"def {prefix}" in text for text in texts), prefix


def _paths(repository, name):
    found = list(repository.glob(name if "/" in name else f"tests/**/{name}"))
    assert found, name
    assert all(path.is_file() for path in found), name
    return found
