"""A device's positionfixes as arrays, and the geometry that the trip engine shares.

Positions are kept as points of a sphere in metres, so that no rule has to know about the date
line, the poles or a map projection; distances are great circles on the sphere of IUGG's mean
radius (at most 0.6 % from the WGS 84 ellipsoid, far below a phone's own error). It is not a map
and holds no rule.
"""

# ruff: noqa: PLR0917 - a loop takes its columns by position (compiling.py).

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from math import asin, floor, pi, sqrt
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from personal_store.ingest.positionfix import Positionfix, SourceFormat

EARTH_RADIUS_M = 6_371_008.8  # metres; IUGG mean radius R1 of WGS 84, Moritz 2000

SMALL_HALF_ANGLE = 1e-3
"""Radians; below it (12 km apart) asin(h) = h + h^3/6 to one part in 10^13, and no call."""

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


RADIANS: Final = pi / 180.0

ANCHOR_STEP: Final = 1 / 1024
"""Radians. Sines are told from the nearest multiple, at most 1/2048 off, so that the series of
`sine_near` and `cosine_near` leave out less than 10^-22, far below what a number can hold."""

LAST_ANCHOR: Final = 3217
"""Steps from 0 to pi, rounded up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """Positionfixes of one device as logged, in any order, column by column, each of length n.

    `time_s` are Unix seconds, `accuracy_m` is NaN where unknown. `recorded` marks fixes of a file
    that somebody started and stopped on purpose (GPX). `activity` holds each fix's label (None
    where there is none), `confidence` its [0, 1] or NaN; both are None where no fix has a label.
    """

    time_s: Floats
    lon: Floats
    lat: Floats
    accuracy_m: Floats
    recorded: NDArray[np.bool_]
    activity: NDArray[np.object_] | None
    confidence: Floats | None

    def __len__(self) -> int:
        """Return the number of fixes."""
        return len(self.time_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Positionfixes that cleaning kept, in strictly increasing time, column by column.

    `xyz_m` has shape (n, 3) and lies column by column in memory. `error_m` is the claimed error,
    or the assumed one. The other columns are those of `Positions`.
    """

    time_s: Floats
    lon: Floats
    lat: Floats
    xyz_m: Floats
    error_m: Floats
    recorded: NDArray[np.bool_]
    activity: NDArray[np.object_] | None
    confidence: Floats | None

    def __len__(self) -> int:
        """Return the number of fixes."""
        return len(self.time_s)

    def part(self, first: int, last: int) -> "Track":
        """Return the fixes from `first` to `last`, both included, as views of these columns."""
        fixes = slice(first, last + 1)
        return Track(
            time_s=self.time_s[fixes],
            lon=self.lon[fixes],
            lat=self.lat[fixes],
            xyz_m=self.xyz_m[fixes],
            error_m=self.error_m[fixes],
            recorded=self.recorded[fixes],
            activity=None if self.activity is None else self.activity[fixes],
            confidence=None if self.confidence is None else self.confidence[fixes],
        )

    @property
    def points(self) -> tuple[Floats, ...]:
        """Return the columns that loops read: time, x, y, z and error."""
        return self.time_s, *self.xyz_m.T, self.error_m


def positions_of(fixes: Sequence[Positionfix]) -> Positions:
    """Return the fixes' columns in the order given, without judging them."""
    labelled = any(fix.activity for fix in fixes)
    activity = np.empty(len(fixes), dtype=object)
    activity[:] = [fix.activity for fix in fixes]
    confidence = np.array([fix.activity_confidence for fix in fixes], dtype=np.float64)
    return Positions(
        time_s=np.array([fix.at.timestamp() for fix in fixes], dtype=np.float64),
        lon=np.array([fix.lon for fix in fixes], dtype=np.float64),
        lat=np.array([fix.lat for fix in fixes], dtype=np.float64),
        accuracy_m=np.array([fix.accuracy_m for fix in fixes], dtype=np.float64),
        recorded=np.array([fix.source is SourceFormat.GPX for fix in fixes], dtype=np.bool_),
        activity=activity if labelled else None,
        confidence=confidence if labelled else None,
    )


def sphere_points(lon: Floats, lat: Floats) -> Floats:
    """Return points in metres from the Earth's centre, shape (n, 3), for WGS 84 degrees."""
    lon_rad, lat_rad = np.radians(lon), np.radians(lat)
    cos_lat = np.cos(lat_rad)
    points = np.empty((len(lon), 3), dtype=np.float64, order="F")
    np.multiply(EARTH_RADIUS_M * cos_lat, np.cos(lon_rad), out=points[:, 0])
    np.multiply(EARTH_RADIUS_M * cos_lat, np.sin(lon_rad), out=points[:, 1])
    np.multiply(EARTH_RADIUS_M, np.sin(lat_rad), out=points[:, 2])
    return points


