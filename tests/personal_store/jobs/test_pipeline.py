"""The pipeline: trips follow the positions, and only what is new is computed again."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from fixes_added import add_fixes
from sqlalchemy import event

from personal_store.db import dirty_windows, positionfixes, positions, timelines, trips
from personal_store.db.connection import reading, writing
from personal_store.ingest.positionfix import Positionfix, SourceFormat
from personal_store.jobs import importing, pipeline
from personal_store.jobs.pipeline import Held
from personal_store.store import Store
from personal_store.trips.timeline import Staypoint

GPS = SourceFormat.OWNTRACKS_LIVE


def _import(store: Store, file: Path, text: str) -> None:
    file.write_text(text)
    importing.run_once(store.engine, file, clock=store.clock)


def test_an_empty_store_has_no_trips(store: Store) -> None:
    assert pipeline.run_once(store.engine) == 0
    assert pipeline.held(store.engine) == Held(positionfixes=0, trips=0)


def test_an_outing_becomes_one_trip_of_its_length(store: Store, tmp_path: Path, outing) -> None:
    _import(store, tmp_path / "a.gpx", outing().gpx())
    assert pipeline.run_once(store.engine) == 1
    assert pipeline.held(store.engine) == Held(positionfixes=len(outing().points), trips=1)
    with reading(store.engine) as connection:
        only = trips.between(connection)[0].trip
    assert only.distance_m == pytest.approx(outing().distance_m, rel=0.05)


def test_a_device_without_news_is_left_alone(store: Store, tmp_path: Path, outing) -> None:
    _import(store, tmp_path / "a.gpx", outing().gpx())
    pipeline.run_once(store.engine)
    assert pipeline.run_once(store.engine) == 0


def test_only_the_device_with_news_is_computed_again(store: Store, tmp_path: Path, outing) -> None:
    _import(store, tmp_path / "a.gpx", outing().gpx("telephone"))
    _import(store, tmp_path / "b.gpx", outing().gpx("watch"))
    assert pipeline.run_once(store.engine) == 2
    later = outing(start=outing().start + timedelta(days=1))
    _import(store, tmp_path / "b.gpx", later.gpx("watch"))
    assert pipeline.run_once(store.engine) == 1
    assert pipeline.held(store.engine).trips == 3


def test_a_page_that_finds_nothing_new_counts_nothing(store: Store, tmp_path, outing) -> None:
    """Counting reads the whole history: five seconds of each page, after ten years."""
    _import(store, tmp_path / "a.gpx", outing().gpx())
    pipeline.run_once(store.engine)
    asked: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    pipeline.run_once(store.engine)
    assert asked
    assert not [each for each in asked if "count(" in each.lower()]


def test_everything_computes_every_device_again_to_the_same_trips(
    store: Store, tmp_path: Path, outing
) -> None:
    _import(store, tmp_path / "a.gpx", outing().gpx("telephone"))
    _import(store, tmp_path / "b.gpx", outing().gpx("watch"))
    pipeline.run_once(store.engine)
    with reading(store.engine) as connection:
        before = trips.between(connection)
    assert pipeline.run_once(store.engine, everything=True) == 2
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
        add_fixes(connection, renamed, received_at=store.clock.now())
    pipeline.run_once(store.engine)
    with reading(store.engine) as connection:
        forwards = [
            each.trip for each in trips.between(connection) if each.trip.device == "forwards"
        ]
    assert [replace(each.trip, device="forwards") for each in backwards] == forwards
    assert len(forwards) == 2


DAYS = 12


@pytest.fixture
def diary(outing):
    """Return the fixes of twelve days: an outing every morning, at home in between."""
    first = outing()
    fixes = []
    for day in range(DAYS):
        start = first.start + timedelta(days=day)
        for at, lon, lat in outing(start=start, every_s=60).points:
            # Out one day, back home the next, so that the nights are spent where a trip ended.
            away = lat if day % 2 == 0 else 2 * 46.16 + 4500 / 111_195.0 - lat
            fixes.append(Positionfix(at=at, lon=lon, lat=away, source=GPS, device="telephone"))
    return fixes


def _add(store: Store, fixes: list[Positionfix]) -> None:
    with writing(store.engine) as connection:
        add_fixes(connection, fixes, received_at=store.clock.now())


def _held(store: Store) -> tuple[list[trips.StoredTrip], list[Staypoint]]:
    with reading(store.engine) as connection:
        return trips.between(connection), timelines.stays_touching(connection)


def test_a_history_cut_in_chunks_is_the_one_computed_at_once(
    store: Store, diary, monkeypatch
) -> None:
    _add(store, diary)
    pipeline.run_once(store.engine)
    at_once = _held(store)
    assert len(at_once[0]) == DAYS
    monkeypatch.setattr(pipeline, "SLICE_FIXES", 60)
    pipeline.run_once(store.engine, everything=True)
    assert _held(store) == at_once


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_arrival_gives_the_same_trips(store: Store, diary, seed: int) -> None:
    _add(store, [replace(fix, device="all-at-once") for fix in diary])
    random = Random(seed)
    batches = [diary[start : start + 30] for start in range(0, len(diary), 30)]
    random.shuffle(batches)
    for batch in batches:
        _add(store, batch)
        if random.random() < 0.3:
            pipeline.run_once(store.engine)
    pipeline.run_once(store.engine)
    with reading(store.engine) as connection:
        stored = [each.trip for each in trips.between(connection)]
    by_pieces = [each for each in stored if each.device == "telephone"]
    at_once = [replace(t, device="telephone") for t in stored if t.device == "all-at-once"]
    assert by_pieces == at_once


def test_a_late_fix_computes_its_own_days_and_no_others(store: Store, diary, monkeypatch) -> None:
    late = diary[len(diary) // 2]
    _add(store, [fix for fix in diary if fix is not late])
    pipeline.run_once(store.engine)
    read = []
    of_device = positions.of_device

    def spy(connection, device, **span):
        found = of_device(connection, device, **span)
        read.append(len(found))
        return found

    monkeypatch.setattr(positions, "of_device", spy)
    _add(store, [late])
    pipeline.run_once(store.engine)
    assert max(read) < len(diary) / 2


def test_processing_twice_changes_nothing(store: Store, diary) -> None:
    _add(store, diary)
    pipeline.run_once(store.engine)
    once = _held(store)
    assert pipeline.run_once(store.engine) == 0
    pipeline.run_once(store.engine, everything=True)
    assert _held(store) == once


def test_a_crash_in_the_middle_leaves_the_rest_to_do(store: Store, diary, monkeypatch) -> None:
    _add(store, diary)
    pipeline.run_once(store.engine)
    whole = _held(store)
    monkeypatch.setattr(pipeline, "SLICE_FIXES", 60)
    kept, calls = timelines.replace, []

    def fails_at_the_third(*arguments, **options):
        calls.append(None)
        if len(calls) == 3:
            raise RuntimeError("power cut")
        kept(*arguments, **options)

    monkeypatch.setattr(timelines, "replace", fails_at_the_third)
    with pytest.raises(RuntimeError):
        pipeline.run_once(store.engine, everything=True)
    with reading(store.engine) as connection:
        assert dirty_windows.has_news(connection)
    monkeypatch.setattr(timelines, "replace", kept)
    pipeline.run_once(store.engine)
    assert _held(store) == whole


def test_a_fix_that_is_rolled_back_leaves_nothing_dirty(store: Store, diary) -> None:
    with store.engine.connect() as connection:
        add_fixes(connection, diary, received_at=store.clock.now())
        connection.rollback()
    with reading(store.engine) as connection:
        assert not dirty_windows.has_news(connection)
