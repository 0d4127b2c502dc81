"""A newer engine reads the whole history again, once, beside the pages and not before them."""

from datetime import timedelta

import pytest
from fixes_added import add_fixes
from sqlalchemy import update

from personal_store.db import timelines, trips
from personal_store.db.connection import reading, writing
from personal_store.db.tables import engine_mark
from personal_store.ingest.positionfix import Positionfix, SourceFormat
from personal_store.jobs import pipeline
from personal_store.store import Store
from personal_store.trips.timeline import Timeline


@pytest.fixture
def days(outing):
    """Return the fixes of an outing on each of some days."""

    def some(first: int, last: int):
        starts = [outing().start + timedelta(days=day) for day in range(first, last)]
        return [
            Positionfix(
                at=at, lon=lon, lat=lat, source=SourceFormat.OWNTRACKS_LIVE, device="telephone"
            )
            for start in starts
            for at, lon, lat in outing(start=start, staying_s=4 * 3600, every_s=60).points
        ]

    return some


def take_in(store: Store, fixes) -> None:
    with writing(store.engine) as connection:
        add_fixes(connection, fixes, received_at=store.clock.now())


def held(store: Store) -> list[trips.StoredTrip]:
    with reading(store.engine) as connection:
        return trips.between(connection)


def read_by_another_engine(store: Store) -> None:
    """Leave the store as an engine left it that found no trip at all."""
    with writing(store.engine) as connection:
        devices = {each.trip.device for each in trips.between(connection)}
        for device in devices:
            timelines.replace(connection, Timeline(device=device, staypoints=(), trips=()))
        connection.execute(update(engine_mark).values(mark="of another"))


def test_what_another_engine_read_is_computed_again(store: Store, days) -> None:
    take_in(store, days(0, 3))
    pipeline.run_once(store.engine)
    before = held(store)
    read_by_another_engine(store)
    assert pipeline.run_once(store.engine) == 1
    assert held(store) == before


def test_a_page_takes_in_what_is_new_and_leaves_the_history_to_the_server(
    store: Store, days
) -> None:
    take_in(store, days(0, 3))
    pipeline.run_once(store.engine)
    read_by_another_engine(store)
    assert pipeline.take_news(store.engine) == 0
    take_in(store, days(9, 10))
    pipeline.take_news(store.engine)
    first_day = days(0, 1)[-1].at
    assert held(store)
    assert all(each.trip.start > first_day for each in held(store))
    while pipeline.read_again(store.engine):
        pass
    beside = held(store)
    assert any(each.trip.start < first_day for each in beside)
    pipeline.run_once(store.engine, everything=True)
    assert held(store) == beside


def test_a_history_is_read_again_slice_by_slice_and_goes_on_after_a_crash(
    store: Store, days, monkeypatch
) -> None:
    take_in(store, days(0, 8))
    pipeline.run_once(store.engine)
    before = held(store)
    read_by_another_engine(store)
    monkeypatch.setattr(pipeline, "SLICE_FIXES", len(days(0, 1)))
    assert pipeline.read_again(store.engine)
    assert 0 < len(held(store)) < len(before)
    pipeline.run_once(store.engine)
    assert held(store) == before


def test_a_history_that_this_engine_read_is_not_read_again(store: Store, days) -> None:
    take_in(store, days(0, 2))
    assert pipeline.take_news(store.engine) == 1
    assert not pipeline.read_again(store.engine)
    assert pipeline.run_once(store.engine) == 0


def test_everything_is_computed_once_for_a_newer_engine(store: Store, days) -> None:
    take_in(store, days(0, 2))
    pipeline.run_once(store.engine)
    read_by_another_engine(store)
    assert pipeline.run_once(store.engine, everything=True) == 1
    assert not pipeline.read_again(store.engine)