def mercator(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Return Mercator metres: true in every direction once divided by 1/cos(lat) at the place."""
    x = EARTH_RADIUS_M * np.radians(lon)
    y = EARTH_RADIUS_M * np.arctanh(np.sin(np.radians(np.clip(lat, -85.0, 85.0))))
    return x, y


def arc_m(x0: float, y0: float, z0: float, x1: float, y1: float, z1: float) -> float:
    """Return the great-circle distance in metres between two points of the sphere; for loops."""
    # Products, not powers: pow() may round otherwise than a product does.
    off_x, off_y, off_z = x1 - x0, y1 - y0, z1 - z0
    chord_m = sqrt(off_x * off_x + off_y * off_y + off_z * off_z)
    half = min(chord_m / (2 * EARTH_RADIUS_M), 1.0)
    if half < SMALL_HALF_ANGLE:
        return chord_m * (1.0 + half * half / 6.0)
    return 2 * EARTH_RADIUS_M * asin(half)


def sine_near(sine: float, cosine: float, off: float) -> float:
    """Return sin(a + off) from sin(a) and cos(a), for at most 1/2048 rad off; for loops."""
    square = off * off
    off_cosine = 1.0 - square * (0.5 - square * (1.0 / 24.0 - square * (1.0 / 720.0)))
    return sine * off_cosine + cosine * (
        off * (1.0 - square * (1.0 / 6.0 - square * (1.0 / 120.0)))
    )


def cosine_near(sine: float, cosine: float, off: float) -> float:
    """Return cos(a + off) from sin(a) and cos(a), for at most 1/2048 rad off; for loops."""
    square = off * off
    off_cosine = 1.0 - square * (0.5 - square * (1.0 / 24.0 - square * (1.0 / 720.0)))
    return cosine * off_cosine - sine * (
        off * (1.0 - square * (1.0 / 6.0 - square * (1.0 / 120.0)))
    )


def lay_point(
    lon: float, lat: float, x: Any, y: Any, z: Any, index: int, sines: Any, cosines: Any
) -> None:
    """Put the point under WGS 84 degrees into columns, in metres from the centre; for loops.

    As `sphere_points` does, to 10 nanometres, and several times as fast: from the sines and cosines
    of `anchors`.
    """
    lon_rad, lat_rad = lon * RADIANS, lat * RADIANS
    north, east = nearest_anchor(lat_rad), nearest_anchor(lon_rad)
    off_north = lat_rad - (north - LAST_ANCHOR) * ANCHOR_STEP
    off_east = lon_rad - (east - LAST_ANCHOR) * ANCHOR_STEP
    across_m = EARTH_RADIUS_M * cosine_near(sines[north], cosines[north], off_north)
    x[index] = across_m * cosine_near(sines[east], cosines[east], off_east)
    y[index] = across_m * sine_near(sines[east], cosines[east], off_east)
    z[index] = EARTH_RADIUS_M * sine_near(sines[north], cosines[north], off_north)


def nearest_anchor(angle_rad: float) -> int:
    """Return the index of the anchor nearest to an angle within [-pi, pi]."""
    return min(max(floor(angle_rad / ANCHOR_STEP + 0.5) + LAST_ANCHOR, 0), 2 * LAST_ANCHOR)


@cache
def anchors() -> tuple[Floats, Floats]:
    """Return the sines and the cosines of all anchors, from -pi on."""
    anchors_rad = np.arange(-LAST_ANCHOR, LAST_ANCHOR + 1) * ANCHOR_STEP
    return np.sin(anchors_rad), np.cos(anchors_rad)


def distances_m(a_xyz_m: Floats, b_xyz_m: Floats) -> Floats:
    """Return great-circle distances in metres between points, row by row (broadcast)."""
    difference = a_xyz_m - b_xyz_m
    chord = np.sqrt(np.einsum("...i,...i->...", difference, difference))
    half_angle: Floats = np.arcsin(np.minimum(chord / (2 * EARTH_RADIUS_M), 1.0))
    return 2 * EARTH_RADIUS_M * half_angle


def lon_lat(point_m: Floats) -> tuple[float, float]:
    """Return the WGS 84 degrees (lon, lat) under a point near the sphere, shape (3,)."""
    x, y, z = (float(value) for value in point_m)
    lon_rad, lat_rad = np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))
    return float(np.degrees(lon_rad)), float(np.degrees(lat_rad))


def moment(time_s: float) -> datetime:
    """Return Unix seconds as an aware UTC datetime, to the microsecond."""
    return datetime.fromtimestamp(time_s, UTC)
