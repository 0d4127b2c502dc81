"""Consenting on the command line: the text is read before it is signed."""

import io
import sys

import pytest

from personal_store.console import Session
from personal_store.db import consents
from personal_store.db.connection import reading


class Terminal(io.StringIO):
    """Somebody who types these lines."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def here(joined, monkeypatch):
    """Let the command line open the store that reaches the cooperative in memory."""
    monkeypatch.setattr(Session, "open", lambda _: joined)
    return joined


@pytest.fixture
def asked(cooperative):
    purpose = cooperative.publish()
    cooperative.ask(purpose)
    return purpose


@pytest.fixture
def chains(here):
    """Return a function that counts the consents that were signed."""

    def count() -> int:
        with reading(here.engine) as connection:
            return len(consents.every(connection))

    return count


SHOWN = {
    "fr": ("Compter les kilomètres", "Une somme par commune et par semaine.", "[o/N]"),
    "en": ("Count the kilometres", "One sum a zone and a week.", "[y/N]"),
}


@pytest.mark.parametrize(("language", "yes"), [("fr", "o"), ("fr", "oui"), ("en", "y")])
@pytest.mark.usefixtures("here")
def test_the_text_is_shown_before_the_question(run, asked, chains, language, yes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", Terminal(yes + "\n"))
        code, out, err = run("--lang", language, "consents", "give")
    assert (code, out) == (0, ""), err
    title, text, question = SHOWN[language]
    places = [
        err.index(part)
        for part in (title, text, "contact@cooperative.example", "ε = 4", asked.digest, question)
    ]
    assert places == sorted(places)
    assert chains() == 1


@pytest.mark.parametrize("typed", ["", "\n", "n\n", "peut-être\n"])
@pytest.mark.usefixtures("here", "asked")
def test_whatever_is_not_a_yes_signs_nothing(run, chains, monkeypatch, typed) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    code, _, err = run("consents", "give")
    assert code == 1
    assert "Rien n'a été signé." in err
    assert chains() == 0


@pytest.mark.usefixtures("here", "asked")
def test_without_a_terminal_the_text_must_be_named(run, chains) -> None:
    code, _, err = run("consents", "give")
    assert code == 2
    assert "--purpose" in err
    assert chains() == 0


@pytest.mark.usefixtures("here")
def test_the_start_of_the_digest_answers_for_a_script(run, asked, chains) -> None:
    assert run("consents", "give", "--purpose", asked.digest[:8])[0] == 0
    assert chains() == 1


@pytest.mark.usefixtures("here")
def test_a_start_that_is_too_short_is_a_usage_error(run, asked, chains) -> None:
    assert run("consents", "give", "--purpose", asked.digest[:7])[0] == 2
    assert chains() == 0


@pytest.mark.usefixtures("here")
def test_another_text_than_the_one_named_is_not_signed(run, asked, chains, cooperative) -> None:
    cooperative.ask(cooperative.publish(text_fr="Tout autre chose."), week="2026-W48")
    code, _, err = run("consents", "give", "--purpose", asked.digest)
    assert code == 1
    assert "Le texte a changé" in err
    assert chains() == 0


@pytest.mark.usefixtures("here")
def test_showing_the_text_signs_nothing(run, answer, asked, chains) -> None:
    code, out, err = run("consents", "show")
    assert (code, out) == (0, "")
    assert asked.text_fr in err
    assert answer("consents", "show")["digest"] == asked.digest
    assert chains() == 0
