"""The pipeline: trips follow the positions, and only what is new is computed again."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from personal_store.db import positionfixes, trips
from personal_store.db.connection import reading, writing
from personal_store.jobs import importing, pipeline
from personal_store.store import Store


def _import(store: Store, file: Path, text: str) -> None:
    file.write_text(text)
    importing.run_once(store.engine, file, clock=store.clock)


def test_an_empty_store_has_no_trips(store: Store) -> None:
    report = pipeline.run_once(store.engine)
    assert (report.devices_recomputed, report.positionfixes, report.trips) == (0, 0, 0)


def test_an_outing_becomes_one_trip_of_its_length(store: Store, tmp_path: Path, outing) -> None:
    _import(store, tmp_path / "a.gpx", outing().gpx())
    report = pipeline.run_once(store.engine)
    assert (report.devices_recomputed, report.positionfixes, report.trips) == (
        1,
        len(outing().points),
        1,
    )
    with reading(store.engine) as connection:
        only = trips.between(connection)[0].trip
    assert only.distance_m == pytest.approx(outing().distance_m, rel=0.05)


def test_a_device_without_news_is_left_alone(store: Store, tmp_path: Path, outing) -> None:
    _import(store, tmp_path / "a.gpx", outing().gpx())
    pipeline.run_once(store.engine)
    assert pipeline.run_once(store.engine).devices_recomputed == 0


def test_only_the_device_with_news_is_computed_again(store: Store, tmp_path: Path, outing) -> None:
    _import(store, tmp_path / "a.gpx", outing().gpx("telephone"))
    _import(store, tmp_path / "b.gpx", outing().gpx("watch"))
    assert pipeline.run_once(store.engine).devices_recomputed == 2
    later = outing(start=outing().start + timedelta(days=1))
    _import(store, tmp_path / "b.gpx", later.gpx("watch"))
    report = pipeline.run_once(store.engine)
    assert (report.devices_recomputed, report.trips) == (1, 3)


def test_everything_computes_every_device_again_to_the_same_trips(
    store: Store, tmp_path: Path, outing
) -> None:
    _import(store, tmp_path / "a.gpx", outing().gpx("telephone"))
    _import(store, tmp_path / "b.gpx", outing().gpx("watch"))
    pipeline.run_once(store.engine)
    with reading(store.engine) as connection:
        before = trips.between(connection)
    assert pipeline.run_once(store.engine, everything=True).devices_recomputed == 2
    with reading(store.engine) as connection:
        assert trips.between(connection) == before


def test_a_history_imported_backwards_gives_the_same_trips(
    store: Store, tmp_path: Path, outing
) -> None:
    first = outing()
    second = outing(start=first.start + timedelta(days=1))
    for each in (second, first):
        _import(store, tmp_path / "a.gpx", each.gpx())
        pipeline.run_once(store.engine)
    with reading(store.engine) as connection:
        backwards = trips.between(connection)
    with writing(store.engine) as connection:
        fixes = positionfixes.of_device(connection, "telephone")
        renamed = [replace(fix, device="forwards") for fix in fixes]
        positionfixes.add(connection, renamed, received_at=store.clock.now())
    pipeline.run_once(store.engine)
    with reading(store.engine) as connection:
        forwards = [
            each.trip for each in trips.between(connection) if each.trip.device == "forwards"
        ]
    assert [replace(each.trip, device="forwards") for each in backwards] == forwards
    assert len(forwards) == 2
