"""One's own export comes back whole into a new store, silently, and once."""

import json
import tempfile
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fixes_added import add_fixes
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from carbon.modes import TransportMode
from personal_store.db import corrections, evidence, places
from personal_store.db.connection import open_database, reading, writing
from personal_store.db.tables import positionfix
from personal_store.ingest.judge import judge_for
from personal_store.ingest.own_export import POSITION_COLUMNS
from personal_store.ingest.positionfix import EvidenceKind, EvidencePlace, SourceFormat
from personal_store.ingest.values import Refused
from personal_store.jobs import importing
from personal_store.keeping.exporting import export
from personal_store.trips.corrections import Correction, CorrectionKind, Habit
from personal_store.trips.locations import Place, PlaceKind, PrivacyZone
from personal_store.vault import DatabaseKey

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
names = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=12)
amounts = st.none() | st.floats(0.001, 5000)
times = st.integers(1, 10**12).map(lambda n: datetime(1990, 1, 1, tzinfo=UTC) + n * MILLISECOND)
degrees = st.tuples(
    st.integers(-18 * 10**8, 18 * 10**8).map(lambda n: n / 10**7),
    st.integers(1, 9 * 10**8).map(lambda n: n / 10**7),
)


def judged(make):
    """Return what a parser would have kept of the drawn values, None where it refuses them."""
    try:
        return make()
    except Refused:
        return None


@st.composite
def fixes(draw):
    lon, lat = draw(degrees)
    drawn = {
        "at": draw(times),
        "lat": lat,
        "lon": lon,
        "device": draw(names),
        "accuracy_m": draw(amounts),
        "speed_mps": draw(amounts),
        "altitude_m": draw(st.none() | st.floats(-400, 9000)),
        "activity": draw(st.none() | names),
        "activity_confidence": draw(st.none() | st.floats(0, 1)),
        "utc_offset_min": draw(st.none() | st.integers(-840, 840)),
    }
    judge = judge_for(draw(st.sampled_from(SourceFormat)), now=NOW)
    return judged(lambda: judge.positionfix(**drawn))


@st.composite
def statements(draw):
    start = draw(times)
    lon, lat = draw(degrees)
    drawn = {
        "kind": draw(st.sampled_from(EvidenceKind)),
        "start": start,
        "end": start + draw(st.integers(0, 10**7)) * MILLISECOND,
        "device": draw(names),
        "modes": draw(st.lists(st.tuples(names, st.none() | st.floats(0, 1)), max_size=3)),
        "distance_m": draw(amounts),
        "occupants": draw(st.none() | st.integers(1, 9)),
        "origin": draw(st.none() | st.just(EvidencePlace(lon=lon, lat=lat or 1.0))),
        "destination": draw(st.none() | st.builds(EvidencePlace, name=st.just("La Pallice"))),
        "line": draw(st.none() | names),
        "confidence": draw(st.none() | st.floats(0, 1)),
        "reference": draw(st.none() | names),
    }
    judge = judge_for(draw(st.sampled_from(SourceFormat)), now=NOW)
    return judged(lambda: judge.evidence(**drawn))


@st.composite
def said(draw):
    start = draw(times)
    kind = draw(st.sampled_from(CorrectionKind))
    values = {CorrectionKind.MODE: st.sampled_from(TransportMode).map(str)}
    values[CorrectionKind.OCCUPANTS] = st.integers(1, 9).map(str)
    return Correction(
        number=0,
        kind=kind,
        device=draw(names),
        start=start,
        end=start + draw(st.integers(0, 10**7)) * MILLISECOND,
        value=draw(values.get(kind, st.text(st.characters(exclude_categories=["Cs"]), max_size=9))),
    )


habits = st.builds(
    Habit,
    number=st.just(0),
    mode=st.sampled_from(TransportMode),
    rides=st.booleans(),
    minute_of_day=st.integers(0, 1439),
    origin=degrees,
    destination=degrees,
)
zones = st.builds(
    PrivacyZone,
    lon=st.floats(-180, 180),
    lat=st.floats(-90, 90),
    radius_m=st.integers(100, 5000).map(float),
)
named = st.builds(
    Place,
    number=st.just(0),
    kind=st.sampled_from(PlaceKind),
    name=names,
    lon=st.floats(-180, 180),
    lat=st.floats(-90, 90),
    hidden=st.booleans(),
    zone=st.none() | zones,
)


