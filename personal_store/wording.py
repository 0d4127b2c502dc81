"""How numbers and counts are written in French and in English: the terminal and the pages alike.

French: decimal comma, and a narrow no-break space (U+202F) between thousands and before a percent
sign; one is the last singular. It holds no sentence and knows nothing of what is counted.
"""

from datetime import date, datetime
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


def week(code: str, language: Language) -> str:
    """Return an ISO week by its first and last day; French begins with "du".

    >>> week("2026-W12", "fr"), week("2026-W12", "en")
    ('du 16 au 22 mars 2026', '16 to 22 March 2026')
    >>> week("2026-W53", "fr"), week("2026-W40", "en")
    ('du 28 décembre 2026 au 3 janvier 2027', '28 September to 4 October 2026')
    """
    year, number = int(code[:4]), int(code[6:])
    first, last = (date.fromisocalendar(year, number, each) for each in (1, 7))
    if first.year != last.year:
        start = day(first, language)
    elif first.month != last.month:
        start = f"{_number_of(first, language)} {_month(first, language)}"
    else:
        start = _number_of(first, language)
    if language == "en":
        return f"{start} to {day(last, language)}"
    return f"du {start} au {day(last, language)}"


def day(at: date, language: Language) -> str:
    """Return a day with its year, in French with the ordinal of a first.

    >>> day(date(2026, 5, 1), "fr"), day(date(2026, 5, 1), "en")
    ('1er mai 2026', '1 May 2026')
    """
    return f"{_number_of(at, language)} {_month(at, language)} {at.year}"


def moment(at: datetime, language: Language) -> str:
    """Return a day and the hour, as the clock of `at` shows them.

    >>> moment(datetime(2026, 5, 1, 9, 5), "fr"), moment(datetime(2026, 5, 1, 9, 5), "en")
    ('1er mai 2026 à 09:05', '1 May 2026 at 09:05')
    """
    return f"{day(at, language)} {'at' if language == 'en' else 'à'} {at:%H:%M}"


def _number_of(at: date, language: Language) -> str:
    return "1er" if at.day == 1 and language == "fr" else str(at.day)


def _month(at: date, language: Language) -> str:
    names = _MONTHS_EN if language == "en" else _MONTHS_FR
    return names[at.month - 1]


_MONTHS_FR: Final = (
    *("janvier", "février", "mars", "avril", "mai", "juin"),
    *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
)
_MONTHS_EN: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
