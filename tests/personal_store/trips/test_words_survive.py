"""The resident's words outlive whatever comes after them, in whatever order it comes.

Positions arrive late, twice or out of order, everything is computed again, and between all that the
resident corrects, merges, splits and hides what they see. A second device gets the same positions
at once and the same words after: both must end alike.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count, pairwise
from random import Random

import pytest
from fixes_added import add_fixes
from hypothesis import given, settings
from hypothesis import strategies as st

from personal_store.db import corrections, trips
from personal_store.db.connection import reading, writing
from personal_store.ingest.positionfix import Positionfix
from personal_store.jobs import pipeline
from personal_store.store import Store
from personal_store.trips import modes, silences, staypoints, triplegs
from personal_store.trips.corrections import TOLERANCE, Correction, CorrectionKind
from personal_store.trips.model.boosting import ModeModel, load_model
from personal_store.trips.timeline import ModeSource, Trip, Tripleg

PAIRS = ((f"late-{number}", f"whole-{number}") for number in count())
K = CorrectionKind
IN_A_STORE = settings(max_examples=8)


def known(store: Store, device: str) -> list[Trip]:
    with reading(store.engine) as connection:
        return [each.trip for each in trips.between(connection) if each.trip.device == device]


def anonymous(of: Sequence[Trip]) -> list[Trip]:
    """Return trips without what differs between two devices that tell the same."""
    return [replace(each, device="", corrections=()) for each in of]


def take_in(store: Store, device: str, fixes: Sequence[Positionfix]) -> None:
    with writing(store.engine) as connection:
        named = [replace(each, device=device) for each in fixes]
        add_fixes(connection, named, received_at=store.clock.now())


def say(store: Store, said: Sequence[Correction], device: str) -> None:
    with writing(store.engine) as connection:
        for each in said:
            corrections.add(connection, replace(each, device=device), at=store.clock.now())


def word_about(seen: Sequence[Trip], random: Random) -> Correction | None:
    """Draw something that a resident may say of what they see."""
    if not seen:
        return None
    trip = random.choice(seen)
    leg = random.choice(trip.triplegs)
    kind = random.choice([K.MODE, K.MODE, K.NOTE, K.MERGE_TRIPS, K.MERGE_LEGS, K.SPLIT, K.HIDE])
    start, end, value = trip.start, trip.end, ""
    if kind is K.MODE:
        start, end, value = leg.start, leg.end, random.choice(["bus", "bike", "ferry"])
    elif kind is K.NOTE:
        value = "courses"
    elif kind is K.SPLIT:
        start = end = trip.start + random.random() * (trip.end - trip.start)
    elif kind is K.MERGE_TRIPS:
        pairs = list(pairwise(seen))
        if not pairs:
            return None
        first, second = random.choice(pairs)
        start, end = first.start, second.end
    return Correction(number=0, kind=kind, device=trip.device, start=start, end=end, value=value)


@IN_A_STORE
@given(st.integers(0, 10**6), st.integers(3, 9))
def test_words_said_between_arrivals_end_as_if_said_after_all_of_them(
    store, history, seed, steps
) -> None:
    random = Random(seed)
    late, whole = next(PAIRS)
    fixes = history(seed, days=3, every_s=120.0)
    take_in(store, late, fixes[::3])
    said: list[Correction] = []
    for _ in range(steps):
        step = random.choice(["late", "again", "everything", "word", "word", "word"])
        if step == "late":
            take_in(store, late, random.sample(fixes, len(fixes) // 4))
        elif step == "again":
            take_in(store, late, fixes[::3])
        pipeline.run_once(store.engine, everything=step == "everything")
        word = word_about(known(store, late), random) if step == "word" else None
        if word is not None:
            said.append(word)
            say(store, [word], late)
    take_in(store, late, fixes)
    take_in(store, whole, fixes)
    say(store, said, whole)
    pipeline.run_once(store.engine)
    ended = known(store, late)
    assert anonymous(ended) == anonymous(known(store, whole))
    pipeline.run_once(store.engine, everything=True)
    assert known(store, late) == ended


@IN_A_STORE
@given(st.integers(0, 10**6))
def test_a_mode_that_was_said_is_the_mode_whatever_is_computed_later(store, history, seed) -> None:
    random = Random(seed)
    device = next(PAIRS)[0]
    fixes = history(seed, days=2, every_s=60.0)
    take_in(store, device, fixes)
    pipeline.run_once(store.engine)
    seen = known(store, device)
    if not seen:
        return
    leg = random.choice(random.choice(seen).triplegs)
    word = Correction(
        number=0, kind=K.MODE, device=device, start=leg.start, end=leg.end, value="ferry"
    )
    say(store, [word], device)
    take_in(store, device, fixes)
    pipeline.run_once(store.engine, everything=True)
    about = [
        each
        for trip in known(store, device)
        for each in trip.triplegs
        if leg.start <= each.start and each.end <= leg.end
    ]
    assert about
    assert {(each.mode.mode.value, each.mode_source) for each in about} == {
        ("ferry", ModeSource.RESIDENT)
    }


def another_model() -> ModeModel:
    """Return a model that says of every leg what the shipped one says of another mode."""
    shipped = load_model()
    return replace(shipped, owner=(shipped.owner + 3) % len(shipped.modes))


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_words_outlive_another_model_and_other_rules(store, history, seed, monkeypatch) -> None:
    random = Random(seed)
    device = next(PAIRS)[0]
    take_in(store, device, history(seed, days=4, every_s=60.0))
    pipeline.run_once(store.engine)
    seen = known(store, device)
    hidden, ridden = seen[0], random.choice(seen[1:]).triplegs[0]
    spans = [(K.HIDE, hidden, ""), (K.MODE, ridden, "ferry")]
    words = [
        Correction(number=0, kind=kind, device=device, start=of.start, end=of.end, value=value)
        for kind, of, value in spans
    ]
    say(store, words, device)
    before = known(store, device)
    monkeypatch.setattr(modes, "load_model", another_model)
    monkeypatch.setattr(silences, "ACCESS_M", 0.0)
    monkeypatch.setattr(staypoints, "SETTLED_SPREAD", 3.0)
    monkeypatch.setattr(triplegs, "CHANGE_COSTS", 1.0)
    monkeypatch.setattr(pipeline, "engine_mark", lambda: "of another program")
    while pipeline.read_again(store.engine):
        pass
    after = known(store, device)
    assert anonymous(after) != anonymous(before)
    assert all(shared(each, hidden) <= TOLERANCE for each in after)
    legs = [leg for trip in after for leg in trip.triplegs if shared(leg, ridden) > TOLERANCE]
    assert legs
    assert {leg.mode.mode.value for leg in legs} == {"ferry"}


def shared(one: Trip | Tripleg, other: Trip | Tripleg) -> timedelta:
    return min(one.end, other.end) - max(one.start, other.start)