def filled(store, drawn):
    measured, told, words, usual, called = drawn
    empty(store.engine)
    with writing(store.engine) as connection:
        add_fixes(connection, [each for each in measured if each], received_at=NOW)
        evidence.add(connection, [each for each in told if each], received_at=NOW)
        for each in words:
            corrections.add(connection, each, at=NOW)
        for each in usual:
            corrections.add_habit(connection, each, at=NOW)
        for each in called:
            places.add(connection, each, at=NOW)
    return holdings(store.engine)


def holdings(engine):
    """Return all that an export holds of a store, but for when it was received and under which
    number it stands."""
    columns = [c for c in positionfix.c if c.name not in {"id", "received_at_ms"}]
    with reading(engine) as connection:
        return {
            "positions": sorted(map(repr, connection.execute(select(*columns)))),
            "evidence": {repr(_all(each)) for each in evidence.every(connection)},
            "corrections": [_all(each) for each in corrections.every(connection)],
            "habits": [_all(each) for each in corrections.habits(connection)],
            "places": [_all(each) for each in places.every(connection)],
        }


def _all(said):
    return [getattr(said, name) for name in said.__dataclass_fields__ if name != "number"]


@pytest.fixture
def other(tmp_path):
    (tmp_path / "other").mkdir()
    engine = open_database(tmp_path / "other", DatabaseKey(bytes(32)))
    yield engine
    engine.dispose()


def empty(engine):
    with writing(engine) as connection:
        for table in reversed(positionfix.metadata.sorted_tables):
            if table.name in {"positionfix", "evidence", "correction", "habit", "place"}:
                connection.execute(table.delete())


@settings(max_examples=25)
@given(
    st.tuples(
        st.lists(fixes(), max_size=8),
        st.lists(statements(), max_size=5),
        st.lists(said(), max_size=4),
        st.lists(habits, max_size=3),
        st.lists(named, max_size=4),
    )
)
def test_an_export_comes_back_whole_silently_and_once(store, other, clock, drawn):
    expected = filled(store, drawn)
    empty(other)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "export.zip"
        export(store, file)
        reports = [importing.run_once(other, file, clock=clock) for _ in range(2)]
    assert holdings(other) == expected
    assert [(report.rejected, list(report.skipped)) for report in reports] == [(0, [])] * 2
    assert (reports[1].new, reports[1].evidence_new) == (0, 0)


@pytest.fixture
def told(travelled):
    """Return a store with an outing, and one word of each kind of the resident."""
    word = {"number": 0, "device": "gpx", "start": NOW, "end": NOW}
    with writing(travelled.engine) as connection:
        for value in ("bus", "walk", "bus"):
            mode = Correction(kind=CorrectionKind.MODE, value=value, **word)
            corrections.add(connection, mode, at=NOW)
        home = Place(number=0, kind=PlaceKind.HOME, name="chez moi", lon=-1.15, lat=46.16)
        places.add(connection, home, at=NOW)
    return travelled


def test_each_file_of_an_unpacked_export_is_read_without_a_refusal(told, other, clock, tmp_path):
    export(told, tmp_path / "export.zip")
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        archive.extractall(tmp_path / "export")
    files = sorted((tmp_path / "export").iterdir())
    assert {"trips.json", "home.json", "LISEZMOI.txt"} <= {file.name for file in files}
    for file in files:
        report = importing.run_once(other, file, clock=clock)
        assert not report.rejected
        assert not report.gives_nothing
    assert holdings(other) == holdings(told.engine)


def test_a_word_said_again_after_another_is_said_again(told, other, clock, tmp_path):
    export(told, tmp_path / "export.zip")
    importing.run_once(other, tmp_path / "export.zip", clock=clock)
    with reading(other) as connection:
        values = [each.value for each in corrections.every(connection)]
    assert values == ["bus", "walk", "bus"]


