"""What a source says of its local time is kept: over both nights of a clock change, and abroad."""

import io
import json
from datetime import UTC, date, datetime, timedelta

import pytest

from personal_store.db import positionfixes
from personal_store.db.connection import reading
from personal_store.ingest import e_mission
from personal_store.ingest.judge import judge_for
from personal_store.ingest.positionfix import SourceFormat
from personal_store.ingest.values import utc_offset_min
from personal_store.jobs import importing

TIMES = {
    "2024-03-31T01:59:59+01:00": 60,  # the last second of winter time
    "2024-03-31T03:00:00+02:00": 120,
    "2024-10-27T02:30:00+02:00": 120,  # half past two comes twice this night
    "2024-10-27T02:30:00+01:00": 60,
    "2024-05-01T23:30:00+09:00": 540,
    "2024-05-01T20:15:00.250-03:30": -210,
    "2024-05-01T20:15:00+0530": 330,
    "2024-05-01T20:15:00 -0700": -420,
}


@pytest.mark.parametrize(("text", "minutes"), TIMES.items(), ids=TIMES)
def test_the_offset_of_a_time_is_read(text, minutes):
    assert utc_offset_min(text) == minutes


@pytest.mark.parametrize(
    "raw",
    [None, 1714589700, "", "2024-05-01T20:15:00Z", "2024-05-01T20:15:00+00:00", "2024-05-01",
     "2024-05-01T20:15:00", "2024-05-01T20:15:00+99:00", "x" * 1000 + "+02:00"],
)  # fmt: skip
def test_what_says_nothing_of_the_place_has_no_offset(raw):
    assert utc_offset_min(raw) is None


def _gpx(times):
    points = "".join(
        f'<trkpt lat="46.1" lon="{n / 100}"><time>{at}</time></trkpt>' for n, at in enumerate(times)
    )
    return f"<gpx><trk><trkseg>{points}</trkseg></trk></gpx>"


def _csv(times):
    return "time,lat,lon\n" + "".join(f"{at},46.1,{n / 100}\n" for n, at in enumerate(times))


def _overland(times):
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [n / 100, 46.1]},
            "properties": {"timestamp": at},
        }
        for n, at in enumerate(times)
    ]
    return json.dumps({"locations": features})


def _android(times):
    segments = [
        {
            "startTime": at,
            "endTime": at,
            "timelinePath": [{"point": f"46.1\u00b0, {n / 100}\u00b0", "time": at}],
        }
        for n, at in enumerate(times)
    ]
    return json.dumps({"semanticSegments": segments})


def _cozy(times):
    sections = [
        {
            "geometry": {"type": "LineString", "coordinates": [[n / 100, 46.1]]},
            "properties": {
                "timestamps": [datetime.fromisoformat(at).timestamp() * 1000],
                "start_fmt_time": at,
                "end_fmt_time": at,
            },
        }
        for n, at in enumerate(times)
    ]
    return json.dumps({"series": [{"features": [{"features": sections}]}]})


def _e_mission(times):
    entries = [
        {
            "metadata": {"key": "background/location", "time_zone": "Pacific/Auckland"},
            "data": {
                "ts": datetime.fromisoformat(at).timestamp(),
                "fmt_time": at,
                "latitude": 46.1,
                "longitude": n / 100,
            },
        }
        for n, at in enumerate(times)
    ]
    return json.dumps(entries)


@pytest.mark.parametrize(
    ("zone", "minutes"),
    [("Europe/Paris", 60), ("America/Los_Angeles", -480), ("../../etc/passwd", None), ("", None)],
)
def test_the_time_zone_that_an_entry_names_gives_its_offset(now, zone, minutes):
    entry = {
        "metadata": {"key": "background/location", "time_zone": zone},
        "data": {"ts": 1_762_671_600, "latitude": 46.1, "longitude": 1},
    }
    judge = judge_for(SourceFormat.E_MISSION, now=now)
    (fix,) = e_mission.parse(io.BytesIO(json.dumps([entry]).encode()), judge)
    assert fix.utc_offset_min == minutes


@pytest.mark.parametrize("write", [_gpx, _csv, _overland, _android, _cozy, _e_mission])
def test_the_local_day_of_each_position_is_the_one_that_was_lived(store, tmp_path, write):
    times = list(TIMES)[:6]
    file = tmp_path / "file"
    file.write_text(write(times))
    importing.run_once(store.engine, file, clock=store.clock)
    with reading(store.engine) as connection:
        (device,) = positionfixes.devices(connection)
        kept = positionfixes.of_device(connection, device)
    lived = sorted((datetime.fromisoformat(at).astimezone(UTC), at[:10]) for at in times)
    days = [(fix.at + timedelta(minutes=fix.utc_offset_min)).date() for fix in kept]
    assert days == [date.fromisoformat(day) for _, day in lived]
