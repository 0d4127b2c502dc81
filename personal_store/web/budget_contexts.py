"""What the page "my budget" is given: a year's weeks beside a budget, comparisons, one what-if.

It holds no price and no budget of anybody's own: without another word the line is that of the
two tonnes, which are for all that a person consumes, and the page says so.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from carbon.comparators import DAYS_PER_YEAR, Comparison, compare, load_comparators
from carbon.factors import load_factor_set
from carbon.footprint import Footprint
from carbon.modes import ModeGroup
from carbon.other_mode import Otherwise
from carbon.uncertainty import Interval
from carbon.whatif import Effect
from contributions.weeks import Period, week_of, week_ordinal, week_period
from personal_store.db import timelines, trips
from personal_store.db.connection import reading
from personal_store.footprint import total_of
from personal_store.store import Store
from personal_store.trips.timeline import Trip
from personal_store.vocabulary import (
    COMPARATOR_NAMES,
    COMPARATOR_SOURCES,
    EMISSION_PART_NAMES,
    GROUP_NAMES,
)
from personal_store.whatif import ENGINES, effect_of, other_mode

USUAL_BUDGET = "target.2t"
"""The comparator whose mass is the budget of whoever says none."""
DAYS_PER_WEEK = 7
CHART_LEFT, CHART_WIDE, CHART_TOP, CHART_HIGH = 8.0, 344.0, 20.0, 130.0
"""The plot inside of its drawing, in the drawing's units."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekMass:
    """One week with trips, and its life-cycle kgCO2e."""

    week: str
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class YearChart:
    """A drawing: one path of bars, one of their intervals, and the height of the budget's line.

    One path each, so that a whole year costs the page no more elements than a week.
    """

    bars: str
    whiskers: str
    budget_y: float
    top_kg: float
    first_week: str
    last_week: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldAgainst:
    """A published figure beside the person's own: what it is about, and where the scopes part.

    `only_ours` and `only_theirs` are names of parts that one side alone counts.
    """

    about: str
    comparison: Comparison
    only_ours: Sequence[str]
    only_theirs: Sequence[str]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The fields of the what-if form; `by` is None until it is sent."""

    instead_of: ModeGroup = ModeGroup.CAR
    by: Otherwise | None = None
    under_km: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetPage:
    """The page of an ISO year: its weeks so far, the budget's share of them, and the rest.

    `next_year` is None for the year that is under way, unless a later trip is known.

    `budget_so_far_kg` is the budget's share up to the end of the last week with trips.
    `weeks_without` are the weeks before that one in which no trip was recorded. `effect` is
    None until something is asked.
    """

    year: int
    next_year: int | None
    budget_kg: float
    weeks: Sequence[WeekMass]
    weeks_without: int
    total: Footprint
    budget_so_far_kg: float
    weekly_budget_kg: float
    chart: YearChart
    held_against: Sequence[HeldAgainst]
    question: Question
    engines: Sequence[tuple[ModeGroup, str]]
    effect: Effect | None
    factor_set: str


def newest_year(store: Store) -> int:
    """Return the ISO year of the newest trip; the current one when there is no trip."""
    with reading(store.engine) as connection:
        start = timelines.newest_start(connection)
    return int(week_of(start or store.clock.now())[:4])


def last_year(store: Store) -> int:
    """Return the last ISO year that can hold a trip: this one, or that of a trip dated later."""
    return max(newest_year(store), int(week_of(store.clock.now())[:4]))


def usual_budget_kg() -> float:
    """Return the yearly budget of whoever says none, in kgCO2e."""
    return load_comparators()[USUAL_BUDGET].kg_co2e_per_year


def budget_page(store: Store, year: int, *, budget_kg: float, question: Question) -> BudgetPage:
    """Return the page of an ISO year.

    Raises StoreError for a year outside of the factors, or a question that cannot be one.
    """
    travelled, factors = _trips_of(store, year), load_factor_set()
    by_week: dict[str, list[Trip]] = defaultdict(list)
    for trip in travelled:
        by_week[week_of(trip.start)].append(trip)
    weeks = [
        WeekMass(week=week, interval=total_of(held, factors).life_cycle)
        for week, held in sorted(by_week.items())
    ]
    passed = _ordinal_in_year(weeks[-1].week) if weeks else 0
    weekly = budget_kg * DAYS_PER_WEEK / DAYS_PER_YEAR
    total = total_of(travelled, factors)
    scenario = (
        None
        if question.by is None
        else other_mode(question.instead_of, question.by, under_km=question.under_km)
    )
    return BudgetPage(
        year=year,
        next_year=year + 1 if year < last_year(store) else None,
        budget_kg=budget_kg,
        weeks=weeks,
        weeks_without=passed - len(weeks),
        total=total,
        budget_so_far_kg=weekly * passed,
        weekly_budget_kg=weekly,
        chart=_chart(weeks, year=year, weekly_kg=weekly),
        held_against=_held_against(total, len(weeks)) if weeks else (),
        question=question,
        engines=[(group, GROUP_NAMES[group]) for group in ENGINES],
        effect=None if scenario is None else effect_of(travelled, scenario, factors),
        factor_set=factors.name,
    )


def _trips_of(store: Store, year: int) -> list[Trip]:
    period = _year(year)
    with reading(store.engine) as connection:
        stored = trips.between(connection, start=period.start, end=period.end)
    return [each.trip for each in stored]


def _year(year: int) -> Period:
    start, end = (week_period(f"{each}-W01").start for each in (year, year + 1))
    return Period(start=start, end=end)


def _ordinal_in_year(week: str) -> int:
    return week_ordinal(week) - week_ordinal(f"{week[:4]}-W01") + 1


def _held_against(total: Footprint, weeks: int) -> list[HeldAgainst]:
    """Hold the weeks with trips, taken as the whole year's pace, against published figures."""
    known = load_comparators()
    days = weeks * DAYS_PER_WEEK
    comparisons = [(id_, compare(total, known[id_], days=days)) for id_ in COMPARATOR_NAMES]
    return [
        HeldAgainst(
            about=COMPARATOR_NAMES[id_],
            comparison=comparison,
            only_ours=[EMISSION_PART_NAMES[part] for part in comparison.only_ours],
            only_theirs=[EMISSION_PART_NAMES[part] for part in comparison.only_theirs],
            source=COMPARATOR_SOURCES[id_],
        )
        for id_, comparison in comparisons
    ]


def _chart(weeks: Sequence[WeekMass], *, year: int, weekly_kg: float) -> YearChart:
    top = max([weekly_kg, *(each.interval.high for each in weeks)]) or 1.0
    last_week = week_of(_year(year).end - timedelta(days=1))
    step = CHART_WIDE / _ordinal_in_year(last_week)
    floor = CHART_TOP + CHART_HIGH

    def y(kg: float) -> float:
        return floor - CHART_HIGH * kg / top

    bars, whiskers = [], []
    for each in weeks:
        x = CHART_LEFT + step * (_ordinal_in_year(each.week) - 1)
        wide = step - 1.5
        bars.append(f"M{x:.1f} {floor:.1f}V{y(each.interval.value):.1f}h{wide:.1f}V{floor:.1f}z")
        middle = x + wide / 2
        whiskers.append(f"M{middle:.1f} {y(each.interval.low):.1f}V{y(each.interval.high):.1f}")
    return YearChart(
        bars="".join(bars),
        whiskers="".join(whiskers),
        budget_y=y(weekly_kg),
        top_kg=top,
        first_week=f"{year}-W01",
        last_week=last_week,
    )
