"""House rules that a machine can read: sizes, names, and what must never be in the tree."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ("carbon", "consents", "contributions", "personal_store", "coop_aggregator")
FORBIDDEN_NAMES = {"utils.py", "helpers.py", "common.py", "core.py", "misc.py"}
LEAK = re.compile(r"(?<![\w.])/(?:work|root|home/\w+)/|--(?:extra-)?index-url")


@pytest.fixture(scope="module")
def modules(repository: Path) -> list[Path]:
    return [path for package in PACKAGES for path in sorted((repository / package).rglob("*.py"))]


def test_no_module_is_longer_than_four_hundred_lines(modules):
    long = {p.name: len(p.read_text().splitlines()) for p in modules}
    assert {name: lines for name, lines in long.items() if lines > 400} == {}


def test_no_function_is_longer_than_fifty_lines(modules):
    def length(node):
        return node.end_lineno - node.lineno + 1

    # A migration is a list of tables as they once were: cutting it up would not make it clearer.
    code = [path for path in modules if "migrations" not in path.parts]
    long = [
        f"{path.name}:{node.name} {length(node)}"
        for path in code
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and length(node) > 50
    ]
    assert long == []


def test_no_module_has_a_name_that_says_nothing(modules):
    assert [path.name for path in modules if path.name in FORBIDDEN_NAMES] == []


def test_no_tracked_file_holds_a_machine_path_or_a_registry(repository: Path):
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=repository, capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout: nothing is tracked here")
    leaks = []
    for name in filter(None, listed.stdout.decode().split("\0")):
        path = repository / name
        if path == Path(__file__).resolve() or not path.is_file():
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        leaks += [f"{name}: {match[0]}" for match in LEAK.finditer(text)]
    assert leaks == []


def test_every_error_of_the_shells_speaks_both_languages(modules):
    """A `raise SomeError(...)` of a shell's tree gives both `fr=` and `en=`."""
    silent = []
    for path in modules:
        if path.parts[-2] not in {"personal_store", "coop_aggregator"} or path.name == "errors.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            names = {keyword.arg for keyword in node.keywords}
            if {"fr", "en"} & names and not {"fr", "en"} <= names:
                silent.append(f"{path.name}:{node.lineno}")
    assert silent == []


@pytest.mark.parametrize("package", ["personal_store", "coop_aggregator", "carbon"])
def test_programs_that_tests_start_load_this_tree(repository, package):
    ask = f"import {package}; print({package}.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, check=True, cwd="/"
    )
    assert Path(done.stdout.strip()).is_relative_to(repository)
