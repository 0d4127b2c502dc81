"""What `footprint` and `whatif` answer on the command line: JSON documents, and sentences.

The JSON shapes are stable (docs/cli.md); numbers are rounded to what they are worth.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from carbon.footprint import Footprint, Interval
from carbon.uncertainty import SignedInterval
from carbon.whatif import Effect
from personal_store.footprint import PeriodFootprint
from personal_store.settings import Language
from personal_store.vocabulary import MODE_NAMES, SCENARIO_NAMES
from personal_store.whatif import Cost, ScenarioName
from personal_store.wording import number, percent, several, several_en

Document = dict[str, object]


def footprint_document(result: PeriodFootprint, cost: Cost | None) -> Document:
    """Return the document of `footprint --json`; `cost_eur` is null where no price was given."""
    return {
        "period": {"from": result.start.isoformat(), "to": result.end.isoformat()},
        "trips": result.trips,
        "factor_set": {"name": result.factor_set, "sha256": result.total.factor_set_sha256},
        **_footprint_figures(result.total),
        "cost_eur": None if cost is None else round(cost.eur, 2),
        "cost_lacks_price_of": [] if cost is None else [mode.value for mode in cost.unpriced],
        "by_mode": {mode.value: _footprint_figures(each) for mode, each in result.by_mode.items()},
        "distance_m": {group.value: round(metres) for group, metres in result.distance_m.items()},
    }


def footprint_sentences(result: PeriodFootprint) -> dict[str, str]:
    """Say the footprint: both figures, each with its interval."""
    if not result.trips:
        return {
            "fr": "Aucun déplacement dans cette période.",
            "en": "No trip in this period.",
        }
    usage, life = result.total.usage, result.total.life_cycle
    return {
        "fr": f"{several(result.trips, 'déplacement', 'déplacements')}. "
        f"Usage (du puits à la roue) : {_kg(usage, 'fr')} kgCO2e. "
        f"Cycle de vie : {_kg(life, 'fr')} kgCO2e. Facteurs : {result.factor_set}.",
        "en": f"{several_en(result.trips, 'trip', 'trips')}. "
        f"Usage (well to wheel): {_kg(usage, 'en')} kgCO2e. "
        f"Life cycle: {_kg(life, 'en')} kgCO2e. Factors: {result.factor_set}.",
    }


def effect_document(name: ScenarioName, effect: Effect) -> Document:
    """Return the document of `whatif --json`: after less before, so that below zero is less."""
    return {
        "scenario": name.value,
        "legs": round(effect.legs, 1),
        "distance_m": round(effect.distance_m),
        "usage_kg_co2e": _interval(effect.difference.usage),
        "life_cycle_kg_co2e": _interval(effect.difference.life_cycle),
        "cost_eur": None if effect.cost_eur is None else round(effect.cost_eur, 2),
        "duration_s": round(effect.duration_s),
        "active_s": round(effect.active_s),
        "ceiling": {
            "legs": round(effect.ceiling.legs, 1),
            "distance_m": round(effect.ceiling.distance_m),
            "share_of_car_legs": round(effect.ceiling.share_of_car_legs, 3),
            "share_of_car_distance": round(effect.ceiling.share_of_car_distance, 3),
            "life_cycle_kg_co2e": _interval(effect.ceiling.life_cycle),
        },
    }


def effect_sentences(name: ScenarioName, effect: Effect) -> dict[str, str]:
    """Say what a scenario changes, and the most that it could."""
    fr, en = _effect_figures(effect, "fr"), _effect_figures(effect, "en")
    ceiling = effect.ceiling
    return {
        "fr": f"{SCENARIO_NAMES[name]} : {fr.kg} kgCO2e (cycle de vie), "
        f"{fr.minutes} min de trajet, {fr.active_minutes} min actives"
        + (f", {fr.euros} €" if fr.euros else "")
        + f". Au mieux : {_kg(ceiling.life_cycle, 'fr')} kgCO2e, soit "
        f"{percent(ceiling.share_of_car_distance, 'fr')} de vos kilomètres en voiture.",
        "en": f"{name.value}: {en.kg} kgCO2e (life cycle), "
        f"{en.minutes} min of travel, {en.active_minutes} active min"
        + (f", {en.euros} €" if en.euros else "")
        + f". At most: {_kg(ceiling.life_cycle, 'en')} kgCO2e, "
        f"{percent(ceiling.share_of_car_distance, 'en')} of your car kilometres.",
    }


def cost_sentences(cost: Cost) -> dict[str, str]:
    """Say what the period cost, and what no price was given for."""
    lacking = ", ".join(MODE_NAMES[mode] for mode in cost.unpriced)
    lacking_en = ", ".join(mode.value for mode in cost.unpriced)
    return {
        "fr": f"Dépense : {number(cost.eur, 'fr', decimals=2)} €."
        + (f" Sans prix donné, non compté : {lacking}." if lacking else ""),
        "en": f"Spent: {number(cost.eur, 'en', decimals=2)} €."
        + (f" No price given, not counted: {lacking_en}." if lacking_en else ""),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _EffectFigures:
    """What a scenario changes, as one language writes it; no `euros` without prices."""

    kg: str
    minutes: str
    active_minutes: str
    euros: str


def _effect_figures(effect: Effect, language: Language) -> _EffectFigures:
    euros = effect.cost_eur
    return _EffectFigures(
        kg=_kg(effect.difference.life_cycle, language),
        minutes=number(effect.duration_s / 60, language, decimals=0, signed=True),
        active_minutes=number(effect.active_s / 60, language, decimals=0, signed=True),
        euros="" if euros is None else number(euros, language, decimals=2, signed=True),
    )


def _footprint_figures(footprint: Footprint) -> Mapping[str, object]:
    return {
        "usage_kg_co2e": _interval(footprint.usage),
        "life_cycle_kg_co2e": _interval(footprint.life_cycle),
    }


def _interval(interval: Interval | SignedInterval) -> Mapping[str, float]:
    return {
        "value": round(interval.value, 3),
        "low": round(interval.low, 3),
        "high": round(interval.high, 3),
    }


def _kg(interval: Interval | SignedInterval, language: Language) -> str:
    value, low, high = (
        number(each, language) for each in (interval.value, interval.low, interval.high)
    )
    return f"{value} [{low} ; {high}]"
