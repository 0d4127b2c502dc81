"""An export holds everything, and its positions come back as they were through `import`."""

import csv
import io
import json
import zipfile

import pytest
from sqlalchemy import select

from personal_store.db import communes
from personal_store.db.connection import open_database, reading, writing
from personal_store.db.tables import positionfix
from personal_store.errors import BackupRefused
from personal_store.ingest.own_export import POSITION_COLUMNS
from personal_store.jobs import importing
from personal_store.keeping.exporting import POSITIONS_FILE, export
from personal_store.vault import DatabaseKey
from personal_store.zones import Zone


@pytest.fixture
def archive(travelled, tmp_path):
    export(travelled, tmp_path / "export.zip")
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        yield archive


MEASURED = [
    positionfix.c[name]
    for name in ("at_ms", "lon_e7", "lat_e7", "accuracy_m", "speed_mps", "device", "source")
]


def _measured(engine):
    with reading(engine) as connection:
        return sorted(map(tuple, connection.execute(select(*MEASURED))))


def test_positions_come_back_through_import(travelled, tmp_path, clock, archive):
    file = tmp_path / POSITIONS_FILE
    file.write_bytes(archive.read(POSITIONS_FILE))
    (tmp_path / "other").mkdir()
    other = open_database(tmp_path / "other", DatabaseKey(bytes(32)))
    importing.run_once(other, file, clock=clock)
    assert _measured(other) == _measured(travelled.engine) != []
    other.dispose()


def test_every_row_is_there(travelled, archive):
    rows = list(csv.DictReader(io.TextIOWrapper(archive.open(POSITIONS_FILE), "utf-8")))
    assert tuple(rows[0]) == POSITION_COLUMNS
    assert len(rows) == len(_measured(travelled.engine))
    assert {row["source"] for row in rows} == {"gpx"}


def test_trips_have_legs_and_tracks(archive):
    (trip,) = json.loads(archive.read("trips.json"))
    assert trip["legs"][0]["geometry"]["coordinates"]


def test_a_file_that_would_be_empty_is_left_out(archive):
    assert set(archive.namelist()) == {"LISEZMOI.txt", "positions.csv", "trips.json", "home.json"}


def test_it_is_private_and_tells_how_far_it_is(travelled, tmp_path):
    told = []
    total = export(travelled, tmp_path / "e.zip", on_progress=lambda *said: told.append(said))
    assert (tmp_path / "e.zip").stat().st_mode & 0o777 == 0o600
    assert told[0] == (0, total)


def test_home_is_there_with_the_commune_that_was_confirmed(travelled, tmp_path):
    zone = Zone(code="17300", name="La Rochelle")
    for name, confirmed in (("before.zip", False), ("after.zip", True)):
        if confirmed:
            with writing(travelled.engine) as connection:
                communes.confirm(connection, zone, at=travelled.clock.now())
        export(travelled, tmp_path / name)
        with zipfile.ZipFile(tmp_path / name) as archive:
            assert json.loads(archive.read("home.json")) == {
                "timezone": "Europe/Paris",
                "zone": {"code": "17300", "name": "La Rochelle"} if confirmed else None,
            }


def test_a_file_beside_is_not_written_over(travelled, tmp_path):
    (tmp_path / "export.zip.part").write_bytes(b"mine")
    with pytest.raises(BackupRefused):
        export(travelled, tmp_path / "export.zip")
    assert (tmp_path / "export.zip.part").read_bytes() == b"mine"


def test_nothing_is_written_over(travelled, tmp_path):
    (tmp_path / "there.zip").write_bytes(b"mine")
    with pytest.raises(BackupRefused):
        export(travelled, tmp_path / "there.zip")
    assert (tmp_path / "there.zip").read_bytes() == b"mine"


def test_an_export_that_fails_leaves_nothing(travelled, tmp_path):
    def stop(_done, _all):
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        export(travelled, tmp_path / "export.zip", on_progress=stop)
    assert not list(tmp_path.glob("export*"))
