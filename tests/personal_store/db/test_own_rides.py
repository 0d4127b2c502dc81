"""What the store reads of a resident's own rides: words for certain, other legs as motion says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from carbon.modes import TransportMode
from personal_store.db import corrections, own_rides, timelines
from personal_store.db.connection import reading, writing
from personal_store.store import Store
from personal_store.trips.corrections import Correction, CorrectionKind
from personal_store.trips.own_history import LEAST_RIDES, learned_odds
from personal_store.trips.timeline import ModeProbability, ModeSource, Timeline, Trip, Tripleg

M = TransportMode
START = datetime(2026, 11, 9, 7, 30, tzinfo=UTC)
MIXED = (
    ModeProbability(mode=M.TRAIN, probability=0.7),
    ModeProbability(mode=M.CAR, probability=0.3),
)


def ride(number: int) -> Trip:
    start = START + timedelta(hours=number)
    leg = Tripleg(
        start=start,
        end=start + timedelta(minutes=20),
        distance_m=9000.0,
        gap_m=0.0,
        modes=MIXED,
        mode_source=ModeSource.MOTION,
        track=((0.0, 0.0), (0.1, 0.0)),
    )
    return Trip(device="d", start=leg.start, end=leg.end, triplegs=(leg,))


def keep(store: Store, rides: list[Trip], *, about: int) -> None:
    """Store rides, and a word about each of the first `about` that is a little off its edges."""
    off = timedelta(minutes=4)
    with writing(store.engine) as connection:
        timelines.replace(connection, Timeline(device="d", staypoints=(), trips=tuple(rides)))
        for each in rides[:about]:
            word = Correction(
                number=0,
                kind=CorrectionKind.MODE,
                device="d",
                start=each.start - off,
                end=each.end - off,
                value="car",
            )
            corrections.add(connection, word, at=START)


def learned(store: Store) -> dict[TransportMode, float]:
    with reading(store.engine) as connection:
        return dict(own_rides.odds(connection))


def test_a_ride_counts_as_confirmed_or_as_motion_says_and_never_both(store):
    keep(store, [ride(number) for number in range(40)], about=12)
    assert learned(store) == pytest.approx(learned_odds({M.CAR: 12}, [MIXED] * 28))


def test_a_ride_with_stronger_evidence_than_motion_is_not_counted(store):
    plain, (leg,) = ride(39), ride(39).triplegs
    told = replace(plain, triplegs=(replace(leg, mode_source=ModeSource.SENSOR),))
    keep(store, [*(ride(number) for number in range(20)), told], about=12)
    assert learned(store) == pytest.approx(learned_odds({M.CAR: 12}, [MIXED] * 8))


def test_only_the_newest_legs_are_read(store, monkeypatch):
    monkeypatch.setattr(own_rides, "NEWEST", 5)
    keep(store, [ride(number) for number in range(40)], about=12)
    assert learned(store) == pytest.approx(learned_odds({M.CAR: 12}, [MIXED] * 5))


def test_too_few_words_teach_nothing(store):
    keep(store, [ride(number) for number in range(40)], about=LEAST_RIDES - 1)
    assert learned(store) == {}


def test_words_that_overlap_hold_their_rides_each_once(store):
    keep(store, [ride(number) for number in range(40)], about=12)
    word = {"number": 0, "kind": CorrectionKind.MODE, "device": "d", "value": "car"}
    with writing(store.engine) as connection:
        # Over rides 0 to 19, and within: the end of the inner one ends nothing.
        for first, last in ((0, 19), (2, 3)):
            start, end = ride(first).start - timedelta(minutes=1), ride(last).end
            corrections.add(connection, Correction(start=start, end=end, **word), at=START)
    assert learned(store) == pytest.approx(learned_odds({M.CAR: 14}, [MIXED] * 20))


def test_words_without_number_cost_each_leg_no_look_at_every_word(store):
    count = 600
    keep(store, [ride(number) for number in range(count)], about=count // 2)
    steps = []
    with reading(store.engine) as connection:
        driver = connection.connection.driver_connection
        driver.set_progress_handler(lambda: steps.append(100) and None, 100)
        own_rides.odds(connection)
        driver.set_progress_handler(None, 100)
    # Of SQLite's machine: a look at each word for each leg takes more than a million.
    assert sum(steps) < 200 * count
