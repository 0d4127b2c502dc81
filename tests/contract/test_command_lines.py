"""docs/cli.md lists the commands that exist, all of them and no other."""

import argparse
import re
from pathlib import Path

import pytest
import typer.main

from consents.__main__ import _parser
from consents.verify.wording import Language
from coop_aggregator.cli.program import app as aggregator
from personal_store.cli.program import app as store

PROGRAMS = {"personal-store": store, "coop-aggregator": aggregator}


def commands(app) -> set[str]:
    """Return the commands of a typer application, sub-commands with their parent's name."""

    def walk(command, prefix):
        for name, child in getattr(command, "commands", {}).items():
            if getattr(child, "commands", None):
                yield from walk(child, f"{prefix}{name} ")
            else:
                yield prefix + name

    return set(walk(typer.main.get_command(app), ""))


def documented(page: Path, program: str) -> set[str]:
    section = page.read_text().split(f"## {program}\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_is_documented_and_no_other(repository, program):
    assert documented(repository / "docs" / "cli.md", program) == commands(PROGRAMS[program])


def test_every_question_of_the_verifier_is_documented_and_no_other(repository):
    def walk(parser, prefix):
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for name, child in action.choices.items():
                    yield from walk(child, f"{prefix} {name}")
                return
        yield prefix.strip()

    asked = set(walk(_parser(Language.EN), ""))
    assert documented(repository / "docs" / "cli.md", "consents") == asked


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_explains_itself_in_both_languages(program):
    def walk(command):
        for child in getattr(command, "commands", {}).values():
            yield from walk(child) if getattr(child, "commands", None) else [child]

    silent = [
        c.name for c in walk(typer.main.get_command(PROGRAMS[program])) if " / " not in c.help
    ]
    assert silent == []
