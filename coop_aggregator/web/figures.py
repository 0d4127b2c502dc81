"""From a stored release to what a page shows: sentences, tables and drawings, measure by measure.

No new statistics: shares and means are post-processing of published figures, and are labelled so.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from contributions.measures import Key, Measure
from contributions.release import Release
from contributions.release_row import Quality, ReleaseRow
from contributions.weeks import week_monday
from coop_aggregator.asking.territory import ZoneOutline
from coop_aggregator.settings import Language
from coop_aggregator.web import charts
from coop_aggregator.web.contexts import (
    BarChart,
    FigureRow,
    Map,
    MeasureView,
    ReleaseView,
    ZoneRow,
)
from coop_aggregator.web.facts import facts_of
from coop_aggregator.web.wording import FEW, Wording

Names = Mapping[str, str]
"""Zones' names by code, for flows."""


def week_title(week: str, wording: Wording) -> str:
    """Return for instance "Semaine 46 de 2026"."""
    return wording.say("Semaine {number} de {year}", number=str(int(week[6:])), year=week[:4])


def release_view(release: Release, wording: Wording, *, zones: Names) -> ReleaseView:
    """Return a release as a page shows it, one section a measure."""
    monday = week_monday(release.week)
    sections = tuple(
        _section(release, measure, wording, zones=zones) for measure in release.measures
    )
    return ReleaseView(
        week=release.week,
        title=week_title(release.week, wording),
        period=wording.say(
            "du {start} au {end}",
            start=wording.day(monday),
            end=wording.day(monday + timedelta(days=6)),
        ),
        finding=sections[0].finding,
        sections=sections,
        trust=release.trust_fr if wording.language is Language.FRENCH else release.trust_en,
        facts=facts_of(release, wording, zones=zones),
    )


def _section(release: Release, measure: Measure, wording: Wording, *, zones: Names) -> MeasureView:
    rows = [row for row in release.rows if row.zone is None and row.measure is measure]
    estimates = [
        _estimate(row, wording, zones=zones) for row in rows if row.quality is Quality.PUBLISHED
    ]
    return MeasureView(
        name=measure.value,
        title=wording.measure(measure),
        unit=wording.unit(measure.unit),
        finding=_finding(release, measure, estimates, wording),
        chart=_chart(estimates, wording) if estimates else None,
        rows=_figure_rows(rows, wording, zones=zones),
    )


def zone_rows(
    release: Release, key: Key, zones: Sequence[ZoneOutline], wording: Wording
) -> tuple[ZoneRow, ...]:
    """Return the figure a report by zone, for one coordinate, in order of name."""
    rows = {row.zone: row for row in release.rows if row.key == key and row.zone is not None}
    means = [mean for row in rows.values() if (mean := _per_report(row)) is not None]
    decimals = 1 if all(abs(mean.value) < FEW for mean in means) else 0
    table = []
    for zone in sorted(zones, key=lambda zone: zone.name):
        mean = _per_report(rows.get(zone.code))
        if mean is None:
            table.append(ZoneRow(name=zone.name, value="", interval=""))
        else:
            table.append(
                ZoneRow(
                    name=zone.name,
                    value=wording.number(mean.value, decimals=decimals),
                    interval=wording.interval(mean.low, mean.high, decimals=decimals),
                )
            )
    return tuple(table)


def zone_map(release: Release, key: Key, zones: Sequence[ZoneOutline], wording: Wording) -> Map:
    """Return the map of the figure a report, for one coordinate."""
    rows = {row.zone: row for row in release.rows if row.key == key and row.zone is not None}
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
                wording.say(
                    "jusqu'à {value}",
                    value=wording.number(step * rank, decimals=1 if top < FEW else 0)
                    + f" {wording.unit(key[0].unit)}",
                )
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


def zones_finding(rows: Sequence[ZoneRow], part: str, wording: Wording) -> str:
    """Say how many zones can be shown."""
    return wording.say(
        "{part} : zones qui ont assez de réponses pour être publiées, {shown} sur {count}.",
        part=part,
        shown=str(sum(1 for row in rows if row.value)),
        count=str(len(rows)),
    )


def _estimate(row: ReleaseRow, wording: Wording, *, zones: Names) -> charts.Estimate:
    assert row.value is not None
    assert row.ci95_low is not None
    assert row.ci95_high is not None
    return charts.Estimate(
        label=wording.part(row.key, zones), value=row.value, low=row.ci95_low, high=row.ci95_high
    )


def _per_report(row: ReleaseRow | None) -> charts.Estimate | None:
    if row is None or row.value is None or not row.n:
        return None
    assert row.ci95_low is not None
    assert row.ci95_high is not None
    return charts.Estimate(
        label=row.label,
        value=row.value / row.n,
        low=row.ci95_low / row.n,
        high=row.ci95_high / row.n,
    )


def _finding(
    release: Release, measure: Measure, estimates: Sequence[charts.Estimate], wording: Wording
) -> str:
    if not estimates:
        return wording.say(
            "Moins de {minimum} réponses : rien n'est publié pour cette semaine.",
            minimum=str(release.min_batch_size),
        )
    top = max(estimates, key=lambda estimate: estimate.value)
    if top.low <= 0:
        return wording.say(
            "Avec {n} réponses, le bruit qui protège chacun est trop grand pour dire ce qui vient "
            "en tête.",
            n=wording.number(release.n),
        )
    return wording.say(
        "« {part} » vient en tête : {value} sur la semaine pour {n} réponses, {interval} {unit} "
        "avec une confiance de 95 %.",
        part=top.label,
        value=wording.amount(top.value, measure.unit),
        unit=wording.unit(measure.unit),
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
            "Une barre par ligne, avec son intervalle de confiance à 95 % ; le tableau à la suite "
            "donne les valeurs."
        ),
    )


def _figure_rows(
    rows: Sequence[ReleaseRow], wording: Wording, *, zones: Names
) -> tuple[FigureRow, ...]:
    # A negative value is noise around a small one: it counts as 0 in the shares only.
    total = sum(max(row.value or 0.0, 0.0) for row in rows)
    table = []
    for row in rows:
        label = wording.part(row.key, zones)
        if row.value is None or row.ci95_low is None or row.ci95_high is None:
            table.append(FigureRow(label=label, value="", interval="", share=""))
            continue
        # What may be nothing but noise has no share to tell.
        may_be_zero = _estimate(row, wording, zones=zones).may_be_zero
        share = max(row.value, 0.0) / total if total else 0.0
        table.append(
            FigureRow(
                label=label,
                value=wording.number(row.value),
                interval=wording.interval(row.ci95_low, row.ci95_high),
                share="—" if may_be_zero else wording.percent(share),
            )
        )
    return tuple(table)
