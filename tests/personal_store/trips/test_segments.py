"""Histories that are already cut: kept as they are, and laid over what the engine made of them."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.modes import TransportMode
from personal_store.ingest.positionfix import (
    Evidence,
    EvidenceKind,
    EvidencePlace,
    Positionfix,
    SourceFormat,
    SourceMode,
)
from personal_store.trips import segments
from personal_store.trips.timeline import (
    ModeProbability,
    ModeSource,
    Staypoint,
    Timeline,
    Trip,
    Tripleg,
)

AT = datetime(2026, 11, 9, 7, tzinfo=UTC)
NOTHING = Timeline(device="timeline", staypoints=(), trips=())
HOME, TOWN = EvidencePlace(lon=-1.15, lat=46.16), EvidencePlace(lon=-1.11, lat=46.16)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def said(kind: EvidenceKind, start: float, end: float, word: str = "", **more) -> Evidence:
    terms = {
        "source": SourceFormat.GOOGLE_TIMELINE_ANDROID,
        "device": "timeline",
        "modes": (SourceMode(label=word, confidence=0.8),) if word else (),
        "origin": HOME,
    }
    return Evidence(kind=kind, start=AT + minutes(start), end=AT + minutes(end), **(terms | more))


def bus(start: float, end: float, **more) -> Evidence:
    terms = {"destination": TOWN, "distance_m": 3200.0} | more
    return said(EvidenceKind.LEG, start, end, "IN_TRAM", **terms)


def lay_over(timeline: Timeline, statements: list[Evidence], fixes: list[Positionfix]) -> Timeline:
    told = Timeline(
        device="timeline",
        staypoints=tuple(segments.told_stays(statements)),
        trips=tuple(segments.told_trips("timeline", statements, fixes)),
    )
    return segments.lay_over(timeline, told)


def engine_trip(start: float, end: float) -> Trip:
    leg = Tripleg(
        start=AT + minutes(start),
        end=AT + minutes(end),
        distance_m=100.0 * (end - start),
        gap_m=0.0,
        modes=(ModeProbability(mode=TransportMode.CAR, probability=1.0),),
        mode_source=ModeSource.MOTION,
        track=((-1.15, 46.16), (-1.11, 46.16)),
    )
    return Trip(device="timeline", start=leg.start, end=leg.end, triplegs=(leg,))


def test_a_leg_keeps_the_providers_mode_probability_times_and_distance() -> None:
    leg = lay_over(NOTHING, [bus(0, 14)], []).trips[0].triplegs[0]
    assert (leg.mode.mode, leg.mode.probability) == (TransportMode.TRAM, 0.8)
    assert (leg.start, leg.end, leg.distance_m) == (AT, AT + minutes(14), 3200.0)
    assert leg.mode_source is ModeSource.SEGMENT


def test_legs_a_wait_apart_are_one_trip_and_longer_apart_two() -> None:
    told = lay_over(NOTHING, [bus(0, 10), bus(20, 30), bus(60, 70)], [])
    assert [len(trip.triplegs) for trip in told.trips] == [2, 1]


def test_positions_of_the_history_draw_the_leg_and_do_not_cut_it() -> None:
    between = Positionfix(
        at=AT + minutes(5), lon=-1.13, lat=46.2, source=SourceFormat.GPX, device="timeline"
    )
    leg = lay_over(NOTHING, [bus(0, 14)], [between]).trips[0].triplegs[0]
    assert leg.track == ((-1.15, 46.16), (-1.13, 46.2), (-1.11, 46.16))


def test_a_leg_without_distance_is_as_long_as_its_line_and_says_that_it_is_one() -> None:
    leg = lay_over(NOTHING, [bus(0, 14, distance_m=None)], []).trips[0].triplegs[0]
    assert leg.distance_m == pytest.approx(3080, rel=0.01)
    assert leg.gap_m == leg.distance_m


def test_what_the_engine_read_into_the_same_time_gives_way() -> None:
    timeline = Timeline(device="timeline", staypoints=(), trips=(engine_trip(1, 13),))
    assert [
        each.triplegs[0].mode_source for each in lay_over(timeline, [bus(0, 14)], []).trips
    ] == [ModeSource.SEGMENT]


def test_what_the_engine_read_into_other_times_stays() -> None:
    other = engine_trip(100, 120)
    timeline = Timeline(device="timeline", staypoints=(), trips=(other,))
    assert lay_over(timeline, [bus(0, 14)], []).trips[1] == other


def test_a_visit_is_a_stay() -> None:
    stay = lay_over(NOTHING, [said(EvidenceKind.VISIT, 0, 90)], []).staypoints[0]
    assert (stay.end - stay.start, stay.lon) == (minutes(90), -1.15)


def test_of_two_statements_about_one_time_the_more_precise_stands() -> None:
    vague = said(EvidenceKind.LEG, 0, 14, "IN_VEHICLE", destination=TOWN)
    for order in ([vague, bus(0, 14)], [bus(0, 14), vague]):
        leg = lay_over(NOTHING, order, []).trips[0].triplegs[0]
        assert leg.mode.mode is TransportMode.TRAM


def test_standing_still_is_no_leg() -> None:
    assert lay_over(NOTHING, [said(EvidenceKind.LEG, 0, 9, "STILL")], []).trips == ()


@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 90)), max_size=6),
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 90)), max_size=6),
    st.lists(st.integers(0, 300), min_size=2, max_size=8, unique=True).map(sorted),
)
def test_stays_and_trips_never_overlap(legs, visits, edges) -> None:
    pairs = list(pairwise(edges))
    timeline = Timeline(
        device="timeline",
        staypoints=tuple(
            Staypoint(start=AT + minutes(a), end=AT + minutes(b), lon=0.0, lat=0.0, radius_m=1.0)
            for a, b in pairs[1::2]
        ),
        trips=tuple(engine_trip(a, b) for a, b in pairs[::2]),
    )
    statements = [bus(start, start + lasting) for start, lasting in legs]
    statements += [said(EvidenceKind.VISIT, start, start + lasting) for start, lasting in visits]
    laid = lay_over(timeline, statements, [])
    spans = sorted((each.start, each.end) for each in (*laid.trips, *laid.staypoints))
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    assert all(leg.distance_m >= 0 for trip in laid.trips for leg in trip.triplegs)
