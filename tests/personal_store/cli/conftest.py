"""The command line, run in this process as the program runs it."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from personal_store.cli import program
from personal_store.clock import SystemClock

PASSPHRASE = "trois mots au hasard"
SPEAKING = ("LC_", "LANG", "PERSONAL_STORE_")


@pytest.fixture
def cooperative(cooperative):
    """Return a cooperative that goes by the time of the commands, which is the machine's."""
    cooperative.clock = SystemClock()
    return cooperative


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    return file


@pytest.fixture
def options(data: Path, passphrase: Path) -> list[str]:
    return ["--data", str(data), "--passphrase-file", str(passphrase)]


@pytest.fixture
def ready(data: Path, write_vault) -> Path:
    """Return an initialised folder."""
    data.mkdir(mode=0o700)
    write_vault(data, PASSPHRASE)
    return data


@pytest.fixture
def run(options, monkeypatch, capsys):
    """Return a function that runs `main` as the program does, and gives (exit code, out, err)."""

    def run(
        *arguments: object, options: list[str] = options, **environment: str
    ) -> tuple[int, str, str]:
        for name in [each for each in os.environ if each.startswith(SPEAKING)]:
            monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["personal-store", *options, *map(str, arguments)])
        try:
            program.main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def answer(run):
    """Return a function that runs a command to its JSON document."""

    def answer(*arguments: object) -> Any:
        code, out, err = run(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    return answer
