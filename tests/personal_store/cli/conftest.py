"""The command line, run in this process as the program runs it."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from personal_store import cli, vault

PASSPHRASE = "trois mots au hasard"
SPEAKING = ("LC_", "LANG", "PERSONAL_STORE_")


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
def ready(data: Path) -> Path:
    """Return an initialised folder whose passphrase costs no time: Argon2 at its least."""
    data.mkdir(mode=0o700)
    stretching = vault._Stretching(salt=bytes(16), iterations=1, lanes=1, memory_kib=8)
    key = os.urandom(32)
    wrapped = vault._wrap(key, stretching.stretch(PASSPHRASE), os.urandom)
    vault._write(
        data, vault._Vault(argon2id=stretching, by_passphrase=wrapped, by_recovery_code=wrapped)
    )
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
            cli.main()
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
