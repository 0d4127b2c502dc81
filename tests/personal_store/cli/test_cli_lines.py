"""`personal-store lines`: what a territory publishes makes a bus a bus."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from generated_town import Town

START = datetime(2026, 3, 9, 7, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _store(ready: Path) -> None:
    """Use a store that is ready."""


@pytest.fixture
def town() -> Town:
    return Town(7)


@pytest.fixture
def feed(town, tmp_path) -> Path:
    return town.gtfs(tmp_path / "reseau.zip")


@pytest.fixture
def bus_ride(town, tmp_path) -> Path:
    """A GPX of one ride on a bus that halts a quarter of a minute at each stop."""
    leg = max((town.bus_leg() for _ in range(20)), key=lambda leg: len(leg[0]))
    at, points = START, []
    for number, (lon, lat) in enumerate(zip(*leg, strict=True)):
        for _ in range(2 if number % 5 == 0 else 1):
            stamp = at.isoformat().replace("+00:00", "Z")
            points.append(f'<trkpt lon="{lon:.6f}" lat="{lat:.6f}"><time>{stamp}</time></trkpt>')
            at += timedelta(seconds=12)
    path = tmp_path / "trajet.gpx"
    path.write_text(
        '<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1" creator="test"><trk><trkseg>'
        + "".join(points)
        + "</trkseg></trk></gpx>"
    )
    return path


def bus_metres(trips):
    """Expected metres by bus over all legs."""
    return sum(
        leg["modes"].get("bus", 0.0) * leg["distance_m"] for trip in trips for leg in trip["legs"]
    )


def test_import_says_what_the_file_held(answer, feed, town) -> None:
    (file,) = answer("lines", "import", feed)["files"]
    assert file["name"] == "reseau.zip"
    assert file["stops"] == sum(len(route) for route in town.routes)
    assert answer("lines", "list") == {"files": [file]}


def test_trips_already_there_are_read_again_with_the_lines(answer, run, feed, bus_ride) -> None:
    answer("import", bus_ride)
    before = bus_metres(answer("trips"))
    answer("lines", "import", feed)
    during = bus_metres(answer("trips"))
    assert during > 1.5 * before
    assert run("lines", "forget", "reseau.zip")[0] == 0
    assert bus_metres(answer("trips")) == before


def test_a_damaged_file_fails_in_words_and_the_others_are_taken(run, feed, tmp_path) -> None:
    broken = tmp_path / "broken.geojson"
    broken.write_text("{")
    code, _, err = run("lines", "import", broken, feed)
    assert code == 1
    assert "broken.geojson" in err
    assert "reseau.zip" in err
    assert "Traceback" not in err


def test_forgetting_what_is_not_there_fails_in_words(run) -> None:
    code, _, err = run("lines", "forget", "rien.zip")
    assert code == 1
    assert "lines list" in err
