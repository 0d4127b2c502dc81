"""Stops and lines of public transport, and how well each mode explains a leg that passes them.

A `Lines` holds what files of a territory gave (`line_files.py` reads them): stops by mode, routes
as ordered stops, and tracks. It is searched in memory on the resident's own machine; no map service
is asked, because asking tells where somebody was. It draws no map and plans no journey.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from carbon.modes import TransportMode
from personal_store.trips.cutting import Point
from personal_store.trips.rail import Rails, Way
from personal_store.trips.track import Floats, Indices, mercator

M = TransportMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How near is near, in metres: a stop to an end of a leg, and a fix to the track.

    Chords between stations miss the track, hence 250 m for trains (design, trips 5: 41 of 5,876
    chords exceed 25 km, and those are left out by `line_files`).
    """

    stop_m: float
    track_m: float


REACH: Final[Mapping[TransportMode, Reach]] = MappingProxyType(
    {
        M.BUS: Reach(stop_m=100.0, track_m=40.0),
        M.TRAM: Reach(stop_m=120.0, track_m=40.0),
        M.METRO: Reach(stop_m=250.0, track_m=120.0),
        M.TRAIN: Reach(stop_m=350.0, track_m=250.0),
        M.FERRY: Reach(stop_m=350.0, track_m=500.0),
        M.PLANE: Reach(stop_m=3000.0, track_m=0.0),
    }
)

SERVED_M: Final = 5000.0
"""Metres from an end of a leg to the nearest stop of a mode beyond which the files say nothing: no
line is missing from a map that does not show the place."""

LEAST_STOPS: Final[Mapping[TransportMode, int]] = MappingProxyType({M.BUS: 10})
"""Stops of a mode within `SERVED_M` from which its network counts as known there, 1 where nothing
else is said. A town has dozens of bus stops; a railway's feed with two stops of its shuttle knows
nothing of the town's buses."""

ROUTE: Final = (log(0.65 / 0.08), log(0.10 / 0.22), log(0.25 / 0.70))
"""Log-odds of: both ends at stops of one route in its order; both at stops; fewer. A rider boards
and alights at stops, yet a phone that wakes late misses one of them in a leg of four (our
assumption; 13 of 27 rail legs of MobilityNet). Of other travellers 0.08 match by chance, as
measured on generated towns with a stop every 400 m (tests, several seeds)."""

TRACK: Final = (log(0.85 / 0.10), log(0.10 / 0.10), log(0.05 / 0.80))
"""Log-odds of: at least 0.8 of a leg's way on a track of the mode; 0.4 to 0.8; less. Roads run
beside railways for one leg in ten (our assumption)."""

BESIDE_M: Final = 2000.0
"""Metres; on a track of its own, a leg n times as long follows it by chance n times less often: a
road stays beside rails for a while, hardly ever for 20 km (our assumption)."""

OWN_TRACK: Final = frozenset({M.METRO, M.TRAIN, M.FERRY})
"""Modes whose tracks no road shares."""

INCOMPLETE: Final = 0.05
"""Probability that the files lack the line that was ridden, which bounds what they speak against
(our assumption)."""

WATER_WITHOUT_LINES: Final = log(0.05)
"""Log-odds of a ferry where no ferry line or pier is known: few places have one."""

RAILED: Final = frozenset({M.TRAIN, M.METRO, M.TRAM})
"""Modes that keep to their tracks, so that these tell where nobody saw one."""

_LINE_OF: Final = MappingProxyType(
    dict.fromkeys((M.TRAIN_TGV, M.TRAIN_TER, M.TRAIN_INTERCITES), M.TRAIN)
)

SAMPLES: Final = 48
"""Points of a leg's way that are looked up, each at the fix nearest to it: more say nothing new."""

