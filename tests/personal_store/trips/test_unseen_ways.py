"""Ways that nobody saw: longer than a straight line where the mode is known, and never shorter."""

import pytest

from carbon.modes import TransportMode
from personal_store.trips.timeline import ModeProbability
from personal_store.trips.unseen_ways import LEAST_GAP_M, way_across_m

M = TransportMode


def sure(mode: TransportMode) -> list[ModeProbability]:
    return [ModeProbability(mode=mode, probability=1.0)]


@pytest.mark.parametrize(
    ("mode", "gap_m", "way_m"),
    [
        (M.TRAIN_TGV, 400_000, 476_000),
        (M.FERRY, 10_000, 11_000),
        (M.PLANE, 500_000, 550_000),
        (M.PLANE, 1_000_000, 1_100_000),
        (M.PLANE, 6_000_000, 6_125_000),
        (M.CAR, 100_000, 100_000),
        (M.TRAIN, LEAST_GAP_M - 1, LEAST_GAP_M - 1),
    ],
)
def test_a_way_is_as_long_as_its_mode_usually_goes(mode, gap_m, way_m):
    assert way_across_m(gap_m, sure(mode)) == pytest.approx(way_m)


def test_train_or_metro_is_rail_whichever_it_was():
    halves = [ModeProbability(mode=mode, probability=0.5) for mode in (M.TRAIN, M.METRO)]
    assert way_across_m(10_000, halves) == pytest.approx(11_900)


def test_an_unsure_mode_keeps_the_straight_line():
    doubt = [ModeProbability(mode=mode, probability=0.5) for mode in (M.TRAIN, M.CAR)]
    assert way_across_m(10_000, doubt) == 10_000
