"""What each page is given: frozen, documented, computed before any template is opened."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from carbon.factors import load_factor_set
from carbon.footprint import Interval
from consents.records.record import EventType, Purpose
from contributions.weeks import week_of, week_period
from personal_store.choices import consenting, limit_words
from personal_store.contribute import read_own
from personal_store.db import (
    consents,
    contributions,
    memberships,
    presumptions,
    timelines,
    trips,
)
from personal_store.db.connection import reading
from personal_store.db.contributions import KeptContribution
from personal_store.db.trips import StoredTrip
from personal_store.documents.ledger import MICRO, spent_epsilon
from personal_store.documents.sharing import reduction_sentences
from personal_store.errors import NotAnswerable
from personal_store.footprint import PeriodFootprint, period_footprint
from personal_store.jobs import catalogue, sharing
from personal_store.jobs.sharing import YEARLY_CAP_EPSILON_MICRO, Preview
from personal_store.store import Store
from personal_store.vocabulary import MEASURE_NAMES, MODE_NAMES, part_name, unit_name

EVENT_NAMES = {
    EventType.GIVEN: "accord donné",
    EventType.LIMITED: "accord restreint",
    EventType.RENEWED: "accord renouvelé",
    EventType.REFUSED: "refus",
    EventType.DEFERRED: "choix remis à plus tard",
    EventType.WITHDRAWN: "accord retiré",
    EventType.EXPIRED: "accord expiré",
    EventType.KEY_ROTATED: "changement de clé",
    EventType.KEY_RECOVERED: "clé remplacée après une perte",
    EventType.SIGNER_JOINED: "signature d'un parent demandée",
    EventType.DELEGATE_NAMED: "personne nommée pour retirer à ma place",
    EventType.DELEGATE_REVOKED: "mandat repris",
    EventType.RECOVERY_NAMED: "code de retrait lié à l'accord",
}
# A mode that is merely possible and weighs less than this share of the week gets no bar.
SHOWN_SHARE = 0.01
# Enough for a busy week; more rows would not fit the page's budget of nodes.
TRIPS_SHOWN = 30
# Likewise: a bar and its row in the table come to nine elements.
BARS_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of the chart: a mode's life-cycle kgCO2e, with its place on a 0 to 100 scale."""

    name: str
    interval: Interval
    value_percent: float
    low_percent: float
    high_percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LegCell:
    """One leg of a trip: its mode, or what it may have been where none is sure enough to say."""

    name: str
    names: Sequence[str]
    probability: float
    sure: bool
    distance_km: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TripRow:
    """One trip of the week: its name, when, how long, and its legs."""

    trip_id: str
    start: datetime
    end: datetime
    distance_km: float
    legs: Sequence[LegCell]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekPage:
    """The page "my week": totals, one bar a mode, the trips."""

    week: str
    earlier: str
    later: str
    footprint: PeriodFootprint
    distance_km: float
    bars: Sequence[Bar]
    bars_hidden: int
    bars_hidden_kg_co2e: float
    trips: Sequence[TripRow]
    trips_hidden: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewRow:
    """One coordinate of the exact vector; `measure` is empty under the heading it repeats."""

    measure: str
    part: str
    value: float
    unit: str
    units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingPage:
    """The page "what I share": the choice, the preview of the newest task, the ledger.

    `purpose` and `preview` are None when no cooperative was joined or nothing was asked yet.
    `active` tells that some consent is in force, `may_give` that the one asked for now is not.
    `unanswerable` says why a task has no preview. `shown_sha256` names the bytes shown.
    `unpinned` tells that a cooperative was joined and no keeper's key is known.
    """

    cooperative: str | None
    purpose: Purpose | None
    active: bool
    may_give: bool
    unanswerable: NotAnswerable | None
    unpinned: bool
    shown_sha256: str
    preview: Preview | None
    preview_rows: Sequence[PreviewRow]
    reduction: Mapping[str, str]
    left_out: Mapping[str, str]
    readable_report: str
    ledger: Sequence[KeptContribution]
    epsilon_spent: float
    epsilon_cap: float


def bars(footprint: PeriodFootprint) -> list[Bar]:
    """Return a bar for each mode that weighs, heaviest first, scaled to the highest upper bound."""
    least = SHOWN_SHARE * footprint.total.life_cycle.value
    intervals = {
        mode: each.life_cycle
        for mode, each in footprint.by_mode.items()
        if each.life_cycle.value >= least
    }
    widest = max((interval.high for interval in intervals.values()), default=0) or 1
    return [
        Bar(
            name=MODE_NAMES[mode],
            interval=interval,
            value_percent=100 * interval.value / widest,
            low_percent=100 * interval.low / widest,
            high_percent=100 * interval.high / widest,
        )
        for mode, interval in sorted(intervals.items(), key=lambda each: -each[1].value)
    ]