PIECE_STEPS: Final = 32
"""Steps of a track that are indexed together. The box of a whole railway line holds a territory, so
that each fix would be measured against all of its points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Public transport of a territory.

    `stop_lon`, `stop_lat` and `stop_mode` are columns; `routes` gives, by mode, tuples of stop
    numbers in the order of travel; `tracks` gives, by mode, polylines of (lon, lat) rows.
    """

    stop_lon: Floats = field(repr=False)
    stop_lat: Floats = field(repr=False)
    stop_mode: tuple[TransportMode, ...] = field(repr=False)
    routes: Mapping[TransportMode, Sequence[tuple[int, ...]]] = field(repr=False)
    tracks: Mapping[TransportMode, Sequence[Floats]] = field(repr=False)


class LineIndex:
    """Lines ready to be asked about legs; building it costs about a second for 10,000 stops."""

    def __init__(self, lines: Lines) -> None:
        """Build a tree of stops and one of tracks for each mode."""
        self._layers = {mode: _Layer(lines, mode) for mode in REACH}
        self._lines = lines
        self._rails: dict[TransportMode, Rails] = {}

    def log_odds(self, modes: Sequence[TransportMode], lon: Floats, lat: Floats) -> Floats:
        """Return what to add to each mode's score for a leg over these fixes, in time order."""
        added = np.zeros(len(modes))
        said = {mode: layer.log_odds(lon, lat) for mode, layer in self._layers.items()}
        for index, mode in enumerate(modes):
            kind = _LINE_OF.get(mode, mode)
            if kind in said:
                added[index] = said[kind]
        return added

    def way(self, mode: TransportMode, start: Point, end: Point) -> Way | None:
        """Return the way along the rails of a mode between two places, None where there is none."""
        kind = _LINE_OF.get(mode, mode)
        if kind not in RAILED:
            return None
        # Made when first asked for: a hundred thousand pieces of track take a second.
        if kind not in self._rails:
            self._rails[kind] = Rails(self._tracks_of(kind), reach_m=REACH[kind].track_m)
        return self._rails[kind].way(start, end)

    def _tracks_of(self, mode: TransportMode) -> Sequence[Floats]:
        """Return the tracks of a mode; of one that has none, its routes from stop to stop."""
        places = np.stack((self._lines.stop_lon, self._lines.stop_lat), axis=1)
        routes = self._lines.routes.get(mode, ())
        return self._lines.tracks.get(mode) or [places[list(route)] for route in routes]


