"""Legs that one way of travelling was cut into are one; whatever parts them keeps them apart."""

from dataclasses import replace

import numpy as np
import pytest

from carbon.modes import TransportMode
from personal_store.trips.cleaning import clean
from personal_store.trips.one_mode import told
from personal_store.trips.segment import segment
from personal_store.trips.timeline import stated_mode
from personal_store.trips.track import positions_of
from personal_store.trips.triplegs import Legs

M = TransportMode


@pytest.fixture
def walk(journey):
    """Return the track of a walk of an hour."""
    return clean(positions_of(journey().go(speed_mps=1.4, minutes=60).fixes)).track


def legs_at(track, *edges, movement=None) -> Legs:
    """Return legs that abut at some fixes of a track, 14 m from each to the next."""
    first, last = np.array(edges[:-1]), np.array(edges[1:])
    return Legs(
        movement=np.zeros(len(first), dtype=np.int64) if movement is None else np.array(movement),
        start_s=track.time_s[first],
        end_s=track.time_s[last],
        first=first,
        last=last,
        distance_m=14.0 * (last - first),
        gap_m=np.zeros(len(first)),
    )


def test_a_walk_in_three_parts_is_one_leg(walk):
    found = told(walk, legs_at(walk, 0, 100, 180, 359))
    assert [stated_mode(each.modes) for each in found.inferred] == [M.WALK]
    assert found.legs.leg(0) == legs_at(walk, 0, 359).leg(0)
    assert found.legs.distance_m.tolist() == [14.0 * 359]


def test_a_leg_joined_says_what_it_would_have_said_uncut(walk):
    assert (
        told(walk, legs_at(walk, 0, 100, 359)).inferred
        == told(walk, legs_at(walk, 0, 359)).inferred
    )


def test_walks_of_two_trips_stay_two(walk):
    assert len(told(walk, legs_at(walk, 0, 180, 359, movement=(0, 1))).legs) == 2


def test_walks_with_a_wait_between_them_stay_two(walk):
    legs = legs_at(walk, 0, 150, 200, 359)
    parted = replace(
        legs,
        **{
            name: getattr(legs, name)[[0, 2]]
            for name in ("movement", "start_s", "end_s", "first", "last", "distance_m", "gap_m")
        },
    )
    assert len(told(walk, parted).legs) == 2


def test_a_walk_and_the_ride_after_it_stay_two(journey):
    day = journey().stay(minutes=60).go(speed_mps=1.4, minutes=10)
    (trip,) = segment(day.go(speed_mps=16, minutes=15).stay(minutes=60).fixes).trips
    assert [leg.stated_mode is M.WALK for leg in trip.triplegs] == [True, False]
