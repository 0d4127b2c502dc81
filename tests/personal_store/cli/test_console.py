"""How the command line speaks, and what it makes of whatever goes wrong."""

import errno
import io
import os
import pty
import random
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from rich.console import Console

from carbon.errors import InvalidActivity
from consents.errors import ProofError
from contributions.errors import NoiseRefused
from personal_store.cli.console import Session, plain_errors
from personal_store.db import connection
from personal_store.errors import StoreError
from personal_store.settings import Settings
from personal_store.vault import DatabaseKey

PROGRAM = Path(sys.executable).with_name("personal-store")
FAILURES = {
    "ours": (StoreError(fr="Non.", en="No."), "Non.", "No."),
    "carbon": (InvalidActivity("modes", "expected a mode"), "forme attendue", "expected form"),
    "consents": (ProofError("expected a proof"), "forme attendue", "expected form"),
    "contributions": (NoiseRefused("expected a scale"), "forme attendue", "expected form"),
    "text": (UnicodeDecodeError("utf-8", b"secret", 0, 1, "bad"), "forme", "form"),
    "system": (OSError(errno.EACCES, "denied", "secret"), "pas le droit", "Permission"),
    "full": (OSError(errno.ENOSPC, "full", "secret"), "plus de place sur le disque", "No space"),
    "rare": (OSError(errno.ELOOP, "loop", "secret"), "symbolic links", "symbolic links"),
    "nameless": (TimeoutError(), "TimeoutError", "TimeoutError"),
}


def said(failure: Exception, language: str) -> str:
    heard = io.StringIO()
    with (
        pytest.raises(typer.Exit) as end,
        plain_errors(language, Console(file=heard, soft_wrap=True)),
    ):
        raise failure
    assert end.value.exit_code == 1
    return heard.getvalue()


@pytest.mark.parametrize(("failure", "fr", "en"), FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_is_one_sentence_in_the_language_asked_for(failure, fr, en) -> None:
    french, english = said(failure, "fr"), said(failure, "en")
    assert fr in french
    assert en in english
    assert french.count("\n") == english.count("\n") == 1
    assert "secret" not in french + english


def test_a_defect_is_not_dressed_up_as_a_sentence() -> None:
    with pytest.raises(ZeroDivisionError), plain_errors("fr", Console(file=io.StringIO())):
        raise ZeroDivisionError


@pytest.mark.parametrize("text", ["[bold]x[/bold]", ":car: :bus:", "a" * 500, "[/nothing]"])
def test_what_is_said_is_said_as_it_is(text) -> None:
    heard = io.StringIO()
    session = Session(
        settings=Settings.model_construct(),
        language="fr",
        console=Console(file=heard, soft_wrap=True),
    )
    session.say(fr=text, en="other")
    assert heard.getvalue() == text + "\n"


class Terminal:
    """The program on a terminal of its own, typed at as a person does."""

    def __init__(self, *arguments: str) -> None:
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [str(PROGRAM), *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={name: os.environ[name] for name in ("PATH", "PYTHONPATH")},
        )
        os.close(theirs)
        self.shown = b""

    def type(self, prompt: str, line: str) -> None:
        while not self.shown.endswith(prompt.encode()):
            self.shown += os.read(self.ours, 1024)
        os.write(self.ours, line.encode() + b"\n")

    def end(self) -> int:
        try:
            while seen := os.read(self.ours, 1024):
                self.shown += seen
        except OSError:  # what Linux answers once the other end is closed
            pass
        os.close(self.ours)
        return self.process.wait(timeout=600)


def test_a_passphrase_is_asked_for_twice_and_never_shown(tmp_path) -> None:
    terminal = Terminal("--data", str(tmp_path / "data"), "init")
    terminal.type("Phrase de passe : ", "trois mots au hasard")
    terminal.type("Encore une fois : ", "trois mots au hasard")
    assert terminal.end() == 0
    assert b"trois mots" not in terminal.shown
    assert (tmp_path / "data" / "vault.json").exists()


def test_two_passphrases_that_differ_make_nothing(tmp_path) -> None:
    terminal = Terminal("--lang", "en", "--data", str(tmp_path / "data"), "init")
    terminal.type("Passphrase: ", "three random words")
    terminal.type("Again: ", "three other words")
    assert terminal.end() == 1
    assert "differ" in terminal.shown.decode()
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("language", "sentence"), [("fr", "occupée par un autre programme"), ("en", "try again")]
)
def test_a_lock_of_another_program_is_said_as_such(store, language, sentence, monkeypatch) -> None:
    monkeypatch.setattr(connection, "LOCK_TIMEOUT_S", 0.1)
    key = DatabaseKey(random.Random(1).randbytes(32))
    heard = io.StringIO()
    with (
        connection.writing(store.engine),
        pytest.raises(typer.Exit),
        plain_errors(language, Console(file=heard, soft_wrap=True)),
    ):
        connection.open_database(store.folder, key)
    assert sentence in heard.getvalue()
    assert heard.getvalue().count("\n") == 1
