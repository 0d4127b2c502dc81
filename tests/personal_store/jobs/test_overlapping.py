"""Marks in the database: trips are counted once, nothing is deleted, all of it can be undone."""

from datetime import datetime

import pytest
from fixes_added import add_fixes
from sqlalchemy import delete

from personal_store.db import position_marks, positionfixes, trips
from personal_store.db.connection import reading, writing
from personal_store.db.tables import position_mark
from personal_store.ingest.positionfix import Positionfix, SourceFormat
from personal_store.jobs import overlapping, pipeline
from personal_store.store import Store


def fixes(outing, source: SourceFormat, device: str, *, every_s: int) -> list[Positionfix]:
    return [
        Positionfix(at=at, lon=lon, lat=lat, source=source, device=device, accuracy_m=10.0)
        for at, lon, lat in outing(every_s=every_s).points
    ]


def add(store: Store, given: list[Positionfix]) -> None:
    with writing(store.engine) as connection:
        add_fixes(connection, given, received_at=store.clock.now())


def travelled(store: Store) -> list[tuple[str, datetime]]:
    overlapping.run_once(store.engine)
    pipeline.run_once(store.engine)
    with reading(store.engine) as connection:
        return [(each.trip.device, each.trip.start) for each in trips.between(connection)]


@pytest.fixture
def phone(outing):
    return fixes(outing, SourceFormat.GOOGLE_RECORDS, "phone", every_s=60)


@pytest.fixture
def watch(outing):
    return fixes(outing, SourceFormat.GPX, "watch", every_s=10)


def test_one_ride_of_two_sources_is_one_trip(store, phone, watch) -> None:
    add(store, phone)
    add(store, watch)
    assert len(travelled(store)) == 1


def test_the_order_in_which_sources_come_changes_nothing(store, phone, watch) -> None:
    add(store, watch)
    assert [device for device, _ in travelled(store)] == ["watch"]
    # Late and out of order: the trips that were computed are computed again.
    add(store, phone[::-1])
    assert len(travelled(store)) == 1


def test_marks_delete_nothing_and_can_be_undone(store, phone, watch) -> None:
    add(store, phone)
    add(store, watch)
    overlapping.run_once(store.engine)
    with writing(store.engine) as connection:
        assert positionfixes.count(connection) == len(phone) + len(watch)
        assert position_marks.count(connection) > 0
        connection.execute(delete(position_mark))
        assert positionfixes.of_device(connection, "watch") == sorted(watch, key=lambda fix: fix.at)


def test_a_second_look_changes_nothing(store, phone, watch) -> None:
    add(store, phone)
    add(store, watch)
    assert overlapping.run_once(store.engine) == 1
    assert overlapping.run_once(store.engine) == 0


def test_one_source_alone_is_left_alone(store, phone) -> None:
    add(store, phone)
    assert overlapping.run_once(store.engine) == 0
