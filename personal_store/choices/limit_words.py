"""How limits are said to the resident: which days count, where, and what was left out of a week."""

from collections.abc import Sequence

from personal_store.gate import WeekFigures

Sentences = dict[str, str]
DAYS_FR = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
DAYS_EN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def days_sentences(days: Sequence[int] | None) -> Sentences:
    """Say on which days trips would be counted."""
    if days is None:
        return {"fr": "Jours comptés : tous.", "en": "Days counted: all."}
    fr, en = (", ".join(names[day - 1] for day in days) for names in (DAYS_FR, DAYS_EN))
    return {"fr": f"Jours comptés : {fr}.", "en": f"Days counted: {en}."}


def area_sentences(zones: Sequence[str] | None) -> Sentences:
    """Say where trips would be counted, by the names of the zones, and by which rule."""
    if zones is None:
        return {"fr": "Lieux comptés : tous.", "en": "Places counted: all."}
    names = ", ".join(zones)
    return {
        "fr": f"Lieux comptés : {names}. Un trajet compte, entier, s'il commence et finit dans ces "
        "zones ; sinon il ne compte pas du tout. Ce tri se fait sur cette machine.",
        "en": f"Places counted: {names}. A trip counts, whole, when it begins and ends in these "
        "zones; otherwise not at all. This is sorted out on this machine.",
    }


def limits_sentences(days: Sequence[int] | None, zones: Sequence[str] | None) -> Sentences:
    """Say on which days and where trips count; nothing where all do."""
    said = [] if days is None else [days_sentences(days)]
    if zones is not None:
        said.append(area_sentences(zones))
    return {language: " ".join(each[language] for each in said) for language in ("fr", "en")}


def left_out_sentences(week: WeekFigures) -> Sentences:
    """Say how many trips the limits leave out of a week."""
    count = week.trips_left_out
    return {
        "fr": f"Hors des jours et des lieux de votre accord : {count} trajet(s), non compté(s).",
        "en": f"Outside the days and places of your consent: {count} trip(s), not counted.",
    }
