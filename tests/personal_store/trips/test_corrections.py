"""Corrections are kept by time: they hold when the trips around them are computed again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbon.modes import TransportMode
from personal_store.trips.corrections import (
    TOLERANCE,
    Correction,
    CorrectionKind,
    apply_habits,
    correct,
    habit_of,
)
from personal_store.trips.timeline import ModeProbability, ModeSource, Trip, Tripleg

AT = datetime(2026, 11, 9, 7, tzinfo=UTC)
M, K = TransportMode, CorrectionKind
SURE = {M.CAR: 1.0}


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def legs_at(
    edges: Sequence[float], modes: dict[TransportMode, float] = SURE
) -> tuple[Tripleg, ...]:
    return tuple(
        Tripleg(
            start=AT + minutes(start),
            end=AT + minutes(end),
            distance_m=100.0 * (end - start),
            gap_m=0.0,
            modes=tuple(ModeProbability(mode=mode, probability=p) for mode, p in modes.items()),
            mode_source=ModeSource.MOTION,
            track=((-1.15 + start / 1000, 46.16), (-1.15 + end / 1000, 46.16)),
        )
        for start, end in pairwise(edges)
    )


def trip(*edges: float, device: str = "phone") -> Trip:
    legs = legs_at(edges)
    return Trip(device=device, start=legs[0].start, end=legs[-1].end, triplegs=legs)


def say(kind: K, start: float, end: float, value: str = "", number: int = 1, **more) -> Correction:
    terms = {"device": "phone"} | more
    return Correction(
        number=number,
        kind=kind,
        start=AT + minutes(start),
        end=AT + minutes(end),
        value=value,
        **terms,
    )


def labelled(trips: Sequence[Trip]) -> list[tuple[float, float]]:
    return [
        ((leg.start - AT) / minutes(1), (leg.end - AT) / minutes(1))
        for each in trips
        for leg in each.triplegs
        if leg.mode_source is ModeSource.RESIDENT
    ]


def length_m(trips: Sequence[Trip]) -> float:
    return sum(each.distance_m for each in trips)


BUS = say(K.MODE, 10, 30, "bus")


def test_a_label_holds_for_its_leg_and_no_other() -> None:
    corrected = correct([trip(0, 10, 30, 40)], [BUS])
    assert labelled(corrected) == [(10, 30)]
    assert corrected[0].triplegs[1].mode == ModeProbability(mode=M.BUS, probability=1.0)
    assert corrected[0].corrections == (1,)


@given(st.floats(-4.9, 4.9), st.floats(-4.9, 4.9))
def test_edges_that_move_within_the_tolerance_change_nothing(first: float, last: float) -> None:
    corrected = correct([trip(0, 10 + first, 30 + last, 45)], [BUS])
    assert labelled(corrected) == [
        ((AT + minutes(10 + first) - AT) / minutes(1), (AT + minutes(30 + last) - AT) / minutes(1))
    ]


@given(
    st.lists(st.integers(0, 120), min_size=2, max_size=8, unique=True).map(sorted),
    st.integers(0, 119),
    st.integers(1, 60),
)
def test_a_label_never_spreads_beyond_its_time_and_the_tolerance(edges, start, lasting) -> None:
    said = say(K.MODE, start, start + lasting, "bus")
    for first, last in labelled(correct([trip(*edges)], [said])):
        assert last - first <= lasting + 2 * TOLERANCE / minutes(1)
        shared = min(last, start + lasting) - max(first, start)
        assert shared > (last - first) / 2


@given(
    st.lists(st.integers(0, 120), min_size=2, max_size=8, unique=True).map(sorted),
    st.integers(0, 119),
    st.integers(1, 60),
)
def test_a_label_holds_as_long_as_anything_was_travelled_at_its_time(edges, start, lasting) -> None:
    said = say(K.MODE, start, start + lasting, "bus")
    touched = min(edges[-1], start + lasting) > max(edges[0], start)
    assert bool(labelled(correct([trip(*edges)], [said]))) == touched


@given(
    st.lists(st.integers(0, 120), min_size=2, max_size=8, unique=True).map(sorted),
    st.lists(
        st.builds(
            say,
            st.sampled_from([K.MODE, K.SPLIT, K.MERGE_LEGS]),
            st.integers(0, 60),
            st.integers(60, 120),
            st.just("bus"),
            st.integers(1, 9),
        ),
        max_size=4,
    ),
)
def test_no_word_but_hiding_changes_how_far_was_travelled(edges, said) -> None:
    before = [trip(*edges)]
    corrected = correct(before, said)
    assert length_m(corrected) == pytest.approx(length_m(before))
    legs = [leg for each in corrected for leg in each.triplegs]
    assert all(one.end <= other.start for one, other in pairwise(legs))


def test_a_leg_joined_to_a_longer_one_is_cut_at_the_words_edges() -> None:
    short = say(K.MODE, 10, 13, "bus")
    assert labelled(correct([trip(0, 40)], [short])) == [(10, 13)]


def test_the_later_of_two_labels_wins() -> None:
    tram = say(K.MODE, 10, 30, "tram", number=2)
    corrected = correct([trip(0, 10, 30)], [tram, BUS])
    assert corrected[0].triplegs[1].mode.mode is M.TRAM


def test_a_word_about_one_device_leaves_the_other_alone() -> None:
    watch = trip(10, 30, device="watch")
    assert correct([watch], [BUS, say(K.HIDE, 0, 60)]) == [watch]


def test_occupants_are_kept_beside_the_mode() -> None:
    corrected = correct([trip(10, 30)], [say(K.OCCUPANTS, 10, 30, "3")])
    assert corrected[0].triplegs[0].occupants == 3
    assert corrected[0].triplegs[0].mode_source is ModeSource.MOTION


def test_a_split_makes_two_trips_that_add_up() -> None:
    first, second = correct([trip(0, 30)], [say(K.SPLIT, 12, 12)])
    assert (first.end, second.start) == (AT + minutes(12), AT + minutes(12))
    assert length_m([first, second]) == pytest.approx(3000.0)


def test_a_split_near_the_edge_of_a_leg_falls_on_it() -> None:
    first, _ = correct([trip(0, 10, 30)], [say(K.SPLIT, 10.5, 10.5)])
    assert first.end == AT + minutes(10)


def test_merged_trips_are_one_with_all_their_legs() -> None:
    merged = correct([trip(0, 20), trip(40, 60)], [say(K.MERGE_TRIPS, 0, 60)])
    assert [len(each.triplegs) for each in merged] == [2]
    assert merged[0].end == AT + minutes(60)


def test_merged_legs_are_one_as_long_as_both() -> None:
    merged = correct([trip(0, 10, 30, 40)], [say(K.MERGE_LEGS, 0, 30)])
    assert [leg.distance_m for leg in merged[0].triplegs] == [3000.0, 1000.0]


def test_a_hidden_trip_is_left_out_whole() -> None:
    assert correct([trip(0, 20), trip(40, 60)], [say(K.HIDE, 0, 20)]) == [trip(40, 60)]


def test_hiding_a_trip_that_grew_still_hides_it() -> None:
    assert correct([trip(0, 50)], [say(K.HIDE, 0, 20)]) == []


def test_words_stay_with_their_trip() -> None:
    said = [say(K.PURPOSE, 0, 20, "marché"), say(K.NOTE, 0, 20, "il pleuvait", number=2)]
    first, second = correct([trip(0, 20), trip(40, 60)], said)
    assert (first.purpose, first.note, second.purpose) == ("marché", "il pleuvait", None)


def test_taking_a_word_back_gives_the_trips_as_they_were() -> None:
    trips = [trip(0, 10, 30), trip(50, 60)]
    assert correct(trips, []) == trips


@pytest.mark.parametrize(
    ("kind", "value"), [(K.MODE, "broom"), (K.OCCUPANTS, "0"), (K.OCCUPANTS, "many")]
)
def test_a_word_that_cannot_be_is_refused(kind, value) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- the enumeration's own
        say(kind, 0, 10, value)


class TestHabits:
    """The same way, at about the same hour: a default that anything stronger beats."""

    @staticmethod
    def minute(at: datetime) -> int:
        return at.hour * 60 + at.minute

    def applied(self, one: Trip) -> Trip:
        given = trip(0, 20)
        habit = habit_of(given, given.triplegs[0], M.BUS, minute_of_day=420)
        assert habit is not None
        return apply_habits([one], [habit], minute_of_day=self.minute)[0]

    def shifted(self, by: timedelta, **more) -> Trip:
        one = trip(0, 20)
        legs = tuple(
            replace(leg, start=leg.start + by, end=leg.end + by, **more) for leg in one.triplegs
        )
        return replace(one, start=one.start + by, end=one.end + by, triplegs=legs)

    def test_the_same_way_on_another_day_takes_it(self) -> None:
        leg = self.applied(self.shifted(timedelta(days=3, minutes=40))).triplegs[0]
        assert (leg.mode.mode, leg.mode_source) == (M.BUS, ModeSource.HABIT)

    def test_the_longest_leg_of_its_kind_takes_it_alone(self) -> None:
        one = trip(0, 20, 25)
        habit = habit_of(one, one.triplegs[0], M.BUS, minute_of_day=420)
        assert habit is not None
        legs = apply_habits([one], [habit], minute_of_day=self.minute)[0].triplegs
        assert [leg.mode.mode for leg in legs] == [M.BUS, M.CAR]
        assert habit_of(one, one.triplegs[1], M.BUS, minute_of_day=420) is None

    def test_another_hour_does_not(self) -> None:
        other = self.shifted(timedelta(hours=6))
        assert self.applied(other) == other

    def test_another_destination_does_not(self) -> None:
        other = self.shifted(timedelta(days=1), track=((-1.15, 46.16), (-1.3, 46.16)))
        assert self.applied(other) == other

    def test_a_walk_is_not_a_ride(self) -> None:
        walk = (ModeProbability(mode=M.WALK, probability=1.0),)
        other = self.shifted(timedelta(days=1), modes=walk)
        assert self.applied(other) == other

    @pytest.mark.parametrize("source", [ModeSource.TAP, ModeSource.CARPOOL, ModeSource.RESIDENT])
    def test_what_is_stronger_beats_it(self, source) -> None:
        other = self.shifted(timedelta(days=1), mode_source=source)
        assert self.applied(other) == other