def test_the_home_of_a_store_stays_its_home(told, other, clock, tmp_path):
    mine = Place(number=0, kind=PlaceKind.HOME, name="ici", lon=2.0, lat=48.0)
    with writing(other) as connection:
        places.add(connection, mine, at=NOW)
    export(told, tmp_path / "export.zip")
    for _ in range(2):
        importing.run_once(other, tmp_path / "export.zip", clock=clock)
    with reading(other) as connection:
        kinds = [(each.name, each.kind) for each in places.every(connection)]
    assert kinds == [("ici", PlaceKind.HOME), ("chez moi", PlaceKind.OTHER)]


CORRECTION = {
    "number": 1,
    "kind": "mode",
    "device": "a",
    "start": "2024-01-01T00:00:00+00:00",
    "end": "2024-01-01T01:00:00+00:00",
    "value": "bus",
}
PLACE = {
    "number": 1,
    "kind": "home",
    "name": "x",
    "lon": 1,
    "lat": 1,
    "hidden": False,
    "zone": None,
}
HABIT = {
    "number": 1,
    "mode": "bus",
    "rides": True,
    "minute_of_day": 9,
    "origin": [1, 1],
    "destination": [1, 1],
}
ODD = {
    "a mode that does not exist": CORRECTION | {"value": "dragon"},
    "an end before its start": CORRECTION | {"end": "2023-01-01T00:00:00+00:00"},
    "a time without offset": CORRECTION | {"start": "2024-01-01T00:00:00"},
    "an unknown kind": CORRECTION | {"kind": "spell"},
    "a value that is no text": CORRECTION | {"value": ["bus"]},
    "words without end": CORRECTION | {"kind": "note", "value": "x" * 201},
    "words that no database writes": CORRECTION | {"kind": "note", "value": "\ud800"},
    "a time before any receiver": CORRECTION | {"kind": "hide", "start": "0001-01-01T00:00:00Z"},
    "a time after any calendar": CORRECTION | {"kind": "hide", "end": "9999-12-31T23:59:59Z"},
    "a place off the Earth": PLACE | {"lat": 91},
    "a place at no number": PLACE | {"lon": "NaN"},
    "a zone without a radius": PLACE | {"zone": {"lon": 1, "lat": 1, "radius_m": -1}},
    "a zone that is a list": PLACE | {"zone": []},
    "a hidden place that says maybe": PLACE | {"hidden": "maybe"},
    "a minute past the day": HABIT | {"minute_of_day": 1440},
    "a minute without end": HABIT | {"minute_of_day": 1e999},
    "a minute that is no number": HABIT | {"minute_of_day": "NaN"},
    "an origin of three numbers": HABIT | {"origin": [1, 1, 1]},
}


@pytest.mark.parametrize("word", ODD.values(), ids=ODD)
def test_a_word_that_means_nothing_is_counted_and_the_rest_is_kept(other, clock, tmp_path, word):
    file = tmp_path / "words.json"
    file.write_text(json.dumps([CORRECTION, word]))
    report = importing.run_once(other, file, clock=clock)
    assert (report.rejected, report.evidence_new) == (1, 1)


@pytest.mark.parametrize("offset_min", ["1440", "-1440", "1e999", "NaN", "0.5"])
def test_an_offset_that_no_clock_shows_is_counted(other, clock, tmp_path, offset_min):
    file = tmp_path / "positions.csv"
    row = f"2024-06-15T10:30:00Z,46.16,-1.15,,,,a,,,{offset_min},gpx,2024-06-15T10:30:00Z"
    file.write_text(",".join(POSITION_COLUMNS) + f"\r\n{row}\r\n")
    report = importing.run_once(other, file, clock=clock)
    assert (report.rejected, report.new) == (1, 0)


def test_a_place_hidden_since_its_export_is_not_named_again_by_it(told, clock, tmp_path):
    export(told, tmp_path / "export.zip")
    with writing(told.engine) as connection:
        (home,) = places.every(connection)
        places.rename(connection, home.number, name="", hidden=True)
    importing.run_once(told.engine, tmp_path / "export.zip", clock=clock)
    with reading(told.engine) as connection:
        assert [each.hidden for each in places.every(connection)] == [True]
