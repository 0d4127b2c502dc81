"""A generated town: streets on a grid, bus routes with stops, and legs whose mode is known.

Every number is drawn from the seed. A bus goes from stop to stop along its route; a car goes
between two addresses along the same streets, often along the bus's.
"""

import csv
import io
import zipfile

import numpy as np

METRES_PER_DEGREE = 111_195.0
LON, LAT = -1.15, 46.16
BLOCK_M = 200.0
BLOCKS = 30


def degrees(x_m, y_m):
    lat = LAT + np.asarray(y_m) / METRES_PER_DEGREE
    return LON + np.asarray(x_m) / METRES_PER_DEGREE / np.cos(np.radians(LAT)), lat


class Town:
    """Routes are lists of (x_m, y_m) stops every other block along streets."""

    def __init__(self, seed, routes=8):
        self.rng = np.random.default_rng(seed)
        self.routes = [self._route() for _ in range(routes)]

    def bus_leg(self):
        """Return lon and lat of fixes from one stop to a later one, with 8 m of error."""
        route = self.routes[int(self.rng.integers(len(self.routes)))]
        first = int(self.rng.integers(len(route) - 4))
        last = int(self.rng.integers(first + 3, len(route)))
        return self._fixes(np.array(route[first : last + 1]))

    def car_leg(self):
        """Return lon and lat of fixes between two addresses, by two streets."""
        ends = self.rng.uniform(0, BLOCKS * BLOCK_M, (2, 2))
        (x0, y0), (x1, y1) = ends
        street = np.round(y0 / BLOCK_M) * BLOCK_M
        avenue = np.round(x1 / BLOCK_M) * BLOCK_M
        return self._fixes(
            np.array([(x0, y0), (x0, street), (avenue, street), (avenue, y1), (x1, y1)])
        )

    def gtfs(self, path, *, shapes=False, route_type=3):
        stops, times, trips, routes, points = [], [], [], [], []
        for number, route in enumerate(self.routes):
            routes.append((f"r{number}", route_type))
            trips.append((f"r{number}", f"t{number}", f"s{number}" if shapes else ""))
            for place, (x_m, y_m) in enumerate(route):
                lon, lat = degrees(x_m, y_m)
                stops.append((f"{number}-{place}", f"{lon:.6f}", f"{lat:.6f}"))
                times.append((f"t{number}", f"{number}-{place}", 5 * place + 1))
                points.append((f"s{number}", f"{lon:.6f}", f"{lat:.6f}", place))
        self.rng.shuffle(times)
        tables = {
            "routes.txt": (("route_id", "route_type"), routes),
            "trips.txt": (("route_id", "trip_id", "shape_id"), trips),
            "stops.txt": (("stop_id", "stop_lon", "stop_lat"), stops),
            "stop_times.txt": (("trip_id", "stop_id", "stop_sequence"), times),
        }
        if shapes:
            names = ("shape_id", "shape_pt_lon", "shape_pt_lat", "shape_pt_sequence")
            tables["shapes.txt"] = (names, points)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, (header, rows) in tables.items():
                text = io.StringIO()
                csv.writer(text).writerows([header, *rows])
                archive.writestr(name, "\ufeff" + text.getvalue())
        return path

    def _route(self):
        x, y = (int(value) for value in self.rng.integers(0, BLOCKS, 2))
        along = [(x, y)]
        step = np.array((1, 0)) if x < BLOCKS / 2 else np.array((-1, 0))
        for _ in range(14):
            if self.rng.random() < 0.3:
                step = step[::-1] * int(self.rng.choice((-1, 1)))
            x, y = (int(np.clip(value, 0, BLOCKS)) for value in (x, y) + 2 * step)
            if (x, y) != along[-1]:
                along.append((x, y))
        return [(BLOCK_M * x, BLOCK_M * y) for x, y in along]

    def _fixes(self, corners):
        length = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))))
        at = np.arange(0.0, max(length[-1], 1.0), 80.0)
        at = np.append(at, length[-1])
        error = self.rng.normal(0.0, 8.0, (2, len(at)))
        return degrees(
            np.interp(at, length, corners[:, 0]) + error[0],
            np.interp(at, length, corners[:, 1]) + error[1],
        )
