"""French first, English too: no sentence without its translation, none left over."""

import ast
import doctest
import re
from pathlib import Path

import pytest

from contributions.measures import Unit
from coop_aggregator.asking.purposes import default_purpose
from coop_aggregator.web import steward_pages
from personal_store import vocabulary
from personal_store.choices import limit_words
from personal_store.documents import sharing
from personal_store.web import contexts, language
from personal_store.web.language import Speaker, read_catalogue
from personal_store.web.pages import TEMPLATES

NAMED = contexts.EventType.RECOVERY_NAMED
SPOKEN = re.compile(r"""(?:(?:speak|self)\.text|\b_)\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")


def _in_templates() -> set[str]:
    return {
        ast.literal_eval(found)
        for source in (*TEMPLATES.iterdir(), Path(language.__file__))
        for found in SPOKEN.findall(source.read_text("utf-8"))
    }


def _names() -> set[str]:
    return {
        *vocabulary.MODE_NAMES.values(),
        *vocabulary.GROUP_NAMES.values(),
        *vocabulary.MEASURE_NAMES.values(),
        *vocabulary.FIELD_NAMES.values(),
        *(vocabulary.unit_name(unit, n) for unit in vocabulary.UNIT_NAMES for n in (0.1, 2)),
        *vocabulary.PART_NAMES.values(),
        *vocabulary.SOURCE_NAMES.values(),
        *vocabulary.CORRECTION_NAMES.values(),
        *vocabulary.PLACE_NAMES.values(),
        *vocabulary.OTHERWISE_NAMES.values(),
        *vocabulary.FIGURE_NAMES.values(),
        *vocabulary.EMISSION_PART_NAMES.values(),
        *vocabulary.COMPARATOR_NAMES.values(),
        *vocabulary.COMPARATOR_SOURCES.values(),
        *contexts.EVENT_NAMES.values(),
        *limit_words.DAYS_FR,
        *vocabulary.REASON_NAMES.values(),
    }


def test_the_scan_finds_the_sentences_of_every_template() -> None:
    assert {"Mon espace mobilité", "Phrase de passe", "Ce que je partage"} <= _in_templates()
    assert len(_in_templates()) > 40


def test_every_french_sentence_has_an_english_one() -> None:
    assert (_in_templates() | _names()) - set(read_catalogue()) == set()


def test_no_english_sentence_is_left_over() -> None:
    assert set(read_catalogue()) - (_in_templates() | _names()) == set()


def test_every_datum_that_a_default_purpose_names_has_a_name_in_words() -> None:
    asked = default_purpose(name="Coop", contact="x").fields
    assert [each for each in asked if vocabulary.field_name(each) == each] == []


def test_less_than_two_trips_are_singular_in_french() -> None:
    named = [vocabulary.unit_name(Unit.TRIP, value) for value in (0.1, 1.94, 1.97, 2.0)]
    assert named == ["trajet", "trajet", "trajets", "trajets"]


def test_a_week_is_said_as_people_say_it() -> None:
    said = [Speaker(language=each, catalogue={}).week("2026-W03") for each in ("fr", "en")]
    assert said == ["du 12 au 18 janvier 2026", "12 to 18 January 2026"]


def test_a_translation_takes_the_same_values_as_its_original() -> None:
    values = re.compile(r"\{(\w+)\}")
    for french, english in read_catalogue().items():
        assert set(values.findall(french)) == set(values.findall(english)), french


def test_no_template_holds_words_outside_of_the_catalogue() -> None:
    for template in TEMPLATES.iterdir():
        spoken = re.sub(r"\{[{%#].*?[}%#]\}", "", template.read_text(), flags=re.DOTALL)
        words = re.sub(r"<[^>]*>", "", spoken)
        assert set(re.findall(r"[^\W\d_][\w₂]{2,}", words)) <= {"kgCO₂e"}, template.name


@pytest.mark.parametrize(
    ("names", "kinds"),
    [
        (vocabulary.MODE_NAMES, vocabulary.TransportMode),
        (vocabulary.GROUP_NAMES, vocabulary.ModeGroup),
    ],
    ids=["modes", "groups"],
)
def test_every_kind_has_a_name_of_its_own(names, kinds) -> None:
    assert set(names) == set(kinds)
    assert len(set(names.values())) == len(names)


def test_the_withdrawal_code_is_never_called_the_code_that_opens_the_store() -> None:
    page, terminal = contexts.EVENT_NAMES, sharing.EVENT_WORDS
    steward = steward_pages.EVENT_NAMES
    names = (page[NAMED], terminal[NAMED][0], steward[NAMED])
    assert names == ("code de retrait lié à l'accord",) * 3


def test_every_event_of_a_resident_has_a_name() -> None:
    assert set(contexts.EVENT_NAMES) == {each for each in contexts.EventType if each.of_resident}


def test_the_examples_of_the_module_hold() -> None:
    results = doctest.testmod(language)
    assert results.attempted >= 1
    assert results.failed == 0


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "fr"),
        ("", "fr"),
        ("de-DE,de;q=0.9", "fr"),
        ("de,en;q=0.7", "en"),
        ("EN-us", "en"),
        ("fr-FR,en;q=0.8", "fr"),
        (";;;,,", "fr"),
    ],
)
def test_the_entrance_speaks_what_the_browser_asks_for(stranger, header, expected) -> None:
    headers = {} if header is None else {"Accept-Language": header}
    stranger.headers.pop("accept-language", None)
    answer = stranger.get("/", headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/{expected}/")


def test_numbers_are_written_as_each_language_does() -> None:
    french, english = Speaker(language="fr", catalogue={}), Speaker(language="en", catalogue={})
    assert french.number(1234.56) == "1\u202f234,6"
    assert english.number(1234.56) == "1,234.6"
    assert french.percent(0.7) == "70\u00a0%" or french.percent(0.7) == "70\u202f%"
    assert english.percent(0.7) == "70%"


def test_a_hostile_value_is_no_format() -> None:
    assert Speaker(language="fr", catalogue={}).text("{name}", name="{0.__class__}") == (
        "{0.__class__}"
    )


def test_the_catalogue_is_in_the_package() -> None:
    assert Path(language.CATALOGUE).is_file()
