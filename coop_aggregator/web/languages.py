"""Two languages: French sentences are the message ids, English ones come from `locale/en.po`.

The catalogue is read once at start; a missing translation shows in French, and a test counts them.
"""

from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from coop_aggregator.settings import Language

CATALOGUE = Path(__file__).with_name("locale") / "en.po"


def read_catalogue() -> Catalog:
    """Read the English catalogue; a damaged file refuses the start."""
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="en", abort_invalid=True)


@cache
def translations(language: Language) -> NullTranslations:
    """Return what turns a French sentence into `language`."""
    if language is Language.FRENCH:
        return NullTranslations()
    compiled = BytesIO()
    write_mo(compiled, read_catalogue())
    compiled.seek(0)
    return Translations(compiled)


def preferred_language(accept_language: str) -> Language:
    """Choose from an Accept-Language header (RFC 9110, 12.5.4); French when in doubt."""
    weights = {Language.FRENCH: 0.0, Language.ENGLISH: 0.0}
    for part in accept_language[:1000].split(","):
        tag, _, parameter = part.partition(";")
        primary = tag.strip().lower().partition("-")[0]
        if primary in weights:
            name, _, value = parameter.strip().partition("=")
            weight = _weight(value) if name == "q" else 1.0
            weights[Language(primary)] = max(weights[Language(primary)], weight)
    english = weights[Language.ENGLISH] > weights[Language.FRENCH]
    return Language.ENGLISH if english else Language.FRENCH


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