class _Layer:
    """The stops, routes and tracks of one mode."""

    def __init__(self, lines: Lines, mode: TransportMode) -> None:
        # Imported here: shapely takes 30 MB that a store without lines does without.
        import shapely  # noqa: PLC0415

        self._shapely: Any = shapely
        self._mode = mode
        self._reach = REACH[mode]
        self._stops = np.array(
            [number for number, each in enumerate(lines.stop_mode) if each is mode], dtype=np.int64
        )
        x, y = mercator(lines.stop_lon[self._stops], lines.stop_lat[self._stops])
        self._stop_tree = shapely.STRtree(shapely.points(x, y))
        tracks = lines.tracks.get(mode, ())
        pieces, self._track_of = _pieces(tracks)
        self._track_tree = shapely.STRtree(
            [shapely.linestrings(np.stack(mercator(*piece.T), axis=1)) for piece in pieces]
        )
        self._has_tracks = len(tracks) > 0
        self._places: dict[int, dict[int, tuple[int, int]]] = {}
        for number, route in enumerate(lines.routes.get(mode, ())):
            for place, stop in enumerate(route):
                first, _ = self._places.setdefault(stop, {}).get(number, (place, place))
                self._places[stop][number] = (first, place)

    def log_odds(self, lon: Floats, lat: Floats) -> float:
        """Return the log-odds of this mode against the others, 0 where nothing is known."""
        if not len(self._stops) and not self._has_tracks:
            return WATER_WITHOUT_LINES if self._mode is M.FERRY else 0.0
        if not self._is_served(lon, lat):
            return WATER_WITHOUT_LINES if self._mode is M.FERRY else 0.0
        by_route = self._by_route(lon, lat) if len(self._stops) else 0.0
        if not self._has_tracks:
            return _bounded(by_route)
        by_track = self._by_track(lon, lat)
        if by_track > 0.0:
            # Stops lie on tracks: the two say partly the same, so the second counts by half. Along
            # the track a missed stop is a late fix, and speaks against nothing.
            return by_track + 0.5 * max(by_route, 0.0)
        strong, weak = sorted((by_route, by_track), key=abs, reverse=True)
        return _bounded(strong + 0.5 * weak)

    def stops_near(self, lon: float, lat: float) -> Indices:
        """Return the numbers of the stops within reach of a place."""
        return self._stops[self._within(self._stop_tree, lon, lat, self._reach.stop_m)]

    def _is_served(self, lon: Floats, lat: Floats) -> bool:
        least = LEAST_STOPS.get(self._mode, 1)
        for end in (0, -1):
            at = float(lon[end]), float(lat[end])
            pieces = self._within(self._track_tree, *at, SERVED_M)
            tracks = np.unique(self._track_of[pieces])
            if len(tracks) >= least or len(self._within(self._stop_tree, *at, SERVED_M)) >= least:
                return True
        return False

    def _by_route(self, lon: Floats, lat: Floats) -> float:
        boarded = self.stops_near(float(lon[0]), float(lat[0]))
        alighted = self.stops_near(float(lon[-1]), float(lat[-1]))
        if not len(boarded) or not len(alighted):
            return ROUTE[2]
        if not self._places:
            return ROUTE[0] / 2
        return ROUTE[0] if self._in_order(boarded, alighted) else ROUTE[1]

    def _in_order(self, boarded: Indices, alighted: Indices) -> bool:
        """Tell whether some route calls at a first stop, and later at one of the last."""
        ends = [self._places.get(int(stop), {}) for stop in alighted]
        for stop in boarded.tolist():
            for route, (first, _) in self._places.get(stop, {}).items():
                if any(first < end[route][1] for end in ends if route in end):
                    return True
        return False

    def _by_track(self, lon: Floats, lat: Floats) -> float:
        x, y = mercator(lon, lat)
        scale = np.cos(np.radians(lat))
        way_m = np.append(0.0, np.cumsum(np.hypot(np.diff(x), np.diff(y)) * scale[1:]))
        # Metres count, not fixes: a phone at rest at a station logs more than one under way.
        middles_m = (way_m[1:] + way_m[:-1]) / 2
        wanted_m = np.linspace(0.0, way_m[-1], SAMPLES)
        chosen, times = np.unique(np.searchsorted(middles_m, wanted_m), return_counts=True)
        points = self._shapely.points(x[chosen], y[chosen])
        near_m = self._reach.track_m / scale[chosen]
        hits = self._track_tree.query(points, predicate="dwithin", distance=near_m)[0]
        share = times[np.unique(hits)].sum() / SAMPLES
        if share < 0.8:
            return TRACK[1] if share >= 0.4 else TRACK[2]
        longer = max(float(way_m[-1]) / BESIDE_M, 1.0) if self._mode in OWN_TRACK else 1.0
        return TRACK[0] + log(longer)

    def _within(self, tree: Any, lon: float, lat: float, radius_m: float) -> Indices:
        x, y = mercator(np.array([lon]), np.array([lat]))
        point = self._shapely.points(x[0], y[0])
        distance = radius_m / float(np.cos(np.radians(lat)))
        found: Indices = tree.query(point, predicate="dwithin", distance=distance)
        return found


def _pieces(tracks: Sequence[Floats]) -> tuple[list[Floats], Indices]:
    """Return the tracks in pieces that share their ends, and the number of each piece's track."""
    cut = [
        (row[begin : begin + PIECE_STEPS + 1], number)
        for number, row in enumerate(tracks)
        for begin in range(0, max(len(row) - 1, 1), PIECE_STEPS)
    ]
    return [piece for piece, _ in cut], np.array([number for _, number in cut], dtype=np.int64)


def _bounded(odds: float) -> float:
    """Return log-odds that allow for a line which the files lack."""
    return log(INCOMPLETE + (1.0 - INCOMPLETE) * exp(odds)) if odds < 0.0 else odds