def trip_rows(stored: Sequence[StoredTrip]) -> list[TripRow]:
    """Return the rows of the first TRIPS_SHOWN trips."""
    return [
        TripRow(
            trip_id=each.trip_id,
            start=each.trip.start,
            end=each.trip.end,
            distance_km=each.trip.distance_m / 1000,
            legs=[
                LegCell(
                    name=MODE_NAMES[leg.mode.mode],
                    names=[MODE_NAMES[mode] for mode in leg.candidates],
                    probability=leg.certainty,
                    sure=leg.is_sure,
                    distance_km=leg.distance_m / 1000,
                )
                for leg in each.trip.triplegs
            ],
        )
        for each in stored[:TRIPS_SHOWN]
    ]


def preview_rows(shown: Preview) -> list[PreviewRow]:
    """Return one row a coordinate of the vector; the first of each measure names it."""
    rows, headed = [], None
    for coordinate, units in zip(shown.task.coordinates, shown.exact, strict=True):
        measure = coordinate.measure
        value = float(shown.week.figures[coordinate.key])
        rows.append(
            PreviewRow(
                measure="" if measure is headed else MEASURE_NAMES[measure],
                part=part_name(coordinate, shown.task),
                value=value,
                unit=unit_name(measure.unit, value),
                units=units,
            )
        )
        headed = measure
    return rows


def readable_report(shown: Preview) -> str:
    """Return the report that would leave as indented JSON: the same content, for eyes."""
    if shown.kept is None:
        return ""
    report = read_own(shown.kept.report, shown.task)
    return json.dumps(json.loads(report.to_bytes()), ensure_ascii=False, indent=1)


def newest_week(store: Store) -> str:
    """Return the ISO week of the newest trip; the current week when there is no trip."""
    with reading(store.engine) as connection:
        start = timelines.newest_start(connection)
    return week_of(start or store.clock.now())


def week_page(store: Store, week: str) -> WeekPage:
    """Return the page of an ISO week; raises Malformed when there is no such week."""
    period = week_period(week)
    with reading(store.engine) as connection:
        stored = trips.between(connection, start=period.start, end=period.end)
    footprint = period_footprint(
        [each.trip for each in stored], load_factor_set(), start=period.start, end=period.end
    )
    day = timedelta(days=1)
    weighed = bars(footprint)
    return WeekPage(
        week=week,
        earlier=week_of(period.start - day),
        later=week_of(period.end + day),
        footprint=footprint,
        distance_km=sum(footprint.distance_m.values()) / 1000,
        bars=weighed[:BARS_SHOWN],
        bars_hidden=len(weighed[BARS_SHOWN:]),
        bars_hidden_kg_co2e=sum(bar.interval.value for bar in weighed[BARS_SHOWN:]),
        trips=trip_rows(stored),
        trips_hidden=max(0, len(stored) - TRIPS_SHOWN),
    )


def sharing_page(store: Store) -> SharingPage:
    """Return the page of what is shared; it sends nothing and spends nothing."""
    with reading(store.engine) as connection:
        joined = memberships.every(connection)
        ledger, presumed = contributions.every(connection), presumptions.every(connection)
        chains = [
            consents.chain(connection, each.cid)
            for each in consents.every(connection)
            if joined and each.url == joined[-1].url
        ]
        asked = memberships.tasks(connection, joined[-1]) if joined else []
    purpose = catalogue.newest_purpose(store.engine, joined[-1]) if joined else None
    now = store.clock.now()
    in_force = {
        chain[-1].signed.payload.pd for chain in chains if consenting.is_active(chain, now=now)
    }
    shown, unanswerable = None, None
    try:
        shown = sharing.preview(store, joined[-1], asked[0].task) if asked else None
    except NotAnswerable as error:
        unanswerable = error
    kept = shown.kept if shown else None
    return SharingPage(
        cooperative=asked[0].task.aggregator_name if asked else None,
        purpose=purpose,
        active=bool(in_force),
        may_give=purpose is not None and purpose.digest not in in_force,
        unanswerable=unanswerable,
        unpinned=bool(joined) and not joined[-1].keepers,
        shown_sha256=sha256(kept.report).hexdigest() if kept else "",
        preview=shown,
        preview_rows=preview_rows(shown) if shown else [],
        reduction=reduction_sentences(shown) if shown else {},
        left_out=_left_out(shown),
        readable_report=readable_report(shown) if shown else "",
        ledger=ledger,
        epsilon_spent=spent_epsilon(ledger, presumed),
        epsilon_cap=YEARLY_CAP_EPSILON_MICRO / MICRO,
    )


def _left_out(shown: Preview | None) -> Mapping[str, str]:
    """Return how many trips the limits leave out, by language; nothing without limits."""
    limited = shown is not None and (shown.week.weekdays or shown.week.area)
    return limit_words.left_out_sentences(shown.week) if shown and limited else {}
