"""Read labelled legs as plain columns, to train the mode model and to judge it.

MobilityNet (BSD-3-Clause), SSI-NL (EUPL-1.2) and Amazon GOAL (CC BY 4.0): the licences of all three
allow a model learned from them to be shipped. GeoLife's does not, and is not read here. A leg is
one stretch that one phone logged in one mode; several phones of one person on one day share a
`day`.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from personal_store.trips.cleaning import WORST_ACCURACY_M
from personal_store.trips.track import Floats, sphere_points

METRES_PER_DEGREE = 111_195.0  # of latitude on the sphere of the mean radius
LEG_MIN_S = 60.0
GOAL_GAP_MAX_S = 90.0
MODE_OF_LABEL = {
    **dict.fromkeys(("WALKING", "Walk", "OnFoot"), "walk"),
    **dict.fromkeys(("BICYCLING", "E_BIKE", "Bike"), "bike"),
    "ESCOOTER": "escooter",
    **dict.fromkeys(("CAR", "Driving"), "car"),
    **dict.fromkeys(("BUS", "Bus"), "bus"),
    **dict.fromkeys(("LIGHT_RAIL", "Tram"), "tram"),
    **dict.fromkeys(("SUBWAY", "Metro"), "metro"),
    **dict.fromkeys(("TRAIN", "Train"), "train"),
    "Ferry": "ferry",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledLeg:
    """One leg as one phone saw it: seconds and places on the sphere, and its true mode.

    `data_set` and `route` say what must not be on both sides of a split; `day` is what a bootstrap
    draws.
    """

    data_set: str
    route: str
    day: str
    mode: str
    time_s: Floats
    xyz_m: Floats
    accuracy_m: Floats


def mobilitynet(folder: Path) -> list[LabelledLeg]:
    """Return the legs of the scripted days, of every phone that rode along."""
    columns = ("spec", "phone", "stream", "ts", "lat", "lon", "acc")
    table = parquet.read_table(folder / "mnet_points.parquet", columns=list(columns))
    rows = sorted(zip(*(table[name].to_pylist() for name in columns), strict=True))
    truth = [row for row in _rows(folder / "mnet_legs.csv") if row["mode"] in MODE_OF_LABEL]
    found: list[LabelledLeg] = []
    for (spec, _, stream), group in groupby(rows, key=lambda row: row[:3]):
        if stream != "location":
            continue
        points = np.array([row[3:] for row in group], dtype=np.float64)
        points = points[~(points[:, 3] > WORST_ACCURACY_M)]
        for row in truth:
            inside = (points[:, 0] >= float(row["start"])) & (points[:, 0] < float(row["end"]))
            if row["spec"] == spec:
                found += _leg("MobilityNet", spec, row["mode"], points[inside])
    return found


def ssi(folder: Path) -> list[LabelledLeg]:
    """Return the stretches of the diary that have a mode."""
    columns = ("uid", "ts", "lat", "lon", "stop", "mode")
    table = parquet.read_table(folder / "ssi_points.parquet", columns=list(columns))
    rows = sorted(zip(*(table[name].to_pylist() for name in columns), strict=True))
    found: list[LabelledLeg] = []
    for (uid, stop, mode), group in groupby(rows, key=lambda row: (row[0], *row[4:])):
        points = np.array([(*row[1:4], np.nan) for row in group], dtype=np.float64)
        if not stop and mode in MODE_OF_LABEL:
            found += _leg("SSI", uid, mode, points)
    return found


def goal(folder: Path) -> list[LabelledLeg]:
    """Return the stretches on foot and driving, laid out from a point on the equator."""
    table = parquet.read_table(folder / "goal.parquet")
    time_s = table["timestamp"].cast(pa.int64()).to_numpy() / 1e9
    time_s -= time_s.min()
    x_deg, y_deg = (table[axis].to_numpy() / METRES_PER_DEGREE for axis in "xy")
    rows = list(zip(table["traj"].to_pylist(), table["groundtruth"].to_pylist(), strict=True))
    found: list[LabelledLeg] = []
    start = 0
    for stop in range(1, len(rows) + 1):
        ends = stop == len(rows) or rows[stop] != rows[start]
        if ends or not 0 <= time_s[stop] - time_s[stop - 1] <= GOAL_GAP_MAX_S:
            part = slice(start, stop)
            unknown = np.full(stop - start, np.nan)
            points = np.stack((time_s[part], y_deg[part], x_deg[part], unknown), axis=1)
            found += _leg("GOAL", str(rows[start][0]), rows[start][1], points)
            start = stop
    return found


def _leg(data_set: str, route: str, label: str, points: NDArray[np.float64]) -> list[LabelledLeg]:
    """Return one leg of (time, lat, lon, accuracy) rows, or none where there is too little."""
    points = points[np.argsort(points[:, 0], kind="stable")]
    if len(points):
        points = points[np.diff(points[:, 0], prepend=-np.inf) > 0]
    if len(points) < 3 or points[-1, 0] - points[0, 0] < LEG_MIN_S:
        return []
    return [
        LabelledLeg(
            data_set=data_set,
            route=route,
            day=f"{data_set}/{route if data_set == 'GOAL' else int(points[0, 0] // 86_400)}",
            mode=MODE_OF_LABEL[label],
            time_s=points[:, 0],
            xyz_m=sphere_points(points[:, 2], points[:, 1]),
            accuracy_m=points[:, 3],
        )
    ]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
