"""What the resident said holds when another engine, or another model, reads the same days.

The other engine finds the same journeys with every edge a few minutes elsewhere and other modes, or
joins what this one told apart. Nothing here computes trips: the cores are given both readings.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from carbon.modes import TransportMode
from personal_store.trips.corrections import (
    SNAP,
    Correction,
    CorrectionKind,
    apply_habits,
    correct,
    habit_of,
)
from personal_store.trips.timeline import ModeProbability, ModeSource, Trip, Tripleg

AT = datetime(2026, 11, 9, 7, tzinfo=UTC)
M, K = TransportMode, CorrectionKind
LONG = timedelta(minutes=10)
ANY_MODE = st.sampled_from([M.WALK, M.CAR, M.BUS, M.TRAIN, M.UNKNOWN])
MOVED = st.floats(-4.9, 4.9).map(lambda minutes: timedelta(minutes=minutes))


def leg(start: datetime, end: datetime, mode: TransportMode = M.CAR) -> Tripleg:
    return Tripleg(
        start=start,
        end=end,
        distance_m=10 * (end - start).total_seconds(),
        gap_m=0.0,
        modes=(ModeProbability(mode=mode, probability=1.0),),
        mode_source=ModeSource.MOTION,
        track=((-1.15, 46.16), (-1.10, 46.20)),
    )


def trip(*legs: Tripleg) -> Trip:
    return Trip(device="phone", start=legs[0].start, end=legs[-1].end, triplegs=legs)


@st.composite
def days(draw) -> list[Trip]:
    """Draw three trips of one to three legs, each of ten minutes or more, with long stops."""
    trips, at = [], AT
    for _ in range(3):
        legs = []
        for _ in range(draw(st.integers(1, 3))):
            end = at + LONG + timedelta(minutes=draw(st.integers(0, 60)))
            legs.append(leg(at, end))
            at = end
        trips.append(trip(*legs))
        at += timedelta(minutes=draw(st.integers(25, 300)))
    return trips


def read_again(draw, trips: list[Trip]) -> list[Trip]:
    """Return the trips as another engine has them: each edge elsewhere, each mode another."""
    again = []
    for each in trips:
        edges = [each.start, *(one.end for one in each.triplegs)]
        moved = [edge + draw(MOVED) for edge in edges]
        legs = [leg(one, other, draw(ANY_MODE)) for one, other in pairwise(moved)]
        again.append(trip(*legs))
    return again


def say(kind: K, start: datetime, end: datetime, value: str = "") -> Correction:
    return Correction(number=1, kind=kind, device="phone", start=start, end=end, value=value)


@given(st.data(), days())
def test_a_mode_stays_with_its_leg(data, seen) -> None:
    number = data.draw(st.integers(0, 2))
    position = data.draw(st.integers(0, len(seen[number].triplegs) - 1))
    about = seen[number].triplegs[position]
    word = say(K.MODE, about.start, about.end, "ferry")
    after = correct(read_again(data.draw, seen), [word])
    assert [
        (trip_number, leg_number)
        for trip_number, each in enumerate(after)
        for leg_number, one in enumerate(each.triplegs)
        if one.mode_source is ModeSource.RESIDENT
    ] == [(number, position)]


@given(st.data(), days())
def test_merged_trips_stay_one_and_take_no_third(data, seen) -> None:
    first = data.draw(st.integers(0, 1))
    word = say(K.MERGE_TRIPS, seen[first].start, seen[first + 1].end)
    again = read_again(data.draw, seen)
    after = correct(again, [word])
    assert [len(each.triplegs) for each in after] == [
        len(again[first].triplegs) + len(again[first + 1].triplegs) if number == first else count
        for number, count in enumerate(len(each.triplegs) for each in again)
        if number != first + 1
    ]


@given(st.data(), days())
def test_merged_legs_stay_one_and_take_no_third(data, seen) -> None:
    several = [each for each in seen if len(each.triplegs) > 1]
    if not several:
        return
    about = data.draw(st.sampled_from(several))
    first = data.draw(st.integers(0, len(about.triplegs) - 2))
    word = say(K.MERGE_LEGS, about.triplegs[first].start, about.triplegs[first + 1].end)
    again = read_again(data.draw, seen)
    number = seen.index(about)
    merged = correct(again, [word])[number].triplegs
    edges = [one.end for one in again[number].triplegs]
    assert [one.end for one in merged] == edges[:first] + edges[first + 1 :]


def test_a_short_leg_that_moved_stays_merged() -> None:
    # A walk of two minutes to the bus, which the other engine begins and ends a minute earlier.
    start, ride, end = (AT + timedelta(minutes=at) for at in (-1, 1, 22))
    word = say(K.MERGE_LEGS, AT, end)
    (after,) = correct([trip(leg(start - timedelta(minutes=1), ride), leg(ride, end))], [word])
    assert len(after.triplegs) == 1


@given(st.data(), days())
def test_no_trip_goes_on_where_one_was_split(data, seen) -> None:
    about = data.draw(st.sampled_from(seen))
    at = about.start + data.draw(st.floats(0.05, 0.95)) * (about.end - about.start)
    after = correct(read_again(data.draw, seen), [say(K.SPLIT, at, at)])
    assert not any(each.start < at - SNAP and each.end > at + SNAP for each in after)


@given(st.data(), days())
def test_a_hidden_trip_stays_hidden_and_hides_no_other(data, seen) -> None:
    number = data.draw(st.integers(0, 2))
    again = read_again(data.draw, seen)
    after = correct(again, [say(K.HIDE, seen[number].start, seen[number].end)])
    assert after == [each for other, each in enumerate(again) if other != number]


@given(st.data(), days())
def test_a_purpose_stays_with_its_trip(data, seen) -> None:
    number = data.draw(st.integers(0, 2))
    word = say(K.PURPOSE, seen[number].start, seen[number].end, "marché")
    after = correct(read_again(data.draw, seen), [word])
    assert [each.purpose for each in after].index("marché") == number
    assert sum(each.purpose is not None for each in after) == 1


@given(st.data(), days())
def test_a_habit_holds_for_the_same_way_read_by_another_engine(data, seen) -> None:
    given_for = trip(seen[0].triplegs[0])
    habit = habit_of(given_for, given_for.triplegs[0], M.BUS, minute_of_day=420)
    assert habit is not None
    (again, *_) = read_again(data.draw, [given_for])
    ridden = replace(again.triplegs[0], modes=(ModeProbability(mode=M.TRAIN, probability=1.0),))
    (after,) = apply_habits([trip(ridden)], [habit], minute_of_day=lambda _: 430)
    assert after.triplegs[0].mode.mode is M.BUS


@given(st.integers(6, 60), st.integers(6, 600), st.integers(6, 600))
def test_what_was_hidden_is_not_shown_again_by_a_trip_that_joins_it(hidden, before, after) -> None:
    start, end = AT, AT + timedelta(minutes=hidden)
    joined = trip(leg(start - timedelta(minutes=before), end + timedelta(minutes=after)))
    assert correct([joined], [say(K.HIDE, start, end)]) == []


@given(st.integers(30, 90), st.integers(40, 600))
def test_hiding_takes_the_part_of_a_trip_that_reached_into_it_and_no_more(hidden, before) -> None:
    start, end = AT, AT + timedelta(minutes=hidden)
    middle = start + timedelta(minutes=hidden / 3)
    reaching = trip(leg(start - timedelta(minutes=before), middle))
    within = trip(leg(middle, end))
    after = correct([reaching, within], [say(K.HIDE, start, end)])
    assert [(each.start, each.end) for each in after] == [(reaching.start, start)]


def test_hiding_a_short_false_trip_never_hides_the_hour_that_began_in_it() -> None:
    starts = AT + timedelta(minutes=8)
    hour = trip(leg(starts, starts + timedelta(hours=1)))
    (after,) = correct([hour], [say(K.HIDE, AT, AT + timedelta(minutes=10))])
    assert after.end - after.start == timedelta(minutes=58)


def test_merged_trips_stay_one_when_the_first_grew_to_more_than_twice_its_length() -> None:
    starts, stops, goes_on, ends = (AT + timedelta(minutes=at) for at in (-8, 6, 40, 60))
    word = say(K.MERGE_TRIPS, AT, ends)
    again = [trip(leg(starts, stops)), trip(leg(goes_on, ends))]
    assert [len(each.triplegs) for each in correct(again, [word])] == [2]
