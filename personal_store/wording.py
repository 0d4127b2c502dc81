"""How numbers and counts are written in French and in English: the terminal and the pages alike.

French: decimal comma, and a narrow no-break space (U+202F) between thousands and before a percent
sign; one is the last singular. It holds no sentence and knows nothing of what is counted.
"""

from typing import Final

from personal_store.settings import Language

NARROW: Final = "\u202f"
"""The narrow no-break space of French typography (Unicode, General Punctuation)."""


def number(value: float, language: Language, *, decimals: int = 1, signed: bool = False) -> str:
    """Return a number as a language writes it; what rounds to zero has no sign.

    >>> number(-1234.56, "en"), number(-0.04, "fr"), number(2, "fr", decimals=2, signed=True)
    ('-1,234.6', '0,0', '+2,00')
    """
    # Adding 0.0 takes the sign off a zero.
    rounded = round(value, decimals) + 0.0
    sign = "+" if signed and rounded >= 0 else ""
    english = f"{sign}{rounded:,.{decimals}f}"
    if language == "en":
        return english
    return english.replace(",", NARROW).replace(".", ",")


def shortest(value: float, language: Language) -> str:
    """Return a number with as few decimals as it needs, six significant digits at most.

    >>> shortest(0.25, "fr"), shortest(2.0, "fr")
    ('0,25', '2')
    """
    english = f"{value:g}"
    return english if language == "en" else english.replace(".", ",")


def percent(share: float, language: Language) -> str:
    """Return a share of 1 in whole percent.

    >>> percent(0.873, "en")
    '87%'
    """
    return number(100 * share, language, decimals=0) + ("%" if language == "en" else f"{NARROW}%")


def several(count: int, one: str, many: str) -> str:
    """Return a French count and its noun: from two on, the plural.

    >>> several(0, "position lue", "positions lues"), several(2, "trajet", "trajets")
    ('0 position lue', '2 trajets')
    """
    return f"{number(count, 'fr', decimals=0)} {one if count < 2 else many}"


def several_en(count: int, one: str, many: str) -> str:
    """Return an English count and its noun: one alone is singular.

    >>> several_en(0, "trip", "trips"), several_en(1, "trip", "trips")
    ('0 trips', '1 trip')
    """
    return f"{number(count, 'en', decimals=0)} {one if count == 1 else many}"
