"""The sentences: both languages, one line, expected and seen and what to do."""

import errno
import inspect

import pytest

from personal_store.errors import IngestError
from personal_store.ingest import refusals

EXAMPLE = "2024-06-15T10:30:00+02:00"
SAMPLES = {"error": OSError(errno.ENOENT, "No such file or directory")}
SENTENCES = {
    name: make
    for name, make in inspect.getmembers(refusals, inspect.isfunction)
    if make.__module__ == refusals.__name__
}


def made(name: str) -> IngestError:
    make = SENTENCES[name]
    return make(**{name: SAMPLES.get(name, "x") for name in inspect.signature(make).parameters})


@pytest.mark.parametrize("number", [None, errno.ENOENT, errno.EACCES, errno.EIO, errno.EMFILE])
def test_what_the_system_refuses_is_said_in_our_words(number):
    said = refusals.not_readable(OSError(number, "Some words of the system"))
    assert "words of the system" not in said.fr + said.en
    assert said.fr.startswith("Attendu : un fichier lisible ; vu : ")


@pytest.mark.parametrize("name", SENTENCES)
def test_every_refusal_is_an_ingest_error(name):
    assert isinstance(made(name), IngestError)


@pytest.mark.parametrize("name", SENTENCES)
def test_every_refusal_says_expected_seen_and_what_to_do_in_french(name):
    sentence = made(name).fr
    assert sentence.startswith("Attendu : ")
    assert sentence.count(" ; ") == 2
    assert sentence.endswith(".")


@pytest.mark.parametrize("name", SENTENCES)
def test_every_refusal_says_expected_seen_and_what_to_do_in_english(name):
    sentence = made(name).en
    assert sentence.startswith("Expected ")
    assert sentence.count("; ") == 2
    assert sentence.endswith(".")


@pytest.mark.parametrize("name", SENTENCES)
def test_every_refusal_is_one_line_without_a_number(name):
    sentences = made(name).fr + made(name).en
    assert "\n" not in sentences
    assert not any(
        character.isdigit() for character in sentences.replace("UTF-8", "").replace(EXAMPLE, "")
    )
