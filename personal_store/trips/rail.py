"""The way along rails between two places: what a train did where nobody saw it.

The tracks of imported lines make a graph, each vertex joined to the next and to those of other
tracks within `JOIN_M`; a way is its shortest path between the pieces of track near both places. It
is an estimate: a train may have taken another line. No timetable is read, and where the rails do
not lead from one place to the other there is no way.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from personal_store.trips.cutting import METRES_PER_DEGREE, Point, between_m
from personal_store.trips.track import Floats, mercator

JOIN_M: Final = 60.0
"""Metres; vertices of two tracks nearer than that are one place (a station told twice)."""

CHORD_FROM_M: Final = 1000.0
"""Metres; a longer straight piece is no track but a chord between two stations."""

CHORD_DETOUR: Final = 1.09
"""Times a chord's length: kilometres along the line over 5,585 chords of the SNCF's list of
stations, each weighed by its length (our count, 2026). Of 477 pairs of stations of one line, 5 to
100 km apart, ways then err by 4 % (median; nine in ten by less than 10 %), where a usual detour of
the whole straight line errs by 9 % (17 %)."""

MOST_DETOUR: Final = 1.6
"""Times the straight line: 95 % of the pairs of stations of one line lie below 1.51
(`unseen_ways`); a longer way is one that the train did not take."""

DETOUR_SLACK_M: Final = 1000.0
"""Metres that a way may be longer besides, for short ones around a bend."""

AWAY_COSTS: Final = 3.0
"""Times a metre along the track: a way begins where its place is nearest, not further on."""

_CELL_DEG: Final = JOIN_M / METRES_PER_DEGREE
_ENTRIES: Final = 6
"""Pieces of track near a place that are tried: platforms, and lines that part there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way along rails in metres, with its points (lon, lat) from the first place to the last."""

    length_m: float
    points: tuple[Point, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """Where a place meets a piece of track, the metres to both its ends, and what it costs.

    The cost is a way's own metre for metre, and `AWAY_COSTS` for the step between place and track.
    """

    piece: tuple[int, int]
    to_ends_m: tuple[float, float]
    at: Point
    cost_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Path:
    """From one place over vertices to another, with its cost in metres."""

    cost_m: float
    opened: _Entry
    vertices: Sequence[int]
    left: _Entry


class Rails:
    """The tracks of one mode, ready to be asked for ways."""

    def __init__(self, tracks: Sequence[Floats], *, reach_m: float) -> None:
        """Join the tracks (rows of lon, lat); `reach_m` is how far from them a place may lie."""
        # Imported here, as in `lines`: shapely takes 30 MB.
        import shapely  # noqa: PLC0415

        self._shapely: Any = shapely
        self._reach_m = reach_m
        self._at: list[Point] = []
        self._next: list[dict[int, float]] = []
        cells: dict[tuple[int, int], int] = {}
        self._pieces = [piece for track in tracks for piece in self._laid(track, cells)]
        self._join_neighbours(cells)
        flat = np.stack(mercator(*np.array(self._at).reshape(-1, 2).T), axis=1)
        self._lines = shapely.linestrings(flat[np.array(self._pieces, np.int64).reshape(-1, 2)])
        self._tree = shapely.STRtree(self._lines)

    def way(self, start: Point, end: Point) -> Way | None:
        """Return the way between two places (lon, lat), None where no rails lead there."""
        most_m = MOST_DETOUR * between_m(start, end) + DETOUR_SLACK_M
        boarded, alighted = self._entries(start), self._entries(end)
        paths = [
            _Path(
                cost_m=one.cost_m + abs(one.to_ends_m[0] - other.to_ends_m[0]) + other.cost_m,
                opened=one,
                vertices=(),
                left=other,
            )
            for one in boarded
            for other in alighted
            if one.piece == other.piece
        ]
        if boarded and alighted and (along := self._shortest(boarded, alighted, most_m)):
            paths.append(along)
        best = min(paths, key=lambda path: path.cost_m, default=None)
        return None if best is None or best.cost_m > most_m else self._way(best)

    def _way(self, path: "_Path") -> Way:
        """Return a path as points, without the steps from its places to the track."""
        return Way(
            length_m=path.cost_m - path.opened.cost_m - path.left.cost_m,
            points=(path.opened.at, *(self._at[k] for k in path.vertices), path.left.at),
        )

    def _laid(self, track: Floats, cells: dict[tuple[int, int], int]) -> Iterator[tuple[int, int]]:
        """Lay a track's vertices, one in a cell of `JOIN_M`, and yield its pieces."""
        before = None
        for lon, lat in track.tolist():
            here = cells.setdefault((int(lon // _CELL_DEG), int(lat // _CELL_DEG)), len(self._at))
            if here == len(self._at):
                self._at.append((lon, lat))
                self._next.append({})
            if before is not None and before != here and here not in self._next[before]:
                self._link(before, here)
                yield before, here
            before = here

    def _join_neighbours(self, cells: dict[tuple[int, int], int]) -> None:
        """Join vertices that lie near each other across the edge of a cell."""
        for (column, row), here in cells.items():
            for east, north in ((1, -1), (1, 0), (1, 1), (0, 1)):
                other = cells.get((column + east, row + north))
                if other is not None and between_m(self._at[here], self._at[other]) <= JOIN_M:
                    self._link(here, other)

    def _link(self, one: int, other: int) -> None:
        straight_m = between_m(self._at[one], self._at[other])
        length_m = straight_m * (CHORD_DETOUR if straight_m > CHORD_FROM_M else 1.0)
        self._next[one][other] = self._next[other][one] = length_m

    def _entries(self, place: Point) -> list[_Entry]:
        """Return where a place lies on the pieces of track near it, the nearest first."""
        x, y = mercator(np.array([place[0]]), np.array([place[1]]))
        point = self._shapely.Point(x[0], y[0])
        reach = self._reach_m / float(np.cos(np.radians(place[1])))
        near = self._tree.query(point, predicate="dwithin", distance=reach)
        away = self._shapely.distance(self._lines[near], point)
        nearest = near[np.lexsort((near, away))[:_ENTRIES]]
        return [self._entry(number, point, place) for number in nearest.tolist()]

    def _entry(self, number: int, point: Any, place: Point) -> _Entry:
        one, other = self._pieces[number]
        line = self._lines[number]
        share = float(self._shapely.line_locate_point(line, point, normalized=True))
        (lon, lat), (far_lon, far_lat) = self._at[one], self._at[other]
        at = (lon + share * (far_lon - lon), lat + share * (far_lat - lat))
        length_m = self._next[one][other]
        return _Entry(
            piece=(one, other),
            to_ends_m=(share * length_m, (1 - share) * length_m),
            at=at,
            cost_m=AWAY_COSTS * between_m(place, at),
        )

    def _shortest(
        self, boarded: Sequence[_Entry], alighted: Sequence[_Entry], most_m: float
    ) -> _Path | None:
        """Return the shortest path over vertices, Dijkstra's; None when it is beyond `most_m`."""
        queue = [
            (metres, end, -1, number)
            for number, entry in enumerate(boarded)
            for end, metres in _ends(entry)
        ]
        heapq.heapify(queue)
        leaving: dict[int, list[tuple[float, _Entry]]] = {}
        for entry in alighted:
            for end, metres in _ends(entry):
                leaving.setdefault(end, []).append((metres, entry))
        came: dict[int, int] = {}
        best: _Path | None = None
        while queue and queue[0][0] <= (most_m if best is None else best.cost_m):
            reached_m, here, before, number = heapq.heappop(queue)
            if here in came:
                continue
            came[here] = before
            for metres, entry in leaving.get(here, ()):
                if best is None or reached_m + metres < best.cost_m:
                    best = _Path(
                        cost_m=reached_m + metres,
                        opened=boarded[number],
                        vertices=_followed(here, came),
                        left=entry,
                    )
            for there, metres in self._next[here].items():
                heapq.heappush(queue, (reached_m + metres, there, here, number))
        return best


def _ends(entry: _Entry) -> Iterator[tuple[int, float]]:
    """Yield each vertex at an end of an entry's piece, and the metres from its place."""
    for end, metres in zip(entry.piece, entry.to_ends_m, strict=True):
        yield end, entry.cost_m + metres


def _followed(last: int, came: Mapping[int, int]) -> Sequence[int]:
    """Return the vertices that lead to one, the first first."""
    back = []
    while last >= 0:
        back.append(last)
        last = came[last]
    return back[::-1]
