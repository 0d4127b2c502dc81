"""Geometry of the drawings: where things fall, also when values are odd."""

import pytest

from coop_aggregator.web import charts
from coop_aggregator.web.charts import Estimate

SQUARE = '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1],[0,0]]]}'
TWO = (
    '{"type":"MultiPolygon","coordinates":'
    "[[[[0,0],[1,0],[1,1],[0,0]]],[[[2,0],[3,0],[3,1],[2,0]]]]}"
)


def estimate(value, half_width=10.0):
    return Estimate(label="x", value=value, low=value - half_width, high=value + half_width)


def test_a_bar_goes_from_zero_to_its_value():
    estimates = [estimate(100), estimate(50)]
    axis = charts.axis_of(estimates)
    first, second = charts.bars_of(estimates, axis)
    assert first.x == second.x == axis.x(0)
    assert first.width == pytest.approx(2 * second.width, abs=1)


def test_a_negative_bar_lies_left_of_zero():
    estimates = [estimate(-100), estimate(50)]
    axis = charts.axis_of(estimates)
    (negative, _) = charts.bars_of(estimates, axis)
    assert negative.x + negative.width == axis.x(0)


def test_nothing_leaves_the_drawing():
    estimates = [estimate(1e9), estimate(-1e9), estimate(0, 0)]
    axis = charts.axis_of(estimates)
    for bar in charts.bars_of(estimates, axis):
        assert bar.x >= charts.MARGIN
        assert bar.x + bar.width <= charts.CHART_WIDTH


def test_values_that_are_all_zero_can_be_drawn():
    estimates = [estimate(0, 0)]
    assert charts.bars_of(estimates, charts.axis_of(estimates))[0].width == 0


@pytest.mark.parametrize(
    ("value", "level"), [(-5, 1), (0, 1), (1, 1), (20, 2), (50, 3), (99, 5), (100, 5)]
)
def test_shades_grow_with_the_value(value, level):
    assert charts.level_of(value, 100) == level


def test_outlines_fill_the_drawing_and_do_not_leave_it():
    (shape,) = charts.shapes_of([SQUARE], [3])
    assert shape.path == "M0 420l420 0 0 -420 -420 0z"
    assert shape.level == 3


def test_each_part_of_a_zone_is_drawn():
    (shape,) = charts.shapes_of([TWO], [1])
    assert shape.path.count("M") == shape.path.count("z") == 2


@pytest.mark.parametrize(
    ("value", "hollow"), [(100, False), (-100, False), (5, True), (-5, True), (10, True)]
)
def test_a_bar_whose_interval_holds_zero_is_hollow(value, hollow):
    estimates = [estimate(value)]
    (bar,) = charts.bars_of(estimates, charts.axis_of(estimates))
    assert bar.hollow is hollow
