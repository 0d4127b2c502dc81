"""Legs by another mode: what becomes of them, held to footprints computed leg by leg."""

from datetime import UTC, date, datetime

import pytest

from carbon.activity import LegActivity
from carbon.errors import InvalidActivity
from carbon.factors import load_factor_set
from carbon.footprint import leg_footprint
from carbon.modes import ModeGroup, TransportMode
from carbon.other_mode import ByOtherMode, Otherwise
from carbon.scenarios import TravelledLeg
from carbon.whatif import what_if

M = TransportMode
FACTORS = load_factor_set()


def travelled(modes, km=4.0, occupants=1.0) -> TravelledLeg:
    leg = LegActivity(modes=modes, distance_m=1000 * km, on=date(2026, 11, 9), occupants=occupants)
    return TravelledLeg(leg=leg, start=datetime(2026, 11, 9, 8, tzinfo=UTC), duration_s=600)


def kg(mode: TransportMode, *, km=4.0, occupants=1.0) -> float:
    leg = travelled({mode: 1.0}, km, occupants).leg
    return leg_footprint(leg, FACTORS).life_cycle.value


def change(legs, group, by, max_km=5.0):
    return what_if(
        legs, ByOtherMode(instead_of=group, by=by, max_distance_m=1000 * max_km), FACTORS
    )


@pytest.mark.parametrize(
    ("group", "by", "before", "after"),
    [
        (ModeGroup.CAR, Otherwise.BIKE, kg(M.CAR), kg(M.BIKE)),
        (ModeGroup.CAR, Otherwise.TRAIN, kg(M.CAR), kg(M.TRAIN)),
        (ModeGroup.CAR, Otherwise.CARPOOL, kg(M.CAR), kg(M.CAR, occupants=2)),
        (ModeGroup.TRANSIT, Otherwise.CARPOOL, kg(M.BUS), kg(M.CAR, occupants=2)),
        (ModeGroup.TRANSIT, Otherwise.TRAIN, kg(M.BUS), kg(M.TRAIN)),
    ],
)
def test_a_leg_weighs_what_the_other_mode_weighs(group, by, before, after) -> None:
    mode = M.CAR if group is ModeGroup.CAR else M.BUS
    effect = change([travelled({mode: 1.0})], group, by)
    assert effect.difference.life_cycle.value == pytest.approx(after - before)
    low, high = effect.difference.life_cycle.low, effect.difference.life_cycle.high
    assert low < effect.difference.life_cycle.value < high


def test_a_leg_in_doubt_changes_by_its_probability() -> None:
    effect = change([travelled({M.CAR: 0.7, M.BUS: 0.3})], ModeGroup.CAR, Otherwise.BIKE)
    assert effect.difference.life_cycle.value == pytest.approx(0.7 * (kg(M.BIKE) - kg(M.CAR)))
    assert effect.legs == pytest.approx(0.7)


@pytest.mark.parametrize(
    ("leg", "group", "by"),
    [
        (travelled({M.CAR: 1.0}, km=5.0), ModeGroup.CAR, Otherwise.BIKE),
        (travelled({M.BUS: 1.0}), ModeGroup.CAR, Otherwise.BIKE),
        (travelled({M.TRAIN_TER: 1.0}), ModeGroup.TRAIN, Otherwise.TRAIN),
        (travelled({M.CAR: 1.0}, occupants=3), ModeGroup.CAR, Otherwise.CARPOOL),
    ],
    ids=["as long as the limit", "another mode", "already a train", "already shared"],
)
def test_what_it_does_not_reach_stays(leg, group, by) -> None:
    effect = change([leg], group, by)
    assert (effect.legs, effect.difference.life_cycle.value) == (0.0, 0.0)


def test_a_carpool_never_empties_a_fuller_car() -> None:
    legs = [travelled({M.CAR: 1.0}, occupants=4), travelled({M.CAR: 1.0})]
    effect = change(legs, ModeGroup.CAR, Otherwise.CARPOOL)
    assert effect.difference.life_cycle.value == pytest.approx(kg(M.CAR, occupants=2) - kg(M.CAR))


@pytest.mark.parametrize("metres", [0.0, -1.0, float("nan"), float("inf")])
def test_a_distance_that_is_none_is_refused_by_name(metres: float) -> None:
    with pytest.raises(InvalidActivity, match="max_distance_m"):
        ByOtherMode(instead_of=ModeGroup.CAR, by=Otherwise.BIKE, max_distance_m=metres)


@pytest.mark.parametrize("group", [ModeGroup.WALK, ModeGroup.BIKE, ModeGroup.OTHER])
def test_what_has_no_engine_is_not_replaced(group: ModeGroup) -> None:
    with pytest.raises(InvalidActivity, match="instead_of"):
        ByOtherMode(instead_of=group, by=Otherwise.TRAIN)
