"""French first, English too: sentences, numbers and dates of the pages.

The French sentences are the message identifiers; `locale/en.po` gives the English ones. It is read
as text when the application is made, so nothing has to be compiled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from babel.dates import format_date, format_datetime
from babel.messages.pofile import read_po

from personal_store import wording
from personal_store.local_time import local_time
from personal_store.settings import Language

CATALOGUE = Path(__file__).parent / "locale" / "en.po"


class NamedLeg(Protocol):
    """What is said of a leg's mode: its name where `sure`, else the names that it may have."""

    @property
    def name(self) -> str: ...  # noqa: D102 - said above
    @property
    def names(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def sure(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Everything a template needs to speak one language."""

    language: Language
    catalogue: Mapping[str, str]

    def text(self, french: str, **values: object) -> str:
        """Return the sentence in this language, with its values put in."""
        sentence = self.catalogue.get(french, french) if self.language == "en" else french
        return sentence.format(**values) if values else sentence

    def either(self, names: Sequence[str], between: str) -> str:
        """Return names, given in French, in this language with a word between them."""
        return between.join(self.text(name) for name in names)

    def mode(self, leg: NamedLeg) -> str:
        """Return a leg's mode, and what it may be where that is not sure."""
        if leg.sure:
            return self.text(leg.name)
        names = self.either(leg.names, self.text(" ou "))
        return self.text("mode incertain : {names}", names=names)

    def number(self, value: float, decimals: int = 1) -> str:
        """Return a number as this language writes it."""
        return wording.number(value, self.language, decimals=decimals)

    def percent(self, share: float) -> str:
        """Return a share of 1 in whole percent."""
        return wording.percent(share, self.language)

    def clock(self, at: datetime, utc_offset_min: int | None = None) -> str:
        """Return an hour and minute on the clock of the place, else of home."""
        return format(local_time(at, utc_offset_min), "%H:%M")

    def span(self, start: datetime, end: datetime, utc_offset_min: int | None = None) -> str:
        """Return from when to when on that clock, and whether it was changed in between."""
        hours = f"{self.clock(start, utc_offset_min)} – {self.clock(end, utc_offset_min)}"
        before, after = (local_time(at, utc_offset_min).utcoffset() for at in (start, end))
        changed = self.text("changement d'heure")
        return hours if before == after else f"{hours} ({changed})"

    def day(self, day: date) -> str:
        """Return a calendar day."""
        return format_date(day, "EEEE d MMMM y", locale=self.language)

    def week(self, week: str) -> str:
        """Return an ISO week by its days."""
        return wording.week(week, self.language)

    def time(self, at: datetime, utc_offset_min: int | None = None) -> str:
        """Return a day and an hour, on the clock of the place, else of home."""
        zone = local_time(at, utc_offset_min).tzinfo
        return format_datetime(at, "EEE d MMM HH:mm", tzinfo=zone, locale=self.language)

    def date(self, at: datetime) -> str:
        """Return a day with its year and an hour, local time: what is kept for years."""
        return wording.moment(local_time(at), self.language)


@cache
def read_catalogue() -> Mapping[str, str]:
    """Return the English sentences by their French ones; the file is read once a process."""
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file)
    return MappingProxyType(
        {
            str(message.id): str(message.string)
            for message in catalogue
            if message.id and message.string
        }
    )


def accepted_language(header: str | None) -> Language:
    """Return the language that a browser asks for first; French when it asks for neither.

    >>> accepted_language("en-GB,en;q=0.9,fr;q=0.5"), accepted_language(None)
    ('en', 'fr')
    """
    for part in (header or "").split(","):
        wanted = part.split(";")[0].strip().lower()
        if wanted.startswith("fr"):
            return "fr"
        if wanted.startswith("en"):
            return "en"
    return "fr"
