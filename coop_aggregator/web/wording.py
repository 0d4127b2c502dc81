"""How to speak to one reader: names, numbers and dates in French or English.

French names are the message ids of their translations. It knows no release.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

from carbon.modes import ModeGroup
from contributions.measures import ELSEWHERE, HOURS, Key, Measure, Unit
from coop_aggregator.settings import Language
from coop_aggregator.web.languages import translations

MODE_NAMES = {
    ModeGroup.WALK: "À pied",
    ModeGroup.BIKE: "À vélo",
    ModeGroup.TWO_WHEELER: "Deux-roues motorisé",
    ModeGroup.CAR: "En voiture",
    ModeGroup.TRANSIT: "Bus, tram, métro",
    ModeGroup.TRAIN: "En train",
    ModeGroup.PLANE: "En avion",
    ModeGroup.OTHER: "Autre",
}
"""French names of the eight groups, which are also the message ids of their translations."""
MEASURE_NAMES = {
    Measure.KILOMETRES: "Kilomètres par mode",
    Measure.TRIPS: "Trajets par mode",
    Measure.KG_CO2E: "Émissions par mode",
    Measure.DEPARTURES: "Départs par heure",
    Measure.SHORT_CAR_TRIPS: "Trajets courts en voiture",
    Measure.ACTIVE_MINUTES: "Minutes à pied et à vélo",
    Measure.FLOWS: "Trajets par zone d'arrivée",
}
UNIT_NAMES = {
    Unit.KILOMETRE: "km",
    Unit.TRIP: "trajets",
    Unit.KILOGRAM_CO2E: "kgCO₂e",
    Unit.MINUTE: "min",
}
BAND_NAMES = {"km_0_3": "Moins de 3 km", "km_3_5": "De 3 à 5 km"}
FEW = 100
"""Below it a figure a report is written with a decimal."""


def wording_for(language: Language) -> "Wording":
    """Return how to speak to a reader of this language, with its catalogue."""
    return Wording(language=language, gettext=translations(language).gettext)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How to speak to one reader: a language and its catalogue."""

    language: Language
    gettext: Callable[[str], str]

    @property
    def locale(self) -> str:
        """Return the locale of numbers and dates; English ones are the European ones."""
        return "en_GB" if self.language is Language.ENGLISH else "fr_FR"

    def say(self, sentence: str, **values: str) -> str:
        """Translate a French sentence, then fill in `{names}`."""
        return self.gettext(sentence).format(**values)

    def number(self, value: float, *, decimals: int = 0) -> str:
        """Write a number as this reader does, whole by default; no minus before a zero."""
        pattern = "#,##0.0" if decimals else "#,##0"
        return format_decimal(round(value, decimals) + 0.0, format=pattern, locale=self.locale)

    def amount(self, value: float, unit: Unit) -> str:
        """Write a figure and its unit, to the unit."""
        return f"{self.number(value)} {self.unit(unit)}"

    def interval(self, low: float, high: float, *, decimals: int = 0) -> str:
        """Write an interval; its unit stands in a heading or follows."""
        return self.say(
            "de {low} à {high}",
            low=self.number(low, decimals=decimals),
            high=self.number(high, decimals=decimals),
        )

    def percent(self, share: float) -> str:
        """Write a share, to the percent."""
        return format_percent(share, locale=self.locale)

    def day(self, day: date, *, long: bool = True) -> str:
        """Write a date."""
        return format_date(day, "long" if long else "medium", locale=self.locale)

    def unit(self, unit: Unit) -> str:
        """Name a unit."""
        return self.gettext(UNIT_NAMES[unit])

    def measure(self, measure: Measure) -> str:
        """Name a measure."""
        return self.gettext(MEASURE_NAMES[measure])

    def part(self, key: Key, zones: Mapping[str, str]) -> str:
        """Name a part of a measure; `zones` has names by code. What is unknown stays as it is."""
        measure, label = key
        if measure is Measure.FLOWS:
            return self.say("Hors du territoire") if label == ELSEWHERE else zones.get(label, label)
        if measure is Measure.DEPARTURES and label in HOURS:
            hour = HOURS.index(label)
            return self.say("De {start} h à {end} h", start=str(hour), end=str(hour + 1))
        if label in BAND_NAMES:
            return self.gettext(BAND_NAMES[label])
        known = label in set(ModeGroup)
        return self.gettext(MODE_NAMES[ModeGroup(label)]) if known else label
