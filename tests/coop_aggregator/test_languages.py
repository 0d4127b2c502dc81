"""Two languages: every French sentence has its English one, and readers get theirs."""

import pytest
from babel.messages.extract import extract

from carbon.modes import ModeGroup
from consents.records.receipt import EventType
from coop_aggregator.settings import Language
from coop_aggregator.web import steward_pages, wording
from coop_aggregator.web.languages import preferred_language, read_catalogue, translations


@pytest.fixture(scope="module")
def templates(repository):
    return sorted((repository / "coop_aggregator" / "web" / "templates").glob("*.html"))


def messages_of(path):
    options = {"extensions": "jinja2.ext.i18n", "trim_blocks": "true", "lstrip_blocks": "true"}
    method = "jinja2.ext:babel_extract" if path.suffix == ".html" else "python"
    with path.open("rb") as file:
        found = list(
            extract(method, file, keywords={"gettext": None, "say": None}, options=options)
        )
    # Jinja's own calls double the percent sign.
    double = path.suffix == ".html"
    return {
        message if "%(" in message or not double else message.replace("%", "%%")
        for _line, message, _comments, _context in found
    }


def test_every_sentence_of_the_templates_is_translated(templates):
    catalogue = read_catalogue()
    sentences = set().union(*(messages_of(path) for path in templates))
    assert sorted(s for s in sentences if not (catalogue.get(s) and catalogue[s].string)) == []
    assert len(sentences) > 40


@pytest.mark.parametrize(
    "module",
    [
        "keepers/reading.py",
        *(f"web/{name}.py" for name in ("facts", "figures", "pages", "steward_pages", "wording")),
    ],
)
def test_every_sentence_of_the_code_is_translated(repository, module):
    catalogue = read_catalogue()
    sentences = messages_of(repository / "coop_aggregator" / module)
    assert sorted(s for s in sentences if not (catalogue.get(s) and catalogue[s].string)) == []


def test_every_mode_group_has_a_name_in_both_languages():
    english = translations(Language.ENGLISH)
    for mode in ModeGroup:
        assert english.gettext(wording.MODE_NAMES[mode]) != wording.MODE_NAMES[mode]


@pytest.mark.parametrize("names", [wording.MEASURE_NAMES, wording.UNIT_NAMES, wording.BAND_NAMES])
def test_every_measure_unit_and_band_is_in_the_catalogue(names):
    catalogue = read_catalogue()
    assert [name for name in names.values() if not catalogue.get(name)] == []


def test_every_event_and_every_member_of_a_purpose_has_a_name_in_both_languages():
    catalogue = read_catalogue()
    assert set(steward_pages.EVENT_NAMES) == set(EventType)
    names = {*steward_pages.EVENT_NAMES.values(), *steward_pages.MEMBER_NAMES.values()}
    assert sorted(name for name in names if not catalogue[name].string) == []


def test_a_translation_keeps_the_fields_of_its_sentence():
    for message in read_catalogue():
        if message.id:
            assert message.string.count("{") == message.id.count("{"), message.id
            assert message.string.count("%(") == message.id.count("%("), message.id


PREFERENCES = {
    "": Language.FRENCH,
    "en": Language.ENGLISH,
    "en-GB,en;q=0.9": Language.ENGLISH,
    "fr-FR,fr;q=0.9,en;q=0.8": Language.FRENCH,
    "en;q=0.4,fr;q=0.8": Language.FRENCH,
    "de": Language.FRENCH,
    "en;q=nonsense": Language.FRENCH,
    "en;q=7": Language.FRENCH,
    ";;;,,,": Language.FRENCH,
    "de,en;q=0.5": Language.ENGLISH,
}


@pytest.mark.parametrize("header", PREFERENCES)
def test_the_header_chooses_the_language(header):
    assert preferred_language(header) is PREFERENCES[header]
