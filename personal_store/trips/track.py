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
from math import asin, sqrt

import numpy as np
from numpy.typing import NDArray

from personal_store.ingest.positionfix import Positionfix, SourceFormat

EARTH_RADIUS_M = 6_371_008.8  # metres; IUGG mean radius R1 of WGS 84, Moritz 2000

SMALL_HALF_ANGLE = 1e-3
"""Radians; below it (12 km apart) asin(h) = h + h^3/6 to one part in 10^13, and no call."""

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Positionfixes of one device, column by column, each of length n.

    `time_s` are Unix seconds, `xyz_m` has shape (n, 3) and lies column by column in memory,
    `accuracy_m` is NaN where unknown.
    `recorded` marks fixes of a file that somebody started and stopped on purpose (GPX).
    `activity` holds each fix's label (None where there is none), `confidence` its [0, 1] or NaN.
    """

    time_s: Floats
    lon: Floats
    lat: Floats
    xyz_m: Floats
    accuracy_m: Floats
    recorded: NDArray[np.bool_]
    activity: NDArray[np.object_]
    confidence: Floats

    def __len__(self) -> int:
        """Return the number of fixes."""
        return len(self.time_s)

    def take(self, indices: Indices) -> "Track":
        """Return the fixes at `indices`, in that order."""
        return Track(
            time_s=self.time_s[indices],
            lon=self.lon[indices],
            lat=self.lat[indices],
            xyz_m=np.asfortranarray(self.xyz_m[indices]),
            accuracy_m=self.accuracy_m[indices],
            recorded=self.recorded[indices],
            activity=self.activity[indices],
            confidence=self.confidence[indices],
        )


def track_of(fixes: Sequence[Positionfix]) -> Track:
    """Return the fixes' columns in the order given, without judging them."""
    lon = np.array([fix.lon for fix in fixes], dtype=np.float64)
    lat = np.array([fix.lat for fix in fixes], dtype=np.float64)
    activity = np.empty(len(fixes), dtype=object)
    activity[:] = [fix.activity for fix in fixes]
    return Track(
        time_s=np.array([fix.at.timestamp() for fix in fixes], dtype=np.float64),
        lon=lon,
        lat=lat,
        xyz_m=sphere_points(lon, lat),
        accuracy_m=np.array([fix.accuracy_m for fix in fixes], dtype=np.float64),
        recorded=np.array([fix.source is SourceFormat.GPX for fix in fixes], dtype=np.bool_),
        activity=activity,
        confidence=np.array([fix.activity_confidence for fix in fixes], dtype=np.float64),
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


def arc_m(x0: float, y0: float, z0: float, x1: float, y1: float, z1: float) -> float:
    """Return the great-circle distance in metres between two points of the sphere; for loops."""
    # Products, not powers: pow() may round otherwise than a product does.
    off_x, off_y, off_z = x1 - x0, y1 - y0, z1 - z0
    chord_m = sqrt(off_x * off_x + off_y * off_y + off_z * off_z)
    half = min(chord_m / (2 * EARTH_RADIUS_M), 1.0)
    if half < SMALL_HALF_ANGLE:
        return chord_m * (1.0 + half * half / 6.0)
    return 2 * EARTH_RADIUS_M * asin(half)


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
