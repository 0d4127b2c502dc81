"""Write a synthetic but honest week of positions of one fictitious resident of La Rochelle.

    python demo/week.py --week 2026-W46 --seed 7 OUTDIR

OUTDIR then holds what three telephones could have exported: GPX of four days (bike, walks, bus,
TER, car), a Google `Timeline.json` of two days, an OwnTracks `.rec` of one day; no day is told
twice. `truth.json` says what really happened: it is for tests, not for import. The same
arguments give the same bytes.
"""

import argparse
import json
import random
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from synthetic.diary import Day, Recorder, Ride, live_week
from synthetic.files import gpx_bytes, owntracks_bytes, timeline_bytes
from synthetic.motion import read_routes
from synthetic.receiver import Fix, dense, listen, significant, sparse

TIMELINE_NAME = "Timeline.json"
OWNTRACKS_NAME = "owntracks-phone-b.rec"
TRUTH_NAME = "truth.json"

_SAMPLERS = {
    Recorder.GPX: dense,
    Recorder.TIMELINE: sparse,
    Recorder.OWNTRACKS: significant,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDay:
    """A day as it was, and what the telephone of that day recorded of it."""

    true: Day
    fixes: tuple[Fix, ...]

    @property
    def file_name(self) -> str:
        """Return the name of the file that holds this day."""
        if self.true.recorder is Recorder.GPX:
            return f"phone-a-{self.true.day}.gpx"
        return TIMELINE_NAME if self.true.recorder is Recorder.TIMELINE else OWNTRACKS_NAME


def parse_week(text: str) -> date:
    """Return the Monday of an ISO week like 2026-W46. Raises ValueError for anything else."""
    match = re.fullmatch(r"(\d{4})-W(\d{2})", text, flags=re.ASCII)
    if match is None:
        raise ValueError(f"expected an ISO week like 2026-W46, seen {text!r}")
    return date.fromisocalendar(int(match[1]), int(match[2]), 1)


def record_week(monday: date, rng: random.Random) -> tuple[RecordedDay, ...]:
    """Live and record the week that starts on a Monday."""
    days = live_week(monday, read_routes(), rng)
    return tuple(
        RecordedDay(
            true=day,
            fixes=tuple(listen(_SAMPLERS[day.recorder](day.episodes, rng), rng)),
        )
        for day in days
    )


def week_files(week: str, seed: int) -> dict[str, bytes]:
    """Return the files of a week by name; the same arguments give the same bytes."""
    days = record_week(parse_week(week), random.Random(seed))  # noqa: S311 - no secret, a story
    files = {
        day.file_name: gpx_bytes(f"phone-a {day.true.day}", day.fixes)
        for day in days
        if day.true.recorder is Recorder.GPX
    }
    files[TIMELINE_NAME] = timeline_bytes(
        [day.fixes for day in days if day.true.recorder is Recorder.TIMELINE]
    )
    files[OWNTRACKS_NAME] = owntracks_bytes(
        [fix for day in days if day.true.recorder is Recorder.OWNTRACKS for fix in day.fixes]
    )
    truth = {"week": week, "seed": seed, "home_zone": "17300", **truth_of(days)}
    files[TRUTH_NAME] = (json.dumps(truth, ensure_ascii=False, indent=1) + "\n").encode()
    return files


def truth_of(days: Sequence[RecordedDay]) -> dict[str, Any]:
    """Return what really happened: days, trips with legs, spells without reception.

    Times are UTC, distances metres along the true way, `kilometres` sums by mode.
    """
    kilometres: dict[str, float] = {}
    rides = [ride for day in days for trip in day.true.trips for ride in trip]
    for ride in rides:
        kilometres[ride.mode] = kilometres.get(ride.mode, 0.0) + ride.distance_m / 1000
    return {
        "time_zone": "Europe/Paris",
        "days": [
            {
                "date": str(day.true.day),
                "recorder": day.true.recorder,
                "file": day.file_name,
                "positions": len(day.fixes),
            }
            for day in days
        ],
        "trips": [_trip(day, trip) for day in days for trip in day.true.trips],
        "unheard": [_unheard(ride) for ride in rides if ride.deaf_s[1] > ride.deaf_s[0]],
        "kilometres": {mode: round(km, 3) for mode, km in sorted(kilometres.items())},
    }


def write_week(files: Mapping[str, bytes], folder: Path) -> None:
    """Write the files into a folder, which is made where absent."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def main(arguments: Sequence[str]) -> int:
    """Write the week that the arguments name. Returns 0, or 2 for arguments that make no sense."""
    parser = argparse.ArgumentParser(prog="demo/week.py", description=__doc__.splitlines()[0])
    parser.add_argument("--week", required=True, help="ISO week, like 2026-W46")
    parser.add_argument("--seed", type=int, default=7, help="the same seed, the same week")
    parser.add_argument("folder", type=Path, metavar="OUTDIR")
    options = parser.parse_args(arguments)
    try:
        files = week_files(options.week, options.seed)
    except ValueError as error:
        print(f"demo/week.py: {error}", file=sys.stderr)
        return 2
    write_week(files, options.folder)
    size_kb = sum(map(len, files.values())) / 1000
    print(f"{options.folder}: {len(files)} files, {size_kb:.0f} kB", file=sys.stderr)
    return 0


def _trip(day: RecordedDay, trip: Sequence[Ride]) -> dict[str, Any]:
    """Return one trip and its legs."""
    return {
        "start": _utc(trip[0].start),
        "end": _utc(trip[-1].end),
        "distance_m": round(sum(ride.distance_m for ride in trip), 1),
        "recorder": day.true.recorder,
        "file": day.file_name,
        "legs": [
            {
                "mode": ride.mode,
                "start": _utc(ride.start),
                "end": _utc(ride.end),
                "distance_m": round(ride.distance_m, 1),
            }
            for ride in trip
        ],
    }


def _unheard(ride: Ride) -> dict[str, str]:
    """Return the spell of a ride in which no satellite is heard."""
    first, last = (ride.moment_time(offset) for offset in ride.deaf_s)
    return {"mode": ride.mode, "start": _utc(first), "end": _utc(last)}


def _utc(at: datetime) -> str:
    """Return a UTC time to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
