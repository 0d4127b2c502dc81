"""From the file to the day: that of the place where a source states it, else that of home."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest

pytestmark = pytest.mark.usefixtures("ready")


def write(tmp_path, outing, start, offset_min=None, later_min=None):
    """Write an outing whose way begins at `start`, its times with the offsets that are given."""
    way = outing(start=start.astimezone(UTC) - timedelta(seconds=outing().staying_s))
    gpx = way.gpx()
    halfway = start + timedelta(seconds=way.moving_s / 2)
    for at, *_ in way.points if offset_min is not None else ():
        minutes = later_min if later_min is not None and at >= halfway else offset_min
        there = at.astimezone(timezone(timedelta(minutes=minutes)))
        gpx = gpx.replace(f"{at:%Y-%m-%dT%H:%M:%SZ}", there.isoformat())
    file = tmp_path / "way.gpx"
    file.write_text(gpx)
    return file


DAYS = {
    "no offset, before midnight at home": ("2026-11-09T22:40+00:00", None, None, "2026-11-09"),
    "no offset, after midnight at home": ("2026-11-09T23:10+00:00", None, None, "2026-11-10"),
    "morning in Tokyo, still the day before at home": (
        "2026-11-10T05:00+09:00",
        540,
        None,
        "2026-11-10",
    ),
    "evening in Quebec, next day at home": (
        "2026-11-09T20:00-05:00",
        -300,
        None,
        "2026-11-09",
    ),
    "from one zone into the next, by the clock of its start": (
        "2026-11-10T00:10+02:00",
        120,
        180,
        "2026-11-10",
    ),
    "home, first hour of the night that lasts longer": (
        "2026-10-24T22:10+00:00",
        None,
        None,
        "2026-10-25",
    ),
    "home, last hour of the day that lasts longer": (
        "2026-10-25T22:40+00:00",
        None,
        None,
        "2026-10-25",
    ),
    "half past two for the second time": ("2026-10-25T02:30+01:00", 60, None, "2026-10-25"),
    "home, first hour of the short day": ("2026-03-28T23:10+00:00", None, None, "2026-03-29"),
    "home, first hour after the short day": ("2026-03-29T22:10+00:00", None, None, "2026-03-30"),
}


@pytest.mark.parametrize("case", DAYS.values(), ids=DAYS)
def test_a_trip_is_listed_and_weighed_on_its_own_day(answer, tmp_path, outing, case) -> None:
    start, offset_min, later_min, day = case
    begins = datetime.fromisoformat(start)
    answer("import", write(tmp_path, outing, begins, offset_min, later_min))
    (trip,) = answer("trips")
    assert abs(datetime.fromisoformat(trip["start"]) - begins) < timedelta(minutes=5)
    assert (trip["day"], trip["utc_offset_min"]) == (day, offset_min)
    first = datetime.fromisoformat(day).date()
    edges = [first + timedelta(days=n) for n in (-1, 0, 1, 2)]
    counts = [
        answer("footprint", "--from", one, "--to", other)["trips"] for one, other in pairwise(edges)
    ]
    assert counts == [0, 1, 0]


def test_a_trip_abroad_is_said_with_the_clock_of_the_place(run, answer, tmp_path, outing) -> None:
    begins = datetime.fromisoformat("2026-11-10T05:00+09:00")
    answer("import", write(tmp_path, outing, begins, 540))
    _, out, err = run("trips")
    assert "2026-11-10 05:0" in out + err or "2026-11-10 04:5" in out + err


def test_a_trip_is_listed_on_the_day_of_the_home_that_was_told(answer, tmp_path, outing) -> None:
    answer("import", write(tmp_path, outing, datetime.fromisoformat("2026-11-09T21:40+00:00")))
    assert [trip["day"] for trip in answer("trips")] == ["2026-11-09"]
    assert answer("home", "Indian/Reunion") == {"timezone": "Indian/Reunion"}
    assert [trip["day"] for trip in answer("trips")] == ["2026-11-10"]


def test_a_home_of_no_known_zone_is_refused_and_changes_nothing(run, answer) -> None:
    code, _, err = run("home", "Atlantis")
    assert (code, "Indian/Reunion" in err) == (1, True)
    assert answer("home") == {"timezone": "Europe/Paris"}
