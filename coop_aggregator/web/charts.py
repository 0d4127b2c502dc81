"""Geometry of the two drawings, in whole units of the drawing: bars with whiskers, a map.

No colour, no text placement in words, no library: the templates turn this into SVG. Colours are
the style sheet's, so that dark mode and print follow.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from coop_aggregator.web.contexts import Bar, Shape

CHART_WIDTH = 340
MARGIN = 6
ROW_HEIGHT = 44
LABEL_HEIGHT = 18
"""A label stands above its bar, so that it stays readable where the drawing is 300 pixels wide."""
MAP_WIDTH = 480
MAP_HEIGHT = 420
LEVELS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A labelled value with its interval, any unit."""

    label: str
    value: float
    low: float
    high: float

    @property
    def may_be_zero(self) -> bool:
        """Tell whether the interval holds zero, its ends included."""
        return self.low <= 0 <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A linear axis from the smallest lower end (or 0) to the largest upper end."""

    low: float
    high: float

    def x(self, value: float) -> int:
        """Return where `value` falls on the drawing."""
        span = CHART_WIDTH - 2 * MARGIN
        return MARGIN + round(span * (value - self.low) / (self.high - self.low))


def axis_of(estimates: Sequence[Estimate]) -> Axis:
    """Return the axis that shows every interval and the zero."""
    low = min(0.0, *(estimate.low for estimate in estimates))
    high = max(0.0, *(estimate.high for estimate in estimates))
    return Axis(low=low, high=high if high > low else low + 1)


def bars_of(estimates: Sequence[Estimate], axis: Axis) -> tuple[Bar, ...]:
    """Return one bar an estimate, from the zero line to the value, with its whisker."""
    zero = axis.x(0)
    bars = []
    for rank, estimate in enumerate(estimates):
        y = rank * ROW_HEIGHT + LABEL_HEIGHT
        end = axis.x(estimate.value)
        low, high, middle = axis.x(estimate.low), axis.x(estimate.high), y + 10
        caps = f"M{low} {middle - 5}v10M{high} {middle - 5}v10"
        bars.append(
            Bar(
                label=estimate.label,
                y=y,
                x=min(zero, end),
                width=abs(end - zero),
                whisker=f"M{low} {middle}H{high}{caps}",
                hollow=estimate.may_be_zero,
            )
        )
    return tuple(bars)


def zero_of(count: int, axis: Axis) -> str:
    """Return the path of the zero line beside `count` bars; labels stay clear of it."""
    zero = axis.x(0)
    return "".join(f"M{zero} {rank * ROW_HEIGHT + LABEL_HEIGHT - 2}v24" for rank in range(count))


def level_of(value: float, top: float) -> int:
    """Return the class 1 to 5 of `value` between 0 and `top`; what is not positive is in 1."""
    if value <= 0 or top <= 0:
        return 1
    return min(LEVELS, 1 + math.floor(LEVELS * value / top))


def shapes_of(outlines: Sequence[str], levels: Sequence[int]) -> tuple[Shape, ...]:
    """Return the paths of GeoJSON outlines, projected together to fit the drawing.

    Equirectangular around the middle latitude: at the size of a city, shapes look right.
    """
    polygons = [list(_rings(json.loads(outline))) for outline in outlines]
    positions = [position for rings in polygons for ring in rings for position in ring]
    west, east = min(lon for lon, _ in positions), max(lon for lon, _ in positions)
    south, north = min(lat for _, lat in positions), max(lat for _, lat in positions)
    shrink = math.cos(math.radians((south + north) / 2))
    scale = min(
        MAP_WIDTH / max((east - west) * shrink, 1e-9), MAP_HEIGHT / max(north - south, 1e-9)
    )

    def path(rings: list[list[tuple[float, float]]]) -> str:
        return "".join(
            _ring_path(
                [
                    (round((lon - west) * shrink * scale), round((north - lat) * scale))
                    for lon, lat in ring
                ]
            )
            for ring in rings
        )

    return tuple(
        Shape(path=path(rings), level=level) for rings, level in zip(polygons, levels, strict=True)
    )


def _rings(geometry: dict[str, list[object]]) -> Iterator[list[tuple[float, float]]]:
    polygons = (
        [geometry["coordinates"]]
        if geometry["type"] == "Polygon"  # type: ignore[comparison-overlap]
        else geometry["coordinates"]
    )
    for polygon in polygons:
        for ring in polygon:  # type: ignore[attr-defined]
            yield [(position[0], position[1]) for position in ring]


def _ring_path(points: list[tuple[int, int]]) -> str:
    first, *others = points
    steps = []
    x, y = first
    for next_x, next_y in others[:-1]:
        if (next_x, next_y) != (x, y):
            steps.append(f"{next_x - x} {next_y - y}")
            x, y = next_x, next_y
    return f"M{first[0]} {first[1]}l{' '.join(steps)}z" if steps else f"M{first[0]} {first[1]}z"
