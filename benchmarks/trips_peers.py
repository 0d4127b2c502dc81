"""Run other tools on the same positions: started by `trips_scorecard.py` with their own Python.

They need other versions of the libraries than ours, so each lives in an environment of its own:

    python3.11 -m venv peers && peers/bin/pip install trackintel==1.4.2
    peers/bin/pip install "setuptools<70" wheel cython numpy pybind11
    peers/bin/pip install --no-build-isolation infostop==0.1.9
    python3.11 -m venv older
    older/bin/pip install scikit-mobility==1.3.1 "numpy<2" "pandas<2" "shapely<2" "setuptools<70"
    python benchmarks/trips_scorecard.py --peer-python peers/bin/python \
        --peer-python older/bin/python

It reads an .npz file of positions and prints one JSON object; it imports nothing of ours. Tools
that find stays only are given the time between stays as trips; trackintel alone finds legs too.
"""

# ruff: noqa: ANN001, ANN201, PLC0415, ICN001 - other environments, other libraries.

import json
import re
import sys
import time
import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np

warnings.filterwarnings("ignore")


def trackintel_trips(t, lat, lon, minutes):
    """Return trackintel's trips and legs: stays, triplegs, modes, activity flags and trips."""
    import geopandas
    import pandas
    import trackintel

    frame = geopandas.GeoDataFrame(
        {"user_id": 0, "tracked_at": pandas.to_datetime(t, unit="s", utc=True)},
        geometry=geopandas.points_from_xy(lon, lat),
        crs=4326,
    )
    fixes = trackintel.Positionfixes(frame)
    fixes, stays = fixes.generate_staypoints(
        method="sliding", dist_threshold=100, time_threshold=5, gap_threshold=15
    )
    if len(stays) == 0:
        return [], []
    stays = stays.create_activity_flag(method="time_threshold", time_threshold=minutes)
    fixes, legs = fixes.generate_triplegs(stays)
    if len(legs) == 0:
        return [], []
    legs = legs.predict_transport_mode(method="simple-coarse")
    trips = stays.generate_trips(legs, gap_threshold=15)[2]
    return times(trips), times(legs)


def times(frame):
    """Return when each of trackintel's trips or legs begins and ends."""
    return [
        (start.timestamp(), end.timestamp())
        for start, end in zip(frame["started_at"], frame["finished_at"], strict=True)
    ]


def skmob_trips(t, lat, lon, minutes):
    """Return the time between scikit-mobility's stay locations."""
    import pandas
    import skmob
    from skmob.preprocessing import detection

    frame = pandas.DataFrame({"lat": lat, "lng": lon, "datetime": pandas.to_datetime(t, unit="s")})
    stays = detection.stay_locations(
        skmob.TrajDataFrame(frame), minutes_for_a_stop=minutes, spatial_radius_km=0.2
    )
    return between(
        t,
        [
            (start.timestamp(), end.timestamp())
            for start, end in zip(stays["datetime"], stays["leaving_datetime"], strict=True)
        ],
    ), []


def infostop_trips(t, lat, lon, minutes):
    """Return the time between infostop's stops."""
    import infostop

    order = np.flatnonzero(np.diff(t, prepend=-1) > 0)
    t, lat, lon = t[order], lat[order], lon[order]
    model = infostop.Infostop(r1=50, r2=50, min_staying_time=300, max_time_between=86400)
    try:
        labels = model.fit_predict(np.column_stack((lat, lon, t)))
    except Exception:  # noqa: BLE001 - it raises a bare Exception where nothing stays
        return [(t[0], t[-1])], []
    edges = np.flatnonzero(np.diff(labels, prepend=-9, append=-9))
    stays = [
        (t[a], t[b - 1])
        for a, b in pairwise(edges)
        if labels[a] >= 0 and t[b - 1] - t[a] >= 60 * minutes
    ]
    return between(t, stays), []


def between(t, stays):
    """Return what lies between stays, from the first to the last position."""
    edges = [t[0], *(moment for stay in stays for moment in stay), t[-1]]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(float(a), float(b)) for a, b in pairs if b - a >= 60]


def peak_mb():
    """Return the most memory this program has held, as `trips_speed.py` does."""
    held_kb = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(held_kb[1]) / 1024


def main() -> None:
    """Print the trips of one tool for each recording, or its speed on a single long one."""
    path, tool, minutes = sys.argv[1], sys.argv[2], [float(word) for word in sys.argv[3:]]
    data = np.load(path)
    run = {
        "trackintel": trackintel_trips,
        "scikit-mobility": skmob_trips,
        "infostop": infostop_trips,
    }
    trips, legs = {}, []
    __import__({"scikit-mobility": "skmob"}.get(tool, tool))
    began = time.process_time()
    for each in minutes:
        trips[each], legs = [], []
        for recording in range(len(data["starts"])):
            part = slice(data["starts"][recording], data["ends"][recording])
            columns = data["t"][part], data["lat"][part], data["lon"][part]
            found, cut = run[tool](*columns, each)
            trips[each].append(found)
            legs.append(cut)
    print(
        json.dumps(
            {
                "seconds": time.process_time() - began,
                "peak_mb": peak_mb(),
                "trips": trips,
                "legs": legs if any(legs) else [],
            }
        )
    )


if __name__ == "__main__":
    main()
