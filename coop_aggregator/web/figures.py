"""From a stored release to what a page shows: sentences, numbers in the reader's way, drawings.

No new statistics: shares and sums are post-processing of published figures, and are labelled so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

from carbon.modes import ModeGroup
from contributions.release import Quality, Release, ReleaseRow
from contributions.weeks import week_monday
from coop_aggregator.settings import Language
from coop_aggregator.territory import ZoneOutline
from coop_aggregator.web import charts
from coop_aggregator.web.contexts import BarChart, Fact, Map, ModeRow, ReleaseView, ZoneRow

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

    def number(self, value: float) -> str:
        """Write a whole number as this reader does; no minus before a zero."""
        return format_decimal(round(value), format="#,##0", locale=self.locale)

    def km(self, value: float) -> str:
        """Write kilometres, to the kilometre."""
        return f"{self.number(value)} km"

    def interval(self, low: float, high: float) -> str:
        """Write an interval; its unit stands in a heading or follows."""
        return self.say("de {low} à {high}", low=self.number(low), high=self.number(high))

    def percent(self, share: float) -> str:
        """Write a share, to the percent."""
        return format_percent(share, locale=self.locale)

    def day(self, day: date, *, long: bool = True) -> str:
        """Write a date."""
        return format_date(day, "long" if long else "medium", locale=self.locale)

    def mode(self, label: str) -> str:
        """Name a mode group; a label that we do not know stays as it is."""
        known = label in set(ModeGroup)
        return self.gettext(MODE_NAMES[ModeGroup(label)]) if known else label


def week_title(week: str, wording: Wording) -> str:
    """Return for instance "Semaine 46 de 2026"."""
    return wording.say("Semaine {number} de {year}", number=str(int(week[6:])), year=week[:4])


def release_view(release: Release, wording: Wording) -> ReleaseView:
    """Return a release as a page shows it."""
    rows = [row for row in release.rows if row.zone is None]
    estimates = [_estimate(row, wording) for row in rows if row.quality is Quality.PUBLISHED]
    monday = week_monday(release.week)
    return ReleaseView(
        week=release.week,
        title=week_title(release.week, wording),
        period=wording.say(
            "du {start} au {end}",
            start=wording.day(monday),
            end=wording.day(monday + timedelta(days=6)),
        ),
        finding=_finding(release, estimates, wording),
        chart=_chart(estimates, wording) if estimates else None,
        rows=_mode_rows(rows, wording),
        trust=release.trust_fr if wording.language is Language.FRENCH else release.trust_en,
        facts=_facts(release, wording),
    )


def zone_rows(
    release: Release, mode: str, zones: Sequence[ZoneOutline], wording: Wording
) -> tuple[ZoneRow, ...]:
    """Return kilometres a report by zone, for one mode, in order of name."""
    rows = {row.zone: row for row in release.rows if row.mode == mode and row.zone is not None}
    table = []
    for zone in sorted(zones, key=lambda zone: zone.name):
        mean = _per_report(rows.get(zone.code))
        if mean is None:
            table.append(ZoneRow(name=zone.name, value="", interval=""))
        else:
            table.append(
                ZoneRow(
                    name=zone.name,
                    value=wording.number(mean.value),
                    interval=wording.interval(mean.low, mean.high),
                )
            )
    return tuple(table)


def zone_map(release: Release, mode: str, zones: Sequence[ZoneOutline], wording: Wording) -> Map:
    """Return the map of kilometres a report for one mode."""
    rows = {row.zone: row for row in release.rows if row.mode == mode and row.zone is not None}
    means = {zone.code: _per_report(rows.get(zone.code)) for zone in zones}
    top = max((mean.value for mean in means.values() if mean is not None), default=0.0)
    levels = [
        0 if (mean := means[zone.code]) is None else charts.level_of(mean.value, top)
        for zone in zones
    ]
    step = max(top, 0.0) / charts.LEVELS
    return Map(
        width=charts.MAP_WIDTH,
        height=charts.MAP_HEIGHT,
        shapes=charts.shapes_of([zone.outline for zone in zones], levels) if zones else (),
        legend=(
            wording.say("non publié"),
            *(
                wording.say("jusqu'à {km}", km=wording.km(step * rank))
                for rank in range(1, charts.LEVELS + 1)
            ),
        )
        if top > 0
        else (wording.say("non publié"),),
        description=wording.say(
            "Carte des {count} zones du territoire ; le tableau à la suite dit la même chose.",
            count=str(len(zones)),
        ),
    )


def zones_finding(rows: Sequence[ZoneRow], mode: str, wording: Wording) -> str:
    """Say how many zones can be shown."""
    return wording.say(
        "{mode} : {shown} zone(s) sur {count} ont assez de réponses pour être publiées.",
        mode=wording.mode(mode),
        shown=str(sum(1 for row in rows if row.value)),
        count=str(len(rows)),
    )


def _estimate(row: ReleaseRow, wording: Wording) -> charts.Estimate:
    assert row.km is not None
    assert row.ci95_low is not None
    assert row.ci95_high is not None
    return charts.Estimate(
        label=wording.mode(row.mode), value=row.km, low=row.ci95_low, high=row.ci95_high
    )


def _per_report(row: ReleaseRow | None) -> charts.Estimate | None:
    if row is None or row.km is None or row.ci95_low is None or row.ci95_high is None or not row.n:
        return None
    return charts.Estimate(
        label=row.mode, value=row.km / row.n, low=row.ci95_low / row.n, high=row.ci95_high / row.n
    )


def _finding(release: Release, estimates: Sequence[charts.Estimate], wording: Wording) -> str:
    if not estimates:
        return wording.say(
            "Moins de {minimum} réponses : rien n'est publié pour cette semaine.",
            minimum=str(release.min_batch_size),
        )
    top = max(estimates, key=lambda estimate: estimate.value)
    if top.low <= 0:
        return wording.say(
            "Avec {n} réponses, le bruit qui protège chacun est trop grand pour dire quel mode "
            "vient en tête.",
            n=wording.number(release.n),
        )
    return wording.say(
        "« {mode} » vient en tête : {km} sur la semaine pour {n} réponses, {interval} km avec une "
        "confiance de 95 %.",
        mode=top.label,
        km=wording.km(top.value),
        n=wording.number(release.n),
        interval=wording.interval(top.low, top.high),
    )


def _chart(estimates: Sequence[charts.Estimate], wording: Wording) -> BarChart:
    axis = charts.axis_of(estimates)
    return BarChart(
        width=charts.CHART_WIDTH,
        height=len(estimates) * charts.ROW_HEIGHT,
        zero=charts.zero_of(len(estimates), axis),
        bars=charts.bars_of(estimates, axis),
        description=wording.say(
            "Une barre par mode, avec son intervalle de confiance à 95 % ; le tableau à la suite "
            "donne les valeurs."
        ),
    )


def _mode_rows(rows: Sequence[ReleaseRow], wording: Wording) -> tuple[ModeRow, ...]:
    # A negative value is noise around a small one: it counts as 0 in the shares only.
    total = sum(max(row.km or 0.0, 0.0) for row in rows)
    table = []
    for row in rows:
        if row.km is None or row.ci95_low is None or row.ci95_high is None:
            table.append(ModeRow(label=wording.mode(row.mode), km="", interval="", share=""))
            continue
        # What may be nothing but noise has no share to tell.
        may_be_zero = _estimate(row, wording).may_be_zero
        share = "—" if may_be_zero else wording.percent(max(row.km, 0.0) / total if total else 0.0)
        table.append(
            ModeRow(
                label=wording.mode(row.mode),
                km=wording.number(row.km),
                interval=wording.interval(row.ci95_low, row.ci95_high),
                share=share,
            )
        )
    return tuple(table)


def _facts(release: Release, wording: Wording) -> tuple[Fact, ...]:
    noise = ", ".join(
        f"{wording.mode(level.mode)} {wording.km(level.noise_sd_km)}" for level in release.noise
    )
    count = (
        wording.number(release.n)
        if release.n
        else wording.say("moins de {minimum}", minimum=str(release.min_batch_size))
    )
    values = (
        ("Réponses additionnées", count),
        ("Minimum pour publier un territoire ou une zone", str(release.min_batch_size)),
        ("Unité protégée", wording.say("une semaine d'une personne")),
        ("Voisinage", wording.say("une semaine remplacée par n'importe quelle autre")),
        ("ε de cette question", _epsilon(release.epsilon_micro, wording)),
        ("ε de la semaine", _epsilon(release.epsilon_week_micro, wording)),
        ("ε sur 52 semaines", _epsilon(release.epsilon_52_weeks_micro, wording)),
        ("δ", "0"),
        ("Mécanisme", wording.say("Laplace discret, ajouté par chaque espace personnel")),
        ("Écart type du bruit (territoire)", noise if release.n else ""),
        ("Version du logiciel", release.software_version),
        ("Empreinte de la question", release.task_digest),
    )
    return tuple(Fact(name=wording.say(name), value=value) for name, value in values if value)


def _epsilon(micro: int, wording: Wording) -> str:
    value = Decimal(micro).scaleb(-6).normalize()
    return format_decimal(value, format="#,##0.######", locale=wording.locale)
