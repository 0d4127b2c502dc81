"""The reading order of the code, of the documents and of the tests is one and the same."""

import ast
import re
from pathlib import Path

import pytest

STEP = re.compile(r"^Step (\d) of 9 — (.+?)\. In: .+? Out: .+? Next: (.+?)\.$", re.DOTALL)
LINK = re.compile(r"^(\d)\. \*\*\[(.+?)\]\(\.\./(.+?)\)\*\*", re.MULTILINE)


@pytest.fixture(scope="module")
def links(repository: Path) -> list[tuple[int, str, Path]]:
    text = (repository / "docs" / "journey.md").read_text()
    return [(int(n), name, repository / path) for n, name, path in LINK.findall(text)]


def step_of(path: Path) -> tuple[int, str, str]:
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    match = STEP.match(docstring.split("\n\n")[0].replace("\n", " "))
    assert match is not None, f"{path} does not open with its step"
    return int(match[1]), match[2], match[3]


def test_the_page_lists_nine_steps_in_order(links):
    assert [n for n, _, _ in links] == list(range(1, 10))


def test_each_linked_module_opens_with_the_step_that_the_page_says(links):
    assert [step_of(path)[:2] for _, _, path in links] == [(n, name) for n, name, _ in links]


def test_each_step_names_the_next_one(links):
    named = [step_of(path)[2] for _, _, path in links]
    assert named[:-1] == [name for _, name, _ in links[1:]]
